-- What goes into a statement and comes out of it. The judge is the sqlite3 command.

local databases = require "spec.support.databases"
local sqlite = require "alipayhk.sqlite"

local ALL_BYTES = {}
for i = 0, 255 do ALL_BYTES[i + 1] = string.char(i) end
ALL_BYTES = table.concat(ALL_BYTES)

local MiB = 1024 * 1024

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02X"):format(byte:byte()) end))
end

local function fails(code, words, result, message, found)
  assert.is_nil(result)
  assert.equal(code, found)
  assert.matches(words, message, 1, true)
end

describe("a value", function()
  local db, path, insert, reading

  setup(function()
    db, path = databases.open "CREATE TABLE t(id INTEGER PRIMARY KEY, v)"
    insert = assert(db:prepare "INSERT INTO t(v) VALUES(?)")
    reading = assert(db:prepare "SELECT v FROM t WHERE id = ?")
    assert(db:lock())
  end)
  teardown(function() db:close() end)

  -- What comes back of it, and what the judge says that it is.
  local function round(value)
    local changes, id = insert:run(value)
    assert.equal(1, changes)
    local judged = databases.judge(path, ("SELECT typeof(v), quote(v) FROM t WHERE id = %d"):format(id))
    return reading:first(id).v, judged
  end

  for _, case in ipairs {
    { "nil is NULL, which is absent", nil, nil, "null|NULL" },
    { "true is 1", true, 1, "integer|1" },
    { "false is 0", false, 0, "integer|0" },
    { "a time in milliseconds is an integer", 1716338541000, 1716338541000, "integer|1716338541000" },
    { "zero", 0, 0, "integer|0" },
    { "2^53 is an integer", 2 ^ 53, 2 ^ 53, "integer|9007199254740992" },
    { "-2^53 too", -2 ^ 53, -2 ^ 53, "integer|-9007199254740992" },
    { "a fraction is a real", -1.5, -1.5, "real|-1.5" },
    { "a text", "MB-0001", "MB-0001", "text|'MB-0001'" },
    { "an empty text", "", "", "text|''" },
    { "a text of digits stays one", "1716338541000", "1716338541000", "text|'1716338541000'" },
  } do
    it(case[1], function()
      local found, judged = round(case[2])
      assert.equal(case[3], found)
      assert.equal(case[4], judged)
    end)
  end

  it("that is a float over 2^53 is a real", function()
    local found, judged = round(2 ^ 60)
    assert.equal(2 ^ 60, found)
    assert.matches("^real|1%.152921504606846", judged)
  end)

  it("is infinite as it was", function() assert.equal(math.huge, (round(math.huge))) end)

  it("keeps every byte, NUL too, whatever its class", function()
    for _, text in ipairs { ALL_BYTES, "\0", "a\0b", ("\0"):rep(5000), "\255\254" } do
      local _, id = insert:run(text)
      assert.equal(text, reading:first(id).v)
      assert.equal("text|" .. hex(text), databases.judge(path,
        ("SELECT typeof(v), hex(v) FROM t WHERE id = %d"):format(id)))
    end
    local _, id = insert:run(nil)
    assert(db:execute(("UPDATE t SET v = x'00ff0041' WHERE id = %d"):format(id)))
    assert.equal("\0\255\0A", reading:first(id).v)
    assert.equal("blob", databases.judge(path, ("SELECT typeof(v) FROM t WHERE id = %d"):format(id)))
  end)

  it("of a mebibyte comes back whole", function()
    local text = ALL_BYTES:rep(MiB / 256)
    assert.equal(text, (round(text)))
  end)

  it("is an integer of 64 bits to the last one", function()
    for _, digits in ipairs {
      "9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808",
    } do
      local found = assert(db:prepare("SELECT " .. digits .. " AS v")):first().v
      assert.equal(digits, ("%s"):format(found))
      -- Where no number can hold it, it is its digits; elsewhere it goes in as it came out.
      local is_integer = math.type and math.type(found) == "integer" -- luacheck: ignore
      if is_integer then assert.equal("integer|" .. digits, select(2, round(found))) end
      assert.equal(is_integer and "number" or "string", type(found))
    end
  end)

  it("that no database holds is an error of the caller", function()
    assert.error_matches(function() insert:run(0 / 0) end, "NaN", 1, true)
    for _, value in ipairs { {}, print, io.stdout } do
      assert.error_matches(function() insert:run(value) end, "nil, a boolean, a number or a string", 1, true)
    end
    assert.error_matches(function() insert:run(("x"):rep(64 * MiB + 1)) end, "longer than 64 MiB", 1, true)
  end)
end)

