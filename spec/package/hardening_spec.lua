-- What the built objects are hardened with, read from the objects: by default, and with flags that others pass.

local shell = require "spec.support.shell"

-- Each gives what is wrong with an object, or nothing.
local function linker(path)
  local read = shell.must(("readelf -lWd %s"):format(path))
  local stack = read:match("GNU_STACK[^\n]*")
  return {
    ["no RELRO"] = not read:find("GNU_RELRO", 1, true),
    ["bound when called, not at the start: RELRO is partial"] = not read:find("%(FLAGS%) *BIND_NOW"),
    ["an executable stack"] = not stack or stack:find("RWE", 1, true) ~= nil,
    ["text relocations"] = read:find("TEXTREL", 1, true) ~= nil,
    ["memory both writable and executable"] = read:find("LOAD[^\n]*RWE") ~= nil,
  }
end

local function compiler(path)
  local taken = shell.must("nm -D --undefined-only " .. path)
  return {
    ["no stack protector"] = not taken:find("U __stack_chk_fail@"),
    ["no FORTIFY"] = not taken:find("U __snprintf_chk@"),
  }
end

local function exports(path)
  local module = path:match("([^/]+)%.so$")
  local names = shell.must("nm -D --defined-only " .. path .. " | awk '{ print $3 }'")
  return { ["exports more than it should"] = names ~= "luaopen_alipayhk_" .. module .. "\n" }
end

-- All that is wrong with an object, in words.
local function faults(path)
  local found = {}
  for _, judge in ipairs { linker, compiler, exports } do
    for what, is_so in pairs(judge(path)) do
      if is_so then found[#found + 1] = what end
    end
  end
  table.sort(found)
  return table.concat(found, "; ")
end

-- Builds the smallest of them in a place of its own, or links it anew in one: where it is, and what make said.
local function built(set, build)
  build = build or shell.directory()
  local path = build .. "/alipayhk/sqlite.so"
  os.remove(path)
  return path, shell.must(("make -s -j2 %s LUA=5.4 BUILD=%s EXTRA_CFLAGS=-Werror %s"):format(path, build, set))
end

describe("the built objects", function()
  for _, lua in ipairs { "5.4", "luajit" } do
    for _, module in ipairs { "core", "curl", "keytool", "redis", "sqlite" } do
      it(("have RELRO, are bound at the start, guard their stacks, are fortified, export one name: %s of %s"):format(
        module, lua), function()
          shell.must("make -s build LUA=" .. lua)
          assert.equal("", faults(("build/%s/alipayhk/%s.so"):format(lua, module)))
        end)
    end
  end

  it("keep all of it where a packager has flags, and another linker line, of his own", function()
    assert.equal("", faults(built("CFLAGS='-O1 -fno-plt' LIBFLAG=-shared LDFLAGS=-Wl,-O1")))
  end)

  it("keep all of it with the variables that the rock passes", function()
    local set = {}
    local rock = shell.read("rockspec/lua-alipayhk-scm-1.rockspec"):match("build_variables = (%b{})")
    for name, value in rock:gmatch('([%u_]+) = "([^"]*)"') do
      if value:find("$", 1, true) and name ~= "LUA_INCDIR" then
        set[#set + 1] = ("%s='%s'"):format(name, name == "CFLAGS" and "-O2 -fPIC" or "")
      end
    end
    assert.is_true(#set > 3)
    assert.equal("", faults(built(table.concat(set, " "))))
  end)

  it("keep all of it with the flags of Debian's packages", function()
    local flags = "env DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get "
    if select(2, shell.run("command -v dpkg-buildflags")) ~= 0 then return pending("this is no Debian") end
    local path, said = built(('CFLAGS="$(%sCPPFLAGS) $(%sCFLAGS)" LDFLAGS="$(%sLDFLAGS)"'):format(flags, flags, flags))
    assert.equal("", said)
    assert.equal("", faults(path))
  end)

  -- FORTIFY cannot be without -O, and warns of that.
  it("are built for a debugger without a warning, and without FORTIFY", function()
    local path, said = built("CFLAGS='-O0 -g'")
    assert.equal("", said)
    assert.equal("no FORTIFY", faults(path))
  end)

  it("take a FORTIFY that is set already as it is", function()
    assert.equal("", select(2, built("CFLAGS='-O2 -D_FORTIFY_SOURCE=1'")))
  end)

  it("do without where that is asked for", function()
    assert.equal("no FORTIFY; no stack protector", faults(built("HARDENING=")))
  end)
end)

describe("an object that lacks one thing", function()
  local linked

  setup(function() linked = built(""):match("^(.*)/alipayhk/") end)

  for _, case in ipairs {
    { "CFLAGS='-O2 -fno-stack-protector'", "no stack protector" },
    { "CFLAGS='-O2 -U_FORTIFY_SOURCE'", "no FORTIFY" },
    { "CFLAGS='-O2 -fvisibility=default'", "exports more than it should" },
    { "LDFLAGS=-Wl,-z,norelro", "no RELRO" },
    { "LDFLAGS=-Wl,-z,lazy", "bound when called, not at the start: RELRO is partial" },
    { "LDFLAGS=-Wl,-z,execstack", "an executable stack" },
  } do
    it("is found: " .. case[2], function()
      assert.equal(case[2], faults((built(case[1], case[1]:find("^LDFLAGS") and linked))))
    end)
  end
end)
