-- make mutants: that it finds what can be changed, and tells a change that the specs notice from one that they do not.

local explained = require "spec.mutation.explained"
local points_of = require "spec.mutation.points"
local shell = require "spec.support.shell"

-- What may become of a source: each mutant, in order.
local function mutants(source, language)
  local found = {}
  for i, point in ipairs(points_of(source, language)) do
    found[i] = source:sub(1, point.from - 1) .. point.new .. source:sub(point.to + 1)
  end
  return found
end

local function run(settings)
  local output, status = shell.run("make -s mutants " .. settings)
  return output, status
end

describe("a mutant", function()
  it("is one change of what Lua does", function()
    assert.same({ "return a <= 1", "return a >= 1", "return a < 2", "return a < 0", "return nil" },
      mutants("return a < 1", "lua"))
    assert.same({ "x =  y or z", "x = not y and z", "" }, mutants("x = not y or z", "lua"))
    assert.same({ "if a ~= true then f() end", "if a == false then f() end" },
      mutants("if a == true then f() end", "lua"))
    assert.same({ "\n  \nend" }, mutants("\n  self:go(on)\nend", "lua"))
    assert.same({ "return true -- 1" }, mutants("return nil -- 1", "lua"))
  end)

  it("is one change of what C does", function()
    assert.same({ "if (a <= b || c) {", "if (a >= b || c) {", "if (a < b && c) {" }, mutants("if (a < b || c) {", "c"))
    assert.same({ "x = y != NULL;", "x = !y == NULL;", ";" }, mutants("x = !y != NULL;", "c"))
    assert.same({ "    ;\n" }, mutants("    free(s->data);\n", "c"))
    assert.same({ "return 0;" }, mutants("return s->end;", "c"))
  end)

  it("is in no comment, string or line of the preprocessor", function()
    assert.same({}, mutants("-- a < 1\nlocal s = 'a < 1' .. [[ b > 2 ]] --[[ true\nfalse ]]", "lua"))
    assert.same({}, mutants("/* a < 1\n */ const char *s = \"a < 1 \\\" + 1\"; // true\n#define N 1 \\\n + 2\n", "c"))
    assert.same({}, mutants("AHK_REQUIRE(a < 1);", "c"))
  end)

  it("is of no size of an element, which is the same of each", function()
    assert.same({}, mutants("size_t n = sizeof all / sizeof all[0] / sizeof(all)[0] / sizeof s->all[0];", "c"))
  end)

  it("may be in a script for Redis, which is a string of the source", function()
    assert.same({ "s = [[\nlocal n = @N@ - 1\n]]" }, { (mutants("s = [[\nlocal n = @N@ + 1\n]]", "lua")[1]) })
  end)
end)

describe("make mutants", function()
  it("kills those that the specs notice, the same ones each time", function()
    local output, status = run("MUTANTS=6 SEED=4 FILES='csrc/crypto/codec.c lua/alipayhk/delivery/store/group.lua "
      .. "lua/alipayhk/delivery/lanes.lua'")
    assert.equal(0, status, output)
    assert.truthy(output:find("6 mutants: 6 killed, 0 survived, 0 explained, 0 not compiled (SEED=4)", 1, true), output)
    local _, names = output:gsub("\nkilled[^\n]- csrc/crypto/codec%.c:%d+: ", "")
    assert.equal(2, names)
    assert.truthy(output:find(shell.read("build/mutants.txt"), 1, true))
  end)

  it("says that one survived which its specs cannot notice, and leaves the checkout alone", function()
    local before = shell.must("git status --porcelain")
    local output, status = run "MUTANTS=1 SEED=1 FILES=csrc/crypto/codec.c SPECS=spec/unit/base/sequence_spec.lua"
    assert.not_equal(0, status)
    assert.truthy(output:find("\nsurvived     csrc/crypto/codec.c:", 1, true), output)
    assert.truthy(output:find("1 mutants: 0 killed, 1 survived", 1, true), output)
    assert.equal(before, shell.must("git status --porcelain"))
  end)
end)

describe("an explained mutant", function()
  for file, entries in pairs(explained) do
    it("is one of " .. file, function()
      local source, there = assert(shell.read(file)), {}
      for _, point in ipairs(points_of(source, file:match "%.(%l+)$")) do
        there[point.text .. ": " .. point.what] = true
      end
      for _, entry in ipairs(entries) do assert.is_true(there[entry[1] .. ": " .. entry[2]], entry[1]) end
    end)
  end
end)
