-- The object that users of an outbox hold: reads arguments, makes of a payload what a store keeps, and has the floors
-- below do the rest. What each method takes and gives is described in `alipayhk.meta`.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local config_reader = require "alipayhk.config"
local drain = require "alipayhk.delivery.drain"
local event = require "alipayhk.delivery.event"
local events = require "alipayhk.exchange.events"
local fault = require "alipayhk.base.fault"
local json = require "alipayhk.base.json"
local list = require "alipayhk.base.list"
local platform = require "alipayhk.api.platform"
local request_builder = require "alipayhk.exchange.request"
local retry = require "alipayhk.exchange.retry"
local rules = require "alipayhk.rules"
local runtime = require "alipayhk.base.runtime"
local steps = require "alipayhk.rules.steps"
local store = require "alipayhk.delivery.store"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"

local Outbox = {}
Outbox.__index = Outbox
Outbox.__name = "alipayhk.outbox"

-- ---- the config --------------------------------------------------------------------------------------

local DEFAULTS = { max_age_ms = 86400000, lease_ms = 60000, validate = true }
-- A lease has to be longer than an attempt by this, or each would be taken over.
local LEASE_OVER_ATTEMPT_MS = 5000

local CHECKS = {
  store = store.url_fault,
  client = function(value)
    if type(value) == "table" and type(value.config) == "table" and type(value.transport) == "table" then return nil end
    return "expected what alipayhk.new gave, " .. arguments.found(value)
  end,
  client_id = config_reader.client_id_fault,
  validate = arguments.one_of { true, false, "strict" },
  scenarios = arguments.of_type("table"),
  max_age_ms = arguments.milliseconds(1),
  lease_ms = arguments.whole("milliseconds", 1),
  coalesce = arguments.one_of { "same_status" },
  on_event = arguments.of_type("function"),
}

local function fail(key, message)
  return nil, Error.new("config", ("`%s`: %s"):format(key, message), { code = key })
end

local KEYS = list.keys(CHECKS)

local function check_values(given)
  for name in pairs(given) do
    if not CHECKS[name] then
      return fail(text.shown(tostring(name), 64), "no such key" .. suggest.name(name, KEYS))
    end
  end
  for _, name in ipairs(KEYS) do
    local message = given[name] ~= nil and CHECKS[name](given[name])
    if message then return fail(name, message) end
  end
  if given.store == nil then return fail("store", "required: " .. store.FORM) end
  return given
end

-- What is the client's, where there is one.
local function check_client(given)
  local client = given.client
  if not client and not given.client_id then
    return fail("client", "give `client`, which delivers, or at least `client_id`, which is enough for `put`")
  end
  if not client then return given end
  if given.client_id and given.client_id ~= client.config.client_id then
    return fail("client_id", "it is not that of `client`: leave it out")
  end
  for _, name in ipairs { "validate", "scenarios" } do
    if given[name] ~= nil then return fail(name, "it is the client's: give it to alipayhk.new") end
  end
  local least_ms = client.config.timeout_ms + LEASE_OVER_ATTEMPT_MS
  if (given.lease_ms or DEFAULTS.lease_ms) < least_ms then
    return fail("lease_ms", ("expected at least the client's timeout_ms and %d more, which is %d"):format(
      LEASE_OVER_ATTEMPT_MS, least_ms))
  end
  return given
end

-- What `request_builder.freeze` needs, without keys.
local function freezing_config(given)
  local in_force, place, message = rules.of(given.scenarios)
  if not in_force then return fail(place, message) end
  local validate = given.validate
  if validate == nil then validate = DEFAULTS.validate end
  return { rules = in_force, validate = validate, now = runtime.now, clock = "this machine's clock" }
end

local function store_error(failed, fields)
  fields = fields or {}
  fields.code, fields.retryable = failed.code, failed.is_retryable
  return Error.new("store", failed.message, fields)
end

-- Opens an outbox; or nil and an error of kind "config" or "store".
local function new(given)
  local checked, err = check_values(given)
  if checked then checked, err = check_client(checked) end
  if not checked then return nil, err end
  local client, config = given.client, nil
  if not client then config, err = freezing_config(given) end
  if err then return nil, err end
  config = config or client.config
  local opened, failed = store.open(given.store, {
    client_id = given.client_id or config.client_id,
    lease_ms = given.lease_ms or DEFAULTS.lease_ms,
    delay_max_ms = event.DELAY_MAX_MS,
    coalesce = given.coalesce ~= nil,
  })
  if not opened then return nil, store_error(failed) end
  return setmetatable({
    client = client,
    store = opened,
    config = config,
    max_age_ms = given.max_age_ms or DEFAULTS.max_age_ms,
    told = { on_event = given.on_event or config.on_event },
    closed = false,
  }, Outbox)
