-- What a store promises (lua/alipayhk/delivery/store/init.lua), in a few tables. It is told what was done to the store
-- and what came of it, and throws where that may not be.
--
--     model = store_model.new(kind)
--
-- `kind`: what the two stores do in ways of their own:
--
--   lease_ms       who claims holds an event for so long; nil: as long as nobody else begins to deliver
--   group_of       function(merchant_biz_no) -> of what its lane is a part: only within that, lanes go by their times
--   delay_max_ms   the longest that an event waits for its next attempt
--
-- Times are whole milliseconds, of the clock by which the store goes in that call.

local assert = require "luassert"

local huge, max, min = math.huge, math.max, math.min

local Model = {}
Model.__index = Model

local function new(kind)
  return setmetatable({
    kind = kind,
    events = {}, -- by id
    lanes = {}, -- by api and merchantBizNo
    went_back = false, -- the clock did: who came first is not who has waited longest
  }, Model)
end

-- ---- lanes -----------------------------------------------------------------------------------------

local function each_lane(self, f)
  for _, lane in pairs(self.lanes) do f(lane) end
end

-- The oldest that waits or is under way.
local function head_of(lane)
  for _, event in ipairs(lane.events) do
    if event.state == "waiting" or event.state == "sending" then return event end
  end
end

local function waiting_head(lane)
  local head = head_of(lane)
  return head and head.state == "waiting" and head or nil
end

-- When an event, or a lane, may go is known in most cases: then both times are the same.
local function set_due(of, from_ms, to_ms)
  of.from_ms, of.to_ms = from_ms, to_ms or from_ms
end

-- The head has ended: the next one goes behind all that are due.
local function advance(lane, now_ms)
  local head = head_of(lane)
  if head then set_due(lane, max(now_ms, head.from_ms), max(now_ms, head.to_ms)) end
end

-- A time that is further off than any delay comes from a clock that was wrong, and counts as past.
local function is_far(self, due_ms, now_ms) return due_ms > now_ms + self.kind.delay_max_ms end

local function due_of(self, lane, now_ms)
  if is_far(self, lane.to_ms, now_ms) then return -huge, lane.to_ms end
  return lane.from_ms, lane.to_ms
end


-- ---- put -------------------------------------------------------------------------------------------

local function is_stale(record, newest_ms)
  local sequence_ms = record.sequence_ms
  return newest_ms and sequence_ms
    and (sequence_ms < newest_ms or record.is_filled and sequence_ms == newest_ms)
end

