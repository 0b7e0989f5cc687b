-- The C module over real servers; redis-cli says what is in them.

local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local http_server = require "spec.support.servers.server"
local nginx = require "spec.support.servers.nginx"
local no_redis = require "spec.support.servers.no_redis"
local redis = require "alipayhk.redis"
local redis_server = require "spec.support.servers.redis"

local unpack = table.unpack or unpack -- luacheck: ignore 113 143 (5.1's name)

describe("a connection to Redis", function()
  local server, connection

  setup(function() server = redis_server.start { tls = true } end)
  teardown(function() server.stop() end)

  local function options(changes)
    local made = { host = "127.0.0.1", port = server.port, connect_timeout_ms = 2000, timeout_ms = 5000 }
    for name, value in pairs(changes or {}) do made[name] = value end
    return made
  end

  local function connect(changes) return assert(redis.connect(options(changes))) end

  before_each(function() connection = connect() end)
  after_each(function() connection:close() end)

  -- ---- what goes and comes -----------------------------------------------------------------------

  it("carries every byte", function()
    local bytes = {}
    for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
    local all = table.concat(bytes)
    assert.equal("OK", connection:call("SET", all, all .. "\r\n"))
    assert.equal(all .. "\r\n", connection:call("GET", all))
    assert.equal("258", server.cli("eval", "local s = '' for i = 0, 255 do s = s .. string.char(i) end "
      .. "return redis.call('strlen', s)", "0"))
    assert.equal("OK", connection:call("SET", "empty", ""))
    assert.equal("", connection:call("GET", "empty"))
  end)

  it("carries whole numbers, and refuses others", function()
    for _, number in ipairs { 0, -7, 1716338541000, 2 ^ 53 } do
      assert.equal("OK", connection:call("SET", "number", number))
      assert.equal(("%.0f"):format(number), server.cli("get", "number"))
    end
    for _, value in ipairs { 1 / 2, 1 / 0, true, {}, print } do
      assert.error_matches(function() connection:call("SET", "number", value) end,
        "argument 3 of a command: a string or a whole number expected, found ")
    end
    assert.error_matches(function() connection:call() end, "at least its name")
    assert.equal("PONG", connection:call("PING"))
  end)

  it("gives strings, integers, lists, and false for none", function()
    server.cli("mset", "a", "1", "b", "2")
    assert.same({ "1", false, "2" }, connection:call("MGET", "a", "none", "b"))
    assert.is_false(connection:call("GET", "none"))
    assert.equal(2, connection:call("INCR", "a"))
    assert.same({ 1, { "two", { false, 3 } }, {} },
      connection:call("EVAL", "return { 1, { 'two', { false, 3 } }, {} }", 0))
    server.cli("set", "big", "9223372036854775806")
    assert.equal("9223372036854775807", tostring(connection:call("INCR", "big")))
    server.cli("set", "big", "9007199254740992")
    assert.equal("9007199254740993", tostring(connection:call("INCR", "big")))
  end)

  it("gives the error within a list by its text", function()
    connection:pipeline { { "MULTI" }, { "SET", "word", "x" }, { "INCR", "word" } }
    local replies = connection:call("EXEC")
    assert.equal("OK", replies[1])
    assert.matches("^ERR value is not an integer", replies[2].err)
  end)

  it("gives large replies, and refuses larger ones than it says", function()
    local patient = { timeout_ms = 60000 }
    local roomy = connect(patient)
    local large = ("0123456789abcdef"):rep(1024 * 1024) -- 16 MiB
    assert.equal("OK", roomy:call("SET", "large", large))
    assert.is_true(roomy:call("GET", "large") == large)
    assert.equal(tostring(#large), server.cli("strlen", "large"))
    server.cli("del", "large")

    local list = roomy:call("EVAL", "local t = {} for i = 1, 300000 do t[i] = i end return t", 0)
    assert.same({ 300000, 300000 }, { #list, list[300000] })

    for script, words in pairs {
      ["return string.rep('x', 70000000)"] = "more than 67108864 bytes",
      ["local t = {} for i = 1, 1100000 do t[i] = 1 end return t"] = "more than 1048576 elements",
      ["return {{{{{{{{1}}}}}}}}"] = "deeper than 7",
    } do
      local one = connect(patient)
      local reply, message, code, is_sent = one:call("EVAL", script, 0)
      assert.same({ nil, "PROTOCOL", true }, { reply, code, is_sent })
      assert.matches(words, message, 1, true)
      assert.equal("alipayhk.redis (broken)", tostring(one))
      one:close()
    end
    assert.same({ { { { { { { 1 } } } } } } }, roomy:call("EVAL", "return {{{{{{{1}}}}}}}", 0))
    roomy:close()
  end)

  it("refuses commands of more bytes than it says, and is as good as before", function()
    local large = ("x"):rep(1024 * 1024)
    local words = { "DEL" }
    for i = 2, 66 do words[i] = large end
    assert.error_matches(function() connection:pipeline { words } end, "more than 67108864 bytes")
    assert.equal("PONG", connection:call("PING"))
  end)

  it("sends a pipeline in one go, and gives what each command gives", function()
    local results = connection:pipeline { { "SET", "p", 1 }, { "LPOP", "p" }, { "GET", "none" }, { "GET", "p" } }
    assert.equal(4, #results)
    assert.same({ "OK" }, results[1])
    assert.is_nil(results[2][1])
    assert.equal("WRONGTYPE", results[2][3])
    assert.same({ { false }, { "1" } }, { results[3], results[4] })
    assert.same({}, connection:pipeline {})

    local many = {}
    for i = 1, 20000 do many[i] = { "ECHO", ("%d "):format(i):rep(200) } end
    results = connection:pipeline(many) -- more than the sockets' buffers hold, either way
    for i = 1, 20000, 999 do assert.equal(many[i][2], results[i][1]) end
  end)

  it("refuses a pipeline that is none", function()
    for _, commands in ipairs { { "PING" }, { {} }, { { "PING" }, 1 }, { { { "PING" } } } } do
      assert.error(function() connection:pipeline(commands) end)
    end
    assert.error(function() connection:pipeline() end)
    assert.equal("PONG", connection:call("PING"))
  end)

  it("gives an error's code, its first word", function()
    server.cli("rpush", "list", "x")
    local results = connection:pipeline {
      { "NO", "SUCH" }, { "GET", "list" }, { "EVALSHA", ("0"):rep(40), 0 }, { "MULTI" }, { "NO" }, { "EXEC" },
    }
    for i, code in pairs { "ERR", "WRONGTYPE", "NOSCRIPT", [6] = "EXECABORT" } do
      assert.is_nil(results[i][1])
      assert.equal(code, results[i][3])
      assert.equal(1, (results[i][2]:find(code, 1, true)))
    end
    local reply, message, code, is_sent = connection:call("GET", "list")
    assert.same({ nil, "WRONGTYPE", nil }, { reply, code, is_sent })
    assert.matches("^WRONGTYPE Operation against", message)
    assert.equal("PONG", connection:call("PING"))
  end)

  -- ---- what goes wrong ---------------------------------------------------------------------------

  -- The server answers no more for so long.
  local function paused(run)
    server.signal "STOP"
    local ran, failure = pcall(run)
    server.signal "CONT"
    assert(ran, failure)
  end

  it("waits no longer than timeout_ms, and is of no use after that", function()
    local one = connect { timeout_ms = 200 }
    paused(function()
      local began = core.monotonic()
      local reply, message, code, is_sent = one:call("INCR", "late")
      local took = (core.monotonic() - began) * 1000
      assert.same({ nil, "TIMEOUT", true }, { reply, code, is_sent })
      assert.matches("no answer within timeout_ms (200 ms)", message, 1, true)
      assert.is_true(took > 190 and took < 1000, took)
    end)
    local reply, message, code, is_sent = one:call("PING")
    assert.same({ nil, "CONNECTION", false }, { reply, code, is_sent })
    assert.matches("is not used any more (no answer within timeout_ms", message, 1, true)
    one:close()
  end)

  it("waits no longer though bytes come one by one", function()
    local dripping = no_redis "drip"
    local one = connect { port = dripping.port, timeout_ms = 300 }
    local began = core.monotonic()
    local _, _, code = one:call("GET", "x")
    local took = (core.monotonic() - began) * 1000
    dripping.stop()
    assert.equal("TIMEOUT", code)
    assert.is_true(took > 290 and took < 600, took)
    one:close()
  end)

  it("takes no reply for another's", function()
    local talkative = no_redis "twice"
    local one = connect { port = talkative.port }
    assert.equal("PONG", one:call("PING"))
    local reply, message, code, is_sent = one:call("PING")
    talkative.stop()
    assert.same({ nil, "CONNECTION", false }, { reply, code, is_sent })
    assert.matches("the server spoke before it was asked", message, 1, true)
    one:close()
  end)

  it("says that nothing was sent where the server had closed it before", function()
    server.cli("client", "kill", "type", "normal", "skipme", "yes")
    local reply, message, code, is_sent = connection:call("INCR", "n")
    assert.same({ nil, "CONNECTION", false }, { reply, code, is_sent })
    assert.matches("the server closed the connection", message, 1, true)
  end)

  it("says that it may have been executed where the server dies meanwhile", function()
    local reply, _, code, is_sent = connection:call("SHUTDOWN", "NOSAVE")
    assert.same({ nil, "CONNECTION", true }, { reply, code, is_sent })
    server.restart()
    connection = connect()
    assert.equal("PONG", connection:call("PING"))
  end)

  it("says what is wrong where there is no server, no such name, or none that answers", function()
    for words, changes in pairs {
      ["127.0.0.1:1: no connection: Connection refused"] = { port = 1 },
      ["[::1]:1: no connection: Connection refused"] = { host = "::1", port = 1 },
      ["shop.invalid:6379: its name was not found"] = { host = "shop.invalid", port = 6379 },
    } do
      local made, message, code = redis.connect(options(changes))
      assert.same({ nil, "CONNECTION" }, { made, code })
      assert.matches(words, message, 1, true)
    end
  end)

  it("goes to an IPv6 address", function()
    local one = connect { host = "::1" }
    assert.equal("PONG", one:call("PING"))
    assert.matches("addr=[::1]:", server.cli("client", "list"), 1, true)
    one:close()
  end)

  it("says so where something else listens", function()
    local web, nothing = nginx.start {}, http_server.start()
    local ADVICE = ": is it the right port, and does it want TLS (rediss://)?"
    for port, words in pairs {
      [tonumber(web.url:match(":(%d+)$"))] = "what came is not Redis's protocol (Protocol error, got \"H\" as reply "
        .. "type byte)" .. ADVICE,
      [nothing.ports.http] = "the server closed the connection, without a word" .. ADVICE,
      [nothing.ports.silent] = "no answer within timeout_ms (300 ms)",
    } do
      local one = connect { port = port, timeout_ms = 300 }
      local reply, message = one:call("PING")
      assert.is_nil(reply)
      assert.equal(("127.0.0.1:%d: %s"):format(port, words), message)
      one:close()
    end
    web.stop()
    nothing:stop()
  end)

  it("repeats what the server says to one that it does not serve", function()
    server.cli("config", "set", "maxclients", "1")
    local one = connect()
    core.sleep(100)
    local reply, message, code, is_sent = one:call("PING")
    connection:call("CONFIG", "SET", "maxclients", 100)
    assert.same({ nil, "CONNECTION", false }, { reply, code, is_sent })
    assert.matches("ERR max number of clients reached", message, 1, true)
    one:close()
  end)

  it("refuses options that are none", function()
    for words, changes in pairs {
      ["options.host"] = { host = false }, ["options.port"] = { port = 65536 },
      ["options.timeout_ms"] = { timeout_ms = 1 / 2 }, ["options.connect_timeout_ms"] = { connect_timeout_ms = 0 },
      ["options.tls"] = { tls = true }, ["options.ca_file"] = { tls = { ca_file = "" } },
    } do
      assert.error_matches(function() redis.connect(options(changes)) end, words, 1, true)
    end
  end)

  -- ---- sending now, receiving later ----------------------------------------------------------------

  -- What comes, by waiting as it says; and how often it had to.
  local function receive(one)
    local multi, waits = curl.multi(1), 0
    local results, fd, is_writing, left_ms = one:receive()
    while results == false do
      waits = waits + 1
      multi:wait(left_ms, nil, fd, is_writing)
      results, fd, is_writing, left_ms = one:receive()
    end
    multi:close()
    return { results, fd, is_writing, left_ms }, waits
  end

  it("sends without waiting for replies, and gives them once they are there", function()
    assert.is_true(connection:send { { "EVAL", "for i = 1, 3000000 do end return ARGV[1]", 0, "slow" }, { "NO" } })
    local results, fd, is_writing, left_ms = connection:receive()
    assert.same({ false, "number", false }, { results, type(fd), is_writing })
    assert.is_true(left_ms > 4000 and left_ms <= 5000, left_ms)
    local came, waits = receive(connection)
    assert.same({ "slow" }, came[1][1])
    assert.same({ nil, "ERR" }, { came[1][2][1], came[1][2][3] })
    assert.is_true(waits <= 3, waits)
    assert.equal("PONG", connection:call("PING"))
  end)

  it("lets nothing else go over it before all has been received", function()
    assert.error_matches(function() connection:receive() end, "nothing was sent")
    assert.error_matches(function() connection:send {} end, "at least one command")
    assert.is_true(connection:send { { "ECHO", "first" } })
    for method, arguments in pairs { call = { "PING" }, pipeline = { { { "PING" } } }, send = { { { "PING" } } } } do
      assert.error_matches(function() connection[method](connection, unpack(arguments)) end,
        "the connection is busy: receive what was sent")
    end
    assert.same({ "first" }, receive(connection)[1][1])
    assert.error_matches(function() connection:receive() end, "nothing was sent")
    assert.is_true(connection:send { { "ECHO", "never heard" } })
    connection:close()
    assert.error_matches(function() connection:receive() end, "the connection is closed")
  end)

  for _, scheme in ipairs { "plain", "TLS" } do
    it("sends and receives more than fits into buffers, without waiting: " .. scheme, function()
      local one = connect(scheme == "TLS" and { port = server.tls_port, tls = { ca_file = server.ca_file } } or nil)
      local large = ("0123456789abcdef"):rep(1024 * 1024) -- 16 MiB
      server.signal "STOP"
      local began = core.monotonic()
      assert.is_true(one:send { { "ECHO", large } })
      local results, _, is_writing = one:receive()
      local took = (core.monotonic() - began) * 1000
      server.signal "CONT"
      assert.same({ false, true }, { results, is_writing })
      assert.is_true(took < 1000, took)
      assert.is_true(receive(one)[1][1][1] == large)
      one:close()
    end)
  end

  it("says what became of what was sent, where no reply comes in time, or the server is gone", function()
    local one = connect { timeout_ms = 200 }
    paused(function()
      assert.is_true(one:send { { "INCR", "late" } })
      local came = receive(one)
      assert.same({ nil, "TIMEOUT", true }, { came[1], came[3], came[4] })
      assert.matches("no answer within timeout_ms (200 ms)", came[2], 1, true)
    end)
    local is_sent, message, code, may_be = one:send { { "PING" } }
    assert.same({ nil, "CONNECTION", false }, { is_sent, code, may_be })
    assert.matches("is not used any more", message, 1, true)
    one:close()
    assert.is_true(connection:send { { "SHUTDOWN", "NOSAVE" } })
    local came = receive(connection)
    assert.same({ nil, "CONNECTION", true }, { came[1], came[3], came[4] })
    server.restart()
  end)

  -- ---- TLS ---------------------------------------------------------------------------------------

  local function connect_tls(tls, changes)
    local made = options(changes)
    made.port, made.tls = made.port == server.port and server.tls_port or made.port, tls
    return redis.connect(made)
  end

  it("speaks TLS, to an address and to a name", function()
    for _, host in ipairs { "127.0.0.1", "localhost" } do
      local one = assert(connect_tls({ ca_file = server.ca_file }, { host = host }))
      local large = ("x"):rep(5 * 1024 * 1024)
      assert.equal("OK", one:call("SET", "tls", large))
      assert.is_true(one:call("GET", "tls") == large)
      assert.equal("5242880", server.cli("strlen", "tls"))
      one:close()
    end
    local one = assert(connect_tls({ ca_file = server.ca_file, server_name = "localhost" }))
    assert.equal("PONG", one:call("PING"))
    one:close()
  end)

  it("refuses a certificate of another CA or for another name", function()
    for words, tls in pairs {
      ["self-signed certificate in certificate chain"] = {},
      ["hostname mismatch"] = { ca_file = server.ca_file, server_name = "shop.example" },
      ["tls.ca_file cannot be read"] = { ca_file = "/does/not/exist" },
      ["tls.server_name is longer than a name may be (255 bytes)"] = {
        ca_file = server.ca_file, server_name = ("x"):rep(256),
      },
    } do
      local made, message, code = connect_tls(tls)
      assert.same({ nil, "TLS" }, { made, code })
      assert.matches(words, message, 1, true)
    end
    local one = assert(connect_tls { verify = false })
    assert.equal("PONG", one:call("PING"))
    one:close()
  end)

  it("notices over TLS, too, that the server had closed it", function()
    local one = assert(connect_tls { ca_file = server.ca_file })
    assert.equal("PONG", one:call("PING"))
    server.cli("client", "kill", "type", "normal", "skipme", "yes")
    local reply, _, code, is_sent = one:call("INCR", "n")
    assert.same({ nil, "CONNECTION", false }, { reply, code, is_sent })
    one:close()
  end)

  it("says so where the port speaks no TLS, or TLS alone", function()
    local made, message, code = connect_tls({ ca_file = server.ca_file }, { port = 1 })
    assert.same({ nil, "CONNECTION" }, { made, code })
    assert.matches("Connection refused", message, 1, true)

    local web = http_server.start()
    local ended = "the server closed the connection during the TLS handshake: does this port speak TLS?"
    for listener, expected in pairs {
      http = { "CONNECTION", ended }, hangup = { "CONNECTION", ended }, hangup_hard = { "CONNECTION", ended },
      silent = { "TIMEOUT", "no TLS handshake within connect_timeout_ms: does this port speak TLS?" },
      tls11 = { "TLS", "does this port speak TLS 1.2 or 1.3, without a client certificate?" },
    } do
      made, message, code = connect_tls({ ca_file = server.ca_file },
        { port = web.ports[listener], connect_timeout_ms = listener == "silent" and 300 or nil })
      assert.same({ nil, expected[1] }, { made, code }, listener)
      assert.matches(expected[2], message, 1, true)
    end
    web:stop()

    local one = connect { port = server.tls_port }
    local reply
    reply, message = one:call("PING")
    assert.is_nil(reply)
    assert.matches("127.0.0.1:" .. server.tls_port, message, 1, true)
    one:close()
  end)
end)
