-- Runs each function of the C modules with a finalizer at every collection inside it, which closes the handle in
-- use, sends or signs with it, or drops what the caller gave. What comes out has to be what comes out undisturbed, or
-- a clean word that the handle is closed or busy.
--
--     stress finalizers.lua url=http://127.0.0.1:PORT NAME=FILE ... [only=PATTERN]

local collector = require "spec.support.stress.collector"
local handles = require "spec.support.stress.handles"
local inputs = require "spec.support.stress.inputs"
local judge = require "spec.support.stress.judge"
local report = require "spec.support.stress.report"
-- Another list of cases, when the driver is to be seen failing.
local cases = require(inputs.cases or "spec.support.stress.finalizer_cases")

local INNER = "inner, and longer than the other"
local ENOUGH = 2000 -- collections; no call has as many

local unpack = unpack or table.unpack -- luacheck: ignore

local function pack(...) return { n = select("#", ...), ... } end

-- ---- what a finalizer does to a call that is set up ------------------------------------------------

local actions = {}

function actions.close(made)
  for _, handle in ipairs(made.handles) do handle:close() end
end

-- Every method that takes a while, on the very handle. What they gave is judged afterwards.
function actions.use(made)
  for _, handle in ipairs(made.handles) do
    for name, arguments in pairs(cases.uses[debug.getmetatable(handle).__metatable]) do
      local results = pack(pcall(handle[name], handle, unpack(arguments(INNER))))
      made.inner[#made.inner + 1] = { name = name, handle = handle, results = results }
    end
  end
end

function actions.drop(made)
  for _, held in ipairs(made.tables or {}) do
    for field in pairs(held) do held[field] = nil end
  end
  made.arguments, made.tables, made.handles = nil, nil, {}
  collectgarbage()
end

-- ---- one run ---------------------------------------------------------------------------------------

-- Sets a call up and runs it: the number of collections, the results, and what is left of the set-up.
local function run(set_up, at, action)
  local made = set_up()
  made.handles, made.inner = made.handles or {}, {}
  local function act() action(made) end
  local results = pack(collector.during(at, act, made.f, unpack(made.arguments, 1, made.arguments.n)))
  return results[1], pack(unpack(results, 2, results.n)), made
end

local function read(made, results)
  if made.read then return made.read(unpack(results, 1, results.n)) end
  return judge.dump({}, unpack(results, 1, results.n))
end

-- A word that fits what was done.
local function is_refusal(action, made, failure)
  if judge.complaint(failure) then return false end
  if failure:find("closed", 1, true) then return action == "close" end
  if failure:find("busy", 1, true) then return action ~= "drop" end
  for _, words in ipairs(action == "drop" and made.emptied or {}) do
    if failure:find(words, 1, true) then return true end
  end
  return false
end

-- What is wrong with what came out, or nil.
local function complaint(action, expected, made, results)
  if action == "close" and results[2] ~= nil and results[2] == made.handles[1] then return nil end
  local found = read(made, results)
  if found == expected then return nil end
  local failure = judge.failure(results[1], results[2], results[3])
  if failure ~= nil and is_refusal(action, made, failure) then return nil end
  return "gives " .. judge.shown(found) .. " instead of " .. judge.shown(expected)
end

-- What the uses inside the finalizer gave, and what is true of the handles afterwards.
local function aftermath(action, set_up, expected, made)
  for _, inner in ipairs(made.inner) do
    local wrong = cases.judge_use(inner.handle, inner.name, INNER, unpack(inner.results, 1, inner.results.n))
    if wrong then return "its " .. inner.name .. " in the finalizer " .. wrong end
  end
  for _, handle in ipairs(made.handles) do
    if action == "close" and not tostring(handle):find("closed", 1, true) then return "was not closed" end
    if action == "use" and set_up then
      local results = pack(pcall(made.f, unpack(made.arguments, 1, made.arguments.n)))
      return complaint("", expected, made, results)
    end
  end
  return nil
end

-- ---- all runs of a call ----------------------------------------------------------------------------

local function sorted(by_name)
  local names = {}
  for name in pairs(by_name) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function sweep(name, set_up)
  local _, undisturbed, first = run(set_up, 0)
  local expected = read(first, undisturbed)
  local widest = 0
  for _, action in ipairs(sorted(actions)) do
    for at = 1, ENOUGH do
      report.at("%s, %s at collection %d", name, action, at)
      local count, results, made = run(set_up, at, actions[action])
      if count < at then break end
      report.count(1)
      widest = math.max(widest, count)
      local wrong = complaint(action, expected, made, results) or aftermath(action, set_up, expected, made)
      if wrong then report.fault(name .. ", " .. action, "collection %d: %s", at, wrong) end
    end
  end
  return undisturbed[2], widest
end

local reachable, collections = {}, {}
for _, module in ipairs(cases.modules) do handles.of_module(reachable, module) end
for _, name in ipairs(sorted(cases.of)) do
  for _, set_up in ipairs(name:find(inputs.only or "") and cases.of[name] or {}) do
    local value, count = sweep(name, set_up)
    handles.of_value(reachable, value)
    collections[name] = math.max(collections[name] or 0, count)
  end
end
for _, name in ipairs(sorted(reachable)) do
  if not cases.of[cases.same_as[name] or name] then report.fault(name, "no call of it in the list") end
end
for _, name in ipairs(sorted(collections)) do print(("count: %d %s"):format(collections[name], name)) end
report.finish()
