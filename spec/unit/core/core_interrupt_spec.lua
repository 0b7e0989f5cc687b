-- SIGINT and SIGTERM as a flag, in processes of their own.

local child = require "spec.support.child"

local CHUNK = [[
  local core = require "alipayhk.core"
  core.catch_interrupts()
  core.catch_interrupts()
  print(core.interrupted())
  for _, signal in ipairs(arg) do
    -- Not os.execute: it ignores SIGINT until the command has ended.
    io.popen("kill -" .. signal .. " $PPID"):close()
    core.sleep(20)
    print(core.interrupted())
    io.stdout:flush()
  end
]]

-- A suite that runs in the background has SIGINT ignored, and its children with it.
local DEFAULT = { "--default-signal=INT,TERM" }

describe("an interrupt", function()
  for _, signal in ipairs { "INT", "TERM" } do
    it("is noted: SIG" .. signal, function()
      assert.same({ "false\ntrue\n", 0 }, { child.run(CHUNK, { signal }, DEFAULT) })
    end)
  end

  for signals, status in pairs { ["INT INT"] = 130, ["TERM INT"] = 130, ["INT TERM"] = 143 } do
    it("ends the process the second time: " .. signals, function()
      local first, second = signals:match("(%u+) (%u+)")
      local said, is = child.run(CHUNK, { first, second, "CONT" }, DEFAULT)
      assert.matches("^false\ntrue\n", said)
      assert.is_nil(said:match("true.*true"))
      assert.equal(status, is)
    end)
  end

  it("stays ignored where it was ignored before", function()
    -- SIGTERM, for of SIGINT the interpreter itself takes care.
    local said, status = child.run(CHUNK, { "TERM", "INT", "TERM" },
      { "--default-signal=INT", "--ignore-signal=TERM" })
    assert.same({ "false\nfalse\ntrue\ntrue\n", 0 }, { said, status })
  end)
end)
