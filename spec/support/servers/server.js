'use strict';
// node server.js DIRECTORY CERTIFICATES: an HTTP server that misbehaves as behaviours.js says.
//
// It reads DIRECTORY/plan at each request, appends what it receives to DIRECTORY/log, and says in
// DIRECTORY/ports where it listens. It ends when its standard input does, or after LIFETIME.

const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const https = require('https');
const net = require('net');
const path = require('path');
const tls = require('tls');
const { answer, perform } = require('./behaviours');
const serve = require('./wire');

const LIFETIME = 120 * 1000;
const HOST = '127.0.0.1';
const [directory, certificates] = process.argv.slice(2);

const inside = (name) => path.join(directory, name);
const certificate = (name) => ({
  cert: fs.readFileSync(path.join(certificates, `${name}.pem`)),
  key: fs.readFileSync(path.join(certificates, `${name}.key`)),
});

// ---- the plan: what Lua wants answered -----------------------------------------------------------

const canned = ({ status, headers, body_hex: hex }) => ({ status, headers, body: Buffer.from(hex ?? '', 'hex') });
const taken = { plan: undefined, steps: 0 };

function readPlan() {
  const plan = JSON.parse(fs.readFileSync(inside('plan'), 'utf8'));
  if (plan.id !== taken.plan) Object.assign(taken, { plan: plan.id, steps: 0 });
  return { answer: canned(plan.answer), steps: plan.steps };
}

// Without a script: the canned answer. After its end: an answer that no client takes for a good one.
function step(exchange) {
  const { steps } = exchange.plan;
  const next = steps ? steps[taken.steps++] ?? '599' : 'ok';
  if (typeof next === 'string') perform(exchange, next.split('/'));
  else answer(exchange, canned(next));
}

// ---- the log: a line of JSON, then the body's bytes ----------------------------------------------

const started = Date.now();
const pairs = (flat) => flat.flatMap((name, i) => (i % 2 || name.startsWith(':') ? [] : [[name, flat[i + 1]]]));

function record(listener, tcp, request, { body = Buffer.alloc(0), complete = true } = {}) {
  const rawHeaders = pairs(request.rawHeaders);
  const entry = {
    at_ms: Date.now() - started,
    listener,
    connection: tcp.number,
    version: request.httpVersion,
    method: request.method,
    path: request.url,
    headers: Object.fromEntries(rawHeaders.map(([name, value]) => [name.toLowerCase(), value])),
    raw_headers: rawHeaders,
    complete,
    length: body.length,
  };
  const line = Buffer.from(`${JSON.stringify(entry)}\n`, 'latin1');
  fs.appendFileSync(inside('log'), Buffer.concat([line, body]));
}

async function read(request) {
  const chunks = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return { body: Buffer.concat(chunks), complete: false };
  }
  return { body: Buffer.concat(chunks), complete: true };
}

// ---- listeners -----------------------------------------------------------------------------------

let connections = 0;

// The TCP connections of a server by the client's port, which TLS and HTTP/2 objects know too.
function track(server) {
  const open = new Map();
  server.on('connection', (tcp) => {
    const { remotePort } = tcp;
    tcp.number = ++connections;
    tcp.on('error', () => {});
    open.set(remotePort, tcp);
    tcp.once('close', () => open.get(remotePort) === tcp && open.delete(remotePort));
  });
  server.on('secureConnection', (socket) => socket.on('error', () => {}));
  server.on('sessionError', () => {});
  server.on('clientError', (_, socket) => socket.destroy());
  return (request) => open.get(request.socket.remotePort);
}

function misbehave(listener, server) {
  const connectionOf = track(server);
  server.on('request', async (request, response) => {
    const { socket } = request;
    const tcp = connectionOf(request);
    if (!tcp) return; // closed before its request was read
    const words = tcp.fate ?? request.url.split('?')[0].split('/').slice(1);
    const received = words[0] === 'early' ? { complete: false } : await read(request);
    record(listener, tcp, request, received);
    response.on('error', () => {});
    if (tcp.destroyed) return;
    const exchange = { request, response, socket, tcp, body: received.body, plan: readPlan() };
    exchange.step = () => step(exchange);
    perform(exchange, words);
  });
  return server;
}