end

-- ---- arguments: one of the wrong type is thrown, at the caller's line ------------------------------

local KEY_MAX = 128

local PUT_OPTIONS = {
  key = function(value)
    if type(value) == "string" and #value >= 1 and #value <= KEY_MAX and not value:find("[" .. text.CONTROL .. "]") then
      return nil
    end
    return ("expected a string of 1 to %d bytes without control characters"):format(KEY_MAX)
  end,
  previous_status = arguments.of_type("string"),
  replicas = arguments.whole("replicas", 1, 100),
}

-- Both stores count.
local function id_fault(value)
  if type(value) == "string" and value:find("^[0-9]+$") and #value <= 16 then return nil end
  return "expected an id, as `put` and `list` give it"
end

local LIST_OPTIONS = {
  state = arguments.one_of { "waiting", "sending", "accepted", "parked", "superseded", "dropped" },
  merchant_biz_no = arguments.of_type("string"),
  limit = arguments.whole("events", 1, 10000),
  after = id_fault,
}

local PURGE_OPTIONS = { older_than_ms = arguments.milliseconds(0) }

local function is_outbox(self)
  return type(self) == "table" and getmetatable(self) == Outbox
end

-- Called first by every method. `message`: of what is wrong with its arguments.
local function check_call(self, method, message)
  if not is_outbox(self) then
    message = ("called without its outbox; call it with a colon, as outbox:%s(...)"):format(method)
  elseif self.closed then
    message = "the outbox is closed"
  end
  if message then error(("%s: %s"):format(method, message), 3) end
end

-- ---- put ---------------------------------------------------------------------------------------------

local SEQUENCE_TRIES = 12

local function invalid(path, code, message)
  return nil, Error.new("invalid", message, { code = code, fields = { fault.new(path, code, message) } })
end

-- Gives times later than an event's. The more others put events of the same order at the same moment, the further they
-- lie apart.
local function later_than(newest_ms, tries)
  local step_ms = tries <= 2 and 1 or 1 + math.floor(retry.random() * 2 ^ (tries - 2))
  return function(now_ms) return math.max(now_ms, newest_ms + step_ms) end
end

-- The record of a payload, and its warnings; or nil and an error. `next_ms`: what gives a time that is filled in.
local function new_record(self, description, payload, opts, next_ms)
  local frozen, err = request_builder.freeze(self.config, description, payload, opts.previous_status, next_ms)
  if not frozen then return nil, err end
  local complete, identity = frozen.payload, platform.identity
  local biz_no = json.id_text(complete[identity.merchant_biz_no])
  local sequence = description.sequence_field
  if not biz_no then
    return invalid(identity.merchant_biz_no, "missing", "an event of no order cannot be kept in order")
  end
  if type(complete[sequence]) ~= "number" then
    return invalid(sequence, "type", sequence .. " has to be a number: it says which event is the later one")
  end
  local status = json.id_text(complete[description.status_field])
  return {
    api = description.name,
    merchant_biz_no = biz_no,
    request_id = json.id_text(complete[identity.request_id]),
    status = status,
    alike = ("%s %s"):format(status, json.id_text(complete[description.command_field]) or ""),
    sequence_ms = complete[sequence],
    is_filled = frozen.by_clock ~= nil,
    key = opts.key,
    body = frozen.body,
  }, frozen.warnings
end

local function stale(description, newest_ms)
  local field = description.sequence_field
  return invalid(field, "stale", ("%s is older than that of an event which was put before, %.0f: put what is true now, "
    .. "with a later time or none"):format(field, newest_ms))
end

-- Puts a payload, with a later time where one is filled in and another process has put a later event meanwhile.
local function put(self, description, payload, opts)
  local newest_ms = 0
  for tries = 1, SEQUENCE_TRIES do
    local record, warnings = new_record(self, description, payload, opts, later_than(newest_ms, tries))
    if not record then return nil, warnings end
    local results, failed = self.store:put({ record }, opts)
    if not results then return nil, store_error(failed) end
    local result = results[1]
    if not result.newest_ms then return record, warnings, result end
    if not record.is_filled then return stale(description, result.newest_ms) end
    newest_ms = result.newest_ms
  end
  return nil, store_error {
    code = "locked", is_retryable = true, message = "others put events of this order without end: put it again",
  }
end

