// A server on a loopback port that is no good Redis: `node no_redis.js BEHAVIOUR PORT_FILE`. It ends with its standard
// input.

const fs = require("fs");
const net = require("net");

const behaviours = {
  // Begins a reply, and goes on byte by byte.
  drip(socket) {
    socket.write("$1000\r\n");
    const timer = setInterval(() => socket.write("x"), 40);
    socket.on("close", () => clearInterval(timer));
    socket.resume();
  },
  // Reads nothing, says that it will not write any more, and resets the connection after that.
  reset(socket) {
    socket.pause();
    setTimeout(() => socket.end(), 900);
    setTimeout(() => socket.resetAndDestroy(), 1100);
  },
  // As a Redis 6, whose Lua does not know the first line of our scripts.
  old(socket) {
    let received = "";
    let answered = 0;
    socket.on("data", (data) => {
      received += data.toString("latin1");
      const commands = (received.match(/\*\d+\r\n\$/g) || []).length;
      for (; answered < commands; answered++) {
        socket.write("-ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'\r\n");
      }
    });
  },
  // Answers more than it was asked.
  twice(socket) {
    socket.on("data", () => socket.write("+PONG\r\n+PONG\r\n"));
  },
};

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => {});
  behaviours[process.argv[2]](socket);
});
server.listen(0, "127.0.0.1", () => {
  fs.writeFileSync(process.argv[3] + ".part", String(server.address().port));
  fs.renameSync(process.argv[3] + ".part", process.argv[3]);
});
process.stdin.on("end", () => process.exit());
process.stdin.resume();
