-- A finalizer at every collection inside every function of our C modules: see spec/support/stress/finalizers.lua.

local keys = require "spec.support.data.keys"
local redis_server = require "spec.support.servers.redis"
local run = require "spec.support.stress.run"
local server = require "spec.support.servers.server"
local shell = require "spec.support.shell"

-- Pieces of text that planted.c pushes, and the table that they are in.
local PLANTED_CHECKS = 5

local function inputs(url, redis_port)
  return {
    url = url,
    redis_port = redis_port,
    directory = shell.directory(),
    ["rsa.private"] = keys.path("rsa", "pkcs8.pem"),
    ["rsa.public"] = keys.path("rsa", "spki.pem"),
    ["ec.private"] = keys.path("p224", "pkcs8.pem"),
    ["ec.public"] = keys.path("p224", "spki.pem"),
    certificate = keys.path("rsa", "certificate.pem"),
    encrypted = keys.path("rsa", "pkcs8_encrypted.pem"),
    passphrase = keys.passphrase,
  }
end

describe("a finalizer inside a C function", function()
  local gateway, redis

  setup(function()
    gateway = server.start()
    redis = redis_server.start()
  end)
  teardown(function()
    gateway:stop()
    redis.stop()
  end)

  for _, lua in ipairs(run.luas) do
    local in_lua = " (Lua " .. lua .. ")"

    it("that closes, sends, signs or drops changes nothing but what it says" .. in_lua, function()
      local result = run.driver(lua, "finalizers", inputs(gateway:url(""), redis.port))
      assert.same({}, result.faults)
      assert.is_true(result.points > 300)
    end)

    local function planted(only)
      local driven = { cases = "spec.support.stress.planted_finalizers", only = "^" .. only .. "$" }
      return run.driver(lua, "finalizers", driven)
    end

    -- The sanitizers end the run at the first; elsewhere what comes out is wrong.
    local function assert_found(name, action)
      local faults = table.concat(planted(name).faults, "\n")
      assert.truthy(faults:find(run.is_sanitized and action == "close" and "heap%-use%-after%-free" or name), faults)
      assert.truthy(faults:find(action, 1, true), faults)
    end

    it("would be seen to free what is in use, or to mix what is made" .. in_lua, function()
      assert_found("planted:slices", "close")
      assert_found("planted:mixed", "close")
      if not run.is_sanitized then assert_found("planted:mixed", "use") end
      -- Lua 5.4 copies the text first.
      if lua ~= "5.4" then assert_found("planted:text", "close") end
    end)

    it("runs at every check of the collector" .. in_lua, function()
      local result = planted("planted:slices")
      if not run.is_sanitized then assert.is_true(result.counts["planted:slices"] >= PLANTED_CHECKS) end
    end)

    it("has a call of every function" .. in_lua, function()
      assert.same({ "planted.covered_by_nothing, no call of it in the list" }, planted("planted.new").faults)
    end)
  end

  it("has every module that there is", function()
    local driven = shell.read("spec/support/stress/finalizer_cases.lua")
    for name in shell.must("cat csrc/bind/*.c"):gmatch("int luaopen_alipayhk_([a-z_]+)%(lua_State %*L%)\n") do
      assert.truthy(driven:find('"alipayhk.' .. name .. '"', 1, true), name)
    end
  end)
end)
