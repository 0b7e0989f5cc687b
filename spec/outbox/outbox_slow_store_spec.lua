-- An outbox over a Redis that is slow: requests go on meanwhile. The judge is AlipayHK's log, which has the times.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local outboxes = require "spec.support.outboxes"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"

local COUNT = 100

describe("outbox:deliver over a Redis that is slow", function()
  local redis, server, client

  setup(outboxes.redis.start)
  teardown(outboxes.redis.stop)
  before_each(function()
    redis, server = outboxes.redis.server, scripted.start { algorithm = "p224" }
    client = assert(alipayhk.new(server:config()))
  end)
  after_each(function()
    client:close()
    server:stop()
  end)

  -- An outbox with that many events, each of an order of its own; `on_event(event, count)`: how many had that name.
  local function fill(on_event)
    local counts = {}
    local outbox = assert(alipayhk.outbox {
      store = outboxes.redis.new().url, client = client,
      on_event = function(event)
        counts[event.name] = (counts[event.name] or 0) + 1
        on_event(event, counts[event.name])
      end,
    })
    for _ = 1, COUNT do assert(outbox:put(samples.order { merchantBizNo = samples.biz_no() })) end
    return outbox, counts
  end

  -- Redis answers nobody for so long: when that begins.
  local function pause(ms)
    assert.equal("OK", redis.cli("client", "pause", tostring(ms), "all"))
    return core.monotonic()
  end

  local function assert_each_came_once(totals)
    assert.same({ COUNT, 0, 0 }, { totals.accepted, totals.failed, totals.parked })
    local times = {}
    for _, request in ipairs(server:arrivals()) do
      times[request.request_id] = (times[request.request_id] or 0) + 1
      assert.equal(1, times[request.request_id])
    end
    assert.equal(COUNT, #server:arrivals())
  end

  -- What arrived in a span of seconds.
  local function arrived_between(from, to)
    local count = 0
    for _, request in ipairs(server:arrivals()) do
      if request.at > from and request.at < to then count = count + 1 end
    end
    return count
  end

  it("sends what was claimed, while a turn waits for its answer", function()
    local paused_at
    local outbox, counts = fill(function(event, count)
      if event.name == "sending" and count == 40 then paused_at = pause(1000) end
    end)
    local totals = outbox:deliver { until_empty = true, concurrency = 16, rate = 50 }
    assert_each_came_once(totals)
    -- A turn begins within 10 ms after a request has ended, and they end every 20 ms.
    local count = arrived_between(paused_at + 0.06, paused_at + 0.9)
    assert.is_true(count >= 4 and count <= 16, count)
    assert.is_nil(counts.store)
    outbox:close()
  end)

  it("repeats nothing where the store says too late what it has recorded", function()
    local faults = {}
    local outbox = fill(function(event, count)
      if event.name == "sending" and count == 40 then pause(6000) end -- a turn has 5 s
      if event.name == "store" then faults[#faults + 1] = event.code end
    end)
    assert_each_came_once(outbox:deliver { until_empty = true, concurrency = 16 })
    assert.equal("unreachable", faults[1])
    outbox:close()
  end)

  it("gives back what it still claims when it is told to stop", function()
    local paused_at
    local outbox = fill(function(event, count)
      if event.name == "sending" and count == 40 then paused_at = pause(500) end
    end)
    local totals = outbox:deliver {
      concurrency = 16, rate = 50, stop = function() return paused_at and core.monotonic() > paused_at + 0.2 end,
    }
    assert.equal("it was told to stop", totals.stopped)
    local stats = outbox:stats()
    assert.equal(0, stats.sending)
    assert.same({ totals.accepted, COUNT - totals.accepted }, { stats.accepted, stats.waiting })
    assert.equal(totals.accepted, #server:arrivals())
    outbox:close()
  end)

  it("lets its listener use the same outbox meanwhile", function()
    local outbox, seen
    outbox = fill(function(event)
      if event.name ~= "sending" and event.name ~= "accepted" then return end
      local stats = assert(outbox:stats())
      seen = math.max(seen or 0, stats.sending)
      assert.equal(COUNT, stats.waiting + stats.sending + stats.accepted)
    end)
    assert_each_came_once(outbox:deliver { until_empty = true, concurrency = 16 })
    assert.is_true(seen > 1, seen)
    outbox:close()
  end)
end)
