// The same job in node: its own crypto, whose thread pool signs and verifies, and its own https or http2.
//
//     node node.js https|http2 URL CA PRIVATE_KEY PUBLIC_KEY CLIENT_ID ORDERS AT_ONCE
//
// Prints the seconds that it took.
const crypto = require('crypto')
const fs = require('fs')
const http2 = require('http2')
const https = require('https')

const [protocol, url, caFile, keyFile, peerFile, clientId, orders, atOnce] = process.argv.slice(2)
const { origin, hostname, port, pathname } = new URL(url)
const ca = fs.readFileSync(caFile)
const key = crypto.createPrivateKey(fs.readFileSync(keyFile))
const peer = crypto.createPublicKey(fs.readFileSync(peerFile))
const isRsa = key.asymmetricKeyType === 'rsa'
const digest = isRsa ? 'sha256' : 'sha224'
const algorithm = isRsa ? 'RSA256' : 'ECC224'

const contentOf = (time, body) => Buffer.from(`POST ${pathname}\n${clientId}.${time}.${body}`)

const sign = (content) => new Promise((resolve, reject) =>
  crypto.sign(digest, content, key, (err, signature) => (err ? reject(err) : resolve(signature))))

const verify = (content, signature) => new Promise((resolve, reject) =>
  crypto.verify(digest, content, peer, signature, (err, isRight) => (err ? reject(err) : resolve(isRight))))

// ---- sending: (headers, body) -> { time, signature, body } of the answer ------------------------------

const senders = {
  https () {
    const agent = new https.Agent({ keepAlive: true, maxSockets: Number(atOnce), ca })
    const send = (headers, body) => new Promise((resolve, reject) => {
      headers['Content-Length'] = Buffer.byteLength(body)
      const request = https.request({ hostname, port, path: pathname, method: 'POST', headers, agent }, (response) => {
        let answer = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => { answer += chunk })
        response.on('end', () => resolve({
          time: response.headers['response-time'], signature: response.headers.signature, body: answer
        }))
      })
      request.on('error', reject)
      request.end(body)
    })
    return { send, close: () => agent.destroy() }
  },

  http2 () {
    const session = http2.connect(origin, { ca })
    const send = (headers, body) => new Promise((resolve, reject) => {
      const request = session.request({ ':method': 'POST', ':path': pathname, ...headers })
      const answer = { body: '' }
      request.setEncoding('utf8')
      request.on('response', (given) => {
        answer.time = given['response-time']
        answer.signature = given.signature
      })
      request.on('data', (chunk) => { answer.body += chunk })
      request.on('end', () => resolve(answer))
      request.on('error', reject)
      request.end(body)
    })
    return { send, close: () => session.close() }
  }
}

// ---- the batch ---------------------------------------------------------------------------------------

async function one (sender, number) {
  const body = JSON.stringify({
    requestId: crypto.randomBytes(16).toString('hex'),
    merchantBizNo: `BENCH-${number}`,
    merchantBizType: 'MOVIE_TICKET',
    orderStatus: 'TICKETED',
    userId: '2160120012345678',
    orderCreateTime: 1716338541000,
    orderModifyTime: Date.now(),
    extInfo: {}
  })
  const time = new Date().toISOString().slice(0, 19) + '+00:00'
  const signature = encodeURIComponent((await sign(contentOf(time, body))).toString('base64'))
  const answer = await sender.send({
    'Client-Id': clientId,
    'Content-Type': 'application/json; charset=UTF-8',
    'Request-Time': time,
    Signature: `algorithm=${algorithm},keyVersion=1,signature=${signature}`
  }, body)
  const theirs = Buffer.from(decodeURIComponent(/signature=([^,]*)/.exec(answer.signature)[1]), 'base64')
  if (!await verify(contentOf(answer.time, answer.body), theirs)) throw new Error('an answer does not verify')
  if (JSON.parse(answer.body).result.resultStatus !== 'S') throw new Error('an answer is no success')
}

async function batch (sender, count) {
  let next = 0
  const lane = async () => { while (next < count) await one(sender, next++) }
  await Promise.all(Array.from({ length: Number(atOnce) }, lane))
}

async function main () {
  const sender = senders[protocol]()
  await batch(sender, 200) // the connection, and whatever is made at first use
  const began = process.hrtime.bigint()
  await batch(sender, Number(orders))
  console.log(Number(process.hrtime.bigint() - began) / 1e9)
  sender.close()
}

main().catch((err) => { console.error(err.message); process.exit(1) })
