-- Producers and workers of an outbox that are killed again and again, each at a random time or at a named point, while
-- others take their places.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local nginx = require "spec.support.servers.nginx"
local processes = require "spec.support.outbox.processes"
local shell = require "spec.support.shell"

local DIRECTORY = "spec/support/outbox/"

local LANES = 40
local STREAMS = { "A", "B" }
-- What one process does unless it is killed before.
local PUTS, SECONDS, CONCURRENCY = 6, 0.15, 4
-- A process is killed within these times after its start, as far as that is left to chance.
local EARLIEST, LATEST = 0.02, 0.11

local Storm = {}
Storm.__index = Storm

local storm = {}

local function with(values, others)
  local copy = {}
  for name, value in pairs(values) do copy[name] = value end
  for name, value in pairs(others) do copy[name] = value end
  return copy
end

-- `store`: its URL; `server`: a scripted AlipayHK; `lanes`: how many orders.
function storm.new(options)
  local config = options.server:config()
  local self = setmetatable({
    directory = shell.directory(), store = options.store, client_id = config.client_id,
    kills = 0, by_point = {}, by_chance = 0, killed = {}, started = 0,
  }, Storm)
  local common = {
    store = options.store, client_id = config.client_id, point = "", turn = 0, signal = "SIGKILL", points = "",
  }
  self.producer = with(common, { orders = "ORDER", lanes = options.lanes or LANES, puts = PUTS })
  self.worker = with(common, {
    told = self.directory .. "/told", seconds = SECONDS, concurrency = CONCURRENCY, base_url = config.base_url,
    private_key = config.private_key.file, public_key = config.alipay_public_key.file,
  })
  return self
end

function Storm:acknowledged_path(stream) return ("%s/acknowledged-%s"):format(self.directory, stream) end

-- What a process of a kind is told. `kind`: "producer" or "worker"; `others`: over that.
local function parameters_of(self, kind, stream, others)
  self.started = self.started + 1
  local given = kind == "producer" and with(self.producer, {
    stream = stream, acknowledged = self:acknowledged_path(stream),
  }) or with(self.worker, { name = tostring(self.started) })
  return with(given, others)
end

local function script_of(kind) return DIRECTORY .. kind .. ".lua" end

-- Starts one. `others`: over what it is told otherwise.
function Storm:start(kind, others)
  return processes.start(script_of(kind), parameters_of(self, kind, STREAMS[1], others))
end

-- Runs a producer of each stream, and then a worker, to their ends.
function Storm:run_once()
  for _, stream in ipairs(STREAMS) do
    processes.run(script_of "producer", parameters_of(self, "producer", stream, {}))
  end
  processes.run(script_of "worker", parameters_of(self, "worker", nil, {}))
end

-- The names of the points that producers and workers pass, a list for each.
function Storm:points()
  local names = {}
  for _, kind in ipairs { "producer", "worker" } do
    local path = ("%s/points-%s"):format(self.directory, kind)
    processes.run(script_of(kind), parameters_of(self, kind, STREAMS[1], { points = path }))
    names[kind] = {}
    for name in shell.read(path):gmatch("[^\n]+") do table.insert(names[kind], name) end
  end
  return names
end

-- ---- killing -----------------------------------------------------------------------------------------

