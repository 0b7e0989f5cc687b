'use strict';
// node hostile.js DIRECTORY CERTIFICATES: a server that answers, byte for byte, what DIRECTORY/plan says.
//
// The plan: { cases: [...], client_id, keys }, `keys` the files of private keys by name. POST /case/N... gets case N;
// ?cut=C leaves only the first C bytes of its answer, &reset=1 then resets the connection; so do /cut/C and /reset in
// the path. Where C is negative, so many bytes are missing. A case has
//
// answer   text, each character a byte; {body} is a success, {length} its length, {hex} that in hex, {chunks} the
//          same chunked, {signed} the header lines that sign it, {time} and {signature} each of the two, {forged} a
//          success that nobody asked for
// result   { code, status } of the success, which is none then
// body     text in place of the success; {requestId} and {merchantBizNo} in it are the request's
// signing  { key, version, algorithm, time, value, length }: by whom it is signed, what the headers say, at which time
//          ("now"), what the signature is, how many characters of it; `over`: { method, path, client, time, body }, what
//          is signed in place of what is right
// frames   what is said over HTTP/2, on a port of its own; see frames.js
// cut      as above
// renegotiate  "once" or "for ever": TLS is, before the answer
// pad      {pad} is so long that what stands before {forged} has this length
// then     what becomes of the connection: "keep" (default), "end", "reset"; "break" is an end that TLS is not told of;
//          "leave" is a reset by a server that is gone for a second; "mute", "rude" is a reset whose next connection
//          gets no byte, or no TLS; "renew" is an end after which the next one gets a certificate of an unknown CA
// bytewise each byte in a packet of its own
// drip     { text, ms, record }: behind the answer, for ever; `record`: it is the inside of a record of TLS
// flood    text: behind the answer, as fast as it is taken, for ever
// late     { text, ms, then, marked }: once; `then` as above. Where it is marked, only for the case's first request, and
//          DIRECTORY/late is there afterwards
// next     a case for the connection's further requests
// sip      milliseconds between two reads of the request's body
// wait     milliseconds before the answer
//
// One port speaks http and TLS, on 127.0.0.1 and 127.0.0.2, and others on 127.0.0.1; see TLS for those that have another
// certificate or version. It ends when its standard input does.

const crypto = require('crypto');
const dgram = require('dgram');
const childProcess = require('child_process');
const fs = require('fs');
const net = require('net');
const path = require('path');
const tls = require('tls');
const speak = require('./frames');

const LIFETIME = 300 * 1000;
const TIME = '2024-05-22T06:42:21Z';
const HANDSHAKE = 0x16;
// The head of a record of TLS with 16 KB of data.
const RECORD = Buffer.from([0x17, 3, 3, 0x40, 0]);
const CHUNK = 40;
const FLOOD = 256 * 1024;
const [directory, certificates] = process.argv.slice(2);

const inside = (name) => path.join(directory, name);
const plan = JSON.parse(fs.readFileSync(inside('plan'), 'utf8'));
const keys = Object.fromEntries(Object.entries(plan.keys).map(([name, file]) => [name, fs.readFileSync(file)]));
const certificate = (name) => ({
  cert: fs.readFileSync(path.join(certificates, `${name}.pem`)),
  key: fs.readFileSync(path.join(certificates, `${name}.key`)),
});
const context = (name = 'server', options = {}) => tls.createSecureContext({ ...certificate(name), ...options });
const old = (version) => context('server', { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });

// By listener.
const TLS = {
  main: context(),
  expired: context('expired'),
  self_signed: context('self_signed'),
  wrong_host: context('wrong_host'),
  unknown_ca: context('unknown_ca'),
  tls10: old('TLSv1'),
  tls11: old('TLSv1.1'),
  tls12: old('TLSv1.2'),
};

// ---- answers -------------------------------------------------------------------------------------

const number = (n) => String(n).padStart(6, '0');
const bytes = (text) => Buffer.from(text, 'latin1');

// A success that tells which request of which connection it answers, or what a case has in its place. The signature is
// in raw base64: of a length that is always the same.
function written({ connection, nth, body: asked }, { body, result: { code = 'SUCCESS', status = 'S' } = {} }) {
  if (body !== undefined) return put(body, body.includes('{requestId}') ? JSON.parse(asked) : {});
  const result = { resultCode: code, resultStatus: status, resultMessage: 'success' };
  return JSON.stringify({ result, connection: number(connection), nth: number(nth) });
}

