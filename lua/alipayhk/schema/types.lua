--- The types of a field's value: each makes a check `(value, is_encoded) -> code, message` for one field,
-- nil for a value that is good. `is_encoded`: the value was read from a string of JSON. Nothing here makes
-- garbage for a good value.
-- @module alipayhk.schema.types

local core = require "alipayhk.core"
local formats = require "alipayhk.schema.formats"
local json = require "alipayhk.json"
local list = require "alipayhk.list"
local suggest = require "alipayhk.suggest"
local text = require "alipayhk.text"

local utf8_length = core.utf8_length
local concat = table.concat

local types = {}

-- 1973 in milliseconds, and 1973 in seconds: between the two a number plainly is seconds.
local MS_MIN, SECONDS_MIN, MS_MAX = 1e11, 1e8, 1e14

local function kind_of(value)
  if value == json.null then return "null" end
  if type(value) ~= "table" then return type(value) end
  return #value > 0 and "list" or "object"
end

local function expected(what, value)
  return "type", ("expected %s, found %s"):format(what, kind_of(value))
end

-- ---- numbers -----------------------------------------------------------------------------------

-- By unit: what a value of it is called, and a check of the number.
local number_units = {}

local MS_EXPECTED = "expected milliseconds since the epoch (13 digits), found "

number_units.ms = { name = "a number of milliseconds", check = function(value)
  if value % 1 ~= 0 then return "format", "milliseconds since the epoch are a whole number" end
  if value >= SECONDS_MIN and value < MS_MIN then
    return "format", MS_EXPECTED .. "what looks like seconds: multiply by 1000"
  end
  if value >= MS_MAX then
    return "format", MS_EXPECTED .. "what looks like microseconds: divide by 1000"
  end
  if value < SECONDS_MIN then return "format", MS_EXPECTED .. "a smaller number" end
end }

number_units.cents = { name = "a number of cents", check = function(value)
  if value % 1 ~= 0 then return "format", "cents are a whole number: $180.00 is 18000" end
  if value < 0 then return "format", "cents are a whole number from 0 on: this one is negative" end
end }

function types.number(field)
  local unit = number_units[field.unit]
  local name, check = unit and unit.name or "a number", unit and unit.check
  return function(value)
    if type(value) ~= "number" then return expected(name, value) end
    if check then return check(value) end
  end
end

-- ---- strings -----------------------------------------------------------------------------------

local CENTS = "a string of cents, such as \"18000\" for $180.00"

local function check_cents(value)
  if not value:find("%D") then
    if value == "" then return "format", "expected " .. CENTS .. ", found an empty one" end
    return nil
  end
  if value:find("^%-") then return "format", "an amount is not negative: expected " .. CENTS end
  if value:find("^%d*%.%d*$") then return "format", "cents have no decimal point: expected " .. CENTS end
  return "format", "expected " .. CENTS .. ", digits alone"
end

-- Each gives a check of a string, where the field has that property.
local refinements = {
  function(field)
    local most = field.max_length
    return most and function(value)
      -- Characters are never more than bytes. What is no UTF-8 is found with the rest of the JSON.
      if #value <= most then return nil end
      local length = utf8_length(value) or 0
      if length > most then return "too_long", ("at most %d characters, found %d"):format(most, length) end
    end
  end,
  function(field)
    if not field.enum then return nil end
    local set = list.set(field.enum)
    return function(value)
      if set[value] then return nil end
      local found = field.personal and "" or (", found \"%s\""):format(text.shown(value, 40))
      return "enum", ("expected one of %s%s%s"):format(concat(field.enum, ", "), found, suggest(value, field.enum))
    end
  end,
  function(field)
    local check = formats[field.format]
    return check and function(value)
      local message = check(value)
      if not message then return nil end
      return "format", field.personal and "expected " .. field.format or message
    end
  end,
  function(field)
    return field.unit == "cents" and check_cents or nil
  end,
}

local function both(first, second)
  if not first or not second then return first or second end
  return function(value)
    local code, message = first(value)
    if code then return code, message end
    return second(value)
  end
end

function types.string(field)
  local name = field.unit == "cents" and CENTS or "a string"
  local refine
  for _, refinement in ipairs(refinements) do refine = both(refine, refinement(field) or nil) end
  return function(value)
    if type(value) ~= "string" then return expected(name, value) end
    if refine then return refine(value) end
  end
end

-- ---- tables ------------------------------------------------------------------------------------

--- @tparam table _ the field
-- @tparam table required names of what has to be in it
function types.object(_, required)
  local name = #required > 0 and "an object with " .. concat(required, " and ") or "an object"
  return function(value)
    if type(value) ~= "table" or #value > 0 then return expected(name, value) end
    if json.is_marked_list(value) then return "type", ("expected %s, found a table marked as a list"):format(name) end
  end
end

function types.array()
  return function(value)
    if json.is_empty_array(value) then return nil end
    if type(value) ~= "table" or (#value == 0 and next(value) ~= nil) then return expected("a list", value) end
  end
end

-- An object that travels as a string of JSON; it may be given as either. For a string the object in it
-- comes back, too, as a third value.
function types.json_object()
  return function(value)
    if type(value) == "table" and #value == 0 then return nil end
    if type(value) ~= "string" then return expected("a table, or a string of JSON", value) end
    if not value:find("^[ \t\r\n]*{") then return "format", "not the JSON of an object" end
    local decoded, message = json.decode(value)
    if not decoded then return "format", "not the JSON of an object: " .. text.shown(message, 100) end
    return nil, nil, decoded
  end
end

-- Of a type that nobody has seen.
function types.any()
  return function() end
end

return types
