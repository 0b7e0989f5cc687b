-- `make bench-outbox-sizes`: the table of docs/outbox.md. For a thousand to a million events that wait, in each store:
-- how many more are put a second, one after the other, and delivered, 64 at once with P-224 to a server that answers at
-- once; and what an event takes on the disk, or in Redis's memory (`appendfsync always`).
--
--     lua bench/outbox_sizes.lua < what gateway/start printed
--
-- OUTBOX_MOST (1000000): events that wait.

package.path = package.path .. ";./?.lua"

local alipayhk = require "alipayhk"
local canned = require "bench.canned"
local connection = dofile "gateway/connection.lua"
local many = require "bench.many"
local report = require "bench.report"
local stores = require "bench.stores"

local MOST = tonumber(os.getenv("OUTBOX_MOST") or 1000000)
local PUTS, DELIVERIES = 2000, 4000
local TITLES = { sqlite = "SQLite", redis = "Redis" }

-- Events delivered a second, of those that wait.
local function deliveries(url, client)
  local outbox, accepted = assert(alipayhk.outbox { store = url, client = client }), 0
  local totals = assert(outbox:deliver { concurrency = 64, until_empty = true, on_result = function(result)
    accepted = accepted + (result.response and 1 or 0)
    return accepted < DELIVERIES
  end })
  outbox:close()
  assert(totals.accepted > 0 and totals.parked == 0, totals.stopped)
  return totals.accepted / totals.seconds
end

-- A number with commas: 12,345.
local function grouped(number)
  local text = ("%.0f"):format(number)
  local head = #text % 3
  return ((text:sub(1, head) .. text:sub(head + 1):gsub("%d%d%d", ",%0")):gsub("^,", ""))
end

local function row(name, count, store, client)
  local url, client_id = store.url(), client.config.client_id
  stores.fill(url, client_id, 1):close()
  local before = store.bytes()
  stores.fill(url, client_id, count):close()
  local bytes = (store.bytes() - before) / count
  local puts = stores.puts(url, client_id, PUTS)
  print(("| %s | %s | %s | %s | %s |"):format(grouped(count), TITLES[name], grouped(puts),
    grouped(deliveries(url, client)), grouped(bytes)))
  io.stdout:flush()
end

local gateway, machine = connection.parse(io.read("*a")), report.machine()
local server = canned.start(gateway)
local client = many.client(gateway, "ec", server.url)
many.ours(client, 200, { concurrency = 64 })
print(("%s, %d processors; %s; %s\n"):format(machine.processor, machine.processors, machine.lua, machine.date))
print("| events waiting | store | puts a second | deliveries a second | bytes an event |")
print("|---|---|---|---|---|")
for _, name in ipairs(stores.NAMES) do
  local store, count = stores.start[name](), 1000
  while count <= MOST do
    row(name, count, store, client)
    count = count * 10
  end
  store.stop()
end
client:close()
server.stop()
