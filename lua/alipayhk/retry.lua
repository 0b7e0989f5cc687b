--- When to try again, and how long to wait before: full-jitter back-off within a budget.
-- @module alipayhk.retry

local api = require "alipayhk.api"
local core = require "alipayhk.core"
local time = require "alipayhk.time"

local retry = {}

-- ---- whether ---------------------------------------------------------------------------------------

-- Failures without an answer that another attempt may not meet; those of a proxy by its HTTP status.
local TRANSPORT = { dns = true, connect = true, timeout = true, reset = true }
local PROXY = { [502] = true, [503] = true, [504] = true }
-- Failures before anything was sent.
local NOT_SENT = { dns = true, connect = true, proxy = true, tls = true, phase = true }

-- Statuses of a server, balancer or proxy that could not answer now; any other says the same the next time.
local HTTP = { [408] = true, [425] = true, [429] = true, [500] = true, [502] = true, [503] = true, [504] = true,
  [520] = true, [521] = true, [522] = true, [523] = true, [524] = true }

-- Answers that are none to this request.
local LOST = { another_request = true, unverified = true }

-- By the code: what the user says, then the API's own page, then the family's; then by HTTP, where anybody may have
-- answered; then by the result's status.
local function result_rule(policy, description, err)
  local code = err.response.result.resultCode
  local override = policy.codes and policy.codes[code]
  if override ~= nil then return override end
  local known = api.result(description, code)
  if known and known.retry ~= nil then return known.retry end
  if not err.response.authenticated and HTTP[err.http_status] then return true end
  return err.response.result.resultStatus ~= "F"
end

--- Whether another attempt may fare better.
-- @tparam table policy `{ codes }`: what the user says of result codes
-- @tparam ?table description of the API
-- @tparam error err kind "transport", or of an answer
-- @treturn boolean|string true, false, or "later" for a retry that waits first, whatever the jitter
function retry.rule(policy, description, err)
  if err.kind == "transport" then
    return TRANSPORT[err.code] or err.code == "proxy" and PROXY[err.http_status] or false
  end
  if err.kind == "result" then return result_rule(policy, description, err) end
  return LOST[err.code] or HTTP[err.http_status] or false
end

--- Whether an error says that its attempt sent nothing: it is then no word on the attempts before it.
-- @tparam error err
function retry.is_unsent(err)
  return err.kind == "crypto" or err.kind == "transport" and NOT_SENT[err.code] or false
end

--- Whether a request that failed may have arrived, and been acted on, all the same.
-- @tparam error err
function retry.was_lost(err)
  if err.response then return err.retryable or not err.response.authenticated end
  return not retry.is_unsent(err)
end

-- ---- when ------------------------------------------------------------------------------------------

--- What an answer's Retry-After asks for.
-- @tparam table headers of the answer
-- @tparam function clock gives the seconds since the epoch
-- @treturn ?number milliseconds from now on, nil where it says nothing
function retry.after_ms(headers, clock)
  local value = headers["retry-after"]
  if not value then return nil end
  local seconds = value:match("^0*(%d+)$")
  if seconds then return #seconds < 10 and tonumber(seconds) * 1000 or math.huge end
  local at = time.read(value)
  -- By the clock that the date is of, where it is shown.
  local from = at and (headers["date"] and time.read(headers["date"]) or time.now(clock))
  return at and from and at > from and (at - from) * 1000 or nil
end

-- 0 <= x < 1, of OpenSSL's generator: math.random is the same in every process before Lua 5.4.
local function uniform()
  local bytes = core.random_bytes(3)
  if not bytes then return 1 / 2 end -- nothing may be lost for it: something was sent
  local a, b, c = bytes:byte(1, 3)
  return (a * 65536 + b * 256 + c) / 16777216
end

local function backoff_ms(policy, attempt, hints)
  local ceiling = math.min(policy.max_delay_ms, policy.base_delay_ms * 2 ^ (attempt - 1))
  -- "Later" leaves no room for luck: at least half of it.
  local least = hints.later and ceiling / 2 or 0
  local delay = least + (ceiling - least) * uniform()
  if hints.after_ms then delay = math.max(delay, math.min(hints.after_ms, policy.max_delay_ms)) end
  return math.floor(delay + 1 / 2)
end

--- How long to wait after a failed attempt; nil where it was the last one.
-- @tparam table policy `{ max_attempts, base_delay_ms, max_delay_ms, budget_ms }`
-- @tparam number attempt the one that failed, from 1
-- @tparam error err `retryable` as `rule` says
-- @tparam table hints `{ later, after_ms }`: what the answer said about that
-- @tparam number spent_ms since the first attempt began
-- @treturn ?number milliseconds
function retry.delay_ms(policy, attempt, err, hints, spent_ms)
  if not err.retryable or attempt >= policy.max_attempts then return nil end
  local delay = backoff_ms(policy, attempt, hints)
  return spent_ms + delay < policy.budget_ms and delay or nil
end

return retry
