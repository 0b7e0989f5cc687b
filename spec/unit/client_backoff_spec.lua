-- How long a client waits before it tries again.

local core = require "alipayhk.core"
local double = require "spec.support.alipayhk_double"
local samples = require "spec.support.samples"

local gateway = double.new { algorithm = "p224" }

-- The delays that the events tell of.
local function delays(answer, retry)
  local found = {}
  gateway:answers { answer }
  gateway:client({ retry = retry, on_event = function(event) found[#found + 1] = event.delay_ms end })
    :sync_order(samples.order())
  return found
end

describe("the delay before another attempt", function()
  it("is from 0 to a ceiling that doubles up to max_delay_ms", function()
    local ceilings = { 4, 8, 16, 20, 20 }
    for _ = 1, 3 do
      local found = delays({ failure = "timeout" }, { max_attempts = 6, base_delay_ms = 4, max_delay_ms = 20 })
      assert.equal(#ceilings, #found)
      for i, ceiling in ipairs(ceilings) do assert.is_true(found[i] >= 0 and found[i] <= ceiling, found[i]) end
    end
  end)

  it("is random over all of that", function()
    local least, most = math.huge, 0
    local retry = { max_attempts = 41, base_delay_ms = 8, max_delay_ms = 8 }
    for _, delay_ms in ipairs(delays({ failure = "timeout" }, retry)) do
      least, most = math.min(least, delay_ms), math.max(most, delay_ms)
    end
    assert.is_true(least < 4 and most > 4)
  end)

  it("is no luck where AlipayHK says that there were too many requests", function()
    local answer = { code = "REQUEST_TRAFFIC_EXCEED_LIMIT", status = "U" }
    for _, delay_ms in ipairs(delays(answer, { max_attempts = 11, base_delay_ms = 8, max_delay_ms = 8 })) do
      assert.is_true(delay_ms >= 4 and delay_ms <= 8)
    end
  end)

  it("is what Retry-After says, up to max_delay_ms", function()
    local answer = { http_status = 503, headers = { ["retry-after"] = "3600" } }
    assert.same({ 5, 5 }, delays(answer, { base_delay_ms = 1, max_delay_ms = 5 }))
  end)

  it("is at most 200 ms at first by default, and none where both are 0", function()
    assert.is_true(delays({ failure = "timeout" }, { max_attempts = 2 })[1] <= 200)
    assert.same({ 0, 0 }, delays({ failure = "timeout" }, { base_delay_ms = 0, max_delay_ms = 0 }))
  end)

  it("is waited", function()
    local started, total_ms = core.monotonic(), 0
    for _, delay_ms in ipairs(delays({ failure = "timeout" }, { base_delay_ms = 20, max_delay_ms = 20 })) do
      total_ms = total_ms + delay_ms
    end
    assert.is_true((core.monotonic() - started) * 1000 >= total_ms)
  end)
end)