local function append(self, lane, record, id, now_ms, due_ms)
  local event = {
    id = id, number = tonumber(id), lane = lane, record = record, state = "waiting", attempts = 0, put_ms = now_ms,
    lost_answer = false, is_settling = false,
  }
  local before = lane.events[#lane.events]
  set_due(event, -huge, due_ms) -- the first time, it need not wait
  assert.is_true(not before or before.number < event.number, "ids of a lane do not ascend")
  if not head_of(lane) then set_due(lane, due_ms) end
  self.events[id], lane.events[#lane.events + 1] = event, event
  if record.key then lane.keys[record.key] = id end
  lane.status, lane.newest_ms = record.status, record.sequence_ms or lane.newest_ms
end

-- A record was put, with that result; `due_ms`: by the wall clock.
function Model:put(record, result, now_ms, due_ms)
  local name = record.api .. "\0" .. record.merchant_biz_no
  local lane = self.lanes[name]
    or { events = {}, keys = {}, accepted = 0, claimed = 0, biz_no = record.merchant_biz_no }
  if record.key and lane.keys[record.key] then
    return assert.same({ id = lane.keys[record.key], exists = true }, result)
  elseif is_stale(record, lane.newest_ms) then
    return assert.same({ newest_ms = lane.newest_ms }, result)
  end
  assert.is_string(result.id)
  assert.is_nil(self.events[result.id])
  assert.same({ id = result.id, previous_status = lane.status }, result)
  self.lanes[name] = lane
  append(self, lane, record, result.id, now_ms, due_ms)
end

-- ---- what becomes of events ------------------------------------------------------------------------

local function take_back(event, now_ms)
  event.state, event.lost_answer, event.is_tried, event.claim = "waiting", true, true, nil
  set_due(event, min(event.from_ms, now_ms), max(event.to_ms, now_ms))
  set_due(event.lane, event.from_ms, event.to_ms)
end

-- Another begins to deliver: what is under way was somebody's who has died.
function Model:recover(now_ms)
  for _, event in pairs(self.events) do
    if event.state == "sending" then take_back(event, now_ms) end
  end
end

local function end_leases(self, now_ms)
  for _, event in pairs(self.events) do
    if event.state == "sending" and event.until_ms <= now_ms then
      take_back(event, now_ms)
    elseif event.state == "sending" then -- whose clock went back holds it no longer than any other
      event.until_ms = min(event.until_ms, now_ms + self.kind.lease_ms)
    end
  end
end

-- Whether it was its holder's to say.
local function record(self, outcome, now_ms)
  local event = self.events[outcome.event.id]
  if not event or event.claim ~= outcome.event then return false end
  event.claim, event.state = nil, outcome.state
  if outcome.is_free then event.attempts = event.attempts - 1 end
  event.lost_answer = event.lost_answer or outcome.lost_answer == true
  event.is_settling = event.is_settling or outcome.is_settling == true
  event.is_tried = event.is_tried or event.lost_answer or event.state == "waiting" and not outcome.is_free
  event.code, event.message, event.held_status = outcome.code, outcome.message, outcome.held_status
  if event.state == "waiting" then
    set_due(event, now_ms + min(outcome.delay_ms or 0, self.kind.delay_max_ms))
    set_due(event.lane, event.from_ms)
    return true
  end
  if event.state == "accepted" then event.ended_ms, event.lane.accepted = now_ms, event.number end
  advance(event.lane, now_ms)
  return true
end

local function ids_of(events)
  local ids = {}
  for i, event in ipairs(events) do ids[i] = event.id end
  table.sort(ids)
  return ids
end

local function check_outcomes(self, call, given)
  local lost, told = {}, {}
  for _, outcome in ipairs(call.outcomes) do
    local taken = outcome.event
    if not record(self, outcome, call.now_ms) and not taken.was_said then lost[#lost + 1] = taken end
  end
  for _, taken in ipairs(given) do
    if not taken.was_said then told[#told + 1] = taken end -- said again, it may count as lost or not
  end
  for _, outcome in ipairs(call.outcomes) do outcome.event.was_said = true end
  assert.same(ids_of(lost), ids_of(told))
end

-- ---- what goes next --------------------------------------------------------------------------------

local function is_unsent(event) return event.state == "waiting" and event.attempts == 0 and not event.lost_answer end

-- Whether the next one of its lane makes it needless.
local function is_needless(event)
  local found
  for _, other in ipairs(event.lane.events) do
    if found then
      return event.record.alike ~= nil and event.record.alike == other.record.alike and is_unsent(event)
        and is_unsent(other)
    end
    found = other == event
  end
  return false
end

-- The event of that id, which has to be one that may go.
local function head_shown(self, id, call)
  local event = assert(self.events[id], "an event that nobody put")
  assert.equal(head_of(event.lane), event, "an older one of the lane waits")
  assert.equal("waiting", event.state)
  local from_ms = due_of(self, event.lane, call.now_ms)
  assert.is_true(call.is_probe or from_ms <= call.now_ms, "it is not due yet")
  return event
end

local function check_superseded(self, given, call)
  table.sort(given, function(a, b) return tonumber(a.id) < tonumber(b.id) end)
  for _, shown in ipairs(given) do
    local event = head_shown(self, shown.id, call)
    assert.is_true(call.coalesce and is_needless(event), "it was not needless")
    event.state, event.ended_ms = "superseded", call.now_ms
  end
end

local function check_shown(event, given)
  local record_ = event.record
  assert.same({
    api = record_.api, merchant_biz_no = record_.merchant_biz_no, request_id = record_.request_id,
    status = record_.status, body = record_.body, attempts = event.attempts, put_ms = event.put_ms,
    lost_answer = event.lost_answer, is_settling = event.is_settling,
  }, {
    api = given.api, merchant_biz_no = given.merchant_biz_no, request_id = given.request_id,
    status = given.status, body = given.body, attempts = given.attempts, put_ms = given.put_ms,
    lost_answer = given.lost_answer, is_settling = given.is_settling,
  })
end

local function check_claimed(self, given, call)
  local event = head_shown(self, given.id, call)
  assert.is_false(call.coalesce and is_needless(event), "a later one makes it needless")
  event.state, event.attempts, event.claim = "sending", event.attempts + 1, given
  event.lane.claimed = max(event.lane.claimed, event.number)
  check_shown(event, given)
  if not self.kind.lease_ms then return assert.is_nil(given.held_ms) end
  assert.equal(self.kind.lease_ms, given.held_ms)
  event.until_ms = call.now_ms + self.kind.lease_ms
end

-- A lane that was passed over may not have been due before one that was served.
local function check_order(self, call, served)
  each_lane(self, function(lane)
    if not waiting_head(lane) then return end
    local _, to_ms = due_of(self, lane, call.now_ms)
    for _, other in ipairs(served) do
      local is_comparable = call.is_probe or self.kind.group_of(lane.biz_no) == self.kind.group_of(other.biz_no)
      assert.is_true(not is_comparable or other.from_ms <= to_ms, "one that was due before was passed over")
    end
  end)
end

local function check_claims(self, call, result)
  local served = {}
  for i, given in ipairs(result.events) do
    local lane = assert(self.events[given.id], "an event that nobody put").lane
    served[i] = { biz_no = lane.biz_no, from_ms = (due_of(self, lane, call.now_ms)) }
  end
  check_superseded(self, result.superseded, call)
  for _, given in ipairs(result.events) do check_claimed(self, given, call) end
  assert.is_true(#result.events <= call.limit, "more than were asked for")
  check_order(self, call, served)
  if #result.events == call.limit then return end
  each_lane(self, function(lane)
    local is_due = call.is_probe or lane.to_ms <= call.now_ms or is_far(self, lane.from_ms, call.now_ms)
    assert.is_false(is_due and waiting_head(lane) ~= nil, "one that was due was left")
  end)
end

-- After how long the next one is due: from when to when that may be, nil where none waits.
local function next_due(self, now_ms)
  local least_ms, most_ms
  each_lane(self, function(lane)
    if not waiting_head(lane) then return end
    local from_ms, to_ms = due_of(self, lane, now_ms)
    least_ms = min(least_ms or huge, max(0, from_ms - now_ms))
    most_ms = min(most_ms or huge, max(0, to_ms - now_ms))
  end)
  return least_ms, most_ms
end

-- A store may mend at any turn what a wrong clock has left.
local function mend_far(self, now_ms)
  each_lane(self, function(lane)
    local head = waiting_head(lane)
    if head and is_far(self, lane.to_ms, now_ms) then
      lane.from_ms, head.from_ms = min(lane.from_ms, now_ms), min(head.from_ms, now_ms)
    end
  end)
end

-- A turn. `call`: `outcomes`; `limit`, 0 where it may claim nothing; `is_probe`; `coalesce`; `now_ms`.
function Model:turn(call, result)
  check_outcomes(self, call, result.lost)
  if self.kind.lease_ms then end_leases(self, call.now_ms) end
  check_claims(self, call, result)
  mend_far(self, call.now_ms)
  assert.equal(self:counts().waiting, result.waiting)
  local least_ms, most_ms = next_due(self, call.now_ms)
  if not least_ms then return assert.is_nil(result.due_ms) end
  assert.is_true(result.due_ms >= least_ms and result.due_ms <= most_ms, ("due after %s ms, not %s to %s"):format(
    result.due_ms, least_ms, most_ms))
end

-- ---- what people ask and do ------------------------------------------------------------------------

local function parked(self, id)
  local event = self.events[id]
  return event and event.state == "parked" and event or nil
end

-- Whether a later one of its lane was accepted, is under way, or waits and may have arrived.
local function is_overtaken(event)
  if event.lane.accepted > event.number then return true end
  for _, other in ipairs(event.lane.events) do
    local is_ahead = other.state == "sending" or other.state == "waiting" and other.is_tried
    if other.number > event.number and is_ahead then return true end
  end
  return false
end

-- `retry` gave true, false, or "stale". Of a later one that was parked after an attempt, a store may hold that it may
-- have arrived.
function Model:retry(id, result, now_ms)
  local event = parked(self, id)
  if not event then return assert.is_false(result) end
  if result == "stale" then return assert.is_true(event.lane.claimed > event.number) end
  assert.is_true(result)
  assert.is_false(is_overtaken(event))
  event.state, event.lost_answer, event.is_settling, event.is_tried = "waiting", false, false, false
  set_due(event, now_ms)
  if head_of(event.lane) == event then set_due(event.lane, now_ms) end
end

function Model:drop(id, now_ms)
  local event = parked(self, id)
  if not event then return false end
  event.state, event.ended_ms = "dropped", now_ms
  return true
end

local function forget(self, event)
  local lane, kept = event.lane, {}
  self.events[event.id] = nil
  for _, other in ipairs(lane.events) do
    if other ~= event then kept[#kept + 1] = other end
  end
  lane.events = kept
  if event.record.key then lane.keys[event.record.key] = nil end
  if #kept == 0 then self.lanes[event.record.api .. "\0" .. event.record.merchant_biz_no] = nil end
end

-- How many are forgotten. `kept`: those that may be kept all the same, since the clock went back, as a set of ids.
function Model:purge(older_than_ms, now_ms, kept)
  local old = {}
  for id, event in pairs(self.events) do
    local is_old = event.ended_ms and event.ended_ms <= now_ms - older_than_ms
    if is_old and not (self.went_back and kept[id]) then old[#old + 1] = event end
  end
  for _, event in ipairs(old) do forget(self, event) end
  return #old
end

-- How many events there are in each state.
function Model:counts()
  local counts = { waiting = 0, sending = 0, parked = 0, accepted = 0, superseded = 0, dropped = 0 }
  for _, event in pairs(self.events) do counts[event.state] = counts[event.state] + 1 end
  return counts
end

-- For how long the oldest has waited; nil where none does.
local function oldest_ms(self, now_ms)
  local put_ms
  for _, event in pairs(self.events) do
    local is_open = event.state == "waiting" or event.state == "sending"
    if is_open then put_ms = min(put_ms or huge, event.put_ms) end
  end
  return put_ms and max(0, now_ms - put_ms)
end

function Model:check_stats(stats, now_ms)
  local oldest = oldest_ms(self, now_ms)
  if oldest and self.went_back then
    assert.is_true(stats.oldest_ms >= 0 and stats.oldest_ms <= oldest)
  else
    assert.equal(oldest, stats.oldest_ms)
  end
  local counts = self:counts()
  counts.oldest_ms = stats.oldest_ms
  assert.same(counts, stats)
end

local function is_listed(event, opts)
  return (not opts.state or event.state == opts.state)
    and (not opts.merchant_biz_no or event.record.merchant_biz_no == opts.merchant_biz_no)
    and (not opts.after or event.number > tonumber(opts.after))
end

-- `due_ms` of a list: that of the event, or of the lane whose head it is. Of what is due it is some time in the past.
local function due_shown(self, event, shown, now_ms)
  if event.state ~= "waiting" then return nil end
  assert.is_number(shown)
  local lane_ms = head_of(event.lane) == event and event.lane.to_ms or 0
  if is_far(self, max(event.to_ms, lane_ms), now_ms) then return shown end
  assert.is_true(shown <= max(now_ms, event.to_ms, lane_ms), "it is due before that")
  assert.is_true(event.from_ms <= now_ms or shown >= event.from_ms, "it is not due by then")
  return shown
end

-- What `list` gave for those options.
function Model:check_list(opts, listed, now_ms)
  local events, expected = {}, {}
  for _, event in pairs(self.events) do
    if is_listed(event, opts) then events[#events + 1] = event end
  end
  table.sort(events, function(a, b) return a.number < b.number end)
  for i = 1, min(#events, opts.limit or 100) do
    local event = events[i]
    expected[i] = {
      id = event.id, api = event.record.api, merchant_biz_no = event.record.merchant_biz_no, state = event.state,
      attempts = event.attempts, put_ms = event.put_ms, code = event.code, message = event.message,
      held_status = event.held_status, due_ms = listed[i] and due_shown(self, event, listed[i].due_ms, now_ms),
    }
  end
  assert.same(expected, listed)
end

return { new = new }
