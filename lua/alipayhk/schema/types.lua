-- The types of fields: each makes a check `(value, is_encoded, now_ms)` for one field, which gives a code and a message
-- for a fault, nil and a message for a slip (`alipayhk.schema.slips`), and nil for a good value. `is_encoded`: the
-- value was read from a JSON string; `now_ms`: the time, nil for the system's. Checking a good value allocates no
-- memory.

local core = require "alipayhk.core"
local edges = require "alipayhk.base.edges"
local formats = require "alipayhk.schema.formats"
local json = require "alipayhk.base.json"
local list = require "alipayhk.base.list"
local slips = require "alipayhk.schema.slips"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"

local utf8_length = core.utf8_length
local concat, find = table.concat, string.find
local CONTROL = "[" .. text.CONTROL .. "]"
local huge = math.huge

local types = {}

-- A number between the first two is surely seconds. From MS_MAX on it is microseconds.
local SECONDS_MIN, MS_MIN, MS_MAX = slips.SECONDS_MIN, slips.SECONDS_MAX, 1e14

local function kind_of(value)
  if value == json.null then return "null" end
  if type(value) ~= "table" then return type(value) end
  return #value > 0 and "list" or "object"
end

local function expected(what, value)
  return "type", ("expected %s, found %s"):format(what, kind_of(value))
end

-- The name of a number that is NaN or infinite; nil for any other.
local function oddity(value)
  if value ~= value then return "NaN" end
  if value == huge then return "infinity" end
  return value == -huge and "-infinity" or nil
end

-- ---- numbers -----------------------------------------------------------------------------------

-- By unit: what a message calls a value, and a check of the number.
local number_units = {}

local MS_EXPECTED = "expected milliseconds since the epoch (13 digits), found "

number_units.ms = { name = "a number of milliseconds", check = function(value)
  local odd = oddity(value)
  if odd then return "format", MS_EXPECTED .. odd end
  if value % 1 ~= 0 then return "format", "milliseconds since the epoch are a whole number" end
  if value >= SECONDS_MIN and value < MS_MIN then
    return "format", MS_EXPECTED .. "what looks like seconds: multiply by 1000"
  end
  if value >= MS_MAX then
    return "format", MS_EXPECTED .. "what looks like microseconds: divide by 1000"
  end
  if value < SECONDS_MIN then
    return "format", MS_EXPECTED .. (value < 0 and "a negative number" or "a smaller number")
  end
end }

number_units.cents = { name = "a number of cents", check = function(value)
  local odd = oddity(value)
  if odd then return "format", "cents are a whole number, found " .. odd end
  if value % 1 ~= 0 then return "format", "cents are a whole number: $180.00 is 18000" end
  if value < 0 then return "format", "cents are a whole number from 0 on: this one is negative" end
end }

function types.number(field)
  local unit = number_units[field.unit]
  local name, check = unit and unit.name or "a number", unit and unit.check
  local slip = slips.in_tense[field.tense]
  return function(value, _, now_ms)
    if type(value) ~= "number" then return expected(name, value) end
    if check then
      local code, message = check(value)
      if code then return code, message end
    end
    if slip then return nil, slip(value, now_ms) end
  end
end

-- ---- strings -----------------------------------------------------------------------------------

-- The end of a message: an invisible character at an end of the value, if there is one.
local function at_an_end(value)
  local stray = edges.stray(value)
  return stray and ", found " .. stray or ""
end

local CENTS = "a string of cents, such as \"18000\" for $180.00"

local function check_cents(value)
  if not value:find("%D") then
    if value == "" then return "format", "expected " .. CENTS .. ", found an empty one" end
    return nil, slips.in_cents(value)
  end
  if value:find("^%-") then return "format", "an amount is not negative: expected " .. CENTS end
  if value:find("^%d*%.%d*$") then return "format", "cents have no decimal point: expected " .. CENTS end
  return "format", "expected " .. CENTS .. ", digits alone" .. at_an_end(value)
end

-- Up to this a double can hold every whole number.
local EXACT_MAX = 2 ^ 53

