-- What a store has to be like, in a few tables: it is told what is done to the store, says what has to come of it, and
-- throws where it is shown something that may not be. It knows no times, so that delays have to be 0.

local assert = require "luassert"

local Model = {}
Model.__index = Model

local function new()
  return setmetatable({ events = {}, lanes = {} }, Model)
end

local function lane_of(self, record)
  local name = record.api .. " " .. record.merchant_biz_no
  self.lanes[name] = self.lanes[name] or { events = {}, keys = {} }
  return self.lanes[name]
end

local function is_stale(record, newest_ms)
  return newest_ms and record.sequence_ms
    and (record.sequence_ms < newest_ms or record.is_filled and record.sequence_ms == newest_ms)
end

-- A record was put, with that result.
function Model:put(record, result)
  local lane = lane_of(self, record)
  if record.key and lane.keys[record.key] then
    return assert.same({ id = lane.keys[record.key], exists = true }, result)
  elseif is_stale(record, lane.newest_ms) then
    return assert.same({ newest_ms = lane.newest_ms }, result)
  end
  assert.is_string(result.id)
  assert.is_nil(self.events[result.id])
  assert.same({ id = result.id, previous_status = lane.status }, result)
  local event = { id = result.id, lane = lane, place = #lane.events + 1, state = "waiting", attempts = 0,
    lost_answer = false, is_settling = false, body = record.body }
  self.events[event.id], lane.events[event.place] = event, event
  if record.key then lane.keys[record.key] = event.id end
  lane.status, lane.newest_ms = record.status, record.sequence_ms or lane.newest_ms
end

-- An event was claimed: it has to be the oldest that waits in a lane with none under way.
function Model:claimed(given)
  local event = assert(self.events[given.id])
  for place, other in ipairs(event.lane.events) do
    assert.is_true(other.state ~= "sending", "two of a lane are under way")
    assert.is_true(place >= event.place or other.state ~= "waiting", "an older one of the lane waits")
  end
  assert.equal("waiting", event.state)
  event.state, event.attempts = "sending", event.attempts + 1
  assert.same({ event.attempts, event.lost_answer, event.is_settling, event.body },
    { given.attempts, given.lost_answer, given.is_settling, given.body })
end

function Model:ended(outcome)
  local event = self.events[outcome.event.id]
  event.state = outcome.state
  if outcome.is_free then event.attempts = event.attempts - 1 end
  event.lost_answer = event.lost_answer or outcome.lost_answer == true
  event.is_settling = event.is_settling or outcome.is_settling == true
end

-- Who delivered has died.
function Model:died()
  for _, event in pairs(self.events) do
    if event.state == "sending" then event.state, event.lost_answer = "waiting", true end
  end
end

-- What `retry` has to give: true, false, or "stale".
function Model:retry(id)
  local event = self.events[id]
  if not event or event.state ~= "parked" then return false end
  for place = event.place + 1, #event.lane.events do
    local state = event.lane.events[place].state
    if state == "sending" or state == "accepted" then return "stale" end
  end
  event.state = "waiting"
  return true
end

function Model:drop(id)
  local event = self.events[id]
  if not event or event.state ~= "parked" then return false end
  event.state = "dropped"
  return true
end

-- How many events there are in each state.
function Model:counts()
  local counts = { waiting = 0, sending = 0, parked = 0, accepted = 0, superseded = 0, dropped = 0 }
  for _, event in pairs(self.events) do counts[event.state] = counts[event.state] + 1 end
  return counts
end

return { new = new }
