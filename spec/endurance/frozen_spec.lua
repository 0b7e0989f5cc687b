-- A worker of an outbox stands still (SIGSTOP, a virtual machine that is paused) for longer than its lease, and wakes.

local alipayhk = require "alipayhk"
local databases = require "spec.support.databases"
local nginx = require "spec.support.servers.nginx"
local only_with = require "spec.support.asserting.only_with"
local process = require "spec.support.process"
local redis_server = require "spec.support.servers.redis"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

local it_freezes = only_with(process.has_posix, "needs luaposix for this Lua", it, pending)

local function is_frozen(worker)
  return shell.read(("/proc/%d/stat"):format(worker.pid)):match("%) (%a)") == "T"
end

describe("a worker that is frozen", function()
  local server, world, outbox, order, worker

  before_each(function() server = scripted.start { algorithm = "p224" } end)
  after_each(function()
    if worker then worker:signal "SIGKILL" end
    if outbox then outbox:close() end
    server:stop()
  end)

  local function put(count)
    local ids = {}
    for i = 1, count do ids[i] = assert(outbox:put(samples.order { merchantBizNo = order })) end
    return ids
  end

  -- Puts three events of an order, and starts a worker that freezes itself at the `turn`-th time that it comes to a
  -- point: their ids.
  local function freeze(store, point, turn)
    world = require("spec.support.outbox.storm").new { store = store, server = server }
    outbox = assert(alipayhk.outbox { store = store, client_id = world.client_id })
    order = samples.biz_no()
    local ids = put(3)
    worker = world:start("worker", {
      name = "frozen", point = point, turn = turn, signal = "SIGSTOP", concurrency = 1, seconds = 3,
    })
    assert(nginx.await(20, function() return is_frozen(worker) end), "it does not freeze at " .. point)
    return ids
  end

  local function wake()
    worker:signal "SIGCONT"
    assert.same({ "exited", 0 }, { worker:wait() })
    worker = nil
  end

  -- What a worker told of an event, in that order.
  local function told(name, id)
    local list = {}
    for _, line in ipairs(world:told()) do
      if line.worker == name and line.id == id then list[#list + 1] = line.name end
    end
    return list
  end

  -- Which of the events arrived, in that order: 1 for the first one.
  local function arrived()
    local list, numbers, count = {}, {}, 0
    for i, arrival in ipairs(server:arrivals()) do
      local key = ("%s %s %.0f"):format(arrival.request_id, arrival.digest, arrival.modified_ms)
      if not numbers[key] then
        count = count + 1
        numbers[key] = count
      end
      list[i] = numbers[key]
    end
    return list
  end

  describe("beyond its lease in a Redis", function()
    local redis

    before_each(function() redis = redis_server.start() end)
    after_each(function() redis.stop() end)

    -- The frozen one is woken when others have delivered all: what it told of the first event.
    local function outlive(point, turn)
      local ids = freeze(redis.url(), point, turn or 1)
      world:drain()
      local before = { world:listed(), outbox:stats() }
      assert.equal(3, before[2].accepted)
      wake()
      assert.same(before, { world:listed(), outbox:stats() })
      return told("frozen", ids[1]), before[1][ids[1]]
    end

    it_freezes("changes nothing by an answer that comes late", function()
      local words, first = outlive "after an answer"
      assert.same({ "sending", "lease_lost" }, words)
      assert.equal(2, first.attempts)
      assert.same({ 1, 1, 2, 3 }, arrived())
    end)

    it_freezes("sends late what it was about to send, which AlipayHK tells by its time, and changes nothing", function()
      assert.same({ "sending", "lease_lost" }, (outlive "before a request"))
      assert.same({ 1, 2, 3, 1 }, arrived())
      local arrivals = server:arrivals()
      assert.is_true(arrivals[4].modified_ms < arrivals[2].modified_ms)
    end)

    -- It claims in its second turn: in the first it asks what is due.
    it_freezes("sends nothing of what it had claimed and not begun", function()
      assert.same({ "lease_lost" }, (outlive("after turn", 2)))
      assert.same({ 1, 2, 3 }, arrived())
    end)

    -- Before that it asks what server this is.
    it_freezes("sends nothing of what it had asked for, and hears of when others have it", function()
      assert.same({ "lease_lost" }, (outlive("after a question", 3)))
      assert.same({ 1, 2, 3 }, arrived())
    end)
  end)

  it_freezes("over a file, keeps its right to deliver: the others wait, and nothing is sent twice", function()
    local ids = freeze("sqlite:" .. databases.path(), "after an answer", 1)
    world:start("worker", { seconds = 0.5 }):wait()
    assert.same({ 1 }, arrived())
    assert.equal("sending", world:listed()[ids[1]].state)
    put(1)
    wake()
    world:drain()
    assert.same({ 1, 2, 3, 4 }, arrived())
    assert.same({ "sending", "accepted" }, told("frozen", ids[1]))
  end)

  it_freezes("in the middle of a commit to a file, is what the others are told of, until it wakes", function()
    freeze("sqlite:" .. databases.path(), "before commit", 1)
    local id, err = outbox:put(samples.order { merchantBizNo = order })
    assert.is_nil(id)
    assert.same({ "store", "locked", true }, { err.kind, err.code, err.retryable })
    assert.matches("others have held this lock", tostring(err), 1, true)
    wake()
    put(1)
    world:drain()
    assert.same({ 1, 2, 3, 4 }, arrived())
  end)
end)
