-- Delivers the events of a store: `outbox:deliver`. Each claim is one attempt: the store schedules the next one, so
-- that nothing is forgotten when this process dies. What became of events is recorded, and others are claimed, in one
-- commit, and told when that has been done. Requests go on meanwhile, where the store waits for a socket.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local engine = require "alipayhk.delivery.engine"
local event = require "alipayhk.delivery.event"
local events = require "alipayhk.exchange.events"
local new_fifo = require("alipayhk.base.fifo").new
local request_builder = require "alipayhk.exchange.request"
local retry = require "alipayhk.exchange.retry"
local runtime = require "alipayhk.base.runtime"
local send = require "alipayhk.exchange.send"
local text = require "alipayhk.base.text"

local drain = { CHECKS = {
  until_empty = arguments.of_type("boolean"),
  stop = arguments.of_type("function"),
} }
for name, check in pairs(engine.CHECKS) do drain.CHECKS[name] = check end

-- How often a store is asked that had nothing to send; and whether this process is still the one that delivers.
local POLL_MS, DELIVERY_MS = 100, 5000
-- Outcomes wait so long for others, to be recorded with them.
local GATHER_MS, GATHER_COUNT = 2, 8
-- A store that fails is asked again after so long, and twice that each time.
local STORE_FIRST_MS, STORE_MAX_MS = 100, 5000
-- Where nothing is claimed meanwhile, they wait no longer than this; at the end, for a store that fails, so long.
local RECORD_MS, LAST_MS = 20, 5000
-- Of a lease so much has to be left for an attempt, beside the attempt's own time.
local LEASE_MARGIN_MS = 1000

local NOTHING = {}
local PROBE = { is_probe = true }

local huge, max, min = math.huge, math.max, math.min
local now_ms = runtime.monotonic_ms

local Queue = {}
Queue.__index = Queue

-- ---- telling ---------------------------------------------------------------------------------------

local function tell(self, name, taken, about)
  events.emit(self.outbox.told, taken, events.of_outbox, name, taken, about)
end

-- Notes since when nothing comes of what AlipayHK does answer. That it cannot be reached, or refuses traffic, the pace
-- notes.
local function note_fruit(self, ended)
  local is_traffic = ended.err and retry.refuses_traffic(api.by_name[ended.event.api], ended.err)
  if ended.state ~= "waiting" or is_traffic then
    self.fruitless_since_ms = nil
  elseif not retry.is_outage(ended.err) then
    self.fruitless_since_ms, self.fruitless_code = self.fruitless_since_ms or now_ms(), ended.code
  end
end

local function report(self, ended)
  local taken, totals = ended.event, self.engine.totals
  note_fruit(self, ended)
  tell(self, ended.state == "waiting" and "later" or ended.state, taken, ended)
  if ended.state == "waiting" then return end
  if ended.state == "parked" then totals.parked = totals.parked + 1 end
  self.engine:report {
    id = taken.id, api = taken.api, merchant_biz_no = taken.merchant_biz_no, attempts = taken.attempts,
    response = ended.response, err = ended.err,
  }
end

-- ---- the store -------------------------------------------------------------------------------------

-- Nothing was recorded, and nothing claimed, as far as is known.
local function store_failed(self, fault)
  local at_ms = now_ms()
  self.fault, self.failing_since_ms = fault, self.failing_since_ms or at_ms
  self.store_delay_ms = min(self.store_delay_ms * 2, STORE_MAX_MS)
  self.store_at_ms = at_ms + self.store_delay_ms
  tell(self, "store", NOTHING, fault)
  if not fault.is_retryable or self.until_empty and at_ms - self.failing_since_ms >= self.patience_ms then
    self.engine:stop(fault.message)
  end
end

local function store_worked(self)
  self.fault, self.failing_since_ms, self.store_delay_ms = nil, nil, STORE_FIRST_MS / 2
end

-- Another process delivers: how much is left for it to do.
local function stand_by(self)
  local stats, fault = self.store:stats()
  if not stats then return store_failed(self, fault) end
  store_worked(self)
  local left, at_ms = stats.waiting + stats.sending, now_ms()
  if left ~= self.stored_waiting then self.moved_ms = at_ms end
  self.ready, self.stored_waiting, self.has_asked = new_fifo(), left, true
  if self.until_empty and left > 0 and at_ms - self.moved_ms >= self.patience_ms then
    self.engine:stop(("another process delivers, and nothing has moved for %.0f s"):format(
      (at_ms - self.moved_ms) / 1000))
  end
