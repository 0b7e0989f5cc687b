-- Runs each call with its N-th allocation failing, for every N until none fails: first that one alone, then it and all
-- that come after. It ends in what it gives when memory abounds, or in an error that says so, and the handle works
-- afterwards.
--
--     stress allocations.lua http=URL https=URL ca_file=FILE HALF.KEY.FORM=FILE ...
--         [edge=N points=N] [only=PATTERN] [except=PATTERN] [mode=one|all]

local inputs = require "spec.support.stress.inputs"
local judge = require "spec.support.stress.judge"
local report = require "spec.support.stress.report"
local stress = require "stress"

-- Another list of cases, when the driver is to be seen failing.
local cases = require(inputs.cases or "spec.support.stress.allocation_cases")

-- So many at either end of a call fail each, however few points are asked for: there our own code is.
local edge = tonumber(inputs.edge or 0)
local TIMES_OF_A_LEAK = 3

local unpack = unpack or table.unpack -- luacheck: ignore

local function pack(...) return { n = select("#", ...), ... } end

-- Runs a call: the world whose allocation failed, and what pcall gives.
local function run(made, at, lasting)
  local results = pack(stress.call(at, lasting, made.spared, made.f, unpack(made.arguments, 1, made.arguments.n)))
  return results[1], results[2], results[3], results[4]
end

local said = {}

local function complaint(made, world, ok, first, second)
  local message = judge.failure(ok, first, second)
  if message == nil and ok and first ~= nil then return made.judge(first, second) end
  if world == nil and not made.refused then return "fails with all the memory: " .. judge.shown(message) end
  local wrong = judge.complaint(message)
  if wrong or not world then return wrong end
  said[message] = (said[message] or 0) + 1
  -- Lua's own word is thrown, also where C has one and Lua no room for it.
  local is_lua = message:find("not enough memory", 1, true)
  if not (ok or is_lua or made.may_throw) then return "throws " .. message end
  return cases.judge_failure(made, message, second)
end

-- One allocation fails; the results are judged, then the same call has to work with the same handle.
local function check(set_up, at, lasting)
  local made = set_up()
  local world, ok, first, second = run(made, at, lasting)
  local wrong = complaint(made, world, ok, first, second)
  local queued = stress.queued()
  if not wrong and queued then wrong = "leaves an error in OpenSSL's queue: " .. queued end
  if not wrong and world then
    wrong = complaint(made, run(made, 0, false))
    wrong = wrong and "does not work afterwards: " .. wrong
  end
  return world, wrong
end

-- The worlds whose blocks are counted: Lua's own are its collector's affair.
local FOREIGN = { "OpenSSL", "libcurl", "SQLite", "C" }

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
  return ("leaves %d blocks of %s each time"):format(blocks, world)
end

-- How many allocations a call makes.
local function measure(case)
  local made = case.set_up()
  local wrong = complaint(made, run(made, 0, false))
  if wrong then report.fault(case.name, "undisturbed: %s", wrong) end
  local total = 0
  for _, count in pairs(stress.counts()) do total = total + count end
  return total
end

-- The allocation to try after this one.
local function following(at, total, stride)
  if at < edge or at >= total - edge then return at + 1 end
  return math.min(at + stride, total - edge)
end

local function sweep(case, lasting, total, stride)
  local kind = case.name .. (lasting and ", all from one on" or ", one")
  local at = 1
  local world, wrong, blocks
  blocks = blocks_in_use()
  repeat
    report.at("%s, %d", kind, at)
    world, wrong = check(case.set_up, at, lasting)
    if world then report.count(1) end
    if not wrong and growth(blocks) > 0 then wrong, blocks = leak(case.set_up, at, lasting), blocks_in_use() end
    if wrong then report.fault(kind, "allocation %d (%s): %s", at, tostring(world), wrong) end
    at = following(at, total, stride)
  until not world
end

for _, case in ipairs(cases.list) do
  if case.name:find(inputs.only or "") and not (inputs.except and case.name:find(inputs.except)) then
    measure(case) -- what is made once is made now
    local total = measure(case)
    local stride = inputs.points and math.ceil(total / inputs.points) or 1
    print(("count: %d %s"):format(total, case.name))
    if inputs.mode ~= "all" then sweep(case, false, total, stride) end
    if inputs.mode ~= "one" then sweep(case, true, total, stride) end
  end
end
for message, times in pairs(said) do print(("said: %d %s"):format(times, message)) end
report.finish()
