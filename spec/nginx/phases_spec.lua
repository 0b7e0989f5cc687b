-- Where in nginx a client may call: in which phases, of what names, with whose certificates.

local certificates = require "spec.support.data.certificates"
local hostile = require "spec.support.servers.hostile"
local json = require "cjson"
local other_servers = require "spec.support.servers.server"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local CASES = { { answer = "HTTP/1.1 200 OK\r\n{signed}Content-Length: {length}\r\n\r\n{body}" } }

-- note(phase) calls here, later(phase) from a timer; both tell a shared dictionary what came of it.
local HTTP = [[
  resolver 127.0.0.1:{names} ipv6=off;
  lua_shared_dict seen 1m;
  init_by_lua_block {
    local driver, cjson = require "driver", require "cjson"
    function note(name) ngx.shared.seen:set(name, cjson.encode(driver.call { case = 1 })) end
    function later(name) assert(ngx.timer.at(0, function() note(name .. " later") end)) end
    note "init"
  }
  init_worker_by_lua_block { note "init_worker"; later "init_worker" }
  upstream balanced {
    server 127.0.0.1:1;
    balancer_by_lua_block { note "balancer"; later "balancer"; ngx.exit(503) }
  }
]]

-- For the phase of a TLS handshake. A relative path, for a socket's may not be long.
local TLS = [[
  server {
    listen unix:%s ssl;
    ssl_certificate %s/server.pem;
    ssl_certificate_key %s/server.key;
    ssl_certificate_by_lua_block { note "ssl_cert"; later "ssl_cert" }
  }
]]

