-- A client in coroutines: what yields in a transport or in `sleep` lets others work meanwhile, on every Lua.

local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"

local COUNT = 10
local PATIENT = { max_attempts = 3, base_delay_ms = 20, max_delay_ms = 40 }

local gateway = double.new { algorithm = "p224" }

local function yields(request)
  coroutine.yield("transport")
  return gateway:receive(request)
end

local function sleeps(ms) coroutine.yield(ms) end

-- Runs functions side by side, each one step a turn: what each returned, and all that they yielded, turn by turn.
local function side_by_side(functions)
  local threads, results, yielded, alive = {}, {}, {}, #functions
  for i, run in ipairs(functions) do threads[i] = coroutine.create(run) end
  while alive > 0 do
    local turn = {}
    for i, thread in ipairs(threads) do
      if coroutine.status(thread) ~= "dead" then
        local ran, value, err = coroutine.resume(thread)
        assert.is_true(ran, tostring(value))
        if coroutine.status(thread) == "dead" then
          results[i], alive = { value, err }, alive - 1
        else
          turn[#turn + 1] = value
        end
      end
    end
    yielded[#yielded + 1] = turn
  end
  return results, yielded
end

local function orders(client)
  local list = {}
  for i = 1, COUNT do
    list[i] = function() return client:sync_order(samples.order()) end
  end
  return list
end

describe("coroutines that share a client", function()
  it("have their requests under way at once, over a transport that yields", function()
    gateway:answers { {} }
    local results, yielded = side_by_side(orders(gateway:client { transport = yields }))
    assert.equal(COUNT, #yielded[1])
    assert.equal(2, #yielded)
    for i = 1, COUNT do
      assert.is_nil(results[i][2] and tostring(results[i][2]))
      assert.is_true(gateway.requests[i].verified)
    end
  end)

  it("wait at once, too: a `sleep` that yields is asked for the milliseconds", function()
    gateway:answers { { failure = "timeout" } }
    local client = gateway:client { transport = yields, sleep = sleeps, retry = PATIENT }
    local results, yielded = side_by_side(orders(client))
    assert.equal(3 * COUNT, #gateway.requests)
    -- Send, wait, send, wait, send, end: each turn that of all of them.
    assert.equal(6, #yielded)
    for turn = 1, 5 do
      assert.equal(COUNT, #yielded[turn])
      for _, value in ipairs(yielded[turn]) do
        if turn % 2 == 1 then assert.equal("transport", value) else assert.is_true(value >= 0 and value <= 40) end
      end
    end
    for i = 1, COUNT do assert.equal(3, results[i][2].attempts) end
  end)

  it("do not mix their requests, nor do those that send one prepared request", function()
    gateway:answers { {} }
    local clock = 1716331341
    local client = gateway:client {
      now = function()
        clock = clock + 1
        return clock
      end,
      -- Reads the headers one by one, and others work in between.
      transport = function(request)
        local headers = {}
        for _, name in ipairs { "Client-Id", "Request-Time", "Signature", "Content-Type" } do
          headers[name] = request.headers[name]
          coroutine.yield()
        end
        request.headers = headers
        return gateway:receive(request)
      end,
    }
    local prepared = assert(client:prepare("order", samples.order()))
    local functions = orders(client)
    for begins = 1, 4 do
      functions[#functions + 1] = function()
        for _ = 1, begins do coroutine.yield() end
        return client:send(prepared)
      end
    end
    for _, result in ipairs((side_by_side(functions))) do assert.is_nil(result[2] and tostring(result[2])) end
    assert.equal(COUNT + 4, #gateway.requests)
    for _, request in ipairs(gateway.requests) do assert.is_true(request.verified) end
  end)

  it("learn that the client was closed while they waited", function()
    gateway:answers { { failure = "timeout" } }
    local client = gateway:client { transport = yields, sleep = sleeps, retry = PATIENT }
    local functions = orders(client)
    functions[#functions + 1] = function()
      coroutine.yield()
      client:close()
    end
    local results = side_by_side(functions)
    assert.equal(COUNT, #gateway.requests)
    for i = 1, COUNT do assert.equal("timeout", results[i][2].code) end
  end)
end)

describe("the config's sleep", function()
  it("takes the place of waiting, and is asked before each further attempt", function()
    local waits, events = {}, {}
    local client = gateway:client {
      retry = { max_attempts = 3, base_delay_ms = 30000, max_delay_ms = 30000, budget_ms = 600000 },
      sleep = function(ms) waits[#waits + 1] = ms end,
      on_event = function(event) events[#events + 1] = event.delay_ms end,
    }
    gateway:answers { { failure = "timeout" }, { failure = "connect" }, {} }
    assert.equal(3, assert(client:sync_order(samples.order())).attempts)
    assert.same(events, waits)
    assert.equal(2, #waits)
  end)

  it("may throw: the call ends, and the client goes on", function()
    local client = gateway:client { retry = PATIENT, sleep = function() error("cancelled", 0) end }
    gateway:answers { { failure = "timeout" }, {} }
    assert.error_matches(function() client:sync_order(samples.order()) end, "^cancelled$")
    assert(client:sync_order(samples.order()))
  end)
end)
