-- Checks of values that users give: in a config, in options, in the description of a field.
--
-- A *check* is a function that gives a message if a value is wrong, and nil if it is right. Functions here either make
-- a check, or give such a message themselves: the names of the latter end in `_fault`.

local edges = require "alipayhk.base.edges"
local list = require "alipayhk.base.list"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"

local arguments = {}

local INT_MAX = 2147483647

-- ---- what was found ------------------------------------------------------------------------------

-- How a message says what it got: `found 7`, `found a table`. A string is not shown, because it may be a secret, nor a
-- fraction, because its decimal point would depend on the locale.
function arguments.found(value)
  if value == nil then return "found nothing" end
  if type(value) ~= "number" then return "found a " .. type(value) end
  if value ~= value then return "found NaN" end
  if value == math.huge or value == -math.huge then return "found infinity" end
  return value % 1 == 0 and ("found %.0f"):format(value) or "found one that is not whole"
end

-- A message if a value has none of the given Lua types.
function arguments.type_fault(value, ...)
  local is = type(value)
  for i = 1, select("#", ...) do
    if select(i, ...) == is then return nil end
  end
  local expected = table.concat({ ... }, " or a ")
  return ("expected a %s, found %s"):format(expected, value == nil and "nothing" or "a " .. is)
end

-- ---- checks --------------------------------------------------------------------------------------

-- A check for one or two Lua types.
function arguments.of_type(...)
  local names, fault = { ... }, arguments.type_fault
  local first, second = names[1], names[2]
  return function(value)
    if second then return fault(value, first, second) end
    return fault(value, first)
  end
end

-- A check for one of the values in a list.
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

-- A check for a whole number. `unit`: its plural, for the message; `most`: by default the largest C int.
function arguments.whole(unit, least, most)
  most = most or INT_MAX
  return function(value)
    if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > most then
      return ("expected a whole number of %s from %d to %d, %s"):format(unit, least, most, arguments.found(value))
    end
  end
end

-- A check for a number of milliseconds, fractions allowed; without `most` there is no upper limit.
function arguments.milliseconds(least, most)
  local limits = most and ("from %d to %d"):format(least, most) or ("from %d on"):format(least)
  return function(value)
    if type(value) ~= "number" or not (value >= least and value <= (most or value)) then
      return ("expected a number of milliseconds %s, %s"):format(limits, arguments.found(value))
    end
  end
end

-- ---- faults --------------------------------------------------------------------------------------

-- A message if a string is empty, or has blanks, line breaks or other control characters in it or at its ends.
function arguments.blank_fault(value)
  if value == "" then return "it is empty" end
  local stray = edges.stray(value)
  if stray then return "there is " .. stray end
  if value:find("[ " .. text.CONTROL .. "]") then return "there is a blank or a line break in it" end
end

-- A message if an option of a call is unknown or has a wrong value. `checks`: a check for each option, by its name;
-- `known`: the paths to suggest for an unknown one, by default the names of the options.
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

-- Checks a table that a user gives. Gives a new table with the defaults added; or nil, the path of what is wrong, and a
-- message. `name`: the first part of that path. A check may give the rest of the path as its second result.
-- `unknown_fault(path)` gives the message for an unknown key.
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
