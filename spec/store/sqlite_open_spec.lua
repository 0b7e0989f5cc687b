-- How a database is made, found and refused. The judge is the sqlite3 command.

local assert_refusals = require "spec.support.asserting.refusals"
local child = require "spec.support.child"
local core = require "alipayhk.core"
local databases = require "spec.support.databases"
local limit = require("spec.support.descriptors").limit
local only_with = require "spec.support.asserting.only_with"
local shell = require "spec.support.shell"
local sqlite = require "alipayhk.sqlite"

local TABLE = "CREATE TABLE t(id INTEGER PRIMARY KEY, v)"

-- The mode of each file whose name begins so.
local function modes(path)
  local found = {}
  for mode, name in shell.must("stat -c '%a %n' " .. path .. "*"):gmatch("(%d+) ([^\n]+)") do
    found[name:sub(#path + 1)] = mode
  end
  return found
end

local function refused(code, words, path, options)
  local db, message, found = sqlite.open(path, options)
  assert.is_nil(db)
  assert.equal(code, found, message)
  assert.matches(words, message, 1, true)
  return message
end

-- One that holds so many rows of some length, closed.
local function filled(rows)
  local db, path = databases.open(TABLE .. "; CREATE INDEX i ON t(v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
    .. "SELECT i + 1 FROM n WHERE i < " .. rows .. ") INSERT INTO t(v) SELECT hex(randomblob(200)) FROM n")
  db:close()
  return path
end

describe("a new database", function()
  it("is for its owner alone, as all that lies beside it, whatever the umask", function()
    local path = databases.path()
    local output, status = shell.run("umask 0; " .. child.command([[
      local db = require("alipayhk.sqlite").open(arg[1])
      assert(db:lock() and db:execute "CREATE TABLE t(v)" and db:unlock())
      assert(db:claim_delivery() and db:ballast(5000))
      os.execute("stat -c '%a' " .. arg[1] .. "* | sort -u; ls " .. arg[1] .. "* | wc -l")
    ]], { path }))
    assert.equal(0, status, output)
    assert.equal("600\n6\n", output)
  end)

  it("is in WAL, and commits are synchronous to the last", function()
    local db, path = databases.open(TABLE)
    local function pragma(name) return db:prepare("PRAGMA " .. name):first()[name] end
    assert.equal("wal", databases.judge(path, "PRAGMA journal_mode"))
    assert.equal(2, pragma "synchronous")
    assert.equal(1, pragma "foreign_keys")
    assert.equal(0, pragma "trusted_schema")
    assert.equal(2, pragma "temp_store")
    assert.equal(1, pragma "secure_delete")
    db:close()
  end)

  it("keeps foreign keys", function()
    local db = databases.open "CREATE TABLE lane(id INTEGER PRIMARY KEY); CREATE TABLE e(lane REFERENCES lane)"
    assert(db:lock())
    local _, _, code = db:prepare("INSERT INTO e VALUES(?)"):run(1)
    assert.equal("SQLITE_CONSTRAINT_FOREIGNKEY", code)
    db:close()
  end)

  it("loads no extension, opens no other file, and does not let its schema be written to", function()
    local db = databases.open(TABLE)
    local _, message = db:prepare("SELECT load_extension('x')"):first()
    assert.matches("not authorized", message, 1, true)
    assert(db:lock())
    _, message = db:execute("ATTACH '" .. databases.path() .. "' AS other")
    assert.matches("too many attached", message, 1, true)
    _, message = db:execute "PRAGMA writable_schema = ON; DELETE FROM sqlite_master"
    assert.matches("may not be modified", message, 1, true)
    db:close()
  end)

  it("is there after a kill -9, with what was committed and nothing else", function()
    local path = databases.path()
    local _, status = shell.run(child.command([[
      local db = require("alipayhk.sqlite").open(arg[1])
      assert(db:lock() and db:execute "CREATE TABLE t(v); INSERT INTO t VALUES('kept')")
      assert(db:execute "BEGIN IMMEDIATE; INSERT INTO t VALUES('not kept')")
      os.execute("kill -9 $PPID")
    ]], { path }))
    assert.equal(137, status)
    local db = assert(sqlite.open(path))
    assert.same({ { v = "kept" } }, db:prepare("SELECT v FROM t"):all())
    assert.is_true(db:check())
    db:close()
  end)

  it("is one file after it is closed, but for the locks", function()
    local db, path = databases.open(TABLE)
    assert.is_string(modes(path)["-wal"])
    db:close()
    assert.same({ [""] = "600", ["-lock"] = "600" }, modes(path))
    assert.equal("ok", databases.judge(path, "PRAGMA integrity_check"))
  end)

  it("may have any name that a file has", function()
    for _, name in ipairs { "file:x.db", "50% off?#.db", "a'b\"c.db", "\230\181\139.db", "-db" } do
      local path = databases.path(name)
      local db = assert(sqlite.open(path))
      databases.write(db, TABLE)
      db:close()
      assert.is_string(shell.read(path))
    end
  end)

  it("is the same file by every path, and so has one lock", function()
    local db, path = databases.open(TABLE)
    local link = databases.path()
    shell.must(("ln -s %s %s"):format(path, link))
    local other = assert(sqlite.open(link, { lock_ms = 0 }))
    assert(db:lock())
    assert.equal("LOCKED", select(3, other:lock()))
    assert.is_nil(shell.read(link .. "-lock"))
    other:close()
    db:close()
  end)

  -- Path.
  local FEW = [[
    local path = ...
    local process = require "spec.support.process"
    local sqlite = require "alipayhk.sqlite"
    print(process.most_open_files(300, function() assert(sqlite.open(path)) end))
  ]]

  it("is held open a few times, however often it was opened and not closed", function()
    local db, path = databases.open(TABLE)
    db:close()
    local most = tonumber((child.run(FEW, { path })))
    assert.is_true(most < 100, most)
  end)

  -- Path. Opens a database with no descriptor left, then one more each time. Prints what came instead of each.
  local SHORT = [[
    local path = ...
    local sqlite = require "alipayhk.sqlite"
    require("spec.support.descriptors").print_refusals(function() return sqlite.open(path) end)
  ]]

  it("says so where there are no descriptors, or too few to open it", function()
    local db, path = databases.open(TABLE)
    db:close()
    local said, status = child.run(SHORT, { path }, limit(64))
    assert.equal(0, status, said)
    assert_refusals(said, "^DESCRIPTORS\t/.*: out of file descriptors %(ulimit %-n%)$", 3)
  end)

  -- Path.
  local OUTBOX = [[
    local path = ...
    local alipayhk = require "alipayhk"
    local descriptors = require "spec.support.descriptors"
    local function outbox() return alipayhk.outbox { store = "sqlite:" .. path, client_id = "C1" } end
    assert(outbox()):close()
    local files = descriptors.take_all()
    local _, err = outbox()
    for _, file in ipairs(files) do file:close() end
    print(err.kind, err.code, err.retryable)
  ]]

  it("may be opened later as an outbox' store where there were no descriptors", function()
    local path = shell.directory() .. "/outbox.db"
    local said = child.run(OUTBOX, { path }, limit(64))
    assert.equal("store\tfailed\ttrue\n", said)
  end)

  it("is not opened by a process that is started", function()
    local db, path = databases.open(TABLE)
    assert(db:lock())
    assert(db:claim_delivery())
    assert.equal("", (shell.run("ls -l /proc/self/fd | grep -F " .. path)))
    db:close()
  end)
end)

describe("a database that is there", function()
  it("keeps its mode, and gives it to what lies beside it", function()
    local path = filled(1)
    shell.must("rm " .. path .. "-lock; chmod 640 " .. path)
    local db = assert(sqlite.open(path))
    assert(db:ballast(1))
    assert.same({ [""] = "640", ["-lock"] = "640", ["-ballast"] = "640", ["-wal"] = "640", ["-shm"] = "640" },
      modes(path))
    db:close()
  end)

  it("is turned to WAL where it was not, if it is sound", function()
    local path = databases.path()
    databases.judge(path, TABLE .. "; INSERT INTO t VALUES(1, 'a')")
    local db = assert(sqlite.open(path))
    assert.same({ v = "a" }, db:prepare("SELECT v FROM t"):first())
    assert.equal("wal", databases.judge(path, "PRAGMA journal_mode"))
    db:close()
  end)

  it("is refused with text in UTF-16, which would come back as other bytes", function()
    local path = databases.path()
    databases.judge(path, "PRAGMA encoding = 'UTF-16le'; " .. TABLE)
    local before = shell.read(path)
    refused("SQLITE_MISMATCH", "not in UTF-8", path)
    assert.equal(before, shell.read(path))
  end)
end)

describe("the database of another application", function()
  local OURS = { application_id = 77 }

  it("is refused, and left as it was", function()
    for _, sql in ipairs { TABLE, "PRAGMA application_id = 78", "PRAGMA application_id = 78; " .. TABLE } do
      local path = databases.path()
      databases.judge(path, sql)
      local before = shell.read(path)
      refused("FOREIGN", path .. ": it is the database of another program", path, OURS)
      assert.equal(before, shell.read(path))
      sqlite.open(path):close()
    end
  end)

  it("is not what bears the number, or is empty", function()
    local path = databases.path()
    for _ = 1, 2 do
      local db = assert(sqlite.open(path, OURS))
      databases.write(db, "PRAGMA application_id = 77; CREATE TABLE IF NOT EXISTS t(v)")
      db:close()
    end
  end)

  it("is told by a number of 31 bits", function()
    for _, value in ipairs { -1, 2 ^ 31, "77", 0 / 0, {} } do
      assert.error_matches(function() sqlite.open("x", { application_id = value }) end, "application_id: 0 to 2^31 - 1",
        1, true)
    end
  end)
end)

describe("what is no database", function()
  for name, path in pairs {
    ["an empty path"] = "", ["memory"] = ":memory:", ["another name of memory"] = ":x:",
    ["a URI"] = "file:x.db?mode=ro",
  } do
    it("is refused: " .. name, function()
      refused("SQLITE_CANTOPEN", path:find("^file") and "URI" or "memory", path)
    end)
  end

  it("is refused: a directory", function()
    local directory = shell.directory()
    refused("SQLITE_CANTOPEN", "is a directory, not a file", directory)
    refused("SQLITE_CANTOPEN", "is a directory, not a file", directory .. "/")
    assert.is_nil(shell.read(directory .. "-lock"))
  end)

  it("is refused: a FIFO, a device", function()
    local path = databases.path()
    shell.must("mkfifo " .. path)
    refused("SQLITE_CANTOPEN", "no regular file", path)
    refused("SQLITE_CANTOPEN", "no regular file", "/dev/null")
  end)

  it("is refused: a directory that is not there", function()
    refused("SQLITE_CANTOPEN", "/gone/ is not there: make it first", shell.directory() .. "/gone/orders.db")
    refused("SQLITE_CANTOPEN", "Not a directory", shell.must("echo $PWD/Makefile"):gsub("\n", "") .. "/orders.db")
  end)

  it("is refused: a link to nothing", function()
    local path = databases.path()
    shell.must("ln -s /nowhere/else.db " .. path)
    refused("SQLITE_CANTOPEN", "a link to what is not there", path)
  end)

  it("is refused: a path that is too long", function()
    refused("SQLITE_CANTOPEN", "longer than 480 bytes", "/tmp/" .. ("x"):rep(500))
    refused("SQLITE_CANTOPEN", "File name too long", "/tmp/" .. ("x"):rep(300))
  end)

  for name, content in pairs {
    ["a text"] = ("no database\n"):rep(1000), ["a short text"] = "x\n", ["zeros"] = ("\0"):rep(8192),
    ["a header and nothing else"] = "SQLite format 3\0",
  } do
    it("is refused, and left as it was: " .. name, function()
      local path = databases.path()
      shell.write(path, content)
      local message = refused("SQLITE_NOTADB", "name another file, or move it away", path)
      assert.matches(path, message, 1, true)
      assert.equal(content, shell.read(path))
    end)
  end

  it("takes an empty file for a new one", function()
    local path = databases.path()
    shell.write(path, "")
    local db = assert(sqlite.open(path))
    databases.write(db, TABLE)
    db:close()
    assert.equal("0", databases.judge(path, "SELECT count(*) FROM t"))
  end)

  it("throws for what is no path, or no option", function()
    assert.error(function() sqlite.open() end)
    assert.error_matches(function() sqlite.open("a\0b") end, "NUL", 1, true)
    for _, value in ipairs { -1, 600001, "5000", 0 / 0, {} } do
      assert.error_matches(function() sqlite.open("x", { lock_ms = value }) end, "lock_ms: 0 to 600000", 1, true)
    end
    assert.error(function() sqlite.open("x", 5000) end)
  end)
end)

describe("a damaged database", function()
  it("is refused where the damage is on its first page, and left as it was", function()
    local path = filled(100)
    databases.overwrite(path, 100, ("\255"):rep(200))
    local before = shell.read(path)
    refused("SQLITE_CORRUPT", "restore a copy", path)
    assert.equal(before, shell.read(path))
  end)

  it("has a message of one line of UTF-8, whatever bytes SQLite repeats of the file", function()
    local path = filled(1)
    local at = assert(shell.read(path):find("CREATE INDEX", 1, true)) - 1
    databases.overwrite(path, at, "CR\255\nTE")
    local message = refused("SQLITE_CORRUPT", "malformed database schema", path)
    assert.is_number(core.utf8_length(message))
    assert.is_nil(message:find("%c"))
  end)

  it("is found by a check, and left as it was", function()
    local path = filled(2000)
    databases.overwrite(path, 40 * 4096, ("\165"):rep(4096 * 3))
    local before = shell.read(path)
    local db = assert(sqlite.open(path))
    local result, message, code = db:check()
    assert.is_nil(result)
    assert.equal("SQLITE_CORRUPT", code)
    assert.matches("it is damaged, and left as it was", message, 1, true)
    db:close()
    assert.equal(before, shell.read(path))
    assert.matches("malformed", (shell.run(databases.command(path, "PRAGMA quick_check"))), 1, true)
  end)

  it("is not written to once damage was met", function()
    local path = filled(2000)
    local writer = assert(sqlite.open(path))
    databases.write(writer, "INSERT INTO t(v) VALUES('in the WAL')")
    databases.overwrite(path, 40 * 4096, ("\165"):rep(4096 * 3))
    local before = shell.read(path)
    local _, _, code = writer:check()
    assert.equal("SQLITE_CORRUPT", code)
    writer:close()
    assert.equal(before, shell.read(path))
    assert.is_true(#shell.read(path .. "-wal") > 0)
  end)

  it("is not turned to WAL", function()
    local path = filled(2000)
    databases.judge(path, "PRAGMA journal_mode = DELETE")
    databases.overwrite(path, 40 * 4096, ("\165"):rep(4096 * 3))
    local before = shell.read(path)
    refused("SQLITE_CORRUPT", path, path)
    assert.equal(before, shell.read(path))
  end)

  it("that is cut short is found", function()
    local path = filled(2000)
    shell.must(("truncate -s %d %s"):format(50 * 4096, path))
    local db, _, code = sqlite.open(path)
    if db then code = select(3, db:check()) end
    assert.equal("SQLITE_CORRUPT", code)
  end)

  -- SQLite itself deletes the WAL of a file that is empty.
  for name, command in pairs { ["is gone"] = "rm %s", ["is empty"] = "truncate -s 0 %s" } do
    it("keeps its WAL where the file " .. name, function()
      local path = databases.path()
      shell.run(child.command([[
        local db = require("alipayhk.sqlite").open(arg[1])
        assert(db:lock() and db:execute "CREATE TABLE t(v); INSERT INTO t VALUES('acknowledged')")
        os.execute("kill -9 $PPID")
      ]], { path }))
      shell.must(("cp %s %s-kept && "):format(path, path) .. command:format(path))
      local wal = shell.read(path .. "-wal")
      refused("SQLITE_CORRUPT", "bring back the two together", path)
      assert.equal(wal, shell.read(path .. "-wal"))
      shell.must(("cp %s-kept %s"):format(path, path))
      local db = assert(sqlite.open(path))
      assert.same({ v = "acknowledged" }, db:prepare("SELECT v FROM t"):first())
      db:close()
    end)
  end
end)

describe("a database that may not be written to", function()
  local is_root = shell.must("id -u") == "0\n"
  local nobody = "setpriv --reuid=65534 --clear-groups "

  -- A directory that everybody reaches, and whether another user reaches the modules and it.
  local directory = shell.directory()
  shell.must("chmod 755 " .. directory)
  local reaches = not is_root or select(2, shell.run(nobody .. "sh -c 'ls build Makefile " .. directory .. "'")) == 0
  local it_as_user = only_with(reaches, "another user cannot reach this checkout", it, pending)

  local OPEN = 'local db, message, code = require("alipayhk.sqlite").open(%q) print(db, code, message)'

  local function open_as_user(path)
    shell.write(directory .. "/open.lua", OPEN:format(path))
    local command = child.command("dofile(arg[1])", { directory .. "/open.lua" })
    shell.must("chmod -R a+rX build/test/*/chunk.lua; for d in build/test/*/; do chmod a+rx $d; done")
    return (shell.run((is_root and nobody or "") .. command))
  end

  -- A database in a directory; `closed` says what is closed to the user.
  local function path_with(mode_of_file, mode_of_directory)
    local inner = directory .. "/" .. mode_of_file .. mode_of_directory
    local path = inner .. "/orders.db"
    shell.must(("mkdir %s && sqlite3 %s 'PRAGMA journal_mode=WAL; CREATE TABLE t(v)'"):format(inner, path))
    shell.must(("chmod %s %s; chmod %s %s"):format(mode_of_file, path, mode_of_directory, inner))
    return path
  end

  it_as_user("says so: the directory", function()
    local said = open_as_user(path_with("644", "555"))
    assert.matches("nil\tSQLITE_PERM\t", said, 1, true)
    assert.matches("orders.db-lock: Permission denied; give this user the right to write", said, 1, true)
  end)

  it_as_user("says so: the file", function()
    local path = path_with("444", "777")
    local before = shell.read(path)
    local said = open_as_user(path)
    assert.matches("nil\tSQLITE_READONLY\t", said, 1, true)
    assert.matches("give this user the right to write to the file and to its directory", said, 1, true)
    assert.equal(before, shell.read(path))
  end)

  local mounted = shell.directory()
  local can_mount = select(2, shell.run("mount -t tmpfs -o size=4m none " .. mounted)) == 0
  teardown(function() if can_mount then shell.must("umount " .. mounted) end end)
  local it_mounts = only_with(can_mount, "needs the right to mount", it, pending)

  it_mounts("says so: the file system", function()
    local path = mounted .. "/orders.db"
    databases.judge(path, TABLE)
    shell.must("mount -o remount,ro " .. mounted)
    refused("SQLITE_READONLY", "Read-only file system", path)
    shell.must("mount -o remount,rw " .. mounted)
    sqlite.open(path):close()
  end)
end)
