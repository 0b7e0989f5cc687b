-- Answers in AlipayHK's place, over real connections: nginx's own pages, redirects, a compressed body, statuses of a
-- balancer; and an answer to another request, followed by our own.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local gateway = require "spec.support.servers.gateway"
local json = require "cjson"
local keys = require "spec.support.data.keys"
local samples = require "spec.support.data.samples"
local server = require "spec.support.servers.server"

local PATH = "/api/open/alipay/v1/merchant/order/sync"
local CLIENT_ID = "SPEC"

local platform

local function client(config)
  local made = {
    client_id = CLIENT_ID,
    base_url = platform:url("", "https"):gsub("/$", ""),
    private_key = { file = keys.pair("merchant", "rsa").private },
    alipay_public_key = { file = keys.pair("alipayhk", "rsa").public },
    tls = { ca_file = platform.ca_file },
    timeout_ms = 5000,
    retry = { max_attempts = 3, base_delay_ms = 1, max_delay_ms = 2 },
  }
  for key, value in pairs(config or {}) do made[key] = value end
  return assert(alipayhk.new(made))
end

local function sync(script, config)
  platform:script(script)
  local made = client(config)
  local response, err = made:sync_order(samples.order { requestId = "r1" })
  made:close()
  return response, err
end

local function signed(body, time, headers)
  local key = assert(core.private_key { file = keys.pair("alipayhk", "rsa").private })
  headers = headers or {}
  headers["Response-Time"] = time
  headers["Signature"] = "algorithm=RSA256,keyVersion=1,signature=" .. core.percent_encode(core.base64_encode(
    key:sign(("POST %s\n%s.%s.%s"):format(PATH, CLIENT_ID, time, body))))
  return { status = 200, body = body, headers = headers }
end

local function result(status, more)
  return json.encode { result = { resultStatus = status, resultCode = "A_CODE", resultMessage = "told" },
    requestId = more }
end

describe("over a real connection", function()
  setup(function() platform = server.start() end)
  teardown(function() platform:stop() end)

  it("nginx that is spoken to in the clear, where it speaks https, is understood", function()
    local values = gateway.values()
    local plain = values.base_url:gsub("^https", "http")
    local _, err = client({ base_url = plain, retry = false }):sync_order(samples.order())
    assert.same({ "http", 400 }, { err.kind, err.http_status })
    assert.matches("an HTML page (text/html)", err.message, 1, true)
    assert.matches("speaks https", err.message, 1, true)
    assert.matches(plain, err.message, 1, true)
  end)

  it("a page of a server in between is quoted, and tried again by its status", function()
    for status, attempts in pairs { [404] = 1, [408] = 3, [425] = 3, [502] = 3, [520] = 3, [524] = 3, [525] = 1 } do
      local page = { status = status, headers = { ["Content-Type"] = "text/html" },
        body = ("<html><title>%d here</title></html>"):format(status) }
      local _, err = sync { page, page, page }
      assert.same({ "http", status, attempts }, { err.kind, err.http_status, err.attempts })
      assert.matches(('an HTML page (text/html): "%d here"'):format(status), err.message, 1, true)
    end
  end)

  it("a redirect names the host, and is not followed", function()
    local headers = { ["Location"] = "https://login.example/?next=secret" }
    local _, err = sync { { status = 302, headers = headers, body = "" } }
    assert.same({ "http", 302, 1 }, { err.kind, err.http_status, err.attempts })
    assert.matches("redirects to https://login.example,", err.message, 1, true)
  end)

  it("a compressed answer is called that", function()
    local answer = signed(result "S", "2026-01-02T03:04:05Z", { ["Content-Encoding"] = "gzip" })
    answer.body = "\31\139\8\0" .. answer.body
    local _, err = sync { answer }
    assert.equal("signature", err.kind)
    assert.matches("Content-Encoding gzip", err.message, 1, true)
  end)

  it("an answer to another request is not taken, and the next one is", function()
    local time = "2026-01-02T03:04:05Z"
    local response, err = sync { signed(result("S", "r0"), time), signed(result("S", "r1"), time) }
    assert.is_nil(err)
    assert.equal(2, response.attempts)
    assert.is_number(response.clock_skew_ms)
  end)

  it("AlipayHK's no by another HTTP status is its no", function()
    local answer = signed(result "F", "2026-01-02T03:04:05Z", { ["Tracer-Id"] = "trace-1" })
    answer.status = 403
    local _, err = sync { answer }
    assert.same({ "result", "A_CODE", 403, "trace-1", true },
      { err.kind, err.code, err.http_status, err.tracer_id, err.response.authenticated })
  end)

  it("a request that HTTP says to repeat at a date is repeated then", function()
    local waits = {}
    local busy = { status = 503, body = "", headers = {
      ["Date"] = "Wed, 22 May 2024 06:42:21 GMT", ["Retry-After"] = "Wed, 22 May 2024 06:42:24 GMT",
    } }
    sync({ busy, signed(result "S", "2026-01-02T03:04:05Z") }, {
      retry = { max_attempts = 2, base_delay_ms = 1, max_delay_ms = 60000 },
      sleep = function(ms) waits[#waits + 1] = ms end,
    })
    assert.same({ 3000 }, waits)
  end)
end)
