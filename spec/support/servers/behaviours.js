'use strict';
// What the server does for a path: /NAME/ARGUMENT/...
//
// A behaviour gets an exchange: { request, response, body, plan, socket, tcp, step() }. `socket` is
// what HTTP is spoken on, `tcp` the connection under it.

const SECOND = 1000;
const MEBIBYTE = 1024 * 1024;

// Node would keep the connection's next request waiting for the end of an answer that it did not see.
const head = (...lines) => ['HTTP/1.1 200 OK', 'Connection: close', ...lines, '', ''].join('\r\n');
const bodiless = (status) => status === 204 || status === 304;
const times = (count, line) => Array.from({ length: Number(count) }, (_, i) => line(i));

function answer({ response }, { status = 200, headers = {}, body = '' }) {
  const length = bodiless(status) ? {} : { 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(status, { 'Content-Type': 'text/plain', ...length, ...headers });
  response.end(bodiless(status) ? undefined : body);
}

// All that the client reads, byte for byte.
const raw = (x, text) => x.socket.end(Buffer.from(text, 'latin1'));

function every(x, milliseconds, write) {
  const timer = setInterval(write, milliseconds);
  x.tcp.once('close', () => clearInterval(timer));
}

function pour(x, chunk, total) {
  let left = total;
  const more = () => {
    while (left > 0 && !x.tcp.destroyed) {
      left -= chunk.length;
      if (!x.response.write(chunk)) return x.response.once('drain', more);
    }
    return x.response.end();
  };
  more();
}

const seen = new Map();

const behaviours = {
  // ---- answers ----
  ok: (x) => answer(x, x.plan.answer),
  echo: (x) => answer(x, { body: x.body }),
  // The body's word in body, status and COUNT headers: an answer that is all of one piece.
  tagged: (x, count) => answer(x, {
    status: 200 + x.body.length % 100,
    headers: Object.fromEntries(times(count, (i) => [`X-Tag-${i}`, `${x.body}-${i}`])),
    body: x.body,
  }),
  status: (x, status) => answer(x, { status: Number(status), body: `status ${status}` }),
  bytes: (x, count) => answer(x, { body: Buffer.alloc(Number(count), 'x') }),
  redirect: (x) => answer(x, { status: 302, headers: { Location: '/ok' } }),
  'dup-header': (x) => answer(x, { headers: { 'X-Twice': ['one', 'two'] } }),
  encoded: (x) => answer(x, { headers: { 'Content-Encoding': 'gzip' }, body: 'not gzip' }),
  'http-1.0': (x) => raw(x, 'HTTP/1.0 200 OK\r\n\r\nuntil the end'),
  '100-continue': (x) => raw(x, 'HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n'
    + 'HTTP/1.1 103 Early Hints\r\nX-Interim: 2\r\n\r\n' + head('X-Final: 3', 'Content-Length: 2') + 'ok'),
  // COUNT header lines: Connection, each X-N: N, and Content-Length as the last of them.
  headers: (x, count) => raw(x, head(...times(count - 2, (i) => `X-${i}: ${i}`), 'Content-Length: 0')),
  'huge-header': (x, size) => raw(x, head(`X-Huge: ${'x'.repeat(Number(size))}`, 'Content-Length: 0')),
  trailer: (x) => raw(x, head('Transfer-Encoding: chunked', 'X-Head: 1') + '2\r\nok\r\n0\r\nX-Trailer: 2\r\n\r\n'),
  'folded-header': (x) => raw(x, head('X-Folded: one', '  two: three', 'Content-Length: 0')),
  'spaced-header': (x) => raw(x, head('X-Padded: \t value \t ', 'X-Empty:', 'Content-Length: 0')),

  // ---- too slow, too much, not HTTP ----
  hang: () => {},
  'slow-headers': (x) => {
    x.socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
    every(x, SECOND, () => x.socket.write('x'));
  },
  drip: (x) => {
    x.response.writeHead(200, { 'Content-Length': 100 });
    every(x, SECOND, () => x.response.write('.'));
  },
  gigabyte: (x) => pour(x, Buffer.alloc(MEBIBYTE, 'x'), 1024 * MEBIBYTE),
  garbage: (x) => raw(x, 'SSH-2.0-Garbage\r\n'),
  'nul-header': (x) => raw(x, head('X-Nul: a\0b', 'Content-Length: 0')),
  'bad-length': (x) => raw(x, head('Content-Length: many') + 'ok'),

  // ---- connections that end ----
  close: (x) => x.tcp.destroy(),
  reset: (x) => x.tcp.resetAndDestroy(),
  cut: (x) => {
    x.response.writeHead(200, { 'Content-Length': 100 });
    x.response.write('half', () => setTimeout(() => x.tcp.destroy(), 20));
  },
  'cut-chunk': (x) => raw(x, head('Transfer-Encoding: chunked') + '64\r\nhalf'),
  refuse: (x) => x.request.stream.close(7), // HTTP/2 REFUSED_STREAM
  goaway: (x) => x.request.stream.session.destroy(),

  // ---- around another behaviour ----
  delay: (x, milliseconds, ...words) => setTimeout(() => perform(x, words), milliseconds),
  // Before the body is read.
  early: (x, ...words) => perform(x, words),
  // The canned answer, and a connection that is closed in good order a moment later.
  'idle-close': (x) => {
    const { session } = x.request.stream ?? {};
    const end = () => (session ? session.close() : x.socket.end());
    x.response.once('close', () => setTimeout(end, 10) && setTimeout(() => x.tcp.destroy(), 20));
    behaviours.ok(x);
  },
  // The canned answer; then, while the connection is idle, what HTTP/2 lets a server say unasked.
  chatty: (x) => {
    const { session } = x.request.stream;
    x.response.once('close', () => setTimeout(() => {
      if (session.destroyed) return;
      session.ping(() => {});
      session.settings({ maxConcurrentStreams: 50 });
    }, 10));
    behaviours.ok(x);
  },
  // The canned answer; the connection's next request meets the other behaviour: the race of a kept
  // connection that dies as it is used again.
  then: (x, ...words) => {
    x.tcp.fate = words;
    behaviours.ok(x);
  },
  // The first COUNT requests for this very URL meet the other behaviour.
  flaky: (x, count, ...words) => {
    const before = seen.get(x.request.url) ?? 0;
    seen.set(x.request.url, before + 1);
    perform(x, before < count ? words : ['ok']);
  },
  script: (x) => x.step(),
};

// "503" is short for "status/503"; a path that is no behaviour takes the next step of the script.
function perform(x, [name, ...words]) {
  if (/^\d{3}$/.test(name)) behaviours.status(x, name);
  else if (Object.hasOwn(behaviours, name)) behaviours[name](x, ...words);
  else x.step();
}

module.exports = { answer, perform };
