-- The outbox's `put` inside nginx: requests that put at the same time share a commit, and nobody else waits for it.

local core = require "alipayhk.core"
local databases = require "spec.support.databases"
local load = require "spec.support.servers.load"
local merchant = require "spec.support.servers.nginx_merchant"
local nginx = require "spec.support.servers.nginx"
local redis_server = require "spec.support.servers.redis"
local shell = require "spec.support.shell"
local sqlite = require "alipayhk.sqlite"

local INIT = [[
  notes = ngx.shared.notes
  outbox = assert(alipayhk.outbox { store = "%s", client_id = config().client_id })
  function put(biz_no, opts)
    local made = {}
    for name, value in pairs(order) do made[name] = value end
    made.merchantBizNo = biz_no
    return outbox:put(made, opts)
  end
  function told(id, other)
    if id then return ("%%s %%s"):format(id, tostring(other)) end
    return ("%%s/%%s %%s"):format(other.kind, other.code, other.message)
  end
  function note(name) notes:set(name, told(put(name))) end
  note "init"
]]

-- How often a thread was asked for.
local HTTP = [[
  init_worker_by_lua_block {
    local run = ngx.run_worker_thread
    function ngx.run_worker_thread(...)
      notes:incr("threads", 1, 0)
      if notes:get("no_threads") then return false, "no available Lua vm" end
      local ran, results, fault = run(...)
      if notes:get("no_answers") then return false, "unsupported Lua type: LUA_TNIL in the return value" end
      return ran, results, fault
    end
    note "init_worker"
  }
]]

local SERVER = [[
  lua_check_client_abort on;
  location = /put { content_by_lua_block {
    notes:incr("begun", 1, 0)
    local biz_no = "N-" .. notes:incr("number", 1, 0)
    ngx.say(biz_no, " ", told(put(biz_no)))
  } }
  location = /same { content_by_lua_block {
    notes:incr("begun", 1, 0)
    ngx.say((put("SAME") and "put") or "not put")
  } }
  location = /note { content_by_lua_block { ngx.say(notes:get(ngx.var.arg_name)) } }
  location = /idle { content_by_lua_block { ngx.say("idle") } }
  location = /rewrite { rewrite_by_lua_block { note "rewrite" } content_by_lua_block { ngx.say("") } }
  location = /access { access_by_lua_block { note "access" } content_by_lua_block { ngx.say("") } }
  location = /header_filter { header_filter_by_lua_block { note "header_filter" } return 200 "x"; }
  location = /log { log_by_lua_block { note "log" } return 200; }
  location = /timer { content_by_lua_block { ngx.timer.at(0, function() note "timer" end) } }
  location = /thread { content_by_lua_block { ngx.thread.wait(ngx.thread.spawn(function() note "thread" end)) } }
  location = /stats { content_by_lua_block { ngx.say(outbox:stats().waiting) } }
  location = /begin { content_by_lua_block { ngx.say(tostring(outbox.store:begin_delivery())) } }
  location = /end { content_by_lua_block { outbox.store:end_delivery() } }
  location = /no_threads { content_by_lua_block { notes:set("no_threads", true) } }
  location = /no_answers { content_by_lua_block { notes:set("no_answers", true) } }
  location = /busy_timers { content_by_lua_block {
    for _ = 1, 2 do ngx.timer.at(0, function() while not notes:get("timers_end") do ngx.sleep(0.02) end end) end
  } }
]]

local THREADS = "thread_pool alipayhk threads=1;"

local COUNT = "SELECT count(*) FROM event"

local path, server

-- nginx with an outbox in a new file. `options`: `workers`, `http`, and `store`, the URL of another one.
local function start(main, options)
  options = options or {}
  path = databases.path()
  server = nginx.start {
    main = main, workers = options.workers, server = SERVER,
    http = merchant.http(INIT:format(options.store or "sqlite:" .. path)) .. HTTP .. (options.http or ""),
  }
  finally(function() server.stop() end)
end

local function body_of(where)
  return (select(2, merchant.post(server.url .. where)))
end

local function judge(sql)
  return databases.judge(path, sql)
end

local function note(name)
  return body_of("/note?name=" .. name)
end

local function await_note(name, wanted)
  assert.is_truthy(nginx.await(20, function() return note(name) == tostring(wanted) end))
