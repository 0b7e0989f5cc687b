-- AlipayHK as a transport function: no network, and of the library nothing but alipayhk.core.
--
--     local alipayhk = double.new { algorithm = "p224" }
--     local client = alipayhk:client { retry = false }
--     alipayhk:answers { { failure = "timeout" }, {} }
--     client:sync_order(order)
--     assert.equal(2, #alipayhk.requests)
--
-- A request whose signature does not verify gets what AlipayHK gives: an unsigned INVALID_SIGNATURE.
-- Every other gets the next of its answers, the last of which repeats. An answer is a signed success but
-- for what it names:
--
-- failure        a code of transport errors, or the error itself: there is no answer
-- raw            function() -> what the transport returns, as it is
-- http_status    200
-- code, status   the result's code and status
-- body           the plaintext, instead of such a result
-- encrypt        true: sealed for the merchant; or the public key it is sealed for
-- encrypted_by   the algorithm as the Encrypt header names it
-- alter          function(body) -> another body, after signing
-- signed         false: neither Signature nor Response-Time; or the name of the only one there is
-- private_key    that signs
-- algorithm      as the Signature names it
-- key_version    "1"; false: none
-- separator      "," between the pairs of a header
-- encode         function(base64) -> the signature in its header
-- client_id      of the Client-Id header; false: none
-- time           of the Response-Time header
-- headers        further ones, by lower-case name

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"

local Double = {}
Double.__index = Double

local CLIENT_ID = "4Q5Y8W0WSG45P907917"
local ALGORITHMS = { rsa = "RSA256", p224 = "ECC224" }
local RESULT = '{"result":{"resultCode":"%s","resultStatus":"%s","resultMessage":"%s"}}'

local REFUSAL = { code = "INVALID_SIGNATURE", status = "F", signed = false }

-- `options`: `algorithm` ("rsa" or "p224"), `ecc224` as in the config of a client.
function Double.new(options)
  local algorithm = options and options.algorithm or "rsa"
  local merchant, own = keys.pair("merchant", algorithm), keys.pair("alipayhk", algorithm)
  local self = setmetatable({
    client_id = CLIENT_ID,
    algorithm = ALGORITHMS[algorithm],
    ecc224 = options and options.ecc224,
    merchant = merchant,
    own = own,
    merchant_key = assert(core.public_key { file = merchant.public }),
    private_key = assert(core.private_key { file = own.private }),
  }, Double)
  self:answers { {} }
  return self
end

-- What it answers from now on, turn by turn. Forgets the requests.
function Double:answers(script)
  self.script = script
  self.turn = 0
  -- The requests received since, oldest first, each with its `path`, whether it is `verified`, and the
  -- `plaintext` of its body.
  self.requests = {}
end

-- The config of a client that talks to this double; `overrides` may be a part of it.
function Double:config(overrides)
  local config = {
    client_id = self.client_id,
    base_url = "https://gateway.example",
    private_key = { file = self.merchant.private },
    alipay_public_key = { file = self.own.public },
    ecc224 = self.ecc224,
    transport = function(request) return self:receive(request) end,
  }
  for name, value in pairs(overrides or {}) do config[name] = value end
  return config
end

function Double:client(overrides)
  return assert(alipayhk.new(self:config(overrides)))
end

local function content(method, path, client_id, time, body)
  return table.concat { method, " ", path, "\n", client_id, ".", time, ".", body }
end

-- The bytes of a value in a `k=v,k=v` header, or nil.
local function value_of(header, name)
  local pairs_ = core.parse_pairs(header or "")
  return pairs_ and pairs_[name] and core.percent_decode(pairs_[name])
end

function Double:verifies(request)
  local headers = request.headers
  local signature = core.base64_decode(value_of(headers["Signature"], "signature") or "")
  return signature and self.merchant_key:verify(
    content(request.method, request.path, headers["Client-Id"], headers["Request-Time"], request.body),
    signature, self.ecc224) or false
end

function Double:opened(request)
  local wrapped = value_of(request.headers["Encrypt"], "symmetricKey")
  return wrapped and core.open(request.body, wrapped, self.private_key, self.encryption)
end

-- The client may go on changing the table that it gave.
local function copy(request)
  local copied = { headers = {} }
  for name, value in pairs(request) do
    if name ~= "headers" then copied[name] = value end
  end
  for name, value in pairs(request.headers) do copied.headers[name] = value end
  copied.path = request.url:match("^%a+://[^/]+(.*)$")
  return copied
end

local function header(algorithm, version, name, value, separator)
  local list = { "algorithm=" .. algorithm, name .. "=" .. value }
  if version then table.insert(list, 2, "keyVersion=" .. version) end
  return table.concat(list, separator or ",")
end

function Double:sign(answer, request, body, headers)
  local time = answer.time or "2024-05-22T06:42:21Z"
  local version = answer.key_version == nil and "1" or answer.key_version
  local signature = assert((answer.private_key or self.private_key):sign(
    content(request.method, request.path, self.client_id, time, body), self.ecc224))
  local text = (answer.encode or core.percent_encode)(core.base64_encode(signature))
  if answer.signed ~= "response-time" then
    headers["signature"] = header(answer.algorithm or self.algorithm, version, "signature", text, answer.separator)
  end
  if answer.signed ~= "signature" then headers["response-time"] = time end
end

function Double:answer(answer, request)
  local body = answer.body or RESULT:format(answer.code or "SUCCESS", answer.status or "S", "as scripted")
  local headers = { ["content-type"] = "application/json; charset=UTF-8" }
  if answer.encrypt then
    local wrapped
    body, wrapped = assert(core.seal(body, answer.encrypt == true and self.merchant_key or answer.encrypt))
    headers["encrypt"] = header(answer.encrypted_by or "RSA_AES", "1", "symmetricKey", core.percent_encode(wrapped))
  end
  if answer.signed ~= false then self:sign(answer, request, body, headers) end
  if answer.client_id ~= false then headers["client-id"] = answer.client_id or self.client_id end
  for name, value in pairs(answer.headers or {}) do headers[name] = value end
  return {
    status = answer.http_status or 200,
    headers = headers,
    body = answer.alter and answer.alter(body) or body,
    timing = { total_ms = 1 },
  }
end

function Double:receive(given)
  local request = copy(given)
  local answer
  self.requests[#self.requests + 1] = request
  request.verified = self:verifies(request)
  request.plaintext = self:opened(request) or request.body
  self.turn = self.turn + 1
  answer = request.verified and self.script[math.min(self.turn, #self.script)] or REFUSAL
  if answer.raw then return answer.raw() end
  if type(answer.failure) == "string" then return nil, { code = answer.failure, message = "as scripted" } end
  if answer.failure then return nil, answer.failure end
  return self:answer(answer, request)
end

return Double
