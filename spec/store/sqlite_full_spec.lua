-- A disk that is full, and the ballast that makes room. The judge is the sqlite3 command.

local child = require "spec.support.child"
local databases = require "spec.support.databases"
local only_with = require "spec.support.asserting.only_with"
local shell = require "spec.support.shell"
local sqlite = require "alipayhk.sqlite"

local MiB = 1024 * 1024
local TABLE = "CREATE TABLE t(v)"

-- Size and room on the disk, in bytes, of a file; nil where there is none.
local function size_of(path)
  local output, status = shell.run("stat -c '%s %b %B' " .. path)
  if status ~= 0 then return nil end
  local size, blocks, unit = output:match("(%d+) (%d+) (%d+)")
  return tonumber(size), tonumber(blocks) * tonumber(unit)
end

describe("ballast", function()
  local db, path

  before_each(function() db, path = databases.open(TABLE) end)
  after_each(function() db:close() end)

  it("lies beside the database, of its size and with its room", function()
    for _, bytes in ipairs { 3 * MiB, 3 * MiB, 5 * MiB, 1, MiB } do
      assert.is_true(db:ballast(bytes))
      local size, room = size_of(path .. "-ballast")
      assert.equal(bytes, size)
      assert.is_true(room >= bytes)
    end
  end)

  it("is made real where it has only the size", function()
    shell.must(("truncate -s %d %s-ballast"):format(MiB, path))
    assert.is_true(db:ballast(MiB))
    local size, room = size_of(path .. "-ballast")
    assert.equal(MiB, size)
    assert.is_true(room >= MiB)
  end)

  it("is dropped, and says whether there was any", function()
    assert.is_false(db:drop_ballast())
    assert(db:ballast(MiB))
    assert.is_true(db:drop_ballast())
    assert.is_nil((size_of(path .. "-ballast")))
    assert.is_false(db:drop_ballast())
  end)

  it("has 1 byte to 1 GiB", function()
    for _, bytes in ipairs { 0, -1, 2 ^ 30 + 1, 0 / 0 } do
      assert.error_matches(function() db:ballast(bytes) end, "1 byte to 1 GiB", 1, true)
    end
    assert.error(function() db:ballast() end)
  end)

  it("that is a directory is refused", function()
    shell.must("mkdir " .. path .. "-ballast")
    local result, message = db:ballast(MiB)
    assert.is_nil(result)
    assert.matches(path .. "-ballast: Is a directory", message, 1, true)
    result, message = db:drop_ballast()
    assert.is_nil(result)
    assert.matches(path .. "-ballast: ", message, 1, true)
  end)
end)

describe("a full disk", function()
  local mounted = shell.directory()
  local can_mount = select(2, shell.run("mount -t tmpfs -o size=4m none " .. mounted)) == 0
  teardown(function() if can_mount then shell.must("umount " .. mounted) end end)
  local it_mounts = only_with(can_mount, "needs the right to mount", it, pending)

  local path = mounted .. "/orders.db"
  local db, insert

  before_each(function()
    if not can_mount then return end
    db = assert(sqlite.open(path))
    databases.write(db, TABLE)
    insert = assert(db:prepare "INSERT INTO t VALUES(?)")
  end)
  after_each(function()
    if not can_mount then return end
    db:close()
    shell.must("rm -f " .. mounted .. "/*")
  end)

  -- Puts until it is refused: how many there were, and the refusal.
  local function fill()
    local text, count = ("x"):rep(10000), 0
    assert(db:lock())
    while true do
      local changes, message, code = insert:run(text)
      if not changes then
        assert(db:unlock())
        return count, message, code
      end
      count = count + 1
    end
  end

  local function stored() return tonumber(databases.judge(path, "SELECT count(*) FROM t")) end

  it_mounts("refuses a put, and keeps what it took", function()
    local count, message, code = fill()
    assert.equal("SQLITE_FULL", code)
    assert.equal(path .. ": database or disk is full; the disk is full: make room, then try again", message)
    assert.is_true(count > 10)
    assert.equal(count, stored())
    assert.is_true(db:check())
  end)

  it_mounts("takes puts again when the ballast is dropped", function()
    assert(db:ballast(2 * MiB))
    local before = fill()
    assert.is_true(db:drop_ballast())
    local more = fill()
    assert.is_true(more > 10)
    assert.equal(before + more, stored())
    assert.equal("ok", databases.judge(path, "PRAGMA integrity_check"))
  end)

  it_mounts("has no room for ballast: what was there stays", function()
    assert(db:ballast(MiB))
    local result, message, code = db:ballast(100 * MiB)
    assert.is_nil(result)
    assert.equal("SQLITE_FULL", code)
    assert.matches("orders.db-ballast: No space left on device; the disk is full", message, 1, true)
    assert.equal(MiB, (size_of(path .. "-ballast")))
    assert(db:drop_ballast())
    assert.is_nil((db:ballast(100 * MiB)))
    assert.is_nil((size_of(path .. "-ballast")))
    assert.is_true(fill() > 100)
  end)

  it_mounts("makes no new database, and says why", function()
    shell.run("head -c 10000000 /dev/zero > " .. mounted .. "/filler")
    local other, message, code = sqlite.open(mounted .. "/other.db")
    assert.is_nil(other)
    assert.equal("SQLITE_FULL", code)
    assert.matches("make room", message, 1, true)
    os.remove(mounted .. "/filler")
    other = assert(sqlite.open(mounted .. "/other.db"))
    databases.write(other, TABLE)
    other:close()
  end)

  -- A limit for files instead of a disk, which needs no right. SIGXFSZ is ignored, as nginx does.
  it("of a process that may not write long files is an error, too", function()
    local limited = databases.path()
    local chunk = [[
      local db = assert(require("alipayhk.sqlite").open(arg[1]))
      assert(db:lock() and db:execute "CREATE TABLE t(v)")
      local insert, count, changes, message, code = assert(db:prepare "INSERT INTO t VALUES(?)"), -1, 1
      while changes do
        count = count + 1
        changes, message, code = insert:run(("x"):rep(10000))
      end
      print(count, code, message, db:check())
      print(db:ballast(1e7))
      assert(db:unlock())
    ]]
    local output, status = shell.run("trap '' XFSZ; ulimit -f 512; " .. child.command(chunk, { limited }))
    assert.equal(0, status, output)
    local count, code, rest, ballast = output:match("^(%d+)\t(%S+)\t([^\n]*)\n(.*)$")
    assert.is_true(tonumber(count) > 5, output)
    assert.equal("SQLITE_IOERR_WRITE", code)
    assert.matches("disk I/O error; is a quota or a limit for files (ulimit -f) reached?", rest, 1, true)
    assert.matches("\ttrue$", rest)
    assert.matches("File too large", ballast, 1, true)
    assert.is_nil((size_of(limited .. "-ballast")))
    assert.equal(count, databases.judge(limited, "SELECT count(*) FROM t"))
  end)
end)
