-- docs/security.md: each of its claims names the tests that hold the code to it.

local readme = require "spec.support.sources.readme"
local shell = require "spec.support.shell"

local PAGE = "docs/security.md"

-- What is wrong with the tests that a row names.
local function faults(row)
  local found, count = {}, 0
  for _, path in ipairs(readme.names(row[2])) do
    count = count + 1
    local spec = shell.read(path)
    if not spec then
      found[#found + 1] = path .. ": no such file"
    elseif not path:find("^spec/.*_spec%.lua$") or not spec:find("%f[%w]it%(") then
      found[#found + 1] = path .. ": has no test"
    end
  end
  if count == 0 then found[1] = "names no test" end
  return found
end

describe("the page of security", function()
  for _, row in ipairs(readme.rows(PAGE, "claim")) do
    it("names tests that there are: " .. row[1], function() assert.same({}, faults(row)) end)
  end

  it("would be found to name one that is not there", function()
    assert.same({ "spec/no_spec.lua: no such file" }, faults { "", "`spec/no_spec.lua`" })
    assert.same({ "README.md: has no test" }, faults { "", "`README.md`" })
    assert.same({ "names no test" }, faults { "", "" })
  end)

  it("is short enough to be read", function()
    assert.is_true(select(2, shell.read(PAGE):gsub("\n", "")) <= 150)
  end)
end)
