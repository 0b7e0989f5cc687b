-- What a client leaves behind when nginx reloads or ends: nothing.

local load = require "spec.support.servers.load"
local merchant = require "spec.support.servers.nginx_merchant"
local nginx = require "spec.support.servers.nginx"

local post = merchant.post

local function total(counts)
  local sum = 0
  for _, n in pairs(counts) do sum = sum + n end
  return sum
end

describe("reloading", function()
  local WORKERS, CONNECTIONS, PAUSE_MS = 2, 6, 5
  local SETTLING, RELOADS = 10, 50
  -- Ten clients at each reload: pairs of keys that stayed behind would be six times that.
  local CLIENTS = "clients = {} for i = 1, 10 do clients[i] = new_client() end"
  local MORE_THAN_NGINX_KB = 192

  -- `begun` is kept over reloads: a request that a worker began and did not answer is missed.
  local SERVER = [[
    location = /sync { content_by_lua_block {
      ngx.shared.notes:incr("begun", 1, 0)
      ngx.say(%s)
    } }
    location = /begun { content_by_lua_block { ngx.say(ngx.shared.notes:get("begun")) } }
  ]]

  -- What came of the requests, and how much the master had grown between the two counts of reloads.
  local function reloaded(http, answer)
    local server = nginx.start { workers = WORKERS, http = http, server = SERVER:format(answer) }
    local seen = { descriptors = server.descriptors() }
    local flow = load.start { url = server.url .. "/sync", connections = CONNECTIONS, pause_ms = PAUSE_MS }
    assert.is_true(flow:flows())
    local settled
    for n = 1, RELOADS do
      assert.is_true(server.reload(), "nginx did not reload")
      if n == SETTLING then settled = server.memory() end
    end
    seen.result = flow:stop()
    seen.gone = nginx.await(20, function()
      local serving, leaving = server.workers()
      return #serving == WORKERS and #leaving == 0
    end)
    seen.growth = server.memory() - settled
    seen.more_descriptors = server.descriptors() - seen.descriptors
    local _, begun = post(server.url .. "/begun")
    seen.begun = tonumber(begun)
    seen.alarms = merchant.alarms(server)
    server.stop()
    return seen
  end

  it("50 times under load fails no request, and leaves no worker, descriptor or memory behind", function()
    local floor = reloaded("lua_shared_dict notes 64k;", '"SUCCESS"')
    local ours = reloaded(merchant.http(CLIENTS), "outcome(clients[math.random(10)]:sync_order(order))")
    assert.same({}, ours.result.failures)
    assert.same({ ["200 SUCCESS"] = total(ours.result.answers) }, ours.result.answers)
    assert.is_true(total(ours.result.answers) > RELOADS)
    assert.equal(total(ours.result.answers), ours.begun)
    assert.same({}, ours.alarms)
    assert.is_true(ours.gone)
    assert.equal(0, ours.more_descriptors)
    assert.is_true(ours.growth <= floor.growth + MORE_THAN_NGINX_KB,
      ("the master grew by %d kB, without a client by %d kB"):format(ours.growth, floor.growth))
  end)
end)

