-- Named points in the life of a process that uses an outbox, where it sends itself a signal. The product has no hooks
-- for this: what it calls to write, to send and to hear is watched from outside, so this comes before it opens
-- anything. A point is "before" or "after" a statement that writes, a lock, a script of Redis, a request, ...

local points = {}

local wanted, turns, signal
local known, file = {}, nil

local function act()
  local signals = require "posix.signal"
  signals.kill(require("posix.unistd").getpid(), signals[signal])
end

-- Whether this is the point.
local function is_here(name)
  if file and not known[name] then file:write(name, "\n") end
  known[name] = true
  if name ~= wanted then return false end
  turns = turns - 1
  return turns == 0
end

function points.reach(name)
  if is_here(name) then act() end
end

local function passed(name, ...)
  if name then points.reach("after " .. name) end
  return ...
end

-- Something like `target`, with a point before and after each call of a method. `name_of(method, ...)`: the name of
-- that call; nil for none.
local function watched(target, name_of)
  return setmetatable({}, { __index = function(_, method)
    return function(_, ...)
      local name = name_of(method, ...)
      if name then points.reach("before " .. name) end
      return passed(name, target[method](target, ...))
    end
  end })
end

local function by_value(named)
  local names = {}
  for name, value in pairs(named) do names[value] = name end
  return names
end

-- ---- a file ----------------------------------------------------------------------------------------

local OF_DATABASE = {
  execute = "change of schema", lock = "lock", unlock = "unlock", claim_delivery = "claim_delivery", close = "close",
}

local function watch_statement(statement, name)
  return watched(statement, function(method) return method == "run" and name or nil end)
end

local function watch_database(database, names)
  local watching = watched(database, function(method) return OF_DATABASE[method] end)
  rawset(watching, "prepare", function(_, sql)
    local statement, message, code = database:prepare(sql)
    if not statement then return nil, message, code end
    return watch_statement(statement, assert(names[sql], "a statement without a name"))
  end)
  return watching
end

local function watch_sqlite()
  local sqlite = require "alipayhk.sqlite"
  local names = by_value(require "alipayhk.delivery.store.sqlite_statements")
  local open = sqlite.open
  function sqlite.open(...)
    local database, message, code = open(...)
    if not database then return nil, message, code end
    return watch_database(database, names)
  end
end

-- ---- a Redis --------------------------------------------------------------------------------------

-- Half of the commands that go in one go.
local function half(commands)
  local first = {}
  for i = 1, math.floor(#commands / 2) do first[i] = commands[i] end
  return first
end

-- The connection itself, for a death when a part has been executed.
local function watch_connections()
  local redis = require "alipayhk.redis"
  local connect = redis.connect
  function redis.connect(...)
    local connection, message, code = connect(...)
    if not connection then return nil, message, code end
    local watching = watched(connection, function(method) return method == "send" and "a question" or nil end)
    for _, method in ipairs { "pipeline", "send" } do
      local go_on = watching[method]
      rawset(watching, method, function(_, commands)
        if #commands > 1 and is_here "inside a pipeline" then
          connection:pipeline(half(commands))
          act()
        end
        return go_on(watching, commands)
      end)
    end
    return watching
  end
end

local function watch_scripts()
  local client = require "alipayhk.delivery.redis.client"
  local names = by_value(require "alipayhk.delivery.store.redis_scripts")
  local new = client.new
  function client.new(...)
    local made, message = new(...)
    if not made then return nil, message end
    return watched(made, function(method, calls) return method == "eval_all" and names[calls[1].script] or nil end)
  end
end

-- ---- sending -----------------------------------------------------------------------------------------

local function watch_multi(multi)
  local watching = watched(multi, function(method) return method == "start" and "a request" or nil end)
  rawset(watching, "finished", function()
    local thread, result, failure = multi:finished()
    if thread then points.reach "after an answer" end
    return thread, result, failure
  end)
  return watching
end

local function watch_curl()
  local curl = require "alipayhk.curl"
  local multi = curl.multi
  function curl.multi(...) return watch_multi(multi(...)) end
end

-- Begins. `given`: `point`, `turn` and `signal`: when it comes to the point for that many times, the process gets the
-- signal; `points`: a file, in which the name of each point is written down when it is first reached.
function points.watch(given)
  wanted, turns, signal = given.point, tonumber(given.turn), given.signal
  if given.points ~= "" then
    file = assert(io.open(given.points, "a"))
    file:setvbuf "line"
  end
  watch_sqlite()
  watch_connections()
  watch_scripts()
  watch_curl()
end

return points
