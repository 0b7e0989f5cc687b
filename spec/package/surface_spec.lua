-- The public names are those on record: one that goes or comes is to be seen in review, and said in CHANGELOG.md.

local shell = require "spec.support.shell"
local surface = require "spec.support.sources.surface"

local RECORD = "spec/package/surface.txt"

describe("the public surface", function()
  it("is the one on record", function()
    local recorded, present = {}, {}
    for name in shell.read(RECORD):gmatch("[^\n]+") do recorded[name] = true end
    for _, name in ipairs(surface.names()) do present[name] = true end
    local changes = {}
    for name in pairs(recorded) do
      if not present[name] then changes[#changes + 1] = "gone: " .. name end
    end
    for name in pairs(present) do
      if not recorded[name] then changes[#changes + 1] = "new: " .. name end
    end
    table.sort(changes)
    assert.same({}, changes, "if it is meant: make surface")
  end)

  it("has the names of the design", function()
    local names = "\n" .. table.concat(surface.names(), "\n") .. "\n"
    for _, name in ipairs {
      "alipayhk.new(", "alipayhk.check(", "alipayhk.outbox(",
      "alipayhk.Client:sync_order(", "alipayhk.Client:sync_many(",
      "alipayhk.Outbox:put(", "alipayhk.Outbox:deliver(", "alipayhk.core.private_key(", "$ alipayhk check ",
    } do
      assert.truthy(names:find("\n" .. name, 1, true), name)
    end
  end)
end)
