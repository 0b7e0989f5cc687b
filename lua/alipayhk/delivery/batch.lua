-- Many payloads from a source, several under way at once: `client:sync_many`. A task of the crew is one attempt at an
-- item; an item that is to be sent again waits in `retries`, and its lane with it.

local Error = require "alipayhk.base.error"
local arguments = require "alipayhk.base.arguments"
local call = require "alipayhk.exchange.call"
local core = require "alipayhk.core"
local new_crew = require("alipayhk.delivery.crew").new
local new_lanes = require("alipayhk.delivery.lanes").new
local new_pace = require("alipayhk.delivery.pace").new
local new_retries = require("alipayhk.delivery.retries").new
local retry = require "alipayhk.exchange.retry"
local runtime = require "alipayhk.base.runtime"
local send = require "alipayhk.exchange.send"
local source = require "alipayhk.delivery.source"

local batch = { source_fault = source.fault }

local CONCURRENCY = 32
-- Payloads that are taken before their turn, for each request that may be under way: enough to find orders of which
-- nothing is under way yet, and no more than that, whatever the length of the source.
local AHEAD = 4
local PROGRESS_MS = 200
-- Without anything to do for so long nothing is late.
local IDLE_MS = 1000
-- After so long of starting requests, with a source that takes its time, those that have begun get their turn.
local TURN_MS = 5

local threads_fault = arguments.whole("threads", 0, 64)

batch.CHECKS = {
  concurrency = arguments.whole("requests", 1, 1024),
  rate = function(value)
    if type(value) ~= "number" or not (value > 0 and value < math.huge) then
      return "expected a number of requests a second above 0, " .. arguments.found(value)
    end
  end,
  signers = function(value)
    if runtime.in_nginx() then return "plain Lua only: inside nginx light threads do the work" end
    return threads_fault(value)
  end,
  on_result = arguments.of_type("function"),
  on_progress = arguments.of_type("function"),
}

local now_ms = runtime.monotonic_ms

-- ---- stopping --------------------------------------------------------------------------------------

-- Nothing more begins; what is under way ends. `reason`: for the errors of what has not begun.
local function stop(self, reason)
  self.reason = self.reason or reason or "the batch was stopped"
end

local function stop_for(self, thrown)
  stop(self)
  self.thrown = self.thrown or { value = thrown }
end

-- Calls `on_result` or `on_progress`. What it throws stops the batch, and it is not called again; so does `false`.
local function call_user(self, name, value)
  local ran, answer = pcall(self[name], value)
  if not ran then
    self[name] = nil
    stop_for(self, answer)
  elseif answer == false then
    stop(self)
  end
end

-- Whether nothing more begins. The client may be closed at any time, by the user's functions as well.
local function is_stopped(self)
  if self.crew.client.closed then stop(self, "the client was closed") end
  if self.crew.is_inherited then stop(self, "the process was forked: the batch is its parent's") end
  return self.reason ~= nil
end

-- ---- telling ---------------------------------------------------------------------------------------

local function waiting(self)
  return self.lanes.waiting + self.retries.count
end

local function progress(self)
  local seconds = core.monotonic() - self.started
  local totals = self.totals
  local unreachable_ms = self.pace:unreachable_ms(now_ms())
  return {
    taken = totals.taken, accepted = totals.accepted, refused = totals.refused, failed = totals.failed,
    in_flight = self.in_flight, waiting = waiting(self),
    seconds = seconds,
    per_second = seconds > 0 and (totals.accepted + totals.refused + totals.failed) / seconds or 0,
    window = self.pace.window.limit,
    unreachable_seconds = unreachable_ms and unreachable_ms / 1000,
  }
end

local function tell_progress(self, is_last)
  if not self.on_progress or not is_last and now_ms() < self.progress_due_ms then return end
  self.progress_due_ms = now_ms() + PROGRESS_MS
  call_user(self, "on_progress", progress(self))
end

-- By AlipayHK's authenticated and final no, or by our own check.
local function is_refusal(err)
  local response = err.response
  return err.kind == "invalid"
    or err.kind == "result" and response.authenticated and response.result.resultStatus == "F" and not err.retryable
end

local function report(self, item, response, err)
  local outcome = response and "accepted" or is_refusal(err) and "refused" or "failed"
  self.totals[outcome] = self.totals[outcome] + 1
  if not self.on_result then return end
  call_user(self, "on_result", { index = item.index, payload = item.payload, response = response, err = err })
end

-- What has not begun when the batch is stopped, and what was to be sent again.
local function report_waiting(self)
  local message = ("it was not sent: %s; send it again"):format(self.reason)
  self.has_dropped = self.has_dropped or waiting(self) > 0
  for _, item in ipairs(self.lanes:drain()) do
    report(self, item, nil, Error.new("transport", message, { code = "connect", attempts = 0, retryable = true }))
  end
  local item = self.retries:take_oldest()
  while item do
    send.stop(self.crew.client.config, item.request, item.machine)
    self.lanes:done(item.lane)
    report(self, item, item.machine.response, item.machine.err)
    item = self.retries:take_oldest()
  end
end

-- ---- what goes next --------------------------------------------------------------------------------

-- Whether the source is not asked any more.
local function is_over(self)
  return self.is_read or self.reason ~= nil
end

-- Takes one item from the source; false where there is none to take now.
local function take(self)
  if is_over(self) or waiting(self) >= self.ahead then return false end
  local ran, item, err = pcall(self.source)
  if not ran then stop_for(self, item) end
  self.is_read = ran and item == nil
  if not ran or item == nil then return false end
  self.totals.taken = item.index
  if err then
    report(self, item, nil, err)
  else
    self.lanes:put(item.lane, item)
  end
  return true
end

