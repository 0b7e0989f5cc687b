--- What a compiled description knows of the values in a table: their form on the wire, and which are
-- personal.
-- @module alipayhk.schema.values

local core = require "alipayhk.core"
local json = require "alipayhk.json"

local values = {}

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
  if kind == "array" and next(value) == nil then return json.empty_array end
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
function values.wire_form(compiled, value)
  return wire_value(compiled.root, value)
end

-- ---- personal values ---------------------------------------------------------------------------

local collect

local function collect_below(node, value, found)
  for _, child in ipairs(node.children) do collect(child, value[child.name], found) end
  local each = node.each or node.element
  if not each then return end
  for key, inner in pairs(value) do
    if not node.by_name[key] then collect(each, inner, found) end
  end
end

function collect(node, value, found)
  if not node.holds_personal then return end
  if type(value) == "string" and node.field.type == "json_object" then value = json.decode(value) end
  if type(value) == "table" then
    collect_below(node, value, found)
  elseif node.field.personal and type(value) == "number" then
    found[#found + 1] = core.json_number(value)
  elseif node.field.personal and type(value) == "string" and value ~= "" then
    found[#found + 1] = value
  end
end

--- The personal values in a table, as texts that no message may have.
-- @treturn table list of strings
function values.personal(compiled, value)
  local found = {}
  collect(compiled.root, value, found)
  return found
end

return values