-- Every other process dies by chance, the others at one point after the other, at the first to third time.
local function next_death(self, place)
  place.turn = (place.turn or 0) + 1
  if place.turn % 2 == 0 then return {}, core.monotonic() + EARLIEST + math.random() * (LATEST - EARLIEST) end
  local names = self.names[place.kind]
  local at = self.next_point[place.kind]
  self.next_point[place.kind] = at + 1
  return { point = names[at % #names + 1], turn = math.floor(at / #names) % 3 + 1 }, math.huge
end

local function start(self, place)
  local death, kill_at = next_death(self, place)
  place.kill_at, place.is_killed, place.point = kill_at, false, death.point
  place.process = processes.start(script_of(place.kind), parameters_of(self, place.kind, place.stream, death))
end

local function note_end(self, place, how, status)
  if how == "killed" and status == 9 then
    self.kills = self.kills + 1
    self.killed[place.process.given.name or ""] = true
    if place.is_killed then
      self.by_chance = self.by_chance + 1
    else
      self.by_point[place.point] = (self.by_point[place.point] or 0) + 1
    end
  elseif how ~= "exited" or status ~= 0 then
    error(("a %s ended: %s %s, at %s"):format(place.kind, how, tostring(status), tostring(place.point)))
  end
  place.process = nil
end

local function look_after(self, place)
  local how, status = place.process:outcome()
  if how then return note_end(self, place, how, status) end
  if not place.is_killed and core.monotonic() >= place.kill_at then
    place.is_killed = true
    place.process:signal "SIGKILL"
  end
end

local function is_any_alive(places)
  for _, place in ipairs(places) do
    if place.process then return true end
  end
  return false
end

-- Of the points the ones where nobody has died yet.
function Storm:missed()
  local missed = {}
  for _, names in pairs(self.names) do
    for _, name in ipairs(names) do
      if not self.by_point[name] then missed[#missed + 1] = name end
    end
  end
  return missed
end

-- Some points are come to now and then only.
local function has_enough(self, kills)
  return self.kills >= kills and (self.kills >= 3 * kills or #self:missed() == 0)
end

local function rage(self, kills, places)
  local is_over
  repeat
    is_over = is_over or has_enough(self, kills)
    for _, place in ipairs(places) do
      if place.process then
        look_after(self, place)
      elseif not is_over then
        start(self, place)
      end
    end
    core.sleep(1)
  until is_over and not is_any_alive(places)
end

-- Goes on until there were that many kills, and one at each point. `names`: of the points, as `points` gives them.
function Storm:rage(kills, names)
  self.names, self.next_point = names, { producer = 0, worker = 0 }
  local places = { { kind = "worker" }, { kind = "worker" } }
  for _, stream in ipairs(STREAMS) do places[#places + 1] = { kind = "producer", stream = stream } end
  local ran, thrown = pcall(rage, self, kills, places)
  for _, place in ipairs(places) do
    if place.process then place.process:signal "SIGKILL" end
  end
  if not ran then error(thrown, 0) end
end

-- Runs workers until all that waits has arrived.
function Storm:drain()
  local outbox = assert(alipayhk.outbox { store = self.store, client_id = self.client_id })
  local is_empty = nginx.await(60, function()
    local stats = assert(outbox:stats())
    if stats.waiting + stats.sending == 0 then return true end
    processes.run(script_of "worker", parameters_of(self, "worker", nil, {}))
  end)
  outbox:close()
  assert(is_empty, "not all that waits arrives")
end

-- ---- what there is to judge -----------------------------------------------------------------------------

-- Of every change that was acknowledged: `{ change, id, lane }`.
function Storm:acknowledged()
  local list = {}
  for _, stream in ipairs(STREAMS) do
    for change, id, lane in (shell.read(self:acknowledged_path(stream)) or ""):gmatch("(%S+) (%S+) (%S+)\n") do
      list[#list + 1] = { change = change, id = id, lane = lane }
    end
  end
  return list
end

-- What workers wrote down: `{ worker, name, id, request_id, at }`.
function Storm:told()
  local list = {}
  for worker, name, id, request_id, at in
    (shell.read(self.worker.told) or ""):gmatch("(%S+) (%S+) (%S+) (%S+) (%S+)\n") do
    list[#list + 1] = { worker = worker, name = name, id = id, request_id = request_id, at = tonumber(at) }
  end
  return list
end

-- All events that the store lists, by their ids.
function Storm:listed()
  local outbox = assert(alipayhk.outbox { store = self.store, client_id = self.client_id })
  local events, after, count = {}, nil, 0
  repeat
    local page = assert(outbox:list { limit = 1000, after = after })
    for _, event in ipairs(page) do
      events[event.id], after, count = event, event.id, count + 1
    end
  until #page == 0
  outbox:close()
  return events, count
end

return storm
