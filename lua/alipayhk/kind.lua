--- Kinds of values in tables that users write: each gives a message where a value is not of it.
-- @module alipayhk.kind

local suggest = require "alipayhk.suggest"

local kind = {}

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

return kind
