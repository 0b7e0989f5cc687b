--- The form of a field in a description, and what is wrong with one.
--
-- `path` with dots; `{...}` for any key of an object, `[]` for each element of a list.
-- `type`: string, number, object, array, json_object (a table here, a string of JSON on the wire), any.
-- `required`, or `required_when` one of the listed statuses; `expected`, `expected_when`: the same,
-- as advice. `max_length` in characters. `unit`: "ms" of a number, "cents" of a number or string are
-- checked, others document. `format`: see `alipayhk.schema.formats`. `enum`: allowed strings. `keys`:
-- allowed keys of an object. `may_be_empty`: "" counts as there. `filled`: how a client fills it in.
-- `personal`: never in a message. `confidence`: SEEN, or INFERRED, which makes all of it advice;
-- `inferred`: codes of faults that are advice. `source`: tags of pages. `note`: for the reader.
-- @module alipayhk.schema.fields

local formats = require "alipayhk.schema.formats"
local suggest = require "alipayhk.suggest"
local types = require "alipayhk.schema.types"

local fields = {}

local function names_of(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function quoted(list)
  return '"' .. table.concat(list, '", "') .. '"'
end

-- ---- kinds of values: each gives a message where a value is not of it ------------------------------

local function of_type(name)
  return function(value)
    if type(value) ~= name then return ("expected a %s, found a %s"):format(name, type(value)) end
  end
end

local function one_of(list)
  return function(value)
    for _, allowed in ipairs(list) do
      if value == allowed then return nil end
    end
    return "expected one of " .. quoted(list) .. suggest(value, list)
  end
end

local function list_of_strings(value)
  if type(value) ~= "table" then return ("expected a list of strings, found a %s"):format(type(value)) end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  if count == 0 or count ~= #value then return "expected a list of strings" end
  for _, entry in ipairs(value) do
    if type(entry) ~= "string" then return "expected a list of strings" end
  end
end

local function length(value)
  if type(value) ~= "number" or value % 1 ~= 0 or value < 1 then
    return "expected a whole number of characters from 1 on"
  end
end

-- Names, each perhaps a list; `{locale}` for any key below the top.
local function path(value)
  if type(value) ~= "string" then return ("expected a string, found a %s"):format(type(value)) end
  local plain = value:gsub("%[%]", ""):gsub("%.{%a+}", "")
  if not plain:find("^[%w_-]") or plain:find("[^%w_.-]") or plain:find("..", 1, true) or plain:find("%.$")
    or value:find("%[%][^.%[]") or value:find("^%[") then
    return "expected a path such as \"extInfo.seat\", \"itemOrderList[].quantity\" or \"info.{locale}.name\""
  end
end

local PROPERTIES = {
  path = path,
  type = one_of(names_of(types)),
  required = of_type("boolean"),
  required_when = list_of_strings,
  expected = of_type("boolean"),
  expected_when = list_of_strings,
  max_length = length,
  unit = of_type("string"),
  format = one_of(names_of(formats)),
  enum = list_of_strings,
  keys = list_of_strings,
  may_be_empty = of_type("boolean"),
  filled = one_of { "hex32", "uuid", "now_ms" },
  personal = of_type("boolean"),
  confidence = one_of { "SEEN", "INFERRED" },
  inferred = list_of_strings,
  source = list_of_strings,
  note = of_type("string"),
}
local PROPERTY_NAMES = names_of(PROPERTIES)

-- What only fields of some types can have.
local ONLY_OF = {
  max_length = { string = true }, format = { string = true }, enum = { string = true },
  may_be_empty = { string = true }, keys = { object = true }, unit = { string = true, number = true, any = true },
}

local CONTAINERS = { object = true, json_object = true, array = true }

--- What is wrong with one field by itself.
-- @param field anything
-- @treturn ?string the property, nil where the field itself is wrong
-- @treturn ?string message; nil where nothing is wrong
function fields.fault(field)
  if type(field) ~= "table" then return nil, ("expected a table, found a %s"):format(type(field)) end
  for name in pairs(field) do
    if not PROPERTIES[name] then return tostring(name), "no such property" .. suggest(name, PROPERTY_NAMES) end
  end
  for _, name in ipairs(PROPERTY_NAMES) do
    local message = field[name] ~= nil and PROPERTIES[name](field[name])
    if message then return name, message end
  end
  if field.path == nil then return "path", "required" end
  for _, name in ipairs(PROPERTY_NAMES) do
    local only = ONLY_OF[name]
    if field[name] ~= nil and field.type and only and not only[field.type] then
      return name, ("a field of type %s has none"):format(field.type)
    end
  end
end

-- "a.b.c" -> "a.b", "a.b[]" -> "a.b"; nil at the top.
local function holder_of(field_path)
  return field_path:match("^(.*)%[%]$") or field_path:match("^(.*)%.[^.]+$")
end

--- What is wrong with a field beside others: it needs a type, and a table described to be in.
-- @tparam table field
-- @tparam table by_path the fields before it
-- @treturn ?string the property
-- @treturn ?string message
function fields.fault_among(field, by_path)
  if not field.type then return "type", "required: " .. quoted(names_of(types)) end
  local holder = holder_of(field.path)
  if not holder then return nil end
  local above = by_path[holder]
  if not above then return "path", ("describe \"%s\" before what is in it"):format(holder) end
  if not CONTAINERS[above.type] then
    return "path", ("\"%s\" is of type %s: nothing is in it"):format(holder, above.type)
  end
end

-- ---- tightening --------------------------------------------------------------------------------

local function includes(list, value)
  for _, entry in ipairs(list) do
    if entry == value then return true end
  end
  return false
end

local function subset(list, of)
  for _, value in ipairs(list) do
    if not includes(of, value) then return false end
  end
  return true
end

-- Whether a property (theirs) is at least as tight as what it is put over (ours, perhaps nil).
local function unless_known(is_tighter)
  return function(ours, theirs) return ours == nil or is_tighter(ours, theirs) end
end

local same = unless_known(function(ours, theirs) return ours == theirs end)
local stays = unless_known(function(ours, theirs) return theirs or not ours end)
local fewer = unless_known(function(ours, theirs) return subset(theirs, ours) end)

local TIGHTER = {
  type = function(ours, theirs) return ours == "any" or ours == theirs end,
  unit = same,
  format = same,
  filled = same,
  required = stays,
  required_when = unless_known(function(ours, theirs) return subset(ours, theirs) end),
  max_length = unless_known(function(ours, theirs) return theirs <= ours end),
  enum = fewer,
  keys = fewer,
  personal = stays,
  confidence = function(ours, theirs) return theirs == "SEEN" or ours == theirs end,
  inferred = function(ours, theirs) return ours ~= nil and subset(theirs, ours) end,
}

--- A field with another's properties put over it, which may tighten it and not loosen it.
-- @tparam table ours
-- @tparam table theirs
-- @treturn[1] table a new field
-- @treturn[2] nil
-- @treturn[2] string the property
-- @treturn[2] string message
function fields.tighten(ours, theirs)
  local result = {}
  for name, value in pairs(ours) do result[name] = value end
  -- The partner knows what was only inferred.
  result.confidence, result.inferred = "SEEN", nil
  for _, name in ipairs(PROPERTY_NAMES) do
    local value, tighter = theirs[name], TIGHTER[name]
    if value ~= nil then
      if tighter and not tighter(ours[name], value) then
        local known = type(ours[name]) == "table" and table.concat(ours[name], ", ") or tostring(ours[name])
        return nil, name, ("a rule can be tightened, not loosened: AlipayHK's is %s"):format(known)
      end
      result[name] = value
    end
  end
  local property, message = fields.fault(result)
  if message then return nil, property, message end
  return result
end

return fields
