local curl_session = require "spec.support.servers.curl_session"
local request = require "spec.support.servers.request"

local MEBIBYTE = 1024 * 1024

local function every_byte()
  local bytes = {}
  for code = 0, 255 do bytes[#bytes + 1] = string.char(code) end
  return table.concat(bytes)
end

describe("a request over curl", function()
  local session = curl_session()

  -- Sends, and returns what arrived.
  local function arrived(path, fields)
    session:must_send(path, nil, fields)
    local log = session.gateway:log()
    assert.equal(1, #log)
    return log[1]
  end

  -- [name] = value, of the headers as they were written.
  local function written(entry)
    local headers = {}
    for _, header in ipairs(entry.raw_headers) do
      assert.is_nil(headers[header[1]])
      headers[header[1]] = header[2]
    end
    return headers
  end

  for _, path in ipairs{ "/ok", "/v1/pay?a=1&b=%2F%20&c=/../d", "/%E4%BB%98?x", "/ok?" } do
    it("is a POST of " .. path, function()
      local entry = arrived(path)
      assert.equal("POST", entry.method)
      assert.equal(path, entry.path)
    end)
  end

  it("leaves dots in the path alone", function()
    assert.equal("/a/../v1/./pay", arrived("/a/../v1/./pay").path)
  end)

  local BODIES = {
    { name = "nothing", body = "" },
    { name = "every byte", body = every_byte() },
    { name = "5 MiB", body = ("\0\r\n\255"):rep(5 * MEBIBYTE / 4) },
  }

  for _, case in ipairs(BODIES) do
    for _, listener in ipairs{ "http", "https", "h2" } do
      it(("has a body of %s over %s"):format(case.name, listener), function()
        session:must_send("/ok", listener, { body = case.body })
        local entry = session.gateway:log()[1]
        assert.equal(listener, entry.listener)
        assert.equal(tostring(#case.body), entry.headers["content-length"])
        assert.is_true(entry.complete)
        assert.is_true(entry.body == case.body)
      end)
    end
  end

  it("has the headers that it was given, and no others of note", function()
    local headers = {
      ["Content-Type"] = "application/json; charset=UTF-8",
      ["Client-Id"] = "SANDBOX_5Y",
      ["signature"] = "algorithm=RSA256, keyVersion=1, signature=a%2Bb%2Fc%3D",
      ["X-Inner"] = "two  spaces,\ta tab; \"quotes\"",
      ["X-Bytes"] = "\228\187\152",
      ["X-Empty"] = "",
      ["x!#$%&'*+-.^_`|~9"] = "token",
    }
    -- A body of this size is where curl would say "Expect: 100-continue".
    local entry = arrived("/ok", { headers = headers, body = ("x"):rep(2 * MEBIBYTE) })
    local expected = { Host = entry.headers.host, Accept = "*/*", ["Content-Length"] = tostring(2 * MEBIBYTE) }
    for name, value in pairs(headers) do expected[name] = value end
    assert.same(expected, written(entry))
    assert.equal(session.gateway:url(""), "http://" .. entry.headers.host)
  end)

  local REFUSED_NAMES = { "", "a b", "a:", "a\r\nb", "a\nb", "a\0b", "\228", "(a)", "a\127", "a/b" }
  local REFUSED_VALUES = { "a\rb", "a\nb", "a\r\nB: c", "a\0b", "\n", "\0", "a\r", "a\n" }

  -- send() throws something with this in it; nothing is sent; the transport is as good as before.
  local function refused(fields, plain_pattern)
    local returned, message = pcall(session.send, session, "/ok", nil, fields)
    assert.is_false(returned)
    assert.matches(plain_pattern, tostring(message), 1, true)
    assert.same({}, session.gateway:log())
    assert.equal("/ok", arrived("/ok").path)
  end

  for _, name in ipairs(REFUSED_NAMES) do
    it(("refuses the header name %q"):format(name), function()
      refused({ headers = { [name] = "value" } }, "header name")
    end)
  end

  for _, value in ipairs(REFUSED_VALUES) do
    it(("refuses the header value %q"):format(value), function()
      refused({ headers = { ["X-Name"] = value } }, "X-Name")
    end)
  end

  it("refuses a header longer than all of an answer's may be", function()
    refused({ headers = { ["X-Name"] = ("x"):rep(64 * 1024 + 1) } }, "header")
  end)

  local WRONG = {
    { field = "method", value = "GET" },
    { field = "method", value = 5 },
    { field = "url", value = 5 },
    { field = "url", value = "http://127.0.0.1/\0" },
    { field = "body", value = 5 },
    { field = "body", value = {} },
    { field = "headers", value = { "value without a name" } },
    { field = "headers", value = { name = 5 } },
    { field = "connect_timeout_ms", value = 0 },
    { field = "connect_timeout_ms", value = {} },
    { field = "timeout_ms", value = -1 },
    { field = "timeout_ms", value = "soon" },
    { field = "timeout_ms", value = 0 / 0 },
    { field = "timeout_ms", value = math.huge },
    { field = "max_response_bytes", value = 0 },
    { field = "max_response_bytes", value = true },
    { field = "proxy", value = 5 },
    { field = "proxy", value = "http://127.0.0.1\0" },
    { field = "ca_file", value = { ca_file = 5 }, within = "tls" },
    { field = "client_cert", value = { client_cert = true }, within = "tls" },
    { field = "client_key", value = { client_key = {} }, within = "tls" },
    { field = "pinned_public_key", value = { pinned_public_key = 5 }, within = "tls" },
    { field = "min_version", value = { min_version = 1.3 }, within = "tls" },
  }

  for _, case in ipairs(WRONG) do
    it(("names the field: %s = %s"):format(case.field, tostring(case.value)), function()
      refused({ [case.within or case.field] = case.value }, "request." .. case.field)
    end)
  end

  for _, field in ipairs{ "method", "url", "body", "connect_timeout_ms", "timeout_ms", "max_response_bytes" } do
    it("misses " .. field, function()
      local incomplete = request(session.gateway:url("/ok"))
      incomplete[field] = nil
      assert.error_matches(function() session.transport:send(incomplete) end, "request%." .. field)
      assert.same({}, session.gateway:log())
    end)
  end

  for _, field in ipairs{ "headers", "tls" } do
    it(("names the field: %s that is no table"):format(field), function()
      refused({ [field] = 5 }, "request." .. field)
    end)
  end

  it("takes whole numbers only", function() refused({ timeout_ms = 1000.5 }, "request.timeout_ms") end)

  local BAD_URLS = { "/a b", "/a\r\nX-Smuggled: 1", "/a\nb" }

  for _, path in ipairs(BAD_URLS) do
    it(("fails on the path %q"):format(path), function()
      local response, failure = session:send(path)
      assert.is_nil(response)
      assert.equal("protocol", failure.code)
      assert.same({}, session.gateway:log())
    end)
  end

  for _, url in ipairs{ "", "file:///dev/null", "ftp://127.0.0.1/", "telnet://127.0.0.1/" } do
    it(("speaks no %q"):format(url), function()
      local response, failure = session.transport:send(request(url))
      assert.is_nil(response)
      assert.equal("protocol", failure.code)
    end)
  end
end)
