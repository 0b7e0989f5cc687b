-- The scenarios of our own data, each with its sample, and what stands at a path of a description.
--
--     for _, entry in ipairs(data_samples.all) do
--       local payload = entry.sample()
--       data_samples.put(payload, "syncDataInfo.languageBusinessInfo.{locale}.seat_num[]", 5)
--     end

local api = require "alipayhk.api"

local data_samples = {
  -- Entries `{ api, description, scenario, rows, sample }`: `rows` are the base fields and then the
  -- scenario's, `sample()` is a copy to be changed at will.
  all = {},

  -- Stands for a field that is to be left out: nil would end a list of values.
  ABSENT = {},
}

function data_samples.copy(value)
  if type(value) ~= "table" then return value end
  local copied = {}
  for key, item in pairs(value) do copied[key] = data_samples.copy(item) end
  return copied
end

for _, name in ipairs(api.names) do
  local description = api.by_name[name]
  for _, scenario in ipairs(description.scenarios) do
    local rows = {}
    for _, list in ipairs { description.fields, scenario.fields } do
      for _, row in ipairs(list) do rows[#rows + 1] = row end
    end
    table.insert(data_samples.all, {
      api = name, description = description, scenario = scenario, rows = rows,
      sample = function() return data_samples.copy(scenario.sample) end,
    })
  end
end

-- The path as it is told of the first element and of the first locale.
function data_samples.place(path)
  return (path:gsub("{locale}", "zh_HK"):gsub("%[%]", "[1]"))
end

local function keys(path)
  local list = {}
  for key, brackets in path:gsub("{locale}", "zh_HK"):gmatch("([^.%[]+)(%[?%]?)") do
    list[#list + 1] = key
    if brackets == "[]" then list[#list + 1] = 1 end
  end
  return list
end

-- The table that holds what stands at a path, and its key there; no table where there is none.
function data_samples.holder(payload, path)
  local list = keys(path)
  local at = payload
  for i = 1, #list - 1 do at = type(at) == "table" and at[list[i]] or nil end
  return at, list[#list]
end

-- Puts a value at a path; gives the payload.
function data_samples.put(payload, path, value)
  local holder, key = data_samples.holder(payload, path)
  if value == data_samples.ABSENT then value = nil end
  holder[key] = value
  return payload
end

return data_samples
