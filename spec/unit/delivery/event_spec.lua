-- What becomes of an event after an attempt.

local Error = require "alipayhk.base.error"
local event = require "alipayhk.delivery.event"
local retry = require "alipayhk.exchange.retry"

local POLICY = event.policy(retry.DEFAULTS)

local function taken(values)
  local given = {
    api = "order", attempts = 1, lost_answer = false, is_settling = false, age_ms = 1000, max_age_ms = 86400000,
    policy = POLICY,
  }
  for name, value in pairs(values or {}) do given[name] = value end
  return given
end

local function refusal(code, status, authenticated)
  return Error.new("result", "AlipayHK answered " .. code, {
    code = code,
    retryable = status ~= "F",
    response = { result = { resultCode = code, resultStatus = status }, authenticated = authenticated ~= false },
  })
end

local function transport(code)
  return Error.new("transport", "no answer", { code = code, retryable = true })
end

-- A machine whose attempt failed; `values` over those of one that counts.
local function failed(err, values)
  local machine = { last_err = err, charged = 1, delay_ms = 7, may_have_arrived = false }
  for name, value in pairs(values or {}) do machine[name] = value end
  return machine
end

local function state(given, machine, err)
  return event.after(given, machine, err).state
end

describe("an event after an attempt", function()
  for _, case in ipairs {
    { "accepted", "a success" },
    { "parked", "an authenticated final no", refusal("PARAM_ILLEGAL", "F") },
    { "waiting", "the same, not authenticated", refusal("PARAM_ILLEGAL", "F", false) },
    { "waiting", "an outcome that is not known", refusal("UNKNOWN_EXCEPTION", "U") },
    { "waiting", "refused traffic", refusal("REQUEST_TRAFFIC_EXCEED_LIMIT", "U") },
    { "waiting", "a refused signature", refusal("INVALID_SIGNATURE", "F") },
    { "waiting", "a timeout", transport "timeout" },
    { "waiting", "a failure that no retry would mend", Error.new("transport", "", { code = "tls" }) },
    { "waiting", "an answer with a bad signature", Error.new("signature", "", { code = "invalid" }) },
    { "waiting", "a status that is none of success", Error.new("http", "", { http_status = 404 }) },
    { "waiting", "an answer that cannot be decrypted", Error.new("decrypt", "") },
    { "waiting", "a key that fails", Error.new("crypto", "") },
  } do
    local expected, what, err = case[1], case[2], case[3]
    it("is " .. expected .. " after " .. what, function()
      local answer = { result = { resultCode = "SUCCESS" }, warnings = {}, body = {} }
      assert.equal(expected, state(taken(), err and failed(err) or { response = answer }))
    end)
  end

  it("is parked where it breaks a rule, or is too old, and says so", function()
    assert.same({ state = "parked", code = "invalid", message = "no such field" },
      event.after(taken(), nil, Error.new("invalid", "no such field")))
    local old = event.after(taken { age_ms = 86400000 }, failed(transport "timeout"))
    assert.same({ state = "parked", code = "timeout", message = "not delivered for 86400 s: no answer" }, old)
  end)

  it("is parked by the user's own rule, where the answer is known to be AlipayHK's", function()
    local policy = event.policy { base_delay_ms = 1, codes = { PROCESS_FAIL = false, OTHER = true } }
    local function ruled(code, authenticated)
      return state(taken { policy = policy }, failed(refusal(code, "U", authenticated)))
    end
    assert.equal("parked", ruled "PROCESS_FAIL")
    assert.equal("waiting", ruled("PROCESS_FAIL", false))
    assert.equal("waiting", ruled "OTHER")
    assert.equal("waiting", ruled "THIRD")
    assert.equal("waiting", state(taken { policy = policy }, failed(transport "PROCESS_FAIL")))
  end)

  it("has a delay of its own where the client has none", function()
    assert.equal(retry.DEFAULTS.base_delay_ms, event.policy({ base_delay_ms = 0 }).base_delay_ms)
    assert.equal(1, event.policy({ base_delay_ms = 1 }).base_delay_ms)
    local never = event.policy((retry.read(false)))
    assert.same({ 200, true }, { never.base_delay_ms, never.once })
  end)

  it("keeps 500 bytes of a message", function()
    for _, given in ipairs { taken(), taken { age_ms = 86400000 } } do
      local err = Error.new("http", ("x"):rep(501), { http_status = 404 })
      assert.equal(500, #event.after(given, failed(err)).message)
    end
    local err = Error.new("http", ("x"):rep(500), { http_status = 404 })
    assert.equal(err.message, event.after(taken(), failed(err)).message)
  end)

  it("waits as long as its attempts say, up to five minutes", function()
    assert.equal(7, event.after(taken(), failed(transport "timeout")).delay_ms)
    local most = 0
    for _ = 1, 200 do
      local delay_ms = event.after(taken { attempts = 60 },
        failed(Error.new("http", "", { http_status = 404 }), { delay_ms = false, charged = 60 })).delay_ms
      assert.is_true(delay_ms <= 300000)
      most = math.max(most, delay_ms)
    end
    assert.is_true(most > 150000) -- full jitter: 200 tries below that half are as good as impossible
  end)

  it("is charged nothing where the pace says so", function()
    assert.is_true(event.after(taken(), failed(transport "connect", { charged = 0 })).is_free)
    assert.is_false(event.after(taken(), failed(transport "connect")).is_free)
  end)

  it("remembers that an answer was lost", function()
    assert.is_true(event.after(taken(), failed(transport "timeout", { may_have_arrived = true })).lost_answer)
    assert.is_true(event.after(taken { lost_answer = true }, failed(transport "connect")).lost_answer)
    assert.is_false(event.after(taken(), failed(transport "connect")).lost_answer)
  end)

  it("tells another status that AlipayHK holds", function()
    local answer = {
      result = { resultCode = "SUCCESS" }, body = { orderStatus = "FINISHED" }, warnings = { { code = "older" } },
    }
    assert.same({ state = "accepted", code = "SUCCESS", held_status = "FINISHED" },
      event.after(taken(), { response = answer }))
  end)

  it("keeps no user's id that stands in the answer", function()
    local answer = {
      result = { resultCode = "CODE_u1" }, body = { orderStatus = "OF u1" }, warnings = { { code = "older" } },
    }
    assert.same({ state = "accepted", code = "CODE_***", held_status = "OF ***" },
      event.after(taken { personal = { "u1" } }, { response = answer }))
  end)

  it("has counted, and may have arrived, where its attempt threw", function()
    local broken = event.after(taken { is_broken = true }, failed(nil, { charged = 0 }), Error.new("crypto", "thrown"))
    assert.same({ "waiting", false, true, "crypto", "thrown" },
      { broken.state, broken.is_free, broken.lost_answer, broken.code, broken.message })
    assert.is_true(event.after(taken { is_broken = true }, failed(transport "timeout")).lost_answer)
  end)

  it("has the code of what failed, or its kind", function()
    assert.equal("timeout", event.after(taken(), failed(transport "timeout")).code)
    assert.equal("http", event.after(taken(), failed(Error.new("http", "", { http_status = 404 }))).code)
  end)

  describe("that is a SEND refused as one that may exist", function()
    local refused = failed(refusal("UN_SUPPORT_BUSINESS", "F"))

    local function card(values)
      values.api, values.command = "contract_card", values.command or "SEND"
      return taken(values)
    end

    it("is settled by an UPDATE where an answer was lost", function()
      local ended = event.after(card { lost_answer = true }, refused)
      assert.same({ "waiting", 0, true, true },
        { ended.state, ended.delay_ms, ended.is_settling, ended.lost_answer })
    end)

    it("is parked where none was lost, where it is no SEND, and where the UPDATE is refused too", function()
      assert.equal("parked", state(card {}, refused))
      assert.equal("parked", state(card { lost_answer = true, command = "UPDATE" }, refused))
      local settling = card { lost_answer = true, is_settling = true, command = "UPDATE" }
      assert.equal("parked", state(settling, failed(refusal("ORDER_NOT_FOUND", "F"))))
      assert.is_true(event.after(settling, failed(transport "timeout")).is_settling)
    end)
  end)

  it("goes back as it was where it was not sent", function()
    assert.same({ state = "waiting", delay_ms = 0, is_free = true, lost_answer = true, is_settling = false },
      event.returned(taken { lost_answer = true }))
  end)
end)
