-- Payloads out of bytes: one in JSON, or a sample that is changed step by step, to values of Lua that no JSON has, too.
--
-- The first byte chooses the sample, the second one the options. Each step is a byte for the place, a byte for the
-- value, and a byte for the length of the text that follows, from which the value is made.

local api = require "alipayhk.api"
local json = require "alipayhk.base.json"

local payloads = {}

local samples = {}
for _, name in ipairs(api.names) do
  local scenarios = api.by_name[name].scenarios
  for _, scenario in ipairs(scenarios) do samples[#samples + 1] = { api = name, scenario = scenario } end
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local made = {}
  for key, child in next, value do made[key] = copy(child) end
  return made
end

-- ---- values ----------------------------------------------------------------------------------------

local function nested(depth)
  local value = {}
  for _ = 1, depth do value = { inner = value } end
  return value
end

local function cycle()
  local value = {}
  value[1] = value
  return value
end

local function integer(text)
  local bytes = (text .. ("\0"):rep(8)):sub(1, 8)
  return (("<i8"):unpack(bytes))
end

local function double(text)
  local bytes = (text .. ("\0"):rep(8)):sub(1, 8)
  return (("<d"):unpack(bytes))
end

-- What a value is made of a text. `gone` stands for nil.
local gone = {}
local VALUES = {
  function(text) return text end,
  function(text) return integer(text) end,
  function(text) return double(text) end,
  function(text) return tonumber(text) or 0 end,
  function(text) return 1700000000000 + #text end,
  function() return gone end,
  function() return true end,
  function() return {} end,
  function(text) return { text, text } end,
  function(text) return { [text] = text, value = text, currency = "HKD" } end,
  function() return json.null end,
  function() return json.empty_array end,
  function() return 0 / 0 end,
  function() return math.huge end,
  function() return print end,
  function() return io.stdout end,
  function(text) return nested(#text) end,
  function() return cycle() end,
  function(text) return setmetatable({}, { __index = function() error(text) end }) end,
  function(text) return setmetatable({ text }, { __len = function() return 1e9 end }) end,
  function(text) return { text, name = text } end,
  function(text) return { [true] = text, [1.5] = text } end,
  function(text) return { nil, nil, text } end,
  function(text) return text:rep(200) end,
  function(text) return (json.decode(text)) end,
  function(text) return json.encode { text = #text } end,
  function(text) return "\239\187\191" .. text .. "\226\128\139" end, -- invisible characters at its ends
}

-- ---- places ----------------------------------------------------------------------------------------

-- A path such as "extInfo.list[1].name" as a list of keys.
local function keys_of(path)
  local keys = {}
  for key in path:gmatch("[^.%[%]]+") do keys[#keys + 1] = math.tointeger(tonumber(key)) or key end
  return keys
end

local places = {}

-- The places that an API or one of its scenarios describes.
local function places_of(sample)
  if places[sample] then return places[sample] end
  local list = { {} }
  for _, fields in ipairs { api.by_name[sample.api].fields, sample.scenario.fields } do
    for _, field in ipairs(fields) do list[#list + 1] = keys_of(field.path:gsub("%[%]", "[1]"):gsub("%*", "zh_HK")) end
  end
  places[sample] = list
  return list
end

-- An empty place is a name that nobody described. Tables on the way are made.
local function put(payload, keys, text, value)
  if value == gone then value = nil end
  if #keys == 0 then keys = { text == "" and "x" or text } end
  local at = payload
  for i = 1, #keys - 1 do
    local inner = rawget(at, keys[i])
    if type(inner) ~= "table" then
      inner = {}
      rawset(at, keys[i], inner)
    end
    at = inner
  end
  rawset(at, keys[#keys], value)
end

-- ---- payloads --------------------------------------------------------------------------------------

local function statuses_of(sample)
  local names = { "NEVER_HEARD_OF" }
  for _, status in ipairs(sample.scenario.statuses) do names[#names + 1] = status.name end
  return names
end

local function options_of(sample, byte)
  local names = statuses_of(sample)
  return {
    previous_status = byte % 4 == 1 and names[byte // 8 % #names + 1] or nil,
    validate = byte % 8 >= 4 and "strict" or nil,
  }
end

local function stepwise(input)
  local sample = samples[(input:byte(1) or 0) % #samples + 1]
  local payload, list, at = copy(sample.scenario.sample), places_of(sample), 3
  while at + 2 <= #input do
    local place, value, length = input:byte(at, at + 2)
    local text = input:sub(at + 3, at + 2 + length)
    put(payload, list[place % #list + 1], text, VALUES[value % #VALUES + 1](text))
    at = at + 3 + length
  end
  return sample.api, payload, options_of(sample, input:byte(2) or 0)
end

-- An API's name, a payload, and options of `alipayhk.check`.
function payloads.of(input)
  if not json.is_begun(input) then return stepwise(input) end
  local payload = json.decode_object(input)
  if not payload then return stepwise(input) end
  local description = api.of(payload)
  return description and description.name or api.names[1], payload, {}
end

payloads.samples = samples

return payloads
