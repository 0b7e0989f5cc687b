-- Our clock against AlipayHK's: what a response and an error say of it, and how old an answer may be.

local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"
local thrown = require "spec.support.asserting.thrown"

local NOW = 1716360141 -- 2024-05-22T06:42:21Z
local AT = "2024-05-22T14:42:21+08:00"

local gateway = double.new { algorithm = "p224" }

-- The response or the error of an answer that comes when our clock is at `now`.
local function ask(answer, now, max_age_ms)
  local client = gateway:client { now = function() return now or NOW end, max_response_age_ms = max_age_ms }
  gateway:answers { answer }
  local response, err = client:sync_order(samples.order(), { retry = false })
  return response or err
end

describe("clock_skew_ms", function()
  -- Of an answer that says this time, at NOW.
  local TIMES = {
    [AT] = 0,
    ["2024-05-22T06:42:22Z"] = 1000,
    ["2024-05-22T06:42:20.5Z"] = -500,
    ["2024-05-22T14:42:21,123+08"] = 123,
    ["1716360142000"] = 1000,
    ["Wed, 22 May 2024 07:42:21 GMT"] = 3600000,
    ["2023-05-22T06:42:21Z"] = -366 * 86400000,
  }
  for _, time in ipairs(sorted_keys(TIMES)) do
    it("is the answer's time minus ours: " .. time, function()
      assert.equal(TIMES[time], ask({ time = time }).clock_skew_ms)
      local err = ask { time = time, status = "F", code = "PARAM_ILLEGAL" }
      assert.equal(TIMES[time], err.clock_skew_ms)
      assert.equal(TIMES[time], err.response.clock_skew_ms)
      assert.equal(TIMES[time], ask({ time = time, http_status = 500 }).clock_skew_ms)
      assert.equal(TIMES[time], ask({ time = time, body = "no JSON" }).clock_skew_ms)
    end)
  end

  it("is whole milliseconds", function()
    local skew = ask({ time = AT }, NOW + 0.0004).clock_skew_ms
    assert.equal(0, skew)
    assert.equal(-1234, ask({ time = AT }, NOW + 1.2341).clock_skew_ms)
  end)

  it("is by HTTP's Date where there is no Response-Time, or none that can be read", function()
    local headers = { ["date"] = "Wed, 22 May 2024 06:42:31 GMT" }
    assert.equal(0, ask({ time = AT, headers = headers }).clock_skew_ms)
    assert.equal(10000, ask({ status = "F", signed = false, headers = headers }).clock_skew_ms)
    assert.equal(10000, ask({ time = "yesterday", headers = headers }).clock_skew_ms)
    headers["response-time"] = ""
    assert.equal(10000, ask({ status = "F", signed = false, headers = headers }).clock_skew_ms)
  end)

  it("is nil where there is neither", function()
    assert.is_nil(ask({ status = "F", signed = false }).clock_skew_ms)
    assert.is_nil(ask({ time = "yesterday", headers = { ["date"] = "today" } }).clock_skew_ms)
    assert.is_nil(ask({ failure = "timeout" }).clock_skew_ms)
  end)

  it("is nil where our clock breaks: the answer is not lost for it", function()
    local calls = 0
    local client = gateway:client { now = function()
      calls = calls + 1
      return calls < 3 and NOW or error("a broken clock")
    end }
    gateway:answers { {} }
    local response = assert(client:sync_order(samples.order()))
    assert.is_nil(response.clock_skew_ms)
  end)
end)

