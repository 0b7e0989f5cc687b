-- The rules for payloads: AlipayHK's, and those that a partner adds to them.

local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local fields = require "alipayhk.schema.fields"
local list = require "alipayhk.base.list"
local schema = require "alipayhk.schema"
local suggest = require "alipayhk.base.suggest"

local Rules = {}
Rules.__index = Rules

local rules = {}

-- Scenarios by the name of the API and their own.
local scenarios = {}
for name, description in pairs(api.by_name) do
  scenarios[name] = {}
  for _, scenario in ipairs(description.scenarios) do scenarios[name][scenario.name] = scenario end
end

-- ---- the fields of a scenario ------------------------------------------------------------------

-- A copy of a field with other properties added.
local function with(field, extra)
  local result = {}
  for name, value in pairs(field) do result[name] = value end
  for name, value in pairs(extra) do result[name] = value end
  return result
end

-- The names of the statuses in which nothing is shown any more; nil if there are none.
local function closing(scenario)
  local names = {}
  for _, status in ipairs(scenario.statuses) do
    if status.closes then names[#names + 1] = status.name end
  end
  return #names > 0 and names or nil
end

-- The fields of the API, completed by what follows from the scenario, which may be nil: the allowed names of scenarios,
-- the allowed statuses, and the statuses in which texts are not expected.
local function base_fields(description, scenario)
  local result = {}
  for i, field in ipairs(description.fields) do
    if field.path == description.scenario_field then
      field = with(field, { enum = list.names(description.scenarios) })
    elseif field.path == description.status_field and scenario then
      field = with(field, { enum = list.names(scenario.statuses) })
    elseif field.path == description.texts_field and scenario then
      field = with(field, { except_when = closing(scenario) })
    end
    result[i] = field
  end
  return result
end

-- A list of the fields of a scenario: the API's, then its own. `description`: that of the API.
function rules.fields(description, scenario)
  local result = base_fields(description, scenario)
  for _, field in ipairs(scenario.fields) do result[#result + 1] = field end
  return result
end

-- The fields for a payload whose scenario is not known: the API's, and every top-level field that some scenario has,
-- with any type.
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

-- The place of a mistake in the config.
local function place_of(base, i, property)
  return ("%s.fields[%d]%s"):format(base, i, property and "." .. property or "")
end

-- The property and a message if a property names a status that the scenario does not have: it would never apply.
local function status_fault(scenario, field)
  local names = list.names(scenario.statuses)
  for _, property in ipairs { "required_when", "expected_when", "except_when" } do
    for _, name in ipairs(field[property] or {}) do
      if not list.includes(names, name) then
        return property, ("%s has no status \"%s\"%s"):format(scenario.name, name, suggest.name(name, names))
      end
    end
  end
end

-- A copy of a scenario's list of fields, to which a partner's are added one by one.
local function new_draft(description, scenario)
  local draft = { scenario = scenario, fields = rules.fields(description, scenario), by_key = {} }
  for _, field in ipairs(draft.fields) do draft.by_key[fields.key(field.path)] = field end
  return draft
end

-- Puts a field over one in the draft; the property and a message if that cannot be done.
local function tighten(draft, known, given)
  local field, property, message = fields.tighten(known, given)
  if not field then return property, message end
  field.path = known.path -- the partner may call the wildcards otherwise
  for i, entry in ipairs(draft.fields) do
    if entry == known then draft.fields[i] = field end
  end
  draft.by_key[fields.key(field.path)] = field
end

-- Adds a field that the draft does not have; the property and a message if that cannot be done.
local function append(draft, given)
  local property, message = fields.fault_among(given, draft.by_key)
  if message then return property, message end
  draft.fields[#draft.fields + 1] = given
  draft.by_key[fields.key(given.path)] = given
end

-- Checks one field, and adds it to the draft; the property and a message if that cannot be done.
local function add_field(draft, given)
  local property, message = fields.fault(given)
  if message then return property, message end
  property, message = status_fault(draft.scenario, given)
  if message then return property, message end
  local known = draft.by_key[fields.key(given.path)]
  if known then return tighten(draft, known, fields.copy(given)) end
  return append(draft, fields.copy(given))
end

-- The sorted keys of `given`; or nil, the place of an unknown key, and a message. `known`: a table with the known keys;
-- `names`: a list of them.
local function known_keys(given, known, names, base)
  local fault = arguments.type_fault(given, "table")
  if fault then return nil, base, fault end
  for key in pairs(given) do
    if not known[key] then return nil, base .. "." .. tostring(key), "no such key" .. suggest.name(key, names) end
  end
  return list.keys(given)
end

-- The fields of a scenario with those that a partner gives; or nil, the place of a mistake in the config and a message.
local function read_scenario(description, scenario, given, base)
  local keys, place, wrong = known_keys(given, { fields = true }, { "fields" }, base)
  if not keys then return nil, place, wrong end
  if type(given.fields) ~= "table" or not list.is_list(given.fields) then
    return nil, base .. ".fields", "expected a list of fields, " .. arguments.found(given.fields)
  end
  local draft = new_draft(description, scenario)
  for i, field in ipairs(given.fields) do
    local property, message = add_field(draft, field)
    if message then return nil, place_of(base, i, property), message end
  end
  for i, field in ipairs(given.fields) do
    local property, message = fields.fault_in_all(draft.by_key[fields.key(field.path)], draft.by_key)
    if message then return nil, place_of(base, i, property), message end
  end
  return draft.fields
end

-- A form, which is what payloads of a scenario are checked against. `all`: its fields; `scenario` is nil in the form
-- for payloads whose scenario is not known.
local function new_form(description, all, scenario)
  return {
    description = description,
    scenario = scenario,
    schema = schema.compile(all, {
      any_of = description.any_of,
      case = description.status_field,
      title = scenario and scenario.name,
    }),
  }
end

-- Compiles what a partner gives for one API; the place of a mistake and a message if there is one.
local function read_api(forms, description, given, base)
  local known = scenarios[description.name]
  local keys, place, message = known_keys(given, known, list.names(description.scenarios), base)
  for _, key in ipairs(keys or {}) do
    local all
    all, place, message = read_scenario(description, known[key], given[key], base .. "." .. key)
    if not all then return place, message end
    forms[key] = new_form(description, all, known[key])
  end
  return place, message
end

-- ---- public ------------------------------------------------------------------------------------

-- Makes rules. `given`: a partner's additions or nil, as in
-- `{ order = { MOVIE_TICKET = { fields = {...} } }, contract_card = {...} }`. Gives the rules; or nil, the place of a
-- mistake such as "scenarios.order.MOVIE_TICKET.fields[1].type", and a message.
function rules.new(given)
  local self = setmetatable({ forms = {} }, Rules)
  for _, name in ipairs(api.names) do self.forms[name] = {} end
  local apis, place, message = known_keys(given or {}, api.by_name, api.names, "scenarios")
  for _, name in ipairs(apis or {}) do
    place, message = read_api(self.forms[name], api.by_name[name], given[name], "scenarios." .. name)
    if message then break end
  end
  if message then return nil, place, message end
  return self
end

-- The form for a payload, by the scenario that it names: `{ description, scenario, schema }`. `scenario` is nil if the
-- payload names no known one. A form is compiled when it is first used.
function Rules:form(description, payload)
  local forms, name = self.forms[description.name], rawget(payload, description.scenario_field)
  local scenario = name ~= nil and scenarios[description.name][name] or nil
  local key = scenario and scenario.name or false
  if not forms[key] then
    local all = scenario and rules.fields(description, scenario) or fields_of_none(description)
    forms[key] = new_form(description, all, scenario)
  end
  return forms[key]
end

-- AlipayHK's rules without a partner's.
rules.alipayhk = rules.new()

-- AlipayHK's rules, with a partner's where there are any: as `rules.new`.
function rules.of(given)
  if given == nil then return rules.alipayhk end
  return rules.new(given)
end

return rules
