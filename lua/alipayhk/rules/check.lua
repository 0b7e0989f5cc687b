-- Checks a payload, and gives all its faults in one error: by the rules of its scenario, by the step from the previous
-- status, and by what JSON can carry.

local Error = require "alipayhk.base.error"
local fault = require "alipayhk.base.fault"
local json = require "alipayhk.base.json"
local schema = require "alipayhk.schema"
local steps = require "alipayhk.rules.steps"
local text = require "alipayhk.base.text"

-- How many faults the error's message shows; how many bytes of a fault's path are kept.
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

-- What JSON cannot carry: faults sorted by path, because the order of a table's keys differs from run to run; and
-- whether a table was not looked into.
local function json_faults(payload)
  local faults = {}
  local is_opaque = json.inspect(payload, function(path, code, message)
    faults[#faults + 1] = fault.new(text.shown(path, PATH_MAX), code, message)
  end)
  table.sort(faults, by_place)
  -- A table may have many bad keys: one fault of each code is enough for a path.
  local kept, last = {}, nil
  for _, found in ipairs(faults) do
    if not last or found.path ~= last.path or found.code ~= last.code then kept[#kept + 1] = found end
    last = found
  end
  return kept, is_opaque
end

-- Appends to a list; either may be nil. Gives nil if there is nothing in it.
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

-- The faults at other paths than these; nil if there are none.
local function elsewhere(faults, paths)
  local kept = {}
  for _, found in ipairs(faults or {}) do
    if not paths[found.path] then kept[#kept + 1] = found end
  end
  return #kept > 0 and kept or nil
end

-- Checks the step to the payload's status, if its scenario is known and the status itself is right.
local function check_step(form, payload, previous_status, faults, warnings)
  local scenario, path = form.scenario, form.description.status_field
  if not scenario or paths_of(faults)[path] then return faults, warnings end
  local message, is_warning = steps.fault(scenario, previous_status, payload[path])
  if not message then return faults, warnings end
  local found = { fault.new(path, "transition", message) }
  if is_warning then return faults, append(warnings, found) end
  return append(faults, found), warnings
end

-- Splits warnings: those by AlipayHK's pages, and our own, nil if there are none.
local function split(warnings)
  local theirs, ours = {}, {}
  for _, found in ipairs(warnings or {}) do
    local list = found.ours and ours or theirs
    list[#list + 1] = found
  end
  return theirs, #ours > 0 and ours or nil
end

-- Whether somebody passes a list of payloads in place of one. Without this test the message would be that all fields
-- are missing. A client may have filled in fields, but never these two.
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

-- The caller did not give the values that the client filled in, so the messages name the clock they come from.
local function blame_clock(found, filled, clock)
  for _, entry in ipairs(found or {}) do
    if filled[entry.path] then
      entry.message = ("%s; it was filled in from %s: is that right?"):format(entry.message, clock)
    end
  end
end

-- Joins the faults by the rules and those of the JSON. At the same path, a fault by a rule makes one of the JSON
-- superfluous, and one of the JSON makes a warning superfluous.
local function merge(faults, warnings, unwritable)
  return append(faults, elsewhere(unwritable, paths_of(faults))), elsewhere(warnings, paths_of(unwritable))
end

local NO_OPTIONS = {}

local check = {}

-- Checks a payload against `form`, which `Rules:form` gives for it; without a form, only whether JSON can carry it.
-- Gives true and a list of warnings, nil if there are none; or nil and an error of kind "invalid". `opts`: those of
-- `schema.check`, and
--
--   previous_status   the status of the event before, to check the step from it
--   strict            all warnings count as faults, except our own
--   filled, clock     a set of the top-level fields that were filled in from a clock, and what messages call that clock
--   notes             as in `schema.check`; `is_plain` is set, too: whether `json.is_plain` holds for the payload
function check.payload(form, payload, opts)
  opts = opts or NO_OPTIONS
  local description = form and not opts.is_silent and form.description
  if description and is_list(description, payload) then return nil, list_error(description) end
  local faults, warnings, unwritable, is_opaque
  local is_plain = json.is_plain(payload)
  if not is_plain then unwritable, is_opaque = json_faults(payload) end
  -- A metatable could show other fields than would be sent, or throw.
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
