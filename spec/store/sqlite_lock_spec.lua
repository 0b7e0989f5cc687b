-- The writers' lock and the deliverers': between handles, processes, and over forks. The judge is the sqlite3 command.

local child = require "spec.support.child"
local core = require "alipayhk.core"
local databases = require "spec.support.databases"
local only_with = require "spec.support.asserting.only_with"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local sqlite = require "alipayhk.sqlite"

local it_forks = only_with(process.has_posix, "needs luaposix for this Lua", it, pending)

local TABLE = "CREATE TABLE t(who, n)"

local function fails(code, words, result, message, found)
  assert.is_nil(result)
  assert.equal(code, found, message)
  assert.matches(words, message, 1, true)
end

-- Waits until there is what is asked for.
local function await(condition, what)
  for _ = 1, 1000 do
    if condition() then return end
    core.sleep(10)
  end
  error("did not come: " .. what)
end

-- Runs a chunk beside us, with a path as arg[1], and waits until it calls `ready`: its pid. `env` is child.command's.
local function start(chunk, path, env)
  local ready = path .. ".ready"
  local command = child.command("local function ready() io.open(arg[2], 'w'):close() end\n" .. chunk .. [[

    ready()
    require("alipayhk.core").sleep(60000)
  ]], { path, ready }, env)
  -- `env` becomes Lua.
  local pid = shell.must(command .. " > /dev/null 2>&1 & echo $!"):gsub("\n", "")
  await(function() return shell.read(ready) end, "the child")
  os.remove(ready)
  return pid
end

