-- `make bench-outbox`: what an outbox costs, as ratios to what lies below it in the same run: puts to a bare insert,
-- or to redis-benchmark with the same script; deliveries to sync_many from memory; claims with many events waiting to
-- those with few.
--
--     lua bench/outbox.lua < what gateway/start printed
--
-- OUTBOX_MOST (1000000): events that wait. BENCH_ONLY=sqlite or redis: one store.

package.path = package.path .. ";./?.lua"

local alipayhk = require "alipayhk"
local canned = require "bench.canned"
local connection = dofile "gateway/connection.lua"
local many = require "bench.many"
local measure = require "bench.measure"
local report = require "bench.report"
local shell = require "spec.support.shell"
local stores = require "bench.stores"

local MOST = tonumber(os.getenv("OUTBOX_MOST") or 1000000)
local ONLY = os.getenv("BENCH_ONLY")
local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS") or 3)
local PUTS, DELIVERIES, TURNS = 2000, 4000, 100
local CLIENT_ID = "4Q5Y8W0WSG45P907917"

local function print_ratio(what, ours, theirs, unit, target)
  print(("%-58s %6.2f  (%s)  %9.0f / %9.0f %s"):format(what, ours / theirs, target, ours, theirs, unit))
  io.stdout:flush()
end

local function best_of(run)
  local best = 0
  for _ = 1, ROUNDS do best = math.max(best, run()) end
  return best
end

-- ---- put -----------------------------------------------------------------------------------------

-- What it is compared with, and the aim.
local FLOORS = {
  sqlite = { name = "a bare insert", target = "0.70" },
  redis = { name = "redis-benchmark", target = "0.50" },
}

-- Calls of f a second.
local function per_second(f)
  return PUTS / measure.wall(f, PUTS)
end

-- One prepared insert of such a body, committed, with the same durability.
function FLOORS.sqlite.rate()
  local db = assert(require("alipayhk.sqlite").open(shell.directory() .. "/orders.db"))
  assert(db:lock() and db:execute "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
  local begin, insert, commit = db:prepare "BEGIN IMMEDIATE", db:prepare "INSERT INTO t (body) VALUES (?)",
    db:prepare "COMMIT"
  local body = ("x"):rep(400)
  local result = per_second(function()
    assert(begin:run() and insert:run(body) and commit:run())
  end)
  db:close()
  return result
end

-- The words of the command that a put sends, of an order whose number is NUMBER.
local NUMBER = "000000000000"

local function put_command(store)
  local Client = getmetatable(require("alipayhk.delivery.redis.client").new {
    host = "127.0.0.1", port = store.server.port, peer = "", database = 0, connect_timeout_ms = 1, timeout_ms = 1,
  })
  local outbox = assert(alipayhk.outbox { store = store.url(), client_id = CLIENT_ID })
  local pipeline, words = Client.pipeline, nil
  function Client.pipeline(self, commands)
    words = commands[1]
    return pipeline(self, commands)
  end
  local order = many.order(1)
  for _ = 1, 2 do
    order.merchantBizNo = NUMBER
    assert(outbox:put(order))
  end
  Client.pipeline = pipeline
  outbox:close()
  return words
end

-- The same script with the same words but for the order's number, by redis-benchmark.
function FLOORS.redis.rate(store)
  local words = {}
  for i, word in ipairs(put_command(store)) do
    words[i] = shell.quote((tostring(word):gsub(NUMBER, "__rand_int__")))
  end
  local said = shell.must(("redis-benchmark -p %d -c 1 -n %d -r 1000000000 -q %s"):format(store.server.port, PUTS,
    table.concat(words, " ")))
  return tonumber(said:match("([%d.]+) requests per second"))
end

-- ---- deliver -------------------------------------------------------------------------------------

local function fill(url, count) return stores.fill(url, CLIENT_ID, count) end

local function deliver(client, url)
  local store = fill(url, DELIVERIES)
  store:close()
  local outbox = assert(alipayhk.outbox { store = url, client = client })
  local totals = outbox:deliver { until_empty = true, concurrency = 64 }
  outbox:close()
  assert(totals.accepted == DELIVERIES, totals.stopped)
  return DELIVERIES / totals.seconds
end

local function bench_deliver(name, store, gateway)
  local server = canned.start(gateway)
  for _, kind in ipairs { "rsa", "ec" } do
    local client = many.client(gateway, kind, server.url)
    CLIENT_ID = client.config.client_id
    many.ours(client, 200, { concurrency = 64 })
    local ours, memory = 0, 0
    for _ = 1, ROUNDS do
      ours = math.max(ours, deliver(client, store.url()))
      memory = math.max(memory, many.ours(client, DELIVERIES, { concurrency = 64 }))
    end
    print_ratio(("deliver from %s, of sync_many, %s"):format(name, kind), ours, memory, "orders/s", "0.85")
    client:close()
  end
  server.stop()
end

-- ---- many waiting --------------------------------------------------------------------------------

-- Events claimed and recorded a second, and KiB of this process meanwhile.
local function turns(store, limit)
  local outcomes, resident = {}, 0
  assert(store:begin_delivery())
  local function turn()
    local result = assert(store:turn(outcomes, limit))
    outcomes = {}
    for i, event in ipairs(result.events) do outcomes[i] = { event = event, state = "accepted" } end
    resident = math.max(resident, measure.resident())
  end
  turn()
  local events = TURNS * limit
  local seconds = measure.wall(turn, TURNS)
  store:turn(outcomes, 0)
  store:end_delivery()
  return events / seconds, resident
end

local function bench_waiting(name, store)
  local function measured(count)
    local filled = fill(store.url(), count)
    local rate, resident = turns(filled, 16)
    filled:close()
    return rate, resident
  end
  local few, few_kib = measured(100 * TURNS)
  local most, most_kib = measured(MOST)
  print_ratio(("claim and record in %s, %d events waiting, of few"):format(name, MOST), most, few, "events/s", "0.77")
  print(("%-58s %+6.1f MiB  (16)"):format("  memory of the worker", (most_kib - few_kib) / 1024))
end

-- ---- all -----------------------------------------------------------------------------------------

local gateway = connection.parse(io.read("*a"))
local machine = report.machine()
print(("%s, %d processors; %s; %s"):format(machine.processor, machine.processors, machine.lua, machine.date))
for _, name in ipairs(stores.NAMES) do
  if not ONLY or ONLY == name then
    local store, floor = stores.start[name](), FLOORS[name]
    print_ratio(("put, %s, one by one, of %s"):format(name, floor.name), best_of(function()
      return stores.puts(store.url(), CLIENT_ID, PUTS)
    end), best_of(function() return floor.rate(store) end), "puts/s", floor.target)
    bench_deliver(name, store, gateway)
    bench_waiting(name, store)
    store.stop()
  end
end