local SERVER = [[
  server_rewrite_by_lua_block {
    if ngx.var.uri == "/server_rewrite" then note "server_rewrite"; later "server_rewrite" end
  }
  location = /server_rewrite { return 200; }
  location = /seen { content_by_lua_block { ngx.print(ngx.shared.seen:get(ngx.req.get_uri_args().name) or "") } }
  location = /set { set_by_lua_block $x { note "set"; later "set"; return "" } return 200; }
  location = /header_filter {
    header_filter_by_lua_block { note "header_filter"; later "header_filter" }
    return 200 "x";
  }
  location = /body_filter {
    body_filter_by_lua_block { note "body_filter"; if ngx.arg[2] then later "body_filter" end }
    return 200 "x";
  }
  location = /log { log_by_lua_block { note "log"; later "log" } return 200; }
  location = /balancer { proxy_pass http://balanced; }
  location = /rewrite { rewrite_by_lua_block { note "rewrite"; later "rewrite" } content_by_lua_block { ngx.say("") } }
  location = /access { access_by_lua_block { note "access"; later "access" } content_by_lua_block { ngx.say("") } }
  location = /content { content_by_lua_block { note "content"; later "content" } }
  location = /dead {
    resolver 127.0.0.1:1;
    resolver_timeout 500ms;
    content_by_lua_block { require("driver").content() }
  }
]]

local DENIED = { "init_worker", "set", "header_filter", "body_filter", "log", "balancer" }
local ALLOWED = { "server_rewrite", "rewrite", "access", "content" }

local server

local function seen(name)
  for _ = 1, 100 do
    local text = server:get("/seen?name=" .. name:gsub(" ", "%%20"))
    if text ~= "" then return json.decode(text) end
    shell.run("sleep 0.05")
  end
  error("nothing came of " .. name)
end

describe("inside nginx, a call", function()
  setup(function()
    local socket, issued = shell.directory():match("build/test/[^/]+$") .. "/tls", certificates()
    server = hostile.start { cases = CASES, http = HTTP .. TLS:format(socket, issued, issued), server = SERVER }
    shell.must("openssl s_client -unix " .. socket .. " < /dev/null")
    for _, list in ipairs { DENIED, ALLOWED } do
      for _, phase in ipairs(list) do
        if phase ~= "init_worker" then server:get("/" .. phase) end
      end
    end
  end)
  teardown(function() server:stop() end)

  for _, phase in ipairs(DENIED) do
    it("in the phase " .. phase .. " is told where it may be made, and there it works", function()
      local outcome = seen(phase)
      hostile.fails("phase", outcome)
      assert.matches("ngx.timer.at", outcome.message, 1, true)
      assert.matches(phase, outcome.message, 1, true)
      assert.is_false(outcome.retryable)
      hostile.succeeds(seen(phase .. " later"))
    end)
  end

  it("in init_by_lua is told so", function() hostile.fails("phase", seen("init")) end)

  for _, phase in ipairs(ALLOWED) do
    it("in the phase " .. phase .. " works, and from a timer", function()
      hostile.succeeds(seen(phase))
      hostile.succeeds(seen(phase .. " later"))
    end)
  end

  it("in ssl_certificate_by_lua works, and from a timer", function()
    hostile.succeeds(seen "ssl_cert")
    hostile.succeeds(seen "ssl_cert later")
  end)

  it("to a name that does not exist is `dns`", function()
    local outcome = server:ask({ { case = 1, url = server:url("https", "nowhere.invalid") } })[1]
    hostile.fails("dns", outcome)
    assert.matches("nowhere.invalid", outcome.message, 1, true)
    assert.is_true(outcome.retryable)
  end)

  it("without anybody to resolve its name is `dns`", function()
    local outcome = server:ask({ { case = 1, url = server:url("https", "localhost") } }, 1, "/dead")[1]
    hostile.fails("dns", outcome)
    assert.matches("resolver", outcome.message, 1, true)
  end)

  it("to a port where nobody listens is `connect`", function()
    local outcome = server:ask({ { case = 1, url = "https://127.0.0.1:1" } })[1]
    hostile.fails("connect", outcome)
    assert.is_true(outcome.retryable)
  end)

  it("makes nginx log no alert and no error of Lua", function() assert.is_nil(server:complaint()) end)
end)

describe("inside nginx, TLS", function()
  local others

  setup(function()
    others = other_servers.start()
    server = hostile.start { cases = CASES, http = "resolver 127.0.0.1:{names} ipv6=off;" }
  end)
  teardown(function()
    server:stop()
    others:stop()
  end)

  local function reach(listener)
    return server:ask({ { case = 1, url = ("https://localhost:%d"):format(others.ports[listener]) } })[1]
  end

  -- What the message is to say.
  local REFUSED = {
    wrong_host = { "host mismatch", "base_url", "openssl s_client -connect localhost:%d -servername localhost " },
    expired = { "expired", "clock" },
    unknown_ca = { "set lua_ssl_trusted_certificate", "lua_ssl_verify_depth" },
  }
  for _, listener in ipairs(sorted_keys(REFUSED)) do
    it("with a server that is not to be trusted is refused: " .. listener, function()
      others:forget()
      local outcome = reach(listener)
      hostile.fails("tls", outcome)
      assert.is_false(outcome.retryable)
      for _, words in ipairs(REFUSED[listener]) do
        assert.matches(words:format(others.ports[listener]), outcome.message, 1, true)
      end
      assert.same({}, others:log())
    end)
  end

  it("with a server that asks for a certificate of ours is an error", function()
    others:forget()
    local outcome = reach "mutual12"
    assert.equal("transport", outcome.kind)
    assert.same({}, others:log())
  end)

  -- nginx does not say which of these it was; nothing was sent in any of them.
  local function ends_early(outcome)
    hostile.fails("connect", outcome)
    assert.is_true(outcome.retryable)
    assert.matches("nothing was sent", outcome.message, 1, true)
    assert.matches("lua_ssl_protocols", outcome.message, 1, true)
  end

  for _, listener in ipairs { "ends", "resets", "rude" } do
    it("that is cut off, or answered otherwise, may come about another time: " .. listener, function()
      ends_early(server:ask({ { case = 1, url = server:url("https", "localhost", listener) } })[1])
    end)
  end

  for _, listener in ipairs { "tls11", "http" } do
    it("with a server that speaks another language does not come about: " .. listener, function()
      ends_early(reach(listener))
    end)
  end

  for _, listener in ipairs { "https", "tls12" } do
    it("with a server that is in order comes about: " .. listener, function()
      others:forget()
      -- It knows no AlipayHK: what it says is not signed.
      assert.not_equal("transport", reach(listener).kind)
      assert.equal(1, #others:log())
    end)
  end

  it("where none is expected is an error, too", function()
    local outcome = server:ask({ { case = 1, url = ("http://localhost:%d"):format(others.ports.https) } })[1]
    assert.equal("transport", outcome.kind)
  end)
end)

describe("inside an nginx that was told little", function()
  setup(function() server = hostile.start { cases = CASES, trusted = false, server = [[
    location = /resolved { resolver 127.0.0.1:{names} ipv6=off; content_by_lua_block { require("driver").content() } }
  ]] } end)
  teardown(function() server:stop() end)

  it("no certificate is trusted, and the error names the directive", function()
    local outcome = server:ask({ { case = 1, url = server:url("https", "localhost") } }, 1, "/resolved")[1]
    hostile.fails("tls", outcome)
    assert.matches("set lua_ssl_trusted_certificate", outcome.message, 1, true)
    assert.same({}, server:log())
  end)

  it("no name is resolved, and the error names the directive", function()
    local outcome = server:ask({ { case = 1, url = server:url("https", "localhost") } })[1]
    hostile.fails("dns", outcome)
    assert.matches("resolver", outcome.message, 1, true)
  end)

  it("an address needs neither", function()
    hostile.succeeds(server:ask({ { case = 1 } })[1])
  end)
end)