describe("the writers' lock", function()
  local db, other, path

  before_each(function()
    db, path = databases.open(TABLE, { lock_ms = 100 })
    other = assert(sqlite.open(path, { lock_ms = 100 }))
  end)
  after_each(function()
    db:close()
    other:close()
  end)

  it("excludes another handle of the same process", function()
    assert.is_true(db:lock())
    local before = core.monotonic()
    fails("LOCKED", path .. "-lock: others have held this lock for 100 ms", other:lock())
    assert.is_true(core.monotonic() - before >= 0.1)
    assert.is_true(db:unlock())
    assert.is_true(other:lock())
  end)

  it("is not taken twice by one handle, and not given back twice", function()
    assert.is_true(db:lock())
    fails("LOCK_HELD", "holds the lock already", db:lock())
    assert.is_true(db:unlock())
    fails("LOCK_MISSING", "does not hold the lock", db:unlock())
  end)

  it("is what a statement that writes cannot do without", function()
    local insert = assert(db:prepare "INSERT INTO t VALUES(1, 1)")
    for _, write in ipairs {
      function() return insert:run() end, function() return insert:all() end,
      function() return db:execute "INSERT INTO t VALUES(1, 1)" end, function() return db:execute "BEGIN IMMEDIATE" end,
      function() return db:execute "PRAGMA wal_checkpoint" end, function() return db:execute "DROP TABLE t" end,
    } do
      fails("LOCK_MISSING", "take it around the whole transaction", write())
    end
    assert.is_true(db:execute "BEGIN; SELECT * FROM t; COMMIT")
    assert.is_true(db:lock())
    assert.same({ 1, 1 }, { insert:run() })
    assert.is_true(db:unlock())
    assert.equal("1", databases.judge(path, "SELECT count(*) FROM t"))
  end)

  it("undoes what was not committed when it is given back, and says so", function()
    assert.is_true(db:lock())
    assert.is_true(db:execute "BEGIN IMMEDIATE; INSERT INTO t VALUES(1, 1)")
    fails("ROLLED_BACK", "a transaction was still open, and is undone", db:unlock())
    assert.is_true(other:lock())
    assert.equal("0", databases.judge(path, "SELECT count(*) FROM t"))
  end)

  it("is given back by close and by collection, with what was not committed", function()
    for _, leave in ipairs { "close", "collect" } do
      local third = assert(sqlite.open(path))
      assert(third:lock())
      assert(third:execute "BEGIN IMMEDIATE; INSERT INTO t VALUES(1, 1)")
      if leave == "close" then third:close() end
      third = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert.is_true(db:lock())
      assert.is_true(db:unlock())
    end
    assert.equal("0", databases.judge(path, "SELECT count(*) FROM t"))
  end)

  it("does not hold up those that read", function()
    assert(db:lock())
    assert(db:execute "BEGIN IMMEDIATE; INSERT INTO t VALUES(1, 1)")
    assert.same({ n = 0 }, other:prepare("SELECT count(*) AS n FROM t"):first())
  end)

  it("is seen through by who waits at the file of a lock that somebody deletes", function()
    assert(db:lock())
    shell.must("rm " .. path .. "-lock")
    assert.is_true(other:lock())
    assert.is_true(other:unlock())
    assert.is_true(db:unlock())
    assert.is_true(db:lock())
    fails("LOCKED", "others have held this lock", other:lock())
  end)

  it("is freed by the kernel when its process dies", function()
    local pid = start([[
      db = require("alipayhk.sqlite").open(arg[1])
      assert(db:lock() and db:execute "BEGIN IMMEDIATE; INSERT INTO t VALUES(1, 1)")
    ]], path)
    fails("LOCKED", "fuser", db:lock())
    shell.must("kill -9 " .. pid)
    await(function() return (db:lock()) end, "the lock")
    assert.equal("0", databases.judge(path, "SELECT count(*) FROM t"))
  end)

  -- The lock's file is descriptor 0 then.
  it("is held by a process that has no standard input, as by others", function()
    for _, wanted in ipairs { path, path .. ".new" } do
      local pid = start('db = assert(require("alipayhk.sqlite").open(arg[1])) assert(db:lock())', wanted,
        { "sh", "-c", 'exec "$@" <&-', "sh" })
      fails("LOCKED", wanted .. "-lock: others have held this lock", sqlite.open(wanted, { lock_ms = 100 }))
      shell.must("kill -9 " .. pid)
      assert(sqlite.open(wanted)):close()
    end
  end)

  it("is not kept from others by one that waits for it and is frozen", function()
    assert(db:lock())
    local pid = start('ready() db = require("alipayhk.sqlite").open(arg[1], { lock_ms = 60000 })', path)
    core.sleep(300)
    shell.must("kill -STOP " .. pid)
    assert(db:unlock())
    local third = assert(sqlite.open(path, { lock_ms = 5000 }))
    assert.is_true(third:lock())
    third:close()
    shell.must("kill -9 " .. pid)
  end)

  it("is no lock to the sqlite3 command, and the message says who it may be", function()
    local ready = path .. ".ready"
    local wait = ("touch %s; while test -e %s; do sleep 0.05; done"):format(ready, ready)
    shell.must(("sqlite3 %s 'BEGIN IMMEDIATE' '.shell %s' > /dev/null 2>&1 &"):format(path, wait))
    await(function() return shell.read(ready) end, "the transaction")
    assert.is_true(db:lock())
    fails("SQLITE_BUSY", "does not heed the lock beside the file", db:execute "BEGIN IMMEDIATE")
    os.remove(ready)
    await(function() return (db:execute "BEGIN IMMEDIATE") end, "the end of it")
  end)

  for name, sql in pairs { ["moved"] = "mv %s %s.moved", ["removed"] = "rm %s", ["replaced"] = "cp %s x && mv x %s" } do
    it("is not given for a file that was " .. name, function()
      databases.write(db, "INSERT INTO t VALUES('in the WAL', 1)")
      shell.must("cd " .. path:match("^(.*)/") .. " && " .. sql:format(path, path))
      fails("SQLITE_READONLY_DBMOVED", "it was moved or removed while it was open", db:lock())
      local wal = shell.read(path .. "-wal")
      other:close()
      db:close()
      assert.equal(wal, shell.read(path .. "-wal")) -- it may be the only copy
    end)
  end

  it("says that another file is there, but not before the WAL is gone that would become a part of it", function()
    databases.write(db, "INSERT INTO t VALUES('in the WAL', 1)")
    assert.is_false(db:is_replaced())
    shell.must(("mv %s %s.moved"):format(path, path))
    assert.is_false(db:is_replaced())
    shell.must(("cp %s.moved %s"):format(path, path))
    assert.is_false(db:is_replaced())
    shell.must(("mv %s-wal %s.moved-wal; rm %s-shm"):format(path, path, path))
    assert.is_true(db:is_replaced())
    local new = assert(sqlite.open(path))
    assert.is_true(db:is_replaced())
    assert.is_false(new:is_replaced())
    new:close()
    shell.must(("mv %s.moved %s"):format(path, path))
    assert.is_false(db:is_replaced())
  end)

  it("says that its directory is gone", function()
    shell.must("rm -r " .. path:match("^(.*)/"))
    fails("SQLITE_CANTOPEN", "No such file or directory; see that its directory is there", db:lock())
  end)
end)

