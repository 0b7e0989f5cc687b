-- Answers that somebody tampered with. None is believed but those that AlipayHK has signed, byte for byte where they
-- are signed; such a one says what it said. Whatever comes gives a response, or an error of one line, without the
-- user's id; none throws.

local forger = require "fuzz.support.forger"
local message = require "fuzz.support.message"
local parties = require "fuzz.support.parties"
local response = require "alipayhk.exchange.response"
local same = require "fuzz.support.same"
local tampered = require "fuzz.support.tampered"

local SIGNED = forger.signed("answer", { "success", "older", "failure", "unknown", "refused", "p224", "sealed" })
local KINDS = { http = true, signature = true, decrypt = true, protocol = true, result = true }

local function read(keys, given)
  return response.read(parties.config(keys), parties.request, {
    status = math.tointeger(tonumber(given.first:match("^%d%d%d$") or 200)), headers = message.joined(given),
    body = given.body,
  }, false)
end

-- What they say: read once, untouched.
for _, original in ipairs(SIGNED) do
  local answered, err = read("versions", original)
  original.said = answered and answered.body or err.response and err.response.body
  assert(original.said or err.http_status ~= 200, original.name .. ": " .. tostring(err))
end

local function check_believed(given, answer)
  local original = forger.original(SIGNED, given, "response-time")
  assert(original, "believed, and never signed so")
  local client_id = message.joined(given)["client-id"]
  assert(client_id == nil or not client_id:find("[^ \t]") or client_id == parties.CLIENT_ID, "it is another's")
  assert(original.said == nil or same.is(answer.body, original.said), "says something else than was signed")
end

local function check_error(err)
  local said = tampered.check_error(err, KINDS)
  assert(not said:find(parties.USER_ID, 1, true), "a user's id")
  assert(not err.response or not err.response.authenticated or err.kind == "result", "a response of no result")
end

local function check(keys, given)
  local answer, err = read(keys, given)
  if answer then
    assert(answer.authenticated == true, "a success that nobody signed")
    assert(answer.http_status == 200 and answer.result.resultStatus == "S", "no success")
  else
    check_error(err)
  end
  answer = answer or err.response
  if answer and answer.authenticated then check_believed(given, answer) end
end

return tampered.target(SIGNED, check)