// What a proxy does with CONNECT for a host of this name instead.
function refuse(host, client) {
  const [, what] = host.match(/^refuse-(\w+)\.invalid$/) ?? [];
  if (what === 'close') client.destroy();
  else if (what === 'reset') client.resetAndDestroy();
  else if (what) client.end(`HTTP/1.1 ${what} Refused\r\nContent-Length: 0\r\n\r\n`);
  return Boolean(what);
}

// Tunnels CONNECT, but for refuse-STATUS.invalid, refuse-close.invalid and refuse-reset.invalid, and forwards what
// comes with an absolute URL.
function proxy(listener) {
  const server = http.createServer();
  const connectionOf = track(server);
  server.on('connect', (request, client, first) => {
    record(listener, connectionOf(request), request);
    const [host, port] = request.url.split(':');
    if (refuse(host, client)) return;
    const onward = net.connect(port, host, () => {
      client.write('HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n');
      onward.write(first);
      client.pipe(onward).pipe(client);
    });
    onward.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'));
    client.once('error', () => onward.destroy());
  });
  server.on('request', (request, response) => {
    record(listener, connectionOf(request), request);
    const { method, headers } = request;
    const onward = http.request(request.url, { method, headers }, (received) => {
      response.writeHead(received.statusCode, received.headers);
      received.pipe(response);
    });
    onward.once('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  return server;
}

const patient = { keepAliveTimeout: LIFETIME, requestTimeout: 0, maxHeaderSize: 256 * 1024 };
const secure = (options) => https.createServer({ ...patient, ...certificate('server'), ...options });
const authority = fs.readFileSync(path.join(certificates, 'ca.pem'));
const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };

const servers = {
  http: http.createServer(patient),
  https: secure(),
  h2: http2.createSecureServer({ ...certificate('server'), allowHTTP1: true }),
  tls11: secure(old),
  tls12: secure({ maxVersion: 'TLSv1.2' }),
  mutual: secure({ ca: authority, requestCert: true, rejectUnauthorized: true }),
  mutual12: secure({ ca: authority, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' }),
  wrong_host: secure(certificate('wrong_host')),
  expired: secure(certificate('expired')),
  unknown_ca: secure(certificate('unknown_ca')),
};

// SOCKS 5 to the point where it refuses to connect.
const socks = net.createServer((tcp) => {
  tcp.on('error', () => {});
  tcp.once('data', () => {
    tcp.write(Buffer.from([5, 0]));
    tcp.once('data', () => tcp.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
  });
});

// Close in the middle of TLS.
const hangup = net.createServer((tcp) => tcp.on('error', () => {}).once('data', () => tcp.end()));
const hangup_hard = net.createServer((tcp) => tcp.on('error', () => {}).once('data', () => tcp.resetAndDestroy()));

const silent = net.createServer((tcp) => tcp.on('error', () => {}));

// They say the bytes that a request's path has; see wire.js.
const wires = {
  wire: (listener) => net.createServer((tcp) => wire(listener, tcp, tcp)),
  wires: (listener) => {
    const connectionOf = new Map();
    const server = tls.createServer(certificate('server'), (socket) => {
      wire(listener, socket, connectionOf.get(socket.remotePort));
    });
    server.on('connection', (tcp) => connectionOf.set(tcp.remotePort, tcp));
    server.on('tlsClientError', () => {});
    return server;
  },
};

function wire(listener, socket, tcp) {
  tcp.number = ++connections;
  serve(socket, tcp, (request, received) => record(listener, tcp, request, received));
}

const listening = (server) => new Promise((resolve) => {
  server.listen(0, HOST, () => resolve(server.address().port));
});

async function main() {
  const ports = { proxy: await listening(proxy('proxy')) };
  for (const [name, server] of Object.entries({ silent, socks, hangup, hangup_hard })) {
    ports[name] = await listening(server);
  }
  for (const [name, server] of Object.entries(servers)) {
    ports[name] = await listening(misbehave(name, server));
  }
  for (const [name, make] of Object.entries(wires)) ports[name] = await listening(make(name));
  fs.writeFileSync(inside('ports.new'), JSON.stringify(ports));
  fs.renameSync(inside('ports.new'), inside('ports'));
}

setTimeout(() => process.exit(1), LIFETIME);
process.stdin.resume().once('end', () => process.exit(0)).once('error', () => process.exit(1));
main();
