-- What single operations cost, against raw OpenSSL and libcurl in the same process.

local alipayhk = require "alipayhk"
local api = require "alipayhk.api"
local connection = dofile "gateway/connection.lua"
local core = require "alipayhk.core"
local floor = require "floor"
local json = require "alipayhk.base.json"
local measure = require "bench.measure"

local cpu, wall, compare = measure.cpu, measure.wall, measure.compare
local IS_JIT = rawget(_G, "jit") ~= nil

local single = {}

local gateway, add

-- A row of the table. `most`: what the ratio may be.
local function cost(name, most, figures, unit)
  figures.name, figures.target, figures.is_cost, figures.unit = name, most, true, unit or "us"
  add(figures)
end

local function private(kind)
  return assert(core.private_key { file = gateway[kind .. "_private_key"] })
end

local function public(kind)
  return assert(core.public_key { file = (gateway[kind .. "_private_key"]:gsub("%.pem$", ".pub")) })
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

local KINDS = { rsa = "RSA-2048", ec = "P-224" }
local DIGESTS = { rsa = "sha256", ec = "sha224" }
local MESSAGE = ("m"):rep(1024)

local function signer(kind)
  return floor.signer(gateway[kind .. "_private_key"], DIGESTS[kind])
end

local function sign(kind, most)
  local key, theirs = private(kind), signer(kind)
  cost(("key:sign, %s, 1 KiB"):format(KINDS[kind]), most, compare(
    function(n) return cpu(function() key:sign(MESSAGE) end, n) end,
    function(n) return floor.sign(theirs, n) end, kind == "rsa" and 1 or 10))
end

local function verify(kind, most)
  local public_key, theirs = public(kind), signer(kind)
  local signature = assert(private(kind):sign(MESSAGE))
  cost(("key:verify, %s, 1 KiB"):format(KINDS[kind]), most, compare(
    function(n) return cpu(function() public_key:verify(MESSAGE, signature) end, n) end,
    function(n) return floor.verify(theirs, n) end, 10))
end

local function envelope(most)
  local key, public_key, theirs = private("rsa"), public("rsa"), signer("rsa")
  cost("core.seal, 1 KiB", most, compare(
    function(n) return cpu(function() core.seal(MESSAGE, public_key) end, n) end,
    function(n) return floor.seal(theirs, MESSAGE, n) end, 10))
  local body, wrapped = core.seal(MESSAGE, public_key)
  cost("core.open, 1 KiB", most, compare(
    function(n) return cpu(function() core.open(body, wrapped, key) end, n) end,
    function(n) return floor.open(theirs, body, wrapped, n) end, 1))
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

-- Bytes of garbage of one check.
local function garbage_of(f)
  local TIMES = 10000
  collectgarbage()
  collectgarbage("stop")
  local before = collectgarbage("count")
  for _ = 1, TIMES do f() end
  local bytes = (collectgarbage("count") - before) * 1024 / TIMES
  collectgarbage("restart")
  return bytes
end

local function check()
  local scenario, name = largest_scenario()
  local theirs = signer("rsa")
  local function once() alipayhk.check(name, scenario.sample) end
  -- Of a signature only a part as long as some checks is worth the time: twenty to one.
  cost(("check, %s, of a signature"):format(scenario.name), IS_JIT and 0.015 or 0.03, compare(
    function(n) return cpu(once, n) end,
    function(n) return floor.sign(theirs, n / 20) * 20 end, 20))
  add { name = "check, garbage", ours = garbage_of(once), unit = "bytes" }
end

local function prepare()
  local c, payload, theirs = client("rsa"), order(), signer("rsa")
  cost("client:prepare, of a signature", 1.04, compare(
    function(n) return cpu(function() c:prepare("order", payload) end, n) end,
    function(n) return floor.sign(theirs, n) end, 1))
  c:close()
end

-- Requests signed beforehand for the raw loop, each unlike the others as ours are: HTTP/2 would send a header that it
-- has sent before as one byte.
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

local function call(kind, most)
  local c, payload, theirs = client(kind), order(), signer(kind)
  local requests, turn = signed_requests(c, payload, 100), 0
  local function ours(n) return wall(function() assert(c:sync_order(payload)) end, n) end
  local function post(n)
    turn = turn % #requests + 1
    local request = requests[turn]
    return floor.post(request.url, gateway.ca_file, request.body, request.headers, n, theirs)
  end
  ours(20)
  post(20)
  cost(("client:sync_order, %s, of sign, POST, verify"):format(KINDS[kind]), most, compare(ours, post, 1))
  c:close()
end

local function memory(kind, n)
  local key = private(kind)
  for _ = 1, n / 20 do key:sign(MESSAGE) end
  collectgarbage()
  local before = measure.resident()
  for _ = 1, n do key:sign(MESSAGE) end
  collectgarbage()
  add {
    name = ("resident after %d signatures, %s"):format(n, KINDS[kind]), ours = measure.resident() - before,
    unit = "KiB",
  }
end

-- `given`: what gateway/start printed; `add_row`: function(row).
function single.run(given, add_row)
  gateway, add = given, add_row
  sign("rsa", 1.031)
  sign("ec", 1.111)
  verify("rsa", 1.15)
  verify("ec", 1.1)
  envelope(1.1)
  check()
  prepare()
  call("rsa", 1.05)
  call("ec")
  local signatures = tonumber(os.getenv("SIGNATURES") or 1000000)
  memory("ec", signatures)
  memory("rsa", signatures / 10)
end

return single
