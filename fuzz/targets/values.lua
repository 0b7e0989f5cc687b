-- JSON to values of Lua and back: what was decoded can be written, and is decoded to the same values; what was refused
-- has a message of one line.

local core = require "alipayhk.core"
local digest = require "alipayhk.cli.digest"
local json = require "alipayhk.base.json"
local same = require "fuzz.support.same"

local function check_refusal(message)
  assert(type(message) == "string" and not message:find("%c") and core.utf8_length(message), message)
end

-- JSON has what cannot be written back: a level more, so many tables, 1e22.
local REFUSED = { "nested deeper", "tables", "no longer holds every digit" }

local function check_fault(fault)
  for _, words in ipairs(REFUSED) do
    if fault:find(words, 1, true) then return end
  end
  error(fault, 0)
end

return {
  run = function(input)
    local value, message = json.decode(input)
    if message then return check_refusal(message) end
    local given = { value = value }
    local fault = json.fault(given, "value")
    if fault then return check_fault(fault) end
    local again = assert(json.decode_object(json.encode(given)))
    assert(same.alike(again, given), "written and read it is something else")
    assert(digest.of(again) == digest.of(given), "the same content has another digest")
  end,
}
