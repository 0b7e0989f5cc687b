--- Checks a table against a description of its fields; knows no AlipayHK field.
--
-- A description is a list of fields `{ path, type, required, max_length, unit, enum, keys, filled,
-- personal }`, paths with dots, `{...}` standing for any key of an object. It is compiled once into a
-- tree; a check then costs one walk over that tree.
-- @module alipayhk.schema

local core = require "alipayhk.core"
local json = require "alipayhk.json"
local suggest = require "alipayhk.suggest"

local utf8_length = core.utf8_length
local concat, sort = table.concat, table.sort

local schema = {}

-- 1973 in milliseconds, and 1973 in seconds: between the two a number plainly is seconds.
local MS_MIN, SECONDS_MIN, MS_MAX = 1e11, 1e8, 1e14

local function kind_of(value)
  if value == json.null then return "null" end
  if type(value) ~= "table" then return type(value) end
  return #value > 0 and "list" or "object"
end

local function expected(what, value)
  return "type", ("expected %s, found %s"):format(what, kind_of(value))
end

-- By unit: whether a number can be that. Gives a code and a message where it cannot.
local units = {}

local MS_EXPECTED = "expected milliseconds since the epoch (13 digits), found "

function units.ms(value)
  if value % 1 ~= 0 then return "format", "milliseconds since the epoch are a whole number" end
  if value >= SECONDS_MIN and value < MS_MIN then
    return "format", MS_EXPECTED .. "what looks like seconds: multiply by 1000"
  end
  if value >= MS_MAX then
    return "format", MS_EXPECTED .. "what looks like microseconds: divide by 1000"
  end
  if value < SECONDS_MIN then return "format", MS_EXPECTED .. "a smaller number" end
end

function units.cents(value)
  if value % 1 ~= 0 or value < 0 then return "format", "cents are a whole number from 0 on" end
end

-- By type: whether a value that is there is good. Gives a code and a message where it is not.
local types = {}

function types.string(field, value)
  if type(value) ~= "string" then return expected("a string", value) end
  if value == "" and field.required then return "missing", "required, but empty" end
  -- Characters are never more than bytes. What is no UTF-8 is found with the rest of the JSON.
  if field.max_length and #value > field.max_length then
    local length = utf8_length(value) or 0
    if length > field.max_length then
      return "too_long", ("at most %d characters, found %d"):format(field.max_length, length)
    end
  end
  if field.enum_set and not field.enum_set[value] then
    local found = field.personal and "" or (", found \"%s\""):format(value:sub(1, 40):gsub("%c", "?"))
    return "enum", ("expected one of %s%s%s"):format(concat(field.enum, ", "), found, suggest(value, field.enum))
  end
end

function types.number(field, value)
  local hint = field.unit == "ms" and "a number of milliseconds" or field.unit and "a number of " .. field.unit
  if type(value) ~= "number" then return expected(hint or "a number", value) end
  local unit = units[field.unit]
  if unit then return unit(value) end
end

function types.object(_, value)
  if type(value) ~= "table" or #value > 0 then return expected("an object", value) end
end

function types.array(_, value)
  if type(value) ~= "table" then return expected("a list", value) end
  if next(value) ~= nil and #value == 0 then return expected("a list", value) end
  if next(value) == nil and not json.empty_array then
    return "format", "this build of lua-cjson cannot write an empty list: leave the field out"
  end
end

function types.json_object(_, value)
  if type(value) == "table" and #value == 0 then return nil end
  if type(value) ~= "string" then return expected("a table, or a string of JSON", value) end
  if not value:find("^%s*{") or type(json.decode(value)) ~= "table" then
    return "format", "not the JSON of an object"
  end
end

-- ---- compiling ---------------------------------------------------------------------------------

local function new_node(name)
  return { name = name, children = {}, names = {}, required = {}, rewritten = {}, deep = false }
end

