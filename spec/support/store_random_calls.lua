-- Random calls of a store, and deaths of who delivers, each compared with a model (spec/support/store_model.lua).
--
--     store = random_calls(place, store, seed)     the store that is open at the end
--
-- `place`: as in spec/support/store_contract.lua. At the end nothing waits.

local assert = require "luassert"
local store_model = require "spec.support.store_model"

local STEPS, DEATH_STEPS = 300, 60

local random = math.random

local function chance(one_in) return random(one_in) == 1 end

local function random_record(step)
  return {
    api = chance(3) and "contract_card" or "order", merchant_biz_no = "A" .. random(5), request_id = "R" .. step,
    status = "S" .. random(3), body = ("body %d"):format(step), key = chance(3) and "K" .. random(20) or nil,
    sequence_ms = chance(2) and 1716543000000 + step + random(-20, 20) or nil, is_filled = chance(2),
  }
end

local function random_outcome(event)
  local state = ({ "accepted", "accepted", "parked", "waiting" })[random(4)]
  return { event = event, state = state, is_free = state == "waiting" and chance(2), lost_answer = chance(4),
    is_settling = chance(6), code = chance(2) and "CODE" or nil }
end

-- What is done to `run.store`, each with the number of the step.
local CALLS = {}

function CALLS.put(run, step)
  local records = {}
  for i = 1, random(4) do records[i] = random_record(step) end
  for i, result in ipairs(assert(run.store:put(records))) do run.model:put(records[i], result) end
end

-- Records those outcomes, and claims up to `limit`.
local function turn(run, outcomes, limit, opts)
  for _, outcome in ipairs(outcomes) do run.model:ended(outcome) end
  local result = assert(run.store:turn(outcomes, limit, opts))
  assert.same({ {}, {} }, { result.lost, result.superseded })
  assert.is_true(#result.events <= limit)
  for _, event in ipairs(result.events) do
    run.model:claimed(event)
    table.insert(run.under_way, event)
  end
  assert.equal(run.model:counts().waiting, result.waiting)
end

function CALLS.turn(run)
  local outcomes = {}
  for i = 1, random(0, #run.under_way) do
    outcomes[i] = random_outcome(table.remove(run.under_way, random(#run.under_way)))
  end
  turn(run, outcomes, random(0, 6), { is_probe = chance(5) })
end

-- Of one that was, or never was.
local function random_id(run, step)
  local listed = run.store:list { limit = step }
  return chance(9) and "123456789" or #listed > 0 and listed[random(#listed)].id or "1"
end

function CALLS.retry(run, step)
  local id = random_id(run, step)
  local result, fault = run.store:retry(id)
  local expected = run.model:retry(id)
  if fault then result = fault.code end
  assert.equal(expected, result)
end

function CALLS.drop(run, step)
  local id = random_id(run, step)
  assert.equal(run.model:drop(id), run.store:drop(id))
end

function CALLS.die(run)
  run.place.forsake(run.store)
  run.store = run.place.open {}
  assert.is_true(run.store:begin_delivery())
  run.model:died()
  run.under_way = {}
  turn(run, {}, 3)
end

local MIX = { "put", "put", "put", "turn", "turn", "turn", "turn", "turn", "retry", "retry", "drop" }

-- Has all go that is left, in so many turns.
local function drain(run)
  for _ = 1, 1000 do
    if run.model:counts().waiting + #run.under_way == 0 then return end
    local outcomes = {}
    for i, event in ipairs(run.under_way) do outcomes[i] = { event = event, state = "accepted" } end
    run.under_way = {}
    turn(run, outcomes, 100)
  end
end

return function(place, store, seed)
  math.randomseed(seed)
  local run = { place = place, store = store, model = store_model.new(), under_way = {} }
  assert.is_true(store:begin_delivery())
  for step = 1, STEPS do
    CALLS[step % DEATH_STEPS == 0 and "die" or MIX[random(#MIX)]](run, step)
    local stats = run.store:stats()
    stats.oldest_ms = nil
    assert.same(run.model:counts(), stats)
  end
  drain(run)
  assert.same({ 0, 0 }, { run.store:stats().waiting, run.store:stats().sending })
  return run.store
end
