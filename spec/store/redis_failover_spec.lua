-- A Redis that dies while events are put, and its replica in its place: what a replica had is there.

local child = require "spec.support.child"
local nginx = require "spec.support.servers.nginx"
local redis_server = require "spec.support.servers.redis"
local shell = require "spec.support.shell"
local store = require "alipayhk.delivery.store"

local PRODUCERS = 3

-- Puts until it is told to end, each event until that works. Writes the id of each, and how many replicas had it.
local PRODUCER = [[
local url, stop, path, name = ...
local store = require "alipayhk.delivery.store"
local one = assert(store.open(url, {
  client_id = "CLIENT", lease_ms = 60000, delay_max_ms = 300000, timeout_ms = 1000,
}))
local written = assert(io.open(path, "w"))
written:setvbuf "line"
local function is_told() local file = io.open(stop) if file then file:close() end return file ~= nil end
local number = 0
while not is_told() do
  number = number + 1
  local record = { api = "order", merchant_biz_no = name .. number % 20, body = "{}", key = "k" .. number }
  local results
  repeat results = one:put({ record }, { replicas = 1 }) until results or is_told()
  if results then written:write(results[1].id, " ", results[1].replicas, "\n") end
end
]]

describe("a store in a Redis whose replica takes over", function()
  local primary, replica, folder
  local producers = {}

  setup(function()
    local lines = { "appendfsync always", "repl-diskless-sync-delay 0" }
    primary = redis_server.start { lines = lines }
    replica = redis_server.start { lines = { lines[1], "replicaof 127.0.0.1 " .. primary.port } }
    assert.truthy(nginx.await(30, function()
      return primary.cli("info", "replication"):find("state=online", 1, true)
    end))
    folder = shell.directory()
  end)

  local function end_producers()
    shell.write(folder .. "/stop", "")
    for _, pipe in ipairs(producers) do pipe:close() end
    producers = {}
  end

  teardown(function()
    end_producers()
    replica.kill()
  end)

  -- The ids that the producers wrote, in two sets: those that a replica had, and those that none had.
  local function ids_written()
    local safe, others = {}, {}
    for i = 1, PRODUCERS do
      local written = shell.read(folder .. "/ids" .. i) or ""
      for id, count in written:gmatch("(%d+) (%d+)\n") do (count == "0" and others or safe)[id] = true end
    end
    return safe, others
  end

  local function count_of(set)
    local count = 0
    for _ in pairs(set) do count = count + 1 end
    return count
  end

  -- As an address that moves to another machine.
  local function take_over()
    primary.kill()
    assert.equal("OK", replica.cli("replicaof", "no", "one"))
    assert.equal("OK", replica.cli("config", "set", "port", primary.port))
    replica.port = primary.port
  end

  -- Delivers until nothing is left: a set of the ids.
  local function deliver_all(worker)
    local delivered, outcomes = {}, {}
    assert.truthy(nginx.await(30, function()
      local turn = assert(worker:turn(outcomes, 100))
      outcomes = {}
      for i, event in ipairs(turn.events) do
        delivered[event.id] = true
        outcomes[i] = { event = event, state = "accepted" }
      end
      local stats = assert(worker:stats())
      return #outcomes == 0 and stats.waiting + stats.sending == 0
    end))
    return delivered
  end

  it("has all that was put with a replica, and delivers it, though it was under way", function()
    for i = 1, PRODUCERS do
      producers[i] = assert(io.popen(child.command(PRODUCER,
        { primary.url(), folder .. "/stop", folder .. "/ids" .. i, "A" .. i .. "-" })))
    end
    local worker = assert(store.open(primary.url(), { client_id = "CLIENT", lease_ms = 500, delay_max_ms = 300000 }))
    assert.truthy(nginx.await(30, function() return count_of((ids_written())) > 200 end))
    assert.is_true(#assert(worker:turn({}, 10)).events > 0)
    take_over()
    assert.truthy(nginx.await(30, function() return count_of((select(2, ids_written()))) > 0 end))
    end_producers()

    local safe = ids_written()
    local delivered = deliver_all(worker)
    for id in pairs(safe) do assert.is_true(delivered[id], id) end
    assert.equal(count_of(delivered), worker:stats().accepted)
    worker:close()
  end)
end)
