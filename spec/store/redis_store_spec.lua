-- The store of an outbox in a Redis. redis-cli says what is in it.

local contract = require "spec.support.store_contract"
local redis_server = require "spec.support.servers.redis"
local store = require "alipayhk.delivery.store"

-- Ends all leases, as the time does.
local EXPIRE = [[
for _, key in ipairs(redis.call("KEYS", "*:leases")) do
  for _, id in ipairs(redis.call("ZRANGE", key, 0, -1)) do redis.call("ZADD", key, 1, id) end
end]]

describe("a store in a Redis", function()
  local server

  setup(function() server = redis_server.start() end)
  teardown(function() server.stop() end)

  local function open(opts)
    opts = opts or {}
    opts.client_id, opts.lease_ms = opts.client_id or "CLIENT", opts.lease_ms or 60000
    return assert(store.open(opts.url or server.url(), opts))
  end

  contract.declare(function()
    server.cli "flushall"
    return { open = open, forsake = function() server.cli("eval", EXPIRE, "0") end }
  end, { describe = describe, it = it, before_each = before_each, after_each = after_each })
end)
