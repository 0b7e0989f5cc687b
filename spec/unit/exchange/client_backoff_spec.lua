-- How long a client waits before it tries again.

local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local retry = require "alipayhk.exchange.retry"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local gateway = double.new { algorithm = "p224" }

-- The delays that the events tell of.
local function delays(answer, policy)
  local found = {}
  gateway:answers { answer }
  gateway:client({ retry = policy, on_event = function(event) found[#found + 1] = event.delay_ms end })
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
    local policy = { max_attempts = 41, base_delay_ms = 8, max_delay_ms = 8 }
    for _, delay_ms in ipairs(delays({ failure = "timeout" }, policy)) do
      least, most = math.min(least, delay_ms), math.max(most, delay_ms)
    end
    assert.is_true(least < 4 and most > 4)
  end)

  it("is half of that where no random bytes can be had: the request goes on", function()
    local order, random_bytes = samples.order { requestId = "r1" }, core.random_bytes
    finally(function() core.random_bytes = random_bytes end)
    gateway:answers { { failure = "timeout" } }
    local found = {}
    local client = gateway:client { retry = { max_attempts = 3, base_delay_ms = 8, max_delay_ms = 12 },
      on_event = function(event) found[#found + 1] = event.delay_ms end }
    core.random_bytes = function() return nil, "out of memory" end
    local _, err = client:sync_order(order)
    assert.equal("timeout", err.code)
    assert.same({ 4, 6 }, found)
    found = {}
    client = gateway:client { sleep = function() end,
      on_event = function(event) found[#found + 1] = event.delay_ms end }
    client:sync_order(order)
    assert.same({ 100, 200 }, found)
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

  -- What it is worth in milliseconds, seen from 2024-05-22T06:42:21Z.
  local RETRY_AFTER = {
    ["1"] = 1000, ["007"] = 7000, ["0"] = 0, [""] = 0, ["-1"] = 0, ["1.5"] = 0, ["1,5"] = 0, ["0x10"] = 0, ["1e1"] = 0,
    [" 5"] = 0, ["soon"] = 0, ["99999999999999999999"] = 50000,
    ["Wed, 22 May 2024 06:42:24 GMT"] = 3000, ["Wednesday, 22-May-24 06:42:24 GMT"] = 3000,
    ["Wed May 22 06:42:24 2024"] = 3000, ["Wed, 22 May 2024 06:42:21 GMT"] = 0, ["Wed, 22 May 2024 06:42:20 GMT"] = 0,
    ["Thu, 22 May 2025 06:42:21 GMT"] = 50000, ["Tue, 22 May 2024 06:42:24 GMT"] = 0,
  }
  local function asked_for(headers)
    local client, found
    client = gateway:client { retry = { max_attempts = 2, base_delay_ms = 0, max_delay_ms = 50000 },
      now = function() return 1716360141 end,
      on_event = function(event)
        if event.name ~= "retry" then return end
        found = event.delay_ms
        client:close() -- so that nobody waits
      end }
    gateway:answers { { http_status = 503, signed = false, headers = headers } }
    client:sync_order(samples.order())
    return found
  end
  for _, value in ipairs(sorted_keys(RETRY_AFTER)) do
    it(("is what Retry-After says, if anything: %q"):format(value), function()
      assert.equal(RETRY_AFTER[value], asked_for { ["retry-after"] = value })
    end)
  end

  it("is by the answer's own clock where it shows one", function()
    assert.equal(2000, asked_for {
      ["retry-after"] = "Wed, 22 May 2024 07:42:24 GMT", ["date"] = "Wed, 22 May 2024 07:42:22 GMT",
    })
  end)

  it("is at most 200 ms at first by default, and none where both are 0", function()
    assert.is_true(delays({ failure = "timeout" }, { max_attempts = 2 })[1] <= 200)
    assert.same({ 0, 0 }, delays({ failure = "timeout" }, { base_delay_ms = 0, max_delay_ms = 0 }))
  end)

  it("is random by three bytes of OpenSSL's", function()
    local random_bytes = core.random_bytes
    finally(function() core.random_bytes = random_bytes end)
    for bytes, number in pairs { ["\0\0\0"] = 0, ["\128\0\0"] = 1 / 2, ["\1\2\3"] = 66051 / 2 ^ 24,
      ["\255\255\255"] = 1 - 2 ^ -24 } do
      core.random_bytes = function() return bytes end
      assert.equal(number, retry.random())
    end
  end)

  it("is waited", function()
    local started, total_ms = core.monotonic(), 0
    for _, delay_ms in ipairs(delays({ failure = "timeout" }, { base_delay_ms = 20, max_delay_ms = 20 })) do
      total_ms = total_ms + delay_ms
    end
    assert.is_true((core.monotonic() - started) * 1000 >= total_ms)
  end)
end)
