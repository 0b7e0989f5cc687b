-- The stress drivers in the interpreters that they are for: with the sanitizers where the specs run under them.

local shell = require "spec.support.shell"

local run = {}

local function interpreter()
  local index = 0
  while arg[index - 1] do index = index - 1 end
  return arg[index]
end

-- Whether the specs run under the sanitizers, or under ThreadSanitizer.
run.is_sanitized = interpreter():find("build/asan/", 1, true) ~= nil
local watches_threads = interpreter():find("build/tsan/", 1, true) ~= nil

-- Whether the drivers run in the interpreter whose allocators they command.
run.has_host = not watches_threads

-- Whether every point is wanted (`make test-stress`), or a choice that takes seconds.
run.is_long = os.getenv("STRESS") == "long"

local function luas()
  if run.is_sanitized then return { "5.4", "5.1", "luajit" } end
  if watches_threads then return { "5.4" } end
  if rawget(_G, "jit") then return { "luajit" } end
  local version = _VERSION:match("[0-9.]+")
  return version == "5.4" and { "5.4", "5.1" } or { version } -- 5.1 has no run of the specs of its own
end

-- The Luas to run the drivers in.
run.luas = luas()

local built = {}

-- The interpreter that holds the product's objects, made when it is first asked for; under ThreadSanitizer the specs'.
local function host(lua)
  if watches_threads then return "build/tsan/lua" end
  if not built[lua] then
    local target = run.is_sanitized and "build-stress-asan" or "build-stress"
    shell.must(("make -s %s LUA=%s"):format(target, lua))
    local folder = run.is_sanitized and lua ~= "5.4" and "asan-" .. lua or run.is_sanitized and "asan" or lua
    built[lua] = ("build/%s/stress"):format(folder)
  end
  return built[lua]
end

local function words(inputs)
  local list = {}
  for name, value in pairs(inputs) do list[#list + 1] = shell.quote(name .. "=" .. value) end
  table.sort(list)
  return table.concat(list, " ")
end

local SHOWN = 3000

-- What was under way, and what a sanitizer says after that; without one, the first that was said.
local function end_of(output)
  local last = 1
  for at in output:gmatch("()at: [^\n]*\n") do last = at end
  local under_way, rest = output:match("^([^\n]*\n?)(.*)$", last)
  local said = rest:match("==%d+==ERROR.*$") or rest:match("[^\n]*runtime error: .*$") or rest
  return under_way .. said:sub(1, SHOWN)
end

local function all_after(prefix, output)
  local list = {}
  for line in output:gmatch("[^\n]+") do
    if line:sub(1, #prefix) == prefix then list[#list + 1] = line:sub(#prefix + 1) end
  end
  return list
end

-- Leaks of libraries that fail, one by one.
local LEAKS = "LSAN_OPTIONS=print_suppressions=0:suppressions=spec/support/stress/leaks.txt"

-- Runs a driver with what it is to know: { faults, points, counts = { [NAME] = number } }. A driver that died has a
-- fault for that. `with`: `launcher`, what stands before the interpreter; `interpreter`, another one than the host.
function run.driver(lua, driver, inputs, with)
  with = with or {}
  local build = watches_threads and "BUILD=build/tsan" or ""
  local command = ('eval "$(make -s env LUA=%s %s)"; %s %s %s spec/support/stress/%s.lua %s'):format(
    lua, build, LEAKS, with.launcher or "", with.interpreter or host(lua), driver, words(inputs))
  local output, status = shell.run(command)
  local faults = all_after("fault: ", output)
  if status ~= 0 then faults[#faults + 1] = ("died (status %d): %s"):format(status, end_of(output)) end
  local counts = {}
  for _, line in ipairs(all_after("count: ", output)) do
    local number, name = line:match("^(%d+) (.*)$")
    counts[name] = tonumber(number)
  end
  return { faults = faults, points = tonumber(all_after("points: ", output)[1] or 0), counts = counts }
end

return run
