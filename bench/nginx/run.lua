-- `make bench-nginx`: what the library costs a worker of nginx and its neighbours, as ratios to what the same worker
-- does without it in the same run. Each figure takes its sides in turns; the least times are the figure, the medians
-- show the machine's noise.
-- Its standard input is what gateway/start printed. PEERS is a directory with lua-resty-openssl, lua-resty-http and
-- lua-resty-string, for the comparison with them. FIGURES ("neighbours,in_flight,rate,blocking,outbox") picks some.

local connection = dofile "gateway/connection.lua"
local json = require "alipayhk.base.json"
local servers = dofile "bench/nginx/servers.lua"
local traffic = require "traffic"

local PEERS = os.getenv("PEERS")
local FIGURES = os.getenv("FIGURES")
local SECONDS, NEIGHBOUR_RATE, ORDER_RATE = 2, 1000, 200
local IN_FLIGHT = 500
-- Short turns, and many: some of them have the machine for themselves.
local NEIGHBOUR_TURNS, RATE_TURNS, TURN_ORDERS = 15, 101, 100

local gateway = connection.parse(io.read("*a"))
-- Some 1 KiB.
local order = json.encode {
  merchantBizNo = "BENCH-1", merchantBizType = "SELF_PICK", orderStatus = "ORDER_TAKEN",
  userId = "2160120012345678", orderCreateTime = 1716338541000,
  amount = { value = "18000", currency = "HKD" },
  itemOrderList = { { name = ("x"):rep(200), quantity = 1 }, { name = ("y"):rep(200), quantity = 2 } },
  shopInfo = { name = ("z"):rep(150) }, extInfo = { text = ("電"):rep(60) },
}

-- ---- measuring ---------------------------------------------------------------------------------

local NEIGHBOUR = {
  request = "GET /neighbour HTTP/1.1\r\nHost: localhost\r\n\r\n",
  rate = NEIGHBOUR_RATE,
  connections = 1000,
}

