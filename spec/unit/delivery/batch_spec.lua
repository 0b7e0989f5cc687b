-- What sync_many makes of its source and of what comes back. The transport is a function here, so one request goes
-- after the other; spec/gateway/many_spec.lua has them over real sockets.

local by_clock = require "spec.support.asserting.by_clock"
local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local thrown = require "spec.support.asserting.thrown"

local gateway = double.new { algorithm = "p224" }

local function orders(count, extra)
  local list = {}
  for i = 1, count do list[i] = samples.order(extra) end
  return list
end

-- Runs a batch; gives the totals, and what on_result got.
local function many(source, opts, config)
  local results = {}
  opts = opts or {}
  local on_result = opts.on_result
  function opts.on_result(result)
    results[#results + 1] = result
    if on_result then return on_result(result) end
  end
  local totals = gateway:client(config):sync_many(source, opts)
  return totals, results
end

local function counts(totals)
  return { totals.taken, totals.accepted, totals.refused, totals.failed }
end

describe("sync_many", function()
  before_each(function() gateway:answers { {} } end)

  it("sends a list, and gives each its result with its index and payload", function()
    local list = orders(3)
    local totals, results = many(list)
    assert.same({ 3, 3, 0, 0 }, counts(totals))
    assert.is_true(totals.seconds >= 0)
    for i, result in ipairs(results) do
      assert.equal(i, result.index)
      assert.equal(list[i], result.payload)
      assert.equal("SUCCESS", result.response.result.resultCode)
      assert.is_nil(result.err)
    end
    assert.equal(3, #gateway.requests)
  end)

  it("sends what a function gives, until nil", function()
    local i = 0
    local totals = many(function()
      i = i + 1
      return i <= 5 and samples.order() or nil
    end)
    assert.same({ 5, 5, 0, 0 }, counts(totals))
  end)

  it("tells orders from notifications, whatever comes in between", function()
    many { samples.order(), samples.card(), samples.order() }
    local paths = {}
    for i, request in ipairs(gateway.requests) do paths[i] = request.path:match("[^/]+$") end
    assert.same({ "sync", "contractCardSync", "sync" }, paths)
  end)

  it("does nothing with an empty source", function()
    assert.same({ 0, 0, 0, 0 }, counts(many {}))
  end)

  it("refuses what is no payload with its index, and goes on", function()
    local wrong = samples.order { orderStatus = "EATEN" }
    local totals, results = many { samples.order(), "{}", 7, {}, wrong, samples.order() }
    assert.same({ 6, 2, 4, 0 }, counts(totals))
    table.sort(results, function(a, b) return a.index < b.index end)
    assert.matches("item 2: expected a table, found a string", results[2].err.message, 1, true)
    assert.matches("item 3: expected a table, found a number", results[3].err.message, 1, true)
    assert.matches("item 4 has neither merchantBizType nor productTemplateCode", results[4].err.message, 1, true)
    for _, result in ipairs(results) do
      if result.err then assert.equal("invalid", result.err.kind) end
    end
  end)

  it("refuses an order number that is no number, as sync_order does", function()
    local totals, results = many { samples.order { merchantBizNo = 0 / 0 }, samples.order() }
    assert.same({ 2, 1, 1, 0 }, counts(totals))
    assert.equal("invalid", results[1].err.kind)
    assert.equal("merchantBizNo", results[1].err.fields[1].path)
  end)

  it("counts AlipayHK's authenticated no as refused, and what is not known as failed", function()
    gateway:answers { { code = "PARAM_ILLEGAL", status = "F" }, { code = "X", status = "F", signed = false },
      { failure = "timeout" }, { code = "X", status = "U" }, {} }
    local totals = many(orders(5), { retry = false })
    assert.same({ 5, 1, 1, 3 }, counts(totals))
  end)

  it("retries in place, with the call's options", function()
    gateway:answers { { failure = "timeout" }, {} }
    local totals, results = many(orders(2), { retry = { base_delay_ms = 0, max_attempts = 2 } })
    assert.same({ 2, 2, 0, 0 }, counts(totals))
    -- The other order did not wait for it.
    assert.same({ 2, 1, 1, 2 }, {
      results[1].index, results[1].response.attempts, results[2].index, results[2].response.attempts,
    })
  end)

  it("retries in place: a later event of the same order waits", function()
    gateway:answers { { failure = "timeout" }, {} }
    local _, results = many(orders(3, { merchantBizNo = "one" }), { retry = { base_delay_ms = 0, max_attempts = 2 } })
    for i, result in ipairs(results) do assert.equal(i, result.index) end
    assert.equal(2, results[1].response.attempts)
  end)

  it("stops where on_result says false: what was taken has its result, and nothing more is taken", function()
    local taken = 0
    local totals, results = many(function()
      taken = taken + 1
      return samples.order()
    end, { concurrency = 2, on_result = function(result) return result.index < 3 end })
    assert.equal(taken, totals.taken)
    assert.equal(totals.taken, #results)
    assert.is_true(totals.taken < 20)
    assert.is_true(#gateway.requests <= 4)
    for _, result in ipairs(results) do
      if result.err then
        assert.same({ "transport", 0 }, { result.err.kind, result.err.attempts })
        assert.matches("not sent", result.err.message, 1, true)
      end
    end
  end)

  it("stops where on_progress says false, too", function()
    local taken = 0
    local totals, results = many(function()
      taken = taken + 1
      return samples.order()
    end, { concurrency = 2, on_progress = function() return false end })
    assert.equal("the batch was stopped", totals.stopped)
    assert.equal(taken, #results)
    assert.is_true(taken < 20)
  end)

  it("tells the last error of what was to be sent again when it is stopped", function()
    gateway:answers { { code = "UNKNOWN_EXCEPTION", status = "U" } }
    local unknown, unsent, attempts = 0, 0, 0
    gateway:client():sync_many(orders(20), { concurrency = 4, retry = { base_delay_ms = 5000, max_delay_ms = 5000 },
      on_progress = function(progress) return progress.taken < 4 end,
      on_result = function(result)
        if result.err.attempts == 0 then unsent = unsent + 1 else unknown = unknown + 1 end
        attempts = attempts + result.err.attempts
        assert.same(result.err.attempts == 0 and "connect" or "UNKNOWN_EXCEPTION", result.err.code)
      end })
    assert.is_true(unknown >= 4, unknown)
    assert.equal(#gateway.requests, attempts) -- on a slow machine one of them is sent again before it is stopped
    assert.equal(0, unsent)
  end)

  it("throws on what on_progress throws, and calls it no more", function()
    local calls = 0
    assert.equal("enough", thrown(function()
      gateway:client():sync_many(orders(5), { on_progress = function()
        calls = calls + 1
        error("enough", 0)
      end })
    end))
    assert.equal(1, calls)
  end)

  it("throws on what the source throws, when those under way have ended", function()
    local given, results = 0, {}
    local message = thrown(function()
      gateway:client():sync_many(function()
        given = given + 1
        if given == 3 then error("the file is torn", 0) end
        return samples.order()
      end, { on_result = function(result) results[#results + 1] = result end })
    end)
    assert.equal("the file is torn", message)
    assert.equal(2, #results)
  end)

  it("throws on what on_result throws, a table as it is, and calls it no more", function()
    local calls, marker = 0, {}
    local message = thrown(function()
      gateway:client():sync_many(orders(5), { concurrency = 1, on_result = function()
        calls = calls + 1
        error(marker)
      end })
    end)
    assert.equal(marker, message)
    assert.equal(1, calls)
    assert.equal(1, #gateway.requests)
  end)

  it("ends when the client is closed from within on_result", function()
    local client, results = gateway:client(), {}
    local totals = client:sync_many(orders(50), { concurrency = 2, on_result = function(result)
      results[#results + 1] = result
      client:close()
    end })
    assert.equal(totals.taken, #results)
    assert.is_true(#gateway.requests <= 2)
  end)

  it("loses no event to a gateway that is away for a while, and asks seldom whether it is back", function()
    local script = {}
    for i = 1, 6 do script[i] = { failure = i % 2 == 0 and "connect" or "timeout" } end
    script[7] = {}
    gateway:answers(script)
    local unreachable = 0
    local totals, results = many(orders(30), {
      -- With a delay a slow machine, too, begins with others before it sends one again.
      concurrency = 4, retry = { max_attempts = 2, base_delay_ms = 500, max_delay_ms = 500 },
      on_progress = function(progress) unreachable = math.max(unreachable, progress.unreachable_seconds or 0) end,
    })
    assert.same({ 30, 30, 0, 0 }, counts(totals))
    assert.equal(36, #gateway.requests)
    assert.is_nil(totals.stopped)
    -- Five failures opened the breaker; the probes came one and three seconds later.
    assert.is_true(totals.seconds >= 3 and unreachable >= 2.5, unreachable)
    for _, result in ipairs(results) do assert.is_true(result.response.attempts <= 4) end
  end)

  it("stops where AlipayHK stays away for longer than the retries' budget: the rest was not sent", function()
    gateway:answers { { failure = "connect" } }
    local source_calls = 0
    local totals, results = many(function()
      source_calls = source_calls + 1
      return samples.order()
    end, { concurrency = 4, retry = { budget_ms = 1500, base_delay_ms = 0 } })
    assert.matches("^AlipayHK could not be reached for %d+ s$", totals.stopped)
    assert.equal(totals.taken, #results)
    assert.same({ 0, 0, source_calls }, { totals.accepted, totals.refused, totals.failed })
    assert.is_true(#gateway.requests <= 7, #gateway.requests)
    for _, result in ipairs(results) do assert.equal("connect", result.err.code) end
  end)

  it("sends nothing twice with retry = false, whatever fails", function()
    local script = {}
    for i = 1, 6 do script[i] = { failure = "timeout" } end
    script[7] = {}
    gateway:answers(script)
    local totals = many(orders(12), { concurrency = 4, retry = false })
    assert.same({ 12, 6, 0, 6 }, counts(totals))
    assert.equal(12, #gateway.requests)
  end)

  -- Answers by the order's number: `fails(number)` says which get none.
  local function no_answer_for(fails)
    local send = gateway:client().config.transport
    return function(request)
      local number = request.body:match('"merchantBizNo":"([^"]*)"')
      if fails(number) then return nil, { code = "timeout", message = "no answer" } end
      return send(request)
    end
  end

  it("asks with another event each time: a few that get no answer do not end a batch", function()
    local list = {}
    for i = 1, 46 do list[i] = samples.order { merchantBizNo = (i <= 6 and "POISON-%d" or "GOOD-%d"):format(i) } end
    local good = 0
    many(list, { concurrency = 4, retry = { max_attempts = 2, base_delay_ms = 0, budget_ms = 6000 },
      on_result = function(result) if result.response then good = good + 1 end end,
    }, { transport = no_answer_for(function(number) return number:find("^POISON") ~= nil end) })
    assert.equal(40, good)
  end)

  it("learns of an outage from several orders, though a retry is due at once", function()
    local sent, away = 0, 9
    local totals = many(orders(30), { concurrency = 4, retry = { max_attempts = 3, base_delay_ms = 0 } }, {
      transport = no_answer_for(function()
        core.sleep(8) -- longer than a turn
        sent = sent + 1
        return sent <= away
      end),
    })
    assert.same({ 30, 30, 0, 0 }, counts(totals))
  end)

  it("takes too long an answer for an answer: it is no outage", function()
    gateway:answers { { failure = "too_large" } }
    local totals = many(orders(12), { concurrency = 4 })
    assert.same({ 12, 0, 0, 12 }, counts(totals))
    assert.is_nil(totals.stopped)
    assert.is_true(totals.seconds < 1, totals.seconds)
  end)

  it("charges no attempt for refused traffic, though there is a single one", function()
    gateway:answers { { code = "REQUEST_TRAFFIC_EXCEED_LIMIT", status = "U" }, {} }
    local totals, results = many(orders(1), { retry = { max_attempts = 1, base_delay_ms = 0 } })
    assert.same({ 1, 1, 0, 0 }, counts(totals))
    assert.equal(2, results[1].response.attempts)
  end)

  it("has patience for the pause that AlipayHK itself asks for", function()
    gateway:answers { { http_status = 429, raw = function()
      return { status = 429, headers = { ["retry-after"] = "1" }, body = "" }
    end }, {} }
    local totals = many(orders(2), { retry = { budget_ms = 1000, base_delay_ms = 0, max_delay_ms = 0 } })
    assert.is_nil(totals.stopped)
    assert.same({ 2, 2, 0, 0 }, counts(totals))
    assert.is_true(totals.seconds >= 1 and totals.seconds < 3, totals.seconds)
  end)

  it("says of what it did not send that it may be sent again", function()
    local _, results = many(function()
      return samples.order { merchantBizNo = "one" }
    end, { concurrency = 2, on_progress = function(progress) return progress.waiting == 0 end })
    local unsent = 0
    for _, result in ipairs(results) do
      if result.err then
        unsent = unsent + 1
        assert.is_true(result.err.retryable)
        assert.matches("the batch was stopped; send it again", result.err.message, 1, true)
      end
    end
    assert.is_true(unsent > 0)
  end)

  it("counts as refused what AlipayHK will never take; what it does not know itself has failed", function()
    gateway:answers { { code = "UNKNOWN_EXCEPTION", status = "F" } }
    local totals, results = many(orders(1), { retry = { max_attempts = 2, base_delay_ms = 0 } })
    assert.same({ 1, 0, 0, 1 }, counts(totals))
    assert.is_true(results[1].err.retryable)
  end)

  it("is not stopped where its source has ended and everything has been sent", function()
    local function no() return false end
    by_clock(function() -- a slow machine hears the answer before it asks the source again
      assert.is_nil(many(orders(1), { on_result = no }).stopped)
      assert.is_nil(many(orders(1), { on_progress = function(progress) return progress.accepted == 0 end }).stopped)
    end)
  end)

  it("notices that its client was closed while AlipayHK is away", function()
    gateway:answers { { failure = "connect" } }
    local client, started = gateway:client(), core.monotonic()
    local totals = client:sync_many(orders(30), { concurrency = 4, on_progress = function(progress)
      if progress.unreachable_seconds then client:close() end
    end })
    assert.equal("the client was closed", totals.stopped)
    assert.is_true(core.monotonic() - started < 0.8)
  end)

  it("does not count what it refuses itself against the rate", function()
    local list = orders(40, { orderStatus = "EATEN" })
    list[#list + 1] = samples.order()
    local totals = many(list, { rate = 20 })
    assert.same({ 41, 1, 40, 0 }, counts(totals))
    assert.is_true(totals.seconds < 1, totals.seconds)
  end)

  it("gives each its result, though the clock throws", function()
    local calls, taken, results = 0, 0, {}
    local client = gateway:client { now = function()
      calls = calls + 1
      if calls > 8 then error("the clock is broken", 0) end
      return os.time()
    end }
    local message = thrown(function()
      client:sync_many(function()
        taken = taken + 1
        return samples.order()
      end, { concurrency = 2, on_result = function(result) results[result.index] = result end })
    end)
    assert.equal("the clock is broken", message)
    local broken = 0
    for _, result in ipairs(results) do
      if result.err and result.err.message:find("the clock is broken", 1, true) then broken = broken + 1 end
    end
    assert.is_true(broken >= 1, broken)
    assert.equal(taken, #results)
  end)

  it("slows down where AlipayHK refuses traffic, and loses no event by it", function()
    local script, busy = {}, { code = "REQUEST_TRAFFIC_EXCEED_LIMIT", status = "U" }
    for i = 1, 12 do script[i] = i % 4 == 0 and {} or i % 4 == 1 and { http_status = 429, raw = function()
      return { status = 429, headers = {}, body = "" }
    end } or busy end
    script[13] = {}
    gateway:answers(script)
    local least = math.huge
    local totals = many(orders(20), { retry = { max_attempts = 2, base_delay_ms = 0, max_delay_ms = 1 },
      on_progress = function(progress) least = math.min(least, progress.window) end })
    assert.same({ 20, 20, 0, 0 }, counts(totals))
    assert.equal(29, #gateway.requests)
    assert.is_true(least < 32)
  end)

  it("stops where nothing but refusals of traffic comes for longer than the retries' budget", function()
    gateway:answers { { code = "REQUEST_TRAFFIC_EXCEED_LIMIT", status = "U" } }
    local totals, results = many(orders(50), { retry = { budget_ms = 400, base_delay_ms = 0, max_delay_ms = 1 } })
    assert.matches("^AlipayHK refused traffic for %d+ s$", totals.stopped)
    assert.equal(totals.taken, #results)
    assert.is_true(totals.seconds < 5, totals.seconds)
  end)

  it("tells of progress, at the end as well", function()
    local seen = {}
    local totals = many(orders(4), { on_progress = function(progress) seen[#seen + 1] = progress end })
    local last = seen[#seen]
    assert.same({ 4, 4, 0, 0, 0, 0 },
      { last.taken, last.accepted, last.refused, last.failed, last.in_flight, last.waiting })
    assert.is_true(last.seconds <= totals.seconds and last.per_second > 0)
  end)

  it("keeps to a rate, retries included", function()
    gateway:answers { { failure = "timeout" }, {} }
    local started = core.monotonic()
    many(orders(9), { rate = 50, retry = { base_delay_ms = 0, max_delay_ms = 0, max_attempts = 2 } })
    local seconds = core.monotonic() - started
    assert.equal(10, #gateway.requests)
    assert.is_true(seconds > 9 / 50 - 0.05 and seconds < 5, seconds)
  end)

  it("takes not much more from the source than is under way", function()
    local taken, most = 0, 0
    many(function()
      taken = taken + 1
      most = math.max(most, taken - #gateway.requests)
      -- All events of one order: none of them may overtake another.
      return taken <= 2000 and samples.order { merchantBizNo = "one" } or nil
    end, { concurrency = 8 })
    assert.equal(2000, #gateway.requests)
    assert.is_true(most <= 8 * 4 + 8, most)
  end)
end)

describe("sync_many throws at the caller's line", function()
  local client = gateway:client()
  for title, case in pairs {
    ["without a source"] = { function() local _ = client:sync_many() end, "expected a table or a function" },
    ["for one payload without its braces"] = {
      function() local _ = client:sync_many(samples.order()) end, "expected a list of payloads" },
    ["for a list with holes"] = {
      function() local _ = client:sync_many({ [1] = {}, [2] = nil, [3] = {} }) end, "leave no holes" },
    ["for a string"] = { function() local _ = client:sync_many("x") end, "found a string" },
    ["for an option that there is not"] = {
      function() local _ = client:sync_many({}, { concurency = 2 }) end, 'did you mean "concurrency"' },
    ["for no concurrency"] = { function() local _ = client:sync_many({}, { concurrency = 0 }) end, "from 1 to" },
    ["for a rate that is none"] = { function() local _ = client:sync_many({}, { rate = -1 }) end, "opts.rate" },
    ["for an on_result that is no function"] = {
      function() local _ = client:sync_many({}, { on_result = 1 }) end, "expected a function" },
    ["without a colon"] = { function() local _ = client.sync_many({}) end, "call it with a colon" },
  } do
    it(title, function()
      local message = thrown(function() local _ = case[1]() end)
      assert.matches("batch_spec%.lua:%d+: sync_many: ", message)
      assert.matches(case[2], message, 1, true)
    end)
  end

  it("and gives an error for a retry that cannot be", function()
    local totals, err = client:sync_many({}, { retry = { attempts = 3 } })
    assert.is_nil(totals)
    assert.same({ "config", "retry.attempts" }, { err.kind, err.code })
  end)
end)
