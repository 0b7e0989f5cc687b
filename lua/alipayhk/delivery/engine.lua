-- Sends what a queue gives, many at once: starts what may go, waits, and gives back what has ended. A task of the crew
-- is one attempt at an item. The queue knows what is to be sent, and what becomes of an item after its attempt:
--
--   queue:turn()             called in every turn: after how many milliseconds at most it wants another one
--   queue:take(mode)         an item that may go now; nil for none. `mode`: "probe", to find out whether AlipayHK can
--                            be reached; "doubt", when the last request failed, and others may tell whose trouble it is
--   queue:due_ms()           after how many milliseconds there may be one to take
--   queue:waiting()          how many items wait
--   queue:ended(item)        its attempt is over; `item.err`: it could not be made
--   queue:broken(item, value)   its attempt threw this
--   queue:was_beside(item)   what was done by `engine:beside` is done
--   queue:is_done()          nothing waits, and nothing more will come
--   queue:give_up(reason)    nothing more begins
--
-- It tells of its items by `engine:report`, and may ask for the end by `engine:stop`.

local arguments = require "alipayhk.base.arguments"
local core = require "alipayhk.core"
local new_crew = require("alipayhk.delivery.crew").new
local new_pace = require("alipayhk.delivery.pace").new
local retry = require "alipayhk.exchange.retry"
local runtime = require "alipayhk.base.runtime"

local CONCURRENCY = 32
local PROGRESS_MS = 200
-- Without anything to do for so long nothing is late.
local IDLE_MS = 1000
-- After so long of starting requests, where the queue takes its time, those that have begun get their turn.
local TURN_MS = 5

local threads_fault = arguments.whole("threads", 0, 64)

-- The options of whoever sends many.
local CHECKS = {
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

local Engine = {}
Engine.__index = Engine

-- ---- stopping --------------------------------------------------------------------------------------

-- Nothing more begins; what is under way ends. `reason`: for the errors of what has not begun.
function Engine:stop(reason)
  self.reason = self.reason or reason or "the batch was stopped"
end

-- The same, and `run` throws.
function Engine:stop_for(thrown)
  self:stop()
  self.thrown = self.thrown or { value = thrown }
end

-- Calls a function of the user's options. What it throws stops the engine, and it is not called again; so does `false`.
local function call_user(self, name, value)
  local ran, answer = pcall(self[name], value)
  if not ran then
    self[name] = nil
    self:stop_for(answer)
  elseif answer == false then
    self:stop()
  end
end

-- Whether nothing more begins. The client may be closed at any time, by the user's functions as well.
function Engine:is_stopped()
  if self.crew.client.closed then self:stop("the client was closed") end
  if self.crew.is_inherited then self:stop("the process was forked: the batch is its parent's") end
  return self.reason ~= nil
end

-- ---- telling ---------------------------------------------------------------------------------------

local function progress(self)
  local seconds = core.monotonic() - self.started
  local totals = self.totals
  local unreachable_ms = self.pace:unreachable_ms(now_ms())
  return {
    taken = totals.taken, accepted = totals.accepted, refused = totals.refused, failed = totals.failed,
    in_flight = self.in_flight, waiting = self.queue:waiting(),
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

-- Tells of an item that has its outcome, `result.response` or `result.err`.
function Engine:report(result)
  local outcome = result.response and "accepted" or retry.is_refusal(result.err) and "refused" or "failed"
  self.totals[outcome] = self.totals[outcome] + 1
  if self.on_result then call_user(self, "on_result", result) end
end

-- ---- running ---------------------------------------------------------------------------------------

-- Has the crew do something beside the attempts: `task(item)`, one at a time.
function Engine:beside(task, item)
  item.is_beside = true
  self.crew:start(task, item)
end

local function mode_of(pace)
  return pace:is_probing() and "probe" or pace:is_in_doubt() and "doubt" or nil
end

-- Starts what may go; gives the milliseconds after which there may be more, unless something ends before.
local function start_some(self)
  self.turn_ends_ms = now_ms() + TURN_MS
  while self.in_flight < self.concurrency and not self:is_stopped() do
    local delay_ms = self.pace:delay_ms(self.in_flight, now_ms())
    if delay_ms > 0 then return delay_ms end
    local item = self.queue:take(mode_of(self.pace))
    if item then
      self.in_flight = self.in_flight + 1
      self.crew:start(self.task, item)
    end
    if self:is_turn_over() then return 0 end
    if not item then return self.queue:due_ms() end
  end
  return math.huge
end

-- Whether what has begun is to get its turn.
function Engine:is_turn_over()
  return now_ms() >= self.turn_ends_ms
end

local function end_attempt(self, item, has_thrown, value)
  self.in_flight = self.in_flight - 1
  if has_thrown then
    self.queue:broken(item, value)
  else
    self.queue:ended(item)
  end
end

local function end_beside(self, item, has_thrown, value)
  if has_thrown then error(value, 0) end
  self.queue:was_beside(item)
end

local function end_some(self)
  local item, has_thrown, value = self.crew:next_ended()
  while item do
    local finish = item.is_beside and end_beside or end_attempt
    finish(self, item, has_thrown, value)
    item, has_thrown, value = self.crew:next_ended()
  end
end

-- Until something has ended, another request may leave, or progress is to be told.
local function wait(self, delay_ms)
  self.crew:wait(math.min(delay_ms, self.on_progress and PROGRESS_MS or IDLE_MS))
end

local function is_done(self)
  return self.in_flight == 0 and self.queue:is_done()
end

local function loop(self)
  local is_over
  repeat
    local turn_ms = self.queue:turn()
    local delay_ms = start_some(self)
    local hopeless = self.pace:hopeless(now_ms())
    if hopeless and not self.is_patient then self:stop(hopeless) end
    if self:is_stopped() then self.queue:give_up(self.reason) end
    tell_progress(self)
    is_over = is_done(self)
    if not is_over then wait(self, math.min(delay_ms, turn_ms)) end
    end_some(self)
  until is_over
end

-- Runs until the queue is done: its totals. Throws what the user's functions threw.
function Engine:run(queue)
  self.queue = queue
  local ran, thrown = pcall(loop, self)
  self.crew:close()
  if not ran then error(thrown, 0) end
  tell_progress(self, true)
  if self.thrown then error(self.thrown.value, 0) end
  self.totals.seconds = core.monotonic() - self.started
  return self.totals
end

-- An engine over a client. `opts`: `concurrency`, `rate`, `signers`, `on_result`, `on_progress`. Where AlipayHK cannot
-- be reached, or refuses traffic, for longer than the `budget_ms` of `policy`, see `alipayhk.exchange.retry`, it stops,
-- unless it is told to be patient. Its `task` is to be set: what the crew does with an item.
local function new(client, opts, policy)
  local concurrency = opts.concurrency or CONCURRENCY
  local patience_ms = policy.budget_ms < math.huge and policy.budget_ms or retry.DEFAULTS.budget_ms
  return setmetatable({
    crew = new_crew(client, concurrency, opts.signers),
    pace = new_pace(concurrency, opts.rate, patience_ms),
    concurrency = concurrency,
    on_result = opts.on_result,
    on_progress = opts.on_progress,
    progress_due_ms = 0,
    in_flight = 0,
    started = core.monotonic(),
    totals = { taken = 0, accepted = 0, refused = 0, failed = 0 },
  }, Engine)
end

return { new = new, CHECKS = CHECKS }