local function orders(path, how)
  how.request = ("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"):format(path, #order, order)
  return how
end

local function least_and_median(values)
  table.sort(values)
  return values[1], values[math.floor(#values / 2) + 1]
end

local function all_good(result)
  if result.failed > 0 or result.unanswered > 0 or result.ok == 0 then
    error(("of %d requests %d failed and %d had no answer; %s"):format(
      result.ok + result.failed + result.unanswered, result.failed, result.unanswered, servers.last_error()))
  end
  return result
end

local function report(what, text, target)
  print(("%-46s %s   (%s)"):format(what, text, target))
end

local function ask_keys()
  return servers.ask("/keys?n=" .. TURN_ORDERS)
end

-- ---- neighbours: how long a plain location takes -----------------------------------------------

local function beside_orders(path, grace)
  local synced = orders(path, { rate = ORDER_RATE, connections = 1000 })
  return traffic.run(servers.port, { NEIGHBOUR, synced }, SECONDS, grace)
end

-- The neighbour's p99 beside one `sync_many`; and the orders a second of that.
local function beside_batch(query)
  local path = ("/batch?seconds=%d%s"):format(SECONDS, query)
  local batch = { request = ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"):format(path), requests = 1 }
  local neighbour, sent = traffic.run(servers.port, { NEIGHBOUR, batch }, SECONDS, 5)
  all_good(sent)
  return all_good(neighbour).p99_ms, servers.ask("/usage").last_batch
end

-- What a neighbour runs beside: each gives its p99, and a batch the orders a second.
local BESIDE = {
  { what = ("%d orders a second"):format(ORDER_RATE), run = function()
    local neighbour, synced = beside_orders("/late", 5)
    all_good(synced)
    return all_good(neighbour).p99_ms
  end },
  { what = ("sync_many, rate = %d"):format(ORDER_RATE), run = function()
    return beside_batch("&rate=" .. ORDER_RATE)
  end },
  { what = "sync_many at full speed", run = function() return beside_batch("") end },
}

local function report_neighbours(what, idle, beside, sign, speeds)
  local a, a_median = least_and_median(idle)
  local b, b_median = least_and_median(beside)
  local s, s_median = least_and_median(sign)
  local text = "%s %.2f ms, idle %.2f, signature %.2f: %.2f of what is allowed"
  local said = text:format("least", b, a, s, b / (3 * a + 2 * s)) .. "   "
    .. text:format("median", b_median, a_median, s_median, b_median / (3 * a_median + 2 * s_median))
  if #speeds > 0 then said = ("%s   %.0f orders/s"):format(said, select(2, least_and_median(speeds))) end
  report("neighbour's p99 beside " .. what, said, "at most 3 times idle and 2 signatures")
end

local function bench_neighbours()
  local idle, sign, p99s, speeds = {}, {}, {}, {}
  for k in ipairs(BESIDE) do p99s[k], speeds[k] = {}, {} end
  for i = 1, NEIGHBOUR_TURNS do
    idle[i] = all_good(traffic.run(servers.port, { NEIGHBOUR }, SECONDS, 5)).p99_ms
    for k, beside in ipairs(BESIDE) do p99s[k][i], speeds[k][i] = beside.run() end
    sign[i] = ask_keys().sign.cpu * 1e3
  end
  for k, beside in ipairs(BESIDE) do report_neighbours(beside.what, idle, p99s[k], sign, speeds[k]) end
end

local function bench_blocking()
  local neighbour, synced = beside_orders("/blocking", 1)
  report("neighbour's p99, libcurl as transport",
    ("median %.0f ms, p99 %.0f ms or more; %d of %d neighbours and %d of %d orders were answered"):format(
      neighbour.p50_ms, neighbour.p99_ms, neighbour.ok, NEIGHBOUR_RATE * SECONDS, synced.ok, ORDER_RATE * SECONDS),
    "for contrast")
end

-- ---- in flight: memory -------------------------------------------------------------------------

local function wave(path, n, total)
  return traffic.run(servers.port, { orders(path, { connections = n, requests = total or n }) }, 30, 30)
end

-- KiB that each of so many at once adds to a new worker; the wave's result, and how many met in it.
local function growth(path)
  servers.renew()
  all_good(wave("/ready", 5, 500))
  local before = servers.ask("/usage?reset=1")
  local result = all_good(wave(path, IN_FLIGHT))
  local after = servers.ask("/usage")
  return (after.most_resident - before.resident) / IN_FLIGHT, result, after.most_in_flight
end

local function bench_in_flight()
  local waiting = growth("/wait")
  for _, gateway_delay in ipairs { "4", "0.2" } do
    local kib, synced, met = growth(gateway_delay == "4" and "/later" or "/late")
    report(("%d orders at once, answers after %s s"):format(IN_FLIGHT, gateway_delay),
      ("%d good, %d in flight at once, %.1f KiB each (%.1f of them a handler that only waits), the last after %.0f ms")
        :format(synced.ok, met, kib, waiting, synced.max_ms), "all good, at most 64 KiB each")
  end
end

-- ---- rate: orders a second ---------------------------------------------------------------------

local SIDES = { "cpu", "wall" }

local function collect(sides, measured)
  for _, side in ipairs(SIDES) do table.insert(sides[side], measured[side]) end
end

local function both()
  return { cpu = {}, wall = {} }
end

local function per_second(a, b)
  local least_a, median_a = least_and_median(a)
  local least_b, median_b = least_and_median(b)
  return ("most %6.1f / %6.1f = %.3f   median %6.1f / %6.1f = %.3f"):format(
    1 / least_a, 1 / least_b, least_b / least_a, 1 / median_a, 1 / median_b, median_b / median_a)
end

local function report_rate(what, a, b, target)
  report(what, per_second(a.wall, b.wall), target)
  report("  by the worker's CPU time", per_second(a.cpu, b.cpu), target)
end

-- The same from outside: each order is a POST to a handler.
local function through_handler(path)
  local before = servers.ask("/usage").cpu
  local synced = all_good(wave(path, 16, TURN_ORDERS))
  return { wall = 1 / synced.per_second, cpu = (servers.ask("/usage").cpu - before) / synced.ok }
end

local function sync(way)
  return servers.ask(("/sync?way=%s&n=%d"):format(way, TURN_ORDERS))
end

local function bench_rate()
  local ours, keys, theirs, handled, theirs_handled = both(), both(), both(), both(), both()
  for turn = -10, RATE_TURNS do
    local measured, alone, outside = sync("ready"), ask_keys(), through_handler("/ready")
    local by_hand, by_hand_outside = PEERS and sync("by_hand"), PEERS and through_handler("/by_hand")
    if turn > 0 then -- the first ones warm up
      collect(ours, measured)
      collect(keys, { cpu = alone.sign.cpu + alone.verify.cpu, wall = alone.sign.wall + alone.verify.wall })
      collect(handled, outside)
      if PEERS then
        collect(theirs, by_hand)
        collect(theirs_handled, by_hand_outside)
      end
    end
  end
  report_rate("orders a second / signing and verifying", ours, keys, "at least 0.8")
  report_rate("  each a POST to a handler", handled, keys, "no target")
  if not PEERS then return report("orders a second / by hand", "not measured: set PEERS=directory", "at least 1.3") end
  report_rate("orders a second / by hand with lua-resty-*", ours, theirs, "at least 1.3")
  report_rate("  each a POST to a handler", handled, theirs_handled, "no target")
end

-- ---- outbox: puts into a file ------------------------------------------------------------------

local PUT_TURNS, TURN_PUTS = 15, 400

-- Seconds of each.
local function puts(path, connections)
  return 1 / all_good(wave(path, connections, TURN_PUTS)).per_second
end

local function beside_puts(path)
  local neighbour, put = beside_orders(path, 5)
  all_good(put)
  return all_good(neighbour).p99_ms
end

-- The same while the worker delivers as well.
local function beside_delivery()
  local put = orders("/put", { rate = ORDER_RATE, connections = 1000 })
  local path = ("/deliver?seconds=%d"):format(SECONDS)
  local delivery = { request = ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"):format(path), requests = 1 }
  local neighbour, stored, delivered = traffic.run(servers.port, { NEIGHBOUR, put, delivery }, SECONDS, 10)
  all_good(stored)
  all_good(delivered)
  return all_good(neighbour).p99_ms
end

local PUT_WAYS = {
  { what = "in a thread", path = "/put", speed = "at least 2.5", p99 = "at most 3 times idle and 2 ms" },
  { what = "in the worker", path = "/put_here", speed = "no target", p99 = "no target" },
}

local function report_beside_puts(what, idle, beside, target)
  local a, a_median = least_and_median(idle)
  local b, b_median = least_and_median(beside)
  local text = "%s %.2f ms, idle %.2f: %.2f of what is allowed"
  report("neighbour's p99 beside 200 puts a second, " .. what,
    text:format("least", b, a, b / (3 * a + 2)) .. "   "
      .. text:format("median", b_median, a_median, b_median / (3 * a_median + 2)), target)
end

local function bench_outbox()
  local idle, delivery, event = {}, {}, {}
  for _, way in ipairs(PUT_WAYS) do way.single, way.many, way.beside = {}, {}, {} end
  for turn = 1, PUT_TURNS do
    idle[turn] = all_good(traffic.run(servers.port, { NEIGHBOUR }, SECONDS, 5)).p99_ms
    for _, way in ipairs(PUT_WAYS) do
      way.single[turn], way.many[turn] = puts(way.path, 1), puts(way.path, 16)
      way.beside[turn] = beside_puts(way.path)
    end
    local delivered = servers.ask "/deliver"
    event[turn] = delivered.seconds / delivered.accepted
    delivery[turn] = beside_delivery()
  end
  for _, way in ipairs(PUT_WAYS) do
    report("puts a second, 16 at once / one by one, " .. way.what, per_second(way.many, way.single), way.speed)
    report_beside_puts(way.what, idle, way.beside, way.p99)
  end
  report_beside_puts("and a delivery", idle, delivery, "no target")
  report("events delivered a second", ("most %.0f"):format(1 / least_and_median(event)), "no target")
end

-- ---- all ---------------------------------------------------------------------------------------

local BENCHES = {
  { "neighbours", bench_neighbours },
  { "in_flight", bench_in_flight },
  { "rate", bench_rate },
  { "blocking", bench_blocking },
  { "outbox", bench_outbox },
}

servers.run(gateway, order, PEERS, function()
  for _, bench in ipairs(BENCHES) do
    if not FIGURES or FIGURES:find(bench[1], 1, true) then bench[2]() end
  end
end)