local function descend(node, name)
  if name:sub(1, 1) == "{" then
    node.any = node.any or new_node(name)
    return node.any
  end
  if not node.children[name] then
    node.children[name] = new_node(name)
    node.names[#node.names + 1] = name
  end
  return node.children[name]
end

local function set_of(list)
  if not list then return nil end
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

-- The types whose values may have another form on the wire.
local REWRITTEN = { json_object = true, array = true }
local MARKS = { "filled", "personal" }

local function add_once(list, value)
  for _, present in ipairs(list) do
    if present == value then return end
  end
  list[#list + 1] = value
end

--- Compiles a description.
-- @tparam table fields list of fields
-- @tparam[opt] table any_of groups of top-level fields of which one has to be there
-- @treturn table for `check` and `wire_form`; `filled` and `personal` list the fields marked so
function schema.compile(fields, any_of)
  local root = new_node("")
  local compiled_schema = { root = root, any_of = any_of or {}, filled = {}, personal = {} }
  for _, field in ipairs(fields) do
    local node, parent = root, nil
    for name in field.path:gmatch("[^.]+") do
      parent, node = node, descend(node, name)
      parent.deep = true
      if REWRITTEN[field.type] then add_once(parent.rewritten, node) end
    end
    if field.required then parent.required[#parent.required + 1] = node.name end
    for _, mark in ipairs(MARKS) do
      if field[mark] then
        local list = compiled_schema[mark]
        list[#list + 1] = field
      end
    end
    local compiled = { enum_set = set_of(field.enum), key_set = set_of(field.keys) }
    for key, value in pairs(field) do compiled[key] = value end
    node.field = compiled
    node.check = assert(types[field.type], field.type)
  end
  return compiled_schema
end

-- ---- checking ----------------------------------------------------------------------------------

local check_node

local function check_children(node, value, prefix, add, complete)
  for _, name in ipairs(node.names) do
    check_node(node.children[name], value[name], prefix .. name, add, complete)
  end
  if node.any then
    for key, child in pairs(value) do
      local path = prefix .. tostring(key)
      local key_set = node.field and node.field.key_set
      if key_set and not key_set[key] then
        local keys = node.field.keys
        add(path, "enum", ("expected a key among %s%s"):format(concat(keys, ", "), suggest(key, keys)))
      else
        check_node(node.any, child, path, add, complete)
      end
    end
  end
end

function check_node(node, value, path, add, complete)
  local field = node.field
  if value == nil then
    if field.required and (complete or not field.filled) then add(path, "missing", "required, but absent") end
    return
  end
  local code, message = node.check(field, value)
  if code then
    add(path, code, message)
  elseif type(value) == "table" then
    check_children(node, value, path .. ".", add, complete)
  end
end

local function check_unknown(root, value, add)
  local unknown
  for key in pairs(value) do
    if not root.children[key] then
      unknown = unknown or {}
      unknown[#unknown + 1] = tostring(key)
    end
  end
  if not unknown then return end
  sort(unknown)
  for _, key in ipairs(unknown) do
    local shown = key:sub(1, 64):gsub("%c", "?")
    add(shown, "unknown", "no such field" .. suggest(key, root.names))
  end
end

local function has_one_of(group, value)
  for _, name in ipairs(group) do
    if value[name] ~= nil and value[name] ~= "" then return true end
  end
  return false
end

local function check_groups(groups, value, add)
  for _, group in ipairs(groups) do
    if not has_one_of(group, value) then
      add(group[1], "missing", "one of " .. concat(group, " and ") .. " is required")
    end
  end
end

local passes

-- The same rules as `check_node`, without a word.
local function node_passes(node, value)
  if node.check(node.field, value) then return false end
  return type(value) ~= "table" or not node.deep or passes(node, value)
end

function passes(node, value)
  local children, any = node.children, node.any
  for key, child in next, value do
    local child_node = children[key]
    if not child_node and any then
      local key_set = node.field and node.field.key_set
      if key_set and not key_set[key] then return false end
      child_node = any
    end
    if child_node then
      if not node_passes(child_node, child) then return false end
    elseif not node.field then
      return false -- unknown at the top
    end
  end
  for _, name in ipairs(node.required) do
    if value[name] == nil then return false end
  end
  return true
end

--- The quick question: whether `check` would find no fault in a complete table.
-- @tparam table compiled
-- @tparam table value
-- @treturn boolean
function schema.passes(compiled, value)
  for _, group in ipairs(compiled.any_of) do
    if not has_one_of(group, value) then return false end
  end
  return passes(compiled.root, value)
end

--- Checks a table, reporting every fault.
-- @tparam table compiled
-- @tparam table value
-- @tparam function add `add(path, code, message)`
-- @tparam boolean complete true: what a client would have filled in has to be there
function schema.check(compiled, value, add, complete)
  check_children(compiled.root, value, "", add, complete)
  check_groups(compiled.any_of, value, add)
  check_unknown(compiled.root, value, add)
end

-- ---- the form on the wire ----------------------------------------------------------------------

local wire_value

-- Puts `changed` for one field, in a copy of the table that is made for the first change.
local function replaced(original, copy, key, changed)
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
  if type(value) ~= "table" then return value end
  local kind = node.field and node.field.type
  if kind == "json_object" then return json.encode(value) end
  if kind == "array" then return next(value) == nil and json.empty_array or value end
  local copy = value
  for _, child in ipairs(node.rewritten) do
    if child.name:sub(1, 1) == "{" then
      for key, inner in pairs(value) do copy = replaced(value, copy, key, wire_value(child, inner)) end
    elseif value[child.name] ~= nil then
      copy = replaced(value, copy, child.name, wire_value(child, value[child.name]))
    end
  end
  return copy
end

--- What is to be encoded for a table that passed: inner JSON objects as strings, empty lists as lists.
-- The table itself is left as it is.
function schema.wire_form(compiled, value)
  return wire_value(compiled.root, value)
end

return schema
