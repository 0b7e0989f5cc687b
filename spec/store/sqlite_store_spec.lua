-- The store of an outbox in a file. The judge is the sqlite3 command.

local child = require "spec.support.child"
local clock = require "alipayhk.delivery.store.clock"
local contract = require "spec.support.store_contract"
local core = require "alipayhk.core"
local databases = require "spec.support.databases"
local only_with = require "spec.support.asserting.only_with"
local process = require "spec.support.process"
local rows = require "alipayhk.delivery.store.sqlite_rows"
local runtime = require "alipayhk.base.runtime"
local schema = require "alipayhk.delivery.store.sqlite_schema"
local shell = require "spec.support.shell"
local sqlite = require "alipayhk.sqlite"
local statements = require "alipayhk.delivery.store.sqlite_statements"
local store = require "alipayhk.delivery.store"

local record, put, claim, finish = contract.record, contract.put, contract.claim, contract.finish

local MiB = 1024 * 1024
local DELAY_MAX_MS = 300000
local ALL_STATES = { "waiting", "sending", "parked", "accepted", "superseded", "dropped" }

local function open_at(path, opts)
  opts = opts or {}
  opts.client_id, opts.delay_max_ms = opts.client_id or "CLIENT", DELAY_MAX_MS
  return store.open("sqlite:" .. path, opts)
end

local function open(opts)
  local path = databases.path()
  return assert(open_at(path, opts)), path
end

local function fails(code, is_retryable, words, result, fault)
  assert.is_nil(result)
  assert.same({ code, is_retryable }, { fault.code, fault.is_retryable }, fault.message)
  assert.matches(words, fault.message, 1, true)
end

