-- Puts that share a commit, with an nginx of coroutines: who waits for what, and that none waits for ever.

local core = require "alipayhk.core"
local group = require "alipayhk.delivery.store.group"

local MIB = 1024 * 1024

describe("a group of puts", function()
  local nginx, commits, real

  -- ---- nginx ----

  local Semaphore = {}
  Semaphore.__index = Semaphore

  function Semaphore:wait(seconds)
    if not nginx.can_wait then return nil, "API disabled in the context of log_by_lua*" end
    local ends = nginx.now + seconds
    while self.count == 0 do
      if nginx.now >= ends then return nil, "timeout" end
      coroutine.yield()
    end
    self.count = self.count - 1
    return true
  end

  function Semaphore:post(n) self.count = self.count + n end

  local function spawn(work, ...)
    local thread = coroutine.create(work)
    nginx.threads[#nginx.threads + 1] = thread
    assert(coroutine.resume(thread, ...))
  end

  -- Everybody who waits looks again, some seconds later.
  local function turn(seconds)
    nginx.now = nginx.now + (seconds or 0)
    for _, thread in ipairs(nginx.threads) do
      if coroutine.status(thread) == "suspended" then assert(coroutine.resume(thread)) end
    end
  end

  local function run_timers()
    local timers = nginx.timers
    nginx.timers = {}
    for _, timer in ipairs(timers) do spawn(timer.work, false, timer.argument) end
  end

  before_each(function()
    real = { ngx = rawget(_G, "ngx"), monotonic = core.monotonic, semaphore = package.loaded["ngx.semaphore"] }
    nginx = { now = 1000, can_wait = true, has_timers = true, threads = {}, timers = {} }
    core.monotonic = function() return nginx.now end
    package.loaded["ngx.semaphore"] = { new = function() return setmetatable({ count = 0 }, Semaphore) end }
    rawset(_G, "ngx", { config = {}, timer = { at = function(_, work, argument)
      if not nginx.has_timers then return nil, "too many pending timers" end
      nginx.timers[#nginx.timers + 1] = { work = work, argument = argument }
      return true
    end } })
    commits = {}
  end)
  after_each(function()
    rawset(_G, "ngx", real.ngx)
    core.monotonic, package.loaded["ngx.semaphore"] = real.monotonic, real.semaphore
  end)

  -- ---- puts ----

  local function commit(where, outcome)
    return function(records)
      commits[#commits + 1] = { where = where, count = #records }
      if outcome then return outcome(records) end
      local results = {}
      for i, record in ipairs(records) do results[i] = { id = record.key } end
      return results
    end
  end

  local function new(outcome)
    return group.new(commit("apart", outcome), commit "here")
  end

  local function record(key, values)
    local made = { api = "order", merchant_biz_no = key, key = key, body = "{}", sequence_ms = 1, is_filled = true }
    for name, value in pairs(values or {}) do made[name] = value end
    return made
  end

  -- Begins a put; what it gives stands in the table that this gives.
  local function put(puts, ...)
    local given = {}
    spawn(function(...) given.results, given.fault = puts:put { ... } end, ...)
    return given
  end

  it("gives each its own result, of commits of 64 at most", function()
    local puts, given = new(), {}
    for i = 1, 70 do given[i] = put(puts, record("N" .. i)) end
    given[71] = put(puts, record "A", record "B")
    assert.same({}, commits)
    run_timers()
    turn()
    assert.same({ { where = "apart", count = 64 }, { where = "apart", count = 8 } }, commits)
    for i = 1, 70 do assert.same({ { id = "N" .. i } }, given[i].results) end
    assert.same({ { id = "A" }, { id = "B" } }, given[71].results)
    assert.same({}, nginx.timers)
  end)

  it("commits 8 MiB at most, and one body more", function()
    local puts = new()
    for i = 1, 3 do put(puts, record("N" .. i, { body = ("x"):rep(5 * MIB) })) end
    run_timers()
    assert.same({ { where = "apart", count = 2 }, { where = "apart", count = 1 } }, commits)
  end)

  it("takes those that come during a commit into the next, without another timer", function()
    local puts = new(function(records)
      coroutine.yield()
      return { { id = records[1].key } }
    end)
    local first = put(puts, record "A")
    run_timers()
    local second = put(puts, record "B")
    assert.same({}, nginx.timers)
    for _ = 1, 3 do turn() end
    assert.same({ { id = "A" } }, first.results)
    assert.same({ { id = "B" } }, second.results)
  end)

  it("gives a fault to all that it is about, and to nobody else", function()
    local fault = { code = "full", is_retryable = true, message = "the disk is full" }
    local puts = new(function(records)
      if records[1].key == "A" then return nil, fault end
      if records[1].key == "B" then error("broken", 0) end
      return { { id = records[1].key } }
    end)
    local a, b = put(puts, record "A"), put(puts, record "a")
    run_timers()
    turn()
    assert.same({ fault, fault }, { a.fault, b.fault })
    b = put(puts, record "B")
    run_timers()
    turn()
    assert.same({ code = "failed", is_retryable = false, message = "broken" }, b.fault)
    local c = put(puts, record "C")
    run_timers()
    turn()
    assert.same({ { id = "C" } }, c.results)
  end)

  it("commits at once where nginx gives no timer, and where the phase cannot wait", function()
    nginx.has_timers = false
    local puts = new()
    assert.same({ { id = "A" } }, put(puts, record "A").results)
    nginx.can_wait = false
    assert.same({ { id = "B" } }, put(puts, record "B").results)
    assert.same({ { where = "here", count = 1 }, { where = "here", count = 1 } }, commits)
  end)

  it("commits after a second where nginx has dropped the timer", function()
    local puts = new()
    local a, b = put(puts, record "A"), put(puts, record "B")
    turn(0.9)
    assert.same({}, commits)
    turn(0.2)
    turn()
    assert.same({ { where = "here", count = 2 } }, commits)
    assert.same({ { { id = "A" } }, { { id = "B" } } }, { a.results, b.results })
    run_timers()
    local c = put(puts, record "C")
    run_timers()
    turn()
    assert.same({ { id = "C" } }, c.results)
  end)

  it("does not wait for ever for a disk that hangs", function()
    local puts = new(function()
      while true do coroutine.yield() end
    end)
    local a = put(puts, record "A")
    run_timers()
    local b = put(puts, record "B")
    for _ = 1, 29 do turn(1) end
    assert.same({ {}, {} }, { a, b })
    for _ = 1, 3 do turn(1) end
    for _, given in ipairs { a, b } do
      assert.same({ "unreachable", true }, { given.fault.code, given.fault.is_retryable })
      assert.matches("not known whether it was stored", given.fault.message, 1, true)
    end
  end)

  it("lets a time that was made up be made up anew at once behind one that is not committed yet", function()
    local puts = new()
    local values = { merchant_biz_no = "SAME", sequence_ms = 7 }
    put(puts, record("A", values))
    assert.same({ { newest_ms = 7 } }, put(puts, record("B", values)).results)
    values.sequence_ms = 8
    put(puts, record("B", values))
    assert.same({ { newest_ms = 8 } }, put(puts, record("C", values)).results)
    -- Of a time of one's own the store has to say.
    values.is_filled, values.sequence_ms = false, 3
    local c = put(puts, record("C", values))
    assert.is_nil(c.results)
    run_timers()
    turn()
    assert.same({ { where = "apart", count = 3 } }, commits)
    values.is_filled = true
    local d = put(puts, record("D", values))
    run_timers()
    turn()
    assert.same({ { id = "D" } }, d.results)
  end)
end)