function sign(target, body, { key = 'alipayhk', version = '1', algorithm = 'RSA256', time = TIME, value, length,
  over = {} }) {
  const said = time === 'now' ? new Date().toISOString() : time;
  const { method = 'POST', client = plan.client_id } = over;
  const content = `${method} ${over.path ?? target}\n${client}.${over.time ?? said}.${over.body ?? body}`;
  const signature = value ?? crypto.sign('sha256', bytes(content), keys[key]).toString('base64').slice(0, length);
  return {
    time: `Response-Time: ${said}\r\n`,
    signature: `Signature: algorithm=${algorithm},keyVersion=${version},signature=${signature}\r\n`,
  };
}

function success(request, step) {
  const body = written(request, step);
  const { time, signature } = sign(request.target, body, step.signing ?? {});
  return { body, time, signature, signed: time + signature };
}

function chunked(body) {
  const pieces = body.match(new RegExp(`.{1,${CHUNK}}`, 'gs')) ?? [];
  return `${pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')}0\r\n\r\n`;
}

const FORGED = { connection: 999999, nth: 999999 };
const put = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

function filled(step, request) {
  const { answer = '', pad } = step;
  if (!/\{\w+\}/.test(answer)) return bytes(answer);
  const { body, ...headers } = success(request, step);
  const values = { body, ...headers, length: body.length, hex: body.length.toString(16), chunks: chunked(body) };
  if (answer.includes('{forged}')) {
    const other = success({ ...request, ...FORGED }, {});
    values.forged = `HTTP/1.1 200 OK\r\n${other.signed}Content-Length: ${body.length}\r\n\r\n${other.body}`;
  }
  if (pad) values.pad = 'x'.repeat(pad - put(answer, { ...values, pad: '', forged: '' }).length);
  return bytes(put(answer, values));
}

// ---- misbehaving ---------------------------------------------------------------------------------

const listeners = [];
let relisten;
// What becomes of the next connection, where it is not served.
let greeting;
// Whether the next connection of the listener `renewing` gets another certificate.
let isRenewed = false;

function leave() {
  for (const server of listeners) server.close();
  setTimeout(relisten, 1000);
}

const finish = {
  keep() {},
  end: ({ socket, tcp }) => socket.end(() => tcp.end()),
  break: ({ tcp }) => tcp.destroy(),
  reset: ({ tcp }) => tcp.resetAndDestroy(),
  renew({ socket, tcp }) {
    isRenewed = true;
    socket.end(() => tcp.end());
  },
  leave({ tcp }) {
    leave();
    tcp.resetAndDestroy();
  },
  mute({ tcp }) {
    greeting = deaf;
    tcp.resetAndDestroy();
  },
  rude({ tcp }) {
    greeting = rude;
    tcp.resetAndDestroy();
  },
};

function pour({ socket, tcp }, text) {
  const chunk = bytes(text.repeat(Math.ceil(FLOOD / text.length)));
  const more = () => {
    while (!tcp.destroyed && socket.write(chunk)) { /* until it is full */ }
  };
  socket.on('drain', more);
  more();
}

function bytewise(exchange, answer, done) {
  let at = 0;
  const next = () => {
    if (exchange.tcp.destroyed) return;
    if (at === answer.length) done();
    else exchange.socket.write(answer.subarray(at, at += 1), () => setImmediate(next));
  };
  next();
}

function repeatedly({ tcp }, ms, act) {
  const timer = setInterval(act, ms);
  tcp.once('close', () => clearInterval(timer));
}

// Without `done`: again and again.
function renegotiate(exchange, done) {
  exchange.socket.renegotiate({}, done ?? (() => !exchange.tcp.destroyed && renegotiate(exchange)));
}

const marked = new Set();

function sayLate(exchange, { text, then = 'keep', ...late }) {
  exchange.tcp.setNoDelay(false); // the kernel holds it back until the answer is acknowledged
  const done = () => {
    if (!exchange.tcp.destroyed) finish[then](exchange);
    if (late.marked) fs.writeFileSync(inside('late'), '');
  };
  if (text && !exchange.tcp.destroyed) exchange.socket.write(filled({ answer: text }, exchange.request), done);
  else done();
}

function afterwards(exchange, step) {
  const { socket } = exchange;
  const { drip, flood, late } = step;
  if (drip) {
    const to = drip.record ? exchange.tcp : socket;
    if (drip.record) to.write(RECORD);
    repeatedly(exchange, drip.ms, () => to.write(bytes(drip.text)));
  }
  if (flood) pour(exchange, flood);
  if (late && !marked.has(late)) {
    if (late.marked) marked.add(late);
    setTimeout(sayLate, late.ms, exchange, late);
  }
}

