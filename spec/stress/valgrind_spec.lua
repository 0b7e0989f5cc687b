-- Each call of the C modules, and an order's whole way, under valgrind, while Lua collects wherever it may: what was
-- never written and is read, and what is left, which the sanitizers see where they are linked in alone. nginx has
-- spec/nginx/valgrind_spec.lua.

local key_inputs = require "spec.support.stress.key_inputs"
local only_with = require "spec.support.asserting.only_with"
local order_inputs = require "spec.support.stress.order_inputs"
local redis_server = require "spec.support.servers.redis"
local run = require "spec.support.stress.run"
local server = require "spec.support.servers.server"
local shell = require "spec.support.shell"
local valgrind = require "spec.support.valgrind"

local INTERPRETERS = { ["5.4"] = "lua5.4", luajit = "luajit" }

-- valgrind and the sanitizers are not for the same process.
local test = only_with(valgrind.is_there() and not run.is_sanitized, "needs valgrind, and no sanitizers", it, pending)

-- Runs a driver: its result, and what valgrind has to say of ours.
local function watched(lua, driver, inputs, interpreter)
  local path = shell.directory() .. "/report"
  local result = run.driver(lua, driver, inputs, { launcher = valgrind.launcher(path), interpreter = interpreter })
  return result, valgrind.complaints(path)
end

describe("under valgrind", function()
  local store

  setup(function() store = redis_server.start { tls = true } end)
  teardown(function() store.stop() end)

  for lua, interpreter in pairs(INTERPRETERS) do
    local function watch(inputs)
      shell.must("make -s build LUA=" .. lua)
      local result, complaints = watched(lua, "undisturbed", inputs, interpreter)
      assert.same({}, result.faults)
      assert.same({}, complaints)
      return result.points
    end

    -- What the calls do of C is nearly the same in each.
    local test_calls = (run.is_long or lua == "5.4") and test or function() end

    test_calls("no call leaves or reads what it should not, in " .. interpreter, function()
      local gateway = server.start()
      local points = watch(key_inputs(gateway))
      gateway:stop()
      assert.is_true(points > 100)
    end)

    test("nor does an order on its way, in " .. interpreter, function()
      local inputs = order_inputs(store)
      inputs.patience_ms = "20000"
      assert.is_true(watch(inputs) > 10)
    end)
  end

  test("a leak would be seen", function()
    local inputs = { cases = "spec.support.stress.planted_failures", only = "^leak$", sweeps = "one allocation" }
    local _, complaints = watched("5.4", "failures", inputs)
    assert.truthy(table.concat(complaints):find("planted.c", 1, true))
  end)
end)
