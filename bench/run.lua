-- `make bench`: what the library costs, as ratios to raw OpenSSL and libcurl in the same run.
-- Each figure takes its two sides in turns; the ratio of the least times is the figure, that of the
-- medians shows the machine's noise.
-- Its standard input is what gateway/start printed. SIGNATURES (1000000) is for the memory test.

local alipayhk = require "alipayhk"
local api = require "alipayhk.api"
local core = require "alipayhk.core"
local connection = dofile "gateway/connection.lua"
local floor = require "floor"
local json = require "alipayhk.base.json"

local TURNS = 1001
local SIGNATURES = tonumber(os.getenv("SIGNATURES") or 1000000)

local gateway = connection.parse(io.read("*a"))

local function cpu(f, n)
  local start = os.clock()
  for _ = 1, n do f() end
  return os.clock() - start
end

local function wall(f, n)
  local start = core.monotonic()
  for _ = 1, n do f() end
  return core.monotonic() - start
end

-- Turn by turn, so that both sides meet the same caches and neighbours. The least of each side is what
-- the work costs, the median what a busy machine makes of it; in microseconds a run.
local function compare(ours, theirs, n)
  local a, b = {}, {}
  for i = 1, TURNS do
    a[i], b[i] = ours(n) / n * 1e6, theirs(n) / n * 1e6
  end
  table.sort(a)
  table.sort(b)
  local middle = math.floor(TURNS / 2) + 1
  return a[1], b[1], a[middle], b[middle]
end

local function report(what, target, least, floor_least, median, floor_median)
  print(("%-37s least %7.1f / %7.1f us = %.3f   median %7.1f / %7.1f us = %.3f   (%s)"):format(
    what, least, floor_least, least / floor_least, median, floor_median, median / floor_median, target))
end

local function key(kind)
  return assert(core.private_key { file = gateway[kind .. "_private_key"] })
end

local function client(kind)
  return assert(alipayhk.new(connection.config(gateway, kind)))
end

-- Some 1 KiB of JSON.
local function order()
  return {
    merchantBizNo = "BENCH-1",
    merchantBizType = "SELF_PICK",
    orderStatus = "ORDER_TAKEN",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = 1716338541000, -- the same for both sides: the gateway does not store what is older
    amount = { value = "18000", currency = "HKD" },
    itemOrderList = { { name = ("x"):rep(200), quantity = 1 }, { name = ("y"):rep(200), quantity = 2 } },
    shopInfo = { name = ("z"):rep(150) },
    extInfo = { text = ("電"):rep(60) },
  }
end

local function bench_sign(kind, digest, target)
  local message, k = ("m"):rep(1024), key(kind)
  local function ours(n) return cpu(function() k:sign(message) end, n) end
  local signer = floor.signer(gateway[kind .. "_private_key"], digest)
  local function theirs(n) return floor.sign(signer, n) end
  report(("key:sign, %s, 1 KiB"):format(kind == "rsa" and "RSA-2048" or "P-224"), target,
    compare(ours, theirs, kind == "rsa" and 1 or 10))
end

-- The scenario whose sample has most bytes of JSON.
local function largest_scenario()
  local largest, api_name, most = nil, nil, 0
  for _, name in ipairs(api.names) do
    for _, scenario in ipairs(api.by_name[name].scenarios) do
      local size = #json.encode(scenario.sample)
      if size > most then largest, api_name, most = scenario, name, size end
    end
  end
  return largest, api_name
end

local function bench_check()
  local scenario, name = largest_scenario()
  local sample = scenario.sample
  local function ours(n) return cpu(function() alipayhk.check(name, sample) end, n) end
  local signer = floor.signer(gateway.rsa_private_key, "sha256")
  -- Of a signature only a part as long as some checks is worth the time: twenty to one.
  local function theirs(n) return floor.sign(signer, n / 20) * 20 end
  report("alipayhk.check, " .. scenario.name,
    rawget(_G, "jit") and "at most 0.013 of a signature" or "at most 0.04 of a signature", compare(ours, theirs, 20))

  local CHECKS = 10000
  collectgarbage()
  collectgarbage("stop")
  local before = collectgarbage("count")
  for _ = 1, CHECKS do alipayhk.check(name, sample) end
  local garbage = (collectgarbage("count") - before) * 1024 / CHECKS
  collectgarbage("restart")
  print(("%-37s %.2f bytes a check   (none)"):format("garbage, a valid payload", garbage))
end

local function bench_prepare()
  local c, payload = client("rsa"), order()
  local body = assert(c:prepare("order", payload)).body
  local function ours(n) return cpu(function() c:prepare("order", payload) end, n) end
  local signer = floor.signer(gateway.rsa_private_key, "sha256")
  local function theirs(n) return floor.sign(signer, n) end
  report(("client:prepare, a body of %d bytes"):format(#body), "at most 1.05 of a signature", compare(ours, theirs, 1))
  c:close()
end

-- Requests signed beforehand for the raw loop, each unlike the others as ours are: HTTP/2 would send a
-- header that it has sent before as one byte.
local function signed_requests(c, payload, n)
  local requests = {}
  for i = 1, n do
    local request = assert(c:prepare("order", payload))
    local headers = {}
    for name, value in pairs(request.headers) do headers[#headers + 1] = name .. ": " .. value end
    requests[i] = { url = request.url, body = request.body, headers = headers }
  end
  return requests
end

local function bench_call()
  local c, payload = client("rsa"), order()
  local requests, turn = signed_requests(c, payload, 100), 0
  local signer = floor.signer(gateway.rsa_private_key, "sha256")
  local function ours(n) return wall(function() assert(c:sync_order(payload)) end, n) end
  local function theirs(n)
    turn = turn % #requests + 1
    local request = requests[turn]
    return floor.post(request.url, gateway.ca_file, request.body, request.headers, n, signer)
  end
  ours(20)
  theirs(20)
  report("client:sync_order, kept TLS connection", "at most 1.05 of a POST and a signature", compare(ours, theirs, 1))
  c:close()
end

local function resident_kib()
  local file = io.open("/proc/self/status")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return tonumber(text:match("VmRSS:%s*(%d+)"))
end

local function bench_memory(kind, n)
  local message, k = ("m"):rep(1024), key(kind)
  for _ = 1, n / 20 do k:sign(message) end
  collectgarbage()
  local before = resident_kib()
  for _ = 1, n do k:sign(message) end
  collectgarbage()
  print(("%-44s %+d KiB resident after %d signatures   (within 1024)"):format(
    "memory, " .. kind, resident_kib() - before, n))
end

print(("%s, %s\n"):format(_VERSION, rawget(_G, "jit") and rawget(_G, "jit").version or "PUC-Rio"))
bench_sign("rsa", "sha256", "at most 1.031")
bench_sign("ec", "sha224", "at most 1.111")
bench_check()
bench_prepare()
bench_call()
bench_memory("ec", SIGNATURES)
bench_memory("rsa", SIGNATURES / 10)
