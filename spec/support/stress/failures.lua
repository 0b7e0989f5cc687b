-- Runs each call with its N-th allocation or system call failing, for every N until none fails: first that one alone,
-- then it and all that come after. It ends in what it gives when nothing fails, or in an error that says so, and the
-- handle works afterwards.
--
--     stress failures.lua http=URL https=URL ca_file=FILE HALF.KEY.FORM=FILE ...
--         [edge=N points=N] [offset=N] [only=PATTERN] [except=PATTERN] [sweeps=PATTERN] [skipped=PATTERN]

local inputs = require "spec.support.stress.inputs"
local judge = require "spec.support.stress.judge"
local report = require "spec.support.stress.report"
local stress = require "stress"

-- Another list of cases.
local cases = require(inputs.cases or "spec.support.stress.failure_cases")

-- So many at either end of a call fail each, however few points are asked for: there our own code is.
local edge, offset = tonumber(inputs.edge or 0), tonumber(inputs.offset or 0)
local TIMES_OF_A_LEAK = 3

-- In how many ways a system call fails at most: see calls.c.
local WAYS = 5

local SYSTEM, MEMORY = stress.worlds.system, 0
for _, bit in pairs(stress.worlds) do
  if bit ~= SYSTEM then MEMORY = MEMORY + bit end
end

-- What fails, in the order of the runs.
local sweeps = {
  { name = "one allocation", worlds = MEMORY },
  { name = "all allocations from one on", worlds = MEMORY, lasting = true },
  { name = "all system calls from one on", worlds = SYSTEM, lasting = true },
}
for way = 1, WAYS do
  sweeps[#sweeps + 1] = { name = "one system call in way " .. way, worlds = SYSTEM, variant = way - 1 }
end

-- What a yes may not follow.
local SYNCS = { fsync = true, fdatasync = true, ["fsync of a directory"] = true }

local unpack = unpack or table.unpack -- luacheck: ignore

local function pack(...) return { n = select("#", ...), ... } end

-- Runs a call: what failed (a world, or a system call), and what pcall gives.
local function run(made, plan)
  local results = pack(stress.call(plan, made.f, unpack(made.arguments, 1, made.arguments.n)))
  return results[1], results[2], results[3], results[4]
end

-- The plan of a sweep for the at-th.
local function plan_of(sweep, made, at)
  local worlds = sweep.worlds
  if made.spared and worlds == MEMORY then worlds = worlds - stress.worlds[made.spared] end
  return {
    at = at, worlds = worlds, lasting = sweep.lasting, variant = sweep.variant, every_thread = made.every_thread,
  }
end

local said = {}

local function complaint(made, struck, ok, first, second)
  local message = judge.failure(ok, first, second)
  if message == nil and ok and first ~= nil then
    return made.is_durable and SYNCS[struck] and "says yes" or made.judge(first, second, struck)
  end
  if struck == nil and not made.refused then return "fails though nothing does: " .. judge.shown(message) end
  local wrong = judge.complaint(message)
  if wrong or not struck then return wrong end
  said[message] = (said[message] or 0) + 1
  -- Lua's own word is thrown, also where Lua has no room for another.
  local is_lua = message:find("not enough memory", 1, true)
  if not (ok or is_lua) then return "throws " .. message end
  return cases.judge_failure(made, struck, message, second)
end

local NOTHING = { worlds = MEMORY + SYSTEM }

-- One fails; the results are judged, then the same call has to work with the same handle.
local function check(set_up, sweep, at)
  local made = set_up()
  local struck, ok, first, second = run(made, plan_of(sweep, made, at))
  local wrong = complaint(made, struck, ok, first, second)
  local queued = stress.queued()
  if not wrong and queued then wrong = "leaves an error in OpenSSL's queue: " .. queued end
  if not wrong and struck and not made.is_spent then
    wrong = complaint(made, run(made, NOTHING))
    wrong = wrong and "does not work afterwards: " .. wrong
  end
  if made.finish then made.finish() end
  return struck, wrong
end

-- The worlds whose blocks are counted, and descriptors: Lua's own are its collector's affair.
local FOREIGN = { "OpenSSL", "libcurl", "SQLite", "C", "system" }

local function blocks_in_use()
  collectgarbage()
  collectgarbage() -- what the finalizers of the first let go
  return stress.blocks()
end

-- By how much there are more than before, and whose they are.
local function growth(before)
  local now = blocks_in_use()
  for _, world in ipairs(FOREIGN) do
    if now[world] > before[world] then return now[world] - before[world], world end
  end
  return 0
end

-- The libraries keep this and that when they first meet it; what leaks grows each time.
local function leak(...)
  local blocks, world
  for _ = 1, TIMES_OF_A_LEAK do
    local before = blocks_in_use()
    check(...)
    blocks, world = growth(before)
    if blocks == 0 then return nil end
  end
  return ("leaves %d %s each time"):format(blocks, world == "system" and "descriptors" or "blocks of " .. world)
end

-- How many may fail in a call.
local function measure(case, sweep)
  local made = case.set_up()
  local wrong = complaint(made, run(made, plan_of(sweep, made, 0)))
  if made.finish then made.finish() end
  if wrong then report.fault(case.name, "undisturbed: %s", wrong) end
  local total = 0
  for _, count in pairs(stress.counts()) do total = total + count end
  return total
end

-- The one to try after this one: beyond the edge others each time, by `offset`.
local function following(at, total, stride)
  if at < edge or at >= total - edge then return at + 1 end
  local step = at == edge and 1 + offset % stride or stride
  return math.min(at + step, total - edge)
end

-- How far the ones that are tried lie apart.
local function stride_of(total)
  return inputs.points and math.ceil(total / inputs.points) or 1
end

-- Before its commit 2d8300c1 (June 2023) LuaJIT crashes where a compiled trace finds no memory: lj_err_mem takes the
-- frame of the interpreter for the trace's. While Lua's own allocations fail, all is interpreted.
local function use_jit(sweep)
  local jit = rawget(_G, "jit")
  if not jit then return end
  if sweep.worlds == SYSTEM then return jit.on() end
  jit.off()
  jit.flush() -- what is compiled already would still run
end

-- Gives how many failed.
local function run_sweep(case, sweep)
  use_jit(sweep)
  local kind = case.name .. ", " .. sweep.name
  local total = measure(case, sweep)
  local stride = stride_of(total)
  local at, points = 1, 0
  local struck, wrong, blocks
  blocks = blocks_in_use()
  repeat
    report.at("%s, %d", kind, at)
    struck, wrong = check(case.set_up, sweep, at)
    if struck then points = points + 1 end
    if not wrong and growth(blocks) > 0 then wrong, blocks = leak(case.set_up, sweep, at), blocks_in_use() end
    if wrong then report.fault(kind, "%d (%s): %s", at, tostring(struck), wrong) end
    at = following(at, total, stride)
  until not struck
  return points
end

-- Whether a name is among those that are asked for.
local function is_wanted(name, pattern, except)
  return name:find(pattern or "") and not (except and name:find(except))
end

for _, case in ipairs(cases.list) do
  if is_wanted(case.name, inputs.only, inputs.except) then
    local points = 0
    measure(case, sweeps[1]) -- what is made once is made now
    for _, sweep in ipairs(sweeps) do
      if is_wanted(sweep.name, inputs.sweeps, inputs.skipped) then points = points + run_sweep(case, sweep) end
    end
    print(("count: %d %s"):format(points, case.name))
    report.count(points)
  end
end
for message, times in pairs(said) do print(("said: %d %s"):format(times, message)) end
report.finish()
