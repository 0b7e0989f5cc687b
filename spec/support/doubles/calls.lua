-- Calls as AlipayHK makes them, and the checking of what we reply: by the openssl command and by node, with
-- nothing of the library.
--
--     local call = calls.make { body = '{"a":1}', path = "/notify?x=1" }
--     assert.is_true(calls.verifies(call, reply))
--
-- What `make` understands, each with a default:
--
-- method, path, body     "POST", "/alipayhk/notify", an object with an id of its own
-- client_id, time        CLIENT_ID, now in Z
-- key                    "rsa" or "p224": AlipayHK's, by algorithm; or the file of another private key
-- digest, encoding       sha256 for RSA, sha224 for EC; "der" or "p1363"
-- algorithm              as the Signature names it; false: not at all
-- version                "1"; false: none
-- separator              "," between the pairs
-- encode                 "percent", "lower" (its escapes in lower case), "raw", "lines" (of 64 characters) or
--                        "encoded_lines" (the same, the line breaks encoded, too)
-- encrypt                { padding = "pkcs1", bits = 256, key = file of the public key it is sealed for }
-- headers                further ones over those made; false takes one away

local json = require "dkjson"

local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local calls = {
  CLIENT_ID = "4Q5Y8W0WSG45P907917",
  PATH = "/alipayhk/notify",
}

local PEER = "node spec/interop/peer.js < %s"
local SIGN = "openssl dgst -%s -sign %s %s | openssl base64 -A"
local VERIFY = "openssl base64 -d -A -in %s > %s && openssl dgst -%s -verify %s -signature %s %s"
local BASE64 = "openssl base64 -A %s -in %s"
local ALGORITHMS = { rsa = "RSA256", p224 = "ECC224" }
local DIGESTS = { rsa = "sha256", p224 = "sha224" }

local directory, number = nil, 0

-- The name of a new file that holds the text.
local function file(text)
  directory = directory or shell.directory()
  number = number + 1
  local path = ("%s/%d"):format(directory, number)
  shell.write(path, text)
  return path
end

local function base64(text, decode)
  return shell.must(BASE64:format(decode and "-d" or "", file(text)))
end

local function peer(request)
  return json.decode(shell.must(PEER:format(file(json.encode { request }))))[1]
end

local ENCODE = { raw = function(text) return text end }

function ENCODE.percent(text)
  return (text:gsub("[^%w._~-]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

function ENCODE.lower(text)
  return (ENCODE.percent(text):gsub("%%%x%x", string.lower))
end

function ENCODE.lines(text)
  return (text:gsub(("."):rep(64), "%0\r\n"))
end

function ENCODE.encoded_lines(text)
  return ENCODE.percent(ENCODE.lines(text))
end

local function decode(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- The content that is signed.
function calls.content(method, path, client_id, time, body)
  return table.concat { method, " ", path, "\n", client_id, ".", time, ".", body }
end

-- A signature in base64.
function calls.sign(private_file, content, digest, encoding)
  if encoding ~= "p1363" then return shell.must(SIGN:format(digest, shell.quote(private_file), file(content))) end
  return peer({ action = "sign", key = private_file, message = base64(content), digest = digest,
    dsaEncoding = "ieee-p1363" }).signature
end

-- AlipayHK's pair of keys; `algorithm` is "rsa" or "p224".
function calls.alipayhk(algorithm)
  return keys.pair("alipayhk", algorithm)
end

-- The merchant's.
function calls.merchant(algorithm)
  return keys.pair("merchant", algorithm)
end

local function header(algorithm, version, separator, name, value)
  local list = {}
  if algorithm then list[#list + 1] = "algorithm=" .. algorithm end
  if version then list[#list + 1] = "keyVersion=" .. version end
  list[#list + 1] = name .. "=" .. value
  return table.concat(list, separator)
end

local function seal(options, body)
  local sealed = peer { action = "seal", plaintext = base64(body), padding = options.padding or "pkcs1",
    keyBits = options.bits or 256, key = options.key or calls.merchant("rsa").public }
  return sealed.body, header("RSA_AES", "1", ",", "symmetricKey", ENCODE.percent(sealed.wrappedKey))
end

local function now()
  return os.date("!%Y-%m-%dT%H:%M:%SZ")
end

-- A call, as a table for `client:receive`.
function calls.make(with)
  with = with or {}
  number = number + 1
  local own = ALGORITHMS[with.key or "rsa"]
  local private_file = own and calls.alipayhk(with.key or "rsa").private or with.key
  local digest = with.digest or DIGESTS[with.key] or "sha256"
  local algorithm = with.algorithm == nil and (own or "RSA256") or with.algorithm
  local version = with.version == nil and "1" or with.version
  local call = {
    method = with.method or "POST",
    path = with.path or calls.PATH,
    body = with.body or ('{"requestId":"call-%d","note":"電影票"}'):format(number),
  }
  local client_id, time, encrypt = with.client_id or calls.CLIENT_ID, with.time or now(), nil
  if with.encrypt then call.body, encrypt = seal(with.encrypt, call.body) end
  local signature = calls.sign(private_file, calls.content(call.method, call.path, client_id, time, call.body),
    digest, with.encoding)
  call.headers = {
    ["Client-Id"] = client_id,
    ["Content-Type"] = "application/json; charset=UTF-8",
    ["Request-Time"] = time,
    ["Signature"] = header(algorithm, version, with.separator or ",", "signature",
      ENCODE[with.encode or "percent"](signature)),
    ["Encrypt"] = encrypt,
  }
  for name, value in pairs(with.headers or {}) do call.headers[name] = value or nil end
  return call
end

-- The header of a reply, whatever the case of its name.
function calls.header(reply, wanted)
  for name, value in pairs(reply.headers) do
    if name:lower() == wanted:lower() then return value end
  end
end

-- Whether a reply is signed by a merchant's key over what AlipayHK knows: the method and path it called, its own
-- idea of the client id, and the reply's Response-Time and bytes.
function calls.verifies(call, reply, options)
  options = options or {}
  local algorithm = options.key or "rsa"
  local value = (calls.header(reply, "Signature") or ""):match("signature=([^,%s]+)")
  local time = calls.header(reply, "Response-Time")
  if not value or not time then return false end
  local content = calls.content(call.method, options.path or call.path, options.client_id or calls.CLIENT_ID, time,
    reply.body)
  local binary = file("")
  local output, status = shell.run(VERIFY:format(file(decode(value)), binary,
    options.digest or DIGESTS[algorithm], shell.quote(calls.merchant(algorithm).public), binary, file(content)))
  return status == 0 and output:find("Verified OK", 1, true) ~= nil
end

-- What stands in an encrypted reply, as AlipayHK opens it.
function calls.opened(reply)
  local wrapped = calls.header(reply, "Encrypt"):match("symmetricKey=([^,%s]+)")
  local answer = peer { action = "open", key = calls.alipayhk("rsa").private, body = reply.body, padding = "pkcs1",
    wrappedKey = decode(wrapped) }
  return base64(answer.plaintext, true), answer.keyBits
end

return calls
