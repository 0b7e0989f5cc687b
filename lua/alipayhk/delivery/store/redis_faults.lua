-- What went wrong with a Redis, as a store says it.

local text = require "alipayhk.base.text"

local faults = {}

local function fault(code, is_retryable, cure)
  return { code = code, is_retryable = is_retryable, cure = cure }
end

local UNREACHABLE = fault("unreachable", true)
local DENIED = fault("denied", false)
local FOREIGN = fault("foreign", false, "that is none of an outbox: name another server or database in the URL")

-- By the code of `alipayhk.delivery.redis.client`, which says itself what to do about most. A replica in the primary's
-- place is `unreachable`: after a failover the one that was the primary comes back as a replica, and where the URL's
-- host is a name or an address that moves with the primary, a new connection finds it.
local FAULTS = {
  CONNECTION = fault("unreachable", true, "is it running, and does the URL name the right host and port?"),
  TIMEOUT = fault("unreachable", true, "is it overloaded, or the network slow?"),
  TLS = UNREACHABLE, LOADING = UNREACHABLE, MASTERDOWN = UNREACHABLE, CLUSTERDOWN = UNREACHABLE,
  READONLY = UNREACHABLE, NOREPLICAS = UNREACHABLE,
  EVICTING = fault("failed", false, "it would forget events: set it to noeviction"),
  MOVED = UNREACHABLE, ASK = UNREACHABLE,
  TRYAGAIN = fault("unreachable", true, "the Redis Cluster is moving its keys: try again"),
  BUSY = fault("unreachable", true, "somebody's script keeps it busy: SCRIPT KILL ends that"),
  UNBLOCKED = fault("unreachable", true, "it became a replica: name the primary in the URL"),
  NOAUTH = DENIED, WRONGPASS = DENIED, NOPERM = DENIED,
  OOM = fault("full", true), MISCONF = fault("full", true),
  PROTOCOL = FOREIGN, WRONGTYPE = FOREIGN,
  FOREIGN = fault("foreign", false, "another version of alipayhk made it: use that one"),
  NEWER = fault("newer", false, "a later version of alipayhk made it: upgrade this one"),
}

local FAILED = fault("failed", false)

-- What is wrong in a script has no code of its own.
local IN_SCRIPT = {
  { "The user executing the script can't ", fault("denied", false, "the ACL of the URL's user has to allow it") },
  { "Error compiling script", fault("failed", false, "Redis 7 or later is needed, or Valkey") },
  { " user_script:%d+: ", fault("damaged", false, "its keys do not fit together: was one removed?") },
}

local function find(message, code)
  if FAULTS[code] then return FAULTS[code] end
  for _, case in ipairs(IN_SCRIPT) do
    if message:find(case[1]) then return case[2] end
  end
  return FAILED
end

-- The fault of what the client says: `{ code, message, is_retryable }`.
function faults.of(message, code)
  local found = find(message, code)
  if found.cure then message = ("%s (%s)"):format(message, found.cure) end
  return { code = found.code, message = text.line(message), is_retryable = found.is_retryable }
end

return faults
