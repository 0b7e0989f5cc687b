--- Every fault of a payload in one error: the rules of its scenario, the step from the status before, and
-- what JSON cannot carry.
-- @module alipayhk.check

local Error = require "alipayhk.error"
local json = require "alipayhk.json"
local rules_module = require "alipayhk.rules"
local schema = require "alipayhk.schema"
local steps = require "alipayhk.steps"

local SHOWN = 5

local function summary(what, faults)
  local parts = {}
  for i = 1, math.min(#faults, SHOWN) do
    parts[i] = faults[i].path .. ": " .. faults[i].message
  end
  local count = #faults == 1 and "1 fault" or #faults .. " faults"
  local more = #faults > SHOWN and ("; and " .. #faults - SHOWN .. " more") or ""
  return ("%s in the %s payload: %s%s"):format(count, what, table.concat(parts, "; "), more)
end

local function by_path(a, b)
  return a.path < b.path
end

-- Faults of the JSON, in the order of their paths: a table's own order differs from run to run.
local function json_faults(payload)
  local faults = {}
  local is_virtual = json.inspect(payload, function(path, code, message)
    faults[#faults + 1] = { path = path:gsub("%c", "?"), code = code, message = message }
  end)
  table.sort(faults, by_path)
  return faults, is_virtual
end

local function append(list, more)
  list = list or {}
  for _, entry in ipairs(more or {}) do list[#list + 1] = entry end
  return #list > 0 and list or nil
end

-- Those of `more` at places where `faults` has none yet.
local function append_new(faults, more)
  local seen = {}
  for _, fault in ipairs(faults or {}) do seen[fault.path] = true end
  local new = {}
  for _, fault in ipairs(more) do
    if not seen[fault.path] then
      seen[fault.path] = true
      new[#new + 1] = fault
    end
  end
  return append(faults, new)
end

local function has_path(faults, path)
  for _, fault in ipairs(faults or {}) do
    if fault.path == path then return true end
  end
  return false
end

-- The step, where there is one and the status is good in itself.
local function check_step(description, payload, previous_status, faults, advice)
  local scenario = rules_module.scenario(description, payload)
  local path = description.status_field
  if not scenario or has_path(faults, path) then return faults, advice end
  local message, is_advice = steps.fault(scenario, previous_status, payload[path])
  if not message then return faults, advice end
  local found = { { path = path, code = "transition", message = message } }
  if is_advice then return faults, append(advice, found) end
  return append(faults, found), advice
end

local NO_OPTIONS = {}

local check = {}

--- @tparam table rules
-- @tparam ?table description of the API; nil checks only that JSON can carry the payload
-- @tparam table payload
-- @tparam[opt] table opts `complete`: nothing is going to be filled in any more; `previous_status`;
--   `strict`: advice is faults
-- @treturn[1] boolean true
-- @treturn[1] ?table warnings: the faults that are only advice, `{ path, code, message }`
-- @treturn[2] nil
-- @treturn[2] error kind "invalid"
function check.payload(rules, description, payload, opts)
  opts = opts or NO_OPTIONS
  local faults, advice, unwritable, is_virtual
  if not json.is_plain(payload) then unwritable, is_virtual = json_faults(payload) end
  -- A metatable could show other fields than would be sent, or throw.
  if description and not is_virtual then
    faults, advice = schema.check(rules:schema(description, payload), payload, opts.complete)
    if opts.previous_status then
      faults, advice = check_step(description, payload, opts.previous_status, faults, advice)
    end
  end
  if unwritable then faults = append_new(faults, unwritable) end
  if opts.strict and advice then faults, advice = append(faults, advice), nil end
  if not faults then return true, advice end
  return nil, Error.new("invalid", summary(description and description.name or "request", faults), {
    fields = faults,
    warnings = advice,
  })
end

return check
