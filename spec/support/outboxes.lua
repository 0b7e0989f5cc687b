-- Outboxes over new files, whose AlipayHK is a function (spec/support/doubles/alipayhk_double.lua).

local alipayhk = require "alipayhk"
local databases = require "spec.support.databases"
local json = require "alipayhk.base.json"
local redis = require "spec.support.servers.redis"
local samples = require "spec.support.data.samples"

local outboxes = {}

local FAST = { retry = { base_delay_ms = 1 } }

local HOLDS_ANOTHER = json.encode {
  result = { resultCode = "SUCCESS", resultStatus = "S", resultMessage = "success" }, orderStatus = "USED",
}

outboxes.UNTIL_EMPTY = { until_empty = true }

local opened = {}

-- For after_each.
function outboxes.close_all()
  for _, outbox in ipairs(opened) do outbox:close() end
  opened = {}
end

-- Opens one: it and its path. `values`: of its config, and `path`, of a file that is there;
-- `config`: over that of its client.
function outboxes.open(gateway, values, config)
  local path = values and values.path or databases.path()
  local given = { store = "sqlite:" .. path }
  for name, value in pairs(values or {}) do
    if name ~= "path" then given[name] = value end
  end
  if not given.client_id then given.client = gateway:client(config) end
  local outbox = assert(alipayhk.outbox(given))
  opened[#opened + 1] = outbox
  return outbox, path
end

-- What the gateway got, oldest first.
function outboxes.sent(gateway)
  local payloads = {}
  for i, request in ipairs(gateway.requests) do payloads[i] = json.decode(request.plaintext) end
  return payloads
end

-- A list that `on_event` fills: the names of the events of the outbox itself, "put accepted" as one text.
function outboxes.hearing()
  local heard = {}
  local names = { put = true, sending = true, accepted = true, parked = true, later = true, lease_lost = true,
    superseded = true, store = true }
  return heard, function(event)
    if names[event.name] then heard[#heard + 1] = event end
  end
end

function outboxes.names(heard)
  local names = {}
  for i, event in ipairs(heard) do names[i] = event.name end
  return table.concat(names, " ")
end

-- What putting a payload gives that a replica is to have, in a Redis that has none.
function outboxes.put_without_replicas(payload)
  local server = redis.start()
  local outbox = assert(alipayhk.outbox { store = server.url(), client_id = "4Q5Y8W0WSG45P907917" })
  local id, err = outbox:put(payload, { replicas = 1 })
  outbox:close()
  server.stop()
  return id, err
end

-- ---- every event there is ----------------------------------------------------------------------------

-- An event that waits for another attempt, one that another made needless, and one that AlipayHK has a later one of.
local function live_long(gateway, on_event)
  local biz_no = samples.biz_no()
  local outbox = outboxes.open(gateway, { on_event = on_event, coalesce = "same_status" }, FAST)
  for _ = 1, 2 do assert(outbox:put(samples.order { merchantBizNo = biz_no })) end
  gateway:answers { { failure = "timeout" }, { body = HOLDS_ANOTHER } }
  assert(outbox:deliver(outboxes.UNTIL_EMPTY).accepted == 1)
end

local function be_refused(gateway, on_event)
  local outbox = outboxes.open(gateway, { on_event = on_event })
  assert(outbox:put(samples.order()))
  gateway:answers { { code = "PARAM_ILLEGAL", status = "F" } }
  assert(outbox:deliver(outboxes.UNTIL_EMPTY).parked == 1)
end

-- Somebody removes the file by which one process delivers; so another one does, while this one's event is under way.
local function be_taken_over(gateway, on_event)
  local path, is_lost, other = databases.path(), false, nil
  local outbox = outboxes.open(gateway, { path = path, on_event = function(event)
    is_lost = is_lost or event.name == "lease_lost"
    on_event(event)
  end }, { transport = function(request)
    assert(os.remove(path .. "-deliver"))
    assert(other.store:begin_delivery())
    return gateway:receive(request)
  end })
  other = outboxes.open(gateway, { path = path, client_id = gateway.client_id })
  assert(outbox:put(samples.order()))
  outbox:deliver { stop = function() return is_lost end }
  assert(is_lost)
end

local function lose_the_store(gateway, on_event)
  local path = databases.path()
  local outbox = outboxes.open(gateway, { path = path, on_event = on_event }, { transport = function(request)
    assert(os.remove(path))
    return gateway:receive(request)
  end })
  assert(outbox:put(samples.order()))
  local _, err = outbox:deliver()
  assert(err.code == "gone")
end

-- Has everything happen that an outbox tells its `on_event`.
function outboxes.live_through(gateway, on_event)
  live_long(gateway, on_event)
  be_refused(gateway, on_event)
  be_taken_over(gateway, on_event)
  lose_the_store(gateway, on_event)
  outboxes.close_all()
end

return outboxes
