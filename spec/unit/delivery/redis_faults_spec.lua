-- What a store says is wrong with its Redis, and whether it is tried again. By hand, from the words of Redis 7.

local faults = require "alipayhk.delivery.store.redis_faults"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local AGAIN, NEVER = true, false

-- By what the client says: { its code, the fault's, whether it passes, what to do about it }.
local CASES = {
  ["h:1: nobody listens"] = { "CONNECTION", "unreachable", AGAIN, "does the URL name the right host and port?" },
  ["h:1: no answer"] = { "TIMEOUT", "unreachable", AGAIN, "is it overloaded" },
  ["h:1: a certificate was refused"] = { "TLS", "unreachable", AGAIN },
  ["h:1: LOADING Redis is loading the dataset in memory"] = { "LOADING", "unreachable", AGAIN },
  ["h:1: MASTERDOWN Link with MASTER is down"] = { "MASTERDOWN", "unreachable", AGAIN },
  ["h:1: CLUSTERDOWN The cluster is down"] = { "CLUSTERDOWN", "unreachable", AGAIN },
  ["h:1: READONLY You can't write against a read only replica."] = { "READONLY", "unreachable", AGAIN },
  ["h:1: NOREPLICAS Not enough good replicas to write."] = { "NOREPLICAS", "unreachable", AGAIN },
  ["h:1: MOVED 3999 h:2"] = { "MOVED", "unreachable", AGAIN },
  ["h:1: ASK 3999 h:2"] = { "ASK", "unreachable", AGAIN },
  ["h:1: TRYAGAIN Multiple keys request during rehashing of slot"] = { "TRYAGAIN", "unreachable", AGAIN, "try again" },
  ["h:1: BUSY Redis is busy running a script."] = { "BUSY", "unreachable", AGAIN, "SCRIPT KILL" },
  ["h:1: UNBLOCKED force unblock from blocking operation"] = { "UNBLOCKED", "unreachable", AGAIN, "name the primary" },
  ["h:1: OOM command not allowed when used memory > 'maxmemory'."] = { "OOM", "full", AGAIN },
  ["h:1: MISCONF Errors writing to the AOF file"] = { "MISCONF", "full", AGAIN },
  ["h:1: NOAUTH Authentication required."] = { "NOAUTH", "denied", NEVER },
  ["h:1: WRONGPASS invalid username-password pair"] = { "WRONGPASS", "denied", NEVER },
  ["h:1: NOPERM this user has no permissions"] = { "NOPERM", "denied", NEVER },
  ["h:1: The user executing the script can't access at least one of the keys"] = { "ERR", "denied", NEVER, "the ACL" },
  ["h:1: its maxmemory-policy is allkeys-lru"] = { "EVICTING", "failed", NEVER, "set it to noeviction" },
  ["h:1: Error compiling script (new function): user_script:1"] = { "ERR", "failed", NEVER, "Redis 7 or later" },
  ["h:1: DB index is out of range"] = { "ERR", "failed", NEVER },
  ["h:1: of a code that nobody knows"] = { nil, "failed", NEVER },
  ["h:1: user_script:7: attempt to index a nil value script: 1234"] = { "ERR", "damaged", NEVER, "was one removed?" },
  ["h:1: what came is not Redis's protocol"] = { "PROTOCOL", "foreign", NEVER, "name another server or database" },
  ["h:1: WRONGTYPE Operation against a key"] = { "WRONGTYPE", "foreign", NEVER, "name another server or database" },
  ["h:1: made by another"] = { "FOREIGN", "foreign", NEVER, "another version of alipayhk made it" },
  ["h:1: made by a later one"] = { "NEWER", "newer", NEVER, "upgrade this one" },
}

describe("a fault of a Redis", function()
  for _, message in ipairs(sorted_keys(CASES)) do
    local case = CASES[message]
    local code, expected, is_retryable, cure = case[1], case[2], case[3], case[4]
    it(("is %s: %s"):format(expected, message), function()
      local fault = faults.of(message, code)
      assert.same({ expected, is_retryable }, { fault.code, fault.is_retryable })
      assert.equal(message, fault.message:sub(1, #message))
      if cure then
        assert.matches(" %(.*%)$", fault.message)
        assert.matches(cure, fault.message, 1, true)
      else
        assert.equal(message, fault.message)
      end
    end)
  end
end)
