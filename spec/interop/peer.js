// The other side, by Node's own crypto alone: reads a list of requests as JSON, writes the answers.
// Bytes are base64; `key` is a PEM file.
'use strict';

const crypto = require('crypto');
const fs = require('fs');

const bytes = (text) => Buffer.from(text, 'base64');
const cipherName = (aesKey) => `aes-${aesKey.length * 8}-ecb`;

// By hand, as Node refuses RSA_PKCS1_PADDING in privateDecrypt: 00 02, 8 or more non-zero bytes, 00.
function unpadPkcs1(block) {
  const end = block.indexOf(0, 2);
  if (block[0] !== 0 || block[1] !== 2 || end < 10) throw new Error('no PKCS#1 padding');
  return block.subarray(end + 1);
}

const wrap = {
  pkcs1: (key, aesKey) => crypto.publicEncrypt({ key, padding: crypto.constants.RSA_PKCS1_PADDING }, aesKey),
  oaep: (key, aesKey) => crypto.publicEncrypt({ key, oaepHash: 'sha1' }, aesKey),
};

const unwrap = {
  pkcs1: (key, data) => unpadPkcs1(crypto.privateDecrypt({ key, padding: crypto.constants.RSA_NO_PADDING }, data)),
  oaep: (key, data) => crypto.privateDecrypt({ key, oaepHash: 'sha1' }, data),
};

const actions = {
  seal({ key, plaintext, padding, keyBits }) {
    const aesKey = crypto.randomBytes(keyBits / 8);
    const cipher = crypto.createCipheriv(cipherName(aesKey), aesKey, null);
    return {
      body: Buffer.concat([cipher.update(bytes(plaintext)), cipher.final()]).toString('base64'),
      wrappedKey: wrap[padding](key, aesKey).toString('base64'),
    };
  },

  open({ key, body, wrappedKey, padding }) {
    const aesKey = unwrap[padding](key, bytes(wrappedKey));
    const decipher = crypto.createDecipheriv(cipherName(aesKey), aesKey, null);
    const plaintext = Buffer.concat([decipher.update(bytes(body)), decipher.final()]);
    return { plaintext: plaintext.toString('base64'), keyBits: aesKey.length * 8 };
  },

  sign({ key, message, digest, dsaEncoding }) {
    return { signature: crypto.sign(digest, bytes(message), { key, dsaEncoding }).toString('base64') };
  },

  verify({ key, message, signature, digest, dsaEncoding }) {
    return { valid: crypto.verify(digest, bytes(message), { key, dsaEncoding }, bytes(signature)) };
  },
};

function answer({ action, key, ...rest }) {
  return actions[action]({ key: fs.readFileSync(key), ...rest });
}

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0)).map(answer)));
