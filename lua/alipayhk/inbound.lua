--- Calls from AlipayHK to us: verify, open and decode one; sign the reply.
--
-- The same scheme as for our own requests (SEEN), with `Request-Time` and AlipayHK's key; that the reply is
-- signed, too, is INFERRED. How old a call may be is NOT FOUND, so it is the caller's to say.
-- @module alipayhk.inbound

local Error = require "alipayhk.error"
local json = require "alipayhk.json"
local platform = require "alipayhk.api.platform"
local text = require "alipayhk.text"
local time = require "alipayhk.time"
local wire = require "alipayhk.wire"

local inbound = {}

local function refuse(code, message)
  return nil, Error.new("signature", "the call is refused: " .. message, { code = code })
end

local READ = { ["client-id"] = true, ["signature"] = true, ["request-time"] = true, ["encrypt"] = true }

-- The headers of the scheme, by lower-case name; or nil and the name of one that comes twice.
local function read_headers(given)
  local headers = {}
  for name, value in pairs(given) do
    name = text.lower(name)
    if READ[name] then
      if headers[name] or type(value) ~= "string" then return nil, name end
      headers[name] = value
    end
  end
  return headers
end

-- How it was compressed on its way, if it was.
local function coding_of(headers)
  for name, value in pairs(headers) do
    if text.lower(name) == "content-encoding" and type(value) == "string" then return value end
  end
end

local function verify(config, request, headers)
  if not config.alipay_keys then return refuse("unverified", "the config has no alipay_public_key to verify with") end
  local client_id = headers["client-id"]
  if client_id and client_id ~= config.client_id then
    return refuse("client_id", "its Client-Id is not ours")
  end
  if not headers["signature"] then return refuse("unsigned", "it has no Signature header") end
  if not headers["request-time"] then return refuse("unsigned", "it has no Request-Time header") end
  local content = wire.content(request.method, request.path, config.client_id, headers["request-time"], request.body)
  local coding = wire.coding_fault(coding_of(request.headers))
  local ok, message = wire.verify(headers["signature"], content, config.alipay_keys, config.ecc224, coding ~= nil)
  if ok then return true end
  if ok == nil then return refuse("unverified", message) end
  return refuse("wrong", ("%s; %s"):format(
    message, coding or "does `path` stand for the path that AlipayHK called, proxies or not?"))
end

--- A message where `max_age_ms` is none.
function inbound.age_fault(max_age_ms)
  if type(max_age_ms) ~= "number" or max_age_ms < 0 or max_age_ms ~= max_age_ms then
    return "a number of milliseconds from 0 on expected"
  end
end

local function check_age(config, request_time, max_age_ms)
  if not max_age_ms then return true end
  local seconds = time.read(request_time)
  if not seconds then
    return refuse("stale", ("its Request-Time cannot be read: %s"):format(text.shown(request_time, 40)))
  end
  local now = time.now(config.now)
  if not now then return refuse("stale", "the config's `now` does not tell how old it is") end
  local age_ms = math.floor(math.abs(now - seconds) * 1000 + 1 / 2)
  if age_ms <= max_age_ms then return true end
  local message = "its Request-Time is %.0f s from our clock, %.0f s are allowed; is this machine's clock right?"
  return refuse("stale", message:format(age_ms / 1000, max_age_ms / 1000))
end

local function open(config, request, headers)
  if not headers["encrypt"] then return request.body end
  local body, message
  if config.private_key:type() == "RSA" then
    body, message = wire.open(headers["encrypt"], request.body, config.private_key, config.encryption)
  end
  if body then return body end
  return nil, Error.new("decrypt", "the call cannot be decrypted" .. (message and ": " .. message or ""))
end

local function decode(request, body)
  local payload, message = json.decode_object(body, "result")
  if payload then return payload, nil, body end
  local coding = wire.coding_fault(coding_of(request.headers))
  return nil, Error.new("protocol", "the call is " .. message .. (coding and "; " .. coding or ""))
end

--- The payload of a call, once it is known to be AlipayHK's and for us.
-- @tparam table config as `alipayhk.config` reads it
-- @tparam table request `{ method, path, headers, body }`: the path with its query string as AlipayHK called
--   it, the very bytes of the body
-- @tparam table opts `max_age_ms`: how far Request-Time may be from our clock; any time when absent
-- @treturn[1] table payload
-- @treturn[1] nil
-- @treturn[1] string the bytes that it was decoded from
-- @treturn[2] nil
-- @treturn[2] error kind "signature" (code "unsigned", "wrong", "client_id", "stale", "unverified"), "decrypt" or
--   "protocol"
function inbound.receive(config, request, opts)
  local headers, twice = read_headers(request.headers)
  if not headers then return refuse("unsigned", "its header " .. twice .. " is there twice") end
  local ok, err = verify(config, request, headers)
  if not ok then return nil, err end
  ok, err = check_age(config, headers["request-time"], opts.max_age_ms)
  if not ok then return nil, err end
  local body
  body, err = open(config, request, headers)
  if not body then return nil, err end
  return decode(request, body)
end

local function seal(config, request, body)
  local headers = read_headers(request.headers)
  if not headers or not headers["encrypt"] then return body end
  return wire.seal(body, config.sealing)
end

--- The reply to a call: signed, and encrypted where the call was.
-- @tparam table config
-- @tparam table request as given to `receive`
-- @tparam[opt] table result `{ resultCode, resultStatus, resultMessage }`, success when absent
-- @treturn[1] table `{ status, headers, body }`
-- @treturn[2] nil
-- @treturn[2] error kind "crypto"
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
