-- What the README shows, run as it stands. Its Lua is run by pages_run_spec, too, as that of every page.

local gateway = require "spec.support.servers.gateway"
local readme = require "spec.support.sources.readme"
local shell = require "spec.support.shell"

describe("the README", function()
  it("its first order and its notification succeed", function()
    local directory = shell.directory()
    local first = readme.at_gateway(readme.block("lua", 1), (", tls = { ca_file = %q }"):format(
      gateway.values().ca_file))
    shell.write(directory .. "/first_order.lua", first .. "do\n" .. readme.block("lua", 2) .. "end\n")
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

  it("makes a pair of keys, readable by its owner alone, with the fingerprint that the library shows", function()
    local core = require "alipayhk.core"
    local directory = shell.directory()
    local commands = readme.block_with("openssl genpkey")
      .. readme.inline("docs/configuration.md", "openssl pkey -in merchant.pem -pubout -outform DER")
    local shown = shell.must(("cd %s && { %s ; } 2> /dev/null"):format(directory, commands))
    local private = assert(core.private_key { file = directory .. "/merchant.pem" })
    local public = assert(core.public_key { file = directory .. "/merchant.pub.pem" })
    assert.equal(private:fingerprint(), public:fingerprint())
    assert.truthy(shown:find(private:fingerprint(), 1, true), shown)
    assert.matches("^%-rw%-%-%-%-%-%-%-", shell.must("ls -l " .. directory .. "/merchant.pem"))
  end)

  it("keeps its word on its length, and on that of its examples", function()
    local function lines(text) return select(2, text:gsub("\n", "\n")) end
    assert.is_true(lines(shell.read("README.md")) <= 200)
    assert.is_true(lines(readme.block("lua", 1)) <= 10)
    assert.is_true(lines(readme.block("lua", 3)) <= 15)
  end)

  it("shows how to install within its first forty lines", function()
    assert.is_true(select(2, shell.read("README.md"):match("^(.*)\n## Install\n"):gsub("\n", "\n")) < 40)
  end)
end)

describe("docs/configuration.md", function()
  it("makes a key for ECC224", function()
    local core = require "alipayhk.core"
    local directory = shell.directory()
    shell.must(("cd %s && %s"):format(directory,
      readme.inline("docs/configuration.md", "openssl genpkey -algorithm EC")))
    assert.equal("EC", assert(core.private_key { file = directory .. "/merchant.pem" }):type())
  end)
end)
