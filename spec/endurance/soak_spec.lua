-- `make soak` in its short form, and its judges: what they find where something is wrong.

local child = require "spec.support.child"
local flat = require "spec.soak.flat"
local ledger = require "spec.soak.ledger"
local only_with = require "spec.support.asserting.only_with"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local it_soaks = only_with(process.has_posix, "is for where processes are killed", it, pending)

describe("a soak", function()
  it_soaks("of half a minute loses nothing and turns no order back", function()
    local output, status = shell.run("MINUTES=0.4 " .. child.interpreter() .. " spec/soak/run.lua < /dev/null")
    assert.equal(0, status, output)
    assert.is_true(tonumber(output:match("(%d+) states that had to arrive")) > 100, output)
    assert.is_true(tonumber(output:match("(%d+) deliverers killed")) >= 2, output)
  end)
end)

describe("the ledger of a soak", function()
  local function complaints(taken, promised)
    local folder = shell.directory()
    local lines = {}
    for i, entry in ipairs(taken) do
      lines[i] = ('{"merchant_biz_no":"A","status":"%s","result_code":"%s"}\n'):format(entry[1], entry[2] or "SUCCESS")
    end
    shell.write(folder .. "/requests", table.concat(lines))
    shell.write(folder .. "/notes", promised)
    local book = ledger.new(folder .. "/requests")
    book:read()
    return table.concat((book:complaints(folder .. "/notes")), "\n")
  end

  it("has nothing to say where all has arrived, once or twice", function()
    assert.equal("", complaints({ { "TICKETED" }, { "TICKETED" }, { "USED" } }, "many A TICKETED\nmany A USED\n"))
  end)

  it("finds what was taken by nobody, and what went backwards", function()
    local failed = { "USED", "UNKNOWN_EXCEPTION" }
    assert.equal("A USED never arrived", complaints({ { "TICKETED" }, failed }, "many A USED\n"))
    assert.equal("A went backwards", complaints({ { "USED" }, { "TICKETED" } }, "many A USED\n"))
  end)

  it("goes on where the log begins anew", function()
    local path = shell.directory() .. "/requests"
    local line = '{"merchant_biz_no":"%s","status":"USED","result_code":"SUCCESS"}\n'
    local book = ledger.new(path)
    shell.write(path, line:format("A"))
    book:read()
    local file = assert(io.open(path, "a"))
    file:write('{"rotated":true}\n')
    file:close()
    os.remove(path)
    shell.write(path, line:format("B") .. '{"merchant_biz_no":"C"')
    book:read()
    assert.same({ A = { last = 2, USED = 1 }, B = { last = 2, USED = 1 } }, book.taken)
  end)
end)

describe("the samples of a soak", function()
  it("tell a process that grows from one that does not", function()
    local steady, growing = flat.new(), flat.new()
    for i = 1, 18 do
      steady:sample("steady", "self")
      growing:sample("growing", "self")
      growing.by_process["growing self"][i].kib = 20000 + 1000 * i
    end
    assert.same({}, select(2, steady:summary()))
    assert.same({ "growing: kib grew from 32000 to 38000" }, select(2, growing:summary()))
  end)
end)
