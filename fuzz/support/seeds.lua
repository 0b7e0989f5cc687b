-- Makes the signed messages of fuzz/corpus, once they have to be others:
-- LUA_CPATH="build/5.4/?.so;;" lua5.4 fuzz/support/seeds.lua

package.path = "lua/?.lua;lua/?/init.lua;./?.lua;" .. package.path

local core = require "alipayhk.core"
local message = require "fuzz.support.message"
local parties = require "fuzz.support.parties"
local wire = require "alipayhk.exchange.wire"

local RSA = core.private_key { file = "fuzz/keys/rsa.der" }
local MERCHANT = core.private_key { file = "fuzz/keys/merchant.der" }
local P224 = core.private_key { file = "fuzz/keys/p224.der" }
local SIGNING = {
  rsa = { key = RSA, algorithm = "RSA256", key_version = "1" },
  merchant = { key = MERCHANT, algorithm = "RSA256", key_version = "1" },
  p224 = { key = P224, algorithm = "ECC224", key_version = "2" },
}
local TIME = "2026-11-27T12:00:00.250+08:00"

local function write(target, name, given)
  local file = assert(io.open(("fuzz/corpus/%s/signed-%s"):format(target, name), "wb"))
  file:write(message.write(given))
  file:close()
end

local function sign(by, method, path, body)
  local signing = SIGNING[by]
  return assert(wire.sign(signing.key, signing, wire.content(method, path, parties.CLIENT_ID, TIME, body)))
end

local function seal(body)
  local sealed, wrapped = core.seal(body, core.public_key { file = "fuzz/keys/merchant.public.der" })
  return sealed, "algorithm=RSA_AES,keyVersion=1,symmetricKey=" .. core.percent_encode(wrapped)
end

local function answer(name, by, status, body, encrypted)
  local encrypt
  if encrypted then body, encrypt = seal(body) end
  write("answer", name, {
    first = tostring(status),
    headers = {
      { "Client-Id", parties.CLIENT_ID }, { "Response-Time", TIME }, { "Tracer-Id", "0a1b2c" },
      { "Signature", sign(by, "POST", parties.request.path, body) }, encrypt and { "Encrypt", encrypt } or nil,
    },
    body = body,
  })
end

local function result(status, code)
  return ('{"result":{"resultCode":"%s","resultStatus":"%s","resultMessage":"said v1.{ok} of %s"}'):format(code, status,
    parties.USER_ID)
end

local echoed = (',"requestId":"%s","orderStatus":"TICKETED","n":9007199254740993}'):format(parties.request.request_id)

answer("success", "rsa", 200, result("S", "SUCCESS") .. echoed)
answer("older", "rsa", 200, result("S", "SUCCESS") .. ',"orderStatus":"REFUNDED"}')
answer("failure", "rsa", 200, result("F", "PARAM_ILLEGAL") .. "}")
answer("unknown", "rsa", 200, result("U", "UNKNOWN_EXCEPTION") .. "}")
answer("refused", "rsa", 400, result("F", "INVALID_SIGNATURE") .. "}")
answer("p224", "p224", 200, result("S", "SUCCESS") .. echoed)
answer("sealed", "rsa", 200, result("S", "SUCCESS") .. echoed, true)

local function call(name, by, body, encrypted)
  local encrypt
  if encrypted then body, encrypt = seal(body) end
  write("call", name, {
    first = "POST " .. parties.CALL_PATH,
    headers = {
      { "Client-Id", parties.CLIENT_ID }, { "Request-Time", TIME }, { "Content-Type", "application/json" },
      { "Signature", sign(by, "POST", parties.CALL_PATH, body) }, encrypt and { "Encrypt", encrypt } or nil,
    },
    body = body,
  })
end

call("plain", "rsa", '{"notify":"v1.{ok}","ids":[".{","x"],"n":1}')
call("p224", "p224", '{"notify":"paid"}')
call("sealed", "rsa", '{"notify":"paid","n":9007199254740993}', true)

-- A request and its answer as they go over the wire.
local function raw(first, headers, body)
  local lines = { first }
  for _, header in ipairs(headers) do lines[#lines + 1] = header[1] .. ": " .. header[2] end
  return table.concat(lines, "\r\n") .. ("\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
end

local function captured()
  local path, request, answered = "/amsapi/x?a=b", '{"a":"x","b":[1,2]}', result("S", "SUCCESS") .. "}"
  local file = assert(io.open("fuzz/corpus/verify/signed-both", "wb"))
  file:write(raw("POST " .. path .. " HTTP/1.1", {
    { "Host", "open-na.alipay.com" }, { "Client-Id", parties.CLIENT_ID }, { "Request-Time", TIME },
    { "Signature", sign("merchant", "POST", path, request) },
  }, request))
  file:write(raw("HTTP/1.1 200 OK", {
    { "Client-Id", parties.CLIENT_ID }, { "Response-Time", TIME },
    { "Signature", sign("rsa", "POST", path, answered) },
  }, answered))
  file:close()
end

captured()
