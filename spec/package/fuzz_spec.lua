-- The fuzz targets, their corpora and their page belong together.

local readme = require "spec.support.sources.readme"
local shell = require "spec.support.shell"

-- The names of the files in a folder below fuzz/, without what stands behind the first point.
local function names_in(folder)
  local names = {}
  for name in shell.must("ls fuzz/" .. folder):gmatch("[^\n]+") do names[name:match("^[^.]+")] = true end
  return names
end

local targets = names_in "targets"

describe("a fuzz target", function()
  it("has a corpus, and each corpus a target", function()
    assert.same(targets, names_in "corpus")
  end)

  it("has a row on its page that says what always holds", function()
    local rows = {}
    for _, found in ipairs(readme.tables("fuzz/README.md")) do
      for _, row in ipairs(found.rows) do rows[row[1]:match("^`([^`]+)`$")] = row[3] ~= "" end
    end
    assert.same(targets, rows)
  end)

  it("is there for each dictionary and each input that failed", function()
    for _, folder in ipairs { "dictionaries", "regressions" } do
      for name in pairs(names_in(folder)) do assert.is_true(targets[name], folder .. "/" .. name) end
    end
  end)
end)
