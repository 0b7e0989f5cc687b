--- When to try again, and how long to wait before: full-jitter back-off within a budget.
-- @module alipayhk.retry

local core = require "alipayhk.core"

local retry = {}

-- Failures without an answer that another attempt may not meet.
local RETRYABLE_TRANSPORT = { dns = true, connect = true, timeout = true, reset = true }

--- @tparam string code of a transport error
function retry.is_retryable(code)
  return RETRYABLE_TRANSPORT[code] or false
end

-- 0 <= x < 1, of OpenSSL's generator: math.random is the same in every process before Lua 5.4.
local function uniform()
  local a, b, c = assert(core.random_bytes(3)):byte(1, 3)
  return (a * 65536 + b * 256 + c) / 16777216
end

--- How long to wait after an attempt.
-- @tparam table policy `{ base_delay_ms, max_delay_ms }`
-- @tparam number attempt the one that failed, from 1
-- @tparam table hints `{ later, after_ms }`: what the answer said about that
-- @treturn number milliseconds
function retry.delay(policy, attempt, hints)
  local ceiling = math.min(policy.max_delay_ms, policy.base_delay_ms * 2 ^ (attempt - 1))
  -- "Later" leaves no room for luck: at least half of it.
  local least = hints.later and ceiling / 2 or 0
  local delay = least + (ceiling - least) * uniform()
  if hints.after_ms then delay = math.max(delay, math.min(hints.after_ms, policy.max_delay_ms)) end
  return math.floor(delay + 0.5)
end

return retry