describe("at nginx's end", function()
  local HANDLERS, TIMERS = 3, 2
  -- Whoever waits for a call's own limit is late.
  local IN_TIME, CALL_LIMIT_MS = 12, 30000
  local SHUTDOWN_TIMEOUT = "worker_shutdown_timeout 2s;"

  local INIT = [[
    client = new_client { timeout_ms = %d, retry = { max_attempts = 3, base_delay_ms = 100 } }
    busy = new_client {
      base_url = config().base_url .. "/busy",
      retry = { max_attempts = 20, base_delay_ms = 0, max_delay_ms = 2000, budget_ms = 6000 },
      on_event = function(event) if event.name == "retry" then notes:incr("begun", 1, 0) end end,
    }
    notes = ngx.shared.notes
    function later(client, mark)
      assert(ngx.timer.at(0, function()
        if mark then notes:incr("begun", 1, 0) end
        ngx.log(ngx.WARN, "outcome of a timer: ", outcome(client:sync_order(order)), ";")
      end))
    end
  ]]

  local SERVER = [[
    location = /sync { content_by_lua_block {
      notes:incr("begun", 1, 0)
      ngx.say(outcome(client:sync_order(order)))
    } }
    location = /later { content_by_lua_block { later(client, true) } }
    location = /again { content_by_lua_block { later(busy) } }
    location = /begun { content_by_lua_block { ngx.say(notes:get("begun")) } }
  ]]

  local late, server, flow

  local function start(main)
    server = nginx.start {
      main = main, server = SERVER, http = merchant.http(INIT:format(CALL_LIMIT_MS), { base_url = late.url }),
    }
  end

  local function await_begun(wanted)
    assert.is_truthy(nginx.await(20, function()
      local _, begun = post(server.url .. "/begun")
      return begun == tostring(wanted)
    end))
  end

  -- nginx with calls under way that get no answer yet, some of handlers and some of timers.
  local function start_calls(main)
    late.hold()
    start(main)
    for _ = 1, TIMERS do post(server.url .. "/later") end
    flow = load.start { url = server.url .. "/sync", connections = HANDLERS, requests = 1 }
    await_begun(HANDLERS + TIMERS)
  end

  local function said_by_timers()
    local said = {}
    for text in server.log():gmatch("outcome of a timer: ([^;]*);") do said[#said + 1] = text end
    return said
  end

  local function assert_clean_end()
    local status = server.wait(IN_TIME)
    assert.is_not_nil(status, "nginx did not end in time")
    assert.equal(0, status)
    assert.same({}, merchant.alarms(server))
    assert.truthy(server.log():find("exited with code 0", 1, true))
  end

  setup(function() late = merchant.late() end)
  after_each(function()
    late.release()
    if server and not server.wait(0) then server.stop() end
  end)
  teardown(function() late.stop() end)

  it("quit lets calls under way finish", function()
    start_calls("")
    server.signal("QUIT")
    assert.is_truthy(nginx.await(20, function() return server.log():find("gracefully shutting down", 1, true) end))
    late.release()
    assert_clean_end()
    assert.same({ ["200 SUCCESS"] = HANDLERS }, flow:stop().answers)
    assert.same({ "SUCCESS", "SUCCESS" }, said_by_timers())
  end)

  it("worker_shutdown_timeout ends those that do not", function()
    start_calls(SHUTDOWN_TIMEOUT)
    server.signal("QUIT")
    assert_clean_end()
    -- nginx cuts what it finds first: the request, or the call that it waits for.
    local result = flow:stop()
    assert.equal(HANDLERS, total(result.failures) + total(result.answers))
    for text in pairs(result.answers) do assert.truthy(text:find("^200 alipayhk: transport/"), text) end
    local said = said_by_timers()
    assert.equal(TIMERS, #said)
    for _, text in ipairs(said) do assert.truthy(text:find("^alipayhk: transport/"), text) end
  end)

  it("worker_shutdown_timeout ends one on a kept connection, too", function()
    start(SHUTDOWN_TIMEOUT)
    local _, said = post(server.url .. "/sync")
    assert.equal("SUCCESS", said)
    late.hold()
    post(server.url .. "/later")
    await_begun(2)
    server.signal("QUIT")
    assert_clean_end()
    said = said_by_timers()
    assert.equal(1, #said)
    assert.truthy(said[1]:find("^alipayhk: transport/"), said[1])
  end)

  it("what is tried again and again ends with its budget", function()
    start "worker_shutdown_timeout 1s;" -- between the attempts, which are two seconds from each other
    post(server.url .. "/again")
    await_begun(1)
    server.signal("QUIT")
    assert_clean_end()
    local said = said_by_timers()
    assert.equal(1, #said)
    assert.truthy(said[1]:find("^alipayhk: http.*503"), said[1])
  end)

  it("kill ends all of them at once", function()
    start_calls("")
    server.signal("TERM")
    assert_clean_end()
    assert.equal(HANDLERS, total(flow:stop().failures))
  end)
end)
