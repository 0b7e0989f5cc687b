-- What a failure says: with whom, which key of the config to change, and never a password.

local child = require "spec.support.child"
local curl_session = require "spec.support.servers.curl_session"
local request = require "spec.support.servers.request"
local shell = require "spec.support.shell"

-- Until that version libcurl says of a line that is too large that memory is short.
local _, knows_large = shell.run("${PKG_CONFIG:-pkg-config} --atleast-version=8.6.0 libcurl")

local PASSWORD = "s3cret"
local WRONG_PIN = "sha256//" .. ("A"):rep(43) .. "="

-- `says`: all of it, as it stands; {host} is where the request goes. `lacks`: not this.
local CASES = {
  -- proxies
  { name = "a proxy that wants credentials", url = "https://refuse-407.invalid/", proxy = "proxy", code = "proxy",
    status = 407, says = { "refuse-407.invalid", "407", "{proxy}", "`proxy`" } },
  { name = "a proxy that forbids", url = "https://refuse-403.invalid/", proxy = "proxy", code = "proxy", status = 403,
    says = { "refuse-403.invalid", "403", "{proxy}" } },
  { name = "a proxy that cannot reach it", listener = "closed", scheme = "https", proxy = "proxy", code = "proxy",
    status = 502, says = { "{host}", "502", "{proxy}" } },
  { name = "a proxy that redirects", url = "https://refuse-302.invalid/", proxy = "proxy", code = "proxy",
    status = 302, says = { "302", "{proxy}" } },
  { name = "a proxy that closes", url = "https://refuse-close.invalid/", proxy = "proxy", code = "connect",
    says = { "refuse-close.invalid", "{proxy}" } },
  { name = "a proxy that resets", url = "https://refuse-reset.invalid/", proxy = "proxy", code = "connect",
    says = { "refuse-reset.invalid", "{proxy}" } },
  { name = "a proxy where nobody listens", url = "https://api.invalid/", proxy = "closed", code = "connect",
    says = { "proxy", "{proxy}", "`proxy`" } },
  { name = "a proxy that does not exist", url = "https://api.invalid/", proxy_url = "http://u:s3cret@proxy.invalid:1",
    code = "dns", says = { "proxy.invalid", "`proxy`" } },
  { name = "a proxy that cannot be read", url = "https://api.invalid/", proxy_url = "http://u:s3cret@proxy:bad:port",
    says = { "proxy" } },
  { name = "a proxy of no known kind", url = "https://api.invalid/", proxy_url = "kind://u:s3cret@proxy:1",
    says = { "proxy" } },
  { name = "a proxy that says nothing", url = "https://api.invalid/", proxy = "silent", code = "timeout",
    fields = { timeout_ms = 200 }, says = { "`timeout_ms`", "{proxy}" } },
  { name = "a SOCKS proxy that refuses", url = "https://api.invalid/", proxy = "socks", kind = "socks5h",
    code = "proxy", says = { "SOCKS", "{proxy}" } },
  { name = "TLS behind a proxy with a CA that is not known", listener = "unknown_ca", proxy = "proxy", code = "tls",
    says = { "{host}", "{proxy}", "`tls.ca_file`" } },

  -- TLS
  { name = "a CA that the system does not know", listener = "https", tls = {}, code = "tls",
    says = { "{host}", "CN=ca", "`tls.ca_file`", "system" } },
  { name = "a CA that is not the given one", listener = "unknown_ca", code = "tls",
    says = { "{host}", "CN=other_ca", "`tls.ca_file`" } },
  { name = "another host's certificate", listener = "wrong_host", code = "tls",
    says = { "{host}", "elsewhere.invalid" } },
  { name = "an expired certificate", listener = "expired", code = "tls", says = { "{host}", "expired", "clock" } },
  { name = "a pinned key that is not the server's", listener = "https", tls = { pinned_public_key = WRONG_PIN },
    code = "tls", says = { "{host}", "`tls.pinned_public_key`" } },
  { name = "a CA file that is missing", listener = "https", tls = { ca_file = "/nowhere.pem" }, code = "tls",
    says = { "`tls.ca_file`", "/nowhere.pem" } },
  { name = "a client certificate that is missing", listener = "https",
    tls = { client_cert = "/nowhere.pem", client_key = "/nowhere.key" }, code = "tls",
    says = { "`tls.client_cert`", "/nowhere.pem" } },
  { name = "no client certificate where one is wanted", listener = "mutual12", code = "tls",
    says = { "{host}", "`tls.client_cert`" } },
  { name = "no client certificate over TLS 1.3", listener = "mutual", code = "tls",
    says = { "{host}", "`tls.client_cert`" } },
  { name = "an older TLS than is asked for", listener = "tls12", tls = { min_version = "1.3" }, code = "tls",
    says = { "{host}", "`tls.min_version`" } },
  { name = "an end in the middle of TLS", listener = "hangup", code = "connect",
    says = { "{host}", "TLS handshake", "nothing was sent" } },
  { name = "a reset in the middle of TLS", listener = "hangup_hard", code = "connect",
    says = { "{host}", "TLS handshake", "nothing was sent" } },

  -- time
  { name = "a server that does not answer", path = "/hang", fields = { timeout_ms = 150 }, code = "timeout",
    says = { "{host}", "150 ms", "`timeout_ms`", "without an answer" } },
  { name = "an answer that does not end", path = "/slow-headers", fields = { timeout_ms = 150 }, code = "timeout",
    says = { "{host}", "150 ms", "`timeout_ms`" } },
  { name = "a server that does not read", path = "/early/hang", code = "timeout",
    fields = { timeout_ms = 300, body = ("x"):rep(32 * 1024 * 1024) },
    says = { "300 ms", "`timeout_ms`", "being sent" } },
  { name = "TLS that does not end", listener = "silent", fields = { timeout_ms = 150 }, code = "timeout",
    says = { "{host}", "150 ms", "`timeout_ms`", "TLS handshake" } },
  { name = "TLS longer than a connection may take", listener = "silent", code = "timeout",
    fields = { timeout_ms = 5000, connect_timeout_ms = 150 },
    says = { "{host}", "150 ms", "`connect_timeout_ms`", "TLS handshake" } },

  -- the rest
  { name = "a port where nobody listens", listener = "closed", code = "connect", says = { "{host}" } },
  { name = "a name that does not exist", url = "https://api.invalid/", code = "dns", says = { "api.invalid" } },
  { name = "a connection that ends", path = "/close", code = "reset", says = { "{host}" } },
  { name = "what is not HTTP", path = "/garbage", code = "protocol", says = { "{host}" } },
  { name = "too large an answer", path = "/bytes/200", fields = { max_response_bytes = 100 }, code = "too_large",
    says = { "`max_response_bytes`", "100" } },
  { name = "a line larger than libcurl takes", path = "/huge-header/300000", code = "too_large",
    says = { knows_large == 0 and "head is larger than libcurl takes" or "than libcurl takes, or memory is short" },
    lacks = knows_large == 0 and "memory" or nil },
}

