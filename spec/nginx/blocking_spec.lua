-- A call is never in the way of the worker's other requests: it does not block, and opens no file.

local gateway = require "spec.support.servers.gateway"
local load = require "spec.support.servers.load"
local merchant = require "spec.support.servers.nginx_merchant"
local nginx = require "spec.support.servers.nginx"
local only_with = require "spec.support.asserting.only_with"
local shell = require "spec.support.shell"

local post = merchant.post

describe("in a single worker", function()
  local INIT = [[
    pending = { slow = 0, back_off = 0 }
    slow = new_client()
    busy = new_client {
      base_url = config().base_url .. "/busy",
      retry = { max_attempts = 2, base_delay_ms = 0, max_delay_ms = 2000 },
      on_event = function(event) if event.name == "retry" then pending.back_off = 1 end end,
    }
  ]]

  local SERVER = [[
    location = /slow { content_by_lua_block {
      pending.slow = 1
      ngx.say(outcome(slow:sync_order(order)))
      pending.slow = 0
    } }
    location = /busy { content_by_lua_block {
      ngx.say(outcome(busy:sync_order(order)))
      pending.back_off = 0
    } }
    location = /pending { content_by_lua_block { ngx.say(pending.slow, " ", pending.back_off) } }
  ]]

  local late, server

  setup(function()
    late = merchant.late()
    server = nginx.start { http = merchant.http(INIT, { base_url = late.url }), server = SERVER }
  end)
  teardown(function()
    server.stop()
    late.stop()
  end)

  local function pending()
    local _, body = post(server.url .. "/pending")
    return body
  end

  it("a call that waits for its answer and a back-off let 20 other requests by", function()
    late.hold()
    local slow = load.start { url = server.url .. "/slow", requests = 1 }
    assert.is_true(nginx.await(20, function() return pending() == "1 0" end))
    local busy = load.start { url = server.url .. "/busy", requests = 1 }
    assert.is_true(nginx.await(20, function() return pending() == "1 1" end))
    for _ = 1, 20 do assert.equal("1 1", pending()) end
    late.release()
    assert.same({ ["200 SUCCESS"] = 1 }, slow:stop().answers)
    local said = next(busy:stop().answers)
    assert.truthy(said:find("503", 1, true) and said:find("attempts=2", 1, true), said)
  end)
end)

describe("after a client is made", function()
  -- Everything that Lua can open a file with, and the modules there are.
  local INIT = [[
    in_master = new_client { encryption = { key_bits = 128 } }
    refused = new_client { base_url = "https://127.0.0.1:1", retry = { max_attempts = 2, base_delay_ms = 1 } }
    mark = io.open
    opened, known = {}, {}
    for _, place in ipairs {
      { io, "open" }, { io, "lines" }, { io, "popen" }, { io, "input" }, { io, "output" }, { io, "tmpfile" },
      { os, "execute" }, { _G, "loadfile" }, { _G, "dofile" }, { package, "searchpath" },
    } do
      local library, name = place[1], place[2]
      local original = library[name]
      library[name] = function(...)
        opened[#opened + 1] = name .. " " .. tostring(...)
        return original(...)
      end
    end
    for name in pairs(package.loaded) do known[name] = true end
  ]]

  local SERVER = [[
    location = /sync { content_by_lua_block {
      ngx.say(outcome(in_master:sync_order(order)), " ", outcome(in_master:sync_order(order, { encrypt = true })))
      ngx.say(outcome(in_master:sync_order {}))
      ngx.say(outcome(refused:sync_order(order)))
    } }
    location = /opened { content_by_lua_block {
      for name in pairs(package.loaded) do
        if not known[name] then opened[#opened + 1] = "module " .. name end
      end
      ngx.say(table.concat(opened, ", "))
    } }
    location = /mark { content_by_lua_block { mark("no-such-file") } }
  ]]

  local KEYS = { "rsa_private_key", "rsa_alipay_public_key" }
  local TRACE = "exec strace -f -p %d -e trace=open,openat,openat2,creat,execve -o %s > /dev/null 2>&1 & echo $!"

  local server

  setup(function()
    local values, directory = {}, shell.directory()
    for _, name in ipairs(KEYS) do
      values[name] = directory .. "/" .. name
      shell.write(values[name], shell.read(gateway.values()[name]))
    end
    server = nginx.start { http = merchant.http(INIT, values), server = SERVER }
    for _, name in ipairs(KEYS) do os.remove(values[name]) end
  end)
  teardown(function() server.stop() end)

  local function assert_synced()
    local _, body = post(server.url .. "/sync")
    assert.truthy(body:find("^SUCCESS SUCCESS\nalipayhk: invalid[^\n]*\nalipayhk: transport/connect"), body)
  end

  local can_trace = select(2, shell.run("strace -o /dev/null true")) == 0
  local test = only_with(can_trace, "needs strace", it, pending)
  -- The first, so that it sees all that a worker's first call does.
  test("no system call opens a file", function()
    local trace = server.directory .. "/trace"
    local pid = shell.must(TRACE:format(server.workers()[1], trace)):match("%d+")
    -- It has hold of the worker when it sees this.
    assert.is_true(nginx.await(20, function()
      post(server.url .. "/mark")
      return (shell.read(trace) or ""):find("no-such-file", 1, true) ~= nil
    end))
    assert_synced()
    shell.run("kill " .. pid)
    for line in shell.read(trace):gmatch("[^\n]+") do
      assert.is_truthy(line:find("no-such-file", 1, true) or not line:find("open", 1, true), line)
    end
  end)

  it("its key files may go", function()
    assert_synced()
  end)

  it("Lua opens no file and loads no module", function()
    assert_synced()
    local _, opened = post(server.url .. "/opened")
    assert.equal("", opened)
  end)
end)
