-- What `deliver` does with what AlipayHK, the store, the clock and its user do. AlipayHK is a function here.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local databases = require "spec.support.databases"
local double = require "spec.support.doubles.alipayhk_double"
local json = require "alipayhk.base.json"
local keys = require "spec.support.data.keys"
local outboxes = require "spec.support.outboxes"
local platform = require "alipayhk.api.platform"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"
local thrown = require "spec.support.asserting.thrown"

local gateway = double.new { algorithm = "p224" }
local UNTIL_EMPTY = outboxes.UNTIL_EMPTY
local FAST = { retry = { base_delay_ms = 1 } }

local function put(outbox, count, extra)
  for _ = 1, count do assert(outbox:put(samples.order(extra))) end
end

for _, kind in ipairs(outboxes.kinds) do
  describe("outbox:deliver over " .. kind.name, function()
    setup(kind.start)
    teardown(kind.stop)
    before_each(function() gateway:answers { {} } end)
    after_each(outboxes.close_all)

    local function open(values, config) return outboxes.open(kind, gateway, values, config) end

    it("has nothing to do for an empty store", function()
      local totals = open():deliver(UNTIL_EMPTY)
      assert.same({ 0, 0, 0 }, { totals.taken, totals.accepted, totals.parked })
    end)

    it("tells of the life of an event, and counts it", function()
      gateway:answers { { failure = "timeout" }, {}, { code = "PARAM_ILLEGAL", status = "F" } }
      local heard, on_event = outboxes.hearing()
      local outbox = open({ on_event = on_event }, FAST)
      put(outbox, 1)
      outbox:deliver(UNTIL_EMPTY)
      put(outbox, 1)
      outbox:deliver(UNTIL_EMPTY)
      assert.equal("put sending later sending accepted put sending parked", outboxes.names(heard))
      local later, parked = heard[3], heard[8]
      assert.same({ 1, "timeout" }, { later.attempt, later.code })
      assert.is_number(later.delay_ms)
      assert.same({ "PARAM_ILLEGAL", 1 }, { parked.code, parked.attempt })
      local stats = outbox:stats()
      assert.same({ 0, 0, 1, 1 }, { stats.waiting, stats.sending, stats.accepted, stats.parked })
      assert.is_nil(stats.oldest_ms)
    end)

    it("commits that it is about to send before it sends", function()
      local seen
      local outbox, place
      outbox, place = open(nil, { transport = function(request)
        seen = place.states() .. outbox:list()[1].attempts
        return gateway:receive(request)
      end })
      put(outbox, 1)
      outbox:deliver(UNTIL_EMPTY)
      assert.equal("sending1", seen)
    end)

    it("parks what is too old when an attempt fails, not before", function()
      gateway:answers { { failure = "connect" } }
      local outbox = open({ max_age_ms = 1 }, FAST)
      put(outbox, 1)
      local totals = outbox:deliver(UNTIL_EMPTY)
      assert.same({ 1, 1, 0 }, { totals.parked, totals.failed, totals.accepted })
      local parked = outbox:list { state = "parked" }[1]
      assert.matches("not delivered for", parked.message, 1, true)
      assert.equal("connect", parked.code)
      gateway:answers { {} }
      assert.is_true(outbox:retry(parked.id))
      assert.equal(1, outbox:deliver(UNTIL_EMPTY).accepted)
    end)

    it("parks an event that no longer passes the check, and goes on", function()
      local outbox, place = open()
      local id = assert(outbox:put(samples.order()))
      put(outbox, 1)
      place.set_body(id, (place.body(id):gsub("TICKETED", "NO_SUCH")))
      local totals = outbox:deliver(UNTIL_EMPTY)
      assert.same({ 1, 1, 1 }, { totals.accepted, totals.refused, totals.parked })
      local parked = outbox:list { state = "parked" }
      assert.same({ id, "invalid" }, { parked[1].id, parked[1].code })
      assert.matches('found "NO_SUCH"', parked[1].message, 1, true)
      assert.equal(1, #gateway.requests)
    end)

    it("parks what was damaged in the store", function()
      local outbox, place = open()
      place.set_body(assert(outbox:put(samples.order())), "{\1")
      assert.equal(1, outbox:deliver(UNTIL_EMPTY).parked)
      assert.matches("no JSON object", outbox:list()[1].message, 1, true)
    end)

    for _, case in ipairs {
      { "an event of 1 MiB", 1024 * 1024 }, { "one as large as a request may be", platform.body_max },
    } do
      it("delivers " .. case[1], function()
        local outbox = open(nil, { validate = false })
        local order = samples.order { extInfo = { note = "" } }
        local _, _, warnings = assert(outbox:put(order))
        assert.same({}, warnings)
        outbox:deliver(UNTIL_EMPTY)
        local size = #gateway.requests[1].plaintext
        order.extInfo.note, order.requestId = ("x"):rep(case[2] - size), nil
        assert(outbox:put(order))
        put(outbox, 1)
        assert.equal(2, outbox:deliver(UNTIL_EMPTY).accepted)
        assert.equal(case[2], #gateway.requests[2].plaintext)
        assert.equal(order.extInfo.note, json.decode(gateway.requests[2].plaintext).extInfo.note)
      end)
    end

    it("settles a SEND whose fate is unknown by an UPDATE with the same data", function()
      gateway:answers {
        { failure = "timeout" }, { code = "UN_SUPPORT_BUSINESS", status = "F" }, { failure = "timeout" }, {},
      }
      local outbox = open(nil, FAST)
      assert(outbox:put(samples.card()))
      assert.equal(1, outbox:deliver(UNTIL_EMPTY).accepted)
      local sent = outboxes.sent(gateway)
      assert.equal(4, #sent)
      assert.same({ "SEND", "SEND", "UPDATE", "UPDATE" },
        { sent[1].command, sent[2].command, sent[3].command, sent[4].command })
      assert.equal(gateway.requests[1].plaintext, gateway.requests[2].plaintext)
      assert.equal(gateway.requests[3].plaintext, gateway.requests[4].plaintext)
      -- AlipayHK refuses a requestId that it knows with another content.
      assert.not_equal(sent[1].requestId, sent[3].requestId)
      assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-8%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$", sent[3].requestId)
      sent[3].command, sent[3].requestId = sent[1].command, sent[1].requestId
      assert.same(sent[1], sent[3])
    end)

    it("parks that SEND where there is no such notification", function()
      gateway:answers {
        { failure = "timeout" }, { code = "UN_SUPPORT_BUSINESS", status = "F" },
        { code = "ORDER_NOT_FOUND", status = "F" },
      }
      local outbox = open(nil, FAST)
      assert(outbox:put(samples.card()))
      assert.equal(1, outbox:deliver(UNTIL_EMPTY).parked)
      assert.equal("ORDER_NOT_FOUND", outbox:list()[1].code)
    end)

    it("records another status that AlipayHK holds", function()
      gateway:answers { { body = json.encode {
        result = { resultCode = "SUCCESS", resultStatus = "S", resultMessage = "success" }, orderStatus = "USED",
      } } }
      local outbox = open()
      put(outbox, 1)
      outbox:deliver(UNTIL_EMPTY)
      local event = outbox:list()[1]
      assert.same({ "accepted", "USED" }, { event.state, event.held_status })
    end)

    it("sends only the last of those that are alike, where it is told to", function()
      local heard, on_event = outboxes.hearing()
      local outbox, place = open { coalesce = "same_status", on_event = on_event }
      local biz_no = samples.biz_no()
      put(outbox, 3, { merchantBizNo = biz_no })
      put(outbox, 1, { merchantBizNo = biz_no, orderStatus = "USED" })
      outbox:deliver(UNTIL_EMPTY)
      assert.equal("superseded\nsuperseded\naccepted\naccepted", place.states())
      local sent = outboxes.sent(gateway)
      assert.equal(2, #sent)
      assert.same({ "TICKETED", "USED" }, { sent[1].orderStatus, sent[2].orderStatus })
      assert.equal(2, select(2, outboxes.names(heard):gsub("superseded", "")))
    end)

    it("stops when it is told to, and what was not sent waits", function()
      local outbox = open()
      put(outbox, 40)
      local totals = outbox:deliver { concurrency = 1, stop = function() return #gateway.requests >= 5 end }
      assert.is_true(totals.accepted >= 5 and totals.accepted < 40)
      assert.equal("it was told to stop", totals.stopped)
      local stats = outbox:stats()
      assert.same({ 40 - totals.accepted, 0 }, { stats.waiting, stats.sending })
      for _, event in ipairs(outbox:list { state = "waiting" }) do assert.equal(0, event.attempts) end
      assert.equal(40, totals.accepted + outbox:deliver(UNTIL_EMPTY).accepted)
      assert.equal(40, #gateway.requests)
    end)

    for _, name in ipairs { "stop", "on_result", "on_progress" } do
      it(("throws what %s throws, and nothing is lost"):format(name), function()
        local outbox = open()
        put(outbox, 10)
        local opts = { until_empty = true, [name] = function() error("by the user", 0) end }
        assert.equal("by the user", thrown(function() outbox:deliver(opts) end))
        local stats = outbox:stats()
        assert.same({ 10, 0 }, { stats.waiting + stats.accepted, stats.sending })
        outbox:deliver(UNTIL_EMPTY)
        assert.equal(10, outbox:stats().accepted)
        assert.equal(10, #gateway.requests)
      end)
    end

    it("stops where the client is closed meanwhile, and loses nothing", function()
      local outbox, place = open()
      put(outbox, 10)
      local totals = outbox:deliver { until_empty = true, concurrency = 1, on_result = function()
        outbox.client:close()
      end }
      assert.equal("the client was closed", totals.stopped)
      assert.matches("the client is closed", thrown(function() outbox:deliver() end), 1, true)
      outbox:close()
      assert.equal(10 - totals.accepted, open({ place = place }):deliver(UNTIL_EMPTY).accepted)
    end)

    it("stops where it is closed meanwhile, and has recorded what was under way", function()
      local outbox, place = open()
      put(outbox, 10)
      local totals = outbox:deliver { until_empty = true, concurrency = 1, on_result = function()
        outbox:close()
      end }
      assert.equal("the outbox was closed", totals.stopped)
      assert.is_true(totals.accepted >= 1)
      assert.matches("the outbox is closed", thrown(function() outbox:stats() end), 1, true)
      assert.equal(10 - totals.accepted, open({ place = place }):deliver(UNTIL_EMPTY).accepted)
      assert.equal(10, #gateway.requests)
    end)

    it("throws where it is under way already", function()
      local outbox = open()
      put(outbox, 1)
      local message
      outbox:deliver { until_empty = true, on_result = function()
        message = thrown(function() outbox:deliver() end)
      end }
      assert.matches("deliver: it is under way already", message, 1, true)
    end)

    it("says that it was stopped before it had begun", function()
      local outbox = open()
      put(outbox, 1)
      assert.equal("it was told to stop", outbox:deliver({ stop = function() return true end }).stopped)
    end)

    it("gives up where nothing can be reached, though there is but one order", function()
      gateway:answers { { failure = "connect" } }
      local outbox = open(nil, { retry = { base_delay_ms = 1, budget_ms = 300 } })
      put(outbox, 1)
      assert.matches("AlipayHK could not be reached for", outbox:deliver(UNTIL_EMPTY).stopped, 1, true)
      assert.equal(1, outbox:stats().waiting)
    end)

    it("gives up where nothing can be reached, when it is to end", function()
      gateway:answers { { failure = "connect" } }
      local outbox = open(nil, { retry = { base_delay_ms = 1, budget_ms = 300 } })
      put(outbox, 8)
      local totals = outbox:deliver(UNTIL_EMPTY)
      assert.matches("AlipayHK could not be reached for", totals.stopped, 1, true)
      assert.equal(8, outbox:stats().waiting)
      -- The five failures that made it sure cost an attempt each; nothing after them did.
      local attempts = 0
      for _, event in ipairs(outbox:list()) do attempts = attempts + event.attempts end
      assert.is_true(attempts <= 5, attempts)
      assert.is_true(#gateway.requests >= 5)
    end)

    it("gives up with a single event, too", function()
      gateway:answers { { failure = "connect" } }
      local outbox = open(nil, { retry = { base_delay_ms = 1, max_delay_ms = 10, budget_ms = 300 } })
      put(outbox, 1)
      local totals = outbox:deliver(UNTIL_EMPTY)
      assert.matches("AlipayHK could not be reached for", totals.stopped, 1, true)
      assert.is_true(totals.seconds < 10, totals.seconds)
      assert.equal(1, outbox:stats().waiting)
    end)

    for name, answers in pairs {
      ["its signature is refused"] = { { code = "INVALID_SIGNATURE", status = "F", signed = false } },
      ["it is refused as one that is known"] = { { code = "INVALID_SIGNATURE", status = "F" } },
      ["its client is not known"] = { { code = "INVALID_CLIENT", status = "F", signed = false } },
      ["no answer is signed by the key that it has"] = {
        { private_key = assert(core.private_key { file = keys.pair("other", "p224").private }) },
      },
      ["it is the wrong address"] = { { http_status = 404, body = "no such page", signed = false } },
      ["AlipayHK fails"] = { { failure = "timeout" }, { code = "UNKNOWN_EXCEPTION", status = "U" } },
    } do
      it("gives up, when it is to end, where nothing comes of any request: " .. name, function()
        gateway:answers(answers)
        local outbox = open(nil, { retry = { base_delay_ms = 1, budget_ms = 100 } })
        put(outbox, 3)
        local totals = outbox:deliver(UNTIL_EMPTY)
        assert.matches("^nothing was accepted or parked for %d+ s, though AlipayHK answers: [%w_]+$", totals.stopped)
        assert.is_true(totals.seconds >= 1 / 10 and totals.seconds < 10, totals.seconds)
        assert.same({ 3, 0 }, { outbox:stats().waiting, outbox:stats().parked })
        -- Otherwise it goes on.
        local ends = core.monotonic() + 2 / 10
        totals = outbox:deliver { stop = function() return core.monotonic() > ends end }
        assert.equal("it was told to stop", totals.stopped)
      end)
    end

    it("does not give up while some are accepted, or while AlipayHK asks for less", function()
      local outbox = open(nil, { retry = { base_delay_ms = 1, max_delay_ms = 50, budget_ms = 200 } })
      put(outbox, 30)
      local unknown = { code = "UNKNOWN_EXCEPTION", status = "U" }
      local busy = { code = "REQUEST_TRAFFIC_EXCEED_LIMIT", status = "F" }
      gateway:answers { unknown, {}, unknown, busy, {} }
      local totals = outbox:deliver { until_empty = true, concurrency = 1, rate = 50 }
      assert.same({ 30, nil }, { totals.accepted, totals.stopped })
    end)

    it("keeps to a rate", function()
      local outbox = open()
      put(outbox, 30)
      assert.is_true(outbox:deliver({ until_empty = true, rate = 100 }).seconds >= 0.25)
    end)

    it("makes what a transport throws the outcome of that attempt, and goes on", function()
      local thrown_once = false
      local outbox = open(nil, { retry = { base_delay_ms = 1 }, transport = function(request)
        local response = gateway:receive(request)
        if thrown_once then return response end
        thrown_once = true
        error("no such luck", 0)
      end })
      local heard, on_event = outboxes.hearing()
      outbox.told.on_event = on_event
      put(outbox, 3)
      assert.equal(3, outbox:deliver(UNTIL_EMPTY).accepted)
      assert.equal(4, #gateway.requests)
      local later
      for _, event in ipairs(heard) do later = event.name == "later" and event or later end
      assert.matches("no such luck", later.message, 1, true)
      -- It may have arrived, so that it counts.
      local attempts = 0
      for _, event in ipairs(outbox:list()) do attempts = attempts + event.attempts end
      assert.equal(4, attempts)
    end)

    it("parks what AlipayHK has the last word about by the user's own rule", function()
      gateway:answers { { code = "UNKNOWN_EXCEPTION", status = "U" } }
      local outbox = open(nil, { retry = { codes = { UNKNOWN_EXCEPTION = false } } })
      put(outbox, 1)
      assert.equal(1, outbox:deliver(UNTIL_EMPTY).parked)
    end)

    it("waits until what other workers have under way has ended", function()
      local outbox, place = open()
      local other = open { place = place }
      put(outbox, 2)
      assert(other.store:begin_delivery())
      local turn = assert(other.store:turn({}, 1))
      local looks = 0
      local totals = outbox:deliver { until_empty = true, stop = function()
        looks = looks + 1
        if looks == 4 then
          assert(other.store:turn({ { event = turn.events[1], state = "accepted" } }, 0))
          other.store:end_delivery()
        end
      end }
      assert.is_true(looks >= 4)
      assert.equal(1, totals.accepted)
      assert.equal(2, outbox:stats().accepted)
    end)

    it("throws for what it does not know, and without a client", function()
      local outbox = open { client_id = gateway.client_id }
      assert.matches("only an outbox that was given a `client` delivers", thrown(function() outbox:deliver() end), 1,
        true)
      assert.matches("opts.signer: no such option", thrown(function() outbox:deliver { signer = 1 } end), 1, true)
    end)

    it("goes on after a fault of the store that passes", function()
      local outbox, place = open()
      put(outbox, 5)
      local store, failures = outbox.store, 0
      local turn = store.turn
      function store.turn(...)
        failures = failures + 1
        if failures % 2 == 1 and failures < 6 then
          return nil, { code = "locked", message = place.url .. ": others hold it", is_retryable = true }
        end
        return turn(...)
      end
      local heard, on_event = outboxes.hearing()
      outbox.told.on_event = on_event
      assert.equal(5, outbox:deliver(UNTIL_EMPTY).accepted)
      assert.equal(5, #gateway.requests)
      assert.matches("^store ", outboxes.names(heard))
      assert.equal("locked", heard[1].code)
    end)
  end)
end

describe("outbox:deliver over a file", function()
  before_each(function() gateway:answers { {} } end)
  after_each(outboxes.close_all)

  local function open(values, config) return outboxes.open(outboxes.file, gateway, values, config) end

  it("lets one of two deliver, and the other when that one has ended", function()
    local first, place = open()
    local second = open { place = place }
    put(first, 3)
    local totals = first:deliver { until_empty = true, on_result = function()
      local polls = 0
      local others = second:deliver { stop = function()
        polls = polls + 1
        return polls > 3
      end }
      assert.equal(0, others.taken)
    end }
    assert.equal(3, totals.accepted)
    put(first, 1)
    assert.equal(1, second:deliver(UNTIL_EMPTY).accepted)
  end)

  it("gives up what it had claimed once another delivers", function()
    local outbox, place = open(nil, { retry = { base_delay_ms = 1 } })
    local biz_nos, other, sent_before = {}, nil, nil
    for i = 1, 4 do
      biz_nos[i] = samples.biz_no()
      for _ = 1, 2 do put(outbox, 1, { merchantBizNo = biz_nos[i] }) end
    end
    local totals = outbox:deliver { concurrency = 1, until_empty = true, on_result = function()
      if other then return end
      assert(os.remove(place.path .. "-deliver"))
      other = open { place = place }
      assert(other:deliver(UNTIL_EMPTY))
      sent_before = #gateway.requests
    end }
    assert.is_true(totals.accepted >= 1)
    assert.equal(8, outbox:stats().accepted)
    -- The first answer that is recorded says so.
    assert.is_true(#gateway.requests <= sent_before + 1, #gateway.requests - sent_before)
  end)

  it("parks an event of an API that only a later version knows, and goes on", function()
    local outbox, place = open()
    put(outbox, 2)
    databases.judge(place.path, "UPDATE lane SET api = 'refund' WHERE id = 1")
    local totals = outbox:deliver(UNTIL_EMPTY)
    assert.same({ 1, 1 }, { totals.accepted, totals.parked })
    assert.matches('no API "refund" is known to this version', outbox:list({ state = "parked" })[1].message, 1, true)
  end)

  it("tells once that it stands by", function()
    local first, place = open()
    local heard, on_event = outboxes.hearing()
    local second = open { place = place, on_event = on_event }
    assert(first.store:begin_delivery())
    local polls = 0
    second:deliver { stop = function()
      polls = polls + 1
      return polls > 4
    end }
    assert.equal("standing_by", outboxes.names(heard))
  end)

  it("gives up standing by where nothing moves, when it is to end", function()
    local first, place = open()
    put(first, 1)
    assert(first.store:begin_delivery())
    local second = open({ place = place }, { retry = { budget_ms = 300 } })
    assert.matches("another process delivers, and nothing has moved for", second:deliver(UNTIL_EMPTY).stopped, 1, true)
  end)

  it("says that the store was damaged, and keeps the file", function()
    local outbox, place = open()
    put(outbox, 3)
    outbox:close()
    databases.overwrite(place.path, 4096, ("\170"):rep(#shell.read(place.path) - 4096))
    local damaged, err = alipayhk.outbox { store = place.url, client_id = gateway.client_id }
    assert.is_nil(damaged)
    assert.same({ "store", "damaged", false }, { err.kind, err.code, err.retryable })
    assert.matches(place.path, err.message, 1, true)
  end)
end)

describe("outbox:deliver over a Redis", function()
  setup(outboxes.redis.start)
  teardown(outboxes.redis.stop)
  before_each(function() gateway:answers { {} } end)
  after_each(outboxes.close_all)

  it("delivers from two at the same time", function()
    local first, place = outboxes.open(outboxes.redis, gateway)
    local second = outboxes.open(outboxes.redis, gateway, { place = place })
    put(first, 40)
    local others
    local totals = first:deliver { until_empty = true, concurrency = 1, on_result = function()
      others = others or second:deliver(UNTIL_EMPTY)
    end }
    assert.is_true(others.accepted > 0)
    assert.equal(40, totals.accepted + others.accepted)
    assert.equal(40, #gateway.requests)
  end)
end)
