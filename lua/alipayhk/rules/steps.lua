-- The steps between the statuses of a scenario: which may follow which.
--
-- Rules stand in the data: `ends` on a status (nothing follows), `only_after`, `only_before` (lists),
-- and `forward_only` for the scenario (no going back in its list). Each rule is as sure as it says,
-- SEEN or INFERRED. The same status again is no step.

local list = require "alipayhk.base.list"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"

local steps = {}

local function find(scenario, name)
  for i, status in ipairs(scenario.statuses) do
    if status.name == name then return i, status end
  end
end

-- The rules: each gives its confidence where it forbids a step, otherwise nil or false.
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

-- How surely the rules forbid a step between two statuses of the scenario: "SEEN", "INFERRED", or nil where they allow
-- it.
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

-- The names of the statuses that may follow one, other than itself, in the scenario's order.
function steps.after(scenario, from)
  local allowed = {}
  for _, status in ipairs(scenario.statuses) do
    if status.name ~= from and not steps.forbidden(scenario, from, status.name) then
      allowed[#allowed + 1] = status.name
    end
  end
  return allowed
end

-- A message where a step is forbidden, and whether that is only a warning. `from` may be any text, `to` is a status of
-- the scenario.
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
