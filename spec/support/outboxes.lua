-- Outboxes over new stores, whose AlipayHK is a function (spec/support/doubles/alipayhk_double.lua).
--
--     for _, kind in ipairs(outboxes.kinds) do
--       describe("an outbox over " .. kind.name, function()
--         setup(kind.start)
--         teardown(kind.stop)
--         ... outboxes.open(kind, gateway) ...
--
-- The stores are `outboxes.file` and `outboxes.redis`; the latter is one server while the specs of a file run.

local alipayhk = require "alipayhk"
local databases = require "spec.support.databases"
local json = require "alipayhk.base.json"
local redis_server = require "spec.support.servers.redis"
local samples = require "spec.support.data.samples"

local outboxes = {}

local FAST = { retry = { base_delay_ms = 1 } }

local HOLDS_ANOTHER = json.encode {
  result = { resultCode = "SUCCESS", resultStatus = "S", resultMessage = "success" }, orderStatus = "USED",
}

outboxes.UNTIL_EMPTY = { until_empty = true }

-- ---- stores ----------------------------------------------------------------------------------------

-- A place has the `url` of a store that nobody has used yet, and a judge that shares no code with it:
--
--     states()            the states of all events, in the order in which they were put, a line each
--     body(id)            what is stored as the body of one
--     set_body(id, bytes) puts another in its place

local function bytes_of(hex)
  return (hex:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function hex_of(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

outboxes.file = { name = "a file", start = function() end, stop = function() end }

function outboxes.file.new()
  local path = databases.path()
  local place = { url = "sqlite:" .. path, path = path }
  function place.states() return databases.judge(path, "SELECT state FROM event ORDER BY id") end
  function place.body(id) return bytes_of(databases.judge(path, "SELECT hex(body) FROM event WHERE id = " .. id)) end
  function place.set_body(id, bytes)
    databases.judge(path, ("UPDATE event SET body = x'%s' WHERE id = %s"):format(hex_of(bytes), id))
  end
  return place
end

outboxes.redis = { name = "a Redis" }

local STATES = [[
local found = {}
for _, state in ipairs { "waiting", "sending", "parked", "accepted", "superseded", "dropped" } do
  for _, key in ipairs(redis.call("KEYS", "*:" .. state)) do
    for _, id in ipairs(redis.call("ZRANGE", key, 0, -1)) do found[#found + 1] = id .. " " .. state end
  end
end
table.sort(found)
return found]]

local BODY = [[
for _, key in ipairs(redis.call("KEYS", "*:bodies")) do
  local body = redis.call("HGET", key, ARGV[1])
  if body and ARGV[2] then redis.call("HSET", key, ARGV[1], ARGV[2]) end
  if body then return body end
end]]

function outboxes.redis.start() outboxes.redis.server = redis_server.start() end

function outboxes.redis.stop() outboxes.redis.server.stop() end

function outboxes.redis.new()
  local server = outboxes.redis.server
  server.cli "flushall"
  local place = { url = server.url() }
  function place.states() return (server.cli("eval", STATES, "0"):gsub("%d+ ", "")) end
  function place.body(id) return server.cli("eval", BODY, "0", id) end
  function place.set_body(id, bytes) server.cli("eval", BODY, "0", id, bytes) end
  return place
end

outboxes.kinds = { outboxes.file, outboxes.redis }

-- ---- outboxes --------------------------------------------------------------------------------------

local opened = {}

-- For after_each.
function outboxes.close_all()
  for _, outbox in ipairs(opened) do outbox:close() end
  opened = {}
end

-- Opens one: it and its place. `values`: of its config, and `place`, one that was used before; `config`: over that of
-- its client.
function outboxes.open(kind, gateway, values, config)
  local place = values and values.place or kind.new()
  local given = { store = place.url }
  for name, value in pairs(values or {}) do
    if name ~= "place" then given[name] = value end
  end
  if not given.client_id then given.client = gateway:client(config) end
  local outbox = assert(alipayhk.outbox(given))
  opened[#opened + 1] = outbox
  return outbox, place
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
    standing_by = true,
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
  local server = redis_server.start()
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
  local outbox = outboxes.open(outboxes.file, gateway, { on_event = on_event, coalesce = "same_status" }, FAST)
  for _ = 1, 2 do assert(outbox:put(samples.order { merchantBizNo = biz_no })) end
  gateway:answers { { failure = "timeout" }, { body = HOLDS_ANOTHER } }
  assert(outbox:deliver(outboxes.UNTIL_EMPTY).accepted == 1)
end

local function be_refused(gateway, on_event)
  local outbox = outboxes.open(outboxes.file, gateway, { on_event = on_event })
  assert(outbox:put(samples.order()))
  gateway:answers { { code = "PARAM_ILLEGAL", status = "F" } }
  assert(outbox:deliver(outboxes.UNTIL_EMPTY).parked == 1)
end

-- Somebody removes the file by which one process delivers; so another one does, while this one's event is under way.
local function be_taken_over(gateway, on_event)
  local place, is_lost, other = outboxes.file.new(), false, nil
  local outbox = outboxes.open(outboxes.file, gateway, { place = place, on_event = function(event)
    is_lost = is_lost or event.name == "lease_lost"
    on_event(event)
  end }, { transport = function(request)
    assert(os.remove(place.path .. "-deliver"))
    assert(other.store:begin_delivery())
    return gateway:receive(request)
  end })
  other = outboxes.open(outboxes.file, gateway, { place = place, client_id = gateway.client_id })
  assert(outbox:put(samples.order()))
  outbox:deliver { stop = function() return is_lost end }
  assert(is_lost)
end

local function lose_the_store(gateway, on_event)
  local place = outboxes.file.new()
  local function transport(request)
    assert(os.remove(place.path))
    return gateway:receive(request)
  end
  local values = { place = place, on_event = on_event }
  local outbox = outboxes.open(outboxes.file, gateway, values, { transport = transport })
  assert(outbox:put(samples.order()))
  local _, err = outbox:deliver()
  assert(err.code == "gone")
end

local function stand_by(gateway, on_event)
  local first, place = outboxes.open(outboxes.file, gateway)
  assert(first.store:begin_delivery())
  local polls, second = 0, outboxes.open(outboxes.file, gateway, { place = place, on_event = on_event })
  second:deliver { stop = function()
    polls = polls + 1
    return polls > 1
  end }
end

-- Has everything happen that an outbox tells its `on_event`.
function outboxes.live_through(gateway, on_event)
  stand_by(gateway, on_event)
  live_long(gateway, on_event)
  be_refused(gateway, on_event)
  be_taken_over(gateway, on_event)
  lose_the_store(gateway, on_event)
  outboxes.close_all()
end

return outboxes
