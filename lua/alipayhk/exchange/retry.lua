-- All rules of retrying: what a policy is, whether a failure is worth another attempt, and how long to wait before it.

local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local core = require "alipayhk.core"
local outcome = require "alipayhk.transport.outcome"
local time = require "alipayhk.base.time"

local retry = {}

-- ---- the policy ------------------------------------------------------------------------------------

-- The config's `retry`.
retry.DEFAULTS = { max_attempts = 3, base_delay_ms = 200, max_delay_ms = 5000, budget_ms = 60000 }

-- For `retry = false`. `once`: the transport sends nothing twice either.
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

-- Reads what a user gives as `retry` over another policy: a policy, or nil, the path of what is wrong, and a message.
-- `unknown_fault(path)` gives the message for a key that there is not.
function retry.read(given, base, unknown_fault)
  if given == nil then return base end
  if given == false then return NEVER end
  -- `retry = false` has nothing to inherit: the defaults take its place.
  local defaults = base == NEVER and retry.DEFAULTS or base
  return arguments.read_table("retry", given, retry.CHECKS, defaults, unknown_fault)
end

-- ---- whether ---------------------------------------------------------------------------------------

-- Failures without an answer that may be over at the next attempt; of a proxy's refusals those with these statuses.
local TRANSPORT = { dns = true, connect = true, timeout = true, reset = true }
local PROXY = { [502] = true, [503] = true, [504] = true }

-- Statuses of servers, balancers and proxies that cannot answer now. Any other would be the same the next time.
local HTTP = { [408] = true, [425] = true, [429] = true, [500] = true, [502] = true, [503] = true, [504] = true,
  [520] = true, [521] = true, [522] = true, [523] = true, [524] = true }

-- Codes of answers that say nothing about this request.
local LOST = { another_request = true, unverified = true }

-- Anybody may have given an answer that is not authenticated: its HTTP status says more than its result.
local function result_rule(policy, description, err)
  local code = err.response.result.resultCode
  local users = policy.codes and policy.codes[code]
  if users ~= nil then return users end
  local known = api.result(description, code)
  if known and known.retry ~= nil then return known.retry end
  if not err.response.authenticated and HTTP[err.http_status] then return true end
  return err.response.result.resultStatus ~= "F"
end

-- Whether another attempt may fare better: true, false, or "later" for one that waits in any case. The reasons, in
-- order: what failed without an answer; of a result the user's `codes`, AlipayHK's pages, the HTTP status, the result's
-- status; of any other answer, whether it is another request's, and its HTTP status.
-- `description` is that of the API, nil where it has none.
function retry.rule(policy, description, err)
  if err.kind == "transport" then
    return TRANSPORT[err.code] or err.code == "proxy" and PROXY[err.http_status] or false
  end
  if err.kind == "result" then return result_rule(policy, description, err) end
  return LOST[err.code] or HTTP[err.http_status] or false
end

-- Whether an error says that its attempt sent nothing. It then says nothing about the attempts before.
function retry.sent_nothing(err)
  return err.kind == "crypto" or err.kind == "transport" and outcome.sent_nothing(err.code)
end

-- Whether a request that failed may have arrived and been acted on all the same. `err.retryable` has been set.
function retry.may_have_arrived(err)
  if err.response then return err.retryable or not err.response.authenticated end
  return not retry.sent_nothing(err)
end

-- ---- when ------------------------------------------------------------------------------------------

-- What an answer's Retry-After asks for, in milliseconds from now on; nil where it says nothing. `clock` gives the
-- seconds since the epoch.
function retry.after_ms(headers, clock)
  local value = headers["retry-after"]
  if not value then return nil end
  local seconds = value:match("^0*(%d+)$")
  if seconds then return #seconds < 10 and tonumber(seconds) * 1000 or math.huge end
  local at = time.read(value)
  -- Compared with the server's own clock, where the answer shows it.
  local from = at and (headers["date"] and time.read(headers["date"]) or time.now(clock))
  return at and from and at > from and (at - from) * 1000 or nil
end

-- 0 <= x < 1, of OpenSSL's generator: math.random is the same in every process before Lua 5.4.
function retry.random()
  local bytes = core.random_bytes(3)
  if not bytes then return 1 / 2 end -- the request must not be lost because memory is short
  local a, b, c = bytes:byte(1, 3)
  return (a * 65536 + b * 256 + c) / 16777216
end

-- Full jitter: anything up to a ceiling that doubles. "later" waits at least half of it, and Retry-After counts.
local function backoff_ms(policy, failure, random)
  local ceiling = math.min(policy.max_delay_ms, policy.base_delay_ms * 2 ^ (failure.attempt - 1))
  local least = failure.rule == "later" and ceiling / 2 or 0
  local delay = least + (ceiling - least) * random()
  if failure.after_ms then delay = math.max(delay, math.min(failure.after_ms, policy.max_delay_ms)) end
  return math.floor(delay + 1 / 2)
end

-- How many milliseconds to wait after a failed attempt; nil where it was the last one. `failure`: `attempt`, its number
-- from 1 on; `rule`; `after_ms`; `spent_ms` since the first attempt began; `was_cut`: the process is about to end, and
-- may have cut the connection itself, as it would the next one. `random` gives 0 <= x < 1.
function retry.delay_ms(policy, failure, random)
  if not failure.rule or failure.was_cut or failure.attempt >= policy.max_attempts then return nil end
  local delay = backoff_ms(policy, failure, random)
  return failure.spent_ms + delay < policy.budget_ms and delay or nil
end

return retry
