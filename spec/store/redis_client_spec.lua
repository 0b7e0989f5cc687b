-- The client outside nginx, over real servers that are killed, restarted, full, or nodes of a cluster.

local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local nginx = require "spec.support.servers.nginx"
local redis_client = require "alipayhk.delivery.redis.client"
local redis_server = require "spec.support.servers.redis"
local redis_url = require "alipayhk.delivery.redis.url"
local runtime = require "alipayhk.base.runtime"

local PASSWORD = "p@ss:w/rd %"
local ENCODED = "p%40ss%3Aw%2Frd%20%25"

local function open(url, timeout_ms)
  local target = assert(redis_url.parse(url))
  target.connect_timeout_ms, target.timeout_ms = 1000, timeout_ms or 2000
  return assert(redis_client.new(target))
end

describe("a client of Redis", function()
  local server

  setup(function()
    server = redis_server.start {
      tls = true, password = PASSWORD,
      lines = { "user shop on >shop-secret ~{o:*}* &* +eval +evalsha +get +ping" },
    }
  end)
  teardown(function() server.stop() end)

  local function failure_of(client, ...)
    local reply, message, code, is_unknown = client:call(...)
    assert.is_nil(reply)
    assert.is_nil(message:find("secret", 1, true))
    assert.is_nil(message:find("p@ss", 1, true))
    assert.equal(1, (message:find("127.0.0.1:%d")))
    return message, code, is_unknown
  end

  -- ---- who it is ---------------------------------------------------------------------------------

  it("logs in with a password, as a user, to a database", function()
    local client = open(server.url(":" .. ENCODED .. "@", "/3"))
    assert.equal("OK", client:call("SET", "where", "three"))
    assert.equal("three", server.cli("-n", "3", "get", "where"))
    client:close()
    client = open(server.url("shop:shop-secret@"))
    assert.is_false(client:call("GET", "{o:1}"))
    assert.matches("user=shop", server.cli("client", "list"), 1, true)
    local message, code = failure_of(client, "GET", "others")
    assert.equal("NOPERM", code)
    assert.matches("the ACL of the URL's user does not allow it", message, 1, true)
    client:close()
    client = open(server.url("default:" .. ENCODED .. "@",
      "?ca_file=" .. core.percent_encode(server.ca_file), "rediss"))
    assert.equal("PONG", client:call("PING"))
    client:close()
  end)

  for _, case in ipairs {
    { ":wrong-secret@", "", "WRONGPASS", "the user or the password in the URL is wrong" },
    { "nobody:wrong-secret@", "", "WRONGPASS", "the user or the password in the URL is wrong" },
    { "", "", "NOAUTH", "give a user and a password in the URL, redis://user:password@host" },
    { ":" .. ENCODED .. "@", "/99", "ERR", "DB index is out of range" },
    { "shop:shop-secret@", "/1", "NOPERM", "the ACL of the URL's user does not allow it" },
  } do
    it(("says what to do where it is not let in: %s%s"):format(case[3], case[2]), function()
      local client = open(server.url(case[1], case[2]))
      for _ = 1, 2 do
        local message, code, is_unknown = failure_of(client, "GET", "x")
        assert.same({ case[3], nil }, { code, is_unknown })
        assert.matches(case[4], message, 1, true)
      end
      client:close()
    end)
  end

  it("repeats no arguments of a command that the server does not know", function()
    local message, code = failure_of(open(server.url(":" .. ENCODED .. "@")), "NOSUCH", "secret-of-a-user")
    assert.equal("ERR", code)
    assert.matches("unknown command 'NOSUCH'$", message)
  end)

  -- ---- scripts -----------------------------------------------------------------------------------

  it("runs scripts by their digests, and sends their text to a server that does not have them", function()
    local client = open(server.url(":" .. ENCODED .. "@"))
    local script = redis_client.script "return { KEYS[1], KEYS[2], ARGV[1], redis.call('incr', KEYS[1]) }"
    local function runs() return client:eval(script, { "{o:1}a", "{o:1}b" }, { "\0\r\n" }) end
    local function calls_of(name)
      return tonumber(server.cli("info", "commandstats"):match("cmdstat_" .. name .. ":calls=(%d+)") or 0)
    end

    server.cli("config", "resetstat")
    for i = 1, 5 do assert.same({ "{o:1}a", "{o:1}b", "\0\r\n", i }, (runs())) end
    assert.same({ 2, 4 }, { calls_of "eval", calls_of "evalsha" }) -- one of the former asks for the digest
    assert.equal("1", server.cli("script", "exists", script.digest))

    server.cli("script", "flush")
    for i = 6, 8 do assert.equal(i, runs()[4]) end
    assert.same({ 3, 7 }, { calls_of "eval", calls_of "evalsha" })
    assert.equal("8", server.cli("get", "{o:1}a"))

    server.restart() -- scripts are not in the file
    assert.equal(9, runs()[4])
    client:close()
  end)

  it("runs scripts as a user that may not load them", function()
    local client = open(server.url("shop:shop-secret@"))
    local script = redis_client.script "return ARGV[1]"
    for _ = 1, 2 do assert.equal("x", client:eval(script, { "{o:1}" }, { "x" })) end
    client:close()
  end)

  it("gives what a script fails with", function()
    local client = open(server.url(":" .. ENCODED .. "@"))
    for source, code in pairs {
      ["return redis.error_reply('STALE older than the newest')"] = "STALE", ["return nothing.at_all"] = "ERR",
      ["this is no Lua"] = "ERR",
    } do
      local script = redis_client.script(source)
      for _ = 1, 2 do
        local reply, message, found = client:eval(script, {}, {})
        assert.same({ nil, code }, { reply, found })
        assert.is_string(message)
      end
    end
    client:close()
  end)

  -- ---- beside others -----------------------------------------------------------------------------

  it("lets others go on while it waits, where there are any", function()
    local client, waits = open(server.url(":" .. ENCODED .. "@")), 0
    assert.equal("PONG", client:call("PING"))
    local multi = curl.multi(1)
    local thread = coroutine.create(function()
      runtime.set_wait(coroutine.yield)
      return client:call("EVAL", "for i = 1, 3000000 do end return 'slow'", 0)
    end)
    local _, fd, is_writing, left_ms = assert(coroutine.resume(thread))
    while coroutine.status(thread) == "suspended" do
      waits = waits + 1
      assert.is_false(is_writing)
      assert.is_true(left_ms > 0 and left_ms <= 2000, left_ms)
      multi:wait(left_ms, nil, fd, is_writing)
      _, fd, is_writing, left_ms = assert(coroutine.resume(thread))
    end
    assert.equal("slow", fd)
    assert.is_true(waits >= 1 and waits <= 3, waits)
    multi:close()
    client:close()
  end)

  -- ---- servers that come and go ------------------------------------------------------------------

  it("goes on after a restart without a word, and keeps what was acknowledged", function()
    server.cli("config", "set", "appendfsync", "always")
    local client = open(server.url(":" .. ENCODED .. "@"))
    for i = 1, 3 do
      assert.equal(i, client:call("INCR", "kept"))
      if i == 2 then server.kill() end
      server.restart()
    end
    assert.equal("3", server.cli("get", "kept"))
    client:close()
  end)

  it("says that nothing was executed where there is no server, and goes on when there is one", function()
    local client = open(server.url(":" .. ENCODED .. "@"))
    assert.equal("PONG", client:call("PING"))
    server.kill()
    for _ = 1, 2 do
      local message, code, is_unknown = failure_of(client, "INCR", "gone")
      assert.same({ "CONNECTION", nil }, { code, is_unknown })
      assert.matches("Connection refused", message, 1, true)
    end
    server.restart()
    assert.equal(1, client:call("INCR", "gone"))
    client:close()
  end)

  it("says that nobody knows, sends nothing twice, and goes on", function()
    local client = open(server.url(":" .. ENCODED .. "@"), 300)
    assert.equal("PONG", client:call("PING"))
    server.signal "STOP"
    local message, code, is_unknown = failure_of(client, "INCR", "once")
    server.signal "CONT"
    assert.same({ "TIMEOUT", true }, { code, is_unknown })
    assert.matches("no answer within timeout_ms (300 ms) (whether it was executed is not known)", message, 1, true)
    assert.truthy(nginx.await(5, function() return server.cli("get", "once") == "1" end))
    assert.equal("PONG", client:call("PING"))
    core.sleep(100)
    assert.equal("1", server.cli("get", "once"))
    client:close()
  end)

  it("makes a new connection after `close`", function()
    local client = open(server.url(":" .. ENCODED .. "@"))
    client:close()
    client:close()
    assert.equal("PONG", client:call("PING"))
    client:close()
  end)

  -- ---- servers that refuse -----------------------------------------------------------------------

  it("says that a server is full", function()
    local client = open(server.url(":" .. ENCODED .. "@"))
    server.cli("config", "set", "maxmemory", "1")
    local message, code = failure_of(client, "SET", "x", "y")
    server.cli("config", "set", "maxmemory", "0")
    assert.equal("OOM", code)
    assert.matches("its maxmemory is reached", message, 1, true)
    assert.equal("OK", client:call("SET", "x", "y"))
    client:close()
  end)

  it("says that a server is a replica", function()
    local replica = redis_server.start {
      lines = { "replicaof 127.0.0.1 " .. server.port, 'masterauth "' .. PASSWORD .. '"' },
    }
    local message, code = failure_of(open(replica.url()), "SET", "x", "y")
    replica.stop()
    assert.equal("READONLY", code)
    assert.matches("name the primary in the URL", message, 1, true)
  end)

  it("says that a server is a node of a cluster, and the code is MOVED", function()
    local nodes = {}
    for i = 1, 2 do nodes[i] = redis_server.start { lines = { "cluster-enabled yes" } } end
    local client = open(nodes[1].url())
    local _, code = failure_of(client, "GET", "x")
    assert.equal("CLUSTERDOWN", code)

    assert.equal("OK", nodes[1].cli("cluster", "addslotsrange", "0", "8191"))
    assert.equal("OK", nodes[2].cli("cluster", "addslotsrange", "8192", "16383"))
    assert.equal("OK", nodes[1].cli("cluster", "meet", "127.0.0.1", tostring(nodes[2].port)))
    assert.truthy(nginx.await(20, function()
      return nodes[1].cli("cluster", "info"):find("cluster_state:ok", 1, true)
    end))
    assert.is_false(client:call("GET", "bar")) -- slot 5061
    local message
    message, code = failure_of(client, "GET", "foo") -- slot 12182
    assert.equal("MOVED", code)
    assert.matches(("MOVED 12182 127.0.0.1:%d (this is a node of a Redis Cluster"):format(nodes[2].port), message, 1,
      true)
    _, code = failure_of(client, "MGET", "foo", "bar")
    assert.equal("CROSSSLOT", code)
    client:close()
    for i = 1, 2 do nodes[i].stop() end
  end)
end)
