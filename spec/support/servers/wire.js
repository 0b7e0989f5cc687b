'use strict';
// A server of HTTP/1.1 that says exactly the bytes that it is told, when it is told, and keeps its connections.
//
// The path of a request is what happens once it is there, step by step (spec/support/servers/wire.lua writes it):
// say-HEX writes bytes, in one record of TLS; wait-MILLISECONDS; hold waits until a request on another connection says
// poke; end and reset do that to the connection; greet-HEX is written as soon as its next request has begun.

const after = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const bytes = (hex) => Buffer.from(hex, 'hex');

let held = [];

const steps = {
  say: (socket, hex) => new Promise((resolve) => { socket.write(bytes(hex), resolve); }),
  wait: (_, milliseconds) => after(Number(milliseconds)),
  hold: (socket) => new Promise((resolve) => { held.push({ socket, resolve }); }),
  // Whoever was held has come to an end before the next step.
  poke: () => {
    const going = held;
    held = [];
    going.forEach(({ resolve }) => resolve());
    return Promise.all(going.map(({ socket }) => socket.walk));
  },
  greet: (socket, hex) => { socket.greeting = bytes(hex); },
  end: (socket) => new Promise((resolve) => { socket.end(resolve); }),
  reset: (socket) => socket.tcp.resetAndDestroy(),
};

async function walk(socket, path) {
  for (const step of path.split('/').slice(1)) {
    const [name, argument] = step.split('-');
    if (socket.destroyed) return;
    await steps[name]?.(socket, argument);
  }
}

// What of a request is there, and behind it the rest of the bytes.
function parse(received) {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first, ...lines] = received.toString('latin1', 0, end).split('\r\n');
  const [method, url] = first.split(' ');
  const rawHeaders = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const length = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'content-length');
  const size = length < 0 ? 0 : Number(rawHeaders[length + 1]);
  const body = received.subarray(end + 4, end + 4 + size);
  const request = { method, url, rawHeaders, httpVersion: '1.1' };
  return { request, body, complete: body.length === size, rest: received.subarray(end + 4 + size) };
}

// `record(request, { body, complete })` writes a request down; `tcp` is the connection under `socket`.
module.exports = function serve(socket, tcp, record) {
  let received = Buffer.alloc(0);
  socket.tcp = tcp;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (socket.greeting) {
      socket.write(socket.greeting);
      socket.greeting = undefined;
    }
    for (let parsed = parse(received); parsed?.complete; parsed = parse(received)) {
      received = parsed.rest;
      record(parsed.request, { body: parsed.body, complete: true });
      socket.walk = walk(socket, parsed.request.url);
    }
  });
  socket.on('close', () => {
    const parsed = parse(received);
    if (parsed) record(parsed.request, { body: parsed.body, complete: false });
  });
};