-- The end of a message about a number in place of a string: what to do. Its digits may be lost already.
local function as_text(value, is_cents)
  if type(value) ~= "number" or value % 1 ~= 0 and not is_cents then return "" end
  if value >= EXACT_MAX or value <= -EXACT_MAX then
    return ", which may have lost digits: keep it as text from where it comes from"
  end
  if is_cents then
    return ": if these are dollars multiply by 100, then write it with string.format(\"%.0f\", n)"
  end
  return ": keep it as text from where it comes from, or write it with string.format(\"%.0f\", n)"
end

-- A control character in an id is a fault, as it is in `client_id`: it cannot be intended.
local function check_id(value)
  -- A fast test for most ids: visible ASCII without + and point, so that it cannot be a number such as 1e+15 or 5.0.
  if find(value, "^[!-*,%-/-~]*$") and not slips.NOTHING[value] then return nil end
  local at = find(value, CONTROL)
  if at then
    local shown = edges.shown(value:sub(at, at))
    return "format", ("found a control character (%s) at byte %d: an id has none"):format(shown, at)
  end
  if edges.is_blank(value) then return "format", "an id of nothing but blanks" end
  return nil, slips.in_id(value)
end

-- The message must not show anything of a personal id.
local function check_personal_id(value)
  local code, message = check_id(value)
  if code and find(value, CONTROL) then message = "found a control character: an id has none" end
  return code, message
end

-- Each gives a check for strings if the field has some property, or else nil or false.
local refinements = {
  function(field)
    return field.id and (field.personal and check_personal_id or check_id)
  end,
  function(field)
    local most = field.max_length
    return most and function(value)
      -- There are at least as many bytes as characters. Invalid UTF-8 is reported by `alipayhk.base.json`.
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
      local found = ""
      if not field.personal then
        local stray = edges.stray(value)
        found = (", found %s%s"):format(text.quoted(value), stray and " with " .. stray or "")
      end
      return "enum", ("expected one of %s%s%s"):format(concat(field.enum, ", "), found, suggest.name(value, field.enum))
    end
  end,
  function(field)
    local check = formats[field.format]
    return check and function(value)
      local message, is_slip = check(value)
      if not message then return nil end
      if is_slip then return nil, message end
      return "format", field.personal and "expected " .. field.format or message .. at_an_end(value)
    end
  end,
  function(field)
    return field.unit == "cents" and check_cents or nil
  end,
}

-- A check that does both; a fault takes precedence over a slip.
local function both(first, second)
  if not first or not second then return first or second end
  return function(value)
    local code, message = first(value)
    if not message then return second(value) end
    if code then return code, message end
    local worse, why = second(value)
    if worse then return worse, why end
    return nil, message
  end
end

function types.string(field)
  local name = field.unit == "cents" and CENTS or "a string"
  local keeps_digits = not field.enum and not field.format
  local refine
  for _, refinement in ipairs(refinements) do refine = both(refine, refinement(field) or nil) end
  return function(value)
    if type(value) ~= "string" then
      local code, message = expected(name, value)
      return code, keeps_digits and message .. as_text(value, field.unit == "cents") or message
    end
    if refine then return refine(value) end
  end
end

-- ---- tables ------------------------------------------------------------------------------------

-- `required`: the names of the required fields in it, for the message.
function types.object(_, required)
  local name = #required > 0 and "an object with " .. concat(required, " and ") or "an object"
  return function(value)
    if not json.is_object(value) then return expected(name, value) end
    if json.is_marked_list(value) then return "type", ("expected %s, found a table marked as a list"):format(name) end
  end
end

function types.array()
  return function(value)
    if not json.is_list(value) then return expected("a list", value) end
  end
end

-- An object that is sent as a JSON string. It may be given as a table or as such a string; for a string the check gives
-- the decoded object as a third result.
function types.json_object()
  return function(value)
    if json.is_object(value) then return nil end
    if type(value) ~= "string" then return expected("a table, or a string of JSON", value) end
    local decoded, message, is_mended = json.decode_object(value)
    if not decoded then return "format", "not the JSON of an object: " .. text.shown(message, 100) end
    -- The string is sent as it is, and AlipayHK may not accept what our decoder mends.
    if is_mended then
      return "format", "its JSON has half of a surrogate pair, bytes that are no UTF-8, or a control character", decoded
    end
    return nil, nil, decoded
  end
end

-- For a field whose type is on no page.
function types.any(field)
  if field.unit ~= "ms" then return function() end end
  return function(value) return nil, slips.in_loose_time(value) end
end

return types
