-- What is installed by make, by luarocks and by dpkg: used from there, and removed again.

local shell = require "spec.support.shell"

local VERSION = require("alipayhk.base.version")

local ORDER = '{"merchantBizNo":"1","merchantBizType":"MOVIE_TICKET","orderStatus":"TICKETED",'
  .. '"userId":"2160120012345678","orderCreateTime":1716338541000,"extInfo":{}}'

-- Uses an installed command from outside the checkout; nothing of this checkout is in its way.
local function use(command, environment)
  local directory = shell.directory()
  shell.write(directory .. "/order.json", ORDER)
  local run = ("cd %s && unset LUA_PATH LUA_CPATH && %s && "):format(directory, environment or "true")
  assert.equal("alipayhk " .. VERSION .. "\n", shell.must(run .. command .. " --version"))
  assert.equal("1 checked: 1 good, 0 wrong, 0 with warnings\n", shell.must(run .. command .. " check order.json"))
end

-- Runs the local gateway of an installed command, until it is up.
local function serve(command, environment)
  local directory = shell.directory()
  local script = [[
    cd %s && unset LUA_PATH LUA_CPATH && %s && {
      exec %s gateway --write-config c.lua > out 2>&1 &
      for i in $(seq 200); do grep -q CA_FILE out && break; kill -0 $! || break; sleep 0.1; done
      %s doctor --config c.lua; kill $!; wait $!; cat out
    }]]
  local said = shell.must(script:format(directory, environment or "true", command, command))
  assert.matches("\npass  signed call ", said)
  assert.matches("the local gateway is at https://127.0.0.1:%d+, its page for a browser at http://127.0.0.1:%d+/; ",
    said)
end

describe("make install", function()
  it("has the command, for the Lua that it was asked for, and make uninstall leaves nothing", function()
    for lua, abi in pairs { ["5.4"] = "5.4", luajit = "5.1" } do
      local directory = shell.directory()
      local prefix = directory .. "/usr"
      shell.must(("make -s install LUA=%s PREFIX=%s"):format(lua, prefix))
      local environment = ("export LUA_PATH='%s/share/lua/%s/?.lua;%s/share/lua/%s/?/init.lua;;' "
        .. "LUA_CPATH='%s/lib/lua/%s/?.so;;'"):format(prefix, abi, prefix, abi, prefix, abi)
      use(prefix .. "/bin/alipayhk", environment)
      serve(prefix .. "/bin/alipayhk", environment)
      shell.must(("man -l %s/share/man/man1/alipayhk.1 > /dev/null 2>&1 || ! command -v man"):format(prefix))
      shell.must(("make -s uninstall LUA=%s PREFIX=%s"):format(lua, prefix))
      assert.equal("", shell.must(("find %s -type f"):format(prefix)))
    end
  end)
end)

describe("who has not come to the end of installing", function()
  local function said_by(command)
    local output, status = shell.run(("unset LUA_PATH LUA_CPATH; %s 2>&1"):format(command))
    assert.equal(2, status, output)
    assert.matches("^[^\n]+\n$", output)
    return output
  end

  it("is told to build, for the Lua that it is for", function()
    local directory = shell.directory()
    shell.must(("cp -r bin lua %s"):format(directory))
    assert.equal("alipayhk: not built yet for Lua 5.4: run make build LUA=5.4\n",
      said_by(("lua5.4 %s/bin/alipayhk --version"):format(directory)))
    assert.equal("alipayhk: not built yet for LuaJIT: run make build LUA=luajit\n",
      said_by(("luajit %s/bin/alipayhk --version"):format(directory)))
    assert.matches("not built yet for Lua 5.1: run make build LUA=5.1",
      said_by(("make -s env LUA=5.1 BUILD=%s/none"):format(directory)), 1, true)
  end)

  it("is told of the paths, where Lua does not look for the modules", function()
    local prefix = shell.directory() .. "/usr"
    local said = shell.must(("unset LUA_PATH LUA_CPATH; make -s install LUA=5.4 PREFIX=%s"):format(prefix))
    assert.matches("does not look below " .. prefix, said, 1, true)
    assert.matches("set LUA_PATH and LUA_CPATH", said_by(prefix .. "/bin/alipayhk --version"), 1, true)
    local lines = said:match("(  export LUA_PATH.*)$")
    assert.equal("alipayhk " .. VERSION .. "\n",
      shell.must(("unset LUA_PATH LUA_CPATH; %s%s/bin/alipayhk --version"):format(lines, prefix)))
    said = shell.must(("unset LUA_PATH LUA_CPATH; make -s install LUA=5.4 PREFIX=/usr/local DESTDIR=%s"):format(prefix))
    assert.not_matches("does not look", said, 1, true)
  end)
end)

