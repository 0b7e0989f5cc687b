-- An outbox over real connections to an AlipayHK that goes away, refuses traffic, or is asked by several processes. The
-- judge is what came there.

local alipayhk = require "alipayhk"
local child = require "spec.support.child"
local outboxes = require "spec.support.outboxes"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

local CONCURRENCY, REFUSALS = 16, 40
-- So many failures in a row, and nobody doubts that AlipayHK is gone.
local FAILURES = 5

local function put(outbox, count, lanes)
  local prefix = samples.biz_no()
  for i = 1, count do
    assert(outbox:put(samples.order { merchantBizNo = ("%s-%d"):format(prefix, i % lanes) }))
  end
end

-- What came, by its request id: how often; and how many events. Those of a lane came in their order.
local function arrived(server)
  local times, last, count = {}, {}, 0
  for _, request in ipairs(server:arrivals()) do
    if not times[request.request_id] then count = count + 1 end
    times[request.request_id] = (times[request.request_id] or 0) + 1
    assert.is_true(request.modified_ms >= (last[request.number] or 0), "a lane went back")
    last[request.number] = request.modified_ms
  end
  return times, count
end

for _, kind in ipairs(outboxes.kinds) do
  describe("outbox:deliver over a network and " .. kind.name, function()
    local server, client, place

    setup(kind.start)
    teardown(kind.stop)
    before_each(function()
      server, place = scripted.start(), kind.new()
      client = assert(alipayhk.new(server:config { retry = { base_delay_ms = 5, budget_ms = 120000 } }))
    end)
    after_each(function()
      client:close()
      server:stop()
    end)

    local function open(on_event)
      return assert(alipayhk.outbox { store = place.url, client = client, on_event = on_event })
    end

    local function attempts(outbox)
      local total, most = 0, 0
      for _, event in ipairs(outbox:list { limit = 1000 }) do
        total, most = total + event.attempts, math.max(most, event.attempts)
      end
      return total, most
    end

    it("waits with one request at a time while AlipayHK is gone, and is then as fast as before", function()
      server:control { gone = "1" }
      local names, under_way, failures, noticed = {}, 0, 0, nil
      local outbox = open(function(event)
        if event.name ~= "sending" and event.name ~= "later" then return end
        names[#names + 1] = event.name
        under_way = under_way + (event.name == "sending" and 1 or -1)
        if event.name == "later" then failures = failures + 1 end
        if noticed and #names == noticed + 2 then -- the one that was to find out has failed
          server:control { gone = "0", delay = "0.02" }
        elseif not noticed and failures >= FAILURES and under_way == 0 then
          noticed = #names
        end
      end)
      put(outbox, 200, 200)
      local totals = outbox:deliver { until_empty = true, concurrency = CONCURRENCY }
      assert.same({ 200, 0, 0 }, { totals.accepted, totals.failed, totals.parked })
      assert.is_true(noticed <= 2 * CONCURRENCY, noticed)
      assert.same({ "sending", "later", "sending" }, { names[noticed + 1], names[noticed + 2], names[noticed + 3] })
      assert.equal(200 + noticed / 2 + 1, #server:arrivals())
      -- Only the failures that made it sure have cost an attempt.
      assert.is_true(attempts(outbox) <= 200 + FAILURES, attempts(outbox))
      assert.is_true(server:most() >= CONCURRENCY / 2, (server:most()))
      local _, count = arrived(server)
      assert.equal(200, count)
      outbox:close()
    end)

    for _, case in ipairs {
      { "a result", { codes = ("REQUEST_TRAFFIC_EXCEED_LIMIT/F,"):rep(REFUSALS) } },
      { "status 429", { busy = tostring(REFUSALS) } },
    } do
      it(("goes slower for all where traffic is refused by %s, and loses nothing"):format(case[1]), function()
        server:control { delay = "0.005" }
        local under_way, accepted, refused, most = 0, 0, 0, 0
        local outbox = open(function(event)
          if event.name == "sending" then under_way = under_way + 1 end
          if event.name == "later" then refused, under_way = refused + 1, under_way - 1 end
          if event.name == "accepted" then accepted, under_way = accepted + 1, under_way - 1 end
          if event.name == "accepted" and accepted == 60 then server:control(case[2]) end
          -- With each round of refusals half as many are under way.
          if refused > 2 * CONCURRENCY and refused < REFUSALS then most = math.max(most, under_way) end
        end)
        put(outbox, 200, 100)
        local totals = outbox:deliver { until_empty = true, concurrency = CONCURRENCY }
        assert.same({ 200, 0, 0 }, { totals.accepted, totals.failed, totals.parked })
        assert.is_true(most >= 1 and most <= 2, most)
        assert.is_true(server:most() > 4, (server:most()))
        assert.equal(200 + REFUSALS, #server:arrivals())
        local _, count = arrived(server)
        assert.equal(200, count)
        -- It was no fault of theirs.
        assert.same({ 200, 1 }, { attempts(outbox) })
        outbox:close()
      end)
    end
  end)
end

-- Delivers what is there, once all have started.
local WORKER = [[
local unpack = table.unpack or unpack
local name, url, client_id, base_url, private_key, public_key, directory = unpack(arg)
local alipayhk = require "alipayhk"
local client = assert(alipayhk.new { client_id = client_id, base_url = base_url, private_key = { file = private_key },
  alipay_public_key = { file = public_key } })
local outbox = assert(alipayhk.outbox { store = url, client = client })
assert(io.open(directory .. "/" .. name, "w")):close()
for other = 1, 3 do
  while not io.open(directory .. "/" .. other) do require("alipayhk.core").sleep(5) end
end
print(assert(outbox:deliver { until_empty = true, concurrency = 2 }).accepted)]]

describe("three processes that deliver from a Redis", function()
  local server

  setup(function()
    outboxes.redis.start()
    server = scripted.start()
  end)
  teardown(function()
    server:stop()
    outboxes.redis.stop()
  end)

  it("send each event once, and those of an order in their order", function()
    local url, directory, config = outboxes.redis.new().url, shell.directory(), server:config()
    local outbox = assert(alipayhk.outbox { store = url, client_id = config.client_id })
    put(outbox, 300, 12)
    server:control { delay = "0.01" }
    local commands = {}
    for name = 1, 3 do
      commands[name] = child.command(WORKER, { name, url, config.client_id,
        config.base_url, config.private_key.file, config.alipay_public_key.file, directory })
    end
    local output = shell.run(table.concat(commands, " & ") .. " & wait")
    local total, workers = 0, 0
    for accepted in output:gmatch("%d+") do
      total, workers = total + accepted, workers + 1
      assert.is_true(tonumber(accepted) > 0)
    end
    assert.same({ 3, 300 }, { workers, total }, output)
    local times, count = arrived(server)
    assert.equal(300, count)
    for _, often in pairs(times) do assert.equal(1, often) end
    local _, of_one = server:most()
    assert.equal(1, of_one)
    assert.equal(300, outbox:stats().accepted)
    outbox:close()
  end)
end)
