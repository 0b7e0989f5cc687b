-- Makes each call once, and nothing fails: for valgrind, in an interpreter that knows of no stress.
--
--     lua undisturbed.lua NAME=VALUE ...     as failures.lua has them

package.preload.stress = package.preload.stress or function() return { worlds = {} } end

local inputs = require "spec.support.stress.inputs"
local report = require "spec.support.stress.report"
local cases = require(inputs.cases or "spec.support.stress.failure_cases")

local unpack = unpack or table.unpack -- luacheck: ignore

for _, case in ipairs(cases.list) do
  if case.name:find(inputs.only or "") then
    report.at("%s", case.name)
    local made = case.set_up()
    local ok, first, second = pcall(made.f, unpack(made.arguments, 1, made.arguments.n))
    local wrong = not made.refused and (ok and first ~= nil and made.judge(first, second) or not (ok and first ~= nil)
      and "fails: " .. tostring(second or first))
    if wrong then report.fault(case.name, "%s", wrong) end
    if made.finish then made.finish() end
    report.count(1)
  end
end
collectgarbage()
collectgarbage()
report.finish()