describe("a store in a file", function()
  contract.declare(function()
    local path = databases.path()
    return {
      open = function(opts) return assert(open_at(path, opts)) end,
      forsake = function(opened) opened:close() end,
    }
  end, { describe = describe, it = it, before_each = before_each, after_each = after_each }, { is_one_clients = true })

  it("counts in the same commit, whatever happens", function()
    local opened, path = open { coalesce = true }
    math.randomseed(5)
    assert(opened:begin_delivery())
    for i = 1, 100 do
      put(opened, record("A" .. math.random(5), { alike = "X" }))
      local events = claim(opened, math.random(0, 3))
      finish(opened, events, { state = ({ "accepted", "waiting", "parked" })[math.random(3)], is_free = true })
      if i % 7 == 0 then opened:retry(tostring(math.random(i))) end
      if i % 11 == 0 then opened:drop(tostring(math.random(i))) end
      if i % 30 == 0 then opened:purge(0) end
    end
    local stats = opened:stats()
    for _, state in ipairs(ALL_STATES) do
      local count = databases.judge(path, ("SELECT count(*) FROM event WHERE state = '%s'"):format(state))
      assert.equal(tonumber(count), stats[state], state)
    end
    -- A body is there for as long as it may be sent.
    local bodies = databases.judge(path, "SELECT count(body) FROM event")
    assert.equal(stats.waiting + stats.sending + stats.parked, tonumber(bodies))
    assert.equal("ok", databases.judge(path, "PRAGMA integrity_check"))
    opened:close()
  end)

  it("knows no more of an order when it was purged", function()
    local opened, path = open()
    put(opened, record("NOBODYKNOWS", { key = "NOBODYKNOWS", body = "NOBODYKNOWS" }))
    assert(opened:begin_delivery())
    finish(opened, claim(opened))
    opened:purge(0)
    opened:close()
    assert.is_nil(shell.read(path):find("NOBODYKNOWS", 1, true))
  end)

  it("takes an event of 1 MiB, and claims no more of them than fit", function()
    local opened = open()
    for i = 1, 20 do put(opened, record("A" .. i, { body = ("%d"):format(i % 10):rep(MiB) })) end
    assert(opened:begin_delivery())
    local events = claim(opened)
    assert.equal(16, #events)
    for i, event in ipairs(events) do assert.is_true(event.body == ("%d"):format(i % 10):rep(MiB)) end
    assert.equal(4, #claim(opened))
    opened:close()
  end)

  it("has no replicas, and says so", function()
    local opened = open()
    assert.is_false(opened.has_replicas)
    opened:close()
  end)
end)

describe("a commit", function()
  local FRAME, HEADER, PAGE = 24, 32, 1024

  -- How many there are in the WAL: a frame that ends one has the file's size in its second number.
  local function commits(path)
    local wal, count = shell.read(path .. "-wal"), 0
    for at = HEADER + 1, #wal, PAGE + FRAME do
      if wal:sub(at + 4, at + 7) ~= "\0\0\0\0" then count = count + 1 end
    end
    return count
  end

  it("is one for a put, one for a turn, and none for a turn that has nothing to do", function()
    local opened, path = open()
    local before = commits(path)
    local function since()
      local count = commits(path) - before
      before = before + count
      return count
    end
    put(opened, record "A", record "B", record "A")
    assert.equal(1, since())
    assert(opened:begin_delivery())
    assert.equal(1, since())
    local events = claim(opened)
    assert.equal(1, since())
    finish(opened, events, { state = "waiting", delay_ms = 60000 })
    assert.equal(1, since())
    for _ = 1, 5 do assert.equal(0, #claim(opened)) end
    assert.equal(3, opened:turn({}, 0).waiting)
    assert.equal(0, since())
    opened:close()
  end)

  -- Those that ask for all events in a state; to the others the state must not choose the index.
  local OF_A_STATE = { find_ended = true, list_state = true, recover_events = true, recover_lanes = true, stats = true }

  it("reads no table from end to end, and of events no more than those of a lane", function()
    local opened, path = open()
    opened:close()
    for name, sql in pairs(statements) do
      local plan = databases.judge(path, "EXPLAIN QUERY PLAN " .. sql)
      assert.is_nil(plan:find("SCAN", 1, true), name .. ": " .. plan)
      assert.equal(OF_A_STATE[name] or false, plan:find("event_state", 1, true) ~= nil, name .. ": " .. plan)
      local sorts = plan:find("TEMP B-TREE", 1, true) ~= nil
      assert.equal(name:find("^list_.*lane$") ~= nil, sorts, name .. ": " .. plan) -- an order's events are few
    end
  end)
end)

describe("a file", function()
  it("that is no URL of one is refused", function()
    assert.matches("it names no file", store.url_fault "sqlite:", 1, true)
    assert.matches("NUL", store.url_fault "sqlite:a\0b", 1, true)
    assert.is_nil(store.url_fault "sqlite:/tmp/x.db")
    assert.is_nil(store.url_fault "SQLITE:x.db")
  end)

  it("cannot be used where alipayhk.sqlite was not built, and then it says how to", function()
    local output = child.run [[
      local store = require "alipayhk.delivery.store"
      require "alipayhk.delivery.store.sqlite"
      package.cpath = ""
      print(store.url_fault "sqlite:x.db")
      local opened, fault = store.open("sqlite:x.db", { client_id = "C" })
      print(opened, fault.code, fault.is_retryable, fault.message)
    ]]
    local message = "alipayhk was built without SQLite: install libsqlite3-dev, then build alipayhk again"
    assert.equal(("%s\nnil\tfailed\tfalse\t%s\n"):format(message, message), output)
  end)

  it("of another program is left as it was", function()
    for _, sql in ipairs {
      "CREATE TABLE t(v)", "PRAGMA application_id = 7", "PRAGMA application_id = 7; CREATE TABLE t(v)",
      "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t(v)",
      "PRAGMA journal_mode = WAL; PRAGMA user_version = 1; CREATE TABLE client(id)",
    } do
      local path = databases.path()
      databases.judge(path, sql)
      local before = shell.read(path)
      fails("foreign", false, path .. ": ", open_at(path))
      assert.equal(before, shell.read(path))
    end
  end)

  it("of another client_id is left as it was, and whose it is stays untold", function()
    local opened, path = open { client_id = "SOMEBODY" }
    put(opened, record "A")
    opened:close()
    local before = shell.read(path)
    local _, fault = open_at(path, { client_id = "OTHER" })
    assert.same({ "foreign", false, path .. ": it is the outbox of another client_id: give each a file of its own" },
      { fault.code, fault.is_retryable, fault.message })
    assert.equal(before, shell.read(path))
    assert(open_at(path, { client_id = "SOMEBODY" })):close()
  end)

  it("that is no database, or a damaged one, is left as it was", function()
    local _, path = open()
    for _, content in ipairs { ("no database\n"):rep(1000), shell.read(path):sub(1, 100) .. ("\255"):rep(4000) } do
      path = databases.path()
      shell.write(path, content)
      fails("damaged", false, path .. ": ", open_at(path))
      assert.equal(content, shell.read(path))
    end
  end)

  it("that is damaged further on is found when delivery begins, and left as it was", function()
    local opened, path = open()
    for i = 1, 200 do put(opened, record("A" .. i, { body = ("x"):rep(3000) })) end
    opened:close()
    databases.overwrite(path, 100 * 4096, ("\165"):rep(4096 * 3))
    local before = shell.read(path)
    opened = assert(open_at(path))
    fails("damaged", false, "restore a copy", opened:begin_delivery())
    opened:close()
    assert.equal(before, shell.read(path))
  end)

  it("is read through when a process begins to deliver, and not again while it has it open", function()
    local opened, path = open()
    for i = 1, 200 do put(opened, record("A" .. i, { body = ("x"):rep(3000) })) end
    assert(opened:begin_delivery())
    opened:end_delivery()
    databases.judge(path, "PRAGMA wal_checkpoint")
    databases.overwrite(path, 400 * 1024, ("\165"):rep(1024))
    assert.is_true(opened:begin_delivery())
    local other = assert(open_at(path))
    opened:end_delivery()
    assert.is_true(other:begin_delivery())
    other:close()
    opened:close()
    opened = assert(open_at(path))
    fails("damaged", false, "restore a copy", opened:begin_delivery())
    opened:close()
  end)

  -- SQLite's own check of a file finds none of these.
  for name, case in pairs {
    ["a text where the next time was"] = { "lane SET due_ms = 'x'", { "turn", {}, 1 } },
    ["a text where a time was"] = { "event SET put_ms = 'x'", { "list" }, { "stats" }, { "turn", {}, 1 } },
    ["a fraction where a count was"] = { "event SET attempts = 1.5", { "list" } },
    ["a text where the newest time was"] = { "lane SET newest_ms = 'x'", { "put", { record("A") } } },
    ["a text where the last id was"] = { "outbox SET last_id = 'x'", { "put", { record("B") } } },
    ["a text where a counter was"] = { "outbox SET waiting = 'x'", { "stats" }, { "turn", {}, 0 } },
    ["an event without its body"] = { "event SET body = NULL", { "turn", {}, 1 } },
    ["a version below zero"] = { nil, { "put", { record("B") } }, { "retry", "1" } },
  } do
    it("that has " .. name .. " gives a fault, and throws nothing", function()
      local opened, path = open()
      put(opened, record("A"))
      assert(opened:begin_delivery())
      databases.judge(path, case[1] and "UPDATE " .. case[1] or "PRAGMA user_version = -5")
      for i = 2, #case do
        local method, first, second = case[i][1], case[i][2], case[i][3]
        fails(case[1] and "damaged" or "newer", false, path .. ": ", opened[method](opened, first, second))
      end
      opened:close()
    end)
  end

  it("has a description of the rows of every statement that gives some", function()
    local described = {}
    for name, sql in pairs(statements) do
      local gives_rows = sql:find("^%s*SELECT") or sql:find("^%s*PRAGMA")
      described[name] = gives_rows and true or nil
    end
    local found = {}
    for name in pairs(rows.COLUMNS) do found[name] = true end
    assert.same(described, found)
  end)

  it("in a directory that is not there, says so", function()
    fails("gone", false, "make it first", open_at(shell.directory() .. "/gone/orders.db"))
  end)

  it("that was removed with its directory takes nothing more", function()
    local opened, path = open()
    put(opened, record "A")
    assert(opened:begin_delivery())
    local events = claim(opened)
    shell.must("rm -r " .. path:match("^(.*)/"))
    fails("gone", false, path, opened:put { record "A" })
    fails("gone", false, path, opened:turn({ { event = events[1], state = "accepted" } }, 1))
    opened:close()
  end)

  it("that was moved takes nothing more", function()
    local opened, path = open()
    shell.must(("mv %s %s-away"):format(path, path))
    fails("gone", false, "bring it back", opened:put { record "A" })
    opened:close()
  end)

  it("that others keep locked is asked for so long, and keeps what it has", function()
    local opened, path = open { lock_ms = 50 }
    local other = assert(sqlite.open(path))
    put(opened, record "A")
    assert(opened:begin_delivery())
    local event = claim(opened)[1]
    assert(other:lock())
    local begin = core.monotonic()
    fails("locked", true, path .. "-lock", opened:put { record "A" })
    assert.is_true(core.monotonic() - begin >= 0.05)
    fails("locked", true, path .. "-lock", opened:turn({ { event = event, state = "accepted" } }, 1))
    assert.same({}, claim(opened)) -- nothing to do: it needs no lock
    assert.equal(1, opened:stats().sending)
    assert(other:unlock())
    assert.same({}, finish(opened, { event }).lost)
    assert.equal(1, opened:stats().accepted)
    opened:close()
    other:close()
  end)

  local it_forks = only_with(process.has_posix, "needs luaposix for this Lua", it, pending)
  it_forks("is opened after a fork, not before", function()
    local output, status = child.run([[
      local unistd = require "posix.unistd"
      local opened = assert(require("alipayhk.delivery.store").open("sqlite:" .. arg[1], { client_id = "C" }))
      local pid = unistd.fork()
      if pid == 0 then
        for _, call in ipairs { "stats", "begin_delivery", "put" } do
          local _, fault = opened[call](opened, {})
          io.write(fault.code, " ", tostring(fault.is_retryable), " ", fault.message, "\n")
        end
        io.stdout:flush()
        unistd._exit(0)
      end
      require("posix.sys.wait").wait(pid)
    ]], { databases.path() })
    assert.equal(0, status, output)
    assert.equal(3, select(2, output:gsub("failed false [^\n]*open the file after the fork", "")), output)
  end)
end)

describe("the tables of a file", function()
  after_each(function() schema.STEPS[2] = nil end)

  local STEP = "ALTER TABLE lane ADD COLUMN note TEXT NOT NULL DEFAULT 'new'; UPDATE outbox SET delivery = 77"

  it("are those of the newest version, and marked", function()
    local opened, path = open()
    opened:close()
    assert.equal("1095256911\n1", databases.judge(path, "PRAGMA application_id; PRAGMA user_version"))
  end)

  it("are brought to a later version, with all that they hold, once", function()
    local opened, path = open()
    local id = put(opened, record "A")
    opened:close()
    schema.STEPS[2] = STEP
    for _ = 1, 2 do
      opened = assert(open_at(path))
      assert.equal(id, opened:list()[1].id)
      opened:close()
      assert.equal("2\nnew|77", databases.judge(path, "PRAGMA user_version; SELECT note, delivery FROM lane, outbox"))
    end
  end)

  it("stay as they were where a step fails", function()
    local opened, path = open()
    opened:close()
    schema.STEPS[2] = STEP .. "; INSERT INTO nowhere VALUES(1)"
    fails("failed", false, "nowhere", open_at(path))
    schema.STEPS[2] = nil
    assert.equal("1\n0", databases.judge(path, "PRAGMA user_version; SELECT delivery FROM outbox"))
    assert(open_at(path)):close()
  end)

  it("of a later version are refused, when it is opened and after that", function()
    local opened, path = open()
    schema.STEPS[2] = STEP
    assert(open_at(path)):close()
    schema.STEPS[2] = nil
    for _, call in ipairs {
      function() return open_at(path) end, function() return opened:put { record "A" } end,
      function() return opened:begin_delivery() end,
    } do
      fails("newer", false, path .. ": a later alipayhk has been here", call())
    end
    opened:close()
    assert.equal("0", databases.judge(path, "SELECT count(*) FROM event"))
  end)

  it("are made once by processes that open it at once", function()
    local path = databases.path()
    local command = child.command([[
      for i = 1, 20 do
        local opened = assert(require("alipayhk.delivery.store").open("sqlite:" .. arg[1], { client_id = "C" }))
        assert(opened:put { { api = "order", merchant_biz_no = "A", body = "x" } })
        opened:close()
      end
    ]], { path })
    shell.must(("(%s) & (%s) & (%s) & wait"):format(command, command, command))
    assert.equal("60|60", databases.judge(path, "SELECT count(*), waiting FROM event, outbox"))
  end)
end)

describe("delivery from a file", function()
  it("is one process's, and another's when that ends", function()
    local opened, path = open()
    local other = assert(open_at(path))
    put(opened, record "A")
    for _ = 1, 2 do
      assert.is_true(opened:begin_delivery())
      assert.is_false(other:begin_delivery())
    end
    assert.same({}, claim(other))
    opened:end_delivery()
    assert.same({}, claim(opened))
    assert.is_true(other:begin_delivery())
    assert.is_false(opened:begin_delivery())
    assert.equal(1, #claim(other))
    other:close()
    assert.is_true(opened:begin_delivery())
    assert.is_true(claim(opened)[1].lost_answer)
    opened:close()
  end)

  it("goes on where a process was killed", function()
    local path = databases.path()
    local _, status = child.run([[
      local opts = { client_id = "CLIENT", delay_max_ms = 300000 }
      local opened = require("alipayhk.delivery.store").open("sqlite:" .. arg[1], opts)
      local function order(no) return { api = "order", merchant_biz_no = no, body = no } end
      assert(opened:put { order "A", order "B", order "A" })
      assert(opened:begin_delivery())
      local events = opened:turn({}, 10).events
      assert(opened:turn({ { event = events[2], state = "accepted" } }, 0))
      os.execute("kill -9 $PPID")
    ]], { path })
    assert.equal(137, status)
    local opened = assert(open_at(path))
    assert.is_true(opened:begin_delivery())
    local events = claim(opened)
    assert.equal(1, #events)
    assert.same({ "1", 2, true }, { events[1].id, events[1].attempts, events[1].lost_answer })
    opened:close()
  end)

  it("goes on in the old order, before what was put since", function()
    local opened, path = open()
    put(opened, record "A", record "B")
    assert(opened:begin_delivery())
    finish(opened, { claim(opened, 1)[1] }, { state = "waiting", delay_ms = 1 })
    core.sleep(5)
    local events = claim(opened)
    assert.same({ "B", "A" }, { events[1].merchant_biz_no, events[2].merchant_biz_no })
    opened:close()
    opened = assert(open_at(path))
    put(opened, record "C")
    assert(opened:begin_delivery())
    events = claim(opened)
    assert.same({ "B", "A", "C" },
      { events[1].merchant_biz_no, events[2].merchant_biz_no, events[3].merchant_biz_no })
    opened:close()
  end)

  it("is over for who lost the right to it: it records nothing, and claims nothing", function()
    local opened, path = open()
    put(opened, record "A", record "B")
    assert(opened:begin_delivery())
    local events = claim(opened, 1)
    os.remove(path .. "-deliver")
    local other = assert(open_at(path))
    assert.is_true(other:begin_delivery())
    local turn = opened:turn({ { event = events[1], state = "accepted" } }, 10)
    assert.same({ { events[1] }, {} }, { turn.lost, turn.events })
    assert.same({}, claim(opened))
    assert.is_false(opened:begin_delivery())
    assert.equal(2, #claim(other))
    opened:close()
    other:close()
  end)

  it("is over once for who lost it, and begins anew after that", function()
    local opened, path = open()
    put(opened, record "A")
    assert(opened:begin_delivery())
    local event = claim(opened)[1]
    os.remove(path .. "-deliver")
    local other = assert(open_at(path))
    assert.is_true(other:begin_delivery())
    other:close()
    assert.is_false(opened:begin_delivery())
    assert.is_true(opened:begin_delivery())
    assert.same({ event }, finish(opened, { event }).lost)
    local again = claim(opened)[1]
    assert.same({ event.id, 2, true }, { again.id, again.attempts, again.lost_answer })
    opened:close()
  end)

  local function rename_table(path, from, to)
    databases.judge(path, ("ALTER TABLE %s RENAME TO %s"):format(from, to))
  end

  local FAULTS = {
    ["its directory is away"] = {
      code = "gone",
      begin = function(path) shell.must(("mv %s %s-away"):format(path:match("^(.*)/"), path:match("^(.*)/"))) end,
      finish = function(path) shell.must(("mv %s-away %s"):format(path:match("^(.*)/"), path:match("^(.*)/"))) end,
    },
    ["its tables cannot be read"] = {
      code = "failed",
      begin = function(path) rename_table(path, "outbox", "away") end,
      finish = function(path) rename_table(path, "away", "outbox") end,
    },
  }
  for name, case in pairs(FAULTS) do
    it("is kept through a fault, with what is under way: " .. name, function()
      local opened, path = open()
      local other = assert(open_at(path))
      put(opened, record "A", record "B")
      assert(opened:begin_delivery())
      local events = claim(opened, 1)
      case.begin(path)
      local _, fault = opened:begin_delivery()
      case.finish(path)
      assert.equal(case.code, fault.code)
      assert.is_false(other:begin_delivery())
      assert.is_true(opened:begin_delivery())
      assert.same({}, finish(opened, events).lost)
      assert.same({ "B" }, { claim(opened)[1].merchant_biz_no })
      opened:close()
      other:close()
    end)
  end

  it("that begins with a fault is another's", function()
    local opened, path = open()
    local other = assert(open_at(path))
    rename_table(path, "outbox", "away")
    fails("failed", false, "outbox", opened:begin_delivery())
    rename_table(path, "away", "outbox")
    assert.is_true(other:begin_delivery())
    opened:close()
    other:close()
  end)
end)

describe("a clock", function()
  local HOUR_MS = 3600000
  local shift_ms, opened

  before_each(function()
    shift_ms = 0
    opened = open { now = function() return core.now() + shift_ms / 1000 end }
    assert(opened:begin_delivery())
  end)
  after_each(function() opened:close() end)

  for name, jump_ms in pairs { ["forwards"] = HOUR_MS, ["back"] = -HOUR_MS } do
    it("that jumps an hour " .. name .. " turns no lane back, and stalls none", function()
      local ids = { put(opened, record "A", record "A") }
      shift_ms = jump_ms
      ids[3] = put(opened, record "A")
      put(opened, record "B")
      local order = {}
      for i = 1, 3 do
        local events = claim(opened)
        for _, event in ipairs(events) do
          if event.merchant_biz_no == "A" then order[i] = event.id end
        end
        shift_ms = shift_ms - jump_ms
        finish(opened, events)
      end
      assert.same(ids, order)
      assert.equal(4, opened:stats().accepted)
    end)

    it("that jumps an hour " .. name .. " makes nothing wait for longer than the longest delay", function()
      put(opened, record "A")
      shift_ms = jump_ms
      finish(opened, claim(opened), { state = "waiting", delay_ms = HOUR_MS })
      shift_ms = 0
      local turn = opened:turn({}, 1)
      assert.equal(0, #turn.events)
      assert.is_true(turn.due_ms <= DELAY_MAX_MS)
    end)
  end

  it("that is set back goes on: what waits is due after its delay", function()
    put(opened, record "A")
    claim(opened, 0)
    shift_ms = -HOUR_MS
    finish(opened, claim(opened), { state = "waiting", delay_ms = 20 })
    assert.equal(0, #claim(opened))
    local due_ms = opened:turn({}, 1).due_ms
    assert.is_true(due_ms <= 20)
    core.sleep(due_ms + 1)
    assert.equal(1, #claim(opened))
  end)

  it("that was an hour ahead when an event was put does not hold it back", function()
    local path = databases.path()
    local ahead = assert(open_at(path, { now = function() return core.now() + 3600 end }))
    local ids = { put(ahead, record "A", record "B", record "C") }
    ahead:close()
    local right = assert(open_at(path))
    assert(right:begin_delivery())
    local events = claim(right)
    assert.same(ids, { events[1].id, events[2].id, events[3].id })
    assert.equal(0, right:stats().oldest_ms or 0)
    assert.same({ 0, 0, 0 }, { events[1].age_ms, events[2].age_ms, events[3].age_ms })
    right:close()
  end)

  it("that was set back does not hold back what is put after that, whoever put it", function()
    local path, ahead_s = databases.path(), 120
    local putter = assert(open_at(path, { now = function() return core.now() + ahead_s end }))
    put(putter, record "A")
    ahead_s = 0
    put(putter, record "B", record "B")
    local right = assert(open_at(path))
    assert(right:begin_delivery())
    for _ = 1, 2 do
      local events = claim(right)
      assert.same({ "B" }, { events[1].merchant_biz_no })
      finish(right, events)
    end
    right:close()
    putter:close()
  end)

  it("is not ahead for good where its process was held up while it was read", function()
    local monotonic_ms, passed_ms, pauses_ms = runtime.monotonic_ms, 0, { 50, 0 }
    function runtime.monotonic_ms() return 1000 + passed_ms end
    finally(function() runtime.monotonic_ms = monotonic_ms end)
    local now_ms = clock.new(function()
      passed_ms = passed_ms + table.remove(pauses_ms, 1)
      return 1716543000 + passed_ms / 1000
    end)
    now_ms()
    assert.equal(1716543000050, (now_ms()))
  end)

  it("that is set forward makes those due that were so by it", function()
    put(opened, record "A")
    finish(opened, claim(opened), { state = "waiting", delay_ms = 60000 })
    assert.equal(0, #claim(opened))
    shift_ms = 61000
    assert.equal(1, #claim(opened))
  end)
end)

describe("a file on a disk that is full", function()
  local mounted = shell.directory()
  local can_mount = select(2, shell.run("mount -t tmpfs -o size=12m none " .. mounted)) == 0
  teardown(function() if can_mount then shell.must("umount " .. mounted) end end)
  local it_mounts = only_with(can_mount, "needs the right to mount", it, pending)

  local path, filler = mounted .. "/orders.db", mounted .. "/filler"
  local opened
  before_each(function() if can_mount then opened = assert(open_at(path)) end end)
  after_each(function()
    if not can_mount then return end
    opened:close()
    shell.must("rm -f " .. mounted .. "/*")
  end)

  local function fill() shell.run("head -c 100000000 /dev/zero > " .. filler .. " 2> /dev/null") end

  -- Puts until it is refused: how many there were, and the fault.
  local function put_all()
    for count = 0, 10000 do
      local results, fault = opened:put { record("A" .. count, { body = ("x"):rep(10000) }) }
      if not results then return count, fault end
    end
  end

  it_mounts("takes puts until then, refuses the next, and keeps those", function()
    local count, fault = put_all()
    assert.is_true(count > 50)
    fails("full", true, "make room", nil, fault)
    assert.equal(count, opened:stats().waiting)
    assert.equal("ok", databases.judge(path, "PRAGMA integrity_check"))
    assert.equal(tostring(count), databases.judge(path, "SELECT count(body) FROM event"))
  end)

  it_mounts("records what became of events all the same, but claims none before there is room again", function()
    for i = 1, 20 do put(opened, record("A" .. i)) end
    assert(opened:begin_delivery())
    local events = claim(opened, 10)
    fill()
    fails("full", true, "make room", opened:put { record "B" })
    for i, event in ipairs(events) do
      local turn = assert(opened:turn({ { event = event, state = "accepted" } }, 10))
      assert.same({ 0, 0, 10 }, { #turn.events, #turn.lost, turn.waiting })
      assert.equal(tostring(i), databases.judge(path, "SELECT count(*) FROM event WHERE state = 'accepted'"))
    end
    assert.is_nil(shell.read(path .. "-ballast"))
    fails("full", true, "orders.db-ballast", opened:turn({}, 10))
    fails("full", true, "orders.db-ballast", opened:put { record "B" })
    os.remove(filler)
    put(opened, record "B")
    assert.equal(11, #claim(opened, 20))
    assert.is_true(#shell.read(path .. "-ballast") > MiB)
  end)
end)
