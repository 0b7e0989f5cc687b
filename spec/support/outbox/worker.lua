-- Delivers for a while, and writes down what is sent and what was recorded as accepted. Its arguments: see
-- spec/support/outbox/parameters.lua.

local points = require "spec.support.outbox.points"
local parameters = require "spec.support.outbox.parameters"

local given = parameters.read(arg)
points.watch(given)

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"

local ends_at = core.monotonic() + given.seconds
local log = assert(io.open(given.told, "a"))
log:setvbuf "line"

-- One line each, so that it is there wholly or not at all.
local function tell(event)
  log:write(("%s %s %s %s %.6f\n"):format(given.name, event.name, event.id or "-", event.request_id or "-",
    core.monotonic()))
end

local client = assert(alipayhk.new {
  client_id = given.client_id, base_url = given.base_url, private_key = { file = given.private_key },
  alipay_public_key = { file = given.public_key }, timeout_ms = 1000, retry = { base_delay_ms = 1 },
})
local outbox = assert(alipayhk.outbox { store = given.store, client = client, lease_ms = 6000, on_event = tell })
assert(outbox:deliver { concurrency = tonumber(given.concurrency), stop = function()
  return core.monotonic() > ends_at
end })
outbox:close()
client:close()
