-- Collects every fault of a payload in one error: against the rules of its scenario, in the step from the previous
-- status, and what JSON cannot carry.

local Error = require "alipayhk.base.error"
local fault = require "alipayhk.base.fault"
local json = require "alipayhk.base.json"
local schema = require "alipayhk.schema"
local steps = require "alipayhk.rules.steps"
local text = require "alipayhk.base.text"

-- How many faults an error's message shows, and how many bytes of a path.
local SHOWN, PATH_MAX = 5, 512

local function summary(what, faults)
  local parts = {}
  for i = 1, math.min(#faults, SHOWN) do
    parts[i] = tostring(faults[i])
  end
  local count = #faults == 1 and "1 fault" or #faults .. " faults"
  local more = #faults > SHOWN and ("; and " .. #faults - SHOWN .. " more") or ""
  return ("%s in the %s payload: %s%s"):format(count, what, table.concat(parts, "; "), more)
end

local function by_place(a, b)
  if a.path ~= b.path then return a.path < b.path end
  return a.code .. a.message < b.code .. b.message
end

-- What JSON cannot carry, sorted by path: a table's own order differs from run to run.
local function json_faults(payload)
  local faults = {}
  local is_opaque = json.inspect(payload, function(path, code, message)
    faults[#faults + 1] = fault.new(text.shown(path, PATH_MAX), code, message)
  end)
  table.sort(faults, by_place)
  -- Of a table with many bad keys only one fault of each code is kept.
  local told, last = {}, nil
  for _, found in ipairs(faults) do
    if not last or found.path ~= last.path or found.code ~= last.code then told[#told + 1] = found end
    last = found
  end
  return told, is_opaque
end

local function append(list, more)
  list = list or {}
  for _, entry in ipairs(more or {}) do list[#list + 1] = entry end
  return #list > 0 and list or nil
end

local function paths_of(faults)
  local paths = {}
  for _, found in ipairs(faults or {}) do paths[found.path] = true end
  return paths
end

-- The faults at other paths than these; nil where there are none.
local function elsewhere(faults, paths)
  local kept = {}
  for _, found in ipairs(faults or {}) do
    if not paths[found.path] then kept[#kept + 1] = found end
  end
  return #kept > 0 and kept or nil
end

local function has_path(faults, path)
  for _, found in ipairs(faults or {}) do
    if found.path == path then return true end
  end
  return false
end

-- Adds the fault of the step, unless the status itself has one.
local function check_step(form, payload, previous_status, faults, warnings)
  local scenario, path = form.scenario, form.description.status_field
  if not scenario or has_path(faults, path) then return faults, warnings end
  local message, is_warning = steps.fault(scenario, previous_status, payload[path])
  if not message then return faults, warnings end
  local found = { fault.new(path, "transition", message) }
  if is_warning then return faults, append(warnings, found) end
  return append(faults, found), warnings
end

-- Splits warnings into those that follow from AlipayHK's pages, and our own (nil where there are none).
local function split(warnings)
  local theirs, ours = {}, {}
  for _, found in ipairs(warnings or {}) do
    local list = found.ours and ours or theirs
    list[#list + 1] = found
  end
  return theirs, #ours > 0 and ours or nil
end

-- Whether a list of payloads was given in place of one. The two fields tell: a client may have filled in others.
local function is_list(description, payload)
  return rawget(payload, 1) ~= nil and rawget(payload, description.scenario_field) == nil
    and rawget(payload, description.status_field) == nil
end

local function list_error(description)
  local noun = description.noun
  local found = fault.new("", "type",
    ("expected one %s, a table with its fields by name, found a list: pass each %s by itself"):format(noun, noun))
  return Error.new("invalid", summary(description.name, { found }), { fields = { found } })
end

-- Adds to faults at fields that were filled in which clock their values come from.
local function blame_clock(found, filled, clock)
  for _, entry in ipairs(found or {}) do
    if filled[entry.path] then
      entry.message = ("%s; it was filled in from %s: is that right?"):format(entry.message, clock)
    end
  end
end

-- Merges the faults of the rules with what JSON cannot carry. Where both have one at a place, the rule's is kept; a
-- warning there is dropped.
local function merge(faults, warnings, unwritable)
  return append(faults, elsewhere(unwritable, paths_of(faults))), elsewhere(warnings, paths_of(unwritable))
end

local NO_OPTIONS = {}

local check = {}

-- Checks a payload against its form, which `alipayhk.rules` gives; without a form, only whether JSON can carry it. True
-- and the warnings, nil for none; or nil and an error of kind "invalid".
-- `opts`: those of `schema.check`, whose `notes` get `is_plain`, too; `previous_status`; `strict`: warnings are faults,
-- all but our own; `filled`: the top-level fields that a clock has filled in, as a set, and `clock`, its name.
function check.payload(form, payload, opts)
  opts = opts or NO_OPTIONS
  local description = form and not opts.is_silent and form.description
  if description and is_list(description, payload) then return nil, list_error(description) end
  local faults, warnings, unwritable, is_opaque
  local is_plain = json.is_plain(payload)
  if not is_plain then unwritable, is_opaque = json_faults(payload) end
  -- A virtual table is not checked: its metatable could show other fields than would be sent, or throw.
  if form and not is_opaque then
    faults, warnings = schema.check(form.schema, payload, opts)
    if opts.previous_status and description then
      faults, warnings = check_step(form, payload, opts.previous_status, faults, warnings)
    end
  end
  if unwritable then faults, warnings = merge(faults, warnings, unwritable) end
  if opts.filled then
    blame_clock(faults, opts.filled, opts.clock)
    blame_clock(warnings, opts.filled, opts.clock)
  end
  if opts.strict and warnings then
    local theirs
    theirs, warnings = split(warnings)
    faults = append(faults, theirs)
  end
  if opts.notes then opts.notes.is_plain = is_plain end
  if not faults then return true, warnings end
  return nil, Error.new("invalid", summary(description and description.name or "request", faults), {
    fields = faults,
    warnings = warnings,
  })
end

return check
