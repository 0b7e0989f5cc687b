-- A script: every function of the core that uses a key, while finalizers run at nearly every allocation of
-- Lua's, one of which closes the key, or signs with it.
--
-- The collector is set to go through a whole cycle at every chance it gets, and each finalizer leaves the
-- next piece of garbage. Prints what went wrong, and then how many finalizers there were.

local core = require "alipayhk.core"

local MESSAGE = ("message "):rep(10)

local file = assert(io.open((...), "rb"))
local content = file:read("*a")
file:close()

local steady = assert(core.private_key(content))
local signature = steady:sign(MESSAGE)
local body, wrapped = core.seal(MESSAGE, steady)

local USES = {
  sign = function(key) return steady:verify(MESSAGE, key:sign(MESSAGE)) end,
  verify = function(key) return key:verify(MESSAGE, signature) end,
  fingerprint = function(key) return key:fingerprint() end,
  type = function(key) return key:type() end,
  bits = function(key) return key:bits() end,
  tostring = function(key) return (tostring(key):gsub("closed", "private RSA, 2048 bits")) end,
  ["core.private_key"] = function(key) return core.private_key(key) ~= nil end,
  ["core.open"] = function(key) return core.open(body, wrapped, key) end,
  ["core.seal"] = function(key)
    local sealed, sealed_key = core.seal(MESSAGE, key)
    return core.open(sealed, sealed_key, steady)
  end,
}

local ACTS = {
  ["closes the key"] = function(key) key:close() end,
  ["signs with the key"] = function(key) key:sign("other") end,
  ["verifies with the key"] = function(key) key:verify("other", "signature") end,
  ["reads another key"] = function() core.private_key(content) end,
}

-- A userdata where tables have no finalizers (5.1, LuaJIT).
local function leave_garbage(finalize)
  local proxy = newproxy -- luacheck: ignore 113 (of 5.1)
  if proxy then
    getmetatable(proxy(true)).__gc = finalize
  else
    setmetatable({}, { __gc = finalize })
  end
end

local is_incremental = _VERSION ~= "Lua 5.1" and _VERSION ~= "Lua 5.2" and _VERSION ~= "Lua 5.3"

-- Runs `use`, and `act` in the n-th finalizer. Gives what pcall gives, and how many finalizers there were.
local function with_busy_collector(use, act, n)
  local running, count = true, 0
  local result
  local function finalize()
    if not running then return end
    leave_garbage(finalize)
    count = count + 1
    if count == n then act() end
  end
  if is_incremental then
    collectgarbage("incremental", 1, 1000, 30) -- luacheck: ignore 143
  else
    collectgarbage("setpause", 0)
    collectgarbage("setstepmul", 1000000)
  end
  collectgarbage() -- the pause counts from the end of a cycle
  leave_garbage(finalize)
  result = { pcall(use) }
  running = false
  return result, count
end

local finalizers, complaints = 0, 0

local function try(act_name, use_name)
  local act, use = ACTS[act_name], USES[use_name]
  local expected, n = use(steady), 0
  repeat
    n = n + 1
    local key = assert(core.private_key(content))
    local result, count = with_busy_collector(function() return use(key) end, function() act(key) end, n)
    local closed = act_name == "closes the key" and not result[1] and result[2]:find("the key is closed", 1, true)
    if not closed and result[2] ~= expected then
      complaints = complaints + 1
      print(("%s, at finalizer %d, which %s: %s"):format(use_name, n, act_name, tostring(result[2])))
    end
    key:close()
  until count < n
  finalizers = finalizers + n - 1
end

for act_name in pairs(ACTS) do
  for use_name in pairs(USES) do try(act_name, use_name) end
end
print(finalizers .. " finalizers")
os.exit(complaints == 0 and 0 or 1)
