-- What becomes of an event of an outbox after an attempt. Does no I/O.
--
-- It is accepted; or parked, where AlipayHK's no is final, where it breaks a rule, or where it is too old; or it waits
-- for another attempt.

local api = require "alipayhk.api"
local quote = require "alipayhk.base.quote"
local retry = require "alipayhk.exchange.retry"
local text = require "alipayhk.base.text"

local event = {}

-- The longest that an event waits for another attempt.
event.DELAY_MAX_MS = 300000

local MESSAGE_MAX = 500

-- The policy of its attempts: those of the client, for as long as it takes.
function event.policy(given)
  local defaults = retry.DEFAULTS
  return {
    once = given.once,
    max_attempts = math.huge,
    budget_ms = math.huge,
    base_delay_ms = given.base_delay_ms > 0 and given.base_delay_ms or defaults.base_delay_ms,
    max_delay_ms = event.DELAY_MAX_MS,
    codes = given.codes,
  }
end

-- Another status than the event's, which AlipayHK says that it holds; nil for none.
local function held_status(description, response)
  for _, warning in ipairs(response.warnings) do
    if warning.code == "older" then return response.body[description.status_field] end
  end
end

-- What stays of AlipayHK's answer when the event's body has gone must not have a user's id.
local function accepted(taken, description, response)
  local code, held = response.result.resultCode, held_status(description, response)
  return {
    state = "accepted", code = code and quote.short(code, taken.personal),
    held_status = held and quote.short(held, taken.personal),
  }
end

-- A refused signature is our own trouble, and that of all events.
local function is_about_signature(description, err)
  local known = err.kind == "result" and api.result(description, err.code)
  return known and known.about_signature or false
end

-- By the user's own rule an answer that is known to be AlipayHK's is the last word.
local function is_final_by_user(policy, err)
  return err.kind == "result" and err.response.authenticated and policy.codes ~= nil and policy.codes[err.code] == false
end

local function is_final(taken, description, err)
  if is_final_by_user(taken.policy, err) then return true end
  return retry.is_refusal(err) and not is_about_signature(description, err)
end

-- Whether an attempt whose answer was lost may be why this one was refused, and another command tells.
local function is_to_be_settled(taken, description, err)
  if not retry.is_refusal(err) or not taken.lost_answer or taken.is_settling then return false end
  local settling = description and description.settling
  return settling and taken.command == settling.of and err.code == settling.after
end

local function parked(err, message)
  return { state = "parked", code = err.code or err.kind, message = text.cut(message or err.message, MESSAGE_MAX) }
end

-- An attempt that threw counts, and may have arrived.
local function waiting(taken, machine, err)
  local is_broken, delay_ms = taken.is_broken or false, machine and machine.delay_ms
  return {
    state = "waiting",
    delay_ms = delay_ms or retry.delay_ms(taken.policy, { attempt = taken.attempts, rule = true, spent_ms = 0 },
      retry.random),
    is_free = machine ~= nil and not is_broken and machine.charged < taken.attempts,
    lost_answer = taken.lost_answer or machine ~= nil and (is_broken or machine.may_have_arrived),
    is_settling = taken.is_settling,
    code = err.code or err.kind,
    message = text.cut(err.message, MESSAGE_MAX),
  }
end

local function settling(err)
  return {
    state = "waiting", delay_ms = 0, lost_answer = true, is_settling = true,
    code = err.code, message = text.cut(err.message, MESSAGE_MAX),
  }
end

-- The outcome of an attempt, as `alipayhk.delivery.store` describes it. `taken`: the event as the store gave it, with
-- its `command` and `policy`, the `personal` values in it, and how old it may become and is, `max_age_ms` and `age_ms`.
-- `machine`: of `alipayhk.exchange.attempts`, nil where no request could be made of it; `err`: then why, or what an
-- attempt threw, which `is_broken` then.
function event.after(taken, machine, err)
  local description = api.by_name[taken.api]
  if machine and machine.response and not err then return accepted(taken, description, machine.response) end
  err = err or machine.err or machine.last_err
  if is_to_be_settled(taken, description, err) then return settling(err) end
  if is_final(taken, description, err) then return parked(err) end
  if taken.age_ms < taken.max_age_ms then return waiting(taken, machine, err) end
  return parked(err, ("not delivered for %.0f s: %s"):format(taken.age_ms / 1000, err.message))
end

-- The outcome of an event that was taken and is given back unsent.
function event.returned(taken)
  return {
    state = "waiting", delay_ms = 0, is_free = true, lost_answer = taken.lost_answer, is_settling = taken.is_settling,
  }
end

return event
