-- All rules of retrying: what a policy is, whether to try again after a failure, and how long to wait before that.

local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local core = require "alipayhk.core"
local outcome = require "alipayhk.transport.outcome"
local time = require "alipayhk.base.time"

local retry = {}

-- ---- the policy ------------------------------------------------------------------------------------

-- The config's `retry`.
retry.DEFAULTS = { max_attempts = 3, base_delay_ms = 200, max_delay_ms = 5000, budget_ms = 60000 }

-- For `retry = false`. `once`: the transport must not send anything twice either.
local NEVER = { once = true, max_attempts = 1, base_delay_ms = 0, max_delay_ms = 0, budget_ms = math.huge }

local function codes_fault(value)
  local fault = arguments.type_fault(value, "table")
  if fault then return fault end
  for code, rule in pairs(value) do
    if type(code) ~= "string" or type(rule) ~= "boolean" then
      return "expected [resultCode] = true or false", tostring(code)
    end
  end
end

retry.CHECKS = {
  max_attempts = arguments.whole("attempts", 1),
  base_delay_ms = arguments.whole("milliseconds", 0),
  max_delay_ms = arguments.whole("milliseconds", 0),
  budget_ms = arguments.whole("milliseconds", 1),
  codes = codes_fault,
}

-- Reads what a user gives as `retry` over the policy `base`: gives a policy; or nil, the path of what is wrong, and a
-- message. `unknown_fault(path)` gives the message for an unknown key.
function retry.read(given, base, unknown_fault)
  if given == nil then return base end
  if given == false then return NEVER end
  -- `retry = false` has no delays to inherit, so the defaults apply.
  local defaults = base == NEVER and retry.DEFAULTS or base
  return arguments.read_table("retry", given, retry.CHECKS, defaults, unknown_fault)
end

-- ---- whether to try again --------------------------------------------------------------------------

-- Transport errors after which a retry may succeed. For code `proxy` the proxy's HTTP status decides.
local TRANSPORT = { dns = true, connect = true, timeout = true, reset = true }
local PROXY = { [502] = true, [503] = true, [504] = true }

-- HTTP statuses of a server, balancer or proxy that cannot answer at the moment. A retry would not change any other.
local HTTP = { [408] = true, [425] = true, [429] = true, [500] = true, [502] = true, [503] = true, [504] = true,
  [520] = true, [521] = true, [522] = true, [523] = true, [524] = true }

-- Codes of answers that tell nothing about this request.
local LOST = { another_request = true, unverified = true }

-- Anybody may have sent an answer that is not authenticated, so its HTTP status comes before the status of its result.
local function result_rule(policy, description, err)
  local code = err.response.result.resultCode
  local user_rule = policy.codes and policy.codes[code]
  if user_rule ~= nil then return user_rule end
  local known = api.result(description, code)
  if known and known.retry ~= nil then return known.retry end
  if not err.response.authenticated and HTTP[err.http_status] then return true end
  return err.response.result.resultStatus ~= "F"
end

-- Whether another attempt may succeed: true, false, or "later" if it must not follow at once. What decides: without an
-- answer, the transport's error; for a result, in this order, the user's `codes`, AlipayHK's pages, the HTTP status and
-- the result's status; for any other answer, whether it tells nothing about this request, and its HTTP status.
-- `description`: of the API, nil if it has none.
function retry.rule(policy, description, err)
  if err.kind == "transport" then
    return TRANSPORT[err.code] or err.code == "proxy" and PROXY[err.http_status] or false
  end
  if err.kind == "result" then return result_rule(policy, description, err) end
  return LOST[err.code] or HTTP[err.http_status] or false
end

-- Whether an error is a final no: AlipayHK's, authenticated, or that of our own check.
function retry.is_refusal(err)
  local response = err.response
  return err.kind == "invalid"
    or err.kind == "result" and response.authenticated and response.result.resultStatus == "F" and not err.retryable
end

-- Whether an error says that too much was sent, of whatever kind: by HTTP, or by a result that says so.
function retry.refuses_traffic(description, err)
  if err.http_status == 429 then return true end
  local known = err.kind == "result" and api.result(description, err.code)
  return known and known.retry == "later" or false
end

-- An answer did come, though none that could be used.
local ANSWERED = { too_large = true, protocol = true }

-- Whether an error means that AlipayHK was not reached: there was no answer, or one by what stands before it.
function retry.is_outage(err)
  return err.kind == "transport" and not ANSWERED[err.code]
    or err.kind == "http" and HTTP[err.http_status] and err.http_status ~= 429
end

-- Whether an error means that its attempt sent nothing. Earlier attempts may have sent something all the same.
function retry.sent_nothing(err)
  return err.kind == "crypto" or err.kind == "transport" and outcome.sent_nothing(err.code)
end

-- Whether a request that failed may have reached AlipayHK and taken effect. `err.retryable` is what `rule` gave.
function retry.may_have_arrived(err)
  if err.response then return err.retryable or not err.response.authenticated end
  return not retry.sent_nothing(err)
end

-- ---- how long to wait ------------------------------------------------------------------------------

-- What an answer's Retry-After asks for, in milliseconds from now on; nil if it is absent or cannot be read. `clock`
-- gives the seconds since the epoch.
function retry.after_ms(headers, clock)
  local value = headers["retry-after"]
  if not value then return nil end
  local seconds = value:match("^0*(%d+)$")
  if seconds then return #seconds < 10 and tonumber(seconds) * 1000 or math.huge end
  local at = time.read(value)
  -- The date is by the server's clock, so it is compared with the answer's Date where there is one.
  local from = at and (headers["date"] and time.read(headers["date"]) or time.now(clock))
  return at and from and at > from and (at - from) * 1000 or nil
end

-- A random number, 0 <= x < 1, from OpenSSL: before Lua 5.4 math.random gives the same numbers in every process.
function retry.random()
  local bytes = core.random_bytes(3)
  if not bytes then return 1 / 2 end -- the request must not be lost because memory is short
  local a, b, c = bytes:byte(1, 3)
  return (a * 65536 + b * 256 + c) / 16777216
end

-- Exponential backoff with full jitter: a random delay up to a ceiling that doubles. "later" waits at least half of the
-- ceiling. Retry-After, limited to max_delay_ms, is a lower bound.
local function backoff_ms(policy, failure, random)
  local doublings = math.max(0, failure.attempt - 1)
  local ceiling = math.min(policy.max_delay_ms, policy.base_delay_ms * 2 ^ doublings)
  local least = failure.rule == "later" and ceiling / 2 or 0
  local delay = least + (ceiling - least) * random()
  if failure.after_ms then delay = math.max(delay, math.min(failure.after_ms, policy.max_delay_ms)) end
  return math.floor(delay + 1 / 2)
end

-- How many milliseconds to wait after a failed attempt; nil if it was the last one. `failure`: `attempt`, how many
-- count by now; `rule`; `after_ms`; `spent_ms` since the first attempt began; `was_cut`: this process is about to end,
-- and may have closed the connection itself, as it would close the next one. `random` gives 0 <= x < 1.
function retry.delay_ms(policy, failure, random)
  if not failure.rule or failure.was_cut or failure.attempt >= policy.max_attempts then return nil end
  local delay = backoff_ms(policy, failure, random)
  return failure.spent_ms + delay < policy.budget_ms and delay or nil
end

return retry
