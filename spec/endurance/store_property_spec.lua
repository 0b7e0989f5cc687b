-- Random interleavings of what workers do to a store, against a model of what it promises. Each run has new seeds;
-- SEED=123 repeats one that failed, STEPS=10000 goes further.

local databases = require "spec.support.databases"
local random_calls = require "spec.support.store_random_calls"
local redis_client = require "alipayhk.delivery.redis.client"
local redis_groups = require "alipayhk.delivery.store.redis_groups"
local redis_scripts = require "alipayhk.delivery.store.redis_scripts"
local redis_server = require "spec.support.servers.redis"
local redis_url = require "alipayhk.delivery.redis.url"
local store = require "alipayhk.delivery.store"

local SEED = tonumber(os.getenv("SEED") or nil)
local STEPS = tonumber(os.getenv("STEPS") or 500)
local RUNS = 4
local LEASE_MS, DELAY_MAX_MS = 60000, 300000

local function declare(new_place)
  local first = SEED or os.time()
  for seed = first, first + (SEED and 0 or RUNS - 1) do
    it("does what its model says, whatever is called", function() random_calls(new_place(), seed, STEPS) end)
  end
end

describe("a store in a file", function()
  declare(function()
    local path = databases.path()
    return {
      kind = { group_of = function() return 0 end, delay_max_ms = DELAY_MAX_MS },
      set_time = function() end,
      open = function(opts)
        opts.client_id, opts.delay_max_ms = "CLIENT", DELAY_MAX_MS
        return assert(store.open("sqlite:" .. path, opts))
      end,
    }
  end)
end)

-- Its scripts ask a key for the time, so that it passes when the run says so.
describe("a store in a Redis", function()
  local TIME, KEPT = 'call%("TIME"%)', 'call("HMGET", "clock", "s", "us")'
  local server, clock
  local sources = {}

  setup(function()
    server = redis_server.start()
    local target = assert(redis_url.parse(server.url()))
    target.connect_timeout_ms, target.timeout_ms = 5000, 5000
    clock = assert(redis_client.new(target))
    for name, script in pairs(redis_scripts) do
      if type(script) == "table" and script.source then
        sources[name] = script.source
        script.source, script.digest = script.source:gsub(TIME, KEPT), nil
        assert.not_equal(sources[name], script.source)
      end
    end
  end)

  teardown(function()
    for name, source in pairs(sources) do redis_scripts[name].source, redis_scripts[name].digest = source, nil end
    clock:close()
    server.stop()
  end)

  declare(function()
    server.cli "flushall"
    return {
      kind = { lease_ms = LEASE_MS, group_of = redis_groups.of, delay_max_ms = DELAY_MAX_MS },
      set_time = function(ms)
        assert(clock:call("HSET", "clock", "s", ("%d"):format(math.floor(ms / 1000)), "us",
          ("%d"):format(ms % 1000 * 1000)))
      end,
      open = function(opts)
        opts.client_id, opts.lease_ms, opts.delay_max_ms = "CLIENT", LEASE_MS, DELAY_MAX_MS
        opts.fresh_ms = 0 -- the model knows of all groups
        return assert(store.open(server.url(), opts))
      end,
    }
  end)
end)
