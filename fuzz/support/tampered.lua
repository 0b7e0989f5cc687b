-- Targets over messages that somebody tampered with: each goes to a client with one public key, and to one with a key a
-- version.

local core = require "alipayhk.core"
local forger = require "fuzz.support.forger"
local message = require "fuzz.support.message"

local tampered = {}

-- An error of one of these kinds, a line of UTF-8: its text.
function tampered.check_error(err, kinds)
  local said = tostring(err)
  assert(kinds[err.kind] and core.utf8_length(said) and not said:find("%c"), said)
  return said
end

-- `check(keys, given)`: see parties.lua.
function tampered.target(signed, check)
  return {
    run = function(input)
      local given = message.read(input)
      check("single", given)
      check("versions", given)
    end,
    mutate = forger.mutator(signed),
  }
end

return tampered
