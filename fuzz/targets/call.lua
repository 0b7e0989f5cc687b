-- Calls from AlipayHK that somebody tampered with: as with answers, none is believed but those that were signed so, and
-- for the same method and path.

local forger = require "fuzz.support.forger"
local message = require "fuzz.support.message"
local parties = require "fuzz.support.parties"
local same = require "fuzz.support.same"
local tampered = require "fuzz.support.tampered"

local SIGNED = forger.signed("call", { "plain", "p224", "sealed" })
local KINDS = { signature = true, decrypt = true, protocol = true }

local function receive(keys, given)
  local method, path = given.first:match("^(%S*) (.*)$")
  return parties.client(keys):receive {
    method = method or "", path = path or given.first, headers = message.listed(given), body = given.body,
  }
end

for _, original in ipairs(SIGNED) do
  original.said = assert(receive("versions", original))
end

local function check(keys, given)
  local payload, err = receive(keys, given)
  if not payload then return tampered.check_error(err, KINDS) end
  local original = forger.original(SIGNED, given, "request-time")
  assert(original and given.first == original.first, "believed, and never signed so")
  assert(same.is(payload, original.said), "says something else than was signed")
end

return tampered.target(SIGNED, check)
