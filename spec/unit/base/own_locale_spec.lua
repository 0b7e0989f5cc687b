-- The library works in the C locale, in its thread alone and no longer than a call.

local child = require "spec.support.child"
local locales = require "spec.support.data.locales"

local path, missing = locales.path()

if not path then
  pending("a locale of the program's own: " .. missing)
  return
end

describe("the program's own locale", function()
  it("is in force again after a call, however that ended", function()
    assert.equal(", , , , ,\n", (child.run([[
      local core = require "alipayhk.core"
      local said = {}
      local function add() said[#said + 1] = core.decimal_point() end
      assert(os.setlocale(arg[1]))
      assert(core.json_number(1 / 2) == "0.5")
      add()
      assert(core.json_settle { "\239\183\144f0.5" }[1] == 1 / 2)
      add()
      assert(core.in_c_locale(core.decimal_point) == ".")
      add()
      assert(not pcall(core.in_c_locale, error, "thrown"))
      add()
      assert(select(2, core.private_key { file = "/missing" }) == "/missing: No such file or directory")
      add()
      print(table.concat(said, " "))
    ]], { "de_DE.UTF-8" }, { "LOCPATH=" .. path, "ASAN_OPTIONS=detect_leaks=0" })))
  end)
end)
