'use strict';
// node load.js DIRECTORY URL CONNECTIONS REQUESTS PAUSE_MS: POSTs to URL over so many kept connections at
// once, on each REQUESTS times (0: until its standard input ends) with a pause between.
//
// It makes DIRECTORY/flowing when every connection has had an answer, and writes DIRECTORY/result as its
// last act: { answers: { "STATUS BODY": count }, failures: { message: count }, resent }.

const fs = require('fs');
const http = require('http');
const path = require('path');

const LIFETIME = 300 * 1000;
const [directory, url, connections, requests, pause] = process.argv.slice(2)
  .map((word, i) => (i < 2 ? word : Number(word)));

const result = { answers: {}, failures: {}, resent: 0 };
const count = (table, key) => { table[key] = (table[key] ?? 0) + 1; };
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
let stopped = false;
let flowing = 0;

const post = (agent) => new Promise((resolve, reject) => {
  const request = http.request(url, { agent, method: 'POST' }, async (response) => {
    try {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      resolve(`${response.statusCode} ${body.trim()}`);
    } catch (error) {
      reject(Object.assign(error, { begun: true }));
    }
  });
  request.once('error', (error) => reject(Object.assign(error, { reused: request.reusedSocket })));
  request.end();
});

// A server may close a kept connection in the moment that it is used again. Every HTTP client sends such
// a request once more; whether the server had begun with it is the server's to say.
async function once(agent) {
  try {
    return await post(agent);
  } catch (error) {
    if (!error.reused || error.begun) throw error;
    result.resent += 1;
    return post(agent);
  }
}

async function connection() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let n = 1; !stopped; n += 1) {
    try {
      count(result.answers, await once(agent));
    } catch (error) {
      count(result.failures, error.message);
    }
    if (n === 1 && ++flowing === connections) fs.writeFileSync(path.join(directory, 'flowing'), '');
    if (n === requests) break;
    await sleep(pause);
  }
  agent.destroy();
}

async function main() {
  await Promise.all(Array.from({ length: connections }, connection));
  fs.writeFileSync(path.join(directory, 'result.new'), JSON.stringify(result));
  fs.renameSync(path.join(directory, 'result.new'), path.join(directory, 'result'));
  process.exit(0);
}

const stop = () => { stopped = true; };
setTimeout(() => process.exit(1), LIFETIME);
process.stdin.resume().once('end', stop).once('error', stop);
main();
