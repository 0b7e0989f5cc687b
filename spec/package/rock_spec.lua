-- The rock and `make install`, in throw-away trees, used from there.

local gateway = require "spec.support.servers.gateway"
local readme = require "spec.support.sources.readme"
local shell = require "spec.support.shell"

-- Sends one order to the gateway; prints where the library came from.
local SCRIPT = [[
local alipayhk = require "alipayhk"
local client = assert(alipayhk.new {
  client_id = %q, base_url = %q, private_key = { file = %q }, alipay_public_key = { file = %q },
  tls = { ca_file = %q },
})
print(assert(client:sync_order {
  merchantBizNo = "ROCK-1", merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", userId = "1",
  orderCreateTime = 1716338541000, extInfo = {},
}).result.resultCode)
print((debug.getinfo(alipayhk.new, "S").source:gsub("^@", "")))
]]

local function script(directory)
  local values = gateway.values()
  local path = directory .. "/order.lua"
  shell.write(path, SCRIPT:format(values.rsa_client_id, values.base_url, values.rsa_private_key,
    values.rsa_alipay_public_key, values.ca_file))
  return path
end

-- Runs it outside the checkout, so that only the tree can give the library.
local function run(environment, interpreter, directory)
  local path = script(directory)
  return shell.must(("cd %s && unset LUA_PATH LUA_CPATH LUA_PATH_5_4 LUA_CPATH_5_4 && %s && %s %s"):format(
    directory, environment, interpreter, path))
end

describe("luarocks make", function()
  it("installs as the README has it, beside a lua-cjson that is no rock", function()
    local directory = shell.directory()
    local command = readme.block_with("luarocks --lua-version"):match("(luarocks [^\n#]*)")
    shell.must(command:gsub("^luarocks ", ("luarocks --tree=%s/tree "):format(directory)))
    local environment = ('eval "$(luarocks --lua-version=5.4 --tree=%s/tree path)"'):format(directory)
    assert.truthy(run(environment, "lua5.4", directory):find("^SUCCESS\n"))
  end)
end)

describe("make install", function()
  it("puts into PREFIX all that is needed", function()
    local directory = shell.directory()
    shell.must("make -s install PREFIX=/usr DESTDIR=" .. directory)
    local environment = ("PREFIX=%s/usr && %s"):format(directory, readme.block_with("export LUA_PATH"):gsub("\n$", ""))
    local output = run(environment, "lua5.4", directory)
    assert.equal(("SUCCESS\n%s/usr/share/lua/5.4/alipayhk/init.lua\n"):format(directory), output)
  end)

  it("waits for a build that is asked for beside it", function()
    local directory = shell.directory()
    shell.must(("make -s -j2 install build BUILD=%s/build PREFIX=/usr DESTDIR=%s/root"):format(directory, directory))
    shell.must(("test -f %s/root/usr/lib/lua/5.4/alipayhk/core.so"):format(directory))
  end)

  it("says what to do where nothing is built", function()
    local output, status = shell.run("make -s install BUILD=build/none")
    assert.is_true(status ~= 0)
    assert.truthy(output:find("make build", 1, true))
  end)
end)

describe("a header that is not there", function()
  local PACKAGES = {
    { set = "LUA=5.3 LUA_CFLAGS=-I/nowhere", header = "<lua.h>", package = "liblua5.3-dev" },
    { set = "LUA=5.1 LUA_CFLAGS=-I/nowhere", header = "<lua.h>", package = "liblua5.1-0-dev" },
    { set = "LUA=luajit LUA_CFLAGS=-I/nowhere", header = "<lua.h>", package = "libluajit-5.1-dev" },
    { set = "LUA=5.4 OPENSSL_CFLAGS='-nostdinc -I/nowhere'", header = "<openssl/evp.h>", package = "libssl-dev" },
    { set = "LUA=5.4 CURL_CFLAGS='-nostdinc -I/nowhere'", header = "<curl/curl.h>", package = "libcurl4-openssl-dev" },
  }
  for _, case in ipairs(PACKAGES) do
    it(("is named with its package: %s (%s)"):format(case.package, case.set), function()
      local output, status = shell.run("make -s build BUILD=build/none " .. case.set)
      assert.is_true(status ~= 0)
      assert.truthy(output:find(("%s is not there: install %s"):format(case.header, case.package), 1, true), output)
      assert.is_nil(output:find("fatal error", 1, true))
    end)
  end
end)

describe("a module that not everybody needs", function()
  it("is left out with a word where its header is not there", function()
    local directory = shell.directory()
    shell.write(directory .. "/cc", "#!/bin/sh\ncase \"$*\" in *hiredis/*) exit 1 ;; esac\nexec cc \"$@\"\n")
    local build = ("make -s build LUA=5.4 BUILD=%s/build CC='sh %s/cc'"):format(directory, directory)
    assert.equal("<hiredis/hiredis.h> is not there (libhiredis-dev): built without alipayhk.redis\n", shell.must(build))
    assert.equal("", shell.must(build))
    shell.must(("make -s install LUA=5.4 BUILD=%s/build PREFIX=/usr DESTDIR=%s/root"):format(directory, directory))
    local installed = shell.must(("cd %s/root/usr/lib/lua/5.4/alipayhk && ls *.so"):format(directory))
    assert.equal("core.so\ncurl.so\nkeytool.so\nsqlite.so\n", installed)
  end)
end)

