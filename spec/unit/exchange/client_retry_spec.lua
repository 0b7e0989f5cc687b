-- When a client tries again, and what it sends then.

local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local METHODS = { order = "sync_order", contract_card = "sync_contract_card" }
local SAMPLES = { order = samples.order, contract_card = samples.card }
local FAST = { base_delay_ms = 1, max_delay_ms = 2 }

local gateway = double.new { algorithm = "p224" }

local function with(defaults, overrides)
  local merged = {}
  for _, map in ipairs { defaults, overrides or {} } do
    for key, value in pairs(map) do merged[key] = value end
  end
  return merged
end

-- How many attempts it takes where every one gets the same answer, and the error.
local function attempts(answer, api, retry, opts)
  local client, response, err
  api = api or "order"
  if retry ~= false then retry = with(FAST, retry) end
  gateway:answers { answer }
  client = gateway:client { retry = retry }
  response, err = client[METHODS[api]](client, SAMPLES[api](), opts)
  assert.is_nil(response)
  assert.equal(#gateway.requests, err.attempts)
  if err.response then assert.equal(err.attempts, err.response.attempts) end
  return err.attempts, err
end

local function assert_retried(expected, ...)
  local count, err = attempts(...)
  assert.equal(expected and 3 or 1, count, err.message)
  assert.equal(expected, err.retryable)
end

describe("a result is tried again by code, status and API:", function()
  local F_CODES = {
    "PARAM_ILLEGAL", "ORDER_STATUS_INVALID", "ORDER_NOT_FOUND", "UN_SUPPORT_BUSINESS", "PROCESS_FAIL",
    "INVALID_SIGNATURE", "INVALID_CLIENT", "INVALID_API", "ACCESS_DENIED", "OAUTH_FAIL", "METHOD_NOT_SUPPORTED",
    "MEDIA_TYPE_NOT_ACCEPTABLE", "REPEAT_REQ_INCONSISTENT", "A_CODE_OF_NEXT_YEAR",
  }
  local RULES = {
    { "UNKNOWN_EXCEPTION", "F", order = true, contract_card = false },
    { "UNKNOWN_EXCEPTION", "U", order = true },
    { "REQUEST_TRAFFIC_EXCEED_LIMIT", "U", order = true, contract_card = true },
    { "A_CODE_OF_NEXT_YEAR", "U", order = true, contract_card = true },
    { "A_CODE_OF_NEXT_YEAR", "X", order = true, contract_card = true },
  }
  for _, code in ipairs(F_CODES) do RULES[#RULES + 1] = { code, "F", order = false, contract_card = false } end

  for _, api in ipairs { "order", "contract_card" } do
    for _, rule in ipairs(RULES) do
      local code, status, expected = rule[1], rule[2], rule[api]
      if expected ~= nil then
        it(("%s (%s) of %s %s"):format(code, status, api, expected and "is" or "is not"), function()
          assert_retried(expected, { code = code, status = status }, api)
        end)
      end
    end
  end

  it("otherwise where retry.codes says so", function()
    local unknown, illegal = { code = "UNKNOWN_EXCEPTION", status = "F" }, { code = "PARAM_ILLEGAL", status = "F" }
    assert_retried(true, unknown, "contract_card", { codes = { UNKNOWN_EXCEPTION = true } })
    assert_retried(false, unknown, "order", { codes = { UNKNOWN_EXCEPTION = false } })
    assert_retried(true, illegal, "order", { codes = { PARAM_ILLEGAL = true } })
    assert_retried(false, illegal, "order", { codes = { UNKNOWN_EXCEPTION = true } })
    assert_retried(true, illegal, "order", nil, { retry = { codes = { PARAM_ILLEGAL = true } } })
  end)
end)

describe("a failure is tried again", function()
  local RETRIED = { dns = true, connect = true, timeout = true, reset = true,
    proxy = false, tls = false, too_large = false, protocol = false, phase = false }
  for _, code in ipairs(sorted_keys(RETRIED)) do
    it(("or not: %s, %s"):format(code, tostring(RETRIED[code])), function()
      assert_retried(RETRIED[code], { failure = code })
    end)
  end

  local PROXY = { [407] = false, [403] = false, [400] = false, [500] = false,
    [502] = true, [503] = true, [504] = true }
  for _, status in ipairs(sorted_keys(PROXY)) do
    it(("or not: a proxy's %d, %s"):format(status, tostring(PROXY[status])), function()
      assert_retried(PROXY[status], { failure = { code = "proxy", message = "it refused", http_status = status } })
    end)
  end

  local HTTP = { [408] = true, [425] = true, [429] = true, [500] = true, [502] = true, [503] = true, [504] = true,
    [520] = true, [521] = true, [522] = true, [523] = true, [524] = true,
    [501] = false, [505] = false, [511] = false, [519] = false, [525] = false, [526] = false,
    [302] = false, [400] = false, [401] = false, [403] = false, [404] = false, [413] = false }
  for _, status in ipairs(sorted_keys(HTTP)) do
    it(("or not: HTTP %d, %s"):format(status, tostring(HTTP[status])), function()
      assert_retried(HTTP[status], { http_status = status })
      assert_retried(HTTP[status], { http_status = status, body = "<html>", signed = false })
    end)
  end

  it("or not, of a result by another HTTP status than 200: as its code says, or, unsigned, as HTTP says", function()
    local function result(code, status, http_status, signed)
      return { code = code, status = status, http_status = http_status, signed = signed }
    end
    assert_retried(false, result("PARAM_ILLEGAL", "F", 503))
    assert_retried(true, result("PARAM_ILLEGAL", "F", 503, false))
    assert_retried(false, result("PARAM_ILLEGAL", "F", 400, false))
    assert_retried(true, result("A_CODE", "U", 400))
    assert_retried(true, result("UNKNOWN_EXCEPTION", "F", 500))
    assert_retried(false, result("UNKNOWN_EXCEPTION", "F", 500), "contract_card")
    assert_retried(false, result("PARAM_ILLEGAL", "F", 503, false), "order", { codes = { PARAM_ILLEGAL = false } })
  end)
end)

describe("another attempt", function()
  -- Each look at the clock is a second later.
  local function ticking()
    local seconds = 1716331341
    return function()
      seconds = seconds + 1
      return seconds
    end
  end

  for _, encrypt in ipairs { false, true } do
    it(("sends the same %s bytes with a new time and signature"):format(encrypt and "encrypted" or "plain"), function()
      local rsa, seen = double.new(), {}
      local client = rsa:client { now = ticking(), retry = FAST, encrypt = encrypt }
      rsa:answers { { failure = "timeout" }, { http_status = 503 }, { encrypt = encrypt } }
      local response = assert(client:sync_order(samples.order()))
      assert.equal(3, #rsa.requests)
      assert.equal(3, response.attempts)
      for _, request in ipairs(rsa.requests) do
        local headers = request.headers
        assert.is_true(request.verified)
        assert.equal(rsa.requests[1].body, request.body)
        assert.equal(rsa.requests[1].headers["Encrypt"], headers["Encrypt"])
        assert.matches(response.request_id, request.plaintext, 1, true)
        assert.is_nil(seen[headers["Request-Time"]])
        assert.is_nil(seen[headers["Signature"]])
        seen[headers["Request-Time"]], seen[headers["Signature"]] = true, true
      end
    end)
  end

  it("is made of what prepare gave, too", function()
    local client = gateway:client { now = ticking(), retry = FAST }
    local request = assert(client:prepare("order", samples.order()))
    local prepared_at = request.headers["Request-Time"]
    gateway:answers { { failure = "reset" }, {} }
    assert.equal(2, assert(client:send(request)).attempts)
    for _, sent in ipairs(gateway.requests) do
      assert.is_true(sent.verified)
      assert.equal(request.body, sent.body)
      assert.not_equal(prepared_at, sent.headers["Request-Time"])
    end
  end)
end)

describe("the number of attempts", function()
  local TIMEOUT = { failure = "timeout" }
  local CASES = {
    { "is 3 by default", 3 },
    { "is max_attempts", 5, { max_attempts = 5 } },
    { "is 1 with max_attempts = 1", 1, { max_attempts = 1 } },
    { "is 1 with retry = false", 1, false },
    { "is 1 with max_attempts = 1, and a millisecond for it", 1, { max_attempts = 1, budget_ms = 1 } },
    { "is that of the call, where it gives one", 2, { max_attempts = 5 }, { retry = { max_attempts = 2 } } },
    { "is that of the call over retry = false", 2, false, { retry = with(FAST, { max_attempts = 2 }) } },
    { "is 1 where the call says retry = false", 1, { max_attempts = 5 }, { retry = false } },
    { "is that of the client where the call's retry is about something else", 5, { max_attempts = 5 },
      { retry = { max_delay_ms = 1 } } },
  }
  for _, case in ipairs(CASES) do
    it(case[1], function() assert.equal(case[2], (attempts(TIMEOUT, nil, case[3], case[4]))) end)
  end

  it("is the transport's business, too, where there may be but one", function()
    attempts(TIMEOUT, nil, false)
    assert.is_true(gateway.requests[1].once)
    attempts(TIMEOUT, nil, { max_attempts = 1 })
    assert.is_nil(gateway.requests[1].once)
  end)

  it("ends with the budget, and no attempt may take longer than what is left of it", function()
    local retry = { max_attempts = 1000, base_delay_ms = 20, max_delay_ms = 20, budget_ms = 300 }
    local started = core.monotonic()
    local count, err = attempts(TIMEOUT, nil, retry)
    assert.is_true(core.monotonic() - started < 2)
    assert.is_true(count > 1 and count < 1000)
    assert.equal("timeout", err.code)
    assert.is_true(gateway.requests[1].timeout_ms <= 300)
    assert.is_true(gateway.requests[count].timeout_ms < gateway.requests[1].timeout_ms)
  end)

  it("has a budget of a minute by default", function()
    gateway:answers { {} }
    assert(gateway:client({ timeout_ms = 300000 }):sync_order(samples.order()))
    assert.is_true(gateway.requests[1].timeout_ms > 59000 and gateway.requests[1].timeout_ms <= 60000)
  end)

  it("leaves a timeout of the call to each attempt", function()
    attempts(TIMEOUT, nil, nil, { timeout_ms = 70 })
    for _, request in ipairs(gateway.requests) do assert.equal(70, request.timeout_ms) end
    assert.equal(3, #gateway.requests)
  end)
end)

describe("a SEND that is answered UN_SUPPORT_BUSINESS", function()
  local AFTER = { timeout = true, reset = true, connect = false, dns = false, proxy = false }
  local UNSUPPORTED = { code = "UN_SUPPORT_BUSINESS", status = "F" }
  local HINT = "earlier attempt"

  for _, code in ipairs(sorted_keys(AFTER)) do
    local title = "after %s %s that an earlier attempt may have arrived"
    it(title:format(code, AFTER[code] and "says" or "does not say"), function()
      gateway:answers { { failure = { code = code, message = "as scripted", http_status = 502 } }, UNSUPPORTED }
      local response, err = gateway:client({ retry = FAST }):sync_contract_card(samples.card())
      assert.is_nil(response)
      assert.equal("UN_SUPPORT_BUSINESS", err.code)
      assert.equal(2, err.attempts)
      assert.equal(AFTER[code], err.message:find(HINT, 1, true) ~= nil)
    end)
  end

  it("says so after an answer by a server in between, and after one to another request", function()
    for _, answer in ipairs { { http_status = 502, signed = false, body = "" },
      { body = '{"result":{"resultStatus":"S"},"requestId":"another"}' } } do
      gateway:answers { answer, UNSUPPORTED }
      local _, err = gateway:client({ retry = FAST }):sync_contract_card(samples.card())
      assert.equal(2, err.attempts)
      assert.matches(HINT, err.message, 1, true)
    end
  end)

  it("says so over a second send of what prepare gave, too, and leaves that as it was", function()
    local client = gateway:client { retry = FAST }
    local request = assert(client:prepare("contract_card", samples.card()))
    local before = {}
    for name in pairs(request) do before[name] = true end
    gateway:answers { { failure = "timeout" } }
    assert.is_nil((client:send(request)))
    gateway:answers { UNSUPPORTED }
    local _, err = client:send(request)
    assert.matches(HINT, err.message, 1, true)
    _, err = client:send(assert(client:prepare("contract_card", samples.card())))
    assert.is_nil(err.message:find(HINT, 1, true))
    for name in pairs(request) do assert.is_true(before[name], name) end
  end)

  it("at once does not say so", function()
    local _, err = attempts(UNSUPPORTED, "contract_card")
    assert.is_nil(err.message:find(HINT, 1, true))
  end)
end)

describe("an attempt that may have arrived", function()
  local function outcome(script, config)
    local client = gateway:client(with({ retry = FAST }, config))
    gateway:answers(script)
    local response, err = client:sync_order(samples.order())
    assert.is_nil(response)
    return err
  end

  it("is not forgotten for a later one that sent nothing", function()
    for _, code in ipairs { "connect", "dns", "proxy", "tls", "phase" } do
      local err = outcome { { failure = "timeout" }, { failure = code }, { failure = code } }
      assert.equal("timeout", err.code, code)
      assert.equal(#gateway.requests, err.attempts)
      err = outcome { { code = "UNKNOWN_EXCEPTION", status = "U" }, { failure = code }, { failure = code } }
      assert.equal("UNKNOWN_EXCEPTION", err.code, code)
      assert.equal(#gateway.requests, err.attempts)
    end
  end)

  it("is not forgotten for a clock that breaks after it", function()
    local readings = 0
    local err = outcome({ { failure = "timeout" } }, { now = function()
      readings = readings + 1
      return readings < 3 and 1716338541 or error("the clock broke")
    end })
    assert.equal("timeout", err.code)
    assert.equal(1, #gateway.requests)
  end)

  it("is not forgotten for a key that is closed after it", function()
    local key = assert(core.private_key { file = gateway:config().private_key.file })
    local function transport()
      key:close()
      return nil, { code = "timeout", message = "no answer" }
    end
    local err = outcome({}, { private_key = key, transport = transport })
    assert.equal("timeout", err.code)
  end)

  it("gives way to a later one that may have arrived, too, or that was answered", function()
    assert.equal("reset", outcome({ { failure = "timeout" }, { failure = "reset" }, { failure = "reset" } }).code)
    assert.equal("PARAM_ILLEGAL", outcome({ { failure = "timeout" }, { code = "PARAM_ILLEGAL", status = "F" } }).code)
    assert.equal("connect", outcome({ { failure = "connect" } }).code)
  end)
end)
