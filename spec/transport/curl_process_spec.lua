local child = require "spec.support.child"
local curl = require "alipayhk.curl"
local only_with = require "spec.support.asserting.only_with"
local process = require "spec.support.process"
local request = require "spec.support.servers.request"
local server = require "spec.support.servers.server"

-- Url without its path, CA file. Prints what the process does about SIGPIPE before and after.
local SIGPIPE = [[
local base, ca_file = ...
local curl = require "alipayhk.curl"
local request = require "spec.support.servers.request"

local function dispositions()
  for line in io.lines("/proc/self/status") do
    if line:match("^Sig[IBC]") or line:match("^SigPnd") or line:match("^ShdPnd") then print(line) end
  end
end

local function send(transport, path, body)
  return transport:send(request(base .. path, { body = body, tls = { ca_file = ca_file } }))
end

dispositions()
for _, path in ipairs{ "/early/close", "/early/reset", "/close", "/reset" } do
  local transport = curl.new()
  assert(not send(transport, path, ("x"):rep(5 * 1024 * 1024)))
  -- To close TLS is to write to what the server has left.
  assert(send(transport, "/idle-close"))
  os.execute("sleep 0.05")
  transport:close()
end
print("alive")
dispositions()
]]

-- Url, CA file, how the child leaves. The token says who sends.
local FORK = [[
local url, ca_file, leave = ...
local unistd, wait = require "posix.unistd", require "posix.sys.wait"
local curl = require "alipayhk.curl"
local request = require "spec.support.servers.request"
local transport = curl.new()

local function send(token)
  local response, failure = transport:send(request(url, {
    headers = { ["X-Token"] = token },
    tls = { ca_file = ca_file },
  }))
  assert(response, failure and failure.message)
end

send("parent before")
local pid = unistd.fork()
if pid == 0 then
  if leave ~= "close at once" then
    send("child")
    send("child again")
  end
  if leave ~= "exit" then transport:close() end
  os.exit(0, true) -- with every __gc, where Lua can
end
local _, _, status = wait.wait(pid)
assert(status == 0, "the child failed")
send("parent after")
]]

describe("curl in a process", function()
  local gateway

  setup(function() gateway = server.start() end)
  teardown(function() gateway:stop() end)
  before_each(function() gateway:forget() end)

  local function send(transport, listener)
    local url = gateway:url("/ok", listener)
    local response, failure = transport:send(request(url, { tls = { ca_file = gateway.ca_file } }))
    assert(response, failure and failure.message)
  end

  -- ---- the life of a handle ----------------------------------------------------------------------

  it("is a handle that says what it is", function()
    local transport = curl.new()
    assert.equal("alipayhk.curl (open)", tostring(transport))
    transport:close()
    assert.equal("alipayhk.curl (closed)", tostring(transport))
  end)

  it("may be closed twice, and not used after", function()
    local transport = curl.new()
    send(transport)
    transport:close()
    transport:close()
    assert.error_matches(function() send(transport) end, "closed")
    assert.equal(1, #gateway:log())
  end)

  it("may be closed unused", function() curl.new():close() end)

  it("keeps its metatable to itself", function()
    local transport = curl.new()
    assert.equal("alipayhk.curl", getmetatable(transport))
    for _, other in ipairs{ io.stdout, {}, "alipayhk.curl", 5 } do
      assert.error(function() transport.send(other, {}) end)
      assert.error(function() transport.close(other) end)
    end
    transport:close()
  end)

  it("is closed by the collector with its connections", function()
    local before = process.open_files()
    for i = 1, 60 do send(curl.new(), i % 3 == 0 and "https" or "http") end
    assert.equal(before, process.open_files())
  end)

  local it_closes = only_with(process.closes_variables, "needs Lua 5.4's <close>", it, pending)

  it_closes("is closed at the end of its block", function()
    local block = process.compile([[
      local curl, use = ...
      local kept
      do
        local transport <close> = curl.new()
        use(transport)
        kept = transport
      end
      return kept
    ]])
    assert.equal("alipayhk.curl (closed)", tostring(block(curl, send)))
  end)

  -- ---- what is left behind -----------------------------------------------------------------------

  it("opens no more files in two thousand sends than in one", function()
    local without = process.open_files()
    local transport = curl.new()
    send(transport)
    local with = process.open_files()
    for _ = 2, 2000 do send(transport) end
    assert.equal(with, process.open_files())
    transport:close()
    assert.equal(without, process.open_files())
    assert.is_true(without < with)
    local log = gateway:log()
    assert.equal(2000, #log)
    assert.equal(log[1].connection, log[2000].connection)
  end)

  it("leaves no file open after failures", function()
    local before = process.open_files()
    for _, path in ipairs{ "/close", "/reset", "/cut", "/gigabyte", "/hang", "/garbage" } do
      local transport = curl.new()
      for _ = 1, 3 do
        assert.is_nil((transport:send(request(gateway:url(path), { timeout_ms = 50 }))))
      end
      transport:close()
    end
    assert.equal(before, process.open_files())
  end)

  -- ---- signals and forks -------------------------------------------------------------------------

  for _, listener in ipairs{ "http", "https", "h2" } do
    it("survives SIGPIPE and leaves its disposition alone over " .. listener, function()
      local base = gateway:url("", listener)
      local output, status = child.run(SIGPIPE, { base, gateway.ca_file }, { "--default-signal=PIPE" })
      local before, after = output:match("^(.-)alive\n(.*)$")
      assert.equal(0, status, output)
      assert.matches("SigBlk", before)
      assert.equal(before, after)
    end)
  end

  local it_forks = only_with(process.has_posix, "needs luaposix for this Lua", it, pending)

  for _, leave in ipairs{ "close", "close at once", "exit" } do
    for _, listener in ipairs{ "http", "https", "h2" } do
      it_forks(("keeps a parent's connection from its child: %s, %s"):format(leave, listener), function()
        local url = gateway:url("/ok", listener)
        local output, status = child.run(FORK, { url, gateway.ca_file, leave })
        assert.equal("", output)
        assert.equal(0, status)

        local connection = {}
        for _, entry in ipairs(gateway:log()) do connection[entry.headers["x-token"]] = entry.connection end
        assert.is_number(connection["parent before"])
        assert.equal(connection["parent before"], connection["parent after"])
        assert.are_not.equal(connection["parent before"], connection["child"])
        assert.equal(connection["child"], connection["child again"])
        assert.equal(leave ~= "close at once", connection["child"] ~= nil)
      end)
    end
  end
end)
