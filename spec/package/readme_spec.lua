-- What the README shows, run as it stands.

local gateway = require "spec.support.servers.gateway"
local readme = require "spec.support.sources.readme"
local config = require "alipayhk.config"
local shell = require "spec.support.shell"

describe("the README", function()
  it("its first order and its notification succeed", function()
    local directory = shell.directory()
    local first = readme.at_gateway(readme.block("lua", 1), (", tls = { ca_file = %q }"):format(
      gateway.values().ca_file))
    local second = readme.block("lua", 2) .. 'print(response and response.result.resultCode or err)\n'
    shell.write(directory .. "/first_order.lua", first .. "do\n" .. second .. "end\n")
    assert.equal("SUCCESS\nSUCCESS\n", shell.must(
      'eval "$(make -s env LUA=5.4)" && lua5.4 ' .. directory .. "/first_order.lua"))
  end)

  for _, lua in ipairs { "5.1", "5.4" } do
    it("its first order says what is wrong with the config under Lua " .. lua, function()
      local path = shell.directory() .. "/first_order.lua"
      shell.write(path, (readme.block("lua", 1):gsub('"testing"', '"staging"')))
      shell.must("make -s build LUA=" .. lua)
      local output, status = shell.run(('eval "$(make -s env LUA=%s)" && lua%s %s 2>&1'):format(lua, lua, path))
      assert.is_true(status ~= 0)
      assert.truthy(output:find("`environment`: expected one of", 1, true), output)
    end)
  end

  it("makes a pair of keys, and shows the fingerprint that the library shows", function()
    local core = require "alipayhk.core"
    local directory = shell.directory()
    local commands = readme.block("sh", 2) .. readme.inline("openssl pkey -in merchant.pem -pubout -outform DER")
    local shown = shell.must(("cd %s && { %s ; } 2> /dev/null"):format(directory, commands))
    local private = assert(core.private_key { file = directory .. "/merchant.pem" })
    local public = assert(core.public_key { file = directory .. "/merchant.pub.pem" })
    assert.equal(private:fingerprint(), public:fingerprint())
    assert.truthy(shown:find(private:fingerprint(), 1, true), shown)
  end)

  it("makes a key for ECC224", function()
    local core = require "alipayhk.core"
    local directory = shell.directory()
    shell.must(("cd %s && %s"):format(directory, readme.inline("openssl genpkey -algorithm EC")))
    assert.equal("EC", assert(core.private_key { file = directory .. "/merchant.pem" }):type())
  end)

  it("shows the faults that its wrong payload has", function()
    local alipayhk = require "alipayhk"
    local shown = {}
    local code = "local alipayhk, print = ...\n" .. readme.block("lua", 5)
    assert((rawget(_G, "loadstring") or load)(code))(alipayhk, function(path, kind, message)
      shown[#shown + 1] = ("%-19s %-11s %s\n"):format(path, kind, message)
    end)
    assert.equal(readme.block("", 1), table.concat(shown))
  end)

  it("shows rules of a partner that are understood", function()
    local alipayhk = require "alipayhk"
    local scenarios = assert((rawget(_G, "loadstring") or load)(readme.block("lua", 6) .. "return scenarios"))()
    local _, err = alipayhk.check("order", {
      merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", merchantBizNo = ("x"):rep(21), userId = "u",
      orderCreateTime = 1716338541000, extInfo = { seats = { "A1", "H12345" } },
    }, { scenarios = scenarios })
    assert.equal("invalid", err.kind)
    local paths = {}
    for i, fault in ipairs(err.fields) do paths[i] = fault.path .. " " .. fault.code end
    assert.same({ "merchantBizNo too_long", "extInfo.seats[2] too_long", "extInfo.showTime missing" }, paths)
  end)

  it("keeps its word on the length of its examples", function()
    local function lines(block) return select(2, readme.block("lua", block):gsub("\n", "\n")) end
    assert.is_true(lines(1) <= 10)
    assert.is_true(lines(3) <= 15)
  end)

  it("names every key of the config, and no other", function()
    local section = shell.read("README.md"):match("## Configuration\n(.-)\n## ")
    for name in section:gmatch("\n| `([%l_]+)`") do assert.is_true(config.has_key(name), name) end
    for _, name in ipairs(config.KEYS) do assert.truthy(section:find("`" .. name .. "`", 1, true), name) end
  end)

  it("names only targets that the Makefile has", function()
    local makefile = shell.read("Makefile")
    for target in shell.read("README.md"):gmatch("`?make (%l[%l-]+)") do
      assert.truthy(makefile:find("\n" .. target .. ":", 1, true), target)
    end
  end)
end)
