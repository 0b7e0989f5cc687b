-- The store of an outbox in a Redis. redis-cli says what is in it.

local contract = require "spec.support.store_contract"
local core = require "alipayhk.core"
local groups = require "alipayhk.delivery.store.redis_groups"
local nginx = require "spec.support.servers.nginx"
local no_redis = require "spec.support.servers.no_redis"
local redis_server = require "spec.support.servers.redis"
local store = require "alipayhk.delivery.store"

local record = contract.record

-- Gives the entries of all sorted sets of a name another score: leases end, events are due.
local SCORE = [[
for _, key in ipairs(redis.call("KEYS", "*:" .. ARGV[1])) do
  for _, id in ipairs(redis.call("ZRANGE", key, 0, -1)) do redis.call("ZADD", key, ARGV[2], id) end
end]]

local FAR = "4102444800000" -- 2100

describe("a store in a Redis", function()
  local server

  setup(function()
    server = redis_server.start { tls = true, lines = { "appendfsync always", "repl-diskless-sync-delay 0" } }
  end)
  teardown(function() server.stop() end)

  local function open(opts)
    opts = opts or {}
    opts.client_id, opts.lease_ms = opts.client_id or "CLIENT", opts.lease_ms or 60000
    opts.delay_max_ms = 300000
    return assert(store.open(opts.url or server.url(), opts))
  end

  local function score(name, at) assert.equal("", server.cli("eval", SCORE, "0", name, at)) end

  contract.declare(function()
    server.cli "flushall"
    return { open = open, forsake = function() score("sending", "1") end }
  end, { describe = describe, it = it, before_each = before_each, after_each = after_each })

  local one
  before_each(function()
    server.cli "flushall"
    one = open()
  end)
  after_each(function() one:close() end)

  local function put(...) return contract.put(one, ...) end

  -- A call fails so, and its message has these words.
  local function fails(code, is_retryable, words, result, fault)
    assert.is_nil(result)
    assert.same({ code, is_retryable }, { fault.code, fault.is_retryable })
    assert.matches(words, fault.message, 1, true)
    assert.is_nil(fault.message:find("secret", 1, true))
  end

  -- Events until none is left, each accepted at once.
  local function deliver_all(from)
    local ids, outcomes = {}, {}
    repeat
      local turn = assert(from:turn(outcomes, 100))
      outcomes = {}
      for i, event in ipairs(turn.events) do
        ids[#ids + 1] = event.id
        outcomes[i] = { event = event, state = "accepted" }
      end
    until #outcomes == 0
    table.sort(ids)
    return ids
  end

  -- ---- leases --------------------------------------------------------------------------------------

  describe("that several deliver from", function()
    it("gives an event to one at a time, until the lease has passed", function()
      local id = put(record "A")
      local frozen, other = open { lease_ms = 300 }, open()
      local event = frozen:turn({}, 1).events[1]
      assert.is_true(event.held_ms > 0 and event.held_ms <= 300)
      local again
      assert.truthy(nginx.await(10, function()
        again = other:turn({}, 1).events[1]
        return again
      end))
      assert.same({ id, 2, true }, { again.id, again.attempts, again.lost_answer })
      for _, state in ipairs { "accepted", "parked", "waiting" } do
        local turn = frozen:turn({ { event = event, state = state } }, 10)
        assert.same({ { event }, {} }, { turn.lost, turn.events })
        assert.equal(1, one:stats().sending)
      end
      assert.same({}, other:turn({ { event = again, state = "parked", code = "OTHER" } }, 0).lost)
      assert.equal("OTHER", one:list()[1].code)
    end)

    it("leaves an event to its worker where nobody asked when the lease had passed", function()
      put(record "A")
      local event = one:turn({}, 1).events[1]
      score("sending", "1")
      assert.same({}, one:turn({ { event = event, state = "accepted" } }, 10).lost)
      assert.equal(1, one:stats().accepted)
    end)

    it("changes nothing by an outcome that is recorded again, and does not call it lost", function()
      put(record "A", record "B", record "C")
      local outcomes = {}
      for i, state in ipairs { "accepted", "parked", "waiting" } do
        local event = one:turn({}, 1).events[1]
        outcomes[i] = { event = event, state = state, delay_ms = 60000, is_free = true }
      end
      for _ = 1, 3 do
        assert.same({}, one:turn(outcomes, 0).lost)
        local states, attempts = {}, {}
        for i, event in ipairs(one:list()) do states[i], attempts[i] = event.state, event.attempts end
        assert.same({ { "accepted", "parked", "waiting" }, { 0, 0, 0 } }, { states, attempts })
      end
      assert.is_true(one:drop(outcomes[2].event.id))
      assert.same({}, one:turn(outcomes, 0).lost)
      assert.same({ 1, 1, 1 }, { one:stats().accepted, one:stats().dropped, one:stats().waiting })
    end)

    it("says for how long an event is held, counted from before the question", function()
      put(record "A")
      local before = core.monotonic()
      local event = one:turn({}, 1).events[1]
      assert.is_true(event.held_ms <= 60000)
      assert.is_true(event.held_ms >= 60000 - (core.monotonic() - before) * 1000)
    end)

    it("shares what is waiting among them", function()
      for i = 1, 200 do put(record("A" .. i)) end
      local first, second = open(), open()
      local seen = {}
      for _ = 1, 20 do
        for _, worker in ipairs { first, second } do
          for _, event in ipairs(worker:turn({}, 5).events) do
            assert.is_nil(seen[event.id])
            seen[event.id] = true
          end
        end
      end
      assert.equal(200, one:stats().sending)
    end)
  end)

  -- ---- how many lane groups a turn asks ------------------------------------------------------------

  describe("of which much is due", function()
    -- Puts so many events, each in a lane of its own.
    local function fill(count)
      local records = {}
      for i = 1, count do records[i] = record("A" .. i) end
      assert(one:put(records))
    end

    local function scripts_run()
      return tonumber(server.cli("info", "commandstats"):match("cmdstat_evalsha:calls=(%d+)"))
    end

    it("asks those lane groups alone from which it claims, or which have outcomes", function()
      fill(400)
      local worker = open { fresh_ms = 600000 }
      assert(worker:turn({}, 0))
      server.cli("config", "resetstat")
      local events = worker:turn({}, 16).events
      assert.same({ 16, 1 }, { #events, scripts_run() })
      assert.equal(384, worker:turn({ { event = events[1], state = "accepted" } }, 0).waiting)
      assert.equal(2, scripts_run())
      assert.equal(64, #worker:turn({}, 64).events)
      assert.is_true(scripts_run() <= 2 + 5, scripts_run())
      worker:close()
    end)

    it("asks all where those have less than it wants", function()
      fill(40)
      local worker = open { fresh_ms = 600000 }
      assert(worker:turn({}, 0))
      for i = 41, 60 do put(record("A" .. i)) end -- of which it has not heard
      local count = 0
      for _ = 1, 4 do count = count + #worker:turn({}, 15).events end
      assert.equal(60, count)
      assert.same({ 0, nil }, { worker:turn({}, 1).waiting, worker:turn({}, 1).due_ms })
      worker:close()
    end)

    it("hears of what is put elsewhere, however much there is", function()
      local busy, number = {}, 0
      while #busy < 50 do
        number = number + 1
        if groups.of("A" .. number) == 0 then busy[#busy + 1] = record("A" .. number) end
      end
      local quiet = "B"
      while groups.of(quiet) == 0 do quiet = quiet .. "B" end
      assert(one:put(busy))
      local worker = open()
      assert(worker:turn({}, 0))
      local id = put(record(quiet))
      assert.truthy(nginx.await(20, function()
        local events = worker:turn({}, 1).events
        contract.finish(worker, events, { state = "waiting" })
        return events[1].id == id
      end))
      worker:close()
    end)
  end)

  -- ---- the clock -----------------------------------------------------------------------------------

  it("says how old an event is, by its own clock", function()
    put(record "A")
    core.sleep(50)
    local age_ms = one:turn({}, 1).events[1].age_ms
    assert.is_true(age_ms >= 50 and age_ms < 30000, age_ms)
  end)

  describe("whose clock went back", function()
    -- Has what was put, put in 2100.
    local function put_later()
      server.cli("eval", [[
        for _, key in ipairs(redis.call("KEYS", "*:events")) do
          for _, id in ipairs(redis.call("HKEYS", key)) do
            local event = cmsgpack.unpack(redis.call("HGET", key, id))
            event[9] = tonumber(ARGV[1])
            redis.call("HSET", key, id, cmsgpack.pack(event))
          end
        end]], "0", FAR)
    end

    it("says of an event that was put later than now that it is 0 ms old", function()
      put(record "A")
      put_later()
      assert.equal(0, one:turn({}, 1).events[1].age_ms)
    end)

    it("has them go though others are due all the time", function()
      local ids = { put(record "A", record("A", { api = "contract_card" })) }
      score("due", FAR)
      for i = 1, 3 do
        put(record("A", { api = "api" .. i }))
        local event = one:turn({}, 1).events[1]
        if event.id == ids[1] or event.id == ids[2] then return end
        contract.finish(one, { event })
      end
      error "others were always first"
    end)

    it("has events go that would be due far in the future", function()
      put(record "A", record "B")
      score("due", FAR)
      assert.equal(0, one:turn({}, 0).due_ms)
      assert.equal(2, #one:turn({}, 10).events)
    end)

    it("takes leases back that would last far into the future", function()
      put(record "A")
      local short = open { lease_ms = 200 }
      assert.equal(1, #short:turn({}, 1).events)
      score("sending", FAR)
      assert.truthy(nginx.await(10, function() return short:turn({}, 1).events[1] end))
    end)

    it("leaves leases alone that are longer than ours", function()
      put(record "A")
      assert.equal(1, #one:turn({}, 1).events)
      local until_ms = server.cli("eval", "return redis.call('ZRANGE', redis.call('KEYS', '*:sending')[1], 0, 0, "
        .. "'WITHSCORES')[2]", "0")
      assert.same({}, open({ lease_ms = 100 }):turn({}, 1).events)
      assert.equal(until_ms, server.cli("eval", "return redis.call('ZRANGE', redis.call('KEYS', '*:sending')[1], 0, 0, "
        .. "'WITHSCORES')[2]", "0"))
    end)

    it("gives ids that ascend", function()
      local first = put(record "A")
      server.cli("eval", "redis.call('HINCRBY', redis.call('KEYS', '*:meta')[1], 'last', 360000000)", "0")
      local second, third = put(record "A", record "A")
      assert.is_true(first < second and second < third)
    end)
  end)

  -- ---- retry ---------------------------------------------------------------------------------------

  describe("retry", function()
    -- Ends the one that is due in this way; its id.
    local function finish_one(fields)
      local event = one:turn({}, 1).events[1]
      contract.finish(one, { event }, fields)
      return event.id
    end

    for what, fields in pairs {
      ["waits for another attempt"] = { state = "waiting", delay_ms = 60000 },
      ["had no answer, which did not count"] = { state = "waiting", is_free = true, lost_answer = true },
      ["was parked when it had had no answer"] = { state = "parked", lost_answer = true },
    } do
      it("is stale where a later one " .. what, function()
        local id = put(record "A", record "A")
        finish_one { state = "parked" }
        finish_one(fields)
        fails("stale", false, "may have arrived", one:retry(id))
        assert.equal("parked", one:list({ limit = 1 })[1].state)
      end)
    end

    it("is stale where the lease of a later one has passed", function()
      local id = put(record "A", record "A")
      finish_one { state = "parked" }
      one:turn({}, 1)
      score("sending", "1")
      assert(one:turn({}, 0))
      fails("stale", false, "may have arrived", one:retry(id))
    end)

    it("is fine where a later one was given back, or refused", function()
      local first, second = put(record "A", record "A")
      finish_one { state = "parked" }
      finish_one { state = "waiting", is_free = true }
      finish_one { state = "parked" }
      assert.is_true(one:retry(second))
      assert.is_true(one:retry(first))
      assert.equal(first, finish_one())
      assert.equal(second, finish_one())
    end)

    it("has it go as it was put", function()
      local id = put(record "A")
      finish_one { state = "waiting", lost_answer = true, is_settling = true }
      finish_one { state = "parked" }
      assert.is_true(one:retry(id))
      local event = one:turn({}, 1).events[1]
      assert.same({ id, false, false }, { event.id, event.lost_answer, event.is_settling })
    end)
  end)

  -- ---- large bodies --------------------------------------------------------------------------------

  it("puts and claims bodies that are together larger than a reply may be", function()
    local body = ("x"):rep(20 * 1024 * 1024)
    one = open { timeout_ms = 60000 }
    local ids = { put(record("A", { body = body }), record("B", { body = body }), record("C", { body = body }),
      record("D", { body = body }), record "E") }
    local claimed = {}
    assert.truthy(nginx.await(20, function()
      for _, event in ipairs(assert(one:turn({}, 10)).events) do
        claimed[#claimed + 1] = event.id
        assert.is_true(event.body == body or #event.body < 100)
      end
      return #claimed == 5
    end))
    table.sort(claimed)
    assert.same(ids, claimed)
  end)

  -- ---- a Redis that goes and comes -----------------------------------------------------------------

  describe("that comes again", function()
    it("after it was killed has all that was acknowledged", function()
      local ids, claimed = {}, {}
      for i = 1, 60 do
        ids[i] = put(record("A" .. i % 7, { key = "k" .. i }))
        if i == 30 then claimed = one:turn({}, 3).events end
      end
      assert(one:turn({ { event = claimed[1], state = "accepted" }, { event = claimed[2], state = "parked" } }, 0))
      server.kill()
      fails("unreachable", true, ("127.0.0.1:%d"):format(server.port), one:put { record "A" })
      fails("unreachable", true, "is it running", one:turn({ { event = claimed[3], state = "accepted" } }, 1))
      server.restart()
      assert.same({ { id = ids[60], exists = true } }, one:put { record("A4", { key = "k60" }) })
      assert.same({ 1, 1, 1, 57 },
        { one:stats().accepted, one:stats().parked, one:stats().sending, one:stats().waiting })
      assert.same({}, one:turn({ { event = claimed[3], state = "accepted" } }, 0).lost)
      assert.equal(57, #deliver_all(one))
    end)

    it("after it hung goes on, and what was not known is known", function()
      local hasty = open { timeout_ms = 300 }
      put(record "A")
      local event = hasty:turn({}, 1).events[1]
      server.signal "STOP"
      fails("unreachable", true, "no answer within timeout_ms", hasty:put { record("B", { key = "k" }) })
      fails("unreachable", true, "timeout_ms", hasty:turn({ { event = event, state = "accepted" } }, 1))
      server.signal "CONT"
      local result
      assert.truthy(nginx.await(10, function()
        result = hasty:put { record("B", { key = "k" }) }
        return result
      end))
      assert.same({}, hasty:turn({ { event = event, state = "accepted" } }, 0).lost)
      assert.same({ 1, 1 }, { one:stats().accepted, one:stats().waiting + one:stats().sending })
      assert.equal("string", type(result[1].id))
    end)

    it("without its scripts gets them again", function()
      local function all()
        local id = put(record "A")
        assert.equal(id, one:turn({}, 1).events[1].id)
        assert.equal(1, one:stats().sending)
        assert.equal(1, #one:list())
        score("sending", "1")
        local event = one:turn({}, 1).events[1]
        assert(one:turn({ { event = event, state = "parked" } }, 0))
        assert.is_true(one:retry(id))
        assert(one:turn({ { event = one:turn({}, 1).events[1], state = "parked" } }, 0))
        assert.is_true(one:drop(id))
        assert.equal(1, one:purge(0))
      end
      all()
      assert.equal("OK", server.cli("script", "flush"))
      all()
    end)

    it("as a replica is not what the URL should name, and is again when it is the primary", function()
      put(record "A")
      server.cli("replicaof", "127.0.0.1", "1")
      fails("unreachable", true, "name the primary in the URL", one:put { record "A" })
      server.cli("replicaof", "no", "one")
      put(record "A")
    end)
  end)

  -- ---- replicas ------------------------------------------------------------------------------------

  describe("with a replica", function()
    local replica

    setup(function()
      replica = redis_server.start { lines = { "replicaof 127.0.0.1 " .. server.port } }
      assert.truthy(nginx.await(30, function()
        return server.cli("info", "replication"):find("state=online", 1, true)
      end))
    end)
    teardown(function() replica.kill() end) -- one that has just begun does not stop

    it("says how many have it", function()
      local results = assert(one:put({ record("A", { key = "k" }), record "B" }, { replicas = 1 }))
      assert.same({ 1, 1 }, { results[1].replicas, results[2].replicas })
      assert.matches("^{alipayhk:CLIENT:%d+}:keys$", replica.cli("keys", "*}:keys"))
      replica.signal "STOP"
      assert.equal(0, open({ timeout_ms = 1000 }):put({ record "C" }, { replicas = 1 })[1].replicas)
      assert.equal(3, one:stats().waiting)
      replica.signal "CONT"
    end)

    it("does not say of a known key that a replica has it when it has not", function()
      local hasty = open { timeout_ms = 1000 }
      replica.signal "STOP"
      assert.equal(0, hasty:put({ record("A", { key = "k" }) }, { replicas = 1 })[1].replicas)
      hasty:close()
      local result = hasty:put({ record("A", { key = "k" }) }, { replicas = 1 })[1]
      assert.same({ true, 0 }, { result.exists, result.replicas })
      replica.signal "CONT"
      assert.truthy(nginx.await(10, function()
        return hasty:put({ record("A", { key = "k" }) }, { replicas = 1 })[1].replicas == 1
      end))
    end)
  end)

  -- ---- what it may not do --------------------------------------------------------------------------

  it("that is full takes no events, and gives those it has", function()
    put(record "A", record "A")
    server.cli("config", "set", "maxmemory", "1")
    fails("full", true, "raise it", one:put { record "B" })
    assert.equal(2, #deliver_all(one))
    assert.equal(2, one:purge(0))
    assert.equal(0, one:stats().accepted)
    server.cli("config", "set", "maxmemory", "0")
    put(record "B")
  end)

  it("that evicts keys is refused", function()
    server.cli("config", "set", "maxmemory", "100mb")
    server.cli("config", "set", "maxmemory-policy", "allkeys-lru")
    local result, fault = open():put { record "A" }
    server.cli("config", "set", "maxmemory-policy", "noeviction")
    server.cli("config", "set", "maxmemory", "0")
    fails("failed", false, "its maxmemory-policy is allkeys-lru", result, fault)
  end)

  it("needs these commands and no others", function()
    server.cli("acl", "setuser", "shop", "on", ">shop-secret", "resetkeys", "~{alipayhk:CLIENT:*}:*", "-@all",
      "+eval", "+evalsha", "+time", "+hget", "+hmget", "+hset", "+hdel", "+zadd", "+zrem", "+zcard", "+zscore",
      "+zrange", "+zrangebyscore", "+zrangebylex", "+wait")
    local shop = open { url = server.url("shop:shop-secret@") }
    local id = shop:put({ record("A", { key = "k" }) }, { replicas = 1 })[1].id
    contract.put(shop, record "A", record "A")
    local event = shop:turn({}, 1).events[1]
    assert(shop:turn({ { event = event, state = "parked" } }, 0))
    assert.is_true(shop:retry(id))
    assert.equal(3, #deliver_all(shop))
    assert.equal(3, #shop:list())
    assert.equal(3, shop:stats().accepted)
    assert.equal(3, shop:purge(0))
    server.cli("acl", "setuser", "shop", "-hset")
    fails("denied", false, "ACL", shop:put { record "A" })
    server.cli("acl", "setuser", "shop", ">another-secret", "<shop-secret")
    fails("denied", false, "password in the URL is wrong", open({ url = server.url("shop:shop-secret@") }):stats())
    server.cli("acl", "deluser", "shop")
  end)

  it("is spoken to over TLS", function()
    local secure = open { url = server.url("", "?ca_file=" .. core.percent_encode(server.ca_file), "rediss") }
    local id = contract.put(secure, record "A")
    assert.equal(id, one:list()[1].id)
    fails("unreachable", true, "certificate", open({ url = server.url("", "", "rediss") }):put { record "A" })
  end)

  for name, case in pairs {
    ["of a later version"] = { "HSET", "format", "2", "newer", "upgrade this one" },
    ["with other lane groups"] = { "HSET", "groups", "8", "foreign", "another version of alipayhk made it" },
  } do
    it(name .. " is left alone", function()
      local id = put(record "A")
      server.cli("eval", "redis.call(ARGV[1], redis.call('KEYS', '*:meta')[1], ARGV[2], ARGV[3])", "0",
        case[1], case[2], case[3])
      for _, call in ipairs {
        function() return one:put { record "A" } end, function() return one:turn({}, 1) end,
        function() return one:stats() end, function() return one:list() end, function() return one:retry(id) end,
        function() return one:drop(id) end, function() return one:purge(0) end,
      } do
        fails(case[4], false, case[5], call())
      end
    end)
  end

  it("whose keys are somebody else's is left alone", function()
    put(record "A")
    server.cli("eval", "local key = redis.call('KEYS', '*:meta')[1] redis.call('DEL', key) redis.call('SET', key, 'x')",
      "0")
    fails("foreign", false, "name another server or database", one:put { record "A" })
  end)

  it("with a key less than there were is told from one that is well", function()
    put(record "A")
    server.cli("eval", "redis.call('DEL', redis.call('KEYS', '*:events')[1])", "0")
    fails("damaged", false, "was one removed?", one:turn({}, 1))
  end)

  it("that is too old says so", function()
    local old = no_redis "old"
    fails("failed", false, "Redis 7 or later is needed", open({ url = "redis://127.0.0.1:" .. old.port }):stats())
    old.stop()
  end)

  -- ---- its URL -------------------------------------------------------------------------------------

  it("has a URL, of which messages repeat nothing", function()
    for given, words in pairs {
      ["redis://secret@host"] = "a colon and a password", ["redis://host/secret"] = "the number of a database",
    } do
      local message = store.url_fault(given)
      assert.matches(words, message, 1, true)
      assert.is_nil(message:find("secret", 1, true))
    end
    assert.is_nil(store.url_fault "redis://shop:secret@host:6380/2")
    assert.is_nil(store.url_fault "rediss://host")
  end)

  it("says what is missing where alipayhk.redis was not built", function()
    local loaded = package.loaded["alipayhk.redis"]
    package.loaded["alipayhk.redis"] = nil
    package.preload["alipayhk.redis"] = function() error("module 'alipayhk.redis' not found") end
    local opened, fault = store.open(server.url(), { client_id = "CLIENT", lease_ms = 60000, delay_max_ms = 300000 })
    package.preload["alipayhk.redis"], package.loaded["alipayhk.redis"] = nil, loaded
    assert.is_nil(opened)
    assert.same({ "failed", false }, { fault.code, fault.is_retryable })
    assert.matches("libhiredis-dev", fault.message, 1, true)
  end)
end)
