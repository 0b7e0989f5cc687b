-- Checks a table against a description of its fields; knows no AlipayHK field.
--
-- A description is a list of fields as `alipayhk.schema.fields` says, paths with dots: `{...}` stands
-- for any key of an object, `[]` for each element of a list. It is compiled once into a tree; a check is
-- one walk over that tree, and makes no garbage beyond the faults it finds.

local fault = require "alipayhk.base.fault"
local json = require "alipayhk.base.json"
local list = require "alipayhk.base.list"
local rewrite = require "alipayhk.schema.rewrite"
local slips = require "alipayhk.schema.slips"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"
local tree = require "alipayhk.schema.tree"

local concat, sort = table.concat, table.sort

-- Suggestions are made for so many unknown keys and no more: each takes time.
local SUGGESTED_MAX = 20

local schema = { compile = tree.compile, rewrite = rewrite.apply }

-- ---- reporting ---------------------------------------------------------------------------------

-- The state of a walk. It is kept for the next one, so that a check makes no garbage.
local idle

local function new_state(case, opts)
  local state = idle or { path = {}, keys = {} }
  idle = nil
  state.case, state.complete, state.is_encoded = case, opts.complete, opts.is_encoded
  state.now_ms, state.is_silent = opts.now_ms, opts.is_silent
  state.faults, state.warnings = nil, nil
  state.notes = opts.notes
  return state
end

-- The path as a text. In `state.path` keys of objects are texts, and indices of lists are numbers; `state.keys` has the
-- keys as they are.
local function path_of(state, depth, key)
  local parts = {}
  for i = 1, depth + 1 do
    local part = state.path[i]
    if i > depth then part = key end
    if type(part) == "number" then
      parts[i] = ("[%d]"):format(part)
    else
      parts[i] = (i > 1 and "." or "") .. text.key(part)
    end
  end
  return concat(parts)
end