describe("make dist", function()
  it("gives the same bytes twice, and all that is needed to build", function()
    local archive = shell.must("make -s dist"):match("[^\n]+")
    local first = shell.must("sha256sum < " .. archive)
    shell.must("make -s dist")
    assert.equal(first, shell.must("sha256sum < " .. archive))
    local files = shell.must("tar -tzf " .. archive)
    for _, name in ipairs { "Makefile", "csrc/bind/core.c", "lua/alipayhk/init.lua", "gateway/start", "LICENSE" } do
      assert.matches(("lua-alipayhk-%s/%s\n"):format(VERSION, name), files, 1, true)
    end
  end)
end)

describe("the rock", function()
  local function without_source(path)
    return (shell.read(path):gsub("version = [^\n]+", ""):gsub("source = %b{}", ""))
  end

  it("of a release is that of main, but for where it comes from", function()
    local release = ("rockspec/lua-alipayhk-%s-1.rockspec"):format(VERSION)
    assert.equal(without_source("rockspec/lua-alipayhk-scm-1.rockspec"), without_source(release))
    assert.matches(("/v%s/lua-alipayhk-%s.tar.gz\""):format(VERSION, VERSION), shell.read(release), 1, true)
  end)

  -- A release's rockspec whose archive is the one made here.
  local function local_rockspec(directory)
    local archive = shell.must("make -s dist"):match("[^\n]+")
    local name = ("lua-alipayhk-%s-1.rockspec"):format(VERSION)
    local given = shell.read("rockspec/" .. name):gsub('"https://[^"]+%.tar%.gz"', ('"file://%s/%s"'):format(
      shell.must("pwd"):match("[^\n]+"), archive))
    shell.write(directory .. "/" .. name, given)
    return name
  end

  for _, version in ipairs { "5.1", "5.3", "5.4" } do
    it("packed with its sources installs for Lua " .. version .. ", and its command works", function()
      local directory = shell.directory()
      shell.write(directory .. "/config.lua",
        'rocks_provided = { ["lua-cjson"] = "2.1.0-1", argparse = "0.7.1-1" }\n')
      local luarocks = ("LUAROCKS_CONFIG=%s/config.lua luarocks --lua-version=%s --tree=%s/tree "):format(directory,
        version, directory)
      shell.must(("cd %s && %s pack %s"):format(directory, luarocks, local_rockspec(directory)))
      shell.must(("cd %s && %s install *.src.rock"):format(directory, luarocks))
      use(directory .. "/tree/bin/alipayhk")
      if version == "5.1" then -- which is LuaJIT's, too
        serve(directory .. "/tree/bin/alipayhk")
        use("luajit $(ls $OLDPWD/" .. directory:match("build/test/.*") .. "/tree/lib/luarocks/*/*/*/bin/alipayhk)",
          ('eval "$(%s path)"'):format(luarocks))
      end
      shell.must(luarocks .. "remove lua-alipayhk")
      assert.equal("", shell.must(("find %s/tree -name '*alipayhk*'"):format(directory)))
    end)
  end
end)

describe("make deb", function()
  local packages

  setup(function()
    -- With a variable that debian/rules has, too, and means something else by.
    packages = shell.must("make -s deb LUAS=5.4 | grep -v dbgsym | grep 'deb$'"):gsub("\n", " ")
  end)

  it("has the version of the library", function()
    assert.matches("^lua%-alipayhk %(" .. VERSION:gsub("%.", "%%.") .. "%)", shell.read("debian/changelog"))
  end)

  it("makes packages in which lintian finds no error", function()
    assert.equal("", shell.must("lintian --allow-root --fail-on error " .. packages .. " 2>&1 | grep '^[EW]:' || true"))
  end)

  it("makes packages that install, work, and leave nothing when they are removed", function()
    if shell.must("id -u") ~= "0\n" then return pending("dpkg -i is root's") end
    shell.must("dpkg -i " .. packages)
    finally(function() shell.run("dpkg -P alipayhk lua-alipayhk") end)
    use("/usr/bin/alipayhk")
    serve("/usr/bin/alipayhk")
    for _, lua in ipairs { "lua5.1", "luajit", "lua5.4" } do
      assert.equal(VERSION .. "\n",
        shell.must(("cd / && unset LUA_PATH LUA_CPATH && %s -e 'print(require(\"alipayhk\")._VERSION)'"):format(lua)))
    end
    local files = shell.must("dpkg -L alipayhk lua-alipayhk | grep alipayhk")
    shell.must("dpkg -P alipayhk lua-alipayhk")
    for path in files:gmatch("[^\n]+") do assert.equal(1, select(2, shell.run("test -e " .. path)), path) end
  end)
end)
