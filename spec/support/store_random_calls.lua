-- Random calls of a store by several workers, their deaths, and jumps of the clock, each compared with a model
-- (spec/support/store_model.lua).
--
--     random_calls(place, seed, steps)
--
-- `place`: `kind`, see there; `open(opts)`, where `opts.now` is the clock; `set_time(ms)`, told whenever the wall clock
-- is another. Nobody sleeps: the clocks are the run's own. What fails says after which calls, and the seed repeats
-- them.

local assert = require "luassert"
local runtime = require "alipayhk.base.runtime"
local store_model = require "spec.support.store_model"

local WORKERS = 3
local START_MS, HOUR_MS = 1716543000000, 3600000
local BIZ_NOS = { "A", "B", "C", "D'%s", "E\0\195\169", "F" }
local EVENTS_MAX = 60 -- beyond, what has ended is purged

local floor, max = math.floor, math.max

-- ---- choices ---------------------------------------------------------------------------------------

local Run = {}
Run.__index = Run

-- From 1 to n, the same under every Lua.
function Run:random(n)
  self.state = self.state * 16807 % 2147483647
  return floor(self.state / 2147483647 * n) + 1
end

function Run:chance(one_in) return self:random(one_in) == 1 end

function Run:one_of(list) return list[self:random(#list)] end

local BYTES = { "plain", "\0", "\255\254", '{"a":"\\u0000"}', ("long "):rep(200) }

local function random_record(run)
  local status = run:one_of { "S1", "S2", "S3", "S4", false } or nil
  return {
    api = run:chance(3) and "contract_card" or "order", merchant_biz_no = run:one_of(BIZ_NOS),
    request_id = "R" .. run.step, status = status, alike = run:chance(2) and "X" .. run:random(2) or nil,
    body = run:one_of(BYTES) .. run.step, key = run:chance(3) and "K" .. run:random(9) or nil,
    sequence_ms = not run:chance(9) and run.wall_ms + run:random(20) or nil, is_filled = run:chance(2),
  }
end

local DELAYS = { false, 0, 1, 400, 30000, 299999, 900000 }

local function random_outcome(run, event)
  local state = run:one_of { "accepted", "accepted", "parked", "waiting", "waiting" }
  local is_waiting = state == "waiting"
  return {
    event = event, state = state, delay_ms = is_waiting and run:one_of(DELAYS) or nil,
    is_free = is_waiting and run:chance(2), lost_answer = run:chance(4), is_settling = is_waiting and run:chance(6),
    code = run:chance(2) and "CODE" or nil, message = run:chance(2) and "what it says" or nil,
    held_status = state == "accepted" and run:chance(3) and "HELD" or nil,
  }
end

-- Of an event that is there, was there, or never was.
local function random_id(run)
  if run:chance(9) or #run.ids == 0 then return run:one_of { "123456789", "1234567890123456", "x", "" } end
  return run:one_of(run.ids)
end

local function parked_id(run)
  local ids = {}
  for id, event in pairs(run.model.events) do
    if event.state == "parked" then ids[#ids + 1] = id end
  end
  table.sort(ids)
  return #ids > 0 and run:one_of(ids) or random_id(run)
end

-- ---- clocks ----------------------------------------------------------------------------------------

-- The time by which a call of that worker goes. A file's is a worker's own, and never goes back.
local function now_of(run, worker)
  if run.place.kind.lease_ms then return run.wall_ms end
  return worker.ahead_ms + run.monotonic_ms
end

-- Has a worker look at the clock.
local function look(run, worker)
  assert.same({}, worker.store:put {})
  worker.ahead_ms = max(worker.ahead_ms or -math.huge, run.wall_ms - run.monotonic_ms)
end

local function set_time(run, wall_ms)
  run.wall_ms = wall_ms
  run.place.set_time(wall_ms)
end

-- ---- calls -----------------------------------------------------------------------------------------

-- What is done, each with the worker that does it; `run.shown` is to tell of it.
local CALLS = {}

local function open(run, worker)
  worker.coalesce = run:chance(2)
  worker.store = run.place.open { coalesce = worker.coalesce, now = function() return run.wall_ms / 1000 end }
  worker.held, worker.ahead_ms = {}, nil
  look(run, worker)
end

function CALLS.put(run, worker)
  local records, shown = {}, {}
  for i = 1, run:random(4) do records[i] = random_record(run) end
  for i, result in ipairs(assert(worker.store:put(records))) do
    run.model:put(records[i], result, now_of(run, worker), run.wall_ms)
    if result.id then run.ids[#run.ids + 1] = result.id end
    shown[i] = ("%s %s"):format(records[i].merchant_biz_no:sub(1, 1), result.id)
  end
  run.shown = table.concat(shown, ", ")
end

-- Some of what this worker holds, of what was taken from it or others, and of what was said before.
local function random_outcomes(run, worker)
  local outcomes = {}
  for _ = 1, run:random(#worker.held + 1) - 1 do
    outcomes[#outcomes + 1] = random_outcome(run, table.remove(worker.held, run:random(#worker.held)))
  end
  if run:chance(3) and #run.late > 0 then
    outcomes[#outcomes + 1] = random_outcome(run, table.remove(run.late, run:random(#run.late)))
  end
  local said = run:chance(5) and #run.said > 0 and run:one_of(run.said)
  local event = said and run.model.events[said.id]
  if event and event.state ~= "sending" then outcomes[#outcomes + 1] = random_outcome(run, said) end
  return outcomes
end

local function shown_outcomes(outcomes)
  local shown = {}
  for i, outcome in ipairs(outcomes) do
    shown[i] = ("%s %s %s"):format(outcome.event.id, outcome.state, outcome.delay_ms or "")
  end
  return table.concat(shown, ", ")
end

local function shown_ids(events)
  local shown = {}
  for i, event in ipairs(events) do shown[i] = event.id end
  return table.concat(shown, ", ")
end

function CALLS.turn(run, worker)
  local is_probe = run:chance(6)
  local call = {
    outcomes = random_outcomes(run, worker), limit = is_probe and 1 or run:random(6) - 1, is_probe = is_probe,
    coalesce = worker.coalesce, now_ms = now_of(run, worker),
  }
  local result = assert(worker.store:turn(call.outcomes, call.limit, { is_probe = is_probe }))
  run.shown = ("%d%s [%s]: [%s], superseded [%s], lost [%s]"):format(call.limit, is_probe and " as a probe" or "",
    shown_outcomes(call.outcomes), shown_ids(result.events), shown_ids(result.superseded), shown_ids(result.lost))
  for _, event in ipairs(result.events) do worker.held[#worker.held + 1] = event end
  for _, outcome in ipairs(call.outcomes) do run.said[#run.said + 1] = outcome.event end
  if not run.place.kind.lease_ms and run.deliverer ~= worker then call.limit = 0 end
  run.model:turn(call, result)
end

-- What a worker held is no longer its own, but it may say something of it.
local function let_go(run, worker)
  for _, event in ipairs(worker.held) do run.late[#run.late + 1] = event end
  worker.held = {}
end

function CALLS.begin_delivery(run, worker)
  local begun = worker.store:begin_delivery()
  if run.place.kind.lease_ms then
    assert.is_true(begun)
  elseif run.deliverer then
    assert.equal(run.deliverer == worker, begun)
  else
    assert.is_true(begun)
    run.deliverer = worker
    run.model:recover(now_of(run, worker))
  end
  run.shown = tostring(begun)
end

function CALLS.end_delivery(run, worker)
  worker.store:end_delivery()
  if run.deliverer == worker then run.deliverer = nil end
end

-- Without a word to anybody.
function CALLS.die(run, worker)
  worker.store:close()
  if run.deliverer == worker then run.deliverer = nil end
  let_go(run, worker)
  open(run, worker)
end

function CALLS.retry(run, worker)
  local id = parked_id(run)
  local result, fault = worker.store:retry(id)
  if fault then result = fault.code end
  run.shown = id .. " " .. tostring(result)
  run.model:retry(id, result, now_of(run, worker))
end

function CALLS.drop(run, worker)
  run.shown = parked_id(run)
  assert.equal(run.model:drop(run.shown, now_of(run, worker)), worker.store:drop(run.shown))
end

function CALLS.purge(run, worker)
  local older_than_ms = run:one_of { 0, 1000, 60000, HOUR_MS }
  run.shown = older_than_ms
  local count, kept = worker.store:purge(older_than_ms), {}
  for _, event in ipairs(worker.store:list { limit = 10000 }) do kept[event.id] = true end
  assert.equal(run.model:purge(older_than_ms, now_of(run, worker), kept), count)
end

function CALLS.list(run, worker)
  local opts = {
    state = run:chance(2) and run:one_of { "waiting", "sending", "parked", "accepted", "superseded", "dropped" } or nil,
    merchant_biz_no = run:chance(2) and run:one_of(BIZ_NOS) or nil,
    limit = run:chance(2) and run:random(8) or nil,
    after = run:chance(2) and #run.ids > 0 and run:one_of(run.ids) or nil,
  }
  run.model:check_list(opts, assert(worker.store:list(opts)), now_of(run, worker))
end

function CALLS.pass(run)
  local passed_ms = run:one_of { 1, 1, 30, 400, 29000, 61000, 299999 }
  run.monotonic_ms = run.monotonic_ms + passed_ms
  set_time(run, run.wall_ms + passed_ms)
  run.shown = passed_ms
end

function CALLS.jump(run)
  local jump_ms = run:one_of { HOUR_MS, -HOUR_MS, 90000, -90000 }
  set_time(run, run.wall_ms + jump_ms)
  run.shown = jump_ms
  if jump_ms < 0 then run.model.went_back = true end
  for _, worker in ipairs(run.workers) do look(run, worker) end
end

-- ---- a run -----------------------------------------------------------------------------------------

-- How often each is called, of a hundred or so.
local OFTEN = {
  { "put", 25 }, { "turn", 40 }, { "begin_delivery", 8 }, { "end_delivery", 2 }, { "die", 3 }, { "retry", 6 },
  { "drop", 3 }, { "purge", 2 }, { "list", 6 }, { "pass", 9 }, { "jump", 1 },
}
local MIX = {}
for _, call in ipairs(OFTEN) do
  for _ = 1, call[2] do MIX[#MIX + 1] = call[1] end
end

local function count_ended(counts) return counts.accepted + counts.superseded + counts.dropped end

local function check(run, worker)
  local store, model, now_ms = worker.store, run.model, now_of(run, worker)
  model:check_stats(assert(store:stats()), now_ms)
  local opts = run.step % 10 == 0 and { limit = 10000 } or { merchant_biz_no = run:one_of(BIZ_NOS) }
  model:check_list(opts, assert(store:list(opts)), now_ms)
end

local function step(run)
  local worker, name = run:one_of(run.workers), run:one_of(MIX)
  if count_ended(run.model:counts()) > EVENTS_MAX then name = "purge" end
  run.shown = ""
  local ran, thrown = pcall(CALLS[name], run, worker)
  run.steps[run.step] = ("%d: worker %d, %s %s"):format(run.step, worker.number, name, run.shown)
  if not ran then error(thrown, 0) end
  check(run, worker)
end

-- All goes that is left, whoever held it.
local function drain(run, worker)
  CALLS.begin_delivery(run, run.deliverer or worker)
  worker = run.deliverer or worker
  for _ = 1, 1000 do
    run.monotonic_ms = run.monotonic_ms + 310000
    set_time(run, run.wall_ms + 310000)
    local outcomes = {}
    for i, event in ipairs(worker.held) do outcomes[i] = { event = event, state = "accepted" } end
    local call = { outcomes = outcomes, limit = 100, coalesce = worker.coalesce, now_ms = now_of(run, worker) }
    local result = assert(worker.store:turn(outcomes, 100))
    run.model:turn(call, result)
    worker.held = result.events
    local counts = run.model:counts()
    if counts.waiting + counts.sending == 0 then return end
  end
  error "what is left does not go"
end

local function run_all(run, steps)
  for number = 1, WORKERS do
    run.workers[number] = { number = number }
    open(run, run.workers[number])
  end
  for number = 1, steps do
    run.step = number
    step(run)
  end
  drain(run, run.workers[1])
  check(run, run.workers[1])
end

return function(place, seed, steps)
  local run = setmetatable({
    place = place, state = seed, model = store_model.new(place.kind), workers = {}, wall_ms = START_MS,
    monotonic_ms = 1000000, step = 0, ids = {}, late = {}, said = {}, steps = {},
  }, Run)
  set_time(run, START_MS)
  local monotonic_ms = runtime.monotonic_ms
  function runtime.monotonic_ms() return run.monotonic_ms end
  local ran, thrown = xpcall(run_all, function(thrown)
    return type(thrown) == "string" and debug.traceback(thrown) or thrown
  end, run, steps)
  runtime.monotonic_ms = monotonic_ms
  for _, worker in ipairs(run.workers) do
    if worker.store then worker.store:close() end
  end
  if ran then return end
  local message = type(thrown) == "table" and tostring(thrown.message or thrown) or tostring(thrown)
  error(("%s\nSEED=%d repeats these calls:\n%s"):format(message, seed, table.concat(run.steps, "\n")), 0)
end