describe("many writers", function()
  -- Transactions for so many seconds, each of so many milliseconds: how long the longest wait was.
  local WRITER = [[
    local core, sqlite = require "alipayhk.core", require "alipayhk.sqlite"
    local path, who, seconds, hold_ms = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])
    local db = assert(sqlite.open(path, { lock_ms = 10000 }))
    local insert = assert(db:prepare "INSERT INTO t VALUES(?, ?)")
    local worst, n, stop = 0, 0, core.monotonic() + seconds
    while core.monotonic() < stop do
      local before = core.monotonic()
      assert(db:lock())
      worst = math.max(worst, core.monotonic() - before)
      assert(db:execute "BEGIN IMMEDIATE")
      assert(insert:run(who, n))
      core.sleep(hold_ms)
      assert(db:execute "COMMIT")
      assert(db:unlock())
      n = n + 1
    end
    print(("waited %.0f wrote %d"):format(worst * 1000, n))
  ]]

  for _, case in ipairs { { hold_ms = 0, worst_ms = 1000 }, { hold_ms = 10, worst_ms = 2500 } } do
    it(("all get their turn, and lose nothing: 8 at once, %d ms each"):format(case.hold_ms), function()
      local db, path = databases.open(TABLE)
      db:close()
      local commands = {}
      for i = 1, 8 do commands[i] = child.command(WRITER, { path, i, 2, case.hold_ms }) .. " & " end
      local output = shell.must(table.concat(commands) .. "wait")
      local wrote, writers = 0, 0
      for waited, n in output:gmatch("waited (%d+) wrote (%d+)\n") do
        assert.is_true(tonumber(waited) < case.worst_ms, waited .. " ms")
        assert.is_true(tonumber(n) > 0)
        wrote, writers = wrote + tonumber(n), writers + 1
      end
      assert.equal(8, writers, output)
      assert.equal(("%d"):format(wrote), databases.judge(path, "SELECT count(*) FROM t"))
      assert.equal("ok", databases.judge(path, "PRAGMA integrity_check"))
    end)
  end

  it("make one database at the same time", function()
    local path, commands = databases.path(), {}
    for i = 1, 8 do
      commands[i] = child.command([[
        local db = assert(require("alipayhk.sqlite").open(arg[1]))
        assert(db:lock())
        assert(db:execute("CREATE TABLE IF NOT EXISTS t(who); INSERT INTO t VALUES(" .. arg[2] .. ")"))
        assert(db:unlock())
      ]], { path, i }) .. " & "
    end
    assert.equal("", (shell.run(table.concat(commands) .. "wait")))
    assert.equal("8", databases.judge(path, "SELECT count(DISTINCT who) FROM t"))
  end)
end)

describe("handles in threads", function()
  local BUILD = "${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=%s -o %s spec/support/programs/store_threads.c"
    .. " csrc/store/*.c csrc/base/*.c $(pkg-config --cflags --libs sqlite3) -pthread 2>&1"

  for _, sanitizer in ipairs { "thread", "address,undefined" } do
    it("exclude each other, and survive children that end at once: under -fsanitize=" .. sanitizer, function()
      local program, path = shell.directory() .. "/store_threads", databases.path()
      shell.must(BUILD:format(sanitizer, program))
      local said, status = shell.run(("%s %s 10"):format(program, path))
      assert.equal("800 rows, 0 complaints\n", said)
      assert.equal(0, status)
      assert.equal("800", databases.judge(path, "SELECT count(*) FROM t"))
    end)
  end
end)

