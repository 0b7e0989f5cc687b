// node alert.js DIRECTORY VERSION BEGINS: a TLS server that has read a whole request when a damaged record reaches it, so
// that it ends the connection with an alert; BEGINS "yes": half of an answer before that. Prints its port; ends with its
// standard input.
const fs = require('fs'), net = require('net'), tls = require('tls')
const [directory, version, begins] = process.argv.slice(2)
const DAMAGED = Buffer.concat([Buffer.from([0x17, 3, 3, 0, 32]), Buffer.alloc(32, 7)])

let inject
const server = tls.createServer({
  cert: fs.readFileSync(directory + '/server.pem'), key: fs.readFileSync(directory + '/server.key'),
  minVersion: version, maxVersion: version,
}, (socket) => {
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (data) => {
    text += data
    const head = text.indexOf('\r\n\r\n')
    const length = /content-length: (\d+)/i.exec(text)
    if (head < 0 || text.length < head + 4 + Number(length[1])) return
    if (begins === 'yes') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
    setTimeout(inject, 50)
  })
})
server.on('tlsClientError', () => {})

const relay = net.createServer((client) => {
  const inner = net.connect(server.address().port, '127.0.0.1')
  inject = () => inner.write(DAMAGED)
  for (const [from, to] of [[client, inner], [inner, client]]) {
    from.on('error', () => to.destroy())
    from.pipe(to)
  }
})
server.listen(0, '127.0.0.1', () => relay.listen(0, '127.0.0.1', () => {
  fs.writeFileSync(process.argv[5], String(relay.address().port))
}))
process.stdin.resume().on('end', () => process.exit())
