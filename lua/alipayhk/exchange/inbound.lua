-- Calls from AlipayHK to us: verifies, decrypts and decodes a call, and signs the reply.
--
-- The scheme is that of our own requests (SEEN), with `Request-Time` and AlipayHK's key; that the reply is signed, too,
-- is INFERRED. How old a call may be is NOT FOUND, so our caller decides that.

local Error = require "alipayhk.base.error"
local arguments = require "alipayhk.base.arguments"
local json = require "alipayhk.base.json"
local message = require "alipayhk.exchange.message"
local platform = require "alipayhk.api.platform"
local wire = require "alipayhk.exchange.wire"

local inbound = {}

local CALL, header = message.CALL, message.header

local function refuse(code, why)
  return nil, Error.new("signature", "the call is refused: " .. why, { code = code })
end

-- A message if `request` is not a request as a server receives it.
function inbound.request_fault(request)
  local fault = arguments.type_fault(request, "table")
  if fault then return fault end
  for _, name in ipairs { "method", "path", "body" } do
    fault = arguments.type_fault(request[name], "string")
    if fault then return ("`%s`: %s"):format(name, fault) end
  end
  fault = arguments.type_fault(request.headers, "table")
  if fault then return "`headers`: " .. fault end
  for name in pairs(request.headers) do
    if type(name) ~= "string" then return "`headers`: names are strings" end
  end
end

-- The headers by lower-case name, if the call is AlipayHK's and for us; or nil and an error.
local function verify(config, request, max_age_ms)
  local headers, repeated = message.headers(request.headers)
  if not headers then return refuse("unsigned", "its header " .. repeated .. " is there twice") end
  local ok, code, why = message.verify(CALL, {
    method = request.method, path = request.path, headers = headers, body = request.body,
  }, config)
  if not ok then return refuse(code, why) end
  why = max_age_ms and message.age_fault(CALL, headers, max_age_ms, config.now)
  if why then return refuse("stale", why) end
  return headers
end

local function open(config, request, encrypt)
  if not encrypt then return request.body end
  local body, why
  if config.private_key:type() == "RSA" then
    body, why = wire.open(encrypt, request.body, config.private_key, config.encryption)
  end
  if body then return body end
  return nil, Error.new("decrypt", "the call cannot be decrypted" .. (why and ": " .. why or ""))
end

local function decode(body, headers)
  local payload, why = json.decode_object(body, "result")
  if payload then return payload, nil, body end
  local coding = message.coding_fault(headers)
  return nil, Error.new("protocol", "the call is " .. why .. (coding and "; " .. coding or ""))
end

-- Verifies a call, and gives its payload, nil, and the bytes that it was decoded from; or nil and an error of kind
-- "signature" (code "unsigned", "wrong", "client_id", "stale" or "unverified"), "decrypt" or "protocol". `request`:
-- `{ method, path, headers, body }`, with the path and query string that AlipayHK called, and the exact bytes of the
-- body. `opts.max_age_ms`: how far Request-Time may be from our clock; not checked when absent.
function inbound.receive(config, request, opts)
  local headers, err = verify(config, request, opts.max_age_ms)
  if not headers then return nil, err end
  local body
  body, err = open(config, request, header(headers, "encrypt"))
  if not body then return nil, err end
  return decode(body, headers)
end

local function seal(config, request, body)
  local headers = message.headers(request.headers)
  if not headers or not header(headers, "encrypt") then return body end
  return wire.seal(body, config.sealing)
end

-- The reply to a call: `{ status, headers, body }`, signed, and encrypted if the call was; or nil and an error of kind
-- "crypto". `request`: what `receive` got; `result`: `{ resultCode, resultStatus, resultMessage }`, success when
-- absent.
function inbound.reply(config, request, result)
  local body, encrypt = seal(config, request, json.encode { result = result or platform.inbound.success })
  if not body then return nil, Error.new("crypto", encrypt) end
  local now, signature = wire.sign_now(config, request.method, request.path, body)
  if not now then return nil, Error.new("crypto", signature) end
  return {
    status = 200,
    headers = {
      ["Client-Id"] = config.client_id,
      ["Content-Type"] = encrypt and config.encryption.content_type or platform.content_type,
      ["Response-Time"] = now,
      ["Signature"] = signature,
      ["Encrypt"] = encrypt,
    },
    body = body,
  }
end

return inbound
