-- Reads and writes JSON without changing a value: what JSON cannot carry is a fault. The same in every locale.
--
-- The work is done by an instance of lua-cjson of our own; the instance that others share keeps its settings. Values
-- that lua-cjson cannot read or write as they are (integers above 2^53, an empty list, fractions under some locales)
-- are given to it as strings that begin with a mark, and are replaced afterwards: see csrc/json.

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

-- lua-cjson stores the locale's decimal point when it is loaded and at each `new`, once for all its instances, and ends
-- the process if that has two bytes. The user's instances must work as before, so `new` must not change what is stored:
-- it runs in the C locale if the stored one is a point, or if the locale's own has several bytes.
local function new_codec()
  local loaded = package.loaded.cjson
  local has_noted_dot = loaded and core.in_c_locale(pcall, loaded.decode, "[0.5]")
  if has_noted_dot or #core.decimal_point() > 1 then
    return core.in_c_locale(core.in_c_locale(require, "cjson").new)
  end
  return require("cjson").new()
end

local codec = new_codec()

local DEPTH_MAX = 32
-- The same table may occur in many places: without a limit a small payload could become a huge text.
local TABLES_MAX = 10000
-- Above this, a double cannot hold every whole number.
local DOUBLE_INTEGER_MAX = 2 ^ 53
local MARK = "\239\183\144" -- U+FDD0: see csrc/json/scan.h

codec.decode_invalid_numbers(false)
codec.encode_max_depth(DEPTH_MAX + 2)
codec.decode_max_depth(DEPTH_MAX + 2)

local utf8_length = core.utf8_length
local huge = math.huge
-- Exists in Lua 5.3 and later.
local number_type = rawget(math, "type")

local json = {
  null = codec.null,
  -- Is written as `[]` on every build of lua-cjson; its own value if it has one.
  empty_array = codec.empty_array or core.empty_array,
}

-- ---- decoding ------------------------------------------------------------------------------------

local function decode(given, unique)
  local prepared, is_marked, is_object, is_mended = core.json_scan(given, unique)
  if not prepared then return nil, is_marked end
  -- In another locale `10,25` could be read as one number with a decimal comma.
  local ok, value = pcall(core.in_c_locale, codec.decode, prepared)
  if not ok then return nil, tostring(value) end
  if is_marked then value = core.json_settle(value) end
  return value, nil, is_object, is_mended
end

-- Decodes any JSON value: the value, nil, and whether something invalid was mended; or nil and a message.
-- An integer stays one if this Lua has integers; one that its numbers cannot hold (without integers: above 2^53)
-- becomes a string of its digits. Mended are half a surrogate pair and invalid UTF-8, which become U+FFFD, and an
-- unescaped control character in a string, which is kept.
function json.decode(given)
  local value, message, _, is_mended = decode(given)
  return value, message, is_mended
end

-- Decodes a JSON object: a table; or nil and a message, "not JSON: ..." or "no JSON object". `unique`: the name of a
-- member that may not occur twice, nor may any key of the object in it.
function json.decode_object(given, unique)
  local value, message, is_object, is_mended = decode(given, unique)
  if message then return nil, "not JSON: " .. message end
  if is_object then return value, nil, is_mended end
  return nil, "no JSON object"
end

-- Whether a text begins as an object or a list does: it was meant to be JSON, whatever the rest of it is.
function json.is_begun(given)
  return given:find("^\239?\187?\191?[ \t\r\n]*[{%[]") ~= nil
end

-- ---- what can be encoded -------------------------------------------------------------------------

-- By Lua type: a code and a message if a value cannot be written.
local check = {}

function check.number(value)
  if value ~= value or value == huge or value == -huge then
    return "format", "NaN and infinity have no form in JSON"
  end
  if number_type and number_type(value) == "integer" then return nil end
  if value % 1 == 0 and (value > DOUBLE_INTEGER_MAX or value < -DOUBLE_INTEGER_MAX) then
    return "format", "above 2^53 a number of Lua's no longer holds every digit: pass it as a string"
  end
end

function check.string(value)
  local length, position = utf8_length(value)
  if not length then
    return "format", ("not valid UTF-8 at byte %d"):format(position)
  end
end

function check.boolean() end

-- Whether a value is the userdata for an empty list, lua-cjson's or ours.
local function is_empty_array(value)
  return value ~= nil and (value == codec.empty_array or value == core.empty_array)
end

function check.userdata(value)
  if value ~= json.null and not is_empty_array(value) then return "type", "a userdata has no form in JSON" end
end

-- Whether a table can be written as an object. An empty one can.
function json.is_object(value)
  return type(value) == "table" and #value == 0
end

