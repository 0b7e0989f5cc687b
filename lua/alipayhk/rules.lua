--- The rules in force: AlipayHK's, and those that a partner adds to them.
-- @module alipayhk.rules

local api = require "alipayhk.api"
local fields = require "alipayhk.schema.fields"
local schema = require "alipayhk.schema"
local suggest = require "alipayhk.suggest"

local Rules = {}
Rules.__index = Rules

local rules = {}

local function names_of(list)
  local names = {}
  for i, entry in ipairs(list) do names[i] = entry.name end
  return names
end

-- By API name and scenario name.
local scenarios = {}
for name, description in pairs(api.by_name) do
  scenarios[name] = {}
  for _, scenario in ipairs(description.scenarios) do scenarios[name][scenario.name] = scenario end
end

-- ---- the fields of a scenario ------------------------------------------------------------------

local function with(field, extra)
  local result = {}
  for name, value in pairs(field) do result[name] = value end
  for name, value in pairs(extra) do result[name] = value end
  return result
end

-- The base fields: the scenario's name is one of the API's, its status one of the scenario's.
local function base_fields(description, scenario)
  local result = {}
  for i, field in ipairs(description.fields) do
    if field.path == description.scenario_field then
      field = with(field, { enum = names_of(description.scenarios) })
    elseif field.path == description.status_field and scenario then
      field = with(field, { enum = names_of(scenario.statuses) })
    end
    result[i] = field
  end
  return result
end

--- The fields of one scenario: the API's, then its own.
-- @tparam table description of the API
-- @tparam table scenario
-- @treturn table list of fields
function rules.fields(description, scenario)
  local result = base_fields(description, scenario)
  for _, field in ipairs(scenario.fields) do result[#result + 1] = field end
  return result
end

-- Where the scenario is not known: any top-level field that one of them has.
local function fields_of_none(description)
  local result, present = base_fields(description), {}
  for _, scenario in ipairs(description.scenarios) do
    for _, field in ipairs(scenario.fields) do
      if not field.path:find(".", 1, true) and not field.path:find("[", 1, true) and not present[field.path] then
        present[field.path] = true
        result[#result + 1] = { path = field.path, type = "any" }
      end
    end
  end
  return result
end

-- ---- a partner's additions ---------------------------------------------------------------------

local function place_of(base, i, property)
  return ("%s.fields[%d]%s"):format(base, i, property and "." .. property or "")
end

-- A `required_when` that names no status would never be in force.
local function status_fault(scenario, field)
  local names = names_of(scenario.statuses)
  for _, property in ipairs { "required_when", "expected_when" } do
    for _, name in ipairs(field[property] or {}) do
      local known = false
      for _, status in ipairs(names) do known = known or status == name end
      if not known then
        return property, ("%s has no status \"%s\"%s"):format(scenario.name, name, suggest(name, names))
      end
    end
  end
end

-- Puts one field over the list. Gives a property and a message where that cannot be done.
local function add_field(list, by_path, scenario, given)
  local property, message = fields.fault(given)
  if message then return property, message end
  property, message = status_fault(scenario, given)
  if message then return property, message end
  local ours = by_path[given.path]
  if not ours then
    property, message = fields.fault_among(given, by_path)
    if message then return property, message end
    local copy = with(given, {})
    list[#list + 1], by_path[given.path] = copy, copy
    return nil
  end
  local tightened
  tightened, property, message = fields.tighten(ours, given)
  if not tightened then return property, message end
  for i, field in ipairs(list) do
    if field == ours then list[i] = tightened end
  end
  by_path[given.path] = tightened
end

-- The fields of one scenario with a partner's; or nil, the place of a mistake, and a message.
local function read_scenario(description, scenario, given, base)
  if type(given) ~= "table" then return nil, base, ("expected a table, found a %s"):format(type(given)) end
  for name in pairs(given) do
    if name ~= "fields" then
      return nil, base .. "." .. tostring(name), "no such key" .. suggest(name, { "fields" })
    end
  end
  if type(given.fields) ~= "table" then
    return nil, base .. ".fields", ("expected a list of fields, found a %s"):format(type(given.fields))
  end
  local list, by_path = rules.fields(description, scenario), {}
  for _, field in ipairs(list) do by_path[field.path] = field end
  local count = 0
  for _ in pairs(given.fields) do count = count + 1 end
  if count ~= #given.fields then return nil, base .. ".fields", "expected a list of fields" end
  for i, field in ipairs(given.fields) do
    local property, message = add_field(list, by_path, scenario, field)
    if message then return nil, place_of(base, i, property), message end
  end
  return list
end

-- The keys of `given`, sorted; or nil, the place of one that is not known, and a message.
local function known_keys(given, known, names, base)
  if type(given) ~= "table" then return nil, base, ("expected a table, found a %s"):format(type(given)) end
  local keys = {}
  for key in pairs(given) do
    if not known[key] then return nil, base .. "." .. tostring(key), "no such key" .. suggest(key, names) end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function compile(description, list, scenario)
  return schema.compile(list, {
    any_of = description.any_of,
    case = description.status_field,
    title = scenario and scenario.name,
  })
end

-- Compiles what is given for one API. Gives the place of a mistake and a message, if there is one.
local function read_api(compiled, description, given, base)
  local known = scenarios[description.name]
  local keys, place, message = known_keys(given, known, names_of(description.scenarios), base)
  for _, key in ipairs(keys or {}) do
    local list
    list, place, message = read_scenario(description, known[key], given[key], base .. "." .. key)
    if not list then return place, message end
    compiled[key] = compile(description, list, known[key])
  end
  return place, message
end

-- ---- public ------------------------------------------------------------------------------------

--- Reads a partner's additions.
-- @tparam[opt] table given `{ order = { MOVIE_TICKET = { fields = {...} } }, contract_card = {...} }`
-- @treturn[1] rules
-- @treturn[2] nil
-- @treturn[2] string the place of a mistake, such as "scenarios.order.MOVIE_TICKET.fields[1].type"
-- @treturn[2] string message
function rules.new(given)
  local self = setmetatable({ compiled = {} }, Rules)
  for _, name in ipairs(api.names) do self.compiled[name] = {} end
  local apis, place, message = known_keys(given or {}, api.by_name, api.names, "scenarios")
  for _, name in ipairs(apis or {}) do
    place, message = read_api(self.compiled[name], api.by_name[name], given[name], "scenarios." .. name)
    if message then break end
  end
  if message then return nil, place, message end
  return self
end

--- The scenario that a payload names.
-- @tparam table description of the API
-- @tparam table payload
-- @treturn ?table nil where it names none that is known
function rules.scenario(description, payload)
  local name = rawget(payload, description.scenario_field)
  return name ~= nil and scenarios[description.name][name] or nil
end

--- What a payload is checked against: the fields of its scenario, compiled at first use.
-- @tparam table description of the API
-- @tparam table payload
-- @treturn table compiled
function Rules:schema(description, payload)
  local scenario = rules.scenario(description, payload)
  local compiled, key = self.compiled[description.name], scenario and scenario.name or false
  if not compiled[key] then
    local list = scenario and rules.fields(description, scenario) or fields_of_none(description)
    compiled[key] = compile(description, list, scenario)
  end
  return compiled[key]
end

--- AlipayHK's rules alone.
rules.alipayhk = rules.new()

return rules
