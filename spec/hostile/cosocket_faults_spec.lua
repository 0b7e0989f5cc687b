-- Every fault of spec/support/data/hostile_faults.lua over cosockets, in a real nginx: by a single call and by a
-- batch. What is expected of each stands there; spec/hostile/curl_faults_spec.lua has the same over curl.

local faults = require "spec.support.asserting.hostile_faults"
local hostile = require "spec.support.servers.hostile"
local samples = require "spec.support.data.samples"

local THREADS = 8

describe("inside nginx", function()
  local server, list = nil, faults.of "cosocket"
  local found = { single = {}, batch = {} }

  local function call_of(fault, way)
    local orders = way == "batch" and faults.orders(fault) or nil
    return { url = faults.url(server, fault), config = faults.config(fault, "cosocket"), orders = orders,
      order = not orders and samples.order() or nil }
  end

  -- Those that wait all at once, and when nobody else is served.
  local function ask(way, waits)
    local asked, calls = {}, {}
    for _, fault in ipairs(list) do
      if (faults.expected(fault, "cosocket").waits or false) == waits and not fault.before then
        asked[#asked + 1], calls[#calls + 1] = fault, call_of(fault, way)
      end
    end
    for i, outcome in ipairs(server:ask(calls, waits and #calls or THREADS)) do found[way][asked[i]] = outcome end
  end

  setup(function()
    server = hostile.start { cases = faults.cases(), http = "resolver 127.0.0.1:{names} ipv6=off;" }
    for way in pairs(found) do
      server:forget()
      ask(way, false)
      ask(way, true)
      for _, fault in ipairs(list) do
        if fault.before then
          local call = call_of(fault, way)
          call.after_ms = 100 -- nginx has seen the end of the connection by then
          local outcomes = server:ask { call_of(fault, "single"), call }
          hostile.succeeds(outcomes[1])
          found[way][fault] = outcomes[2]
        end
      end
      found[way].arrived = server:counts()
    end
  end)
  teardown(function() server:stop() end)

  local function judge(fault, way)
    local outcome, wrong = found[way][fault], nil
    local outcomes = way == "batch" and outcome.many or { outcome }
    if not outcomes then return fault.name .. ": " .. tostring(outcome.thrown) end
    for _, one in ipairs(outcomes) do
      one.ms = outcome.ms
      wrong = wrong or faults.call_fault(fault, "cosocket", one, way)
    end
    if wrong or way == "batch" and fault.expects.is_free then return wrong end
    return faults.arrival_fault(fault, "cosocket", found[way].arrived, #outcomes)
  end

  for _, fault in ipairs(list) do
    for _, way in ipairs { "single", "batch" } do
      it(("%s: %s, %s"):format(fault.group or "none", fault.name, way), function()
        assert.is_nil(judge(fault, way))
      end)
    end
  end

  it("none of them makes nginx log an alert or an error of Lua", function() assert.is_nil(server:complaint()) end)
end)
