-- A full collection wherever Lua may collect, in each call of the C modules and on an order's whole way: what C holds
-- of Lua's is held by Lua, too. Under valgrind: valgrind_spec.

local key_inputs = require "spec.support.stress.key_inputs"
local order_inputs = require "spec.support.stress.order_inputs"
local redis_server = require "spec.support.servers.redis"
local run = require "spec.support.stress.run"
local server = require "spec.support.servers.server"

describe("a full collection wherever Lua may collect", function()
  for _, lua in ipairs(run.luas) do
    local in_lua = " (Lua " .. lua .. ")"

    local function collecting(inputs)
      local result = run.driver(lua, "undisturbed", inputs)
      assert.same({}, result.faults)
      return result
    end

    -- Some before each object, where the interpreter can do that.
    local function assert_collected(result)
      local sum = 0
      for _, count in pairs(result.counts) do sum = sum + count end
      assert.equal(lua == "5.4" and run.has_host, sum > result.points)
    end

    it("changes nothing that a C function gives" .. in_lua, function()
      local gateway = server.start()
      local result = collecting(key_inputs(gateway))
      gateway:stop()
      assert.is_true(result.points > 100)
      assert_collected(result)
    end)

    it("changes nothing on an order's way, through a batch and both stores" .. in_lua, function()
      local store = redis_server.start { tls = true }
      local inputs = order_inputs(store)
      inputs.patience_ms = "20000"
      local result = collecting(inputs)
      store.stop()
      assert.is_true(result.points > 10)
      assert_collected(result)
    end)
  end
end)
