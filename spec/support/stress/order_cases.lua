-- Orders' whole way for failures.lua, as failure_cases.lua has the calls below it: a call, a batch, and an outbox over
-- both stores, against a local gateway. What is stored the commands sqlite3 and redis-cli say, which share no code of
-- ours.

local alipayhk = require "alipayhk"
local connection = dofile "gateway/connection.lua"
local databases = require "spec.support.databases"
local inputs = require "spec.support.stress.inputs"
local blame = require("spec.support.stress.judge").blame
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local core = require "alipayhk.core"
local redis = require "alipayhk.redis"

local cases = { list = {}, judge_failure = blame }

local ORDERS, EVENTS = 3, 2

-- For how long anything waits for a network that is gone.
local PATIENCE_MS = tonumber(inputs.patience_ms or 500)
local KEY = "the same each time"

local function add(name, set_up) cases.list[#cases.list + 1] = { name = name, set_up = set_up } end

-- libcurl 7.88 frees the name of a TLS session twice where it finds no memory to keep the session; failure_cases.lua
-- has its allocations without TLS.
local SPARED = "libcurl"

local gateway = {}
for name, value in pairs(inputs) do
  local field = type(name) == "string" and name:match("^gateway%.(.*)$")
  if field then gateway[field] = value end
end

local function new_client()
  local config = connection.config(gateway, "ec")
  config.retry = { max_attempts = 2, base_delay_ms = 1, max_delay_ms = 1, budget_ms = PATIENCE_MS }
  config.connect_timeout_ms, config.timeout_ms = PATIENCE_MS, PATIENCE_MS
  return assert(alipayhk.new(config))
end

local function is_accepted(response)
  return response.authenticated and response.result.resultStatus == "S"
end

-- ---- a call, a batch -------------------------------------------------------------------------------

add("call", function()
  local client = new_client()
  return {
    f = client.sync_order, arguments = { n = 2, client, samples.order() }, spared = SPARED,
    finish = function() client:close() end,
    judge = function(response) return not is_accepted(response) and "is not accepted" or nil end,
  }
end)

-- Each result says which it is: an authenticated answer, or an error.
local function result_fault(result)
  if result.response and not result.err then return not is_accepted(result.response) and "is not accepted" or nil end
  if not result.err then return "gives neither an answer nor an error" end
  return nil
end

local function add_batch(name, signers)
  add(name, function()
    local client, wrong, heard = new_client(), nil, 0
    local orders = {}
    for i = 1, ORDERS do orders[i] = samples.order() end
    local function on_result(result)
      heard = heard + 1
      wrong = wrong or result_fault(result)
    end
    local function sync_many()
      heard = 0
      return client:sync_many(orders, { signers = signers, concurrency = 2, on_result = on_result })
    end
    return {
      f = sync_many, arguments = { n = 0 }, spared = SPARED, every_thread = signers > 0,
      finish = function() client:close() end,
      judge = function(totals, _, struck)
        if wrong then return "a result " .. wrong end
        local ended = totals.accepted + totals.refused + totals.failed
        if totals.taken ~= ended or ended ~= heard then return "loses an order" end
        return not struck and totals.accepted ~= ORDERS and "is not accepted" or nil
      end,
    }
  end)
end
add_batch("batch", 0)
add_batch("batch with a thread", 1)

add("pool", function()
  local key = assert(core.private_key { file = gateway.ec_private_key })
  local function sign()
    local pool, message = core.pool(1, key)
    if not pool then return nil, message end
    local is_begun, words = pool:sign(1, "text", nil, "tag")
    local tag, signature
    for _ = 1, is_begun and 2000 or 0 do
      tag, signature, words = pool:finished()
      if tag ~= nil then break end
      core.sleep(1)
    end
    pool:close()
    if signature == nil then return nil, words end
    return signature
  end
  return {
    f = sign, arguments = { n = 0 }, every_thread = true,
    judge = function(signature) return not key:verify("text", signature) and "gives a wrong signature" or nil end,
  }
end)

-- ---- Redis ------------------------------------------------------------------------------------------

local REDIS = {
  host = "127.0.0.1", port = tonumber(inputs.redis_port), connect_timeout_ms = PATIENCE_MS,
  timeout_ms = PATIENCE_MS,
}

local REDIS_OVER_TLS = {
  host = "127.0.0.1", port = tonumber(inputs.redis_tls_port), connect_timeout_ms = PATIENCE_MS,
  timeout_ms = PATIENCE_MS, tls = { ca_file = inputs.redis_ca_file },
}

local function connecting(options)
  return { f = redis.connect, arguments = { n = 1, options }, judge = function(connected)
    return connected:call("PING") ~= "PONG" and "is not connected" or nil
  end }
end

add("redis.connect", function() return connecting(REDIS) end)
add("redis.connect over TLS", function() return connecting(REDIS_OVER_TLS) end)
add("redis call over TLS", function()
  local connected = assert(redis.connect(REDIS_OVER_TLS))
  return {
    f = connected.call, arguments = { n = 3, connected, "ECHO", "text" }, is_spent = true,
    judge = function(reply) return reply ~= "text" and "gives another reply" or nil end,
  }
end)
add("redis call", function()
  local connected = assert(redis.connect(REDIS))
  return {
    f = connected.call, arguments = { n = 5, connected, "EVAL", "return { ARGV[1], { 1, false } }", 0, "text" },
    is_spent = true, judge = function(reply)
      return (reply[1] ~= "text" or reply[2][1] ~= 1) and "gives another reply" or nil
    end,
  }
end)
add("redis pipeline", function()
  local connected = assert(redis.connect(REDIS))
  return {
    f = connected.pipeline, arguments = { n = 2, connected, { { "ECHO", "a" }, { "ECHO", "b" } } }, is_spent = true,
    judge = function(replies)
      return (replies[1][1] ~= "a" or replies[2][1] ~= "b") and "gives other replies" or nil
    end,
  }
end)

-- ---- an outbox ---------------------------------------------------------------------------------------

local IDS = [[
local found = {}
for _, key in ipairs(redis.call("KEYS", "*:bodies")) do
  for _, id in ipairs(redis.call("HKEYS", key)) do
    if redis.call("HGET", key, id):find(ARGV[1], 1, true) then found[#found + 1] = id end
  end
end
return found]]
local COUNT = [[
local count = 0
for _, key in ipairs(redis.call("KEYS", "*:" .. ARGV[1])) do count = count + redis.call("ZCARD", key) end
return count]]

-- By kind, what makes a place for a store that nobody has used: its `url`; `ids` of the events of an order, as other
-- programs see them; how many `count` of a state; and what removes it.
local places = {}

local FILES = { "", "-lock", "-deliver", "-ballast", "-wal", "-shm" }
local place_count = 0

function places.sqlite()
  place_count = place_count + 1
  local path = ("%s/orders%d.db"):format(inputs.directory, place_count)
  return {
    url = "sqlite:" .. path,
    ids = function(biz_no)
      return databases.judge(path, ("SELECT event.id FROM event JOIN lane ON lane.id = lane"
        .. " WHERE merchant_biz_no = '%s'"):format(biz_no))
    end,
    count = function(state)
      return tonumber(databases.judge(path, ("SELECT count(*) FROM event WHERE state = '%s'"):format(state)))
    end,
    remove = function()
      for _, suffix in ipairs(FILES) do os.remove(path .. suffix) end
    end,
  }
end

local function redis_cli(...)
  local words = { "redis-cli -h 127.0.0.1 -p " .. inputs.redis_port }
  for _, word in ipairs { ... } do words[#words + 1] = shell.quote(word) end
  return (shell.must(table.concat(words, " ")):gsub("\n*$", ""))
end

function places.redis()
  redis_cli("flushall")
  return {
    url = inputs.redis,
    ids = function(biz_no) return redis_cli("eval", IDS, "0", biz_no) end,
    count = function(state) return tonumber(redis_cli("eval", COUNT, "0", state)) end,
    remove = function() end,
  }
end

local function open(place, client)
  return alipayhk.outbox { store = place.url, client = client, client_id = gateway.ec_client_id }
end

-- Until all is accepted, or for twice as long as a request may take: how many were, as `on_result` has heard.
local function deliver(outbox)
  local until_s, accepted = core.monotonic() + PATIENCE_MS / 500, 0
  local totals, err = outbox:deliver {
    until_empty = true, signers = 0,
    stop = function() return core.monotonic() > until_s end,
    on_result = function(result)
      if result.response and is_accepted(result.response) then accepted = accepted + 1 end
    end,
  }
  if not totals then return nil, err end
  return accepted
end

for kind, new_place in pairs(places) do
  local is_file = kind == "sqlite"

  add(kind .. " open", function()
    local place = new_place()
    return {
      f = open, arguments = { n = 1, place }, finish = place.remove, is_durable = is_file,
      judge = function(outbox)
        local stats = outbox:stats()
        outbox:close()
        return not stats and "cannot be used" or nil
      end,
    }
  end)

  add(kind .. " put", function()
    local place, order = new_place(), samples.order()
    local outbox = assert(open(place))
    return {
      f = outbox.put, arguments = { n = 3, outbox, order, { key = KEY } }, is_durable = is_file,
      finish = function()
        outbox:close()
        place.remove()
      end,
      judge = function(id)
        local found = place.ids(order.merchantBizNo)
        return found ~= id and ("gives %s where the store has %s"):format(id, found) or nil
      end,
    }
  end)

  add(kind .. " deliver", function()
    local place, client, calls, heard = new_place(), new_client(), 0, 0
    local outbox = assert(open(place, client))
    for _ = 1, EVENTS do assert(outbox:put(samples.order())) end
    local function call()
      calls = calls + 1
      return deliver(outbox)
    end
    return {
      f = call, arguments = { n = 0 }, spared = SPARED,
      finish = function()
        outbox:close()
        client:close()
        place.remove()
      end,
      judge = function(accepted, _, struck)
        local stored = place.count "accepted"
        heard = heard + accepted
        if heard > stored then return ("says %d where the store has %d"):format(heard, stored) end
        if calls == 1 and not struck and stored ~= EVENTS then return ("delivers %d"):format(stored) end
        -- What failed may wait for longer than we do: for its next attempt; in a Redis, for its lease.
        local kept = stored + place.count "waiting" + place.count "sending"
        return kept ~= EVENTS and ("keeps %d, parks %d"):format(kept, place.count "parked") or nil
      end,
    }
  end)
end

return cases
