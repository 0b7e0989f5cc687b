-- JSON that is what the caller meant, or an error that says why it cannot be; the same in every locale.
--
-- It uses its own instance of lua-cjson, so that the settings of the global one stay as they are. What lua-cjson cannot
-- read or write (integers above 2^53, an empty list, a decimal point in some locales) passes through it as a marked
-- string: see csrc/json.

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

-- lua-cjson stores the locale's decimal point, for all its instances, when it is loaded and at each `new`; if that has
-- two bytes, it ends the process. So a new instance must not change what is stored, which the user's own instances go
-- by.
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
-- The same table may stand in many places: without a limit a small payload could become an endless text.
local TABLES_MAX = 10000
-- Above this a double no longer holds every whole number.
local DOUBLE_INTEGER_MAX = 2 ^ 53
local MARK = "\239\183\144" -- U+FDD0: see csrc/json/scan.h

codec.decode_invalid_numbers(false)
codec.encode_max_depth(DEPTH_MAX + 2)
codec.decode_max_depth(DEPTH_MAX + 2)

local utf8_length = core.utf8_length
local huge = math.huge
-- Of Lua 5.3 and later.
local number_type = rawget(math, "type")

local json = {
  null = codec.null,
  -- Is written as `[]` on every build: lua-cjson's own value where it has one.
  empty_array = codec.empty_array or core.empty_array,
}

-- ---- decoding ------------------------------------------------------------------------------------

local function decode(given, unique)
  local prepared, is_marked, is_object, is_mended = core.json_scan(given, unique)
  if not prepared then return nil, is_marked end
  -- In other locales a comma between two integers may be read as a decimal point.
  local ok, value = pcall(core.in_c_locale, codec.decode, prepared)
  if not ok then return nil, tostring(value) end
  if is_marked then value = core.json_settle(value) end
  return value, nil, is_object, is_mended
end

-- The value of a text, nil, and whether something in the text was what JSON may not have; or nil and a message.
--
-- An integer comes as one where this Lua has integers. One that its numbers cannot hold (above 2^53 where it has none)
-- comes as its digits, a string. Half of a surrogate pair and bytes that are no UTF-8 come as U+FFFD; a bare control
-- character in a string stays.
function json.decode(given)
  local value, message, _, is_mended = decode(given)
  return value, message, is_mended
end

-- The object that a text is, and what `decode` says third; or nil and a message: "not JSON: ...", or "no JSON object".
-- `unique`: a member that may come once, and each key in it.
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

-- By type: a code and a message where a value cannot be written.
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

-- Whether a value is one of those that stand for an empty list and are no tables.
function json.is_empty_array(value)
  return value ~= nil and (value == codec.empty_array or value == core.empty_array)
end

function check.userdata(value)
  if value ~= json.null and not json.is_empty_array(value) then return "type", "a userdata has no form in JSON" end
end

-- Whether a table can be written as an object. An empty one can.
function json.is_object(value)
  return type(value) == "table" and #value == 0
end

-- Whether a value can be written as a list. An empty table can.
function json.is_list(value)
  if json.is_empty_array(value) then return true end
  return type(value) == "table" and (#value > 0 or next(value) == nil)
end

local function unwritable(value)
  return "type", ("a %s has no form in JSON"):format(type(value))
end

local walk

-- "list", "object", or nil where the keys are of both kinds, or of neither.
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

-- Sees a metatable that `__metatable` hides, too.
local metatable_of = debug and debug.getmetatable or getmetatable

-- Whether metamethods show other fields than are sent: encoding reads tables raw.
local function is_virtual(value)
  local metatable = metatable_of(value)
  if metatable == nil then return false end
  if type(metatable) ~= "table" then return true end
  return rawget(metatable, "__index") ~= nil or rawget(metatable, "__pairs") ~= nil or rawget(metatable, "__len") ~= nil
end

-- Whether a table's metatable makes some builds write it as a list, whatever is in it.
function json.is_marked_list(value)
  local metatable = metatable_of(value)
  return metatable ~= nil and (metatable == codec.array_mt or metatable == codec.empty_array_mt)
end

-- What keeps a table from being walked any further.
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

-- Calls `add(path, code, message)`, in no order, for everything in a table that JSON cannot carry unchanged. True where
-- some table was not looked into: it is virtual, too large or too deep.
function json.inspect(value, add)
  local state = { add = add, tables = 0, is_opaque = false, is_full = false }
  inspect_table(value, "", 1, state)
  return state.is_opaque
end

-- Whether a table is of the common sort in which `inspect` finds nothing: no metatables, lists and objects not mixed,
-- strings of UTF-8, whole numbers below 1e14, a few levels. False proves nothing.
json.is_plain = core.is_plain

-- A message for the first thing in a table of that name that JSON cannot carry unchanged.
function json.fault(value, name)
  if json.is_plain(value) then return nil end
  local fault
  json.inspect(value, function(path, _, message)
    fault = fault or ("%s%s%s: %s"):format(name, path == "" and "" or ".", path, message)
  end)
  return fault
end

-- ---- encoding ------------------------------------------------------------------------------------

local marked

local function marked_text(value)
  return value:sub(1, #MARK) == MARK and MARK .. value or value
end

-- Keeps a list that its metatable marks as one.
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
  userdata = function(value) return json.is_empty_array(value) and MARK .. "[]" or value end,
}

-- A copy of a value, with marked strings in place of what lua-cjson would write in another way.
function marked(value)
  local mark = MARKED[type(value)]
  if mark then return mark(value) end
  return value
end

-- Encodes a table that `inspect` found no fault in. `is_plain`: whether it is known to be so.
function json.encode(value, is_plain)
  if is_plain or json.is_plain(value) then return codec.encode(value) end
  return core.json_finish(codec.encode(marked(value)))
end

return json