-- The next of the lanes' items; the source is asked until there is one, enough wait, or this turn is over.
local function next_of_lanes(self)
  local item = self.lanes:take()
  while not item and take(self) do
    item = self.lanes:take()
    if now_ms() >= self.turn_ends_ms then break end
  end
  return item
end

-- What waited past its time was held back by the pace.
local function end_waiting(item)
  local at_ms = now_ms()
  if item then item.machine:waited(at_ms, math.max(0, at_ms - item.due_ms)) end
  return item
end

-- The next one to find out whether AlipayHK can be reached: another each time, since a few may fail for reasons of
-- their own.
local function next_probe(self)
  return next_of_lanes(self) or end_waiting(self.retries:take_probe())
end

-- An item is sent again before others begin; unless the last request failed, and others may tell whose trouble it is.
local function next_item(self)
  if self.pace:is_probing() then return next_probe(self) end
  local fresh = self.pace:is_in_doubt() and next_of_lanes(self)
  return fresh or end_waiting(self.retries:take(now_ms())) or next_of_lanes(self)
end

local function settle(self, item)
  self.lanes:done(item.lane)
  report(self, item, item.machine and item.machine.response, item.err or item.machine.err)
end

local function start(self, item)
  if item.machine and item.machine.action == "done" then return settle(self, item) end -- its time is up
  self.in_flight = self.in_flight + 1
  self.crew:start(self.task, item)
end

-- Milliseconds until a retry is due.
local function until_due_ms(self)
  local due_ms = self.retries:due_ms()
  return due_ms and math.max(0, due_ms - now_ms()) or math.huge
end

-- Starts what may go; gives the milliseconds after which there may be more, unless something ends before.
local function start_some(self)
  self.turn_ends_ms = now_ms() + TURN_MS
  while self.in_flight < self.concurrency and not is_stopped(self) do
    local delay_ms = self.pace:delay_ms(self.in_flight, now_ms())
    if delay_ms > 0 then return delay_ms end
    local item = next_item(self)
    if item then start(self, item) end
    if now_ms() >= self.turn_ends_ms then return 0 end
    if not item then return until_due_ms(self) end
  end
  return math.huge
end

-- ---- running ---------------------------------------------------------------------------------------

-- What became of a task: its item has an outcome, or is to be sent again.
local function conclude(self, item)
  local machine = item.machine
  if not machine or machine.action == "done" then return settle(self, item) end
  send.announce_retry(self.crew.client.config, item.request, machine)
  item.due_ms = now_ms() + machine.delay_ms
  self.retries:put(item)
end

local function end_some(self)
  local item, has_thrown, value = self.crew:next_ended()
  while item do
    self.in_flight = self.in_flight - 1
    if has_thrown then
      stop_for(self, value)
      item.err = Error.new("crypto", "the batch was stopped by what was thrown: " .. tostring(value))
      settle(self, item)
    else
      conclude(self, item)
    end
    item, has_thrown, value = self.crew:next_ended()
  end
end

-- Until something has ended, another request may leave, or progress is to be told.
local function wait(self, delay_ms)
  self.crew:wait(math.min(delay_ms, self.on_progress and PROGRESS_MS or IDLE_MS))
end

local function is_done(self)
  return is_over(self) and self.in_flight == 0 and waiting(self) == 0
end

local function run(self)
  repeat
    local delay_ms = start_some(self)
    local hopeless = self.pace:hopeless(now_ms())
    if hopeless then stop(self, hopeless) end
    if is_stopped(self) then report_waiting(self) end
    tell_progress(self)
    if not is_done(self) then wait(self, delay_ms) end
    end_some(self)
  until is_done(self)
end

-- What the crew does with an item: makes its next attempt. Before the first it builds its request.
local function new_task(client, opts, policy, pace)
  local timeout_ms = opts.timeout_ms or client.config.timeout_ms
  return function(item)
    if not item.machine then
      local request, err = call.build(client.config, item.description, item.description.path, item.payload, opts)
      item.request, item.err = request, err
      if not request then return end
      item.machine = send.begin(request, policy, timeout_ms, pace)
      item.machine.lane = item.lane
    end
    pace:go(now_ms())
    send.attempt(client, item.request, item.machine)
  end
end

-- Sends what a source gives: totals. `opts`: concurrency, rate, on_result, on_progress, and those of a call; `policy`:
-- see `alipayhk.exchange.retry`. Where AlipayHK cannot be reached, or refuses traffic, for longer than the policy's
-- `budget_ms`, the batch stops.
function batch.run(client, given, opts, policy)
  local concurrency = opts.concurrency or CONCURRENCY
  local crew = new_crew(client, concurrency, opts.signers)
  local patience_ms = policy.budget_ms < math.huge and policy.budget_ms or retry.DEFAULTS.budget_ms
  local pace = new_pace(concurrency, opts.rate, patience_ms)
  local self = {
    crew = crew,
    lanes = new_lanes(),
    retries = new_retries(),
    pace = pace,
    source = source.items(given),
    concurrency = concurrency,
    ahead = concurrency * AHEAD,
    on_result = opts.on_result,
    on_progress = opts.on_progress,
    progress_due_ms = 0,
    in_flight = 0,
    started = core.monotonic(),
    totals = { taken = 0, accepted = 0, refused = 0, failed = 0 },
    task = new_task(crew.client, opts, policy, pace),
  }
  local ran, thrown = pcall(run, self)
  crew:close()
  if not ran then error(thrown, 0) end
  tell_progress(self, true)
  if self.thrown then error(self.thrown.value, 0) end
  self.totals.seconds = core.monotonic() - self.started
  if self.has_dropped or not self.is_read then self.totals.stopped = self.reason end
  return self.totals
end

return batch
