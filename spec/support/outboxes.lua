-- Outboxes over new files, whose AlipayHK is a function (spec/support/doubles/alipayhk_double.lua).

local alipayhk = require "alipayhk"
local databases = require "spec.support.databases"
local json = require "alipayhk.base.json"

local outboxes = {}

outboxes.UNTIL_EMPTY = { until_empty = true }

local opened = {}

-- For after_each.
function outboxes.close_all()
  for _, outbox in ipairs(opened) do outbox:close() end
  opened = {}
end

-- Opens one: it and its path. `values`: of its config, and `path`, of a file that is there;
-- `config`: over that of its client.
function outboxes.open(gateway, values, config)
  local path = values and values.path or databases.path()
  local given = { store = "sqlite:" .. path }
  for name, value in pairs(values or {}) do
    if name ~= "path" then given[name] = value end
  end
  if not given.client_id then given.client = gateway:client(config) end
  local outbox = assert(alipayhk.outbox(given))
  opened[#opened + 1] = outbox
  return outbox, path
end

-- What the gateway got, oldest first.
function outboxes.sent(gateway)
  local payloads = {}
  for i, request in ipairs(gateway.requests) do payloads[i] = json.decode(request.plaintext) end
  return payloads
end

-- A list that `on_event` fills: the names of the events of the outbox itself, "put accepted" as one text.
function outboxes.hearing()
  local heard = {}
  local names = { put = true, sending = true, accepted = true, parked = true, later = true, lease_lost = true,
    superseded = true, store = true }
  return heard, function(event)
    if names[event.name] then heard[#heard + 1] = event end
  end
end

function outboxes.names(heard)
  local names = {}
  for i, event in ipairs(heard) do names[i] = event.name end
  return table.concat(names, " ")
end

return outboxes
