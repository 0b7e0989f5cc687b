-- What the explorer of the gateway's page asks for: the APIs with their scenarios, a check of a payload, and an order
-- that is sent to the gateway as a merchant sends it.

local alipayhk = require "alipayhk"
local api = require "alipayhk.api"
local check = require "alipayhk.rules.check"
local clients = require "clients"
local json = require "alipayhk.base.json"
local list = require "alipayhk.base.list"
local orders = require "orders"
local platform = require "alipayhk.api.platform"
local rules = require "alipayhk.rules"
local sample = require "alipayhk.rules.sample"
local steps = require "alipayhk.rules.steps"

local explorer = {}

local FAULTS_MAX = 100

-- ---- what there is -----------------------------------------------------------------------------

-- A list for JSON, of what `convert` makes of each.
local function each(entries, convert)
  local converted = {}
  for i, entry in ipairs(entries) do converted[i] = convert(entry) end
  return #converted > 0 and converted or json.empty_array
end

local function itself(value) return value end

local function statuses_of(scenario)
  return each(scenario.statuses, function(status)
    return {
      name = status.name, meaning = status.meaning, effect = status.effect, closes = status.closes,
      may_follow = each(steps.after(scenario, status.name), itself),
    }
  end)
end

local FIELD = { "path", "type", "unit", "format", "enum", "keys", "required", "required_when", "note" }

local function fields_of(description, scenario)
  return each(rules.fields(description, scenario), function(field)
    local shown = {}
    for _, name in ipairs(FIELD) do shown[name] = field[name] end
    return shown
  end)
end

local function scenario_of(description, scenario)
  local compiled = rules.alipayhk:form(description, scenario.sample).schema
  return {
    name = scenario.name, title = scenario.title, summary = scenario.summary, note = scenario.sample_note,
    statuses = statuses_of(scenario),
    fields = fields_of(description, scenario),
    unknown = each(scenario.unknown or {}, itself),
    sample = sample.passed(sample.as_written(scenario, compiled), compiled),
  }
end

local function api_of(name)
  local description = api.by_name[name]
  return {
    name = name, title = description.title, noun = description.noun, path = description.path,
    scenario_field = description.scenario_field, status_field = description.status_field,
    texts_field = description.texts_field, order_field = platform.identity.merchant_biz_no,
    scenarios = each(description.scenarios, function(scenario) return scenario_of(description, scenario) end),
  }
end

-- The APIs with their scenarios, and the clients that can send.
function explorer.about()
  return {
    base_url = clients.base_url(), ca_file = clients.directory .. "/ca.pem",
    apis = each(api.names, api_of),
    clients = each(clients.local_ids, function(id)
      local client = clients.by_id[id]
      return { id = id, algorithm = client.signing.algorithm, encrypts = client.kind == "rsa" }
    end),
  }
end

-- ---- checking and sending ----------------------------------------------------------------------

-- The description of the API, the client and the payload of `{ api, client_id, payload }`; or nil and a message. The
-- payload is a text.
local function read(asked)
  local description = api.by_name[asked.api]
  local client = list.includes(clients.local_ids, asked.client_id) and clients.by_id[asked.client_id]
  if not description then return nil, "`api`: no such API" end
  if not client then return nil, "`client_id`: no such client" end
  if type(asked.payload) ~= "string" then return nil, "`payload`: expected a string" end
  local payload, fault = json.decode_object(asked.payload)
  return description, client, payload, not payload and fault or nil
end

local function faults_of(found)
  local shown = {}
  for i = 1, math.min(#(found or {}), FAULTS_MAX) do
    shown[i] = { path = found[i].path, code = found[i].code, message = found[i].message }
  end
  return #shown > 0 and shown or json.empty_array
end

-- The faults of a payload, the step from the status that the gateway holds included, and the warnings about it. What a
-- client fills in may be absent, and an object that travels as a string may be one. Nil and a message for wrong
-- arguments.
function explorer.check(asked)
  local description, client, payload, fault = read(asked)
  if not description then return nil, client end
  if not payload then
    return { faults = { { path = "", code = "type", message = fault } }, warnings = json.empty_array }
  end
  local previous = orders.status(description, client, payload)
  local ok, found = check.payload(rules.alipayhk:form(description, payload), payload, { previous_status = previous })
  return {
    previous_status = previous,
    faults = faults_of(not ok and found.fields), warnings = faults_of(ok and found or not ok and found.warnings),
  }
end

local senders = {}

-- A client of the library with the merchant's key. It checks nothing, so that one sees what the gateway says.
local function sender(client)
  local id, directory = client.client_id, clients.directory
  senders[id] = senders[id] or assert(alipayhk.new {
    client_id = id,
    base_url = clients.base_url(),
    algorithm = client.signing.algorithm,
    private_key = { file = ("%s/merchant-%s.pem"):format(directory, client.kind) },
    alipay_public_key = { file = ("%s/alipayhk-%s.pub"):format(directory, client.kind) },
    retry = false,
    validate = false,
  })
  return senders[id]
end

-- Sends a payload to this gateway, over its own address: gives the id of the request, by which it can be found among
-- the others, and what went wrong, if anything did. Nil and a message for wrong arguments.
function explorer.send(asked)
  local description, client, payload, fault = read(asked)
  if not description then return nil, client end
  if not payload then return { message = "the payload is " .. fault } end
  local request, err = sender(client):prepare(description.name, payload, { encrypt = asked.encrypt == true })
  if not request then return { message = tostring(err) } end
  local response
  response, err = sender(client):send(request)
  return { request_id = request.request_id, message = not response and tostring(err) or nil }
end

return explorer