local function report(state, depth, key, code, message, is_warning, is_ours)
  if state.is_silent then return end
  local kind = is_warning and "warnings" or "faults"
  local found = state[kind] or {}
  state[kind] = found
  found[#found + 1] = fault.new(path_of(state, depth, key), code, message, is_ours)
end

local function report_slip(state, depth, key, message)
  report(state, depth, key, "format", message, true, true)
end

-- ---- checking ----------------------------------------------------------------------------------

local walk

-- Whether a field has to be there: nil, "required", or "expected" where its absence is a warning.
local function need_of(node, state)
  local field, case = node.field, state.case
  local need
  if field.required or node.required_when and node.required_when[case] then
    need = node.warns.missing and "expected" or "required"
  elseif field.expected and not (node.except_when and node.except_when[case])
    or node.expected_when and node.expected_when[case] then
    need = "expected"
  end
  if field.filled and not state.complete then return nil end
  return need
end

local function report_missing(node, state, depth, need, how)
  local when = (node.required_when or node.expected_when) and state.case
    and (" for %s"):format(text.shown(state.case, 40)) or ""
  local message = ("%s%s, but %s"):format(need, when, how)
  report(state, depth, node.name, "missing", message, need == "expected")
end

-- Whether an object with free keys would need some field under each of them.
local function is_required_below(node, case)
  for i = 1, #node.children do
    local child = node.children[i]
    local field = child.field
    local is_required = field.required or child.required_when and child.required_when[case]
    if is_required and not child.warns.missing or is_required_below(child, case) then return true end
  end
  return node.each ~= nil and is_required_below(node.each, case)
end

-- Reports an object with free keys that has no key, where something is required under each.
local function visit_empty_object(node, state, depth)
  local need = need_of(node, state)
  if need and is_required_below(node.each, state.case) then
    local keys = node.field.keys
    local where = keys and (": what is required belongs under %s"):format(concat(keys, " or ")) or ""
    report_missing(node, state, depth, need, "an empty object" .. where)
  end
end

local function report_fault(node, value, key, state, depth, code, message)
  local may_be_absent = node.field.filled or need_of(node, state) ~= "required"
  if value == json.null and code == "type" and may_be_absent then
    message = message .. (node.name == "[]" and ": leave it out" or ": leave the field out")
  end
  report(state, depth, key, code, message, node.ours or node.warns[code], node.ours)
end

local function note_personal(notes, value)
  value = json.id_text(value)
  if not value then return end
  notes.personal = notes.personal or {}
  notes.personal[#notes.personal + 1] = value
end

local function note_rewrite(node, key, state, depth)
  local place = { field = node.field }
  for i = 1, depth do place[i] = state.keys[i] end
  place[depth + 1] = key
  local notes = state.notes
  notes.rewrites = notes.rewrites or {}
  notes.rewrites[#notes.rewrites + 1] = place
end

local function visit(node, value, own_key, state, depth)
  local notes, key = state.notes, own_key
  if type(key) == "number" and node.name ~= "[]" then key = text.key(key) end
  if notes and node.field.personal then note_personal(notes, value) end
  local code, message, decoded = node.check(value, state.is_encoded, state.now_ms)
  if code then
    report_fault(node, value, key, state, depth, code, message)
    if not state.is_silent then return end
  elseif message then
    report_slip(state, depth, key, message)
  end
  if decoded then
    local was_encoded = state.is_encoded
    state.path[depth + 1], state.is_encoded = key, true
    walk(node, decoded, state, depth + 1)
    state.is_encoded = was_encoded
  elseif node.deep and type(value) == "table" then
    if node.each and next(value) == nil then visit_empty_object(node, state, depth) end
    state.path[depth + 1], state.keys[depth + 1] = key, own_key
    walk(node, value, state, depth + 1)
  end
  if notes and not state.is_encoded and rewrite.is_needed(node.field, value) then
    note_rewrite(node, own_key, state, depth)
  end
end

local function by_text(a, b)
  if type(a) == "string" and type(b) == "string" then return a < b end
  return text.key(a) < text.key(b)
end

local function sorted_keys(value)
  local keys = {}
  for key in next, value do keys[#keys + 1] = key end
  sort(keys, by_text)
  return keys
end

-- The likeliest reason for a missing field is a misspelt one.
local function misspelt(node, holder, name)
  local others = {}
  for key in next, holder do
    if not node.by_name[key] then others[#others + 1] = key end
    if #others > SUGGESTED_MAX then return "" end
  end
  sort(others, by_text)
  local nearest = suggest.nearest(name, others)
  return nearest and (": is it \"%s\"?"):format(text.shown(nearest, #nearest)) or ""
end

-- A field that is nil or "".
local function visit_empty(node, parent, holder, state, depth)
  local name = node.name
  local value = holder[name]
  local need = need_of(node, state)
  if value == "" and (not need or node.field.may_be_empty or node.field.type ~= "string") then
    return visit(node, value, name, state, depth)
  end
  if not need then return end
  local how = value == "" and "empty" or "absent" .. misspelt(parent, holder, name)
  report_missing(node, state, depth, need, how)
end

-- Reports times that are before one that they cannot precede; times that have a fault themselves are not compared.
local function check_later(later, value, state, depth)
  for i = 1, #later do
    local child, other = later[i].child, later[i].other
    local late, early = value[child.name], value[other.name]
    if slips.is_before(child.field, late, early) and not child.check(late) and not other.check(early) then
      report_slip(state, depth, child.name, ("this time is before `%s`"):format(other.name))
    end
  end
end

local function has_other_keys(value, set)
  for key in next, value do
    if not set[key] then return true end
  end
  return false
end

-- Visits the value of a key that is not listed: if it is sent all the same, it needs the form of the others.
local function visit_silently(node, value, key, state, depth)
  local was_silent = state.is_silent
  state.is_silent = true
  visit(node, value, key, state, depth)
  state.is_silent = was_silent
end

-- Visits the values of an object whose keys are listed, and reports other keys.
local function walk_listed_keys(node, value, state, depth)
  local keys, key_set, each = node.field.keys, node.key_set, node.each
  if has_other_keys(value, key_set) then
    for i, key in ipairs(sorted_keys(value)) do
      if not key_set[key] then
        local hint = i <= SUGGESTED_MAX and suggest.name(key, keys) or ""
        local message = ("expected a key among %s%s"):format(concat(keys, ", "), hint)
        report(state, depth, text.key(key), "enum", message, node.warns.enum)
        if each then visit_silently(each, value[key], key, state, depth) end
      end
    end
  end
  for i = 1, each and #keys or 0 do
    local inner = value[keys[i]]
    if inner ~= nil then visit(each, inner, keys[i], state, depth) end
  end
end

local function walk_elements(element, value, state, depth)
  if state.is_silent then -- what is no list is sent all the same
    for key, inner in next, value do visit(element, inner, key, state, depth) end
  else
    for i = 1, #value do visit(element, value[i], i, state, depth) end
  end
end

function walk(node, value, state, depth)
  local children, now_ms = node.children, state.now_ms
  for i = 1, #children do
    local child = children[i]
    local name, leaf_check = child.name, child.leaf_check
    local inner = value[name]
    if inner == nil or inner == "" then
      visit_empty(child, node, value, state, depth)
    elseif leaf_check then -- most fields, and right
      local code, message = leaf_check(inner, nil, now_ms)
      if code or message then visit(child, inner, name, state, depth) end
    else
      visit(child, inner, name, state, depth)
    end
  end
  if node.later then check_later(node.later, value, state, depth) end
  if node.key_set then
    walk_listed_keys(node, value, state, depth)
  elseif node.each then
    for _, key in ipairs(sorted_keys(value)) do
      if not node.by_name[key] then
        visit(node.each, value[key], key, state, depth)
      end
    end
  elseif node.element then
    walk_elements(node.element, value, state, depth)
  end
end

local function has_one_of(group, value)
  for i = 1, #group do
    local given = value[group[i]]
    if given ~= nil and given ~= "" then return true end
  end
  return false
end

local function check_groups(groups, value, state)
  for i = 1, #groups do
    if not has_one_of(groups[i], value) then
      report(state, 0, groups[i][1], "missing", "one of " .. concat(groups[i], " and ") .. " is required")
    end
  end
end

local function check_unknown(compiled, value, state)
  local root = compiled.root
  if not has_other_keys(value, root.by_name) then return end
  local names, unknown = list.names(root.children), 0
  local message = compiled.title and compiled.title .. " has no such field" or "no such field"
  for _, key in ipairs(sorted_keys(value)) do
    if not root.by_name[key] then
      unknown = unknown + 1
      local hint = unknown <= SUGGESTED_MAX and suggest.name(key, names) or ""
      report(state, 0, text.key(key), "unknown", message .. hint)
    end
  end
end

-- Checks a table in which no metatable shows other fields: faults and warnings, each nil or a list of
-- `{ path, code, message }` in the order of the description. Slips are warnings that have `ours`.
-- `opts`: `complete`: what a client would have filled in has to be there; `is_encoded`: the table was read from JSON;
-- `now_ms`: the time, the system's when absent; `is_silent`: report nothing; `notes`: a table that gets `personal`, the
-- values that no message may have, and `rewrites` for `schema.rewrite`, each nil where there are none.
function schema.check(compiled, value, opts)
  local case = compiled.case and value[compiled.case]
  local state = new_state(type(case) == "string" and case or nil, opts)
  walk(compiled.root, value, state, 0)
  check_groups(compiled.any_of, value, state)
  check_unknown(compiled, value, state)
  local faults, warnings = state.faults, state.warnings
  state.notes = nil
  idle = state
  return faults, warnings
end

return schema
