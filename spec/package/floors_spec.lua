-- The house keeps its floors: no module requires from above, and none in a circle.

local floors = require "spec.support.sources.floors"
local shell = require "spec.support.shell"

local function read_tree()
  local sources = {}
  for path in shell.must("find lua -name '*.lua'"):gmatch("[^\n]+") do sources[path] = shell.read(path) end
  return sources
end

-- The tree with one more line in one file.
local function faults_with(path, line)
  local sources = read_tree()
  sources[path] = (sources[path] or "") .. "\n" .. line .. "\n"
  return table.concat(floors.faults(sources), "\n")
end

describe("the floors of lua/alipayhk", function()
  it("are kept", function()
    local sources = read_tree()
    assert.is_string(sources["lua/alipayhk/exchange/retry.lua"])
    assert.same({}, floors.faults(sources))
  end)

  it("hold more than one module each", function()
    local present = {}
    for path in pairs(read_tree()) do present[path:match("^lua/alipayhk/([a-z_]+)/") or "top"] = true end
    for _, name in ipairs { "base", "api", "schema", "rules", "transport", "exchange", "top" } do
      assert.is_true(present[name], name)
    end
  end)

  for _, case in ipairs {
    { "base", "lua/alipayhk/base/text.lua", 'require "alipayhk.api"' },
    { "api", "lua/alipayhk/api/order.lua", 'local schema = require("alipayhk.schema.fields")' },
    { "schema", "lua/alipayhk/schema/types.lua", "pcall(require, 'alipayhk.rules')" },
    { "rules", "lua/alipayhk/rules/check.lua", 'local wire = require "alipayhk.exchange.wire"' },
    { "transport", "lua/alipayhk/transport/curl.lua", 'return require("alipayhk.exchange." .. name)' },
    { "exchange", "lua/alipayhk/exchange/retry.lua", 'require "alipayhk"' },
    { "top", "lua/alipayhk/client.lua", 'require "alipayhk.cli.send"' },
  } do
    it("refuse a module of " .. case[1] .. " that requires from above", function()
      assert.matches("which is above it", faults_with(case[2], case[3]), 1, true)
    end)
  end

  it("pass over a require that stands in a comment", function()
    assert.equal("", faults_with("lua/alipayhk/base/text.lua", '-- require "alipayhk.api"'))
  end)

  it("refuse a circle on one floor", function()
    assert.matches("a cycle: ", faults_with("lua/alipayhk/exchange/wire.lua",
      'require "alipayhk.exchange.response"'), 1, true)
  end)

  it("refuse a folder that is none of them", function()
    assert.matches("is on no floor: helpers", faults_with("lua/alipayhk/helpers/misc.lua", ""), 1, true)
  end)

  it("refuse code that requires annotations", function()
    local found = faults_with("lua/alipayhk/client.lua", 'require "alipayhk.meta.client"')
    assert.matches("which is above it", found, 1, true)
  end)
end)
