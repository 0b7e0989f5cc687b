-- Which server runs a lane group's scripts: the one of the URL, or in a Redis Cluster the node that has the group's
-- keys. That is found out by asking: a node names the right one (MOVED), and while the keys are moved the one that has
-- them already (ASK). Where a node is gone, any other one knows which took its place.
--
-- A script that may have run is never sent again from here.

local new_client = require("alipayhk.delivery.redis.client").new
local runtime = require "alipayhk.base.runtime"

-- A cluster that is being changed is asked again after so long, and for so long.
local PAUSE_MS, PATIENCE_MS = 50, 2000

-- What passes within a moment.
local PASSING = { TRYAGAIN = true, CLUSTERDOWN = true, MOVED = true }
-- What a server says that is not the primary any more. Its name may be another's by now: a new connection finds out.
local DEMOTED = { READONLY = true, MASTERDOWN = true, UNBLOCKED = true }

local Nodes = {}
Nodes.__index = Nodes

-- `target`: as `alipayhk.delivery.redis.client` takes it. No I/O yet. Gives nil and a message if that cannot be here.
local function new(target)
  local client, message = new_client(target)
  if not client then return nil, message end
  return setmetatable({
    target = target,
    home = target.peer,
    clients = { [target.peer] = client }, -- by address
    peers = { target.peer }, -- all addresses
    serving = {}, -- by group, the address of its node where that is another one
    is_looked_at = {}, -- by client, whether its server keeps what it is given
  }, Nodes)
end

-- The client of a node, which is spoken to as the one of the URL.
local function client_of(self, peer)
  local client = self.clients[peer]
  if client then return client end
  local target = {}
  for name, value in pairs(self.target) do target[name] = value end
  local host, port = peer:match("^(.*):(%d+)$")
  target.host, target.port, target.peer = host:match("^%[(.*)%]$") or host, tonumber(port), peer
  client = assert(new_client(target))
  self.clients[peer], self.peers[#self.peers + 1] = client, peer
  return client
end

-- The address in "MOVED 3999 127.0.0.1:6381". A node that does not know its own name gives the port alone.
local function peer_in(message, asked)
  local host, port = message:match("[A-Z]+ %d+ ([^ ]*):(%d+)")
  if host == "" then host = asked:match("^(.*):%d+$") end
  if host:find(":") and not host:find("^%[") then host = "[" .. host .. "]" end
  return host .. ":" .. port
end

-- The known node after one that is gone.
local function next_peer(self, gone)
  for i, peer in ipairs(self.peers) do
    if peer == gone then return self.peers[i % #self.peers + 1] end
  end
end

-- A node could not be asked. Gives whether the next one is to be: nothing was done, and another node may know more.
local function turn_away(self, call, peer, is_unknown)
  self.serving[call.group] = next_peer(self, peer)
  return #self.peers > 1 and not is_unknown
end

-- A script whose keys are on their way to another node: what that says to it.
local function ask_other(self, call, result, last, peer)
  local results, message, code = client_of(self, peer_in(result[2], peer)):eval_asking(call, last)
  if not results then return { nil, message, code } end
  results[1].last = results[2]
  return results[1]
end

-- Takes what a node says to a script: the result, and whether it is to be sent again.
local function follow(self, call, result, last, peer)
  if result[3] == "MOVED" then self.serving[call.group] = peer_in(result[2], peer) end
  if result[3] == "ASK" then result = ask_other(self, call, result, last, peer) end
  if DEMOTED[result[3]] then client_of(self, peer):close() end
  return result, PASSING[result[3]] or false
end

-- A Redis that evicts keys when its memory is full would lose events without a word. Each is asked once; a user who may
-- not ask is left to his own care. Gives a message and a code if that fails, or if this is such a Redis.
local function look_at(self, client)
  local info, message, code = client:call("INFO", "memory")
  if not info and code ~= "NOPERM" then return message, code end
  local policy = info and info:match("maxmemory_policy:(allkeys%-[a-z]+)")
  if policy and not info:find("\nmaxmemory:0\r") then
    return ("%s: its maxmemory-policy is %s"):format(client.peer, policy), "EVICTING"
  end
  self.is_looked_at[client] = true
end

-- What `eval_all` of the client gives.
local function eval_all(self, peer, calls, last)
  local client, message, code = client_of(self, peer), nil, nil
  if not self.is_looked_at[client] then message, code = look_at(self, client) end
  if message then return nil, message, code end
  return client:eval_all(calls, last)
end

-- Sends the scripts at some positions of `calls` to a node. Puts what becomes of them into `results`, and appends those
-- that are to be sent again to `again`.
local function ask(self, round, peer, positions)
  local calls = {}
  for i, position in ipairs(positions) do calls[i] = round.calls[position] end
  local results, message, code, is_unknown = eval_all(self, peer, calls, round.last)
  for i, position in ipairs(positions) do
    local result, is_open
    if results then
      results[i].last = results[#calls + 1]
      result, is_open = follow(self, calls[i], results[i], round.last, peer)
    else
      result, is_open = { nil, message, code }, turn_away(self, calls[i], peer, is_unknown)
    end
    round.results[position] = result
    if is_open then round.again[#round.again + 1] = position end
  end
end

-- What goes to each node: `{ peer, positions }`, in the order of the first ones.
local function by_node(self, calls, positions)
  local parts, of_peer = {}, {}
  for _, position in ipairs(positions) do
    local peer = self.serving[calls[position].group] or self.home
    local part = of_peer[peer]
    if not part then
      part = { peer = peer, positions = {} }
      of_peer[peer], parts[#parts + 1] = part, part
    end
    part.positions[#part.positions + 1] = position
  end
  return parts
end

-- Runs scripts, each `{ group, script, keys, arguments }`, in one go at each node, and `last` after them, a command.
-- Gives a list: `{ reply }` or `{ nil, message, code }` for each, its `last` what `last` gave there.
function Nodes:run(calls, last)
  local round = { calls = calls, last = last, results = {}, again = {} }
  for position in ipairs(calls) do round.again[position] = position end
  local until_ms, count = runtime.monotonic_ms() + PATIENCE_MS, 0
  repeat
    local positions = round.again
    round.again, count = {}, count + 1
    for _, part in ipairs(by_node(self, calls, positions)) do ask(self, round, part.peer, part.positions) end
    if count > 1 and #round.again > 0 then runtime.sleep(PAUSE_MS) end
  until #round.again == 0 or runtime.monotonic_ms() >= until_ms
  return round.results
end

function Nodes:close()
  for _, client in pairs(self.clients) do client:close() end
end

return { new = new }
