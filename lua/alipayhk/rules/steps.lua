-- The steps between the statuses of a scenario: which status may follow which.
--
-- The rules are in the data of the scenarios. A status may have `ends` (no other status follows), and the lists
-- `only_after` and `only_before`. A scenario's `steps` may have `forward_only` (a status may not be followed by one
-- further up in the list). The confidence of a rule, SEEN or INFERRED, is the value of `ends` or `forward_only`; that
-- of `only_after` and `only_before` is the confidence of their status. Repeating a status is no step.

local list = require "alipayhk.base.list"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"

local steps = {}

local function find(scenario, name)
  for i, status in ipairs(scenario.statuses) do
    if status.name == name then return i, status end
  end
end

-- Each gives the confidence of its rule if that forbids the step, or else nil or false.
local rules = {
  function(_, from) return from.ends end,
  function(_, from, to)
    return from.only_before and not list.includes(from.only_before, to.name) and from.confidence
  end,
  function(_, from, to)
    return to.only_after and not list.includes(to.only_after, from.name) and to.confidence
  end,
  function(scenario, from, to)
    return find(scenario, to.name) < find(scenario, from.name) and scenario.steps.forward_only
  end,
}

-- Whether the rules forbid a step: nil if not, otherwise "SEEN" if a rule with that confidence does, or "INFERRED".
-- `from` and `to` have to be statuses of the scenario.
function steps.forbidden(scenario, from, to)
  if from == to then return nil end
  local _, from_status = find(scenario, from)
  local _, to_status = find(scenario, to)
  local surest
  for _, rule in ipairs(rules) do
    local confidence = rule(scenario, from_status, to_status)
    if confidence == "SEEN" then return "SEEN" end
    surest = surest or confidence or nil
  end
  return surest
end

-- The names of the other statuses that may follow `from`, in the scenario's order.
function steps.after(scenario, from)
  local allowed = {}
  for _, status in ipairs(scenario.statuses) do
    if status.name ~= from and not steps.forbidden(scenario, from, status.name) then
      allowed[#allowed + 1] = status.name
    end
  end
  return allowed
end

-- What is wrong with a step: a message and whether it is only a warning; nil if the step is allowed. `from` may be any
-- string, `to` has to be a status of the scenario.
function steps.fault(scenario, from, to)
  if not find(scenario, from) then
    local names = list.names(scenario.statuses)
    return ("the previous status %s is none of %s's: %s%s"):format(
      text.quoted(from), scenario.name, table.concat(names, ", "), suggest.name(from, names))
  end
  local confidence = steps.forbidden(scenario, from, to)
  if not confidence then return nil end
  local allowed = steps.after(scenario, from)
  local may = #allowed > 0 and "only " .. table.concat(allowed, ", ") .. " may follow" or "nothing follows"
  local how_sure = confidence ~= "SEEN" and " (INFERRED)" or ""
  return ("after %s %s%s, found %s"):format(from, may, how_sure, to), confidence ~= "SEEN"
end

return steps
