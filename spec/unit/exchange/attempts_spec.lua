-- A request's attempts: told what came back and what time it is, what is to be done? No client, no socket, no clock.

local attempts = require "alipayhk.exchange.attempts"
local orders = require "alipayhk.api.order"

local POLICY = { max_attempts = 3, base_delay_ms = 100, max_delay_ms = 5000, budget_ms = 60000 }

local function policy(extra)
  local made = {}
  for name, value in pairs(POLICY) do made[name] = value end
  for name, value in pairs(extra or {}) do made[name] = value end
  return made
end

-- `luck`: what random gives, 1/2 when absent.
local function machine(extra)
  extra = extra or {}
  return attempts.new {
    policy = policy(extra.policy),
    description = extra.description,
    timeout_ms = extra.timeout_ms or 15000,
    random = function() return extra.luck or 1 / 2 end,
  }
end

local function failure(code, extra)
  local err = { kind = "transport", code = code, retryable = false }
  for name, value in pairs(extra or {}) do err[name] = value end
  return err
end

local function refusal(code, status, authenticated)
  return {
    kind = "result", code = code,
    response = { authenticated = authenticated ~= false, result = { resultCode = code, resultStatus = status } },
  }
end

-- What is to be done after the first attempt failed so.
local function after(err, extra, told)
  local m = machine(extra)
  m:start(0)
  m:failed(err, told or {}, 0)
  return m
end

describe("attempts", function()
  it("begin with one to be sent", function()
    local m = machine()
    assert.is_nil(m.action)
    m:start(1000)
    assert.same({ "send", 1, 15000 }, { m.action, m.attempt, m.timeout_ms })
  end)

  it("end with the first response, which has their number", function()
    local m, response = machine(), {}
    m:start(0)
    m:failed(failure "timeout", {}, 10)
    m:waited(100)
    m:succeeded(response)
    assert.same({ "done", 2 }, { m.action, response.attempts })
    assert.equal(response, m.response)
    assert.is_nil(m.err)
  end)

  it("go on counting where other machines began an event, the first failure of which is charged here", function()
    local m = attempts.new { policy = policy(), timeout_ms = 15000, event = { attempts = 2, lost_answer = true },
      random = function() return 1 / 2 end }
    m:start(0)
    assert.same({ "send", 2 }, { m.action, m.attempt })
    m:failed(failure "connect", {}, 0)
    assert.equal("wait", m.action)
    m:waited(50)
    assert.same({ "send", 3 }, { m.action, m.attempt })
    m:failed(failure "connect", {}, 50)
    assert.equal("done", m.action)
    assert.is_true(m.may_have_arrived)
  end)

  it("wait longer each time, and end with the error of the last", function()
    local m, seen = machine { policy = { max_attempts = 4 }, luck = 1 }, {}
    m:start(0)
    for n = 1, 4 do
      local err = failure("reset", { n = n })
      m:failed(err, {}, 0)
      seen[n] = m.delay_ms or "done"
      assert.equal(n, err.attempts)
      assert.is_true(err.retryable)
      if m.action == "wait" then m:waited(0) end
    end
    assert.same({ 100, 200, 400, "done" }, seen)
    assert.equal(4, m.err.n)
  end)

  it("wait at most max_delay_ms", function()
    assert.equal(70, after(failure "reset", { policy = { max_delay_ms = 70 }, luck = 1 }).delay_ms)
  end)

  it("are one alone where the policy says so", function()
    assert.equal("done", after(failure "timeout", { policy = { max_attempts = 1 } }).action)
  end)
end)