end

-- Holds what all who write to the file need: gives a function that frees it.
local function hold()
  local db = assert(sqlite.open(path))
  assert(db:lock())
  return function()
    assert(db:unlock())
    db:close()
  end
end

-- Each answer's event is the one that the file has by that id: how many there are.
local function assert_right(answers)
  local stored, count = {}, 0
  for line in judge("SELECT event.id, merchant_biz_no FROM event JOIN lane ON lane.id = lane"):gmatch("[^\n]+") do
    local id, biz_no = line:match("^(%d+)|(.+)$")
    stored[id] = biz_no
  end
  for text, times in pairs(answers) do
    local biz_no, id = text:match("^200 (%S+) (%d+) nil$")
    assert.is_truthy(id, text)
    assert.equal(1, times)
    assert.equal(biz_no, stored[id])
    count = count + 1
  end
  return count
end

local function assert_put()
  assert.equal(1, assert_right { ["200 " .. body_of "/put"] = 1 })
end

local function assert_no_complaints()
  assert.same({}, server.complaints {
    "lua entry thread aborted", "runtime error", "stack traceback", "exited on signal",
  })
end

-- Sends so many requests on each of so many connections: what they were answered.
local function send(where, connections, requests)
  local begun = tonumber(note "begun") or 0
  local flow = load.start { url = server.url .. where, connections = connections, requests = requests }
  await_note("begun", begun + connections * requests)
  return flow:stop().answers
end

-- Sends 16 requests while nobody can commit, and lets them go.
local function put_sixteen(where)
  local free = hold()
  local flow = load.start { url = server.url .. where, connections = 16, requests = 1 }
  await_note("begun", 16)
  return free, flow
end

