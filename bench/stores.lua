-- Stores of an outbox to be measured, new and empty, and events that wait in them.

local alipayhk = require "alipayhk"
local many = require "bench.many"
local measure = require "bench.measure"
local shell = require "spec.support.shell"
local store_module = require "alipayhk.delivery.store"

local stores = { NAMES = { "sqlite", "redis" } }

-- A store is `{ url, bytes, stop }`: `url()` of an empty one, which ends the one before; `bytes()`, what it takes on
-- the disk or in memory; `stop()`. Of Redis also its `server`.
stores.start = {}

function stores.start.sqlite()
  local path
  return {
    url = function()
      path = shell.directory() .. "/orders.db"
      return "sqlite:" .. path
    end,
    bytes = function() return tonumber((shell.run("stat -c %s " .. path):match("^%d+"))) or 0 end,
    stop = function() end,
  }
end

function stores.start.redis()
  local server = require("spec.support.servers.redis").start { lines = { "appendfsync always" } }
  return {
    server = server,
    url = function()
      server.cli("flushall")
      return server.url()
    end,
    bytes = function() return tonumber(server.cli("info", "memory"):match("used_memory:(%d+)")) end,
    stop = server.stop,
  }
end

local BODY = '{"merchantBizNo":"BENCH-%d","requestId":"%032d","merchantBizType":"MOVIE_TICKET",'
  .. '"orderStatus":"TICKETED","userId":"2160120012345678","orderCreateTime":1716338541000,'
  .. '"orderModifyTime":1716338541000,"extInfo":{}}'
local BATCH = 1000

-- Puts events into an empty store, each of an order of its own: the store, open.
function stores.fill(url, client_id, count)
  local store = assert(store_module.open(url, { client_id = client_id, lease_ms = 60000, delay_max_ms = 300000 }))
  local records = {}
  for i = 1, count do
    records[#records + 1] = {
      api = "order", merchant_biz_no = ("BENCH-%d"):format(i), request_id = ("%032d"):format(i), status = "TICKETED",
      alike = "TICKETED", sequence_ms = 1716338541000, is_filled = true, body = BODY:format(i, i),
    }
    if #records == BATCH or i == count then
      assert(store:put(records))
      records = {}
    end
  end
  return store
end

-- Puts a second, one after the other, of so many orders, which may wait there already.
function stores.puts(url, client_id, count)
  local outbox, i = assert(alipayhk.outbox { store = url, client_id = client_id }), 0
  local seconds = measure.wall(function()
    i = i + 1
    assert(outbox:put(many.order(i)))
  end, count)
  outbox:close()
  return count / seconds
end

return stores
