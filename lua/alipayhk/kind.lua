--- Kinds of values in tables that users write: each gives a message where a value is not of it.
-- @module alipayhk.kind

local suggest = require "alipayhk.suggest"
local text = require "alipayhk.text"

local kind = {}

--- What a value is, for a message: `found 7`, `found a table`. Texts may be secrets; a fraction would be written by the
-- locale.
function kind.found(value)
  if type(value) ~= "number" then return "found a " .. type(value) end
  if value ~= value then return "found NaN" end
  return value % 1 == 0 and ("found %.0f"):format(value) or "found one that is not whole"
end

--- Of one type of Lua's.
function kind.of_type(name)
  return function(value)
    if type(value) ~= name then return ("expected a %s, found a %s"):format(name, type(value)) end
  end
end

--- One of the values of a list.
function kind.one_of(allowed)
  local shown = {}
  for i, candidate in ipairs(allowed) do
    shown[i] = type(candidate) == "string" and '"' .. candidate .. '"' or tostring(candidate)
  end
  return function(value)
    for _, candidate in ipairs(allowed) do
      if value == candidate then return nil end
    end
    return "expected one of " .. table.concat(shown, ", ") .. suggest(value, allowed)
  end
end

-- What copying leaves at the ends of a text, and nobody sees: ASCII's blanks and control characters, the no-break
-- space, the ideographic one, the one without a width, a byte order mark.
local INVISIBLE = { "[ " .. text.CONTROL .. "]", "\194\160", "\227\128\128", "\226\128\139", "\239\187\191" }
local PLACES = { { "^%s", "at its beginning" }, { "%s$", "at its end" }, { "%s", "in it" } }

--- A message where a text has blanks or line breaks that it may not have.
-- @tparam string value
-- @treturn ?string
function kind.blank_fault(value)
  if value == "" then return "it is empty" end
  for _, place in ipairs(PLACES) do
    for _, invisible in ipairs(INVISIBLE) do
      if value:find((place[1]:gsub("%%s", function() return invisible end))) then
        return "there is a blank or a line break " .. place[2]
      end
    end
  end
end

return kind