describe("what a failure over curl says of", function()
  local session = curl_session()

  local function url_of(case)
    local url = case.url or session.gateway:url(case.path or "/ok", case.listener)
    return case.scheme and url:gsub("^[a-z]+", case.scheme) or url
  end

  local function proxy_of(case)
    if case.proxy_url then return case.proxy_url end
    if not case.proxy then return nil end
    local start = (case.kind or "http") .. "://user:" .. PASSWORD .. "@"
    return (session.gateway:url("", case.proxy):gsub("^[a-z]+://", start))
  end

  local function fields_of(case)
    local fields = { proxy = proxy_of(case), tls = { ca_file = session.gateway.ca_file } }
    for name, value in pairs(case.tls or {}) do fields.tls[name] = value end
    if case.tls and not next(case.tls) then fields.tls = nil end
    for name, value in pairs(case.fields or {}) do fields[name] = value end
    return fields
  end

  for _, case in ipairs(CASES) do
    it(case.name, function()
      local url, fields = url_of(case), fields_of(case)
      local response, failure = session.transport:send(request(url, fields))
      assert.is_nil(response)
      if case.code then assert.equal(case.code, failure.code, failure.message) end
      assert.equal(case.status, failure.http_status)
      local known = {
        host = url:match("^([a-z]+://[^/]+)"),
        proxy = fields.proxy and fields.proxy:gsub("user:" .. PASSWORD .. "@", ""),
      }
      for _, words in ipairs(case.says) do
        words = words:gsub("{([a-z]+)}", known)
        assert.matches(words, failure.message, 1, true)
      end
      assert.is_nil(failure.message:find(PASSWORD, 1, true), failure.message)
      assert.is_nil(failure.message:find("\n", 1, true))
      if case.lacks then assert.is_nil(failure.message:find(case.lacks, 1, true), failure.message) end
    end)
  end

  -- Url, proxy ("" for none). Prints the message.
  local SEND = [[
    local url, proxy = ...
    local request = require "spec.support.servers.request"
    local fields = { timeout_ms = 300, proxy = proxy ~= "" and proxy or nil }
    local response, failure = require "alipayhk.curl".new():send(request(url, fields))
    print(response and "an answer" or failure.message)
  ]]

  local HINT = "`proxy = \"environment\"`"
  local HINTS = {
    { name = "HTTPS_PROXY", listener = "closed", scheme = "https", hint = true },
    { name = "https_proxy", url = "https://api.invalid/", hint = true },
    { name = "ALL_PROXY", listener = "silent", hint = true },
    { name = "http_proxy", listener = "closed", hint = true },
    { name = "HTTPS_PROXY", listener = "closed", hint = false },
    { name = "HTTPS_PROXY", listener = "closed", scheme = "https", proxy = "environment", hint = false },
    { name = "http_proxy", path = "/close", hint = false },
  }

  for _, case in ipairs(HINTS) do
    local title = ("%s, %s to %s%s"):format(case.hint and "hints at" or "has no hint at", case.name,
      case.url or (case.scheme or "") .. " " .. (case.listener or case.path), case.proxy and ", used" or "")
    it("an unused proxy: " .. title, function()
      local value = ("http://user:%s@127.0.0.1:1"):format(PASSWORD)
      local output = child.run(SEND, { url_of(case), case.proxy or "" }, { case.name .. "=" .. value })
      assert.equal(case.hint, output:find(HINT, 1, true) ~= nil, output)
      assert.equal(case.hint, output:find(case.name .. " is set", 1, true) ~= nil, output)
      assert.is_nil(output:find(PASSWORD, 1, true))
    end)
  end
end)
