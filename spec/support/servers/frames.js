'use strict';
// HTTP/2 by hand: says the frames of a case, in order, once a request is there. A frame has
//
// type     a name of TYPES; or its number
// flags    a number: 1 ends the stream, or acknowledges; 4 ends the headers
// stream   of the request when absent; 0: of the connection
// lines    header lines, as HTTP/1 has them, which become literals; or
// payload  bytes, as text
// times    how often; flood: as fast as it is taken, FLOOD bytes of it
//
// `case.settings` is the payload of our own SETTINGS; false: none are said.

const TYPES = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, PUSH_PROMISE: 5, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8,
  CONTINUATION: 9 };
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HEAD = 9;
const [END_STREAM, ACK] = [1, 1];
const PREFIX_MAX = 127;
const CHUNK = 256 * 1024;
// Where frames come faster than they are read, libcurl 7.88 reads on, and does not look at the time.
const FLOOD = 4 * 1024 * 1024;

const bytes = (text) => Buffer.from(text, 'latin1');

function frame(type, flags, stream, payload) {
  const head = Buffer.alloc(HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = TYPES[type] ?? type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

// A length with a prefix of seven bits, and the text.
function counted(text) {
  const head = [Math.min(text.length, PREFIX_MAX)];
  if (text.length >= PREFIX_MAX) {
    let left = text.length - PREFIX_MAX;
    for (; left > PREFIX_MAX; left >>= 7) head.push((left & PREFIX_MAX) | 0x80);
    head.push(left);
  }
  return Buffer.concat([Buffer.from(head), bytes(text)]);
}

// Literals that go into no table, names as they come but for their case.
function literals(lines) {
  const fields = lines.split('\r\n').filter((line) => line !== '').map((line) => {
    const colon = line.indexOf(':', 1);
    return [Buffer.from([0]), counted(line.slice(0, colon).toLowerCase()), counted(line.slice(colon + 1).trim())];
  });
  return Buffer.concat(fields.flat());
}

function pour(socket, chunk) {
  const many = Buffer.concat(Array(Math.ceil(CHUNK / chunk.length)).fill(chunk));
  let left = FLOOD;
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      left -= many.length;
      if (!socket.write(many)) return;
    }
  };
  socket.on('drain', more);
  more();
}

function say(socket, step, stream, fill) {
  const { type, flags = 0, lines, payload = '', times = 1, flood } = step;
  const content = lines === undefined ? fill(payload) : literals(fill(lines).toString('latin1'));
  const one = frame(type, flags, step.stream ?? stream, content);
  if (flood) pour(socket, one);
  else for (let i = 0; i < times; i += 1) socket.write(one);
}

// Speaks to one client. `requested(body)` is called for each request, and gives what fills a text in; `ended()` when
// all is said.
module.exports = function speak(socket, { settings = '', frames }, requested, ended) {
  let received = Buffer.alloc(0);
  let begun = false;
  const bodies = new Map();

  function begin() {
    if (received.length < PREFACE.length) return;
    if (received.toString('latin1', 0, PREFACE.length) !== PREFACE) {
      socket.end(frame('GOAWAY', 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])));
      return;
    }
    begun = true;
    received = received.subarray(PREFACE.length);
    if (settings !== false) socket.write(frame('SETTINGS', 0, 0, bytes(settings)));
  }

  function take() {
    const size = HEAD + (received.length < HEAD ? 0 : received.readUIntBE(0, 3));
    if (received.length < size) return undefined;
    const [type, flags, stream] = [received[3], received[4], received.readUInt32BE(5)];
    const payload = received.subarray(HEAD, size);
    received = received.subarray(size);
    return { type, flags, stream, payload };
  }

  function hear({ type, flags, stream, payload }) {
    if (type === TYPES.SETTINGS && !(flags & ACK) && settings !== false) {
      socket.write(frame('SETTINGS', ACK, 0, Buffer.alloc(0)));
    }
    if (type !== TYPES.HEADERS && type !== TYPES.DATA) return;
    const part = type === TYPES.DATA ? payload : Buffer.alloc(0);
    const body = Buffer.concat([bodies.get(stream) ?? Buffer.alloc(0), part]);
    bodies.set(stream, body);
    if (!(flags & END_STREAM)) return;
    const fill = requested(body.toString('utf8'));
    for (const step of Object.values(frames)) say(socket, step, stream, fill);
    ended();
  }

  socket.on('data', (data) => {
    received = Buffer.concat([received, data]);
    if (!begun) begin();
    for (let heard = begun && take(); heard; heard = take()) hear(heard);
  });
};
