-- Annotations of the payloads: a class for each scenario's, an alias for each API's.

local SCALARS = { string = "string", number = "number", any = "any" }

local function alternatives(values)
  return '"' .. table.concat(values, '"|"') .. '"'
end

local classes

-- The type of a field; classes of the tables in it go to `out` first. `literals`: the value that one has.
local function type_of(node, name, out, literals)
  local field = node.field
  if literals[field.path] then return alternatives { literals[field.path] } end
  if field.enum then return alternatives(field.enum) end
  if SCALARS[field.type] then return SCALARS[field.type] end
  if field.type == "array" then
    return (node.element and type_of(node.element, name, out, literals) or "any") .. "[]"
  end
  if node.each then
    local inner = type_of(node.each, name, out, literals)
    if node.each.field.type == "json_object" then inner = inner .. "|string" end
    local key = field.keys and alternatives(field.keys) or "string"
    return ("table<%s, %s>"):format(key, inner)
  end
  if #node.children == 0 or field.money then return "table" end
  classes(node, name, out, literals)
  return name
end

local function description_of(field)
  local note = field.note and field.note:match("^[^.;]*") or ""
  local unit = field.unit and (field.unit == "ms" and "milliseconds" or field.unit) or field.format
  return table.concat({ note, unit }, note ~= "" and unit and "; " or "")
end

-- Any other key is allowed below the top.
function classes(node, name, out, literals)
  local lines = { "---@class " .. name }
  if node.name == "" then lines[1] = "---@class (exact) " .. name end
  for _, child in ipairs(node.children) do
    local field = child.field
    local is_needed = field.required and not field.filled and field.confidence ~= "INFERRED"
    local kind = type_of(child, name .. "." .. child.name, out, literals)
    local line = ("---@field %s%s %s %s"):format(child.name, is_needed and "" or "?", kind, description_of(field))
    lines[#lines + 1] = line:gsub("%s+$", "")
  end
  if node.name ~= "" then lines[#lines + 1] = "---@field [string] any" end
  out[#out + 1] = table.concat(lines, "\n")
end

local HEAD = [[
---@meta _
-- Made from lua/alipayhk/api by `make docs`: the payloads of every scenario. Never loaded.]]

-- `apis`: a list of `{ description, scenarios = { { scenario, compiled } } }`. Gives Lua source.
return function(apis)
  local out = { HEAD }
  for _, api in ipairs(apis) do
    local of_scenarios = {}
    for i, entry in ipairs(api.scenarios) do
      of_scenarios[i] = ("alipayhk.%s.%s"):format(api.description.name, entry.scenario.name)
      classes(entry.compiled.root, of_scenarios[i], out, { [api.description.scenario_field] = entry.scenario.name })
    end
    out[#out + 1] = ("---@alias alipayhk.%s\n---| %s"):format(
      api.description.class, table.concat(of_scenarios, "\n---| "))
  end
  return table.concat(out, "\n\n") .. "\n"
end
