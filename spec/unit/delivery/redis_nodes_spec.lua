-- Which node of a Redis Cluster gets a script: nodes here are functions. spec/endurance/redis_cluster_spec.lua has real
-- ones.

local runtime = require "alipayhk.base.runtime"

local CLIENT, NODES = "alipayhk.delivery.redis.client", "alipayhk.delivery.store.redis_nodes"

local HOME = "home:6379"
local INFO = "# Memory\r\nmaxmemory:100\r\nmaxmemory_policy:noeviction\r\n"

describe("a script", function()
  local real, servers, made, asked, nodes
  local now_ms, pauses

  -- A node: what it says to INFO, and to the scripts of each go in turn; the last of that repeats. `false` for one that
  -- cannot be reached, "unknown" for one of which nobody knows.
  local function serve(peer, ...)
    servers[peer] = { info = { INFO }, says = { ... }, turn = 0, closed = 0 }
    return servers[peer]
  end

  local Client = {}
  Client.__index = Client

  function Client:call(...)
    assert.same({ "INFO", "memory" }, { ... })
    self.server.looks = (self.server.looks or 0) + 1
    return (table.unpack or unpack)(self.server.info, 1, 3) -- luacheck: ignore 113 143 (5.1's name)
  end

  function Client:eval_all(calls, last)
    local server, results = self.server, {}
    server.turn = server.turn + 1
    local says = server.says[math.min(server.turn, #server.says)]
    for _, call in ipairs(calls) do asked[#asked + 1] = ("%s %d"):format(self.peer, call.group) end
    if not says or says == "unknown" then
      return nil, self.peer .. ": gone", "CONNECTION", says == "unknown" or nil
    end
    for i in ipairs(calls) do
      results[i] = says == "OK" and { says } or { nil, self.peer .. ": " .. says, says:match "^%u+" }
    end
    results[#calls + 1] = last and { "last of " .. self.peer }
    return results
  end

  function Client:eval_asking(call, last)
    asked[#asked + 1] = ("%s %d asking"):format(self.peer, call.group)
    if self.server.says[1] == false then return nil, self.peer .. ": gone", "CONNECTION" end
    return { { "asked" }, last and { "last of " .. self.peer } }
  end

  function Client:close() self.server.closed = self.server.closed + 1 end

  before_each(function()
    real = {
      client = package.loaded[CLIENT], nodes = package.loaded[NODES],
      sleep = runtime.sleep, monotonic_ms = runtime.monotonic_ms,
    }
    now_ms, pauses = 1000, {}
    function runtime.monotonic_ms() return now_ms end
    function runtime.sleep(ms)
      now_ms = now_ms + ms
      pauses[#pauses + 1] = ms
    end
    servers, made, asked = {}, {}, {}
    package.loaded[CLIENT] = { new = function(target)
      made[target.peer] = target
      local server = assert(servers[target.peer], target.peer)
      return setmetatable({ peer = target.peer, server = server }, Client)
    end }
    package.loaded[NODES] = nil
    serve(HOME, "OK")
  end)
  after_each(function()
    package.loaded[CLIENT], package.loaded[NODES] = real.client, real.nodes
    runtime.sleep, runtime.monotonic_ms = real.sleep, real.monotonic_ms
  end)

  -- Runs one script for each group.
  local function run(...)
    nodes = nodes or require(NODES).new { peer = HOME, host = "home", port = 6379, user = "shop" }
    local calls = {}
    for i, group in ipairs { ... } do calls[i] = { group = group } end
    return nodes:run(calls, { "WAIT" })
  end
  before_each(function() nodes = nil end)

  it("goes to the server of the URL, with the others in one go", function()
    local results = run(1, 2)
    assert.same({ { "OK", last = { "last of " .. HOME } }, { "OK", last = { "last of " .. HOME } } }, results)
    assert.same({ "home:6379 1", "home:6379 2" }, asked)
    assert.equal(1, servers[HOME].turn)
    assert.same({}, pauses)
  end)

  it("goes nowhere where there can be no client", function()
    package.loaded[CLIENT] = { new = function() return nil, "not built" end }
    assert.same({ nil, "not built" }, { require(NODES).new { peer = HOME } })
  end)

  -- By what a node says of another one: its peer, host and port.
  for said, other in pairs {
    ["10.0.0.2:7000"] = { "10.0.0.2:7000", "10.0.0.2", 7000 }, [":7001"] = { "home:7001", "home", 7001 },
    ["::1:7002"] = { "[::1]:7002", "::1", 7002 }, ["[fe80::2]:7003"] = { "[fe80::2]:7003", "fe80::2", 7003 },
    ["node-2.example:7004"] = { "node-2.example:7004", "node-2.example", 7004 },
  } do
    it("goes to the node that has its keys, and at once the next time: " .. said, function()
      serve(HOME, "MOVED 3999 " .. said, "OK")
      serve(other[1], "OK")
      assert.same({ "OK", last = { "last of " .. other[1] } }, run(5)[1])
      local target = made[other[1]]
      assert.same({ other[2], other[3], "shop" }, { target.host, target.port, target.user })
      assert.equal("OK", run(5)[1][1])
      assert.equal("OK", run(6)[1][1])
      assert.same({}, pauses)
      assert.same({ HOME .. " 5", other[1] .. " 5", other[1] .. " 5", HOME .. " 6" }, asked)
    end)
  end

  it("asks where its keys are on their way to, this time alone", function()
    serve(HOME, "ASK 3999 b:1", "OK")
    serve("b:1", "OK")
    assert.same({ "asked", last = { "last of b:1" } }, run(5)[1])
    assert.equal("OK", run(5)[1][1])
    assert.same({ HOME .. " 5", "b:1 5 asking", HOME .. " 5" }, asked)
    serve(HOME, "ASK 3999 c:1")
    serve("c:1", false)
    nodes = nil
    assert.same({ nil, "c:1: gone", "CONNECTION" }, run(5)[1])
  end)

  it("goes to another node that is known where one is gone, unless it may have run", function()
    serve(HOME, "MOVED 1 b:1", "OK")
    serve("b:1", "OK", false, "unknown")
    run(5)
    assert.equal("OK", run(5)[1][1])
    assert.same({ HOME .. " 5", "b:1 5", "b:1 5", HOME .. " 5" }, asked)
    servers[HOME].says = { false }
    assert.same({ nil, "b:1: gone", "CONNECTION" }, run(5)[1])
    assert.equal(HOME .. " 5", asked[5])
    assert.same({ "b:1 5", 6 }, { asked[6], #asked })
  end)

  it("is not sent again where there is but one server, and it is gone", function()
    serve(HOME, false, "OK")
    assert.same({ nil, HOME .. ": gone", "CONNECTION" }, run(5)[1])
    assert.equal(1, #asked)
  end)

  it("is sent again where that passes, the others are not", function()
    serve(HOME, "MOVED 1 b:1", "OK")
    serve("b:1", "TRYAGAIN Multiple keys request", "CLUSTERDOWN The cluster is down", "OK")
    run(5)
    assert.same({ HOME .. " 5", "b:1 5", "b:1 5", "b:1 5" }, asked)
    asked = {}
    servers["b:1"].turn = 0
    local results = run(6, 5)
    assert.same({ "OK", "OK" }, { results[1][1], results[2][1] })
    assert.same({ HOME .. " 6", "b:1 5", "b:1 5", "b:1 5" }, asked)
  end)

  it("is sent again at once, then every 50 ms, for two seconds", function()
    serve(HOME, "TRYAGAIN Multiple keys request", "TRYAGAIN Multiple keys request", "OK")
    assert.equal("OK", run(5)[1][1])
    assert.same({ 50 }, pauses)
    nodes, pauses, asked = nil, {}, {}
    serve(HOME, "TRYAGAIN Multiple keys request")
    assert.equal("TRYAGAIN", run(5)[1][3])
    assert.equal(41, #asked)
    assert.equal(40, #pauses)
    for _, ms in ipairs(pauses) do assert.equal(50, ms) end
  end)

  it("ends where a server has become a replica, whose connection is given up", function()
    for _, said in ipairs { "READONLY You can't write", "MASTERDOWN Link with MASTER is down", "UNBLOCKED force" } do
      nodes = nil
      local home = serve(HOME, said)
      assert.same({ nil, HOME .. ": " .. said, said:match "^%u+" }, { run(5)[1][1], run(5)[1][2], run(5)[1][3] })
      assert.equal(3, home.closed)
    end
  end)

  it("goes to no server that evicts keys, each of which is looked at once", function()
    local home = serve(HOME, "OK")
    home.info = { (INFO:gsub("noeviction", "allkeys-lru")) }
    local result = run(5)[1]
    assert.same({ nil, HOME .. ": its maxmemory-policy is allkeys-lru", "EVICTING" },
      { result[1], result[2], result[3] })
    home.info = { nil, "reset", "CONNECTION" }
    assert.equal("CONNECTION", run(5)[1][3])
    assert.equal(0, #asked)
    home.info = { (INFO:gsub("noeviction", "volatile-lru")) }
    assert.equal("OK", run(5)[1][1])
    assert.equal("OK", run(5)[1][1])
    assert.equal(3, home.looks)
    for _, info in ipairs { { "maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n" }, { nil, "no", "NOPERM" } } do
      nodes, home = nil, serve(HOME, "OK")
      home.info = { info[1] and "# Memory\r\n" .. info[1], info[2], info[3] }
      for _ = 1, 2 do assert.equal("OK", run(5)[1][1]) end
      assert.equal(1, home.looks)
    end
  end)

  it("has its connections closed, those to all nodes", function()
    serve(HOME, "MOVED 1 b:1")
    serve("b:1", "OK")
    run(5)
    nodes:close()
    assert.same({ 1, 1 }, { servers[HOME].closed, servers["b:1"].closed })
  end)
end)
