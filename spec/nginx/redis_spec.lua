-- The client of Redis inside nginx: cosockets, nginx's pools, and neighbours that do not wait.

local core = require "alipayhk.core"
local merchant = require "spec.support.servers.nginx_merchant"
local nginx = require "spec.support.servers.nginx"
local redis_server = require "spec.support.servers.redis"

local HTTP = [[
  lua_ssl_trusted_certificate @ca_file@;
  init_by_lua_block {
    local url = require "alipayhk.delivery.redis.url"
    redis_client = require "alipayhk.delivery.redis.client"
    function open(given, timeout_ms)
      local target = assert(url.parse(given))
      target.connect_timeout_ms, target.timeout_ms = 1000, timeout_ms or 2000
      return redis_client.new(target)
    end
    plain = assert(open("@plain@"))
    tls = assert(open("@tls@"))
    script = redis_client.script "return { KEYS[1], ARGV[1], redis.call('incr', KEYS[1]) }"
    function told(...)
      local count = select("#", ...)
      while count > 1 and select(count, ...) == nil do count = count - 1 end
      for i = 1, count do ngx.print(i > 1 and "|" or "", tostring((select(i, ...)))) end
    end
  }
]]

local SERVER = [[
  location = /ping { content_by_lua_block { told(plain:call("PING")) } }
  location = /tls { content_by_lua_block { told(tls:call("PING")) } }
  location = /incr { content_by_lua_block { told(plain:call("INCR", "n")) } }
  location = /bytes { content_by_lua_block {
    local bytes = {}
    for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
    local all = table.concat(bytes):rep(20000)
    for _, client in ipairs { plain, tls } do
      told(client:call("SET", "all", all), client:call("GET", "all") == all, client:call("DEL", "all"), "")
    end
  } }
  location = /pipeline { content_by_lua_block {
    local commands = {}
    for i = 1, 5000 do commands[i] = { "ECHO", ("%d "):format(i):rep(50) } end
    commands[5001] = { "GET", "list" }
    local results = assert(plain:pipeline(commands))
    for i = 1, 5000 do assert(results[i][1] == commands[i][2]) end
    told(results[5001][1], results[5001][3], #plain:pipeline {})
  } }
  location = /script { content_by_lua_block {
    local reply = assert(plain:eval(script, { "{o:1}s" }, { "\0\r\n" }))
    told(reply[1], #reply[2], reply[3])
  } }
  location = /slow { content_by_lua_block { told(open("@plain@", 300):call("INCR", "slow")) } }
  location = /idle { content_by_lua_block { ngx.print "idle" } }
  location = /at { content_by_lua_block {
    local client, message = open(ngx.unescape_uri(ngx.var.arg_url))
    if client then told(client:call("PING")) else told(client, message) end
  } }
  location = /wrong { content_by_lua_block { told(pcall(plain.call, plain, "SET", "x", true)) } }
  location = /phase {
    header_filter_by_lua_block { ngx.header.said = table.concat({ select(2, plain:call("PING")) }, "|") }
    content_by_lua_block { ngx.print "" }
  }
  location = /timer { content_by_lua_block {
    ngx.timer.at(0, function() ngx.shared.notes:set("told", plain:call("PING")) end)
    while not ngx.shared.notes:get("told") do ngx.sleep(0.02) end
    told(ngx.shared.notes:get("told"))
  } }
]]

describe("a client of Redis inside nginx", function()
  local server, other_server, web

  local function fill(template)
    return (template:gsub("@(%w+_?%w*)@", {
      ca_file = server.ca_file, plain = server.url(":secret@", "/1"),
      tls = server.url(":secret@", "?server_name=localhost", "rediss"),
    }))
  end

  setup(function()
    server = redis_server.start { password = "secret", tls = true }
    other_server = redis_server.start { tls = "unknown_ca" }
    web = nginx.start { http = "lua_shared_dict notes 1m;" .. fill(HTTP), server = fill(SERVER) }
  end)
  teardown(function()
    web.stop()
    server.stop()
    other_server.stop()
  end)

  local function body_of(path) return (select(2, merchant.post(web.url .. path))) end

  local function at(url) return body_of("/at?url=" .. core.percent_encode(url)) end

  local function count(name, section)
    return tonumber(server.cli("info", section):match(name .. ":(%d+)") or server.cli("info", section):match(
      name .. ":calls=(%d+)") or 0)
  end

  it("calls, with any bytes, over TLS too", function()
    assert.equal("PONG", body_of "/ping")
    assert.equal("OK|true|1|OK|true|1|", body_of "/bytes")
  end)

  it("gives what each command of a pipeline gives", function()
    server.cli("-n", "1", "rpush", "list", "x")
    assert.equal("nil|WRONGTYPE|0", body_of "/pipeline")
  end)

  it("keeps connections, and logs in on fresh ones alone", function()
    for _, path in ipairs { "/ping", "/tls" } do body_of(path) end
    server.cli("config", "resetstat")
    local before = count("total_connections_received", "stats")
    for _ = 1, 20 do
      assert.equal("PONG", body_of "/ping")
      assert.equal("PONG", body_of "/tls")
    end
    assert.equal(40, count("cmdstat_ping", "commandstats"))
    -- Those of redis-cli, one each time.
    assert.is_true(count("total_connections_received", "stats") - before < 10)
    local logins = count("cmdstat_auth", "commandstats")
    server.cli("client", "kill", "type", "normal", "skipme", "yes")
    assert.equal("PONG", body_of "/ping")
    assert.equal(0, count("cmdstat_select", "commandstats") - 1)
    assert.is_true(count("cmdstat_auth", "commandstats") > logins)
  end)

  it("runs scripts, also when the server has forgotten them", function()
    for i = 1, 6 do
      if i == 4 then server.cli("script", "flush") end
      assert.equal("{o:1}s|3|" .. i, body_of "/script")
    end
    assert.equal("6", server.cli("-n", "1", "get", "{o:1}s"))
  end)

  it("goes on after a restart, and says what it knows where there is no server", function()
    assert.equal("1", body_of "/incr")
    server.restart()
    assert.equal("2", body_of "/incr")
    server.kill()
    local said = body_of "/incr"
    assert.matches("|CONNECTION$", said)
    assert.matches(("127.0.0.1:%d: connecting to 127.0.0.1:%d: connection refused"):format(server.port, server.port),
      said, 1, true)
    server.restart()
    assert.equal("3", body_of "/incr")
    assert.equal("3", server.cli("-n", "1", "get", "n"))
  end)

  it("waits no longer than timeout_ms, and keeps nobody else waiting", function()
    server.signal "STOP"
    local began = core.monotonic()
    local pipe = assert(io.popen("curl -s " .. web.url .. "/slow"))
    local slowest = 0
    for _ = 1, 5 do
      local before = core.monotonic()
      assert.equal("idle", body_of "/idle")
      slowest = math.max(slowest, core.monotonic() - before)
    end
    local said = pipe:read("*a")
    pipe:close()
    server.signal "CONT"
    assert.matches("the 300 ms of timeout_ms passed", said, 1, true)
    assert.matches("(whether it was executed is not known)|TIMEOUT|true", said, 1, true)
    assert.is_true(core.monotonic() - began < 2)
    assert.is_true(slowest < 1 / 4, slowest)
    assert.equal("PONG", body_of "/ping")
  end)

  it("says what is wrong with a login, without a password", function()
    for before, words in pairs {
      [":wrong-secret@"] = "the user or the password in the URL is wrong",
      [""] = "give a user and a password in the URL",
    } do
      local said = at(server.url(before))
      assert.matches(words, said, 1, true)
      assert.is_nil(said:find("secret", 1, true))
    end
    assert.matches("ERR DB index is out of range|ERR", at(server.url(":secret@", "/99")), 1, true)
  end)

  it("trusts what lua_ssl_trusted_certificate names, for the right name", function()
    assert.equal("PONG", at(server.url(":secret@", "?server_name=localhost", "rediss")))
    local said = at(other_server.url("", "?server_name=localhost", "rediss"))
    assert.matches("its certificate is not accepted", said, 1, true)
    assert.matches("|TLS$", said)
    said = at(server.url(":secret@", "?server_name=shop.example", "rediss"))
    assert.matches("is the host in the store's URL right?", said, 1, true)
    assert.matches("|TLS$", said)
    assert.matches("nil|ca_file: inside nginx the directive lua_ssl_trusted_certificate",
      at(server.url("", "?ca_file=/x", "rediss")), 1, true)
  end)

  it("says so where something else listens, at an IPv6 address too", function()
    assert.matches("what came is not Redis's protocol (a reply that begins with no known byte): is it the right port",
      at(web.url:gsub("^http", "redis")), 1, true)
    assert.matches("is it the right port, and does it want TLS (rediss://)? (whether",
      at("redis://127.0.0.1:" .. server.tls_port), 1, true)
    assert.equal("PONG", at(("redis://[::1]:%d"):format(other_server.port)))
    assert.matches("[::1]:1: connecting to [::1]:1: connection refused", at "redis://[::1]:1", 1, true)
  end)

  it("throws on an argument that is none", function()
    assert.matches("^false|argument 3 of a command: a string or a whole number expected, found boolean$",
      body_of "/wrong")
  end)

  it("says so in a phase without cosockets, and runs in a timer", function()
    local _, _, headers = merchant.post(web.url .. "/phase")
    local said = type(headers) == "table" and headers.said or tostring(headers)
    assert.matches("nginx allows no connections in the phase header_filter: call from ngx.timer.at", said, 1, true)
    assert.equal("PONG", body_of "/timer")
  end)

  it("makes nginx log no alert and no error", function()
    assert.same({}, web.complaints { "lua entry thread aborted", "runtime error", "stack traceback" })
  end)
end)
