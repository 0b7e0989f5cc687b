-- The client against a server that does everything wrong, over real connections: each call ends in
-- time with the right kind and code, and a retry gets through where one can.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local json = require "cjson"
local keys = require "spec.support.data.keys"
local samples = require "spec.support.data.samples"
local server = require "spec.support.servers.server"

local PATH = "/api/open/alipay/v1/merchant/order/sync"
local CLIENT_ID = "SPEC"

local platform, merchant

local function client(config)
  local made = {
    client_id = CLIENT_ID,
    base_url = platform:url("", "https"):gsub("/$", ""),
    private_key = { file = merchant.private },
    alipay_public_key = { file = keys.pair("alipayhk", "rsa").public },
    tls = { ca_file = platform.ca_file },
    timeout_ms = 500,
    retry = { max_attempts = 3, base_delay_ms = 1, max_delay_ms = 2 },
  }
  for key, value in pairs(config or {}) do made[key] = value end
  return assert(alipayhk.new(made))
end

-- A canned answer, signed as AlipayHK does: the content has nothing of the request but its path.
local function signed(status, code)
  local body = json.encode { result = { resultStatus = status, resultCode = code, resultMessage = "from the spec" } }
  local time = "2026-01-02T03:04:05Z"
  local key = assert(core.private_key { file = keys.pair("alipayhk", "rsa").private })
  local signature = key:sign(("POST %s\n%s.%s.%s"):format(PATH, CLIENT_ID, time, body))
  return {
    status = 200,
    body = body,
    headers = {
      ["Response-Time"] = time,
      ["Signature"] = "algorithm=RSA256,keyVersion=1,signature="
        .. core.percent_encode(core.base64_encode(signature)),
    },
  }
end

local function with(answer, changes)
  for key, value in pairs(changes) do answer[key] = value end
  return answer
end

local function sync(script, config)
  platform:forget()
  platform:script(script)
  local c = client(config)
  local response, err = c:sync_order(samples.order())
  c:close()
  return response, err
end

-- Script step -> kind, code; attempts 3 where another attempt may help.
local FAILURES = {
  { "hang", "transport", "timeout", 3 },
  { "drip", "transport", "timeout", 3 },
  { "close", "transport", "reset", 3 },
  { "reset", "transport", "reset", 3 },
  { "cut", "transport", "reset", 3 },
  { "garbage", "transport", "protocol", 1 },
  { "gigabyte", "transport", "too_large", 1 },
  { "headers/200", "transport", "too_large", 1 },
  { "redirect", "http", nil, 1 },
  { "503", "http", nil, 3 },
  { "404", "http", nil, 1 },
  { { status = 200, body = "<html>" }, "protocol", nil, 1 },
  { { status = 200, body = '{"result":{"resultStatus":"S"}}' }, "signature", "unsigned", 1 },
}

describe("the client against a server that misbehaves", function()
  setup(function()
    merchant = keys.pair("merchant", "rsa")
    platform = server.start()
  end)
  teardown(function() platform:stop() end)

  for _, case in ipairs(FAILURES) do
    local step, kind, code, attempts = case[1], case[2], case[3], case[4]
    local name = type(step) == "string" and step or step.body

    it(("%s: %s %s, after %d attempt(s)"):format(name, kind, code or "", attempts), function()
      local started = core.monotonic()
      local response, err = sync { step, step, step }
      assert.is_nil(response)
      assert.equal(kind, err.kind)
      assert.equal(code, err.code)
      assert.equal(attempts, err.attempts)
      assert.equal(attempts > 1, err.retryable)
      assert.truthy(err.request_id)
      assert.is_true(core.monotonic() - started < 0.5 * attempts + 1)
    end)
  end

  it("a wrong signature is no answer", function()
    local answer = with(signed("S", "SUCCESS"), { body = '{"result":{"resultStatus":"S","resultCode":"X"}}' })
    local response, err = sync { answer }
    assert.is_nil(response)
    assert.equal("signature", err.kind)
  end)

  it("gets through at the third attempt, with the same body and a new signature", function()
    local second = 0
    local response, err = sync({ "reset", "503", signed("S", "SUCCESS") }, {
      now = function()
        second = second + 1
        return 1716338541 + second
      end,
    })
    assert.is_nil(err)
    assert.equal(3, response.attempts)
    local requests = platform:log()
    assert.equal(3, #requests)
    for i = 2, 3 do
      assert.equal(requests[1].body, requests[i].body)
      assert.not_equal(requests[1].headers["request-time"], requests[i].headers["request-time"])
      assert.not_equal(requests[1].headers["signature"], requests[i].headers["signature"])
    end
  end)

  it("waits and tries again after REQUEST_TRAFFIC_EXCEED_LIMIT", function()
    local response = assert(sync { signed("U", "REQUEST_TRAFFIC_EXCEED_LIMIT"), signed("S", "SUCCESS") })
    assert.equal(2, response.attempts)
  end)

  it("ends within its budget, whatever the attempts allowed", function()
    local started = core.monotonic()
    local _, err = sync({ "hang", "hang", "hang" }, {
      retry = { max_attempts = 100, base_delay_ms = 1, max_delay_ms = 2, budget_ms = 700 },
    })
    assert.equal("timeout", err.code)
    assert.is_true(core.monotonic() - started < 1.5)
  end)

  it("refuses certificates that do not belong to the host", function()
    for _, listener in ipairs { "wrong_host", "expired", "unknown_ca" } do
      local _, err = sync({}, { base_url = platform:url("", listener):gsub("/$", "") })
      assert.equal("tls", err.code)
      assert.equal(1, err.attempts)
      assert.equal(0, #platform:log())
    end
  end)
end)