function act(exchange, step, whole) {
  const { socket, request } = exchange;
  const cut = step.cut ?? /[?/]cut[=/](-?\d+)/.exec(request.target)?.[1];
  const answer = cut === undefined ? whole : whole.subarray(0, Number(cut));
  const otherwise = cut === undefined ? 'keep' : 'end';
  const then = /[&/]reset\b/.test(request.target) ? 'reset' : step.then ?? otherwise;
  const close = () => {
    afterwards(exchange, step);
    finish[then](exchange);
  };
  // Behind the tickets of a TLS session the kernel would hold the answer back for longer than a case waits.
  exchange.tcp.setNoDelay(true);
  if (step.bytewise) bytewise(exchange, answer, close);
  else if (answer.length > 0) socket.write(answer, close);
  else close();
}

// ---- requests ------------------------------------------------------------------------------------

function record({ tcp, socket, request }, length) {
  const { target, connection, nth, body } = request;
  const entry = { target, connection, nth, length, body: body.length < 4096 ? body : undefined, bytes: body.length,
    host: tcp.localAddress, server_name: socket.servername || undefined, tls: socket !== tcp, open };
  fs.appendFileSync(inside('log'), `${JSON.stringify(entry)}\n`);
}

const caseOf = (target) => plan.cases[Number(/^\/case\/(\d+)/.exec(target)?.[1]) - 1] ?? {};

let connections = 0;
// Of those, how many are not closed yet.
let open = 0;

function serve(tcp, socket) {
  const connection = ++connections;
  open += 1;
  tcp.once('close', () => { open -= 1; });
  let received = '';
  let nth = 0;
  const exchange = { tcp, socket };
  for (const one of [tcp, socket]) one.on('error', () => {});

  function handle(target, body) {
    const first = caseOf(target);
    const step = nth > 0 && first.next ? first.next : first;
    nth += 1;
    exchange.request = { target, body, connection, nth };
    const whole = filled(step, exchange.request);
    record(exchange, whole.length);
    const go = () => act(exchange, step, whole);
    if (step.wait) setTimeout(go, step.wait);
    else if (step.renegotiate) renegotiate(exchange, step.renegotiate === 'once' ? go : undefined);
    else go();
  }

  socket.on('data', (data) => {
    received += data.toString('latin1');
    const head = /^POST (\S+) HTTP\/1\.1\r\n[^]*?\r\n\r\n/.exec(received.slice(0, 8192));
    if (!head) return;
    const { sip } = caseOf(head[1]);
    if (sip) {
      socket.pause();
      setTimeout(() => socket.resume(), sip);
    }
    const size = Number(/\r\ncontent-length: *(\d+)/i.exec(head[0])[1]);
    if (received.length < head[0].length + size) return;
    const body = received.slice(head[0].length, head[0].length + size);
    received = received.slice(head[0].length + size);
    handle(head[1], Buffer.from(body, 'latin1').toString('utf8'));
  });
}

// ---- listeners -----------------------------------------------------------------------------------

// Plain http or TLS, by the first byte.
const either = (contextOf = () => TLS.main) => net.createServer((tcp) => {
  if (greeting) {
    greeting(tcp);
    greeting = undefined;
    return;
  }
  tcp.on('error', () => {});
  tcp.once('data', (first) => {
    tcp.pause();
    tcp.unshift(first);
    if (first[0] !== HANDSHAKE) serve(tcp, tcp);
    else serve(tcp, new tls.TLSSocket(tcp, { isServer: true, secureContext: contextOf() }));
    process.nextTick(() => tcp.resume());
  });
});

const SYNC = '/api/open/alipay/v1/merchant/order/sync';

// Speaks HTTP/2 to whoever calls, and knows no case but one.
const framed = (step, target) => tls.createServer({ ...certificate('server'), ALPNProtocols: ['h2'] }, (socket) => {
  const connection = ++connections;
  const exchange = { tcp: socket, socket };
  let nth = 0;
  socket.on('error', () => {});
  speak(socket, step, (body) => {
    exchange.request = { target, body, connection, nth: ++nth };
    record(exchange, 0);
    return (text) => filled({ ...step, answer: text }, exchange.request);
  }, () => finish[step.then ?? 'keep'](exchange));
}).on('tlsClientError', () => {});

function renewing() {
  const itsContext = isRenewed ? TLS.unknown_ca : TLS.main;
  isRenewed = false;
  return itsContext;
}

