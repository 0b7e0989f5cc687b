-- The steps of a scenario as a Mermaid state diagram.

local steps = require "alipayhk.rules.steps"

local INDENT = "    "

-- The statuses between which every step is allowed: one box, for arrows both ways would hide the rest.
local function free_statuses(scenario)
  local free, set = {}, {}
  for _, status in ipairs(scenario.statuses) do
    local is_free = not status.ends
    for _, other in ipairs(scenario.statuses) do
      is_free = is_free and (other.ends ~= nil or (not steps.forbidden(scenario, status.name, other.name)
        and not steps.forbidden(scenario, other.name, status.name)))
    end
    if is_free then
      free[#free + 1] = status.name
      set[status.name] = true
    end
  end
  if #free > 1 then return free, set end
  return {}, {}
end

local function arrow(from, to, label)
  return INDENT .. from .. " --> " .. to .. (label and ": " .. label or "")
end

return function(scenario)
  local lines = { "stateDiagram-v2" }
  local function add(line) lines[#lines + 1] = line end

  local free, in_box = free_statuses(scenario)
  if #free > 0 then
    local title = scenario.steps.confidence == "NOT FOUND" and "order not known" or "in any order"
    add(INDENT .. ("state \"%s\" as any_order {"):format(title))
    for _, name in ipairs(free) do add(INDENT .. INDENT .. name) end
    add(INDENT .. "}")
  end
  local first = scenario.statuses[1].name
  add(arrow("[*]", in_box[first] and "any_order" or first, #scenario.statuses > 1 and "any may be first" or nil))
  local from_box = {}
  for _, status in ipairs(scenario.statuses) do
    for _, to in ipairs(steps.after(scenario, status.name)) do
      if not in_box[status.name] then
        add(arrow(status.name, to))
      elseif not in_box[to] and not from_box[to] then
        from_box[to] = true
        add(arrow("any_order", to))
      end
    end
  end
  for _, status in ipairs(scenario.statuses) do
    if status.ends then add(arrow(status.name, "[*]", status.ends ~= "SEEN" and status.ends or nil)) end
  end
  return table.concat(lines, "\n")
end