describe("the right to deliver", function()
  local db, other, path

  before_each(function()
    db, path = databases.open(TABLE)
    other = assert(sqlite.open(path))
  end)
  after_each(function()
    db:close()
    other:close()
  end)

  it("has one handle of all", function()
    assert.is_true(db:claim_delivery())
    assert.is_true(db:claim_delivery())
    assert.is_false(other:claim_delivery())
    assert.is_true(db:release_delivery())
    assert.is_true(db:release_delivery())
    assert.is_true(other:claim_delivery())
    assert.is_false(db:claim_delivery())
    other:close()
    assert.is_true(db:claim_delivery())
  end)

  it("does not hold up those that write", function()
    assert(db:claim_delivery())
    databases.write(other, "INSERT INTO t VALUES(1, 1)")
    assert.equal("1", databases.judge(path, "SELECT count(*) FROM t"))
  end)

  it("is freed by the kernel when its process dies, and not before", function()
    local pid = start('db = require("alipayhk.sqlite").open(arg[1]) assert(db:claim_delivery())', path)
    assert.is_false(db:claim_delivery())
    shell.must("kill -STOP " .. pid)
    assert.is_false(db:claim_delivery())
    shell.must("kill -9 " .. pid)
    await(function() return db:claim_delivery() end, "the right to deliver")
  end)

  it("is not kept by a program that its process starts", function()
    local pid = start([[
      db = require("alipayhk.sqlite").open(arg[1])
      assert(db:claim_delivery())
      os.execute("sleep 60 > /dev/null 2>&1 & echo $! > " .. arg[1] .. ".pid")
    ]], path)
    shell.must("kill -9 " .. pid)
    await(function() return db:claim_delivery() end, "the right to deliver")
    shell.must("kill " .. shell.read(path .. ".pid"))
  end)

  it("is looked at again: somebody may have deleted its file", function()
    assert(db:claim_delivery())
    shell.must("rm " .. path .. "-deliver")
    assert.is_true(other:claim_delivery())
    assert.is_false(db:claim_delivery())
  end)
end)

-- A fork in the middle of a transaction, of which a part is in the WAL already: a child that ended it would take that
-- part away. What the child prints comes out first, then what the parent finds.
local FORK = [[
  local sqlite = require "alipayhk.sqlite"
  local unistd, wait = require "posix.unistd", require "posix.sys.wait"
  local path = arg[1]
  local db = assert(sqlite.open(path, { lock_ms = 100 }))
  local insert = assert(db:prepare "INSERT INTO t VALUES('parent', ?)")
  assert(db:lock() and db:execute "CREATE TABLE long(v); BEGIN IMMEDIATE" and insert:run(1) and db:claim_delivery())
  assert(db:execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
    .. " i < 3000) INSERT INTO long SELECT randomblob(3000) FROM n"))
  io.stdout:setvbuf "no"
  local pid = unistd.fork()
  if pid == 0 then
    local function show(result, message, code) print(tostring(result), code, message) end
    %s
    os.exit(0, true)
  end
  local _, how, status = wait.wait(pid)
  assert(how == "exited" and status == 0, "the child failed")
  print(insert:run(2))
  print(db:execute "COMMIT", db:unlock(), db:check())
  db:close()
]]

