-- The reference, its pages of scenarios and the generated annotations are what data and annotations make of them.

local read_meta = require "docs.generate.read_meta"
local shell = require "spec.support.shell"

local function names_in(directory)
  return shell.must("cd " .. directory .. " && ls")
end

describe("make docs", function()
  local fresh

  setup(function()
    fresh = shell.directory()
    shell.must("make -s docs LUA=5.4 DOCS_INTO=" .. fresh)
  end)

  it("gives the files that stand here, byte for byte", function()
    local count = 0
    for path in shell.must("cd " .. fresh .. " && find . -type f"):gmatch("%./([^\n]+)") do
      assert.equal(shell.read(path), shell.read(fresh .. "/" .. path), path .. " is stale: make docs")
      count = count + 1
    end
    assert.is_true(count > 18)
  end)

  it("gives every page in docs/scenarios", function()
    assert.equal(names_in("docs/scenarios"), names_in(fresh .. "/docs/scenarios"))
  end)

  it("gives the reference and the annotations that come of the data", function()
    for _, path in ipairs { "docs/reference.md", "lua/alipayhk/meta/apis.lua", "lua/alipayhk/meta/payloads.lua" } do
      assert.truthy(shell.read(fresh .. "/" .. path), path)
    end
  end)

  it("has every file of annotations in the reference, but for the payloads", function()
    local reference = shell.read(fresh .. "/docs/reference.md")
    for name in names_in("lua/alipayhk/meta"):gmatch("([^\n]+)%.lua") do
      local source = shell.read("lua/alipayhk/meta/" .. name .. ".lua")
      local first = source:match("%-%-%-@class ([%w_.]+)") or source:match("%-%-%-@alias ([%w_.]+)")
      if name ~= "payloads" then assert.truthy(reference:find("\n### " .. first .. "\n", 1, true), name) end
    end
  end)
end)

describe("a table between marks", function()
  local BEGIN, END = "<!-- made from lua/alipayhk/meta: %s -->\n", "<!-- end -->\n"

  -- What the generator makes of a page.
  local function generated(page)
    local folder = shell.directory()
    local path = folder:match("build/test/[^/]+$") .. "/page.md"
    shell.write(path, page)
    shell.must(("mkdir -p %s/docs/scenarios %s/lua/alipayhk/meta %s/%s"):format(
      folder, folder, folder, path:match("^(.*)/")))
    local output, status = shell.run(('eval "$(make -s env LUA=5.4)" && lua5.4 docs/generate/init.lua %s %s'):format(
      folder, path))
    return shell.read(folder .. "/" .. path), status, output
  end

  it("is made anew, and what is around it stays", function()
    local page = generated("before\n" .. BEGIN:format("alipayhk.Tls") .. "stale\n" .. END .. "after\n")
    assert.is_nil(page:find("stale", 1, true))
    assert.truthy(page:find("^before\n<!%-%-.-| `min_version` | .-\n<!%-%- end %-%->\nafter\n$"), page)
  end)

  it("leads to the reference for what it does not show", function()
    local page = generated(BEGIN:format("alipayhk.Config") .. END)
    assert.truthy(page:find("(reference.md#alipayhktls)", 1, true), page)
    assert.is_nil(page:find("](#", 1, true))
  end)

  it("of a class that there is not is an error that names it", function()
    local _, status, output = generated(BEGIN:format("alipayhk.Nothing") .. END)
    assert.is_true(status ~= 0)
    assert.truthy(output:find("no class alipayhk.Nothing", 1, true), output)
  end)
end)

describe("annotations that the generator would misread are an error:", function()
  local CASES = {
    ["a tag that it does not know"] = { "---@class a\n---@feild b string\n", "no tag @feild" },
    ["a type that does not end"] = { "---@class a\n---@field b { c: string\n", "a type expected" },
    ["two fields of one name"] = { "---@class a\n---@field b string\n---@field b string\n", "two fields b" },
    ["two functions of one name"] = {
      "---@class a\nlocal a = {}\n\nfunction a.b() end\n\nfunction a.b() end\n", "two functions b" },
    ["two aliases of one name"] = { "---@alias a string\n\n---@alias a string\n", "two aliases a" },
    ["a field without a class"] = { "---@field b string\n", "without a class" },
    ["a parameter that the function has not"] = {
      "---@class a\nlocal a = {}\n\n---@param c string\nfunction a.b(d) end\n", "@param are (c)" },
    ["a parameter without a tag"] = { "---@class a\nlocal a = {}\n\nfunction a.b(d) end\n", "@param are ()" },
    ["a text between tags"] = { "---@class a\n---@field b string\n---more of it\n", "above the tags" },
    ["code"] = { "print()\n", "no code" },
  }
  for what, case in pairs(CASES) do
    it(what, function()
      local ok, message = pcall(read_meta.read, read_meta.new(), "name", case[1])
      assert.is_false(ok)
      assert.truthy(message:find("^name:%d+: ") and message:find(case[2], 1, true), message)
    end)
  end
end)

describe("an API with words of its own", function()
  it("needs none in the generator", function()
    -- The order service under another name.
    local order = require("alipayhk.api").by_name.order
    local description = setmetatable(
      { name = "coupon", class = "Coupon", method = "sync_coupon", noun = "gift coupon", title = "Coupons" },
      { __index = order })
    local scenario = order.scenarios[1]
    local compiled = require("alipayhk.rules").alipayhk:form(order, scenario.sample).schema
    local apis = { { description = description, scenarios = { { scenario = scenario, compiled = compiled } } } }
    local types, payloads = require("docs.generate.api_types")(apis), require("docs.generate.payload_types")(apis)
    local model = read_meta.read(read_meta.read(read_meta.new(), "apis", types), "payloads", payloads)
    local method = model.classes["alipayhk.Client"].functions.sync_coupon
    assert.same({ name = "gift_coupon", type = "alipayhk.Coupon", is_optional = false, description = "" },
      method.params[1])
    assert.truthy(method.description:find("^Sends a gift coupon: "))
    assert.equal('"coupon"', model.aliases["alipayhk.Api"].alternatives[1].type)
    assert.equal("alipayhk.Coupon", model.aliases["alipayhk.Payload"].alternatives[1].type)
    assert.same({ "coupon" }, { model.classes["alipayhk.Scenarios"].fields[1].name })
    assert.equal("alipayhk.coupon." .. scenario.name, model.aliases["alipayhk.Coupon"].alternatives[1].type)
    local page = require("docs.generate.page")(description, scenario, compiled)
    assert.truthy(page:find("client:sync_coupon {", 1, true))
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