-- Whether a value can be written as a list. An empty table can.
function json.is_list(value)
  if is_empty_array(value) then return true end
  return type(value) == "table" and (#value > 0 or next(value) == nil)
end

local function unwritable(value)
  return "type", ("a %s has no form in JSON"):format(type(value))
end

local walk

-- "list" or "object"; nil if the keys are of both kinds, or are numbers that make no list.
local function shape_of(value)
  local length, count, names, indices = #value, 0, 0, 0
  for key in next, value do
    count = count + 1
    if type(key) == "string" then
      names = names + 1
    elseif type(key) == "number" and key >= 1 and key <= length and key % 1 == 0 then
      indices = indices + 1
    end
  end
  return names == count and "object" or indices == count and count == length and "list" or nil
end

local function inspect_key(key, path, state)
  if type(key) ~= "string" then
    state.add(path, "type", ("an object's keys are strings, found a %s"):format(type(key)))
  elseif not utf8_length(key) then
    state.add(path, "format", "a key is not valid UTF-8")
  end
end

local function inspect_children(value, shape, path, depth, state)
  local prefix = path == "" and "" or path .. "."
  for key, child in next, value do
    if shape == "list" then
      walk(child, ("%s[%d]"):format(path, key), depth, state)
    else
      if shape == "object" then inspect_key(key, path, state) end
      walk(child, prefix .. text.key(key), depth, state)
    end
  end
end

-- debug.getmetatable also gives a metatable that a `__metatable` field hides.
local metatable_of = debug and debug.getmetatable or getmetatable

-- Whether metamethods may show other fields than the raw ones. Encoding reads raw: those fields would not be sent.
local function is_virtual(value)
  local metatable = metatable_of(value)
  if metatable == nil then return false end
  if type(metatable) ~= "table" then return true end
  return rawget(metatable, "__index") ~= nil or rawget(metatable, "__pairs") ~= nil or rawget(metatable, "__len") ~= nil
end

-- Whether a table has the metatable for which some builds of lua-cjson write a list, whatever its keys are.
function json.is_marked_list(value)
  local metatable = metatable_of(value)
  return metatable ~= nil and (metatable == codec.array_mt or metatable == codec.empty_array_mt)
end

-- The reason why a table is not looked into, nil if there is none.
local function obstacle(value, depth, state)
  if is_virtual(value) then return "a table whose metatable has __index, __pairs or __len: pass a plain one" end
  if state.tables == TABLES_MAX then return ("more than %d tables, or one that holds itself"):format(TABLES_MAX) end
  if depth > DEPTH_MAX then return ("nested deeper than %d levels, or a table that holds itself"):format(DEPTH_MAX) end
end

local function inspect_table(value, path, depth, state)
  local stop = obstacle(value, depth, state)
  if stop then
    state.is_opaque = true
    if not state.is_full then state.add(path, "type", stop) end
    state.is_full = state.tables == TABLES_MAX
    return
  end
  state.tables = state.tables + 1
  local shape = shape_of(value)
  if not shape then
    state.add(path, "type", "neither a list nor an object: it has numbered and named keys, or holes")
  elseif shape == "object" and next(value) ~= nil and json.is_marked_list(value) then
    state.add(path, "type", "its metatable marks it as a list, and it has named keys")
  end
  inspect_children(value, shape, path, depth, state)
end

function walk(value, path, depth, state)
  local kind = type(value)
  if kind == "table" then return inspect_table(value, path, depth + 1, state) end
  local code, message = (check[kind] or unwritable)(value)
  if code then state.add(path, code, message) end
end

-- Finds everything in a table that JSON cannot carry unchanged, and calls `add(path, code, message)` for each fault, in
-- no fixed order. Gives whether a table was not looked into: because its metamethods may show other fields than are
-- written, or because there are too many tables or levels.
function json.inspect(value, add)
  local state = { add = add, tables = 0, is_opaque = false, is_full = false }
  inspect_table(value, "", 1, state)
  return state.is_opaque
end

-- A fast first test. True: `inspect` would find nothing, and lua-cjson can write the table without marks: no metatable,
-- lists and objects not mixed, valid UTF-8, whole numbers below 1e14, a few levels. False proves nothing.
json.is_plain = core.is_plain

-- A message if JSON cannot carry a table unchanged, about one of its faults. `name`: what the message calls the table.
function json.fault(value, name)
  if json.is_plain(value) then return nil end
  local fault
  json.inspect(value, function(path, _, message)
    fault = fault or ("%s%s%s: %s"):format(name, path == "" and "" or ".", path, message)
  end)
  return fault
end

-- ---- ids -----------------------------------------------------------------------------------------

-- An id as a text, whether it came as one or as a number; nil for anything else, NaN and infinity included.
function json.id_text(value)
  if type(value) == "string" then return value end
  if type(value) == "number" and value - value == 0 then return core.json_number(value) end
end

-- ---- encoding ------------------------------------------------------------------------------------

local marked

local function marked_text(value)
  return value:sub(1, #MARK) == MARK and MARK .. value or value
end

-- The copy has no metatable, so an empty list that only its metatable shows to be one gets a mark instead.
local function marked_table(value)
  local is_list = json.is_marked_list(value)
  if is_list and next(value) == nil then return MARK .. "[]" end
  local copy = {}
  for key, child in next, value do
    if type(key) == "string" then key = marked_text(key) end
    copy[key] = marked(child)
  end
  return copy
end

local MARKED = {
  table = marked_table,
  string = marked_text,
  number = function(value) return MARK .. core.json_number(value) end,
  userdata = function(value) return is_empty_array(value) and MARK .. "[]" or value end,
}

-- A copy of a value for lua-cjson, with a marked string for everything that it would write in another way than wanted.
-- `core.json_finish` replaces them in its output.
function marked(value)
  local mark = MARKED[type(value)]
  if mark then return mark(value) end
  return value
end

-- Encodes a table in which `inspect` found no fault. `is_plain`: true if `json.is_plain` is known to hold for it.
function json.encode(value, is_plain)
  if is_plain or json.is_plain(value) then return codec.encode(value) end
  return core.json_finish(codec.encode(marked(value)))
end

return json
