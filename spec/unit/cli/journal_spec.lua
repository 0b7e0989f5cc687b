local journal = require "alipayhk.cli.journal"
local shell = require "spec.support.shell"

local OWNER = { client_id = "C1", address = "https://one.example", files = { "/data/orders.jsonl" } }
local A, B, C = ("a"):rep(32), ("b"):rep(32), ("0"):rep(32)

local function owner(extra)
  local made = {}
  for name, value in pairs(OWNER) do made[name] = extra and extra[name] or value end
  return made
end

describe("the first line of a journal", function()
  local head = journal.head(OWNER)

  it("is that of its owner", function()
    assert.is_nil(journal.head_fault(head, OWNER))
    assert.is_nil(head:find("\n", 1, true))
  end)

  for name, case in pairs {
    client_id = { "C2", "another client_id: of C1, not of C2" },
    address = { "https://two.example", "another address: of https://one.example, not of https://two.example" },
    files = { { "/data/other.jsonl" }, "another input: of /data/orders.jsonl, not of /data/other.jsonl" },
  } do
    it("is not that of another " .. name, function()
      assert.matches(case[2], journal.head_fault(head, owner { [name] = case[1] }), 1, true)
    end)
  end

  it("is not that of something else", function()
    for _, line in ipairs { "", "{}", "[]", "no JSON", '{"alipayhk":"check"}', "\0\1", ("x"):rep(100000) } do
      assert.matches("it is no journal", journal.head_fault(line, OWNER), 1, true)
    end
    assert.matches("a later version", journal.head_fault(head:gsub('"format":1', '"format":2'), OWNER), 1, true)
  end)
end)

describe("the marks of a journal", function()
  it("are its lines, as often as they stand there", function()
    assert.same({ [A] = 2, [B] = 1 }, journal.marks(table.concat({ A, B, A, "" }, "\n")))
  end)

  it("are none of what was torn", function()
    assert.same({ [A] = 1, [C] = 1 },
      journal.marks(table.concat({ A, B:sub(2), B .. "b", "", "what", C, B:sub(2) }, "\n")))
    assert.same({ [A] = 1 }, journal.marks(A)) -- all of its digits are there
    assert.same({}, journal.marks "")
  end)
end)

describe("the full path of an input", function()
  for path, expected in pairs {
    ["a"] = "/x/y/a", ["./a"] = "/x/y/a", ["../a"] = "/x/a", ["../../../a"] = "/a", ["/b//c/./d/.."] = "/b/c",
    ["-"] = "-", ["a/../b"] = "/x/y/b",
  } do
    it("of " .. path, function() assert.equal(expected, journal.full_path(path, "/x/y")) end)
  end
end)

describe("a journal", function()
  local path

  before_each(function() path = shell.directory() .. "/journal" end)

  local function marks_of(opened)
    local list = {}
    for mark, count in pairs(opened.marks) do list[#list + 1] = mark:sub(1, 1) .. count end
    table.sort(list)
    return table.concat(list, " ")
  end

  local function note(...)
    local opened = journal.open(path, OWNER)
    for _, mark in ipairs { ... } do assert.is_true(opened:note(mark)) end
    opened:close()
  end

  local function fault(...)
    local ran, thrown = pcall(journal.open, ...)
    assert.is_false(ran)
    assert.equal(2, thrown.status)
    return tostring(thrown)
  end

  it("passes over what was noted, as often as it was", function()
    note(A, B, A)
    local opened = journal.open(path, OWNER)
    for _ = 1, 2 do -- each reader begins anew
      local was_accepted = opened:reader()
      assert.same({ true, true, false, true, false, false },
        { was_accepted(A), was_accepted(A), was_accepted(A), was_accepted(B), was_accepted(B), was_accepted(C) })
    end
    assert.is_false(opened:is_empty())
    opened:close()
  end)

  it("is read rightly, wherever it was torn", function()
    note(A, B, C)
    local whole = shell.read(path)
    local head_length = whole:find("\n", 1, true)
    for length = 0, #whole do
      shell.write(path, whole:sub(1, length))
      local opened = journal.open(path, OWNER)
      local expected = math.max(0, math.floor((length + 1 - head_length) / (#A + 1)))
      assert.equal(({ [0] = "", "a1", "a1 b1", "01 a1 b1" })[expected], marks_of(opened), length)
      assert.is_true(opened:note(C))
      opened:close()
      opened = journal.open(path, OWNER)
      assert.equal(({ [0] = "01", "01 a1", "01 a1 b1", "02 a1 b1" })[expected], marks_of(opened), length)
      opened:close()
    end
  end)

  it("is written by one run at a time", function()
    local opened = journal.open(path, OWNER)
    assert.matches("another run writes it", fault(path, OWNER), 1, true)
    opened:close()
    note(A)
  end)

  it("is only looked at where nothing is to be sent", function()
    local none = journal.open(path, OWNER, true)
    assert.is_true(none:is_empty())
    assert.is_nil(shell.read(path))
    note(A)
    local content, writer = shell.read(path), journal.open(path, OWNER)
    assert.equal("a1", marks_of(journal.open(path, OWNER, true)))
    writer:close()
    assert.equal(content, shell.read(path))
  end)

  it("leaves alone a file that is none", function()
    local order = '{"merchantBizNo":"1"}'
    for _, content in ipairs { "x", "{}", order, order .. "\n", "\n", ("0"):rep(70000) } do
      shell.write(path, content)
      assert.matches("it is no journal of this command", fault(path, OWNER), 1, true)
      assert.equal(content, shell.read(path))
    end
  end)

  it("says why it cannot be written", function()
    assert.matches("--journal: /dev/full: it is no regular file", fault("/dev/full", OWNER), 1, true)
    assert.matches("No such file or directory", fault(path .. "/none/journal", OWNER), 1, true)
    assert.matches("Is a directory", fault(shell.directory(), OWNER), 1, true)
  end)

  it("has names that are no UTF-8", function()
    local odd = owner { files = { journal.full_path("\255\254", "/x") } }
    local opened = journal.open(path, odd)
    opened:close()
    journal.open(path, odd):close()
  end)

  it("is for its owner's eyes alone", function()
    note(A)
    assert.equal("600\n", shell.must("stat -c %a " .. path))
  end)
end)