const deaf = (tcp) => tcp.on('error', () => {}).pause();
const rude = (tcp) => tcp.on('error', () => {}).once('data', () => tcp.write('\0\xff not what you expect\r\n'.repeat(9)));
const slams = (tcp) => tcp.on('error', () => {}).resetAndDestroy();
const leaves = (tcp) => tcp.on('error', () => {}).end();
// What becomes of a handshake.
const ends = (tcp) => tcp.on('error', () => {}).once('data', () => tcp.end());
const resets = (tcp) => tcp.on('error', () => {}).once('data', () => tcp.resetAndDestroy());
// A TLS record begun, of which a byte comes now and then.
const slow = (tcp) => {
  tcp.on('error', () => {}).once('data', () => {
    tcp.write(Buffer.from([HANDSHAKE, 3, 3, 0x3f, 0xff]));
    repeatedly({ tcp }, 300, () => tcp.write(Buffer.from([2])));
  });
};

// A port that takes no connection, and refuses none either: who listens there is busy, and those who wait are as
// many as may.
const FULL = `
  const server = require('net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${LIFETIME});
    process.exit();
  });`;

async function full() {
  const child = childProcess.spawn(process.execPath, ['-e', FULL], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const port = Number(await new Promise((resolve) => { child.stdout.once('data', resolve); }));
  for (let i = 0; i < 4; i += 1) net.connect(port, '127.0.0.1').on('error', () => {});
  return port;
}

// Knows localhost and elsewhere.test. What begins with "silent" gets no answer, with "late" one after 1.5 seconds.
function answerName(query, respond, { seconds = 60, forgotten = false } = {}) {
  const labels = [];
  let at = 12;
  while (query[at] > 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
    at += query[at] + 1;
  }
  const name = labels.join('.');
  if (name.startsWith('silent')) return;
  const question = query.subarray(12, at + 5);
  const known = !forgotten && (['localhost', 'elsewhere.test'].includes(name) || name.startsWith('late'));
  const found = known && query[at + 2] === 1;
  const head = Buffer.from([query[0], query[1], 0x81, found ? 0x80 : 0x83, 0, 1, 0, found ? 1 : 0, 0, 0, 0, 0]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, seconds, 0, 4, 127, 0, 0, 1]);
  const answer = Buffer.concat([head, question, found ? record : Buffer.alloc(0)]);
  if (name.startsWith('late')) setTimeout(respond, 1500, answer);
  else respond(answer);
}

const listening = (server, port, host) => new Promise((resolve, reject) => {
  server.once('error', reject).listen(port, host, () => resolve(server.address().port));
});

async function resolving(answer) {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (query, from) => answer(query, (found) => socket.send(found, from.port, from.address)));
  await new Promise((resolve) => { socket.bind(0, '127.0.0.1', resolve); });
  return socket.address().port;
}

async function pair() {
  for (let tries = 0; tries < 20; tries += 1) {
    const [one, two] = [either(), either()];
    const port = await listening(one, 0, '127.0.0.1');
    try {
      await listening(two, port, '127.0.0.2');
      listeners.push(one, two);
      relisten = () => {
        one.listen(port, '127.0.0.1');
        two.listen(port, '127.0.0.2');
      };
      return port;
    } catch {
      one.close();
    }
  }
  throw new Error('no port is free on both addresses');
}

async function main() {
  const ports = { main: await pair(), other: await listening(either(), 0, '127.0.0.1'), full: await full() };
  for (const [name, greet] of Object.entries({ deaf, rude, slow, ends, resets, slams, leaves })) {
    ports[name] = await listening(net.createServer(greet), 0, '127.0.0.1');
  }
  for (const [name, itsContext] of Object.entries(TLS)) {
    ports[name] ??= await listening(either(() => itsContext), 0, '127.0.0.1');
  }
  ports.renewing = await listening(either(renewing), 0, '127.0.0.1');
  for (const [i, step] of plan.cases.entries()) {
    if (step.frames) ports[`case${i + 1}`] = await listening(framed(step, `/case/${i + 1}${SYNC}`), 0, '127.0.0.1');
  }
  ports.names = await resolving(answerName);
  // These two answer once, for no longer than that moment.
  let forgotten = false;
  ports.forgetful = await resolving((query, respond) => {
    answerName(query, respond, { seconds: 0, forgotten });
    forgotten = true;
  });
  let silent = false;
  ports.hushed = await resolving((query, respond) => {
    if (!silent) answerName(query, respond, { seconds: 0 });
    silent = true;
  });
  fs.writeFileSync(inside('ports.new'), JSON.stringify(ports));
  fs.renameSync(inside('ports.new'), inside('ports'));
}

setTimeout(() => process.exit(1), LIFETIME);
process.stdin.resume().once('end', () => process.exit(0)).once('error', () => process.exit(1));
main();