describe("a statement", function()
  local db, path

  before_each(function()
    db, path = databases.open "CREATE TABLE t(id INTEGER PRIMARY KEY, v UNIQUE, w NOT NULL DEFAULT 0)"
    assert(db:lock())
  end)
  after_each(function() db:close() end)

  local function prepare(sql) return assert(db:prepare(sql)) end

  it("that writes says what it changed", function()
    local insert = prepare "INSERT INTO t(v) VALUES(?)"
    assert.same({ 1, 1 }, { insert:run "a" })
    assert.same({ 1, 2 }, { insert:run "b" })
    assert.same({ 2, 2 }, { prepare("UPDATE t SET w = 1"):run() })
    assert.same({ 0, 2 }, { prepare("UPDATE t SET w = 1 WHERE id = 7"):run() })
    assert.same({ 0, 2 }, { prepare("CREATE TABLE u(x)"):run() })
    assert.equal("a,b", databases.judge(path, "SELECT group_concat(v) FROM t"))
  end)

  it("gives its first row, or false", function()
    databases.judge(path, "INSERT INTO t VALUES(1, 'a', 5), (2, NULL, 6)")
    local reading = prepare "SELECT id, v, w FROM t WHERE id >= ? ORDER BY id"
    assert.same({ id = 1, v = "a", w = 5 }, reading:first(1))
    assert.same({ id = 2, w = 6 }, reading:first(2))
    assert.is_false(reading:first(3))
  end)

  it("gives all its rows", function()
    databases.judge(path, "INSERT INTO t VALUES(1, 'a', 5), (2, NULL, 6)")
    local reading = prepare "SELECT * FROM t WHERE w > ? ORDER BY id"
    assert.same({ { id = 1, v = "a", w = 5 }, { id = 2, w = 6 } }, reading:all(0))
    assert.same({}, reading:all(10))
  end)

  it("that writes and gives rows has written all of them after the first", function()
    local changed = prepare "INSERT INTO t(v) SELECT value FROM json_each('[1,2,3]') RETURNING id":first()
    assert.same({ id = 1 }, changed)
    assert.equal("3", databases.judge(path, "SELECT count(*) FROM t"))
  end)

  it("leaves no transaction open behind its first row", function()
    databases.judge(path, "INSERT INTO t VALUES(1, 'a', 5), (2, NULL, 6)")
    assert.same({ id = 1 }, prepare "SELECT id FROM t ORDER BY id":first())
    assert.equal("0|0|0", databases.judge(path, "PRAGMA wal_checkpoint(TRUNCATE)"))
  end)

  it("wants as many values as it has parameters", function()
    local insert = prepare "INSERT INTO t(v, w) VALUES(?, ?)"
    for _, call in ipairs {
      function() insert:run("a") end, function() insert:run("a", 1, 2) end, function() insert:first() end,
      function() insert:all("a", nil, nil) end,
    } do
      assert.error_matches(call, "2 parameters expected", 1, true)
    end
    assert.same({ 1, 1 }, { insert:run(nil, 1) })
  end)

  it("works on after an error, and says by name which it was", function()
    local insert = prepare "INSERT INTO t(v, w) VALUES(?, ?)"
    assert(insert:run("a", 1))
    fails("SQLITE_CONSTRAINT_UNIQUE", path .. ": UNIQUE constraint failed: t.v", insert:run("a", 1))
    fails("SQLITE_CONSTRAINT_NOTNULL", "t.w", insert:run("b", nil))
    assert.same({ 1, 2 }, { insert:run("b", 1) })
  end)

  it("is one statement", function()
    fails("SQLITE_ERROR", "syntax error", db:prepare "SELEC 1")
    fails("SQLITE_ERROR", "no such table", db:prepare "SELECT * FROM missing")
    fails("SQLITE_MISUSE", "more than one", db:prepare "SELECT 1; SELECT 2")
    fails("SQLITE_MISUSE", "none", db:prepare " -- nothing")
    fails("SQLITE_MISUSE", "NUL", db:prepare "SELECT 1\0 + 1")
    fails("SQLITE_TOOBIG", "1 MiB", db:prepare("SELECT 1" .. (" "):rep(MiB)))
    fails("SQLITE_ERROR", "variable", db:prepare("SELECT ?65"))
    assert.same({ x = 1 }, prepare("SELECT 1 AS x ;\n "):first())
  end)

  it("that takes double quotes for a text is refused: it is a slip", function()
    fails("SQLITE_ERROR", "no such column", db:prepare 'SELECT * FROM t WHERE v = "a"')
  end)

  it("outlives a change of the schema", function()
    local reading = prepare "SELECT * FROM t"
    databases.judge(path, "INSERT INTO t(id) VALUES(1); ALTER TABLE t ADD COLUMN x DEFAULT 'new'")
    assert.same({ { id = 1, w = 0, x = "new" } }, reading:all())
  end)

  -- ---- limits

  local MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n"

  it("gives 65,536 rows, and an error for more", function()
    local rows = prepare(MANY:format(65536)):all()
    assert.equal(65536, #rows)
    assert.equal(65536, rows[65536].i)
    fails("SQLITE_TOOBIG", "65536 rows", prepare(MANY:format(65537)):all())
  end)

  it("gives 64 MiB, and an error for more", function()
    local zeros = prepare "SELECT zeroblob(?) AS z UNION ALL SELECT zeroblob(?)"
    local rows = zeros:all(40 * MiB, 20 * MiB)
    assert.same({ 40 * MiB, 20 * MiB }, { #rows[1].z, #rows[2].z })
    fails("SQLITE_TOOBIG", "64 MiB", zeros:all(40 * MiB, 40 * MiB))
    fails("SQLITE_TOOBIG", "too big", zeros:all(65 * MiB, 1))
    assert.same({ n = 1 }, prepare("SELECT 1 AS n"):first())
  end)

  it("that writes has not written when its rows are too many", function()
    local insert = prepare("INSERT INTO t(v) " .. MANY:format(65537) .. " RETURNING id")
    fails("SQLITE_TOOBIG", "nothing was changed", insert:all())
    assert.equal("0", databases.judge(path, "SELECT count(*) FROM t"))
    assert(db:execute "BEGIN IMMEDIATE; INSERT INTO t(v) VALUES('kept?')")
    fails("SQLITE_TOOBIG", "nothing was changed", insert:all())
    assert(db:unlock()) -- the whole transaction is undone
    assert.equal("0", databases.judge(path, "SELECT count(*) FROM t"))
  end)

  -- ---- its life

  it("says what it is, and is closed by itself or with its database", function()
    local first, second = prepare "SELECT 1", prepare "SELECT 1"
    assert.equal("alipayhk.sqlite.statement (open)", tostring(first))
    first:close()
    first:close()
    assert.equal("alipayhk.sqlite.statement (closed)", tostring(first))
    assert.error_matches(function() first:first() end, "the statement is closed", 1, true)
    db:close()
    db:close()
    assert.equal("alipayhk.sqlite (closed)", tostring(db))
    assert.equal("alipayhk.sqlite.statement (closed)", tostring(second))
    for _, name in ipairs { "run", "first", "all" } do
      assert.error_matches(function() second[name](second) end, "the database is closed", 1, true)
    end
    for _, name in ipairs { "execute", "prepare", "lock", "unlock", "claim_delivery", "release_delivery", "ballast",
      "drop_ballast", "check", "is_checked", "is_replaced" } do
      assert.error_matches(function() db[name](db, name == "ballast" and 1 or "SELECT 1") end,
        "the database is closed", 1, true)
    end
    second:close()
  end)

  it("keeps its database from being collected", function()
    assert(db:unlock())
    local reading = assert(sqlite.open(path)):prepare "SELECT 7 AS n"
    collectgarbage()
    collectgarbage()
    assert.same({ n = 7 }, reading:first())
  end)

  it("is refused where it is none", function()
    local reading = prepare "SELECT 1"
    assert.error(function() reading.first(db) end)
    assert.error(function() db.check(reading) end)
    assert.error(function() db.close(io.stdout) end)
    assert.equal("alipayhk.sqlite", getmetatable(db))
  end)
end)

describe("db:execute", function()
  local db, path

  before_each(function()
    db, path = databases.open "CREATE TABLE t(v)"
    assert(db:lock())
  end)
  after_each(function() db:close() end)

  it("runs several statements, with comments and blanks between them", function()
    assert.is_true(db:execute " -- one\nINSERT INTO t VALUES(1);;\n\nINSERT INTO t VALUES(2); SELECT * FROM t; /* */")
    assert.is_true(db:execute "")
    assert.equal("1,2", databases.judge(path, "SELECT group_concat(v) FROM t"))
  end)

  it("stops at the first that fails", function()
    fails("SQLITE_ERROR", "no such table: u",
      db:execute "INSERT INTO t VALUES(1); INSERT INTO u VALUES(2); INSERT INTO t VALUES(3)")
    assert.equal("1", databases.judge(path, "SELECT group_concat(v) FROM t"))
  end)

  it("throws for what is no text", function() assert.error(function() db:execute {} end) end)
end)