describe("another attempt follows", function()
  local FAILURES = {
    { "a name that was not resolved", failure "dns", true },
    { "a connection that was not made", failure "connect", true },
    { "a timeout", failure "timeout", true },
    { "a connection that broke", failure "reset", true },
    { "a certificate that was refused", failure "tls", false },
    { "an answer that is too large", failure "too_large", false },
    { "an answer that is no HTTP", failure "protocol", false },
    { "a phase of nginx's without connections", failure "phase", false },
    { "a proxy's 503", failure("proxy", { http_status = 503 }), true },
    { "a proxy's 407", failure("proxy", { http_status = 407 }), false },
    { "a signature that could not be made", { kind = "crypto" }, false },
    { "HTTP 500", { kind = "http", http_status = 500 }, true },
    { "HTTP 429", { kind = "http", http_status = 429 }, true },
    { "HTTP 404", { kind = "http", http_status = 404 }, false },
    { "HTTP 501", { kind = "http", http_status = 501 }, false },
    { "a wrong signature", { kind = "signature", code = "wrong", http_status = 200 }, false },
    { "a signature that could not be verified", { kind = "signature", code = "unverified", http_status = 200 }, true },
    { "an answer to another request", { kind = "protocol", code = "another_request", http_status = 200 }, true },
    { "an answer that cannot be opened", { kind = "decrypt", http_status = 200 }, false },
    { "a no", refusal("PARAM_ILLEGAL", "F"), false },
    { "an unknown outcome", refusal("SOME_CODE", "U"), true },
    { "a status that nobody knows", refusal("SOME_CODE", "X"), true },
  }
  for _, case in ipairs(FAILURES) do
    local title, err, follows = case[1], case[2], case[3]
    it((follows and "after " or "not after ") .. title, function()
      local m = after(err)
      assert.equal(follows and "wait" or "done", m.action)
      assert.equal(follows, err.retryable)
    end)
  end

  it("by the API's page, where that says something of a code", function()
    assert.equal("wait", after(refusal("UNKNOWN_EXCEPTION", "F"), { description = orders }).action)
  end)

  it("by the user's codes before anything else", function()
    local no = { policy = { codes = { UNKNOWN_EXCEPTION = false } }, description = orders }
    assert.equal("done", after(refusal("UNKNOWN_EXCEPTION", "F"), no).action)
    assert.equal("wait", after(refusal("PARAM_ILLEGAL", "F"), { policy = { codes = { PARAM_ILLEGAL = true } } }).action)
  end)

  it("by the HTTP status, where anybody may have given the result", function()
    local err = refusal("PARAM_ILLEGAL", "F", false)
    err.http_status = 503
    assert.equal("wait", after(err).action)
  end)

  it("not where the process is about to end and may have cut the connection", function()
    assert.equal("done", after(failure "reset", nil, { is_exiting = true }).action)
    assert.equal("wait", after(failure "timeout", nil, { is_exiting = true }).action)
  end)
end)

describe("the delay", function()
  it("is random from 0 to the ceiling", function()
    assert.same({ 0, 50, 100 }, {
      after(failure "reset", { luck = 0 }).delay_ms, after(failure "reset").delay_ms,
      after(failure "reset", { luck = 1 }).delay_ms })
  end)

  it("is whole milliseconds, the nearest", function()
    for luck, delay_ms in pairs { [494 / 1000] = 49, [495 / 1000] = 50, [498 / 1000] = 50 } do
      assert.equal(delay_ms, after(failure "reset", { luck = luck }).delay_ms)
    end
  end)

  it("is at least half the ceiling after too many requests", function()
    assert.equal(50, after(refusal("REQUEST_TRAFFIC_EXCEED_LIMIT", "U"), { luck = 0 }).delay_ms)
  end)

  it("is what Retry-After asks for, up to max_delay_ms", function()
    assert.equal(700, after(failure "timeout", nil, { after_ms = 700 }).delay_ms)
    assert.equal(5000, after(failure "timeout", nil, { after_ms = math.huge }).delay_ms)
  end)
end)

describe("the budget", function()
  it("bounds the time of each attempt", function()
    local m = machine { policy = { budget_ms = 20000 } }
    m:start(500)
    m:failed(failure "timeout", {}, 15500)
    m:waited(15600)
    assert.same({ "send", 2, 4900 }, { m.action, m.attempt, m.timeout_ms })
  end)

  it("does not count how much longer than it should their driver had them wait", function()
    local m = machine { policy = { budget_ms = 1000 } }
    m:start(0)
    m:failed(failure "timeout", {}, 10)
    m:waited(5000, 4940)
    assert.same({ "send", 940 }, { m.action, m.timeout_ms })
    m:failed(failure "timeout", {}, 5010)
    m:waited(9000, 3890)
    assert.same({ "send", 830 }, { m.action, m.timeout_ms })
  end)

  it("is never less than a millisecond for the first attempt", function()
    local m = machine { policy = { budget_ms = 1 / 2 } }
    m:start(0)
    assert.equal(1, m.timeout_ms)
  end)

  it("ends them where a delay would go beyond it", function()
    for failed_ms, action in pairs { [960] = "done", [950] = "done", [949] = "wait" } do
      local m = machine { policy = { budget_ms = 1000 } }
      m:start(3000)
      m:failed(failure "timeout", {}, 3000 + failed_ms)
      assert.equal(action, m.action)
    end
  end)

  it("allows another attempt of a millisecond", function()
    for waited_ms, action in pairs { [999] = "send", [999 + 1 / 2] = "done" } do
      local m = machine { policy = { budget_ms = 1000 } }
      m:start(0)
      m:failed(failure "timeout", {}, 10)
      m:waited(waited_ms)
      assert.equal(action, m.action)
    end
  end)

  it("ends them where waiting took longer than it should", function()
    local m, err = machine { policy = { budget_ms = 1000 } }, failure "timeout"
    m:start(0)
    m:failed(err, {}, 10)
    m:waited(1000)
    assert.equal("done", m.action)
    assert.equal(err, m.err)
  end)
end)

