-- The reference pages and the editor annotations are what the data makes of them.

local shell = require "spec.support.shell"

local function names_in(directory)
  return shell.must("cd " .. directory .. " && ls")
end

describe("make docs", function()
  local fresh

  setup(function()
    fresh = shell.directory()
    shell.must(("make -s docs LUA=5.4 SCENARIO_PAGES=%s PAYLOAD_TYPES=%s/payloads.lua"):format(fresh, fresh))
  end)

  it("gives the pages that stand in docs/scenarios, and no others", function()
    local pages = names_in("docs/scenarios")
    assert.equal(pages, (names_in(fresh):gsub("payloads%.lua\n", "")))
    for name in pages:gmatch("[^\n]+") do
      local page = shell.read("docs/scenarios/" .. name)
      assert.equal(page, shell.read(fresh .. "/" .. name), name .. " is stale: make docs")
    end
  end)

  it("gives the editor annotations that stand in lua/alipayhk/payloads.lua", function()
    assert.equal(shell.read("lua/alipayhk/payloads.lua"), shell.read(fresh .. "/payloads.lua"), "stale: make docs")
  end)
end)

describe("the reference pages", function()
  it("lead nowhere that does not exist", function()
    for name in names_in("docs/scenarios"):gmatch("[^\n]+") do
      for target in shell.read("docs/scenarios/" .. name):gmatch("%]%(([%l_]+%.md)%)") do
        assert.truthy(shell.read("docs/scenarios/" .. target), target)
      end
    end
  end)

  -- What the client fills in.
  local FILLED = { order = { "requestId", "orderModifyTime" }, card = { "requestId", "bizDate" } }

  it("show samples that are Lua, and JSON with what the client fills in", function()
    local cjson = require "cjson"
    local count = 0
    for name in names_in("docs/scenarios"):gmatch("[^\n]+") do
      local text = shell.read("docs/scenarios/" .. name)
      local code, json = text:match("```lua\nclient:[%l_]+ (.-)```"), text:match("```json\n(.-)```")
      if name ~= "README.md" then
        local given = assert((rawget(_G, "loadstring") or load)("return " .. code))()
        local sent = cjson.decode(json)
        for locale, texts in pairs(sent.syncDataInfo and sent.syncDataInfo.languageBusinessInfo or {}) do
          sent.syncDataInfo.languageBusinessInfo[locale] = cjson.decode(texts)
        end
        for _, field in ipairs(FILLED[sent.orderModifyTime and "order" or "card"]) do
          assert.is_nil(given[field])
          assert.is_not_nil(sent[field])
          sent[field] = nil
        end
        assert.same(given, sent, name)
        count = count + 1
      end
    end
    assert.equal(15, count)
  end)
end)
