-- Who does a batch's tasks outside nginx: one after the other, or coroutines. spec/gateway/many_spec.lua has them over
-- real sockets.

local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local new_crew = require("alipayhk.delivery.crew").new

local gateway = double.new { algorithm = "p224" }

for _, kind in ipairs { { "one after the other", {} }, { "coroutines", { transport = "curl" } } } do
  local title, config = kind[1], kind[2]
  describe("a crew, " .. title .. ",", function()
    local crew
    before_each(function() crew = new_crew(gateway:client(config), 4, 0) end)
    after_each(function() crew:close() end)

    it("does each task with its item, and says which of them threw what", function()
      local done, thrown = {}, {}
      local function good(item) done[#done + 1] = item.name end
      local function bad() error(thrown) end
      local items = { { name = "a" }, { name = "b" }, { name = "c" }, { name = "d" } }
      for i, task in ipairs { good, bad, good, good } do crew:start(task, items[i]) end
      assert.same({ "a", "c", "d" }, done)
      for i, item in ipairs(items) do
        crew:wait(10000)
        local ended, has_thrown, value = crew:next_ended()
        assert.equal(item, ended)
        assert.equal(i == 2, has_thrown)
        assert.equal(i == 2 and thrown or nil, value)
      end
      assert.is_nil((crew:next_ended()))
    end)

    it("waits for so long where nothing ends, and not at all where something has ended", function()
      local began = core.monotonic()
      crew:wait(30)
      assert.is_true(core.monotonic() - began >= 0.03)
      crew:start(function() end, {})
      began = core.monotonic()
      crew:wait(10000)
      assert.is_true(core.monotonic() - began < 5)
      assert.is_table((crew:next_ended()))
    end)
  end)
end

describe("a crew with the user's own sleep", function()
  it("waits by that, whole milliseconds, where there is anything to wait for", function()
    local slept = {}
    local crew = new_crew(gateway:client { transport = "curl", sleep = function(ms) slept[#slept + 1] = ms end }, 4)
    for _, ms in ipairs { 10.2, 0, 7 } do crew:wait(ms) end
    assert.same({ 11, 7 }, slept)
    crew:start(function() end, {})
    crew:wait(20)
    assert.equal(2, #slept)
    assert.is_nil(crew.wait_for_socket)
  end)
end)
