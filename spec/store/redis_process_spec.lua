-- Connections to Redis as part of a process: handles, descriptors, signals, forks.

local assert_refusals = require "spec.support.asserting.refusals"
local by_clock = require "spec.support.asserting.by_clock"
local child = require "spec.support.child"
local limit = require("spec.support.descriptors").limit
local no_redis = require "spec.support.servers.no_redis"
local only_with = require "spec.support.asserting.only_with"
local process = require "spec.support.process"
local redis = require "alipayhk.redis"
local redis_server = require "spec.support.servers.redis"
local stress = require "spec.support.stress.run"

-- Port, TLS port, CA file ("" for the system's).
local PROGRAM = [[
local port, tls_port, ca_file = ...
local redis = require "alipayhk.redis"

local function try(tls, host)
  return redis.connect {
    host = host or "127.0.0.1", port = tonumber(tls and tls_port or port),
    tls = tls and { ca_file = ca_file ~= "" and ca_file or nil } or nil,
    connect_timeout_ms = 2000, timeout_ms = 2000,
  }
end

local function connect(...) return assert(try(...)) end
]]

-- Writes to a connection that the server has ended, and prints what the process does about SIGPIPE before and after.
local SIGPIPE = PROGRAM .. [[
local function dispositions()
  for line in io.lines("/proc/self/status") do
    if line:match("^Sig[IBC]") or line:match("^SigPnd") or line:match("^ShdPnd") then print(line) end
  end
end

dispositions()
local large = ("x"):rep(20 * 1024 * 1024) -- more than buffers hold
local one = connect(false)
local pid = io.open("/proc/self/stat"):read("*a"):match("^%d+")
-- While this process stands still the server says that it ends, and then resets: the next thing is a write.
os.execute(("(sleep 0.5; kill -STOP %s; sleep 1; kill -CONT %s) > /dev/null 2>&1 &"):format(pid, pid))
local reply, message, code, is_sent = one:call("SET", "x", large)
assert(not reply and code == "CONNECTION" and is_sent, message)
print("alive")
dispositions()
]]

local FORK = PROGRAM .. [[
local tls, leave = select(4, ...) == "tls", select(5, ...)
local unistd, wait = require "posix.unistd", require "posix.sys.wait"
local one = connect(tls)
assert(one:call("SET", "owner", "parent") == "OK")
local pid = unistd.fork()
if pid == 0 then
  local reply, message, code, is_sent = one:call("SET", "owner", "child")
  local is_refused = not reply and code == "CONNECTION" and is_sent == false
    and message:find("opened before the process was forked", 1, true) and tostring(one) == "alipayhk.redis (broken)"
  if leave == "close" then one:close() end
  os.exit(is_refused and 0 or 1, true)
end
local _, _, status = wait.wait(pid)
assert(status == 0, "the child was not refused")
print(one:call("GET", "owner"))
]]

local PENDING = PROGRAM .. [[
local unistd, wait = require "posix.unistd", require "posix.sys.wait"
local one = connect(select(4, ...) == "tls")
assert(one:send { { "ECHO", "for the parent" } })
local pid = unistd.fork()
if pid == 0 then
  local results, message, code, is_sent = one:receive()
  local is_refused = results == nil and code == "CONNECTION" and is_sent
    and message:find("opened before the process was forked", 1, true)
  os.exit(is_refused and 0 or 1, true)
end
local _, _, status = wait.wait(pid)
assert(status == 0, "the child was not refused")
local results
repeat results = one:receive() until results ~= false
print(results[1][1])
]]

-- Connects with no descriptor left, then one, and so on. Prints what came instead.
local SHORT = PROGRAM .. [[
local is_plain, host = select(4, ...) == "plain", select(5, ...)
require("spec.support.descriptors").print_refusals(function() return try(not is_plain, host) end)
]]

-- Prints by how many kB a second round of each makes this process larger: commands that are refused, and connections
-- over TLS that are closed.
local GROWTH = PROGRAM .. [[
local function allocated()
  collectgarbage()
  collectgarbage()
  return tonumber(io.open("/proc/self/status"):read("*a"):match("VmData:%s*(%d+)"))
end

local one, refused = connect(false), { { "ECHO", ("x"):rep(1024 * 1024) }, {} }

local uses = {}
function uses.refused()
  for _ = 1, 50 do
    assert(not pcall(one.pipeline, one, refused))
    collectgarbage()
  end
end
function uses.closed()
  for _ = 1, 100 do connect(true):close() end
end

for name, use in pairs(uses) do
  use()
  local before = allocated()
  use()
  print(name, allocated() - before)
end
]]

describe("connections to Redis in a process", function()
  local server

  setup(function() server = redis_server.start { tls = true } end)
  teardown(function() server.stop() end)

  local function connect(is_secure)
    return assert(redis.connect {
      host = "127.0.0.1", port = is_secure and server.tls_port or server.port, connect_timeout_ms = 2000,
      timeout_ms = 2000, tls = is_secure and { ca_file = server.ca_file } or nil,
    })
  end

  local function run(program, ...)
    return child.run(program, { server.port, server.tls_port, server.ca_file, ... })
  end

  it("are handles that say what they are", function()
    local one = connect()
    assert.equal("alipayhk.redis (open)", tostring(one))
    assert.equal("alipayhk.redis", getmetatable(one))
    one:close()
    one:close()
    assert.equal("alipayhk.redis (closed)", tostring(one))
    assert.error_matches(function() one:call("PING") end, "the connection is closed")
    assert.error_matches(function() one:pipeline { { "PING" } } end, "the connection is closed")
    for _, other in ipairs { io.stdout, {}, "alipayhk.redis" } do
      assert.error(function() one.call(other, "PING") end)
      assert.error(function() one.close(other) end)
    end
  end)

  it("are closed by the collector, and by a failure", function()
    local before = process.open_files()
    for i = 1, 60 do assert.equal("PONG", connect(i % 2 == 0):call("PING")) end
    assert.equal(before, process.open_files())
    for i = 1, 10 do
      local one = connect(i % 2 == 0)
      server.cli("client", "kill", "type", "normal", "skipme", "yes")
      assert.is_nil((one:call("PING")))
      assert.equal(before, process.open_files())
    end
    for _ = 1, 10 do
      assert.is_nil((redis.connect {
        host = "127.0.0.1", port = server.tls_port, tls = {}, connect_timeout_ms = 2000, timeout_ms = 2000,
      }))
    end
    assert.equal(before, process.open_files())
  end)

  it("have few descriptors at any time, though nobody closes them", function()
    local most = tonumber((run(PROGRAM .. [[
      local process = require "spec.support.process"
      print(process.most_open_files(300, function() assert(connect(false):call("PING") == "PONG") end))
    ]])))
    assert.is_true(most < 60, most)
  end)

  local it_measures = only_with(not stress.is_sanitized, "the sanitizers keep what is freed", it, pending)

  it_measures("keep no memory of commands that they refused, and none once they are closed", function()
    local output = run(GROWTH)
    for _, name in ipairs { "refused", "closed" } do
      local more = tonumber(output:match(name .. "\t(%-?%d+)"))
      assert.is_true(more and more < 4 * 1024, output)
    end
  end)

  it("get descriptors back from those that nobody has any more", function()
    local output = child.run(PROGRAM .. [[
      collectgarbage "stop"
      for i = 1, 200 do
        local one = connect(i % 2 == 0, i % 4 < 2 and "localhost" or nil)
        assert(one:call("PING") == "PONG")
      end
      print "all"
    ]], { server.port, server.tls_port, server.ca_file }, limit(40))
    assert.equal("all\n", output)
  end)

  for _, case in ipairs {
    { "plain", "127.0.0.1", 1 }, { "plain", "localhost", 1 }, { "TLS", "127.0.0.1", 2 }, { "TLS", "localhost", 2 },
    { "TLS by the system's CAs", "localhost", 2 },
  } do
    it(("say so where there are no descriptors, or too few: %s, %s"):format(case[1], case[2]), function()
      local ca_file = case[1] == "TLS" and server.ca_file or ""
      local env = limit(64)
      table.insert(env, 1, "SSL_CERT_FILE=" .. server.ca_file)
      local said, status = child.run(SHORT, { server.port, server.tls_port, ca_file, case[1], case[2] }, env)
      assert.equal(0, status, said)
      assert_refusals(said, "^CONNECTION\t[%w.]+:%d+: out of file descriptors %(ulimit %-n%)$", case[3])
    end)
  end

  local it_closes = only_with(process.closes_variables, "needs Lua 5.4's <close>", it, pending)

  it_closes("are closed at the end of a block", function()
    local block = process.compile([[
      local one = ...
      do
        local kept <close> = one
        kept:call("PING")
      end
      return one
    ]])
    assert.equal("alipayhk.redis (closed)", tostring(block(connect())))
  end)

  it("are inherited by no program that is started", function()
    local one, other = connect(), connect(true)
    local pipe = assert(io.popen("ls -l /proc/self/fd"))
    local listed = pipe:read("*a")
    pipe:close()
    assert.is_nil(listed:find("socket:", 1, true))
    one:close()
    other:close()
  end)

  it("raise no SIGPIPE, and leave its disposition alone", function()
    by_clock(function()
      local ending = no_redis "reset"
      local output, status = child.run(SIGPIPE, { ending.port }, { "--default-signal=PIPE" })
      ending.stop()
      local before, after = output:match("^(.-)alive\n(.*)$")
      assert.equal(0, status, output)
      assert.matches("SigBlk", before)
      assert.equal(before, after)
    end)
  end)

  local it_forks = only_with(process.has_posix, "needs luaposix for this Lua", it, pending)

  for _, kind in ipairs { "plain", "tls" } do
    it_forks(("keep what is to come for their owner over a fork: %s"):format(kind), function()
      local output, status = run(PENDING, kind)
      assert.equal("for the parent\n", output)
      assert.equal(0, status)
    end)

    for _, leave in ipairs { "close", "exit" } do
      it_forks(("stay their owner's over a fork: %s, %s"):format(kind, leave), function()
        local output, status = run(FORK, kind, leave)
        assert.equal("parent\n", output)
        assert.equal(0, status)
        assert.equal("parent", server.cli("get", "owner"))
      end)
    end
  end
end)