describe("a clock that breaks", function()
  it("throws out of the call before anything was sent", function()
    for sound = 0, 1 do
      local readings = 0
      local client = gateway:client { now = function()
        readings = readings + 1
        return readings <= sound and NOW or error("the clock broke", 0)
      end }
      gateway:answers { {} }
      assert.equal("the clock broke", thrown(function() client:sync_order(samples.order()) end))
      assert.equal(0, #gateway.requests)
    end
  end)
end)

describe("a clock that is off", function()
  local WORDS = "set this machine's clock"
  local REFUSALS = {
    ["INVALID_SIGNATURE"] = { code = "INVALID_SIGNATURE", status = "F" },
    ["PARAM_ILLEGAL"] = { code = "PARAM_ILLEGAL", status = "F" },
    ["ACCESS_DENIED"] = { code = "ACCESS_DENIED", status = "F" },
    ["PARAM_ILLEGAL with HTTP 400"] = { code = "PARAM_ILLEGAL", status = "F", http_status = 400 },
    ["an unsigned F"] = { code = "A_CODE", status = "F", signed = false,
      headers = { ["date"] = "Wed, 22 May 2024 06:42:21 GMT" } },
    ["HTTP 403"] = { http_status = 403, body = "no", signed = false,
      headers = { ["date"] = "Wed, 22 May 2024 06:42:21 GMT" } },
  }
  for _, title in ipairs(sorted_keys(REFUSALS)) do
    it("is named by the message of a refusal: " .. title, function()
      local answer = REFUSALS[title]
      answer.time = AT
      for _, off in ipairs { 61, 3600, 86400 } do
        local behind, ahead = ask(answer, NOW - off).message, ask(answer, NOW + off).message
        assert.matches(("our clock is %d s behind"):format(off), behind, 1, true)
        assert.matches(("our clock is %d s ahead of"):format(off), ahead, 1, true)
        assert.matches(WORDS, behind, 1, true)
      end
    end)

    it("is not where it is off by no more than a minute: " .. title, function()
      local answer = REFUSALS[title]
      answer.time = AT
      for _, off in ipairs { -60, 0, 60 } do
        assert.is_nil(ask(answer, NOW + off).message:find(WORDS, 1, true))
      end
    end)
  end

  it("has nothing to do with a failure of AlipayHK's", function()
    local headers = { ["date"] = "Wed, 22 May 2024 06:42:21 GMT" }
    for _, answer in ipairs { { status = "U", time = AT }, { http_status = 503, signed = false, headers = headers },
      { http_status = 404, body = "no", signed = false, headers = headers }, { body = "no JSON", time = AT } } do
      assert.is_nil(ask(answer, NOW + 3600).message:find("our clock", 1, true))
    end
  end)
end)

describe("max_response_age_ms", function()
  local function fits(...) assert.equal("S", ask(...).result.resultStatus) end
  local function stale(...)
    local err = ask(...)
    assert.same({ "signature", "stale", false }, { err.kind, err.code, err.retryable })
    assert.is_nil(err.response)
    return err
  end

  it("is not looked at where it is not given", function() fits({ time = AT }, NOW + 1e8) end)

  it("bounds how far an answer's time is from ours, either way", function()
    for _, off in ipairs { -60, -59, 0, 60 } do fits({ time = AT }, NOW + off, 60000) end
    for _, off in ipairs { -1e8, -61, 60.001, 61, 1e8 } do stale({ time = AT }, NOW + off, 60000) end
  end)

  it("is counted in milliseconds", function()
    fits({ time = AT }, NOW + 0.4, 500)
    stale({ time = AT }, NOW + 0.6, 500)
  end)

  it("refuses a failure that is too old, too", function() stale({ time = AT, status = "F" }, NOW + 61, 60000) end)

  it("refuses a time that cannot be read", function()
    assert.matches("cannot be read: yesterday", stale({ time = "yesterday" }, NOW, 60000).message, 1, true)
  end)

  it("reads every form of a time", function()
    for _, time in ipairs { "1716360141000", "2024-05-22T14:42:21,5+08", "Wed, 22 May 2024 06:42:21 GMT" } do
      fits({ time = time }, NOW, 1000)
      stale({ time = time }, NOW + 10, 1000)
    end
  end)

  it("does not believe a time before its signature is verified", function()
    local err = ask({ time = AT, alter = function(body) return body .. " " end }, NOW + 1e6, 1000)
    assert.same({ "signature", "wrong" }, { err.kind, err.code })
  end)

  it("leaves an unsigned failure what it is", function()
    assert.equal("result", ask({ status = "F", signed = false }, NOW + 1e6, 1000).kind)
  end)

  it("is named in the message, and how old the answer was", function()
    local message = stale({ time = AT }, NOW + 3600, 60000).message
    assert.matches("3600 s", message, 1, true)
    assert.matches("60 s", message, 1, true)
    assert.matches("clock", message, 1, true)
  end)
end)
