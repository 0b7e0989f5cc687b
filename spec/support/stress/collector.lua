-- A full collection at every point where Lua may collect, each with a finalizer that runs.
--
-- Lua cannot run code inside an allocator; but with no pause and endless steps each check of the collector runs a whole
-- cycle, and an object that makes its successor as it dies is finalized in every one of them.

local collector = {}

local newproxy = rawget(_G, "newproxy") -- Lua 5.1 and LuaJIT
local jit = rawget(_G, "jit") -- off meanwhile: its traces may not end where each of their steps is a whole cycle

-- An object that runs `finalize` when it is collected; Lua 5.1 finalizes userdata alone.
local function mortal(finalize)
  if newproxy then
    getmetatable(newproxy(true)).__gc = finalize
  else
    setmetatable({}, { __gc = finalize })
  end
end

-- The same from far up the stack: what a dead frame leaves behind in a slot that is in use again is alive.
local function mortal_from_afar(levels, finalize)
  if levels == 0 then
    mortal(finalize)
  else
    mortal_from_afar(levels - 1, finalize)
  end
end

-- From here on each check of the collector runs a whole cycle, until `stop`.
function collector.start()
  if jit then jit.off() end
  if _VERSION == "Lua 5.4" then collectgarbage("incremental", 0, 1000, 100) end
  collectgarbage("setpause", 0)
  -- In 5.1 and LuaJIT a multiplier of 0 is a step without end.
  collectgarbage("setstepmul", newproxy and 0 or 1000)
  collectgarbage() -- the pause counts from the end of a cycle
end

function collector.stop()
  if jit then jit.on() end
  collectgarbage("setpause", 200)
  collectgarbage("setstepmul", 200)
end

-- Runs f(...) so that its at-th collection runs `action` in a finalizer (0: none does). Gives the number of
-- collections, then what pcall gives. The few collections around the call count too.
function collector.during(at, action, f, ...)
  local count, alive = 0, true
  local growing = {} -- luacheck: ignore

  local function finalize()
    if not alive then return end
    count = count + 1
    mortal(finalize)
    if count == at then action() end
  end

  local function finish(...)
    alive = false
    collector.stop()
    return count, ...
  end

  collector.start()
  mortal_from_afar(20, finalize)
  growing[1] = true -- memory without a check: Lua 5.4 collects at the next check, whether that allocates or not
  return finish(pcall(f, ...))
end

return collector
