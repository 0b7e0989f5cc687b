-- Compiles a description into a tree, for the checks of `alipayhk.schema`. A node has
--
--   field, check        its field, and the check of `alipayhk.schema.types` for it
--   children, by_name   the nodes of named fields, in the order of the description and by name
--   each, element       the node for any key of an object, `{...}`; for each element of a list, `[]`
--   deep                whether there is anything to check below it
--   leaf_check          its check, where a check is all that its value needs; nil otherwise
--   warns               the codes of its faults that are only warnings
--   later               the children with `not_before`, each with the child that it names
--   ours                whether every fault of it is a slip
--   required_when, expected_when, except_when, key_set   lists of the field, as sets

local list = require "alipayhk.base.list"
local types = require "alipayhk.schema.types"

local tree = {}

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

-- The codes of a field's faults that are only warnings, as a set.
local function warnings_of(field)
  if field.confidence == "INFERRED" then return setmetatable({}, { __index = function() return true end }) end
  return list.set(field.inferred) or {}
end

local function names_required_in(node)
  local names = {}
  for _, child in ipairs(node.children) do
    if child.field.required then names[#names + 1] = child.name end
  end
  return names
end

-- The keys that a `money` object probably has. No page shows them, so what is wrong there is only a slip.
local MONEY = { { name = "value", unit = "cents" }, { name = "currency", format = "ISO 4217" } }

local function add_money(node)
  for _, key in ipairs(MONEY) do
    local child = child_of(node, key.name)
    if not child.field then
      child.field = { path = node.field.path .. "." .. key.name, type = "string", unit = key.unit, format = key.format }
      child.ours = true
    end
  end
end

-- The children that cannot be before another one; nil if there are none.
local function later_children(node)
  local later
  for _, child in ipairs(node.children) do
    local other = child.field.not_before and node.by_name[child.field.not_before]
    if other then
      later = later or {}
      later[#later + 1] = { child = child, other = other }
    end
  end
  return later
end

local function finish(node)
  if node.field.money then add_money(node) end
  for _, child in ipairs(node.children) do finish(child) end
  if node.each then finish(node.each) end
  if node.element then finish(node.element) end
  local field = node.field
  node.deep = #node.children > 0 or node.each ~= nil or node.element ~= nil or field.keys ~= nil
  node.check = types[field.type](field, names_required_in(node))
  local is_leaf = (field.type == "string" or field.type == "number") and not node.deep and not field.personal
  node.leaf_check = is_leaf and node.check or nil
  node.warns = warnings_of(field)
  node.later = later_children(node)
  node.except_when = list.set(field.except_when)
  node.required_when, node.expected_when = list.set(field.required_when), list.set(field.expected_when)
  node.key_set = list.set(field.keys)
end

local function add(root, field)
  local node = root
  for name in field.path:gsub("%[%]", ".[]"):gmatch("[^.]+") do node = child_of(node, name) end
  node.field = field
end

-- Compiles a description. `fields`: a list, an object or list before the fields in it. `opts`: `any_of`, groups of
-- top-level fields of which one is required; `case`, the top-level field whose value decides about `required_when` and
-- the like; `title`, what messages call the whole. Gives a table with the `root`, the `filled` fields, and the options.
function tree.compile(fields, opts)
  local root = new_node("")
  root.field = { type = "object" }
  local compiled = { root = root, any_of = opts.any_of or {}, case = opts.case, title = opts.title, filled = {} }
  for _, field in ipairs(fields) do
    add(root, field)
    if field.filled then compiled.filled[#compiled.filled + 1] = field end
  end
  finish(root)
  return compiled
end

return tree