describe("over a fork", function()
  local path

  before_each(function()
    local db
    db, path = databases.open(TABLE)
    db:close()
  end)

  local function run(in_child)
    local output, status = child.run(FORK:format(in_child), { path })
    assert.equal(0, status, output)
    assert.equal("1,2", databases.judge(path, "SELECT group_concat(n) FROM t"))
    assert.equal("9000000", databases.judge(path, "SELECT sum(length(v)) FROM long"))
    local said, rest = output:match("^(.-)(1\t2\n.*)$")
    assert.equal("1\t2\ntrue\ttrue\ttrue\n", rest, output)
    return said
  end

  it_forks("a handle is the parent's: every call says so", function()
    local said = run [[
      show(insert:run(7)) show(insert:all(7)) show(db:execute "INSERT INTO t VALUES('child', 7)")
      show(db:prepare "SELECT 1") show(db:lock()) show(db:unlock()) show(db:claim_delivery())
      show(db:release_delivery()) show(db:ballast(5)) show(db:drop_ballast()) show(db:check())
    ]]
    local count = 0
    for line in said:gmatch("[^\n]+") do
      assert.matches("^nil\tFORKED\t.*: this handle is the parent's, from before the fork", line)
      count = count + 1
    end
    assert.equal(11, count)
  end)

  for name, leave in pairs {
    ["closing it"] = "insert:close() db:close() print(tostring(db), tostring(insert))",
    ["closing it the other way round"] = "db:close() insert:close() print(tostring(db), tostring(insert))",
  } do
    it_forks(name .. " in the child leaves the parent's transaction and its locks alone", function()
      assert.equal("alipayhk.sqlite (closed)\talipayhk.sqlite.statement (closed)\n", run(leave .. [[
        local other = require("posix.unistd").fork()
        if other == 0 then require("posix.unistd").execp("sqlite3", { path, "INSERT INTO t VALUES('thief', 9)" }) end
        local _, _, failed = wait.wait(other)
        assert(failed ~= 0, "the parent's lock is gone")
      ]]):gsub("Error: [^\n]*\n", ""):gsub("Runtime error: [^\n]*\n", ""))
    end)
  end

  it_forks("leaving it to the end of the child does neither", function() assert.equal("", run "") end)

  it_forks("the same file is not opened in a child: SQLite would believe in locks that it has not", function()
    assert.matches("^nil\tFORKED\t.*: the parent of this process had it open when it forked", run [[
      show(sqlite.open(path)) db:close() show(sqlite.open(path))
    ]])
  end)

  it_forks("another file is, and the same one once the parent has closed it before", function()
    local output, status = child.run([[
      local sqlite = require "alipayhk.sqlite"
      local unistd, wait = require "posix.unistd", require "posix.sys.wait"
      local kept = assert(sqlite.open(arg[1]))
      local closed = assert(sqlite.open(arg[2]))
      closed:close()
      local pid = unistd.fork()
      if pid == 0 then
        local db = assert(sqlite.open(arg[2]))
        assert(db:lock() and db:execute "CREATE TABLE t(v)" and db:unlock())
        os.exit(0, true)
      end
      local _, _, failed = wait.wait(pid)
      print(failed, kept:check())
    ]], { path, databases.path() })
    assert.equal(0, status, output)
    assert.equal("0\ttrue\n", output)
  end)

  it_forks("our locks end with the process that took them, though a child lives on", function()
    local output, status = child.run([[
      local sqlite, core = require "alipayhk.sqlite", require "alipayhk.core"
      local unistd, wait = require "posix.unistd", require "posix.sys.wait"
      local signal = require "posix.signal"
      local taker = unistd.fork()
      if taker == 0 then
        db = assert(sqlite.open(arg[1]))
        assert(db:claim_delivery() and db:lock())
        local heir = unistd.fork()
        if heir ~= 0 then
          local file = io.open(arg[1] .. ".heir", "w")
          file:write(tostring(heir))
          file:close()
        end
        core.sleep(60000)
        os.exit(0)
      end
      local heir
      repeat
        core.sleep(20)
        local file = io.open(arg[1] .. ".heir")
        heir = file and tonumber(file:read("*a") or "")
      until heir
      signal.kill(taker, signal.SIGKILL)
      wait.wait(taker)
      local db = assert(sqlite.open(arg[1], { lock_ms = 1000 }))
      print(db:claim_delivery(), db:lock(), signal.kill(heir, 0))
      signal.kill(heir, signal.SIGKILL)
    ]], { path })
    assert.equal(0, status, output)
    assert.equal("true\ttrue\t0\n", output)
  end)
end)
