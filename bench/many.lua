-- Many orders at once, against the same job in C and by others, each against a server that answers at once.

local alipayhk = require "alipayhk"
local canned = require "bench.canned"
local connection = dofile "gateway/connection.lua"
local core = require "alipayhk.core"
local peers = require "bench.peers"
local shell = require "spec.support.shell"

local many = {}

local PATH = "/api/open/alipay/v1/merchant/order/sync"
local KINDS = { rsa = "RSA-2048", ec = "P-224" }
-- Figures to reach: of the same job in C, and by node.
local OF_C = { rsa = 0.90, ec = 0.75 }
local OF_NODE = { rsa = 1.05, ec = 2.0 }
local OF_OPENSSL = 0.93

local AT_ONCE = { 1, 8, 64, 256 }
local USUAL = 64
local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS") or 3)
local ORDERS = tonumber(os.getenv("BENCH_ORDERS") or 4000)

local function order(i)
  return {
    merchantBizNo = ("BENCH-%d"):format(i), merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED",
    userId = "2160120012345678", orderCreateTime = 1716338541000, extInfo = {},
  }
end

-- Orders a second; `given` orders, all of which have to be accepted.
function many.ours(client, given, opts)
  local i = 0
  local totals = client:sync_many(function()
    i = i + 1
    return i <= given and order(i) or nil
  end, opts)
  assert(totals.accepted == given, totals.stopped)
  return given / totals.seconds
end

-- A client of the canned server.
function many.client(gateway, kind, url)
  local config = connection.config(gateway, kind)
  config.base_url = url
  return assert(alipayhk.new(config))
end

-- The best of some rounds of each contender, in turns. `contenders`: `{ name, run }`; gives the best by name.
local function contest(contenders)
  local best = {}
  for _ = 1, ROUNDS do
    for _, contender in ipairs(contenders) do
      local rate, message = contender.run()
      if not rate then error(contender.name .. ": " .. tostring(message), 0) end
      best[contender.name] = math.max(best[contender.name] or 0, rate)
    end
  end
  return best
end

local function contenders_of(gateway, kind, url, at_once, present)
  local client = many.client(gateway, kind, url)
  local orders = at_once == 1 and ORDERS / 4 or ORDERS
  local all, list = core.processors(), {}
  many.ours(client, 200, { concurrency = at_once, signers = all })
  for _, signers in ipairs { 0, 1, all } do
    list[#list + 1] = { name = signers, run = function()
      return many.ours(client, orders, { concurrency = at_once, signers = signers })
    end }
  end
  for name, peer in pairs(present) do
    -- The slow ones take part once.
    if name == "C" or name == "node http2" or at_once == USUAL then
      list[#list + 1] = { name = name, run = function()
        return peers.run(peer, {
          url = url .. PATH, gateway = gateway, kind = kind, orders = orders, at_once = at_once, threads = all,
        })
      end }
    end
  end
  return list, function() client:close() end
end

-- Signatures a second of all processors together, by OpenSSL's own measure.
local function openssl_speed()
  local said = shell.run(("openssl speed -seconds 3 -multi %d rsa2048"):format(core.processors()))
  return tonumber(said:match("rsa 2048 bits%s+%S+%s+%S+%s+(%S+)"))
end

local function add_rows(add, kind, at_once, best)
  local all = core.processors()
  local ours = math.max(best[0], best[1], best[all])
  local what = ("sync_many, %s, %d at once"):format(KINDS[kind], at_once)
  for _, signers in ipairs { 0, 1, all } do
    add {
      name = ("%s, %d signers"):format(what, signers), unit = "orders/s", ours = best[signers],
      series = { kind = kind, at_once = at_once, who = ("sync_many, %d signers"):format(signers) },
    }
  end
  local names = {}
  for name in pairs(best) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local target = at_once == USUAL and (name == "C" and OF_C[kind] or name == "node http2" and OF_NODE[kind]) or nil
    add {
      name = what .. ", of " .. name, unit = "orders/s", ours = ours, theirs = best[name],
      ratio = ours / best[name], target = target, series = { kind = kind, at_once = at_once, who = name },
    }
  end
  return ours
end

-- `given`: what gateway/start printed; `build`: the folder with what was built; `add`: function(row).
function many.run(given, build, add)
  local present, server = peers.present(build), canned.start(given)
  for _, kind in ipairs { "rsa", "ec" } do
    for _, at_once in ipairs(AT_ONCE) do
      local contenders, close = contenders_of(given, kind, server.url, at_once, present)
      local ours = add_rows(add, kind, at_once, contest(contenders))
      close()
      if kind == "rsa" and at_once == USUAL then
        local theirs = openssl_speed()
        add {
          name = "sync_many, RSA-2048, of openssl speed -multi", unit = "orders/s", ours = ours, theirs = theirs,
          ratio = ours / theirs, target = OF_OPENSSL,
        }
      end
    end
  end
  server.stop()
end

return many
