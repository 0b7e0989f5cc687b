--- JSON that says what the caller meant, or says why it cannot.
--
-- An instance of lua-cjson of our own: the global one keeps its settings. Debian's build writes
-- numbers with 14 digits, OpenResty's with 16; a number that the build at hand would round is
-- refused, with the advice to pass a string.
-- @module alipayhk.json

local cjson = require "cjson"
local core = require "alipayhk.core"

local DEPTH_MAX = 32
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
  if number % 1 == 0 then
    return (text == ("%.0f"):format(number) or text == tostring(number)) and tonumber(text) == number
  end
  return tonumber(text) == number
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

function check.userdata(value)
  if value ~= json.null then return "type", "a userdata has no form in JSON" end
end

local function unwritable(value)
  return "type", ("a %s has no form in JSON"):format(type(value))
end

local walk

local function walk_table(value, path, depth, add)
  if depth > DEPTH_MAX then
    return add(path, "type", ("nested deeper than %d levels, or a table that holds itself"):format(DEPTH_MAX))
  end
  local length = #value
  if length > 0 then
    local count = 0
    for _ in pairs(value) do count = count + 1 end
    if count ~= length then
      return add(path, "type", "neither a list nor an object: it has numbered and named keys, or holes")
    end
    for i = 1, length do
      walk(value[i], path .. "[" .. i .. "]", depth, add)
    end
    return
  end
  for key, child in pairs(value) do
    if type(key) ~= "string" then
      add(path, "type", ("an object's keys are strings, found a %s"):format(type(key)))
    elseif not utf8_length(key) then
      add(path, "format", "a key is not valid UTF-8")
    else
      local kind = type(child)
      if kind == "table" then
        walk_table(child, path == "" and key or path .. "." .. key, depth + 1, add)
      else
        local code, message = (check[kind] or unwritable)(child)
        if code then add(path == "" and key or path .. "." .. key, code, message) end
      end
    end
  end
end

function walk(value, path, depth, add)
  if type(value) == "table" then return walk_table(value, path, depth + 1, add) end
  local code, message = (check[type(value)] or unwritable)(value)
  if code then add(path, code, message) end
end

--- Finds everything in a table that JSON could not carry unchanged.
-- @tparam table value
-- @tparam string path where it stands ("" for the top)
-- @tparam function add `add(path, code, message)`, called for each fault
function json.inspect(value, path, add)
  walk_table(value, path, 1, add)
end

--- Encodes a table that `inspect` found no fault in.
function json.encode(value)
  return codec.encode(value)
end

return json