-- The step from the event that was put before: where it looks wrong, the order is sent all the same.
local function step_warning(self, description, payload, record, result)
  local scenario = self.config.rules:form(description, payload).scenario
  if not (scenario and result.previous_status and record.status) then return nil end
  local message = steps.fault(scenario, result.previous_status, record.status)
  return message and fault.new(description.status_field, "transition", message)
end

local function too_few_replicas(record, result, wanted)
  return store_error({
    code = "replicas", is_retryable = true,
    message = ("it was stored, but %d of %d replicas have it: it goes out all the same, and may be lost if the primary "
      .. "fails now"):format(result.replicas, wanted),
  }, { id = result.id, request_id = record.request_id })
end

local function put_fault(self, payload, opts)
  local wrong = arguments.type_fault(payload, "table") or arguments.options_fault(opts, PUT_OPTIONS)
  if not wrong and opts and opts.replicas and is_outbox(self) and not self.store.has_replicas then
    return "opts.replicas: only a Redis has replicas"
  end
  return wrong
end

function Outbox:put(payload, opts)
  check_call(self, "put", put_fault(self, payload, opts))
  local description = api.of(payload)
  if not description then return invalid("", "type", api.none_fault "it") end
  opts = opts or {}
  local record, warnings, result = put(self, description, payload, opts)
  if not record then return nil, warnings end
  if not result.exists then events.emit(self.told, record, events.of_outbox, "put", result) end
  if opts.replicas and result.replicas < opts.replicas then
    return nil, too_few_replicas(record, result, opts.replicas)
  end
  if result.exists then return result.id, "exists" end
  local warning = not opts.previous_status and self.config.validate and step_warning(self, description, payload, record,
    result) or nil
  if warning then warnings[#warnings + 1] = warning end
  return result.id, nil, warnings
end

-- ---- the rest ------------------------------------------------------------------------------------------

-- Inside nginx a request may end at any time, with its client: what it claimed would be under way for ever.
local function is_in_request()
  local ngx = runtime.nginx()
  return ngx and ngx.get_phase() ~= "timer"
end

local function client_fault(self)
  if not is_outbox(self) then return nil end
  if is_in_request() then return "inside nginx it runs in a timer: ngx.timer.at(0, ...), see docs/nginx.md" end
  if not self.client then return "only an outbox that was given a `client` delivers" end
  if self.is_delivering then return "it is under way already" end
  return self.client.closed and "the client is closed" or nil
end

-- Ends a delivery, or what of it was closed meanwhile.
local function end_delivery(self, ran, totals, failed)
  self.is_delivering = false
  if self.closed then self.store:close() end
  if not ran then error(totals, 0) end
  if not totals then return nil, store_error(failed) end
  return totals
end

function Outbox:deliver(opts)
  check_call(self, "deliver", arguments.options_fault(opts, drain.CHECKS) or client_fault(self))
  self.is_delivering = true
  return end_delivery(self, pcall(drain.run, self, opts or {}))
end

-- What a store gives; or nil and an error.
local function given(result, failed)
  if result == nil then return nil, store_error(failed) end
  return result
end

function Outbox:stats()
  check_call(self, "stats")
  return given(self.store:stats())
end

function Outbox:list(opts)
  check_call(self, "list", arguments.options_fault(opts, LIST_OPTIONS))
  return given(self.store:list(opts or {}))
end

function Outbox:body(id)
  check_call(self, "body", id_fault(id))
  return given(self.store:body(id))
end

function Outbox:retry(id)
  check_call(self, "retry", id_fault(id))
  local is_done, failed = self.store:retry(id)
  if failed and failed.code == "stale" then return nil, Error.new("invalid", failed.message, { code = "stale" }) end
  return given(is_done, failed)
end

function Outbox:drop(id)
  check_call(self, "drop", id_fault(id))
  return given(self.store:drop(id))
end

function Outbox:purge(opts)
  local wrong = arguments.options_fault(opts, PURGE_OPTIONS)
  if not wrong and not (opts and opts.older_than_ms) then wrong = "opts.older_than_ms: required" end
  check_call(self, "purge", wrong)
  return given(self.store:purge(opts.older_than_ms))
end

-- Gives back what it holds open; a delivery that is under way is ended, and does that then. The client stays open: it
-- is its owner's.
function Outbox:close()
  if not is_outbox(self) or self.closed then return end
  self.closed = true
  if not self.is_delivering then self.store:close() end
end

Outbox.__close = Outbox.close
Outbox.__gc = Outbox.close

function Outbox:__tostring()
  return ("alipayhk.outbox (%s)"):format(self.closed and "closed" or "open")
end

return { new = new }
