-- A Redis Cluster of three nodes without replicas, on loopback ports.
--
--     local cluster = redis_cluster.start()
--     cluster.nodes[1].cli(...)     each as spec.support.servers.redis gives it
--     cluster.node_of(key)          the one that has a key
--     cluster.move(key, to)         moves the key's slot, with all that is in it, to another node
--     cluster.stop()

local nginx = require "spec.support.servers.nginx"
local redis_server = require "spec.support.servers.redis"

local redis_cluster = {}

local RANGES = { { 0, 5460 }, { 5461, 10922 }, { 10923, 16383 } }

-- A node that is gone leaves the others as they are. By default the port for the other nodes is among those that the
-- system gives to any connection.
local function start_node()
  local bus_port = nginx.random_port()
  local node = redis_server.start { lines = {
    "appendfsync always", -- what was answered outlives a kill -9
    "cluster-enabled yes", "cluster-require-full-coverage no", "cluster-node-timeout 5000", "cluster-port " .. bus_port,
  } }
  node.bus_port = bus_port
  return node
end

local function is_ok(node)
  local info = node.cli("cluster", "info")
  return info:find("cluster_state:ok", 1, true) and info:find("cluster_known_nodes:3", 1, true)
    and info:find("cluster_slots_ok:16384", 1, true)
end

local function are_ok(nodes)
  for _, node in ipairs(nodes) do
    if not is_ok(node) then return false end
  end
  return true
end

local function must(reply)
  assert(reply == "OK", reply)
end

function redis_cluster.start()
  local self = { nodes = {} }
  for i, range in ipairs(RANGES) do
    local node = start_node()
    self.nodes[i] = node
    must(node.cli("cluster", "addslotsrange", range[1], range[2]))
    node.id = node.cli("cluster", "myid")
    if i > 1 then must(self.nodes[1].cli("cluster", "meet", "127.0.0.1", node.port, node.bus_port)) end
  end

  assert(nginx.await(60, function() return are_ok(self.nodes) end), "the cluster does not come up")

  -- Of those that answer; the node's own slots are on the line that says so.
  function self.node_of(key)
    local slot = tonumber(self.nodes[1].cli("cluster", "keyslot", key))
    for _, node in ipairs(self.nodes) do
      local mine = node.cli("cluster", "nodes"):match("[^\n]*myself[^\n]*")
      for from, to in mine:gsub("^.-connected", ""):gmatch(" (%d+)%-?(%d*)") do
        if slot >= tonumber(from) and slot <= (tonumber(to) or tonumber(from)) then return node, slot end
      end
    end
  end

  -- The first half of a move: both nodes know of it, and the keys are where they were.
  function self.begin_move(slot, from, to)
    must(to.cli("cluster", "setslot", slot, "importing", from.id))
    must(from.cli("cluster", "setslot", slot, "migrating", to.id))
  end

  function self.move_keys(slot, from, to, most)
    local keys = from.cli("cluster", "getkeysinslot", slot, most)
    for key in keys:gmatch("[^\n]+") do must(from.cli("migrate", "127.0.0.1", to.port, key, 0, 5000)) end
  end

  function self.end_move(slot, from, to)
    must(to.cli("cluster", "setslot", slot, "node", to.id))
    must(from.cli("cluster", "setslot", slot, "node", to.id))
  end

  function self.stop()
    for _, node in ipairs(self.nodes) do node.stop() end
  end

  return self
end

return redis_cluster
