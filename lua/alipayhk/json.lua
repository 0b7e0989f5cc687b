--- JSON that says what the caller meant, or says why it cannot.
--
-- An instance of lua-cjson of our own: the global one keeps its settings. Debian's build writes
-- numbers with 14 digits, OpenResty's with 16; a number that the build at hand would round is
-- refused, with the advice to pass a string.
-- @module alipayhk.json

local cjson = require "cjson"
local core = require "alipayhk.core"

local DEPTH_MAX = 32
-- A table may stand in many places: without this a small payload could unfold without end.
local TABLES_MAX = 10000
local PRECISIONS = { 16, 14 }
-- Below this every build writes all digits of a whole number.
local PLAIN_INTEGER_MAX = 1e14

local codec = cjson.new()
for _, precision in ipairs(PRECISIONS) do
  if pcall(codec.encode_number_precision, precision) then break end
end
codec.decode_invalid_numbers(false) -- NaN and 0x10 are no JSON
codec.encode_max_depth(DEPTH_MAX + 2)
codec.decode_max_depth(DEPTH_MAX + 2)

local utf8_length = core.utf8_length
local floor, huge = math.floor, math.huge

local json = {
  null = cjson.null,
  -- What `[]` is written from; nil where the build has no way to write it.
  empty_array = codec.empty_array,
}

--- @treturn[1] table|string|number|boolean the value
-- @treturn[2] nil
-- @treturn[2] string message
function json.decode(text)
  local ok, value = pcall(codec.decode, text)
  if ok then return value end
  return nil, tostring(value)
end

--- The object that a text is.
-- @treturn[1] table
-- @treturn[2] nil
-- @treturn[2] string message: "not JSON: ...", or "no JSON object"
function json.decode_object(text)
  local value, message = json.decode(text)
  if message then return nil, "not JSON: " .. message end
  if type(value) == "table" and text:find("^[ \t\r\n]*{") then return value end
  return nil, "no JSON object"
end

local function survives(number)
  local text = codec.encode({ number }):sub(2, -2)
  return (number % 1 ~= 0 or text:find("^-?%d+$") ~= nil) and tonumber(text) == number
end

-- Each gives a code and a message where the value cannot be written.
local check = {}

function check.number(value)
  if value ~= value or value == huge or value == -huge then
    return "format", "NaN and infinity have no form in JSON"
  end
  if value > -PLAIN_INTEGER_MAX and value < PLAIN_INTEGER_MAX and floor(value) == value then return nil end
  if not survives(value) then
    return "format", "this number would be rounded on its way into JSON: pass it as a string"
  end
end

function check.string(value)
  local length, position = utf8_length(value)
  if not length then
    return "format", ("not valid UTF-8 at byte %d"):format(position)
  end
end

function check.boolean() end

-- Where the build has it, `cjson.empty_array` is one, the same for every instance.
function check.userdata(value)
  if value ~= json.null and value ~= json.empty_array then return "type", "a userdata has no form in JSON" end
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

-- How a path names a key; what is no string or number has no name that is safe to ask for.
local function key_text(key)
  if type(key) == "string" then return key end
  return type(key) == "number" and ("%.14g"):format(key) or "(" .. type(key) .. ")"
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
      walk(child, prefix .. key_text(key), depth, state)
    end
  end
end

-- What __metatable hides counts as well.
local metatable_of = debug and debug.getmetatable or getmetatable

-- Encoding reads tables raw: what a metamethod would show is not what would be sent.
local function is_virtual(value)
  local metatable = metatable_of(value)
  if metatable == nil then return false end
  if type(metatable) ~= "table" then return true end
  return rawget(metatable, "__index") ~= nil or rawget(metatable, "__pairs") ~= nil or rawget(metatable, "__len") ~= nil
end

--- Whether a table carries the mark by which some builds write it as a list, whatever is in it.
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

--- Finds everything in a table that JSON could not carry unchanged.
-- @tparam table value
-- @tparam function add `add(path, code, message)`, called for each fault, in no order
-- @treturn boolean whether some table was not looked into: one with metamethods that would show other fields
--   than are written, or too many, or too deep
function json.inspect(value, add)
  local state = { add = add, tables = 0, is_opaque = false, is_full = false }
  inspect_table(value, "", 1, state)
  return state.is_opaque
end

--- Whether a table is of the common sort in which `inspect` would find nothing: no metatable, lists and
-- objects not mixed, strings of UTF-8, whole numbers below 1e14, a few levels. False proves nothing.
-- @function json.is_plain
-- @tparam table value
-- @treturn boolean
json.is_plain = core.is_plain

--- A message where JSON cannot carry a table unchanged: what `inspect` finds first.
-- @tparam table value
-- @tparam string name of the table
function json.fault(value, name)
  if json.is_plain(value) then return nil end
  local fault
  json.inspect(value, function(path, _, message)
    fault = fault or ("%s%s%s: %s"):format(name, path == "" and "" or ".", path, message)
  end)
  return fault
end

--- Encodes a table that `inspect` found no fault in.
function json.encode(value)
  return codec.encode(value)
end

return json
