-- `make soak MINUTES=30`: a shop's whole traffic, for as long as one likes, while one request in ten fails, processes
-- are killed, nginx reloads and Redis is killed and restarted. In the end every order that the shop was told to be safe
-- has to be in the gateway's own log, none may have gone backwards, and nothing may have grown.
--
-- The ways: sync_many over curl; an outbox in a file and one in a Redis, put by one process and delivered by two of
-- `alipayhk deliver` each; and the recipe examples/nginx/outbox, which puts in a handler and delivers over cosockets.
--
--     MINUTES=1 lua spec/soak/run.lua

package.path = package.path .. ";./?.lua"

local background = require "spec.support.background"
local child = require "spec.support.child"
local command = require "spec.support.command"
local connection = dofile "gateway/connection.lua"
local core = require "alipayhk.core"
local databases = require "spec.support.databases"
local flat = require("spec.soak.flat").new()
local gateway = require "spec.support.servers.gateway"
local ledger_of = require("spec.soak.ledger").new
local recipe = require "spec.support.servers.recipe"
local redis_server = require "spec.support.servers.redis"
local shell = require "spec.support.shell"

local SECONDS = tonumber(os.getenv("MINUTES") or 1) * 60
local FAULTS = "GATEWAY_FAIL_PERCENT=7 GATEWAY_DROP_PERCENT=3 GATEWAY_REQUESTS=1"
-- In seconds; what goes by the whole time comes about as often in a short run.
local SAMPLE_S, KILL_S, ORDERS_EACH = math.max(2, SECONDS / 60), 5, 5
local RELOAD_S, REDIS_S = SECONDS / 4, SECONDS / 3
-- How long what waits in the end may take, and what a process needs to end.
local REST_S = 180
local STATUSES = { "TICKETED", "USED" }
local TIMES, OUTBOX = "timeout_ms = 10000", "timeout_ms = 10000, store = %q, lease_ms = 15000"

local folder, done = shell.directory(), { kills = 0, reloads = 0, restarts = 0, posted = 0 }

-- ---- the world -----------------------------------------------------------------------------------------

local values = gateway.start(FAULTS)
gateway.watch(values.pid)
local config = connection.config(values, "rsa")
local redis = redis_server.start { lines = { "appendfsync always" } }
local stores = { "sqlite:" .. databases.path(), redis.url() }
local world = recipe.add_outbox {
  client_id = config.client_id, base_url = config.base_url, ca_file = values.ca_file,
  files = { ["merchant.pem"] = values.rsa_private_key, ["alipayhk.pem"] = values.rsa_alipay_public_key },
}
local shop = recipe.start("outbox", world)
local ledger, notes = ledger_of(values.requests), assert(io.open(folder .. "/notes", "a"))
notes:setvbuf "line"

local configs, deliverers = {}, {}
for i, store in ipairs(stores) do configs[i] = command.config(config, OUTBOX:format(store)) end

local function deliver(i)
  deliverers[i] = command.start { "deliver", "--create", "--config", configs[(i - 1) % #configs + 1] }
end
for i = 1, 2 * #configs do deliver(i) end

local traffic = background.start(("exec %s spec/soak/traffic.lua %s %s %s %s"):format(child.interpreter(), folder,
  command.config(config, TIMES), stores[1], stores[2]))

-- ---- what happens --------------------------------------------------------------------------------------

local function post_orders()
  for _ = 1, ORDERS_EACH do
    done.posted = done.posted + 1
    local number = ("nginx-%d"):format(done.posted)
    for _, status in ipairs(STATUSES) do
      local sent, answer = pcall(shop.post_order, shop, { merchantBizNo = number, orderStatus = status })
      if not sent or answer.status ~= 202 then break end -- it says that it did not take it
      notes:write("nginx ", number, " ", status, "\n")
    end
  end
end

local function kill_one()
  local i = core.random_bytes(1):byte() % #deliverers + 1
  deliverers[i]:signal "KILL"
  done.kills = done.kills + 1
  deliver(i)
end

local function reload()
  shop:reload()
  done.reloads = done.reloads + 1
end

local function restart_redis()
  redis.kill()
  redis.restart()
  done.restarts = done.restarts + 1
end

local function sample()
  flat:sample("traffic", traffic.pid)
  flat:sample("nginx, master", shop.pid)
  for pid in pairs(shop:workers()) do flat:sample("nginx, worker", pid) end
  flat:sample("gateway", values.pid)
  for i, one in ipairs(deliverers) do flat:sample("deliver " .. i, one.pid) end
end

local EVENTS = {
  { every_s = 1, run = post_orders }, { every_s = 1, run = function() ledger:read() end },
  { every_s = SAMPLE_S, run = sample },
  { every_s = KILL_S, run = kill_one, for_s = SECONDS / 2 }, -- from then on it is seen whether they grow
  { every_s = RELOAD_S, run = reload }, { every_s = REDIS_S, run = restart_redis },
}

local started = core.monotonic()
for _, event in ipairs(EVENTS) do event.due = started + event.every_s end
while core.monotonic() < started + SECONDS do
  assert(not traffic:status(), (select(2, traffic:said())))
  for _, event in ipairs(EVENTS) do
    if core.monotonic() >= event.due and event.due - started <= (event.for_s or SECONDS) then
      event.run()
      event.due = math.max(event.due + event.every_s, core.monotonic())
    end
  end
  core.sleep(50)
end

-- ---- the end -------------------------------------------------------------------------------------------

shell.write(folder .. "/stop", "")
assert(traffic:ended(REST_S) == 0, (select(2, traffic:said())))
notes:close()

local alipayhk = require "alipayhk"
local function left()
  local sum, parked = 0, 0
  for _, url in ipairs { stores[1], stores[2], "sqlite:" .. world.outbox .. "/orders.db" } do
    local outbox = assert(alipayhk.outbox { store = url, client_id = config.client_id })
    local stats = assert(outbox:stats())
    sum, parked = sum + stats.waiting + stats.sending, parked + stats.parked
    outbox:close()
  end
  return sum, parked
end

local until_s = core.monotonic() + REST_S
local waiting, parked
repeat
  core.sleep(500)
  waiting, parked = left()
until waiting == 0 or core.monotonic() > until_s
for _, one in ipairs(deliverers) do
  one:signal "TERM"
  one:ended(REST_S)
end
core.sleep(500)
ledger:read()

local complaints, promised = ledger:complaints(folder .. "/notes")
local lines, grown = flat:summary()
print(("%.0f s; %d requests, %d of them failed on purpose or were no success; %d states that had to arrive"):format(
  SECONDS, ledger.requests, ledger.failed, promised))
print(("%d deliverers killed, %d reloads of nginx, Redis killed %d times; %d left waiting, %d parked"):format(
  done.kills, done.reloads, done.restarts, waiting, parked))
print "the most of the middle and of the last third:"
print(table.concat(lines, "\n"))
if waiting > 0 then complaints[#complaints + 1] = ("%d events still wait"):format(waiting) end
if parked > 0 then complaints[#complaints + 1] = ("%d events are parked"):format(parked) end
complaints[#complaints + 1] = shop:log():match("[^\n]*%[alert%][^\n]*")
for _, sentence in ipairs(grown) do complaints[#complaints + 1] = sentence end
for i = 1, math.min(#complaints, 20) do print("FAULT: " .. complaints[i]) end

shop:stop()
redis.stop()
gateway.stop(values)
shell.run("rm -r " .. world.outbox)
print(#complaints == 0 and "all of them arrived, none went backwards, nothing grew"
  or ("%d faults"):format(#complaints))
os.exit(#complaints == 0)
