-- Checks of the values that users give: in a config, in options, in a description of fields.
--
-- A *check* gives a message where a value is not of its kind, and nil where it is. Every function that gives a message
-- itself has a name that ends in `_fault`.

local edges = require "alipayhk.base.edges"
local list = require "alipayhk.base.list"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"

local arguments = {}

local INT_MAX = 2147483647

-- ---- what was found ------------------------------------------------------------------------------

-- What was found, for a message: `found 7`, `found a table`. Never a text, which may be a secret; never a fraction,
-- which the locale would write.
function arguments.found(value)
  if value == nil then return "found nothing" end
  if type(value) ~= "number" then return "found a " .. type(value) end
  if value ~= value then return "found NaN" end
  return value % 1 == 0 and ("found %.0f"):format(value) or "found one that is not whole"
end

-- A message where a value has none of the types named.
function arguments.type_fault(value, ...)
  local is = type(value)
  for i = 1, select("#", ...) do
    if select(i, ...) == is then return nil end
  end
  local expected = table.concat({ ... }, " or a ")
  return ("expected a %s, found %s"):format(expected, value == nil and "nothing" or "a " .. is)
end

-- ---- checks --------------------------------------------------------------------------------------

-- A check for one of the types named.
function arguments.of_type(...)
  local names, fault = { ... }, arguments.type_fault
  local first, second = names[1], names[2]
  return function(value)
    if second then return fault(value, first, second) end
    return fault(value, first)
  end
end

-- A check for one of the values of a list.
function arguments.one_of(allowed)
  local shown = {}
  for i, candidate in ipairs(allowed) do
    shown[i] = type(candidate) == "string" and '"' .. candidate .. '"' or tostring(candidate)
  end
  return function(value)
    if list.includes(allowed, value) then return nil end
    return "expected one of " .. table.concat(shown, ", ") .. suggest.name(value, allowed)
  end
end

-- A check for a whole number of a unit; `most` is the largest C int when absent.
function arguments.whole(unit, least, most)
  most = most or INT_MAX
  return function(value)
    if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > most then
      return ("expected a whole number of %s from %d to %d, %s"):format(unit, least, most, arguments.found(value))
    end
  end
end

-- A check for a number of milliseconds, with a fraction or without.
function arguments.milliseconds(least, most)
  local limits = most and ("from %d to %d"):format(least, most) or ("from %d on"):format(least)
  return function(value)
    if type(value) ~= "number" or not (value >= least and value <= (most or value)) then
      return ("expected a number of milliseconds %s, %s"):format(limits, arguments.found(value))
    end
  end
end

-- ---- faults --------------------------------------------------------------------------------------

-- A message where a text has blanks or line breaks that it may not have.
function arguments.blank_fault(value)
  if value == "" then return "it is empty" end
  local stray = edges.stray(value)
  if stray then return "there is " .. stray end
  if value:find("[ " .. text.CONTROL .. "]") then return "there is a blank or a line break in it" end
end

-- A message where the options of a call are no table, or one of them is unknown or fails its check. `checks`: by the
-- option's name; `known`: what is suggested for an unknown one, by default those names.
function arguments.options_fault(opts, checks, known)
  if opts == nil then return nil end
  local fault = arguments.type_fault(opts, "table")
  if fault then return "opts: " .. fault end
  for name, value in pairs(opts) do
    local check = checks[name]
    if not check then
      local shown = tostring(name)
      return ("opts.%s: no such option%s"):format(shown, suggest.path(shown, known or list.keys(checks)))
    end
    fault = check(value)
    if fault then return ("opts.%s: %s"):format(name, fault) end
  end
end

-- ---- tables --------------------------------------------------------------------------------------

-- A user's table put over defaults; or nil, the path of what is wrong in it, and a message. `name`: how the user calls
-- the table; `unknown_fault(path)`: gives the message for an unknown key.
function arguments.read_table(name, given, checks, defaults, unknown_fault)
  local fault = arguments.type_fault(given, "table")
  if fault then return nil, name, fault end
  local result = {}
  for key, default in pairs(defaults) do result[key] = default end
  for key, value in pairs(given) do
    local path = name .. "." .. tostring(key)
    if not checks[key] then return nil, path, unknown_fault(path) end
    local message, below = checks[key](value)
    if message then return nil, below and path .. "." .. below or path, message end
    result[key] = value
  end
  return result
end

return arguments
