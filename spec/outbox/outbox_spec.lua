-- An outbox from outside: what is put arrives, in order, once. AlipayHK is a function here, the stores are real ones.

local double = require "spec.support.doubles.alipayhk_double"
local outboxes = require "spec.support.outboxes"
local samples = require "spec.support.data.samples"

local gateway = double.new { algorithm = "p224" }

local FAST = { retry = { base_delay_ms = 1 } }
local UNTIL_EMPTY = outboxes.UNTIL_EMPTY

local function sent() return outboxes.sent(gateway) end

for _, kind in ipairs(outboxes.kinds) do
  describe("an outbox over " .. kind.name, function()
    setup(kind.start)
    teardown(kind.stop)
    before_each(function() gateway:answers { {} } end)
    after_each(outboxes.close_all)

    local function open(values, config) return outboxes.open(kind, gateway, values, config) end

    it("delivers what was put, and has it on the disk before that", function()
      local outbox, place = open()
      local order = samples.order()
      local id, state, warnings = outbox:put(order)
      assert.is_string(id)
      assert.is_nil(state)
      assert.same({}, warnings)
      assert.equal("waiting", place.states())
      assert.equal(0, #gateway.requests)
      local totals = outbox:deliver(UNTIL_EMPTY)
      assert.same({ 1, 1, 0, 0, 0 }, { totals.taken, totals.accepted, totals.refused, totals.failed, totals.parked })
      assert.is_nil(totals.stopped)
      assert.equal(order.merchantBizNo, sent()[1].merchantBizNo)
      assert.is_true(gateway.requests[1].verified)
      assert.equal("accepted", place.states())
    end)

    it("needs no keys to put", function()
      local producer, place = open { client_id = gateway.client_id }
      assert(producer:put(samples.order()))
      producer:close()
      assert.equal(1, open({ place = place }):deliver(UNTIL_EMPTY).accepted)
    end)

    it("sends the events of an order in the order they were put", function()
      local outbox = open()
      local biz_no = samples.biz_no()
      for i = 1, 20 do assert(outbox:put(samples.order { merchantBizNo = biz_no, requestId = "request-" .. i })) end
      assert.equal(20, outbox:deliver(UNTIL_EMPTY).accepted)
      local last_ms = 0
      for i, payload in ipairs(sent()) do
        assert.equal("request-" .. i, payload.requestId)
        assert.is_true(payload.orderModifyTime > last_ms)
        last_ms = payload.orderModifyTime
      end
    end)

    it("stores nothing that breaks a rule", function()
      local outbox = open()
      local id, err = outbox:put(samples.order { orderStatus = "NO_SUCH" })
      assert.is_nil(id)
      assert.equal("invalid", err.kind)
      assert.equal(0, outbox:stats().waiting)
    end)

    it("sends an event again as it is, until AlipayHK has taken it", function()
      gateway:answers { { failure = "timeout" }, { code = "UNKNOWN_EXCEPTION", status = "U" }, {} }
      local outbox = open(nil, FAST)
      local heard = {}
      assert(outbox:put(samples.order()))
      local totals = outbox:deliver { until_empty = true, on_result = function(result) heard[#heard + 1] = result end }
      assert.equal(1, totals.accepted)
      assert.equal(1, #heard)
      assert.equal(3, heard[1].attempts)
      assert.equal(3, #gateway.requests)
      assert.equal(gateway.requests[1].plaintext, gateway.requests[2].plaintext)
      assert.equal(gateway.requests[1].plaintext, gateway.requests[3].plaintext)
    end)

    it("parks what AlipayHK refuses for good, and goes on with what is behind it", function()
      gateway:answers { { code = "PARAM_ILLEGAL", status = "F" }, {} }
      local outbox = open()
      local biz_no = samples.biz_no()
      assert(outbox:put(samples.order { merchantBizNo = biz_no }))
      assert(outbox:put(samples.order { merchantBizNo = biz_no }))
      local totals = outbox:deliver(UNTIL_EMPTY)
      assert.same({ 1, 1, 1 }, { totals.accepted, totals.refused, totals.parked })
      local parked = outbox:list { state = "parked" }
      assert.equal(1, #parked)
      assert.equal("PARAM_ILLEGAL", parked[1].code)
      assert.equal(biz_no, parked[1].merchant_biz_no)
      assert.matches("a parameter is missing or wrong", parked[1].message, 1, true)
    end)

    it("refuses an event that is older than one which was put", function()
      local outbox = open()
      local biz_no = samples.biz_no()
      local order = samples.order { merchantBizNo = biz_no }
      assert(outbox:put(order))
      local id, err = outbox:put(samples.order { merchantBizNo = biz_no, orderModifyTime = order.orderCreateTime })
      assert.is_nil(id)
      assert.same({ "invalid", "stale", "orderModifyTime" }, { err.kind, err.code, err.fields[1].path })
      assert.equal(1, outbox:stats().waiting)
    end)

    it("gives the first id again for the same key", function()
      local outbox = open()
      local order = samples.order()
      local id = assert(outbox:put(order, { key = "change-1" }))
      local again, state = outbox:put(order, { key = "change-1" })
      assert.equal(id, again)
      assert.equal("exists", state)
      assert.equal(1, outbox:deliver(UNTIL_EMPTY).accepted)
      assert.same({ id, "exists" }, { outbox:put(order, { key = "change-1" }) })
      assert.equal(1, #gateway.requests)
    end)
  end)
end
