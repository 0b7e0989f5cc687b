local curl_session = require "spec.support.servers.curl_session"
local wire = require "spec.support.servers.wire"

describe("an answer over curl", function()
  local session = curl_session()

  local ANSWERS = {
    { path = "/status/200", status = 200, body = "status 200" },
    { path = "/status/204", status = 204, body = "" },
    { path = "/status/304", status = 304, body = "" },
    { path = "/status/404", status = 404, body = "status 404" },
    { path = "/status/503", status = 503, body = "status 503" },
    { path = "/early/413", status = 413, body = "status 413" },
    { path = "/redirect", status = 302, body = "", headers = { location = "/ok" } },
    { path = "/dup-header", status = 200, body = "", headers = { ["x-twice"] = "one, two" } },
    { path = "/spaced-header", status = 200, body = "", headers = { ["x-padded"] = "value", ["x-empty"] = "" } },
    { path = "/encoded", status = 200, body = "not gzip", headers = { ["content-encoding"] = "gzip" } },
    { path = "/http-1.0", status = 200, body = "until the end" },
    { path = "/100-continue", status = 200, body = "ok", headers = { ["x-final"] = "3" }, absent = "x-interim" },
    { path = "/trailer", status = 200, body = "ok", headers = { ["x-head"] = "1" } },
  }

  for _, case in ipairs(ANSWERS) do
    it("is taken as it comes: " .. case.path, function()
      local response = session:must_send(case.path)
      assert.equal(case.status, response.status)
      assert.equal(case.body, response.body)
      for name, value in pairs(case.headers or {}) do assert.equal(value, response.headers[name]) end
      assert.is_nil(response.headers[case.absent or ""])
      -- A redirect is not followed, and nothing else is asked for either.
      assert.equal(1, #session.gateway:log())
    end)
  end

  for _, listener in ipairs{ "http", "https", "h2" } do
    it("has its status, lower-case names and exact body over " .. listener, function()
      local body = "\0\r\n\255" .. ("x"):rep(70000)
      session.gateway:answer{ status = 418, headers = { ["Response-Time"] = "2026-01-01T00:00:00+08:00" }, body = body }
      local response = session:must_send("/v1/pay", listener)
      assert.equal(418, response.status)
      assert.equal("2026-01-01T00:00:00+08:00", response.headers["response-time"])
      assert.is_nil(response.headers["Response-Time"])
      assert.is_true(response.body == body)
    end)
  end

  it("says nothing of the answer before", function()
    session:must_send("/dup-header")
    local response = session:must_send("/status/204")
    assert.is_nil(response.headers["x-twice"])
    assert.equal("", response.body)
  end)

  -- libcurl takes the first for a 100, however many blanks there are: its headers are not the answer's.
  for _, blanks in ipairs{ " ", "  ", " \t " } do
    it(("has the headers of the final answer behind HTTP/1.1%q100"):format(blanks), function()
      local response, failure = session:send(wire.path{ wire.say(
        "HTTP/1.1" .. blanks .. "100 Continue\r\nX-Interim: 1\r\n\r\n"
        .. "HTTP/1.1 200 OK\r\nX-Final: 2\r\nContent-Length: 2\r\n\r\nok") }, "wire")
      if response then
        assert.equal("2", response.headers["x-final"])
        assert.is_nil(response.headers["x-interim"])
        assert.equal("ok", response.body)
      else
        assert.equal("protocol", failure.code)
      end
    end)
  end

  -- As many as there may be, on one handle: each answer is counted for itself.
  it("may have interim answers before it, and so may the next", function()
    local interim = ("HTTP/1.1 100 Continue\r\n\r\n"):rep(99)
    for _ = 1, 2 do
      assert.equal("ok", session:must_send(wire.path{ wire.say(interim .. wire.answer("ok")) }, "wire").body)
    end
  end)

  it("has no header out of a trailer", function() assert.is_nil(session:must_send("/trailer").headers["x-trailer"]) end)

  -- ---- timing ------------------------------------------------------------------------------------

  local TIMES = { "connect_ms", "dns_ms", "first_byte_ms", "tls_ms", "total_ms" }

  local function assert_timing(timing)
    local names = {}
    for name, value in pairs(timing) do
      names[#names + 1] = name
      assert.is_true(type(value) == "number" and value >= 0 and value < 5000, name)
    end
    table.sort(names)
    assert.same(TIMES, names)
    assert.is_true(timing.total_ms >= timing.first_byte_ms)
  end

  it("has its timing, and a kept connection none of a handshake", function()
    local first = session:must_send("/ok", "https").timing
    local second = session:must_send("/ok", "https").timing
    assert_timing(first)
    assert_timing(second)
    assert.is_true(first.connect_ms > 0)
    assert.is_true(first.tls_ms > first.connect_ms)
    assert.is_true(first.first_byte_ms >= first.tls_ms)
    assert.equal(0, second.connect_ms)
    assert.equal(0, second.tls_ms)
  end)

  it("has no TLS to time over http", function()
    local timing = session:must_send("/ok").timing
    assert_timing(timing)
    assert.equal(0, timing.tls_ms)
  end)

  it("takes as long as the server does", function()
    local timing = session:must_send("/delay/100/ok").timing
    assert_timing(timing)
    assert.is_true(timing.total_ms >= 95)
  end)

  it("waits for its first byte as long as the server does", function()
    assert.is_true(session:must_send("/delay/100/ok").timing.first_byte_ms >= 95)
  end)

  it("has a timing when it fails, too", function()
    local _, failure = session:send("/hang", nil, { timeout_ms = 100 })
    assert_timing(failure.timing)
    assert.is_true(failure.timing.total_ms >= 95)
  end)

  -- ---- caps --------------------------------------------------------------------------------------

  local CAP = 20000
  local LARGEST = 64 * 1024

  local CAPPED = {
    { name = "a body of the cap", path = "/bytes/" .. CAP, fields = { max_response_bytes = CAP }, fits = true },
    { name = "a body over the cap", path = "/bytes/" .. CAP + 1, fields = { max_response_bytes = CAP } },
    { name = "no body under the least cap", path = "/bytes/0", fields = { max_response_bytes = 1 }, fits = true },
    { name = "two bytes over the least cap", path = "/bytes/2", fields = { max_response_bytes = 1 } },
    { name = "a chunked body of the cap", path = "/trailer", fields = { max_response_bytes = 2 }, fits = true },
    { name = "a chunked body over the cap", path = "/trailer", fields = { max_response_bytes = 1 } },
    { name = "an endless body", path = "/gigabyte" },
    { name = "99 headers", path = "/headers/99", fits = true },
    { name = "101 headers", path = "/headers/101" },
    { name = "200 headers", path = "/headers/200" },
    { name = "headers of nearly 64 KiB", path = "/huge-header/" .. LARGEST - 100, fits = true },
    { name = "headers over 64 KiB", path = "/huge-header/" .. LARGEST },
  }

  local function assert_capped(case)
    local response, failure = session:send(case.path, nil, case.fields)
    if case.fits then
      assert(response, failure and failure.message)
    else
      assert.is_nil(response)
      assert.equal("too_large", failure.code)
      assert.matches("larger", failure.message)
    end
  end

  for _, case in ipairs(CAPPED) do
    it((case.fits and "may be " or "must not be ") .. case.name, function()
      assert_capped(case)
      -- What was too large leaves nothing behind for the next.
      assert.equal("x", session:must_send("/bytes/1").body)
    end)
  end

  it("may be 100 headers", function() assert_capped{ path = "/headers/100", fits = true } end)

  it("knows its headers by value at the cap", function()
    local headers = session:must_send("/headers/99").headers
    for i = 0, 96 do assert.equal(tostring(i), headers["x-" .. i]) end
  end)
end)
