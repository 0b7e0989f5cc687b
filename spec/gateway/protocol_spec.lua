-- What the gateway says to requests that a correct client never sends. The requests go out by the
-- openssl-signed bytes of `prepare`, altered, over alipayhk.curl.

local curl = require "alipayhk.curl"
local gateway = require "spec.support.servers.gateway"
local json = require "cjson"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local handle, client

local function post(alter)
  local request = assert(client:prepare("order", samples.order()))
  alter(request)
  local raw = assert(handle:send {
    method = "POST",
    url = request.url,
    headers = request.headers,
    body = request.body,
    connect_timeout_ms = 5000,
    timeout_ms = 5000,
    max_response_bytes = 65536,
    tls = { ca_file = gateway.values().ca_file },
  })
  return raw, json.decode(raw.body).result
end

local CASES = {
  { "one byte of the body changed", "INVALID_SIGNATURE", function(r) r.body = r.body:gsub("TICKETED", "TICKETES") end },
  { "another Request-Time", "INVALID_SIGNATURE",
    function(r) r.headers["Request-Time"] = "2024-05-22T06:42:21+08:00" end },
  { "no Request-Time", "INVALID_SIGNATURE", function(r) r.headers["Request-Time"] = nil end },
  { "a Request-Time without offset", "INVALID_SIGNATURE",
    function(r) r.headers["Request-Time"] = "2024-05-22T06:42:21" end },
  { "no Signature", "INVALID_SIGNATURE", function(r) r.headers["Signature"] = nil end },
  { "a Signature that is no list", "INVALID_SIGNATURE", function(r) r.headers["Signature"] = "abc" end },
  { "no Client-Id", "INVALID_CLIENT", function(r) r.headers["Client-Id"] = nil end },
  { "another path", "INVALID_SIGNATURE", function(r) r.url = r.url .. "?a=1" end },
}

describe("a request that is not in order", function()
  setup(function()
    handle = curl.new()
    client = gateway.client("rsa")
  end)
  teardown(function()
    handle:close()
    client:close()
  end)

  for _, case in ipairs(CASES) do
    it(case[1] .. " is answered unsigned with " .. case[2], function()
      local raw, result = post(case[3])
      assert.equal(case[2], result.resultCode)
      assert.equal("F", result.resultStatus)
      assert.is_nil(raw.headers["signature"])
      assert.is_nil(raw.headers["response-time"])
      assert.truthy(raw.headers["tracer-id"])
    end)
  end

  it("with a Content-Type that is not JSON is answered signed", function()
    local raw, result = post(function(r) r.headers["Content-Type"] = "text/html" end)
    assert.equal("MEDIA_TYPE_NOT_ACCEPTABLE", result.resultCode)
    assert.truthy(raw.headers["signature"])
  end)

  it("in order is answered S, over HTTP with the body's signature", function()
    local raw, result = post(function() end)
    assert.equal("S", result.resultStatus)
    assert.truthy(raw.headers["signature"]:find("^algorithm=RSA256,keyVersion=1,signature=[%w%%]+$"))
    assert.equal(gateway.values().rsa_client_id, raw.headers["client-id"])
  end)
end)

describe("the gateway's process", function()
  it("ends with its pid and leaves nothing behind", function()
    local values = gateway.start()
    local directory = values.ca_file:match("^(.*)/")
    local nginx_pid = assert(shell.read(directory .. "/nginx.pid")):match("%d+")
    assert.is_true(gateway.stop(values))
    assert.equal("", (shell.run("ls -d " .. directory .. " 2> /dev/null || true")))
    local _, status = shell.run("kill -0 " .. nginx_pid)
    assert.equal(1, status)
  end)

  it("says why when the port is taken", function()
    local port = gateway.values().base_url:match("%d+$")
    local output, status = shell.run("GATEWAY_PORT=" .. port .. " gateway/start")
    assert.equal(1, status)
    assert.truthy(output:find("does not start", 1, true))
  end)
end)
