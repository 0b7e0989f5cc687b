-- What a value has to be that a user gives: in a config, in options, in a description of fields.
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

-- `found 7`, `found a table`. Texts may be secrets; a fraction would be written by the locale.
function arguments.found(value)
  if value == nil then return "found nothing" end
  if type(value) ~= "number" then return "found a " .. type(value) end
  if value ~= value then return "found NaN" end
  return value % 1 == 0 and ("found %.0f"):format(value) or "found one that is not whole"
end

-- A message where a value is of none of some types of Lua's.
function arguments.type_fault(value, ...)
  local is = type(value)
  for i = 1, select("#", ...) do
    if select(i, ...) == is then return nil end
  end
  local expected = table.concat({ ... }, " or a ")
  return ("expected a %s, found %s"):format(expected, value == nil and "nothing" or "a " .. is)
end

-- ---- checks --------------------------------------------------------------------------------------

-- Of one of some types of Lua's.
function arguments.of_type(...)
  local names, fault = { ... }, arguments.type_fault
  local first, second = names[1], names[2]
  return function(value)
    if second then return fault(value, first, second) end
    return fault(value, first)
  end
end

-- One of the values of a list.
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

-- A whole number of some unit, at most what a C int holds unless it is said.
function arguments.whole(unit, least, most)
  most = most or INT_MAX
  return function(value)
    if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > most then
      return ("expected a whole number of %s from %d to %d, %s"):format(unit, least, most, arguments.found(value))
    end
  end
end

-- A number of milliseconds, whole or not.
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

-- A message for the first option of a call that is none, or not of its kind; `checks` by the option's name. `known`:
-- the paths that are suggested, the options' own names when absent.
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

-- A table that a user gives under some name, over defaults; or nil, the path of what is wrong in it, and a message.
-- `unknown_fault(path)` gives the message for a key that there is not.
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
