-- Describes a field by its properties; finds mistakes in such a description; lets a partner tighten one. The
-- properties are
--
--   path            names with dots between; `{...}` for any key of an object, `[]` for each element of a list
--   type            string, number, object, array, json_object (a table here, a JSON string when sent), any
--   required        if it is missing, that is a fault; `required_when`: only in the listed statuses
--   expected        if it is missing, that is a warning; `expected_when`: only in the listed statuses
--   except_when     the statuses in which `expected` does not hold
--   max_length      in characters
--   unit            "ms" of a number and "cents" of a number or string are checked, others are documentation
--   format          a name in `alipayhk.schema.formats`
--   enum            the allowed strings
--   keys            the allowed keys of an object
--   may_be_empty    whether "" does not count as missing
--   filled          how a client fills it in: "hex32", "uuid" or "now_ms"
--   personal        whether messages must not show its value
--   confidence      SEEN, or INFERRED: then its faults are only warnings
--   inferred        codes of faults that are only warnings
--   source          tags of pages
--   note, evidence  what it is; how that is known
--
-- These are our own, not facts of AlipayHK. They are for the checks in `alipayhk.schema.slips`, whose warnings have
-- `ours`; only for `id` there are faults as well. Slips also go by `unit`, `format` and `type`.
--
--   id              a string that identifies something; a control character, or nothing but blanks, is a fault
--   tense           of a time in ms, "past" or "future"
--   not_before      the name of another time in the same object, which cannot be later than this one
--   local_times     with `not_before`: the two times may be in different time zones
--   money           an object whose keys no page shows; it is checked as `{ value, currency }`

local arguments = require "alipayhk.base.arguments"
local formats = require "alipayhk.schema.formats"
local list = require "alipayhk.base.list"
local suggest = require "alipayhk.base.suggest"
local types = require "alipayhk.schema.types"

local fields = {}

local of_type, one_of = arguments.of_type, arguments.one_of

-- ---- checks of properties, as in `alipayhk.base.arguments` ---------------------------------------

local function list_of(check)
  return function(value)
    if type(value) ~= "table" then return "expected a list of strings, " .. arguments.found(value) end
    if #value == 0 or not list.is_list(value) then return "expected a list of strings" end
    for _, entry in ipairs(value) do
      local message = check(entry)
      if message then return message end
    end
  end
end

local list_of_strings = list_of(of_type("string"))

local function length_fault(value)
  if type(value) ~= "number" or value % 1 ~= 0 or value < 1 then
    return "expected a whole number of characters from 1 on"
  end
end

local PATH_EXPECTED = "expected a path such as \"extInfo.seat\", \"itemOrderList[].quantity\" or \"info.{locale}.name\""

-- A path is one or more names; `[]` may follow a name, and `{locale}` may stand for one that is not at the top.
local function path_fault(value)
  local fault = arguments.type_fault(value, "string")
  if fault then return fault end
  for part in (value .. "."):gmatch("([^.]*)%.") do
    local name = part:gsub("%[%]$", "")
    if not name:find("^[A-Za-z0-9_-]+$") and not part:find("^{[A-Za-z]+}$") then
      return PATH_EXPECTED
    end
  end
  if value:sub(1, 1) == "{" then return PATH_EXPECTED end
end

-- The ways to fill in a field, and the type of what each gives.
local FILLED_TYPES = { hex32 = "string", uuid = "string", now_ms = "number" }

local PROPERTIES = {
  path = path_fault,
  type = one_of(list.keys(types)),
  required = of_type("boolean"),
  required_when = list_of_strings,
  expected = of_type("boolean"),
  expected_when = list_of_strings,
  max_length = length_fault,
  unit = of_type("string"),
  format = one_of(list.keys(formats)),
  enum = list_of_strings,
  keys = list_of_strings,
  may_be_empty = of_type("boolean"),
  filled = one_of(list.keys(FILLED_TYPES)),
  personal = of_type("boolean"),
  except_when = list_of_strings,
  id = of_type("boolean"),
  tense = one_of { "past", "future" },
  not_before = of_type("string"),
  local_times = of_type("boolean"),
  money = of_type("boolean"),
  confidence = one_of { "SEEN", "INFERRED" },
  inferred = list_of(one_of { "missing", "type", "too_long", "enum", "format" }),
  source = list_of_strings,
  note = of_type("string"),
  evidence = of_type("string"),
}
local PROPERTY_NAMES = list.keys(PROPERTIES)

