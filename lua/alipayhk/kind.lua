--- Kinds of values in tables that users write: each gives a message where a value is not of it.
-- @module alipayhk.kind

local edges = require "alipayhk.edges"
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

--- A message where a text has blanks or line breaks that it may not have.
-- @tparam string value
-- @treturn ?string
function kind.blank_fault(value)
  if value == "" then return "it is empty" end
  local stray = edges.stray(value)
  if stray then return "there is " .. stray end
  if value:find("[ " .. text.CONTROL .. "]") then return "there is a blank or a line break in it" end
end

return kind
