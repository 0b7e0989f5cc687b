-- `make bench`: what the library costs, as ratios to raw OpenSSL and libcurl in the same run.
-- Each figure interleaves its two sides in chunks and takes the least of each: machines are noisy.
-- Its standard input is what gateway/start printed. SIGNATURES (1000000) is for the memory test.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local floor = require "floor"

local CHUNKS = 41
local SIGNATURES = tonumber(os.getenv("SIGNATURES") or 1000000)

local gateway = {}
for line in io.lines() do
  local name, value = line:match("^([%w_]+)=(.*)$")
  if name then gateway[name] = value end
end

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

-- The least time of one run of each side, in microseconds, and the median of the chunks' ratios.
local function compare(ours, theirs, n)
  local a, b, ratios = math.huge, math.huge, {}
  for i = 1, CHUNKS do
    local x, y = ours(n) / n, theirs(n) / n
    a, b = math.min(a, x), math.min(b, y)
    ratios[i] = x / y
  end
  table.sort(ratios)
  return a * 1e6, b * 1e6, ratios[(CHUNKS + 1) / 2]
end

local function report(what, target, ours, theirs, ratio)
  print(("%-44s %8.1f us  floor %8.1f us  least/least %.3f  median %.3f   (%s)"):format(
    what, ours, theirs, ours / theirs, ratio, target))
end

local function key(kind)
  return assert(core.private_key { file = gateway[kind .. "_private_key"] })
end

local function client(kind)
  return assert(alipayhk.new {
    client_id = gateway[kind .. "_client_id"],
    base_url = gateway.base_url,
    private_key = { file = gateway[kind .. "_private_key"] },
    alipay_public_key = { file = gateway[kind .. "_alipay_public_key"] },
    tls = { ca_file = gateway.ca_file },
  })
end

-- Some 1 KiB of JSON.
local function order()
  return {
    merchantBizNo = "BENCH-1",
    merchantBizType = "SELF_PICK",
    orderStatus = "ORDER_TAKEN",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    amount = { value = "18000", currency = "HKD" },
    itemOrderList = { { name = ("x"):rep(200), quantity = 1 }, { name = ("y"):rep(200), quantity = 2 } },
    shopInfo = { name = ("z"):rep(150) },
    extInfo = { text = ("電"):rep(60) },
  }
end

local function bench_sign(kind, digest, target)
  local message, k = ("m"):rep(1024), key(kind)
  local function ours(n) return cpu(function() k:sign(message) end, n) end
  local function theirs(n) return floor.sign(gateway[kind .. "_private_key"], digest, n) end
  local a, b, ratio = compare(ours, theirs, kind == "rsa" and 50 or 300)
  report(("key:sign, %s, 1 KiB"):format(kind == "rsa" and "RSA-2048" or "P-224"), target, a, b, ratio)
end

local function bench_prepare()
  local c, payload = client("rsa"), order()
  local body = assert(c:prepare("order", payload)).body
  local function ours(n) return cpu(function() c:prepare("order", payload) end, n) end
  local function theirs(n) return floor.sign(gateway.rsa_private_key, "sha256", n) end
  local a, b, ratio = compare(ours, theirs, 50)
  report(("client:prepare, a body of %d bytes"):format(#body), "at most 1.05 of a signature", a, b, ratio)
  c:close()
end

local function bench_call()
  local c, payload = client("rsa"), order()
  local request = assert(c:prepare("order", payload))
  local headers = {}
  for name, value in pairs(request.headers) do headers[#headers + 1] = name .. ": " .. value end
  local function post(n) return floor.post(request.url, gateway.ca_file, request.body, headers, n) end
  local function sign(n) return floor.sign(gateway.rsa_private_key, "sha256", n) end
  local function ours(n) return wall(function() assert(c:sync_order(payload)) end, n) end
  local function theirs(n) return post(n) + sign(n) end
  ours(20)
  post(20)
  local a, b, ratio = compare(ours, theirs, 30)
  report("client:sync_order, kept TLS connection", "at most 1.05 of a raw POST and a signature", a, b, ratio)
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
bench_sign("rsa", "sha256", "at most 1/0.97 = 1.031")
bench_sign("ec", "sha224", "at most 1/0.90 = 1.111")
bench_prepare()
bench_call()
bench_memory("ec", SIGNATURES)
bench_memory("rsa", SIGNATURES / 10)
