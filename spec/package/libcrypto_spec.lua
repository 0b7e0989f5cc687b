-- The core in a program that exports an OpenSSL of its own: it says so, or carries its own.

local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local SCRIPT = [[
  local core = require "alipayhk.core"
  local key = assert(core.private_key { file = %q })
  assert(key:verify("text", assert(key:sign("text"))))
  print "signed"
]]

local HOST = "cc -std=c11 -w -rdynamic -O1 %s -D'FOREIGN_FUNCTIONS=%s' $(pkg-config --cflags lua5.4) -o %s"
  .. " spec/support/programs/foreign_openssl.c $(pkg-config --libs lua5.4)"

-- OpenSSL's functions that an object takes from elsewhere.
local function undefined(object)
  local names = {}
  for name in shell.must("nm -D --undefined-only " .. object):gmatch("U ([%w_]+)@OPENSSL") do
    names[#names + 1] = name
  end
  return names
end

local function foreign(names)
  local list = {}
  for _, name in ipairs(names) do
    if name ~= "OpenSSL_version_num" then list[#list + 1] = "FOREIGN(" .. name .. ")" end
  end
  return table.concat(list, " ")
end

describe("alipayhk.core", function()
  local directory, script, core, static

  setup(function()
    directory = shell.directory()
    shell.must("make -s build LUA=5.4 && make -s build LUA=5.4 BUILD=build/static STATIC_OPENSSL=1")
    core, static = "build/5.4/alipayhk/core.so", "build/static/alipayhk/core.so"
    script = directory .. "/script.lua"
    shell.write(script, SCRIPT:format(keys.path("rsa", "pkcs8.pem")))
  end)

  -- Runs the script in a host with these functions of its own; gives all that was printed.
  local function run(name, options, functions, build, libraries)
    local host = directory .. "/" .. name
    shell.must(HOST:format(options, functions, host) .. " " .. (libraries or ""))
    return shell.run(('eval "$(make -s env LUA=5.4 BUILD=%s)"; %s %s 2>&1'):format(build, host, script))
  end

  -- What object files take from elsewhere, as a set.
  local function taken(objects)
    local names = {}
    for name in shell.must("nm -u " .. objects):gmatch("U ([%w_]+)") do names[name] = true end
    return names
  end

  it("knows every function that it takes from OpenSSL, and asks for no other", function()
    local library = "build/5.4/obj/crypto/library.o"
    local listed = taken(library)
    local others = "-e /http/ -e /store/ -e /redis/ -e /keytool/ -e bind/curl -e bind/redis -e bind/keytool"
    local used = taken(("$(ls build/5.4/obj/*/*.o | grep -v -e %s %s)"):format(library, others))
    local names = undefined(core)
    assert.is_true(#names > 50)
    for _, name in ipairs(names) do
      assert.is_true(listed[name], name .. " is missing in " .. library)
      assert.is_true(used[name] or name == "OpenSSL_version_num", name .. " is not used")
    end
  end)

  it("works in a host that exports nothing of OpenSSL's", function()
    assert.equal("signed\n", run("plain", "", "", "build/5.4"))
  end)

  it("works in a host whose stand-in for a function is only that", function()
    assert.equal("signed\n", run("stand_in", "-no-pie -fno-pie -DSTAND_IN", "", "build/5.4", "-lcrypto"))
  end)

  it("refuses to work with two libraries, and names both files and the cure", function()
    local said = run("mixed", "", "FOREIGN(EVP_DigestSign)", "build/5.4")
    assert.truthy(said:find("OpenSSL comes from two files", 1, true), said)
    assert.truthy(said:find("EVP_DigestSign from " .. directory .. "/mixed", 1, true), said)
    assert.truthy(said:find("from /[^ ]*libcrypto%.so"), said)
    assert.truthy(said:find("make OPENSSL_DIR=", 1, true) and said:find("make STATIC_OPENSSL=1", 1, true), said)
  end)

  it("refuses a library of another version, and names both files and the cure", function()
    local said = run("old", "-DFOREIGN_VERSION", foreign(undefined(core)), "build/5.4")
    assert.truthy(said:find("core.so was compiled for OpenSSL 3.", 1, true), said)
    assert.truthy(said:find("gets version 1.1 from " .. directory .. "/old", 1, true), said)
    assert.truthy(said:find("make STATIC_OPENSSL=1", 1, true), said)
  end)

  it("with an OpenSSL of its own works in either, and shows nothing of it", function()
    assert.equal("signed\n", run("mixed2", "", "FOREIGN(EVP_DigestSign)", "build/static"))
    assert.equal("signed\n", run("old2", "-DFOREIGN_VERSION", foreign(undefined(core)), "build/static"))
    assert.equal("luaopen_alipayhk_core\n", shell.must("nm -D --defined-only " .. static .. " | awk '{ print $3 }'"))
    assert.same({}, undefined(static))
  end)
end)
