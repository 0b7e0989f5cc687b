local system = require "system"

local by_clock = require "spec.support.asserting.by_clock"
local curl_session = require "spec.support.servers.curl_session"
local request = require "spec.support.servers.request"

local TIMEOUT = 300
local SLACK = 400

local FAILURES = {
  { path = "/hang", code = "timeout" },
  { path = "/slow-headers", code = "timeout" },
  { path = "/drip", code = "timeout" },
  { path = "/early/hang", code = "timeout", body = ("x"):rep(5 * 1024 * 1024) },
  { path = "/close", code = "reset" },
  { path = "/reset", code = "reset" },
  { path = "/early/close", code = "reset" },
  { path = "/early/reset", code = "reset", body = ("x"):rep(5 * 1024 * 1024) },
  { path = "/cut", code = "reset" },
  { path = "/cut-chunk", code = "reset" },
  { path = "/garbage", code = "protocol" },
  { path = "/nul-header", code = "protocol" },
  { path = "/bad-length", code = "protocol" },
  { path = "/gigabyte", code = "too_large" },
}

-- Before there is anything to send a request on.
local UNREACHABLE = {
  { name = "a port where nobody listens", listener = "closed", code = "connect" },
  { name = "a name that does not exist", url = "http://gateway.invalid/", code = "dns" },
  { name = "a handshake without an answer", listener = "silent", code = "timeout" },
  { name = "a handshake longer than a connection may take", listener = "silent", code = "timeout",
    fields = { connect_timeout_ms = 100, timeout_ms = 60000 } },
  { name = "TLS with a server that has none, and closes", listener = "http", scheme = "https", code = "connect" },
  { name = "no TLS with a server that has", listener = "https", scheme = "http", code = "reset" },
  { name = "a proxy where nobody listens", proxy = "closed", code = "connect" },
  { name = "a proxy that does not exist", fields = { proxy = "http://proxy.invalid:8080" }, code = "dns" },
}

describe("a failure over curl", function()
  local session = curl_session()

  local function assert_fails(code, outgoing)
    local before = system.monotime()
    local response, failure = session.transport:send(outgoing)
    local elapsed = (system.monotime() - before) * 1000
    assert.is_nil(response)
    assert.equal(code, failure.code)
    assert.is_true(#failure.message > 0)
    assert.equal("table", type(failure.timing))
    assert.is_true(elapsed < TIMEOUT + SLACK, ("it took %.0f ms"):format(elapsed))
    if code == "timeout" then
      assert.is_true(elapsed >= math.min(outgoing.timeout_ms, outgoing.connect_timeout_ms) - 5)
    end
  end

  local function assert_recovers()
    assert.equal("ok", session:must_send("/ok").body)
  end

  for _, listener in ipairs{ "http", "https" } do
    for _, case in ipairs(FAILURES) do
      it(("is %s for %s over %s"):format(case.code, case.path, listener), function()
        assert_fails(case.code, request(session.gateway:url(case.path, listener), {
          body = case.body,
          timeout_ms = TIMEOUT,
          tls = { ca_file = session.gateway.ca_file },
        }))
        assert.equal(1, #session.gateway:log())
        assert_recovers()
      end)
    end
  end

  -- Newer versions of libcurl join its lines; older ones show them as they are.
  for _, listener in ipairs{ "http", "https" } do
    it("is a folded header, or it is read as one, over " .. listener, function()
      local response, failure = session:send("/folded-header", listener)
      if response then
        assert.equal("one two: three", response.headers["x-folded"])
        assert.is_nil(response.headers["two"])
      else
        assert.equal("protocol", failure.code)
      end
      assert_recovers()
    end)
  end

  for _, case in ipairs(UNREACHABLE) do
    it(("is %s for %s"):format(case.code, case.name), function()
      local url = case.url or session.gateway:url("/ok", case.listener)
      if case.scheme then url = url:gsub("^%a+", case.scheme) end
      local outgoing = request(url, { timeout_ms = TIMEOUT })
      if case.proxy then outgoing.proxy = session.gateway:url("", case.proxy) end
      for field, value in pairs(case.fields or {}) do outgoing[field] = value end
      by_clock(function() assert_fails(case.code, outgoing) end)
      assert.same({}, session.gateway:log())
      assert_recovers()
    end)
  end

  -- That one curl would gladly send again: the server says that it did nothing.
  it("is reset for an HTTP/2 stream that the server refuses", function()
    local url = session.gateway:url("/refuse", "h2")
    assert_fails("reset", request(url, { timeout_ms = TIMEOUT, tls = { ca_file = session.gateway.ca_file } }))
    assert.equal(1, #session.gateway:log())
  end)
end)
