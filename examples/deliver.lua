-- Delivers what was put into an outbox, until it is told to end:
--
--     lua examples/deliver.lua CONFIG.lua
--
-- CONFIG.lua returns the table for `alipayhk.new`, with two more keys, those of `alipayhk.outbox`:
--
--     local keys = os.getenv("CREDENTIALS_DIRECTORY") or "/etc/alipayhk"
--     return {
--       store = "sqlite:/var/lib/alipayhk/orders.db",
--       max_age_ms = 86400000, -- what cannot be delivered for so long is parked; may be left out
--       client_id = "4Q5Y8W0WSG45P907917",
--       environment = "testing",
--       private_key = { file = keys .. "/merchant.pem" },
--       alipay_public_key = { file = keys .. "/alipayhk.pem" },
--     }
--
-- It may run several times: of a file one delivers, and another as soon as that has ended; of a Redis all do. What is
-- parked, and what is wrong with the store, is told on standard error.
--
-- SIGTERM or Ctrl-C ends it when what is under way has ended; a second one at once, and nothing is lost by that. Exit
-- status: 0 when it was told to end, 1 where the store needs somebody to look at it, 2 for wrong usage.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"

local config_file = arg[1]
if not config_file then
  io.stderr:write("usage: lua deliver.lua CONFIG.lua\n")
  os.exit(2)
end

local function must(value, message)
  if value then return value end
  io.stderr:write(tostring(message), "\n")
  os.exit(2)
end

local function say(text)
  io.stderr:write(text, "\n")
end

local function on_result(result)
  if not result.err then return end
  say(("event %s of %s is parked: %s"):format(result.id, result.merchant_biz_no, tostring(result.err)))
end

local function on_event(event)
  if event.name == "store" then say("the store fails: " .. event.message) end
end

-- ---- setting up --------------------------------------------------------------------------------------

local ran, config = pcall(dofile, config_file)
must(ran, "config: " .. tostring(config))
must(type(config) == "table", ("%s: expected `return { ... }`, the table for alipayhk.new and `store`, found %s")
  :format(config_file, type(config)))
local store, max_age_ms = config.store, config.max_age_ms
config.store, config.max_age_ms = nil, nil
local client = must(alipayhk.new(config))
local outbox, failed = alipayhk.outbox { store = store, max_age_ms = max_age_ms, client = client, on_event = on_event }

-- ---- delivering --------------------------------------------------------------------------------------

local function deliver()
  core.catch_interrupts()
  return outbox:deliver { stop = core.interrupted, on_result = on_result }
end

local totals
if outbox then
  totals, failed = deliver()
  outbox:close()
end
client:close()
if not totals then
  say(tostring(failed))
  os.exit(failed.kind == "store" and 1 or 2)
end
print(("%d accepted, %d parked, %.1f s"):format(totals.accepted, totals.parked, totals.seconds))
