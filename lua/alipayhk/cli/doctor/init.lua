-- Looks whether all that an order needs is in place. A check is data, in a file by what it is about:
--
--   name           a word or two
--   needs          names of checks without which there is nothing to look at
--   is_network     left out where the network is
--   run(state, say)  looks; `say(verdict, message, cure, status)` for each thing found: a verdict is "pass", "warn" or
--                  "fail", `status` the command's exit status for a failure. `state` is what the checks before found
--                  out: see each file

local failure = require "alipayhk.cli.failure"
local text = require "alipayhk.base.text"
local version = require "alipayhk.base.version"

local doctor = {}

local CHECKS = {
  { name = "alipayhk", run = function(_, say)
    say("pass", ("version %s, %s"):format(version, rawget(_G, "jit") and "LuaJIT" or _VERSION))
  end },
}

for _, file in ipairs { "config", "keys", "network", "call", "store" } do
  for _, check in ipairs(require("alipayhk.cli.doctor." .. file)) do CHECKS[#CHECKS + 1] = check end
end

doctor.CHECKS = CHECKS

-- The first of the checks that are needed and did not pass.
local function missing(check, failed)
  for _, name in ipairs(check.needs or {}) do
    if failed[name] then return name end
  end
end

-- Runs one; whether it found no failure. What it throws is one of its own, too.
local function run_one(check, state, say)
  local is_good = true
  local function told(verdict, message, cure, status)
    is_good = is_good and verdict ~= "fail"
    say(check.name, verdict, text.one_line(message), cure, status)
  end
  local ran, thrown = pcall(check.run, state, told)
  if ran then return is_good end
  if not failure.is(thrown) then error(thrown, 0) end
  told("fail", tostring(thrown), nil, thrown.status)
  return false
end

-- Runs all of them: the exit status, that of the first failure. `say(name, verdict, message, cure)`.
function doctor.run(state, say)
  local failed, status = {}, failure.STATUS.ok
  for _, check in ipairs(CHECKS) do
    local needed = missing(check, failed)
    if check.is_network and state.is_offline then
      failed[check.name] = true
    elseif needed then
      failed[check.name] = true
      say(check.name, "skip", ("not looked at: %s has to be right first"):format(needed))
    else
      failed[check.name] = not run_one(check, state, function(name, verdict, message, cure, its_status)
        if verdict == "fail" and status == failure.STATUS.ok then status = its_status or failure.STATUS.usage end
        say(name, verdict, message, cure)
      end) or nil
    end
  end
  return status
end

return doctor