describe("put inside nginx", function()
  it("commits in a thread, together with what comes meanwhile, and lets the worker go on", function()
    start(THREADS)
    local began = tonumber(note "threads") or 0
    local free, flow = put_sixteen "/put"
    local before = core.monotonic()
    for _ = 1, 5 do assert.equal("idle", body_of "/idle") end
    assert.is_true(core.monotonic() - before < 2)
    assert.equal("", judge "SELECT id FROM event WHERE id > 1")
    free()
    assert.equal(16, assert_right(flow:stop().answers))
    -- The first one's, and that of all others; or theirs alone, where they came in one go.
    local commits = tonumber(note "threads") - began
    assert.is_true(commits == 1 or commits == 2, commits)
    assert_no_complaints()
  end)

  it("commits in the worker where there are no threads, and says how to have some", function()
    start ""
    assert.equal(320, assert_right(send("/put", 16, 20)))
    assert.matches("thread_pool alipayhk threads=1;", server.log(), 1, true)
    assert_no_complaints()
  end)

  for name, main in pairs { thread = THREADS, worker = "" } do
    it("puts events of one order at the same time, each later than the one before, in a " .. name, function()
      start(main)
      assert.same({ ["200 put"] = 120 }, send("/same", 30, 4))
      assert.equal("120", judge [[
        SELECT count(*) FROM event JOIN lane ON lane.id = lane WHERE merchant_biz_no = 'SAME'
      ]])
    end)

    it("works in every phase, in a " .. name, function()
      start(main)
      for _, phase in ipairs { "rewrite", "access", "header_filter", "log", "timer", "thread" } do
        merchant.post(server.url .. "/" .. phase)
        assert.is_truthy(nginx.await(10, function() return note(phase):find("^%d+ nil$") end), phase)
      end
      assert.matches("^%d+ nil$", note "init_worker")
      assert.equal("7", body_of "/stats")
      assert_no_complaints()
    end)

    it("tells each of those that waited what is wrong with the store, and works once that is right, in a " .. name,
      function()
        start(main)
        assert_put()
        shell.must(("mv %s %s.away"):format(path, path))
        local total = 0
        for text, times in pairs(send("/put", 16, 3)) do
          assert.equal(path, text:match("^200 N%-%d+ store/gone (.-): "))
          total = total + times
        end
        assert.equal(48, total)
        shell.must(("mv %s.away %s"):format(path, path))
        assert_put()
        assert_no_complaints()
      end)

    it("goes on in another file that was put in its place, in a " .. name, function()
      start(main)
      assert_put()
      judge(".backup " .. path .. ".copy")
      shell.must(("rm %s-wal %s-shm; mv %s.copy %s"):format(path, path, path, path))
      assert.matches("store/gone", body_of "/put")
      assert_put()
      assert.equal("3", judge(COUNT)) -- one in init_worker
      assert_no_complaints()
    end)
  end

  it("does not put again what a thread may have put whose answer was lost", function()
    start(THREADS)
    assert_put()
    body_of "/no_answers"
    assert.matches("store/unreachable .*not known .*LUA_TNIL.*a put with the same `key`", body_of "/put")
    assert.equal("3", judge(COUNT))
    assert_no_complaints()
  end)

  it("reads the file through in a thread, once, when a worker begins to deliver", function()
    start(THREADS)
    assert_put()
    for _, count in ipairs { 1, 0 } do
      local before = tonumber(note "threads")
      assert.equal("true", body_of "/begin")
      body_of "/end"
      assert.equal(before + count, tonumber(note "threads"))
    end
    assert_no_complaints()
  end)

  it("commits in the worker when nginx has no thread for it, and says so once", function()
    start(THREADS)
    body_of "/no_threads"
    assert.equal(32, assert_right(send("/put", 8, 4)))
    local said = "no thread puts into the outbox, so the worker does: no available Lua vm"
    assert.equal(1, select(2, server.log():gsub(said, "")))
    assert_no_complaints()
  end)

  it("goes on for the others when who came first has left", function()
    start(THREADS)
    local free = hold()
    shell.run("curl -s -m 0.3 -X POST " .. server.url .. "/put")
    local flow = load.start { url = server.url .. "/put", connections = 4, requests = 1 }
    await_note("begun", 5)
    free()
    assert.equal(4, assert_right(flow:stop().answers))
    assert_no_complaints()
  end)

  it("commits where nginx runs no more timers", function()
    start(THREADS, { http = "lua_max_running_timers 2;" })
    body_of "/busy_timers"
    assert_put()
    assert.matches("lua_max_running_timers are not enough", server.log(), 1, true)
    server.signal "KILL"
  end)

  it("finishes what is under way at a reload", function()
    start(THREADS)
    local free, flow = put_sixteen "/put"
    assert.is_true(server.reload())
    free()
    assert_put()
    assert.equal(16, assert_right(flow:stop().answers))
    assert.is_truthy(nginx.await(20, function() return #select(2, server.workers()) == 0 end))
    assert_no_complaints()
  end)

  it("has all that it acknowledged, when workers are killed again and again", function()
    start(THREADS, { workers = 2 })
    local flow = load.start { url = server.url .. "/put", connections = 12, pause_ms = 1 }
    assert.is_true(flow:flows())
    for _ = 1, 10 do
      local stored = tonumber(judge(COUNT))
      shell.run("kill -9 " .. server.workers()[1])
      assert.is_truthy(nginx.await(20, function() return tonumber(judge(COUNT)) > stored + 20 end))
    end
    assert.is_true(assert_right(flow:stop().answers) > 100)
  end)

  it("puts into a Redis over cosockets, while the worker goes on", function()
    local redis = redis_server.start()
    finally(redis.stop)
    start("", { store = redis.url() })
    local answers = send("/put", 16, 20)
    local count = 0
    for text in pairs(answers) do
      assert.matches("^200 N%-%d+ %S+ nil$", text)
      count = count + 1
    end
    assert.equal(320, count)
    assert.equal("320", body_of "/stats")
    assert.same({ ["200 put"] = 60 }, send("/same", 4, 15))
    redis.signal "STOP"
    local flow = load.start { url = server.url .. "/put", connections = 4, requests = 1 }
    await_note("begun", 384)
    assert.equal("idle", body_of "/idle")
    redis.signal "CONT"
    for text in pairs(flow:stop().answers) do assert.matches("^200 N%-%d+ %S+ nil$", text) end
    assert.equal("384", body_of "/stats")
    assert_no_complaints()
  end)

  it("is not for the master, which opens nothing", function()
    start(THREADS)
    assert_put()
    assert.matches("^store/failed sqlite:.*: not in the phase init, which is the master's", note "init")
    assert.equal("", shell.run(("ls -l /proc/%d/fd | grep orders.db"):format(server.pid)))
  end)
end)
