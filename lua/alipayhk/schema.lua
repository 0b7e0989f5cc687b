--- Checks a table against a description of its fields; knows no AlipayHK field.
--
-- A description is a list of fields as `alipayhk.schema.fields` says, paths with dots: `{...}` stands
-- for any key of an object, `[]` for each element of a list. It is compiled once into a tree; a check is
-- one walk over that tree, and makes no garbage beyond the faults it finds.
-- @module alipayhk.schema

local json = require "alipayhk.json"
local suggest = require "alipayhk.suggest"
local types = require "alipayhk.schema.types"

local concat, sort = table.concat, table.sort

local schema = {}

-- ---- compiling ---------------------------------------------------------------------------------

-- children, by_name: the fields below, in the order of the description
-- each:              the field that stands for any key, `{...}`
-- element:           the field that stands for each element, `[]`
-- rewritten:         something in it may have another form on the wire
local function new_node(name)
  return { name = name, children = {}, by_name = {} }
end

local function child_of(node, name)
  if name == "[]" then
    node.element = node.element or new_node(name)
    return node.element
  elseif name:sub(1, 1) == "{" then
    node.each = node.each or new_node(name)
    return node.each
  elseif not node.by_name[name] then
    local child = new_node(name)
    node.by_name[name] = child
    node.children[#node.children + 1] = child
  end
  return node.by_name[name]
end

local function set_of(list)
  if not list then return nil end
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

-- Which codes of a field's faults are no more than advice: true for all of them.
local function advice_of(field)
  if field.confidence == "INFERRED" then return true end
  return field.inferred and set_of(field.inferred)
end

-- The types whose values may have another form on the wire.
local REWRITTEN = { json_object = true, array = true }
local MARKS = { "filled", "personal" }

local function names_required_in(node)
  local names = {}
  for _, child in ipairs(node.children) do
    if child.field.required then names[#names + 1] = child.name end
  end
  return names
end

local function finish(node)
  for _, child in ipairs(node.children) do finish(child) end
  if node.each then finish(node.each) end
  if node.element then finish(node.element) end
  local field = node.field
  node.deep = #node.children > 0 or node.each ~= nil or node.element ~= nil or field.keys ~= nil
  node.check = types[field.type](field, names_required_in(node))
  node.advice = advice_of(field)
  node.required_when, node.expected_when = set_of(field.required_when), set_of(field.expected_when)
  node.key_set = set_of(field.keys)
end

--- Compiles a description.
-- @tparam table fields list of fields, an object or list before what is in it
-- @tparam table opts `any_of`: groups of top-level fields of which one has to be there;
--   `case`: the top-level field by whose value `required_when` goes; `title`: whose fields they are
-- @treturn table for `check` and `wire_form`; `filled` and `personal` list the fields marked so
function schema.compile(fields, opts)
  local root = new_node("")
  root.field = { type = "object" }
  local compiled = { root = root, any_of = opts.any_of or {}, case = opts.case, title = opts.title }
  for _, mark in ipairs(MARKS) do compiled[mark] = {} end
  for _, field in ipairs(fields) do
    local node = root
    for name in field.path:gsub("%[%]", ".[]"):gmatch("[^.]+") do
      if REWRITTEN[field.type] then node.rewritten = true end
      node = child_of(node, name)
    end
    node.rewritten = node.rewritten or REWRITTEN[field.type]
    node.field = field
    for _, mark in ipairs(MARKS) do
      if field[mark] then compiled[mark][#compiled[mark] + 1] = field end
    end
  end
  finish(root)
  return compiled
end

-- ---- reporting ---------------------------------------------------------------------------------

-- What a walk needs; kept for the next one, for a check is not to make garbage.
local idle

local function new_state(case, complete)
  local state = idle or { path = {} }
  idle = nil
  state.case, state.complete, state.is_encoded = case, complete, false
  state.faults, state.advice = nil, nil
  return state
end

-- Keys of objects are strings in it, indices of lists numbers.
local function path_of(state, depth, key)
  local parts = {}
  for i = 1, depth + 1 do
    local part = state.path[i]
    if i > depth then part = key end
    if type(part) == "number" then
      parts[i] = ("[%d]"):format(part)
    else
      parts[i] = (i > 1 and "." or "") .. part:sub(1, 64):gsub("%c", "?")
    end
  end
  return concat(parts)
end

local function report(state, depth, key, code, message, is_advice)
  local list = is_advice and "advice" or "faults"
  state[list] = state[list] or {}
  local faults = state[list]
  faults[#faults + 1] = { path = path_of(state, depth, key), code = code, message = message }
end

-- ---- checking ----------------------------------------------------------------------------------

local walk

local function visit(node, value, key, state, depth)
  local code, message, decoded = node.check(value, state.is_encoded)
  if code then
    local advice = node.advice
    report(state, depth, key, code, message, advice == true or advice and advice[code])
  elseif decoded then
    local was_encoded = state.is_encoded
    state.path[depth + 1], state.is_encoded = key, true
    walk(node, decoded, state, depth + 1)
    state.is_encoded = was_encoded
  elseif node.deep and type(value) == "table" then
    state.path[depth + 1] = key
    walk(node, value, state, depth + 1)
  end
end

-- Whether a field has to be there: nil, "required", or "expected" where that is advice.
local function need_of(node, state)
  local field, case = node.field, state.case
  local need
  if field.required or node.required_when and node.required_when[case] then
    need = node.advice == true and "expected" or "required"
  elseif field.expected or node.expected_when and node.expected_when[case] then
    need = "expected"
  end
  if field.filled and not state.complete then return nil end
  return need
end

-- A field by another spelling is the likeliest reason for one that is missing.
local function misspelt(node, holder, name)
  local others = {}
  for key in pairs(holder) do
    if not node.by_name[key] then others[#others + 1] = key end
  end
  sort(others, function(a, b) return tostring(a) < tostring(b) end)
  return (suggest(name, others):gsub("^, did you mean", ": is it"):gsub("%c", "?"))
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
  local when = (node.required_when or node.expected_when) and state.case
    and (" for %s"):format(state.case:sub(1, 40):gsub("%c", "?")) or ""
  local message = ("%s%s, but %s"):format(need, when, value == "" and "empty" or "absent")
  if value == nil then message = message .. misspelt(parent, holder, name) end
  report(state, depth, name, "missing", message, need == "expected")
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local function has_other_keys(value, set)
  for key in next, value do
    if not set[key] then return true end
  end
  return false
end

-- The keys of an object whose keys are listed.
local function walk_listed_keys(node, value, state, depth)
  local keys, key_set, each = node.field.keys, node.key_set, node.each
  if has_other_keys(value, key_set) then
    for _, key in ipairs(sorted_keys(value)) do
      if not key_set[key] then
        local message = ("expected a key among %s%s"):format(concat(keys, ", "), suggest(key, keys))
        report(state, depth, tostring(key), "enum", message, node.advice == true)
      end
    end
  end
  for i = 1, each and #keys or 0 do
    local inner = value[keys[i]]
    if inner ~= nil then visit(each, inner, keys[i], state, depth) end
  end
end

function walk(node, value, state, depth)
  local children = node.children
  for i = 1, #children do
    local child = children[i]
    local name = child.name
    local inner = value[name]
    if inner == nil or inner == "" then
      visit_empty(child, node, value, state, depth)
    else
      visit(child, inner, name, state, depth)
    end
  end
  if node.key_set then
    walk_listed_keys(node, value, state, depth)
  elseif node.each then
    for _, key in ipairs(sorted_keys(value)) do
      if not node.by_name[key] then visit(node.each, value[key], tostring(key), state, depth) end
    end
  elseif node.element then
    for i = 1, #value do visit(node.element, value[i], i, state, depth) end
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
  local names = {}
  for i, child in ipairs(root.children) do names[i] = child.name end
  local message = compiled.title and compiled.title .. " has no such field" or "no such field"
  for _, key in ipairs(sorted_keys(value)) do
    if not root.by_name[key] then
      report(state, 0, tostring(key), "unknown", message .. suggest(key, names))
    end
  end
end

--- Checks a table without metatables in it, reporting every fault, in the order of the description.
-- @tparam table compiled
-- @tparam table value
-- @tparam boolean complete true: what a client would have filled in has to be there
-- @treturn ?table faults `{ path, code, message }`
-- @treturn ?table advice: the faults against what is only inferred
function schema.check(compiled, value, complete)
  local case = compiled.case and value[compiled.case]
  local state = new_state(type(case) == "string" and case or nil, complete)
  walk(compiled.root, value, state, 0)
  check_groups(compiled.any_of, value, state)
  check_unknown(compiled, value, state)
  local faults, advice = state.faults, state.advice
  idle = state
  return faults, advice
end

-- ---- the form on the wire ----------------------------------------------------------------------

local wire_value

-- Puts the wire form of one value, in a copy of the table that is made for the first change.
local function replaced(node, original, copy, key)
  local changed = wire_value(node, original[key])
  if changed == original[key] then return copy end
  if copy == original then
    copy = {}
    for k, v in pairs(original) do copy[k] = v end
  end
  copy[key] = changed
  return copy
end

-- Gives the value itself where nothing in it has to change.
function wire_value(node, value)
  if type(value) ~= "table" or not node.rewritten then return value end
  local kind = node.field.type
  if kind == "array" and next(value) == nil then return json.empty_array or value end
  local copy = value
  for _, child in ipairs(node.children) do
    if child.rewritten and value[child.name] ~= nil then copy = replaced(child, value, copy, child.name) end
  end
  local each = node.each or node.element
  if each and each.rewritten then
    for key in pairs(value) do
      if not node.by_name[key] then copy = replaced(each, value, copy, key) end
    end
  end
  return kind == "json_object" and json.encode(copy) or copy
end

--- What is to be encoded for a table that passed: inner JSON objects as strings, empty lists as lists.
-- The table itself is left as it is.
function schema.wire_form(compiled, value)
  return wire_value(compiled.root, value)
end

return schema
