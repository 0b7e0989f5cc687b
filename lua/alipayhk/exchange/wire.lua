-- The wire format that requests, answers and calls from AlipayHK share: the signed content, and the `Signature` and
-- `Encrypt` headers.

local algorithms = require "alipayhk.exchange.algorithms"
local core = require "alipayhk.core"
local platform = require "alipayhk.api.platform"
local quote = require "alipayhk.base.quote"
local text = require "alipayhk.base.text"
local time = require "alipayhk.base.time"

local wire = {}

-- The bytes that are signed (SEEN, and proved with published vectors). `path`: with its query string, as sent; `at`:
-- the exact text of Request-Time or Response-Time; `body`: its exact bytes.
function wire.content(method, path, client_id, at, body)
  return method .. " " .. path .. "\n" .. client_id .. "." .. at .. "." .. body
end

-- `algorithm=...,keyVersion=...,<name>=<base64, percent-encoded>`
local function header(algorithm, key_version, name, encoded)
  if not key_version then return "algorithm=" .. algorithm .. "," .. name .. "=" .. encoded end
  return "algorithm=" .. algorithm .. ",keyVersion=" .. key_version .. "," .. name .. "=" .. encoded
end

-- The value of the `Signature` header for a content, or nil and a message. `signing`: `{ algorithm, key_version,
-- options }`.
function wire.sign(private_key, signing, content)
  local signature, message = private_key:sign(content, signing.options)
  if not signature then return nil, message end
  return header(signing.algorithm, signing.key_version, "signature", core.base64_percent_encode(signature))
end

-- Signs a message with the current time: gives the values of `Request-Time` (or `Response-Time`) and of `Signature`; or
-- nil and a message. `config`: `{ client_id, private_key, signing, now }`.
function wire.sign_now(config, method, path, body, seconds)
  local now = time.text(seconds or config.now(), platform.utc_offset)
  local content = wire.content(method, path, config.client_id, now, body)
  local signature, message = wire.sign(config.signing.key or config.private_key, config.signing, content)
  if not signature then return nil, message end
  return now, signature
end

-- Parses such a header: `{ algorithm, version, base64 }`, where `base64` is the decoded value of `name`; or nil and a
-- message.
local function read(value, name)
  local pairs_, message = core.parse_pairs(value)
  if not pairs_ then return nil, message end
  local encoded = pairs_[name]
  if not encoded or encoded == "" then return nil, ("no `%s` in it"):format(name) end
  local decoded
  decoded, message = core.percent_decode(encoded)
  if not decoded then return nil, message end
  return { algorithm = pairs_.algorithm, version = pairs_.keyVersion, base64 = decoded }
end

-- The row of the algorithm that a header names, or the default for the key's type if it names none. Or nil and a
-- message if the algorithm is unknown or not for that type.
local function algorithm_of(named, key)
  local default = algorithms.default(key:type())
  if not named then return default end
  local row = algorithms.named(text.upper(named))
  if row and row.key_type == key:type() then return row end
  return nil, ("it is signed with another algorithm than the public key given is for (%s)"):format(default.name)
end

-- Some senders break the base64 of a signature into lines, percent-encoded or not; such a signature is valid, too.
local function signature_bytes(base64)
  local bytes, message = core.base64_decode(base64)
  if bytes or not base64:find("[ \t\r\n]") then return bytes, message end
  return core.base64_decode((base64:gsub("[ \t\r\n]+", "")))
end

-- Verifies a `Signature` header over a content: true; false and a message if the signature is wrong; nil and a message
-- if it could not be checked. `keys`: a keyring; `options`: the core's options by algorithm, the core's defaults when
-- absent; `is_coded`: whether the content was compressed on its way, so that the message does not blame the key.
function wire.verify(value, content, keys, options, is_coded)
  local parsed, message = read(value, "signature")
  if not parsed then return false, "the Signature header cannot be read: " .. message end
  local signature
  signature, message = signature_bytes(parsed.base64)
  if not signature then return false, "the Signature header cannot be read: " .. message end
  local key, algorithm, ok
  key, message = keys:get(parsed.version)
  if not key then return false, message end
  algorithm, message = algorithm_of(parsed.algorithm, key)
  if not algorithm then return false, message end
  ok, message = key:verify(content, signature, options and options[algorithm.name])
  if ok then return true end
  if ok == nil then return nil, "its signature could not be verified: " .. message end
  if is_coded then return false, "the signature does not verify" end
  return false, "the signature does not verify with the public key given (SHA-256 of it: " .. key:fingerprint() .. ")"
end

-- Encrypts a body for the owner of the latest key: gives the body to send and the value of the `Encrypt` header; or nil
-- and a message. `sealing`: `{ keys, default_version, options }`, where `keys` is the other side's keyring or nil, and
-- `default_version` is the version in the header for a key that was given without one; nil leaves it out.
function wire.seal(body, sealing)
  local keys = sealing.keys
  local key = keys and keys:get()
  if not key or key:type() ~= "RSA" then return nil, "encryption needs AlipayHK's RSA public key" end
  local sealed, wrapped = core.seal(body, key, sealing.options)
  if not sealed then return nil, wrapped end
  return sealed, header(platform.encryption.algorithm, keys.latest or sealing.default_version, "symmetricKey",
    core.percent_encode(wrapped))
end

-- Decrypts a body. Its signature must have been verified before. Gives the plaintext; or nil, and a message only if the
-- header names another algorithm than ours: all other causes must look the same (no padding oracle).
-- `personal`: values that it must not have, or nil.
function wire.open(value, body, private_key, options, personal)
  local parsed = read(value, "symmetricKey")
  if not parsed then return nil end
  local ours, theirs = platform.encryption.algorithm, parsed.algorithm
  if theirs and theirs ~= "" and text.upper(theirs) ~= ours then
    local shown = text.shown(quote.without(theirs, personal), 32)
    return nil, ("it is encrypted by %s, and only %s is supported"):format(shown, ours)
  end
  return core.open(body, parsed.base64, private_key, options) or nil
end

return wire