describe("the gate", function()
  -- A machine whose gate says of each failure that it costs nothing; and what the gate was told.
  local function gated(extra)
    local told = {}
    return attempts.new {
      policy = policy(extra), timeout_ms = 15000, random = function() return 1 / 2 end,
      gate = {
        failed = function(_, m, err, after_ms, now_ms)
          told[#told + 1] = { m.attempt, err.code, after_ms, now_ms }
          return true
        end,
        succeeded = function(_, m, now_ms) told[#told + 1] = { m.attempt, "success", nil, now_ms } end,
      },
    }, told
  end

  it("is told of every outcome, and may have a failure cost neither an attempt nor time", function()
    local m, told = gated { budget_ms = 1000, max_attempts = 1 }
    m:start(5000)
    m:failed(failure "connect", { after_ms = 30 }, 5400)
    assert.same({ "wait", 0 }, { m.action, m.charged })
    m:waited(5450)
    assert.same({ "send", 950 }, { m.action, m.timeout_ms })
    m:failed(failure "timeout", {}, 5600)
    m:waited(5650)
    assert.same({ "send", 900, 3 }, { m.action, m.timeout_ms, m.attempt })
    m:succeeded({}, 5700)
    assert.same({ { 1, "connect", 30, 5400 }, { 2, "timeout", nil, 5600 }, { 3, "success", nil, 5700 } }, told)
  end)

  it("has no say where a request may be sent but once", function()
    local m = gated { once = true, max_attempts = 1 }
    m:start(0)
    m:failed(failure "connect", {}, 0)
    assert.same({ "done", 1 }, { m.action, m.charged })
  end)
end)

describe("what became of the request", function()
  local function outcome(...)
    local m, errors = machine { policy = { max_attempts = select("#", ...) } }, { ... }
    m:start(0)
    for i, err in ipairs(errors) do
      m:failed(err, {}, 0)
      if i < #errors then m:waited(0) end
    end
    return m
  end

  it("is not known after a lost answer, and known where nothing was sent", function()
    for code, arrived in pairs { timeout = true, reset = true, too_large = true, dns = false, connect = false,
      proxy = false, tls = false, phase = false } do
      assert.equal(arrived, outcome(failure(code)).may_have_arrived, code)
    end
    assert.is_false(outcome({ kind = "crypto" }).may_have_arrived)
    assert.is_true(outcome({ kind = "http", http_status = 404 }).may_have_arrived)
  end)

  it("is known after AlipayHK's own no, and unknown after one that anybody may have given", function()
    assert.is_false(outcome(refusal("PARAM_ILLEGAL", "F")).may_have_arrived)
    assert.is_true(outcome(refusal("PARAM_ILLEGAL", "F", false)).may_have_arrived)
    assert.is_true(outcome(refusal("SOME_CODE", "U")).may_have_arrived)
  end)

  it("is told by the attempt that may have arrived, not by a later one that sent nothing", function()
    local lost = failure "timeout"
    local m = outcome(lost, failure "connect")
    assert.equal(lost, m.err)
    assert.equal(2, m.err.attempts)
    assert.is_true(m.may_have_arrived)
  end)

  it("is told by the later one where both may have arrived", function()
    local last = failure "reset"
    assert.equal(last, outcome(failure "timeout", last).err)
  end)

  it("stays unknown where an earlier call did not learn it", function()
    local m = machine { policy = { max_attempts = 1 } }
    m.may_have_arrived = true
    m:start(0)
    m:failed(failure "connect", {}, 0)
    assert.is_true(m.may_have_arrived)
    assert.equal("connect", m.err.code)
  end)
end)

describe("attempts that are stopped", function()
  it("end with what is said, where none has failed", function()
    local m, err = machine(), { kind = "transport" }
    m:start(0)
    m:stop(err)
    assert.same({ "done", err }, { m.action, m.err })
  end)

  it("end with the last error, which says most", function()
    local m, err = machine(), failure "timeout"
    m:start(0)
    m:failed(err, {}, 0)
    m:stop()
    assert.equal("done", m.action)
    assert.equal(err, m.err)
  end)
end)