end

-- Becomes the one that delivers, or finds out that it still is. What another one took over is not ours any more.
local function is_delivering(self)
  if now_ms() < max(self.delivery_at_ms, self.store_at_ms) then return self.delivers end
  local delivers, fault = self.store:begin_delivery()
  if fault then
    store_failed(self, fault)
    return self.delivers
  end
  if self.delivers ~= false and not delivers then tell(self, "standing_by", NOTHING) end
  self.delivers = delivers
  self.delivery_at_ms = now_ms() + (delivers and DELIVERY_MS or POLL_MS)
  if not delivers then stand_by(self) end
  return delivers
end

local function tell_recorded(self, outcomes, lost)
  local is_lost = {}
  for _, taken in ipairs(lost) do is_lost[taken] = true end
  for _, ended in ipairs(outcomes) do
    if is_lost[ended.event] then
      tell(self, "lease_lost", ended.event)
    elseif not ended.is_returned then
      report(self, ended)
    end
  end
end

local function put_ready(self, taken, asked_ms)
  taken.until_ms, taken.claimed_ms = asked_ms + (taken.held_ms or huge), asked_ms
  self.ready:put(taken)
end

local function put_outcome(self, taken, ended)
  ended.event = taken
  self.outcomes[#self.outcomes + 1] = ended
  if #self.outcomes == 1 then self.gathering_since_ms = now_ms() end
end

local function give_back(self, taken)
  local ended = event.returned(taken)
  ended.is_returned = true
  put_outcome(self, taken, ended)
end

-- What was claimed and is not to be sent now goes back, but for the first `count`.
local function give_back_ready(self, count)
  while self.ready:count() > count do give_back(self, self.ready:take_last()) end
end

-- What the crew does beside the attempts.
local function do_turn(asked)
  runtime.set_wait(asked.wait)
  asked.turn, asked.fault = asked.store:turn(asked.outcomes, asked.limit, asked.opts)
  runtime.set_wait(nil)
end

-- What a turn was to record is to be recorded still.
local function take_back(self, asked)
  local later = self.outcomes
  self.outcomes = asked.outcomes
  for _, ended in ipairs(later) do self.outcomes[#self.outcomes + 1] = ended end
end

local function hear(self, turn, asked)
  store_worked(self)
  self.stored_waiting, self.has_asked = turn.waiting, true
  self.idle_until_ms = now_ms() + min(turn.due_ms or huge, POLL_MS)
  for _, taken in ipairs(turn.events) do put_ready(self, taken, asked.at_ms) end
  for _, taken in ipairs(turn.superseded) do tell(self, "superseded", taken) end
  if #turn.lost > 0 then
    self.delivery_at_ms = 0 -- another may deliver now, and has what we had claimed, too
    give_back_ready(self, 0)
  end
  tell_recorded(self, asked.outcomes, turn.lost)
end

-- The store has answered, unless that was heard before.
function Queue:was_beside(asked)
  if self.asked ~= asked then return end
  self.asked = nil
  if asked.turn then return hear(self, asked.turn, asked) end
  take_back(self, asked)
  store_failed(self, asked.fault)
end

-- Records what has ended, and claims up to `limit` others; one turn at a time.
local function ask(self, limit, opts)
  if self.asked then return end
  local asked = {
    store = self.store, outcomes = self.outcomes, limit = limit, opts = opts,
    at_ms = now_ms(), wait = self.engine.crew.wait_for_socket,
  }
  self.asked, self.outcomes = asked, {}
  self.engine:beside(do_turn, asked)
  self.is_slow = not (asked.turn or asked.fault)
  if not self.is_slow then self:was_beside(asked) end
end

-- ---- what goes next --------------------------------------------------------------------------------

-- How many to claim: what may soon be under way, and no more, since others may want the rest.
local function wanted(self)
  return max(1, min(self.engine.concurrency, math.ceil(self.engine.pace.window.limit * 2)))
end

-- Whether too few are left: none, or, where requests would have to wait for the store, less than half.
local function is_short(self, mode)
  local count = self.ready:count()
  return count == 0 or self.is_slow and mode ~= "probe" and count < wanted(self) / 2
end

-- When the store may be asked for more. What has ended may have freed lanes, but others may end soon, and go into the
-- same commit.
local function next_ask_ms(self)
  if self.asked then return huge end
  local count = #self.outcomes
  if count == 0 then return max(self.store_at_ms, self.idle_until_ms) end
  if count >= GATHER_COUNT or self.engine.in_flight == 0 then return self.store_at_ms end
  return max(self.store_at_ms, self.gathering_since_ms + GATHER_MS)
end

local function ask_for_more(self, mode)
  if now_ms() < next_ask_ms(self) then return end
  if mode == "probe" then return ask(self, 1, PROBE) end
  ask(self, wanted(self))
end

-- The next of those that were claimed. One whose lease may pass during the attempt is given back; so are all but one
-- where AlipayHK cannot be reached, for that may take longer than a lease.
function Queue:take(mode)
  if not is_delivering(self) then return nil end
  if mode == "probe" then give_back_ready(self, 1) end
  if is_short(self, mode) then ask_for_more(self, mode) end
  local taken = self.ready:take()
  while taken and taken.until_ms - now_ms() < self.attempt_ms + LEASE_MARGIN_MS do
    give_back(self, taken)
    taken = self.ready:take()
  end
  if taken then self.engine.totals.taken = self.engine.totals.taken + 1 end
  return taken
end

function Queue:due_ms()
  local at_ms = self.delivers and next_ask_ms(self) or max(self.store_at_ms, self.delivery_at_ms)
  return max(0, at_ms - now_ms())
end

function Queue:waiting()
  return self.stored_waiting + self.ready:count()
end

-- ---- what has ended --------------------------------------------------------------------------------

function Queue:ended(taken)
  local machine = taken.machine
  taken.age_ms = taken.age_ms + now_ms() - taken.claimed_ms
  local ended = event.after(taken, machine, taken.err)
  ended.response, ended.err = machine and machine.response, taken.err or machine and (machine.err or machine.last_err)
  put_outcome(self, taken, ended)
end

-- What one event throws holds up no other.
function Queue:broken(taken, value)
  taken.is_broken = true
  taken.err = Error.new("crypto", "the attempt threw: " .. tostring(value))
  self:ended(taken)
end

-- ---- turns and the end -----------------------------------------------------------------------------

local function is_told_to_stop(self)
  if not self.stop then return false end
  local ran, answer = pcall(self.stop)
  if ran then return answer end
  self.stop = nil
  self.engine:stop_for(answer)
end

local function look_whether_to_stop(self)
  if self.outbox.closed then self.engine:stop("the outbox was closed") end
  if is_told_to_stop(self) then self.engine:stop("it was told to stop") end
  local fruitless_ms = self.until_empty and self.fruitless_since_ms and now_ms() - self.fruitless_since_ms or 0
  if fruitless_ms >= self.patience_ms then
    self.engine:stop(("nothing was accepted or parked for %.0f s, though AlipayHK answers: %s"):format(
      fruitless_ms / 1000, self.fruitless_code))
  end
end

-- Records what would have to wait for the next claim, where requests are slow or have to pause.
function Queue:turn()
  look_whether_to_stop(self)
  if self.asked or #self.outcomes == 0 then return POLL_MS end
  local at_ms = max(self.store_at_ms, self.gathering_since_ms + RECORD_MS)
  if now_ms() >= at_ms then ask(self, 0) end
  return (self.asked or #self.outcomes == 0) and POLL_MS or max(0, at_ms - now_ms())
end

-- What was claimed and not sent is for others, or for later. In a child of a fork it is the parent's.
function Queue:give_up()
  if self.engine.crew.is_inherited then
    self.ready, self.outcomes, self.asked = new_fifo(), {}, nil
  else
    give_back_ready(self, 0)
  end
  if self.engine.in_flight > 0 then return end
  self.gave_up_ms = self.gave_up_ms or now_ms()
  if #self.outcomes > 0 and now_ms() >= self.store_at_ms then ask(self, 0) end
end

local function has_recorded(self)
  if not self.gave_up_ms or self.asked then return false end
  return #self.outcomes == 0 or self.fault and (not self.fault.is_retryable or now_ms() - self.gave_up_ms >= LAST_MS)
end

-- Other workers may still have some under way, which wait again when these die.
local function is_empty_everywhere(self)
  if now_ms() < max(self.look_at_ms, self.store_at_ms) then return false end
  self.look_at_ms = now_ms() + POLL_MS
  local stats, fault = self.store:stats()
  if not stats then
    store_failed(self, fault)
    return false
  end
  return stats.waiting + stats.sending == 0
end

function Queue:is_done()
  if self.engine.reason then return has_recorded(self) end
  if not self.until_empty or self.asked or not self.has_asked then return false end
  return #self.outcomes == 0 and self:waiting() == 0 and is_empty_everywhere(self)
end

-- The request of an event; or nil and an error. A later version may have put one of an API that this one does not know.
local function thaw(config, taken)
  local description = api.by_name[taken.api]
  if not description then
    return nil, Error.new("invalid", ("no API %s is known to this version of alipayhk, which has to be a later one")
      :format(text.quoted(taken.api)))
  end
  local changes = taken.is_settling and request_builder.settling_changes(description, taken.request_id) or nil
  return request_builder.thaw(config, description, taken.body, taken.put_ms, changes)
end

-- What the crew does with an event: makes one attempt.
local function new_task(self, client, policy)
  local config = client.config
  return function(taken)
    taken.policy, taken.max_age_ms = policy, self.outbox.max_age_ms
    local request, err = thaw(config, taken)
    if not request then
      taken.err = err
      return
    end
    taken.command, taken.personal = request.command, request.personal
    taken.machine = send.begin(request, policy, self.attempt_ms, self.engine.pace, taken)
    taken.machine.lane = taken.lane
    self.engine.pace:go(now_ms())
    tell(self, "sending", taken)
    send.attempt(client, request, taken.machine)
  end
end

-- Delivers until it is told to stop, or with `until_empty` until nothing waits: totals; or nil and the store's fault.
-- `outbox`: its `client`, its `store`, its `max_age_ms`, whom its events are `told`, whether it is `closed`; `opts`:
-- those of the engine, `until_empty` and `stop`.
function drain.run(outbox, opts)
  local client, store = outbox.client, outbox.store
  local policy = client.config.retry
  local driver = engine.new(client, opts, policy)
  driver.is_patient = not opts.until_empty
  driver.totals.parked = 0
  local queue = setmetatable({
    engine = driver,
    store = store,
    outbox = outbox,
    attempt_ms = client.config.timeout_ms,
    patience_ms = driver.pace.patience_ms,
    until_empty = opts.until_empty,
    stop = opts.stop,
    outcomes = {}, -- to be recorded
    asked = nil, -- the turn of the store that is under way, with those that it records
    is_slow = false, -- whether the last turn was not answered at once
    ready = new_fifo(), -- claimed, to be sent
    stored_waiting = 0,
    store_at_ms = 0, store_delay_ms = STORE_FIRST_MS / 2, -- when a store that failed is asked again
    idle_until_ms = 0, -- until then there is nothing to claim
    delivers = nil, delivery_at_ms = 0, -- whether it is the one; nil before it has asked
    moved_ms = now_ms(), -- when the number of events of another one that delivers has changed
    fruitless_since_ms = nil, fruitless_code = nil, -- since when AlipayHK answers and takes nothing, and how
    look_at_ms = 0, -- when to look again whether nothing is under way anywhere
  }, Queue)
  driver.task = new_task(queue, driver.crew.client, event.policy(policy))
  local ran, totals = pcall(driver.run, driver, queue)
  -- Where the engine itself broke, what is known is recorded all the same.
  if not ran and queue.asked then take_back(queue, queue.asked) end
  if not ran and #queue.outcomes > 0 then pcall(store.turn, store, queue.outcomes, 0) end
  store:end_delivery()
  if not ran then error(totals, 0) end
  if queue.fault then return nil, queue.fault end
  if queue:waiting() > 0 or not queue.has_asked then totals.stopped = driver.reason end
  return totals
end

return drain
