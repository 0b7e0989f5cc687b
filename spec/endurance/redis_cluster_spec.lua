-- The store of an outbox in a Redis Cluster of three nodes.

local child = require "spec.support.child"
local contract = require "spec.support.store_contract"
local groups = require "alipayhk.delivery.store.redis_groups"
local nginx = require "spec.support.servers.nginx"
local redis_cluster = require "spec.support.servers.redis_cluster"
local redis_server = require "spec.support.servers.redis"
local shell = require "spec.support.shell"
local store = require "alipayhk.delivery.store"

local record = contract.record

local EXPIRE = [[
for _, key in ipairs(redis.call("KEYS", "*:sending")) do
  for _, id in ipairs(redis.call("ZRANGE", key, 0, -1)) do redis.call("ZADD", key, 1, id) end
end]]

-- Puts and delivers until it is told to end; prints what was acknowledged, and what was accepted.
local WORKER = [[
local url, stop = ...
local core = require "alipayhk.core"
local store = require "alipayhk.delivery.store"
local one = assert(store.open(url, { client_id = "CLIENT", lease_ms = 60000, delay_max_ms = 300000 }))
local function is_told() local file = io.open(stop) if file then file:close() end return file ~= nil end
local acknowledged, accepted, failed, number, outcomes = 0, 0, 0, 0, {}
while not is_told() do
  number = number + 1
  local record = { api = "order", merchant_biz_no = "A" .. number % 50, status = "S", body = "{}", key = "k" .. number }
  while not one:put { record } do failed = failed + 1 end
  acknowledged = acknowledged + 1
  local turn = one:turn(outcomes, 8)
  if turn then
    accepted, outcomes = accepted + #outcomes - #turn.lost, {}
    for i, event in ipairs(turn.events) do outcomes[i] = { event = event, state = "accepted" } end
  else
    failed = failed + 1
  end
end
assert(one:turn(outcomes, 0))
accepted = accepted + #outcomes
local stats = assert(one:stats())
print(acknowledged, accepted, stats.accepted, stats.waiting, stats.sending, failed)
]]

describe("a store in a Redis Cluster", function()
  local cluster

  setup(function() cluster = redis_cluster.start() end)
  teardown(function() cluster.stop() end)

  local function open(opts)
    opts = opts or {}
    opts.client_id, opts.lease_ms = opts.client_id or "CLIENT", opts.lease_ms or 60000
    opts.delay_max_ms = 300000
    return assert(store.open(cluster.nodes[1].url(), opts))
  end

  local function each(...)
    for _, node in ipairs(cluster.nodes) do node.cli(...) end
  end

  -- Over several nodes there is an order only between what was put and what is put after that.
  local function open_for_one_by_one(opts)
    local opened = open(opts)
    local put = opened.put
    function opened.put(self, records)
      local results = {}
      for i, each_record in ipairs(records) do results[i] = assert(put(self, { each_record }))[1] end
      return results
    end
    return opened
  end

  contract.declare(function()
    each "flushall"
    return { open = open_for_one_by_one, forsake = function() each("eval", EXPIRE, "0") end }
  end, { describe = describe, it = it, before_each = before_each, after_each = after_each })

  local one
  before_each(function()
    each "flushall"
    one = open()
  end)
  after_each(function() one:close() end)

  local function key_of(group) return ("{alipayhk:CLIENT:%d}:meta"):format(group) end

  it("spreads its lanes over all nodes", function()
    for i = 1, 100 do contract.put(one, record("A" .. i)) end
    for _, node in ipairs(cluster.nodes) do assert.is_true(tonumber(node.cli "dbsize") > 10) end
    assert.equal(100, #one:turn({}, 100).events)
  end)

  it("follows keys that are moved while they are in use, and loses nothing", function()
    local stop = shell.directory() .. "/stop"
    local pipe = assert(io.popen(child.command(WORKER, { cluster.nodes[1].url(), stop })))
    local moved = 0
    for _, group in ipairs { 0, 5, 9, 13 } do
      for _ = 1, 3 do
        local from, slot = cluster.node_of(key_of(group))
        local to = cluster.nodes[from == cluster.nodes[1] and 2 or 1]
        cluster.begin_move(slot, from, to)
        cluster.move_keys(slot, from, to, 5) -- some are here, some there
        cluster.move_keys(slot, from, to, 100)
        cluster.end_move(slot, from, to)
        moved = moved + 1
      end
    end
    shell.write(stop, "")
    local said = pipe:read("*a")
    pipe:close()
    local acknowledged, accepted, counted, waiting, sending = said:match("^(%d+)\t(%d+)\t(%d+)\t(%d+)\t(%d+)\t%d+\n$")
    assert.is_string(acknowledged, said)
    assert.equal(12, moved)
    assert.is_true(tonumber(accepted) > 10, said)
    assert.equal(accepted, counted)
    assert.equal(tonumber(acknowledged), counted + waiting + sending)
  end)

  it("counts the replicas of the node that has it, while keys are moved", function()
    local group = groups.of "A"
    local from, slot = cluster.node_of(key_of(group))
    local to = cluster.nodes[from == cluster.nodes[1] and 2 or 1]
    local replica = redis_server.start { lines = { "replicaof 127.0.0.1 " .. from.port, "repl-diskless-sync-delay 0" } }
    assert.truthy(nginx.await(30, function()
      return from.cli("info", "replication"):find("state=online", 1, true)
    end))
    local hasty = open { timeout_ms = 1000 }
    local function replicas(key)
      return assert(hasty:put({ record("A", { key = key }) }, { replicas = 1 }))[1].replicas
    end
    assert.truthy(nginx.await(20, function() return replicas "here" == 1 end))
    -- The other node runs a script only if it has all keys.
    for _, name in ipairs { "queue", "sending", "parked", "accepted", "superseded", "dropped" } do
      assert.truthy(from.cli("zadd", (key_of(group):gsub("meta$", name)), "0", "x"))
    end
    cluster.begin_move(slot, from, to)
    cluster.move_keys(slot, from, to, 100)
    assert.equal(0, replicas "there")
    cluster.end_move(slot, from, to)
    assert.equal(0, replicas "there at last")
    hasty:close()
    replica.kill()
  end)

  it("gives what it had claimed when a node was gone, and all when it is there again", function()
    for i = 1, 60 do contract.put(one, record("A" .. i)) end
    assert(one:turn({}, 0))
    cluster.nodes[3].kill()
    local turn, fault = one:turn({}, 40)
    assert.is_nil(turn)
    assert.same({ "unreachable", true }, { fault.code, fault.is_retryable })
    cluster.nodes[3].restart()
    assert.truthy(nginx.await(90, function() return one:stats() end))
    local seen, count = {}, 0
    assert.truthy(nginx.await(10, function()
      for _, event in ipairs(assert(one:turn({}, 40)).events) do
        assert.is_nil(seen[event.id])
        assert.is_true(event.held_ms > 0 and event.held_ms < 60000)
        seen[event.id], count = true, count + 1
      end
      return count == 60
    end))
  end)

  it("is found by any node when the one of its URL is gone", function()
    for i = 1, 40 do contract.put(one, record("A" .. i)) end -- so that it has met all nodes
    local reached = 0
    cluster.nodes[1].kill()
    for i = 1, 8 do
      local results, fault = one:put { record("A" .. i) }
      if results then reached = reached + 1 else assert.equal("unreachable", fault.code) end
    end
    cluster.nodes[1].restart()
    assert.truthy(nginx.await(90, function() return one:stats() end))
    assert.is_true(reached > 1 and reached < 8, reached)
    assert.equal(40 + reached, one:stats().waiting)
  end)
end)