describe("a libhiredis that is named", function()
  it("and is not there is an error, not the system's", function()
    local output, status = shell.run(("make -s build LUA=5.4 BUILD=%s HIREDIS_DIR=/nowhere"):format(shell.directory()))
    assert.is_true(status ~= 0)
    assert.truthy(output:find("HIREDIS_DIR=/nowhere: no libhiredis in its lib", 1, true), output)
  end)
end)

describe("SQLite's header", function()
  -- Builds and installs where SQLITE_DIR has that header: what was said at first, what again, and what is there then.
  local function built_with(header)
    local directory = shell.directory()
    shell.must("mkdir " .. directory .. "/include")
    shell.write(directory .. "/include/sqlite3.h", header)
    local set = ("LUA=5.4 BUILD=%s/build SQLITE_DIR=%s"):format(directory, directory)
    local first, second = shell.must("make -s build " .. set), shell.must("make -s build " .. set)
    shell.must(("make -s install PREFIX=/usr DESTDIR=%s/root %s"):format(directory, set))
    local loads = ([[cd %s; lua5.4 -e 'print((pcall(require, "alipayhk.curl")), (pcall(require, "alipayhk.sqlite")))']])
    local environment = ("eval \"$(make -s env %s)\"; "):format(set)
    return first, second, shell.must(("cd %s/root/usr/lib/lua/5.4/alipayhk && ls *.so"):format(directory)),
      shell.must(environment .. loads:format(directory))
  end

  for name, header in pairs {
    ["that is not there"] = "#error",
    ["that is too old"] = "#define SQLITE_VERSION_NUMBER 3030001",
  } do
    it(name .. " is said once, with its package, and all but alipayhk.sqlite is built and installed", function()
      local first, second, installed, loaded = built_with(header)
      assert.matches("alipayhk.sqlite is not built (install libsqlite3-dev, or name its folder with SQLITE_DIR)", first,
        1, true)
      assert.equal("", second)
      assert.equal("core.so\ncurl.so\nkeytool.so\nredis.so\n", installed)
      assert.equal("true\tfalse\n", loaded)
    end)
  end
end)

describe("an OpenSSL that is named", function()
  it("and is not there is an error, not the system's", function()
    local output, status = shell.run("make -s build LUA=5.4 BUILD=build/none OPENSSL_DIR=/nowhere")
    assert.is_true(status ~= 0)
    assert.truthy(output:find("OPENSSL_DIR=/nowhere: no libcrypto in its lib", 1, true), output)
  end)

  it("is found wherever it keeps its library", function()
    for _, folder in ipairs { "lib", "lib64", "lib/some-triplet" } do
      local directory = shell.directory()
      shell.must(("mkdir -p %s/%s && touch %s/%s/libcrypto.so"):format(directory, folder, directory, folder))
      local commands = shell.must("make -n build LUA=5.4 BUILD=build/none OPENSSL_DIR=" .. directory)
      assert.truthy(commands:find(("-L%s/%s "):format(directory, folder), 1, true), commands)
    end
  end)
end)

describe("the shared objects", function()
  for _, module in ipairs { "core", "keytool" } do
    it(module .. " needs libcrypto, and neither libcurl nor libssl", function()
      local needed = shell.must(("readelf -d build/5.4/alipayhk/%s.so | grep NEEDED"):format(module))
      assert.truthy(needed:find("libcrypto", 1, true))
      assert.is_nil(needed:find("libcurl", 1, true))
      assert.is_nil(needed:find("libssl", 1, true))
      assert.is_nil(needed:find("libsqlite", 1, true))
    end)
  end

  it("the database needs libsqlite3, and neither libcrypto nor libcurl", function()
    local needed = shell.must("readelf -d build/5.4/alipayhk/sqlite.so | grep NEEDED")
    assert.truthy(needed:find("libsqlite3", 1, true))
    assert.is_nil(needed:find("libcrypto", 1, true))
    assert.is_nil(needed:find("libcurl", 1, true))
  end)

  it("is loaded by nothing but who asks for it", function()
    local _, status = shell.run([[eval "$(make -s env LUA=5.4)"; lua5.4 -e 'require "alipayhk"]]
      .. [[ local maps = io.open("/proc/self/maps"):read("*a") assert(not maps:find("sqlite"))]]
      .. [[ assert(not maps:find("keytool"))']])
    assert.equal(0, status)
  end)

  it("csrc/bind alone knows Lua, few rooms OpenSSL, csrc/store alone SQLite", function()
    local others = "csrc/base csrc/json csrc/crypto csrc/http csrc/keytool csrc/pool csrc/store csrc/redis"
    local _, lua = shell.run("grep -rlE 'lua\\.h|lauxlib|lua_State' " .. others)
    assert.equal(1, lua)
    local _, openssl = shell.run("grep -rl openssl csrc/base csrc/json csrc/http csrc/store")
    assert.equal(1, openssl)
    local _, database = shell.run("grep -rl sqlite3 csrc/base csrc/json csrc/crypto csrc/http csrc/keytool csrc/redis")
    assert.equal(1, database)
  end)

  it("AlipayHK's paths stand in lua/alipayhk/api and nowhere else", function()
    local files = shell.must("grep -rlE '\"/api/open/' lua gateway")
    assert.equal("lua/alipayhk/api/contract_card.lua\nlua/alipayhk/api/order.lua\n", files:gsub("([^\n]+\n)([^\n]+\n)",
      function(a, b) return a < b and a .. b or b .. a end))
  end)
end)
