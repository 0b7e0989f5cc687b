-- A client that somebody closes while it is at work: what is known comes back, and nothing is thrown.

local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local server = require "spec.support.servers.server"

local gateway = double.new { algorithm = "p224" }

-- A client whose hook closes it at an event, and what it saw.
local function closing_at(name, attempt, overrides)
  local client, seen = nil, {}
  local config = gateway:config(overrides)
  config.retry = config.retry or { base_delay_ms = 0, max_delay_ms = 0 }
  config.on_event = function(event)
    seen[#seen + 1] = event.name .. " " .. event.attempt
    if event.name == name and event.attempt == attempt then client:close() end
  end
  client = assert(require("alipayhk").new(config))
  return client, seen
end

describe("on_event that closes its client", function()
  it("before anything is sent: nothing was", function()
    local client, seen = closing_at("attempt", 1)
    gateway:answers { {} }
    local response, err = client:sync_order(samples.order { requestId = "r1" })
    assert.is_nil(response)
    assert.same({ "transport", "connect", false, 0, "r1" },
      { err.kind, err.code, err.retryable, err.attempts, err.request_id })
    assert.matches("closed", err.message, 1, true)
    assert.equal(0, #gateway.requests)
    assert.same({ "attempt 1", "error 1" }, seen)
  end)

  it("once the answer is there: that comes back", function()
    local client = closing_at("response", 1)
    gateway:answers { {} }
    assert.equal("S", assert(client:sync_order(samples.order())).result.resultStatus)
  end)

  local CASES = {
    { "error", 1, { "attempt 1", "error 1" } },
    { "retry", 1, { "attempt 1", "error 1", "retry 1" } },
    { "attempt", 2, { "attempt 1", "error 1", "retry 1", "attempt 2" } },
  }
  for _, case in ipairs(CASES) do
    it(("at %s %d: the last error comes back, and nothing more is sent"):format(case[1], case[2]), function()
      local client, seen = closing_at(case[1], case[2])
      gateway:answers { { failure = "timeout" } }
      local response, err = client:sync_order(samples.order())
      assert.is_nil(response)
      assert.same({ "timeout", 1 }, { err.code, err.attempts })
      assert.equal(1, #gateway.requests)
      assert.same(case[3], seen)
    end)
  end

  it("does not wait for an attempt that will not be", function()
    local client = closing_at("error", 1, { retry = { base_delay_ms = 5000, max_delay_ms = 5000 } })
    gateway:answers { { http_status = 503, headers = { ["retry-after"] = "5" } } }
    local started = core.monotonic()
    assert.is_nil((client:sync_order(samples.order())))
    assert.is_true(core.monotonic() - started < 2)
  end)

  it("does the same with connections of libcurl", function()
    local there = server.start()
    for _, event in ipairs { "attempt", "error", "retry" } do
      local client = closing_at(event, 1, { transport = "auto", base_url = there:url("", "http"):gsub("/$", "") })
      local response, err = client:sync_order(samples.order())
      assert.is_nil(response)
      assert.equal("alipayhk.error", getmetatable(err).__name)
    end
    there:stop()
  end)
end)
