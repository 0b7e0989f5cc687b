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

local function inspect_list(list, path, depth, state)
  local length, count = #list, 0
  for _ in pairs(list) do count = count + 1 end
  if count ~= length then
    return state.add(path, "type", "neither a list nor an object: it has numbered and named keys, or holes")
  end
  for i = 1, length do walk(list[i], path .. "[" .. i .. "]", depth, state) end
end

local function inspect_object(object, path, depth, state)
  local prefix = path == "" and "" or path .. "."
  for key, child in pairs(object) do
    if type(key) ~= "string" then
      state.add(path, "type", ("an object's keys are strings, found a %s"):format(type(key)))
    elseif not utf8_length(key) then
      state.add(path, "format", "a key is not valid UTF-8")
    else
      walk(child, prefix .. key, depth, state)
    end
  end
end

-- Encoding reads tables raw: what a metamethod would show is not what would be sent.
local function is_virtual(value)
  local metatable = getmetatable(value)
  if metatable == nil then return false end
  return type(metatable) ~= "table" or metatable.__index ~= nil or metatable.__pairs ~= nil or metatable.__len ~= nil
end

local function inspect_table(value, path, depth, state)
  if is_virtual(value) then
    state.found_virtual = true
    return state.add(path, "type", "a table whose metatable has __index, __pairs or __len: pass a plain one")
  end
  state.tables = state.tables + 1
  if state.tables > TABLES_MAX then
    if state.tables == TABLES_MAX + 1 then
      state.add(path, "type", ("more than %d tables, or one that holds itself"):format(TABLES_MAX))
    end
  elseif depth > DEPTH_MAX then
    state.add(path, "type", ("nested deeper than %d levels, or a table that holds itself"):format(DEPTH_MAX))
  elseif #value > 0 then
    inspect_list(value, path, depth, state)
  else
    inspect_object(value, path, depth, state)
  end
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
-- @treturn boolean whether a metatable would show other fields than those that are written
function json.inspect(value, add)
  local state = { add = add, tables = 0, found_virtual = false }
  inspect_table(value, "", 1, state)
  return state.found_virtual
end

--- Whether a table is of the common sort in which `inspect` would find nothing: no metatable, lists and
-- objects not mixed, strings of UTF-8, whole numbers below 1e14, a few levels. False proves nothing.
-- @function json.is_plain
-- @tparam table value
-- @treturn boolean
json.is_plain = core.is_plain

--- Encodes a table that `inspect` found no fault in.
function json.encode(value)
  return codec.encode(value)
end

return json
