-- Many orders at once, against the same job in C and by others, each against a server that answers at once.

local alipayhk = require "alipayhk"
local api = require "alipayhk.api"
local canned = require "bench.canned"
local connection = dofile "gateway/connection.lua"
local core = require "alipayhk.core"
local peers = require "bench.peers"
local shell = require "spec.support.shell"

local many = {}

local KINDS = { rsa = "RSA-2048", ec = "P-224" }
local OPENSSL = "openssl speed"
-- What to reach of others, with the usual number at once.
local TARGETS = {
  rsa = { C = 0.90, ["node http2"] = 1.05, [OPENSSL] = 0.93 },
  ec = { C = 0.75, ["node http2"] = 2.0 },
}
-- Only the default is compared with others, so that it has as many tries as each of them.
local DEFAULT = core.processors()
local SIGNERS = DEFAULT > 1 and { 0, 1, DEFAULT } or { 0, 1 }

local AT_ONCE = { 1, 8, 64, 256 }
local USUAL = 64
local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS") or 3)
local ORDERS = tonumber(os.getenv("BENCH_ORDERS") or 4000)

function many.order(i)
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
    return i <= given and many.order(i) or nil
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

-- Signatures a second of all processors together, by OpenSSL's own measure; or nil and what it said.
local function openssl_speed()
  local said = shell.run(("openssl speed -seconds 3 -multi %d rsa2048"):format(core.processors()))
  return tonumber(said:match("rsa 2048 bits%s+%S+%s+%S+%s+(%S+)")), said
end

local function contenders_of(gateway, kind, url, at_once, present)
  local client = many.client(gateway, kind, url)
  local orders = at_once == 1 and ORDERS / 4 or ORDERS
  local list = {}
  many.ours(client, 200, { concurrency = at_once })
  for _, signers in ipairs(SIGNERS) do
    list[#list + 1] = { name = signers, run = function()
      return many.ours(client, orders, { concurrency = at_once, signers = signers })
    end }
  end
  for name, peer in pairs(present) do
    -- The slow ones take part once.
    if name == "C" or name == "node http2" or at_once == USUAL then
      list[#list + 1] = { name = name, run = function()
        return peers.run(peer, {
          url = url .. api.by_name.order.path, gateway = gateway, kind = kind, orders = orders, at_once = at_once,
          threads = DEFAULT,
        })
      end }
    end
  end
  if kind == "rsa" and at_once == USUAL then list[#list + 1] = { name = OPENSSL, run = openssl_speed } end
  return list, function() client:close() end
end

local function add_rows(add, kind, at_once, best)
  local ours = best[DEFAULT]
  local what = ("sync_many, %s, %d at once"):format(KINDS[kind], at_once)
  for _, signers in ipairs(SIGNERS) do
    add {
      name = ("%s, %d signers"):format(what, signers), unit = "orders/s", ours = best[signers],
      series = {
        kind = kind, at_once = at_once,
        who = ("sync_many, %d signers%s"):format(signers, signers == DEFAULT and " (default)" or ""),
      },
    }
  end
  local names = {}
  for name in pairs(best) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    add {
      name = what .. ", of " .. name, unit = "orders/s", ours = ours, theirs = best[name], ratio = ours / best[name],
      target = at_once == USUAL and TARGETS[kind][name] or nil,
      series = name ~= OPENSSL and { kind = kind, at_once = at_once, who = name } or nil,
    }
  end
end

-- `given`: what gateway/start printed; `build`: the folder with what was built; `add`: function(row).
function many.run(given, build, add)
  local present, server = peers.present(build), canned.start(given)
  for _, kind in ipairs { "rsa", "ec" } do
    for _, at_once in ipairs(AT_ONCE) do
      local contenders, close = contenders_of(given, kind, server.url, at_once, present)
      add_rows(add, kind, at_once, contest(contenders))
      close()
    end
  end
  server.stop()
end

return many
