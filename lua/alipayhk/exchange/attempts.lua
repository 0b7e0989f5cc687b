-- A request's attempts as a state machine without I/O: it never sends, sleeps or reads a clock. `action` says what to
-- do next. Its driver does that, and reports the outcome and the time, in milliseconds of any monotonic clock.
--
--   "send"   send attempt number `attempt`, for at most `timeout_ms`; then call `succeeded` or `failed`
--   "wait"   wait `delay_ms`; then call `waited`
--   "done"   the outcome is `response`, or `err`
--
-- `may_have_arrived`: whether an attempt may have reached AlipayHK without our learning its outcome. Its driver may set
-- it where it knows that of an earlier machine's.
--
-- A *gate*, where there is one, is told of every outcome: `gate:succeeded(machine, now_ms)`, and
-- `gate:failed(machine, err, after_ms, now_ms)`, which gives true for a failure that costs no attempt. `sent_ms`: when
-- the attempt began.

local retry = require "alipayhk.exchange.retry"

local max, min, floor = math.max, math.min, math.floor

local Attempts = {}
Attempts.__index = Attempts

-- `opts`: `policy` and `description` as in `alipayhk.exchange.retry`; `timeout_ms` of one attempt; `random`, which
-- gives 0 <= x < 1, OpenSSL's when absent; `gate`, none when absent; `event`, whose attempts were begun before, by
-- other machines: `attempts`, with the one that this machine begins with, and `lost_answer`.
local function new(opts)
  local event = opts.event
  return setmetatable({
    policy = opts.policy,
    description = opts.description,
    attempt_ms = opts.timeout_ms,
    random = opts.random or retry.random,
    gate = opts.gate,
    may_have_arrived = event and event.lost_answer or false,
    attempt = event and event.attempts - 1 or 0,
    charged = event and event.attempts - 1 or 0, -- how many of them the policy's `max_attempts` counts
  }, Attempts)
end

local function left_ms(self, now_ms)
  return self.policy.budget_ms - (now_ms - self.started_ms)
end

local function send_next(self, now_ms)
  self.action, self.delay_ms = "send", nil
  self.attempt, self.sent_ms = self.attempt + 1, now_ms
  self.timeout_ms = max(1, floor(min(self.attempt_ms, left_ms(self, now_ms))))
end

local function finish(self, response, err)
  self.action, self.delay_ms, self.timeout_ms = "done", nil, nil
  self.response, self.err = response, err
end

-- Gives up. If the last attempt sent nothing, the error of an earlier one that may have arrived is the outcome: it says
-- more about what became of the request.
local function fail(self)
  local err, unsettled = self.last_err, self.unsettled_err
  if unsettled and retry.sent_nothing(err) then
    unsettled.attempts = err.attempts
    err = unsettled
  end
  finish(self, nil, err)
end

function Attempts:start(now_ms)
  self.started_ms = now_ms
  send_next(self, now_ms)
end

function Attempts:succeeded(response, now_ms)
  if self.gate then self.gate:succeeded(self, now_ms) end
  response.attempts = self.attempt
  finish(self, response)
end

-- Counts a failed attempt and its time, unless the gate says that it costs nothing. What may be sent only once counts
-- in any case.
local function charge(self, err, after_ms, now_ms)
  if self.gate and self.gate:failed(self, err, after_ms, now_ms) and not self.policy.once then
    self.started_ms = self.started_ms + (now_ms - self.sent_ms)
  else
    self.charged = self.charged + 1
  end
end

-- `told`: `after_ms`, what the answer's Retry-After asks for; `is_exiting`, whether this process is about to end.
function Attempts:failed(err, told, now_ms)
  local rule = retry.rule(self.policy, self.description, err)
  err.retryable, err.attempts = rule and true, self.attempt
  if err.response then err.response.attempts = self.attempt end
  self.last_err = err
  charge(self, err, told.after_ms, now_ms)
  if retry.may_have_arrived(err) then self.may_have_arrived, self.unsettled_err = true, err end
  local delay_ms = retry.delay_ms(self.policy, {
    attempt = self.charged,
    rule = rule,
    after_ms = told.after_ms,
    spent_ms = now_ms - self.started_ms,
    was_cut = told.is_exiting and err.code == "reset",
  }, self.random)
  if not delay_ms then return fail(self) end
  self.action, self.delay_ms, self.timeout_ms = "wait", delay_ms, nil
end

-- `held_ms`: how much longer than `delay_ms` the driver made it wait, which the policy's `budget_ms` does not count.
function Attempts:waited(now_ms, held_ms)
  self.started_ms = self.started_ms + (held_ms or 0)
  if left_ms(self, now_ms) < 1 then return fail(self) end
  send_next(self, now_ms)
end

-- Makes no further attempt. `err` is the outcome if no attempt has failed yet.
function Attempts:stop(err)
  if self.last_err then return fail(self) end
  finish(self, nil, err)
end

return { new = new }
