-- The clock of a machine jumps an hour while an outbox is at work, or between two of its processes: nothing is sent
-- before what was put earlier, and nothing has to wait for the old time.

local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local outboxes = require "spec.support.outboxes"
local runtime = require "alipayhk.base.runtime"
local samples = require "spec.support.data.samples"

local HOUR = 3600
-- Far less than any wait for the old time, far more than what is to be done.
local PATIENCE_MS = 60000

local gateway = double.new { algorithm = "p224" }

for _, kind in ipairs(outboxes.kinds) do
  describe("a clock that jumps beside an outbox over " .. kind.name, function()
    local offset

    setup(function()
      kind.start()
      function runtime.now() return core.now() + offset end
    end)
    teardown(function()
      runtime.now = core.now
      kind.stop()
    end)
    before_each(function() offset = 0 end)
    after_each(outboxes.close_all)

    local function open(place)
      return outboxes.open(kind, gateway, { place = place }, { retry = { base_delay_ms = 1 } })
    end

    local function deliver(outbox)
      local started = runtime.monotonic_ms()
      local totals = outbox:deliver { until_empty = true, stop = function()
        return runtime.monotonic_ms() - started > PATIENCE_MS
      end }
      assert.is_nil(totals.stopped)
      return totals
    end

    local function put(outbox, biz_no, ...)
      for _, request_id in ipairs { ... } do
        assert(outbox:put(samples.order { merchantBizNo = biz_no, requestId = request_id }))
      end
    end

    local function check_sent(expected)
      local ids, last_ms = { A = {}, B = {} }, { A = 0, B = 0 }
      for _, payload in ipairs(outboxes.sent(gateway)) do
        local list = ids[payload.merchantBizNo]
        if list[#list] ~= payload.requestId then list[#list + 1] = payload.requestId end
        assert.is_true(payload.orderModifyTime >= last_ms[payload.merchantBizNo])
        last_ms[payload.merchantBizNo] = payload.orderModifyTime
      end
      assert.same(expected, ids)
    end

    for _, case in ipairs { { "forward", HOUR }, { "back", -HOUR } } do
      it(("%s, while it delivers"):format(case[1]), function()
        local outbox = open()
        -- The first answer is lost, and then the clock jumps.
        gateway:answers { { raw = function()
          offset = case[2]
          return nil, { code = "timeout", message = "as scripted" }
        end }, {} }
        put(outbox, "A", "a1", "a2")
        put(outbox, "B", "b1")
        assert.equal(3, deliver(outbox).accepted)
        put(outbox, "A", "a3")
        put(outbox, "B", "b2", "b3")
        assert.equal(3, deliver(outbox).accepted)
        check_sent { A = { "a1", "a2", "a3" }, B = { "b1", "b2", "b3" } }
        assert.equal(7, #gateway.requests)
      end)

      it(("%s, between two processes"):format(case[1]), function()
        local outbox, place = open()
        gateway:answers { { failure = "timeout" }, {} }
        put(outbox, "A", "a1", "a2")
        put(outbox, "B", "b1")
        outbox:deliver { concurrency = 1, stop = function() return #gateway.requests > 0 end }
        outbox:close()
        offset = case[2]
        local other = open(place)
        put(other, "A", "a3")
        put(other, "B", "b2")
        assert.is_true(other:stats().oldest_ms >= 0)
        deliver(other)
        assert.equal(5, other:stats().accepted)
        check_sent { A = { "a1", "a2", "a3" }, B = { "b1", "b2" } }
      end)
    end
  end)
end
