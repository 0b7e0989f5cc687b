-- The orders and notifications that the local gateway has been told of, in a shared dict of nginx: what each event of
-- them changes, and what is answered.

local core = require "alipayhk.core"
local json = require "alipayhk.base.json"
local platform = require "alipayhk.api.platform"
local rules = require "alipayhk.rules"
local steps = require "alipayhk.rules.steps"

local orders = {}

local DAY_MS = 24 * 60 * 60 * 1000
local OLDER = "success (older than what is stored: ignored)"

local function key_of(description, client, payload)
  return ("%s:%s:%s"):format(client.client_id, description.name, payload[platform.identity.merchant_biz_no])
end

local function load(key)
  local stored = ngx.shared.orders:get(key)
  return stored and json.decode(stored)
end

local function save(key, stored)
  assert(ngx.shared.orders:set(key, json.encode(stored)))
end

-- A message for a step that a rule on AlipayHK's pages forbids; steps that are only inferred to be wrong pass.
local function step_fault(description, stored, payload)
  if not stored or stored.scenario ~= payload[description.scenario_field] then return nil end
  local scenario = rules.alipayhk:form(description, payload).scenario
  local fault, is_warning = steps.fault(scenario, stored.status, payload[description.status_field])
  return not is_warning and fault or nil
end

-- What an answer shows of a stored event: the fields among these that the API's answers have.
local function shown(description, stored)
  local known, body = { orderId = stored.order_id, orderStatus = stored.status }, {}
  for _, field in ipairs(description.response) do body[field.path] = known[field.path] end
  return body
end

-- Stores an event unless a later one is stored. It is atomic: there is one worker, and no yield from load to save.
local function keep(description, client, payload)
  local key = key_of(description, client, payload)
  local stored = load(key)
  local sequence = payload[description.sequence_field]
  if stored and sequence < stored.sequence then return "SUCCESS", OLDER, shown(description, stored) end
  local fault = step_fault(description, stored, payload)
  if fault then return "ORDER_STATUS_INVALID", fault end
  stored = {
    sequence = sequence,
    status = payload[description.status_field],
    scenario = payload[description.scenario_field],
    order_id = stored and stored.order_id or ("LOCAL%012d"):format(ngx.shared.orders:incr("orders", 1, 0)),
  }
  save(key, stored)
  return "SUCCESS", nil, shown(description, stored)
end

-- The APIs that do more than `keep`.
local apply = {}

function apply.contract_card(description, client, payload)
  local key = key_of(description, client, payload)
  local stored = load(key)
  local sequence, status = payload[description.sequence_field], payload[description.status_field]
  local valid = stored and stored.end_date > core.now() * 1000
  if payload.command == "SEND" then
    if valid then return "UN_SUPPORT_BUSINESS" end
  else
    if not stored then return "ORDER_NOT_FOUND" end
    if not valid then return "SUCCESS", "success (the notification is no longer valid: ignored)" end
    if sequence < stored.sequence then return "SUCCESS", OLDER end
    local fault = step_fault(description, stored, payload)
    if fault then return "ORDER_STATUS_INVALID", fault end
  end
  save(key, {
    sequence = sequence, status = status, scenario = payload[description.scenario_field],
    end_date = payload.endDate or valid and stored.end_date or math.floor(core.now() * 1000) + DAY_MS,
  })
  return "SUCCESS"
end

-- What comes of an event of a client, whose payload has been checked: a result code, a message where there is more to
-- say than the code does (with SUCCESS: the event was ignored, and why), and further fields of the answer.
function orders.apply(description, client, payload)
  return (apply[description.name] or keep)(description, client, payload)
end

-- The status that is stored for the order or notification of a payload, if it is of the same scenario; nil for none.
function orders.status(description, client, payload)
  local stored = load(key_of(description, client, payload))
  return stored and stored.scenario == payload[description.scenario_field] and stored.status or nil
end

return orders
