local curl = require "alipayhk.curl"
local curl_session = require "spec.support.servers.curl_session"
local only_with = require "spec.support.asserting.only_with"
local request = require "spec.support.servers.request"

-- Well-formed, and of no key.
local WRONG_PIN = "sha256//" .. ("A"):rep(43) .. "="

describe("TLS over curl", function()
  local session = curl_session()
  local known

  setup(function()
    local gateway = session.gateway
    known = {
      ca = gateway.ca_file,
      other_ca = gateway.other_ca_file,
      missing = gateway.ca_file .. ".missing",
      certificate = gateway.client_cert,
      key = gateway.client_key,
      other_key = gateway.server_key,
      pin = gateway:pin(),
      wrong_pin = WRONG_PIN,
      either_pin = WRONG_PIN .. ";" .. gateway:pin(),
    }
  end)

  -- send() with tls options whose values are names in `known`, or themselves.
  local function send(listener, options)
    local tls = {}
    for name, value in pairs(options) do tls[name] = known[value] or value end
    return session:send("/ok", listener, { tls = tls })
  end

  local function assert_sent(listener, options)
    local response, failure = send(listener, options)
    assert(response, failure and failure.message)
    assert.equal(200, response.status)
  end

  local function assert_refused(listener, options)
    session.gateway:forget()
    local response, failure = send(listener, options)
    assert.is_nil(response)
    assert.equal("tls", failure.code)
    assert.same({}, session.gateway:log())
  end

  local ACCEPTED = {
    { "a server of the given CA", "https", { ca_file = "ca" } },
    { "its pinned key", "https", { ca_file = "ca", pinned_public_key = "pin" } },
    { "one of the pinned keys", "https", { ca_file = "ca", pinned_public_key = "either_pin" } },
    { "TLS 1.2", "tls12", { ca_file = "ca" } },
    { "TLS 1.2 when that is asked for", "tls12", { ca_file = "ca", min_version = "1.2" } },
    { "TLS 1.3 when that is asked for", "https", { ca_file = "ca", min_version = "1.3" } },
    { "a client certificate", "mutual", { ca_file = "ca", client_cert = "certificate", client_key = "key" } },
    { "one over TLS 1.2", "mutual12", { ca_file = "ca", client_cert = "certificate", client_key = "key" } },
  }

  local REFUSED = {
    { "a CA that the system does not know", "https", {} },
    { "a server of another CA", "unknown_ca", { ca_file = "ca" } },
    { "a server of the CA that is not the given one", "https", { ca_file = "other_ca" } },
    { "another host's certificate", "wrong_host", { ca_file = "ca" } },
    { "an expired certificate", "expired", { ca_file = "ca" } },
    { "a pinned key that is not the server's", "https", { ca_file = "ca", pinned_public_key = "wrong_pin" } },
    { "a pinned key of a server of another CA", "unknown_ca", { ca_file = "ca", pinned_public_key = "pin" } },
    { "a pinned key that libcurl does not take", "https",
      { ca_file = "ca", pinned_public_key = WRONG_PIN:rep(200000) } },
    { "a CA file that is missing", "https", { ca_file = "missing" } },
    { "TLS 1.1", "tls11", { ca_file = "ca" } },
    { "TLS 1.1 when 1.2 is asked for", "tls11", { ca_file = "ca", min_version = "1.2" } },
    { "TLS 1.2 when 1.3 is asked for", "tls12", { ca_file = "ca", min_version = "1.3" } },
    { "to go without the client certificate", "mutual12", { ca_file = "ca" } },
    { "a client certificate that is missing", "mutual",
      { ca_file = "ca", client_cert = "missing", client_key = "key" } },
    { "a client key that is missing", "mutual",
      { ca_file = "ca", client_cert = "certificate", client_key = "missing" } },
    { "a client key of another certificate", "mutual",
      { ca_file = "ca", client_cert = "certificate", client_key = "other_key" } },
  }

  for _, case in ipairs(ACCEPTED) do
    local name, listener, options = case[1], case[2], case[3]
    it("accepts " .. name, function() assert_sent(listener, options) end)
  end

  for _, case in ipairs(REFUSED) do
    local name, listener, options = case[1], case[2], case[3]
    it("refuses " .. name, function() assert_refused(listener, options) end)
  end

  -- In TLS 1.3 the client learns of it after its own handshake is over.
  it("refuses to go without the client certificate over TLS 1.3", function()
    assert_refused("mutual", { ca_file = "ca" })
  end)

  it("sends nothing without the client certificate over TLS 1.3", function()
    local response = send("mutual", { ca_file = "ca" })
    assert.is_nil(response)
    assert.same({}, session.gateway:log())
  end)

  local STRICTER = {
    { "another CA", "https", { ca_file = "ca" }, { ca_file = "other_ca" } },
    { "the system's CAs", "https", { ca_file = "ca" }, {} },
    { "a pin", "https", { ca_file = "ca" }, { ca_file = "ca", pinned_public_key = "wrong_pin" } },
    { "another pin", "https", { ca_file = "ca", pinned_public_key = "pin" },
      { ca_file = "ca", pinned_public_key = "wrong_pin" } },
    { "a newer version", "tls12", { ca_file = "ca" }, { ca_file = "ca", min_version = "1.3" } },
    { "no client certificate", "mutual12", { ca_file = "ca", client_cert = "certificate", client_key = "key" },
      { ca_file = "ca" } },
  }

  for _, case in ipairs(STRICTER) do
    local name, listener, before, after = case[1], case[2], case[3], case[4]
    it("does not lend a kept connection to a request with " .. name, function()
      assert_sent(listener, before)
      assert_refused(listener, after)
      assert_sent(listener, before)
    end)
  end

  -- ---- OpenSSL's queue of errors, which belongs to the thread and so to alipayhk.core too ----------

  local has_ffi, ffi = pcall(require, "ffi")
  local it_peeks = only_with(has_ffi, "needs LuaJIT's ffi", it, pending)

  it_peeks("leaves no error in OpenSSL's queue", function()
    ffi.cdef "unsigned long ERR_peek_error(void);"
    local crypto = ffi.load("crypto")
    local listeners = { "https", "unknown_ca", "expired", "wrong_host", "tls11", "mutual", "mutual12", "http", "hangup",
      "hangup_hard", "h2" }
    for _, listener in ipairs(listeners) do
      local url = session.gateway:url("/ok", listener):gsub("^[a-z]+", "https")
      session.transport:send(request(url, { tls = { ca_file = session.gateway.ca_file } }))
      assert.equal(0, tonumber(crypto.ERR_peek_error()), listener)
      send(listener, { ca_file = "missing" })
      send(listener, { ca_file = "ca", client_cert = "certificate", client_key = "other_key" })
      assert.equal(0, tonumber(crypto.ERR_peek_error()), listener)
    end
    for _, path in ipairs{ "/close", "/reset", "/cut", "/early/reset" } do
      session:send(path, "https", { body = ("x"):rep(2 * 1024 * 1024) })
      assert.equal(0, tonumber(crypto.ERR_peek_error()), path)
    end
    assert_sent("https", { ca_file = "ca" })
    session.transport:close()
    assert.equal(0, tonumber(crypto.ERR_peek_error()))
    session.transport = curl.new()
  end)

  it("speaks HTTP/2 where the server does, and 1.1 where not", function()
    assert_sent("h2", { ca_file = "ca" })
    assert_sent("https", { ca_file = "ca" })
    local log = session.gateway:log()
    assert.equal("2.0", log[1].version)
    assert.equal("1.1", log[2].version)
  end)
end)