-- Properties that only fields of these types can have.
local ONLY_OF = {
  max_length = { string = true }, format = { string = true }, enum = { string = true },
  may_be_empty = { string = true }, keys = { object = true }, unit = { string = true, number = true, any = true },
  id = { string = true }, tense = { number = true }, not_before = { string = true, number = true },
  local_times = { string = true }, money = { object = true },
}

-- Properties that only a named field can have. They would mean nothing for list elements or arbitrary keys, of which
-- there may be any number.
local NEED = { "required", "required_when", "expected", "expected_when", "except_when" }

local CHECKED_UNITS = { "ms", "cents" }

local function unit_fault(field)
  if field.unit == nil then return nil end
  if not list.includes(CHECKED_UNITS, field.unit) then
    local hint = suggest.name(field.unit, CHECKED_UNITS)
    if hint ~= "" then return "not checked" .. hint end
  end
  if field.unit == "ms" and field.type == "string" then return "\"ms\" is of a number" end
end

local function filled_fault(field)
  if field.filled == nil then return nil end
  if field.path:find("[.%[]") then return "only a field at the top is filled in" end
  if field.type and field.type ~= FILLED_TYPES[field.filled] then
    return ("this gives a %s"):format(FILLED_TYPES[field.filled])
  end
end

local MOMENT = "yyyy-MM-dd HH:mm:ss"

-- The property and a message if the field has a property for times, but is not a time that can be compared.
local function time_fault(field)
  if not field.type then return nil end
  local is_number = field.type == "number"
  for _, name in ipairs { "tense", "not_before", "local_times" } do
    if field[name] ~= nil and (is_number and field.unit ~= "ms" or not is_number and field.format ~= MOMENT) then
      return name, ("a number of unit \"ms\" or a string of format \"%s\" has it"):format(MOMENT)
    end
  end
end

-- The property and a message if properties do not go together.
local function misuse_fault(field)
  for _, name in ipairs(PROPERTY_NAMES) do
    local only = ONLY_OF[name]
    if field[name] ~= nil and field.type and only and not only[field.type] then
      return name, ("a field of type %s has none"):format(field.type)
    end
  end
  local message = unit_fault(field)
  if message then return "unit", message end
  message = filled_fault(field)
  if message then return "filled", message end
  local property
  property, message = time_fault(field)
  if message then return property, message end
  for _, name in ipairs(NEED) do
    if field[name] ~= nil and field.path:find("[%]}]$") then
      return name, "an element is there or not: say this of the list or object that it is in"
    end
  end
end

-- A copy, so that later changes of the original have no effect.
function fields.copy(field)
  local copy = {}
  for name, value in pairs(field) do
    if type(value) == "table" then
      local entries = {}
      for i, entry in ipairs(value) do entries[i] = entry end
      value = entries
    end
    copy[name] = value
  end
  return copy
end

-- What is wrong with one field by itself: the name of the property, nil if `field` is no table, and a message. `field`
-- may be any value. Gives nothing if the field is right.
function fields.fault(field)
  local no_table = arguments.type_fault(field, "table")
  if no_table then return nil, no_table end
  local unknown = {}
  for name in pairs(field) do
    if not PROPERTIES[name] then unknown[tostring(name)] = true end
  end
  local first = list.keys(unknown)[1]
  if first then return first, "no such property" .. suggest.name(first, PROPERTY_NAMES) end
  for _, name in ipairs(PROPERTY_NAMES) do
    local message = field[name] ~= nil and PROPERTIES[name](field[name])
    if message then return name, message end
  end
  if field.path == nil then return "path", "required" end
  return misuse_fault(field)
end

-- A path for comparing: without the names of its wildcards, `info.{}.name` for `info.{locale}.name`.
function fields.key(field_path)
  return (field_path:gsub("{[A-Za-z]+}", "{}"))
end

-- The key of the object or list that a field is in, nil at the top; and what it is in that: "element", "any key" or
-- "name".
local function holder_of(key)
  local holder = key:match("^(.*)%[%]$")
  if holder then return holder, "element" end
  local last
  holder, last = key:match("^(.*)%.([^.]+)$")
  return holder, last == "{}" and "any key" or "name"
end

