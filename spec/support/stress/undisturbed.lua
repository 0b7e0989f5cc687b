-- Makes each call once, and nothing fails, with a full collection at each check of the collector: for valgrind and the
-- sanitizers, in any interpreter. Where that is the host of the stress drivers and Lua can do it, in Lua 5.4, there is
-- one before each object is made, too; it counts those.
--
--     lua undisturbed.lua NAME=VALUE ...     as failures.lua has them

package.preload.stress = package.preload.stress or function() return { worlds = {} } end

local collector = require "spec.support.stress.collector"
local inputs = require "spec.support.stress.inputs"
local report = require "spec.support.stress.report"
local stress = require "stress"
local cases = require(inputs.cases or "spec.support.stress.failure_cases")

local unpack = unpack or table.unpack -- luacheck: ignore

local function last_of(_, ...) return ... end

-- Calls f while Lua collects as often as it can: what pcall gives.
local function collecting(f, ...)
  local function call(...)
    if not stress.call then return pcall(f, ...) end
    return last_of(stress.call({ worlds = 0, collects = _VERSION == "Lua 5.4" }, f, ...))
  end
  local function finish(...)
    collector.stop()
    return ...
  end
  collector.start()
  return finish(call(...))
end

for _, case in ipairs(cases.list) do
  if case.name:find(inputs.only or "") then
    report.at("%s", case.name)
    local made = case.set_up()
    local ok, first, second = collecting(made.f, unpack(made.arguments, 1, made.arguments.n))
    local wrong = not made.refused and (ok and first ~= nil and made.judge(first, second) or not (ok and first ~= nil)
      and "fails: " .. tostring(second or first))
    if wrong then report.fault(case.name, "%s", wrong) end
    if made.finish then made.finish() end
    report.count(1)
    if stress.collections then print(("count: %d %s"):format(stress.collections(), case.name)) end
  end
end
collectgarbage()
collectgarbage()
report.finish()