local OBJECTS = { object = true, json_object = true }

-- What is wrong with a new field beside those before it: the property and a message. It needs a type, and the object or
-- list that it is in has to be described. `by_key`: the fields before it, by `fields.key`.
function fields.fault_among(field, by_key)
  if not field.type then return "type", "required: one of " .. table.concat(list.keys(types), ", ") end
  local holder, what = holder_of(fields.key(field.path))
  if not holder then return nil end
  local above = by_key[holder]
  if not above then return "path", ("describe \"%s\" before what is in it"):format(holder) end
  if what == "element" and above.type ~= "array" then
    return "path", ("\"%s\" is of type %s: only a list has elements"):format(above.path, above.type)
  elseif what ~= "element" and not OBJECTS[above.type] then
    local hint = above.type == "array" and (": write \"%s[]\" for its elements"):format(above.path) or ""
    return "path", ("\"%s\" is of type %s: it has no keys%s"):format(above.path, above.type, hint)
  elseif what == "name" and by_key[holder .. ".{}"] then
    return "path", ("every key of \"%s\" is described by \"%s\""):format(above.path, by_key[holder .. ".{}"].path)
  end
end

-- What is wrong with a field beside all others: the property and a message. The time that `not_before` names has to be
-- in the same object, and of the same type. `by_key`: all fields, by `fields.key`.
function fields.fault_in_all(field, by_key)
  local name = field.not_before
  if not name then return nil end
  local other = by_key[(fields.key(field.path):match("^(.*%.)[^.]+$") or "") .. name]
  if not other or other == field or other.type ~= field.type then
    return "not_before", ("there is no time \"%s\" beside it, of the same type"):format(name)
  end
end

-- ---- tightening --------------------------------------------------------------------------------

local function subset(entries, of)
  for _, value in ipairs(entries) do
    if not list.includes(of, value) then return false end
  end
  return true
end

-- A test tells whether a partner's value of a property is at least as strict as ours. `unless_known` makes a test that
-- allows any value if we have none.
local function unless_known(is_tighter)
  return function(ours, theirs) return ours == nil or is_tighter(ours, theirs) end
end

local same = unless_known(function(ours, theirs) return ours == theirs end)
local stays = unless_known(function(ours, theirs) return theirs or not ours end)
local fewer = unless_known(function(ours, theirs) return subset(theirs, ours) end)
local more = unless_known(function(ours, theirs) return subset(ours, theirs) end)

local TIGHTER = {
  type = function(ours, theirs) return ours == "any" or ours == theirs end,
  unit = same,
  format = same,
  filled = same,
  required = stays,
  required_when = more,
  expected = stays,
  expected_when = more,
  may_be_empty = function(ours, theirs) return ours or not theirs end,
  max_length = unless_known(function(ours, theirs) return theirs <= ours end),
  enum = fewer,
  keys = fewer,
  personal = stays,
  except_when = function(ours, theirs) return ours ~= nil and subset(theirs, ours) end,
  id = stays,
  tense = same,
  not_before = same,
  local_times = function(ours, theirs) return ours or not theirs end,
  money = stays,
  confidence = function(ours, theirs) return theirs == "SEEN" or ours == theirs end,
  inferred = function(ours, theirs) return ours ~= nil and subset(theirs, ours) end,
}

-- Puts a partner's properties over a field of ours; they may be stricter, not weaker. Gives a new field; or nil, the
-- property and a message.
function fields.tighten(ours, theirs)
  local result = fields.copy(ours)
  -- The partner knows what we only inferred, and types that are on no page.
  result.confidence, result.inferred = "SEEN", nil
  if ours.type == "any" and theirs.type and theirs.type ~= "number" then result.unit = nil end
  for _, name in ipairs(PROPERTY_NAMES) do
    local value, tighter = theirs[name], TIGHTER[name]
    if value ~= nil then
      if tighter and not tighter(ours[name], value) then
        local known = type(ours[name]) == "table" and table.concat(ours[name], ", ") or tostring(ours[name])
        return nil, name, ("a rule can be tightened, not loosened; it is %s"):format(known)
      end
      result[name] = value
    end
  end
  local property, message = misuse_fault(result)
  if not message then return result end
  -- A property that the partner did not give can only be wrong because of the partner's `type`.
  return nil, theirs[property] ~= nil and property or "type", message
end

return fields
