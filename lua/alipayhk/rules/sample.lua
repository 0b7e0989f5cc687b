-- The sample payload of a scenario as text, in Lua or JSON: the fields in the order of their descriptions, other keys
-- behind them.

local sample = {}

local function keys_of(value, node)
  local keys, listed = {}, {}
  for _, child in ipairs(node and node.children or {}) do
    if value[child.name] ~= nil then
      keys[#keys + 1] = child.name
      listed[child.name] = true
    end
  end
  for _, key in ipairs(node and node.field.keys or {}) do
    if value[key] ~= nil then
      keys[#keys + 1] = key
      listed[key] = true
    end
  end
  local others = {}
  for key in pairs(value) do
    if not listed[key] then others[#others + 1] = key end
  end
  table.sort(others)
  for _, key in ipairs(others) do keys[#keys + 1] = key end
  return keys
end

local function node_below(node, key)
  return node and (node.by_name[key] or (type(key) == "number" and node.element or node.each))
end

local function number(value)
  return value % 1 == 0 and ("%.0f"):format(value) or ("%.14g"):format(value)
end

-- Neither language's samples have anything else to escape.
local function quoted(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

local function joined(style, parts, open, close, indent)
  if #parts == 0 then return open .. close end
  if style.is_compact then return open .. table.concat(parts, ",") .. close end
  local inner = open == "[" and "" or " "
  local line = open .. inner .. table.concat(parts, ", ") .. inner .. close
  if #line + #indent <= style.line_max and not line:find("\n") then return line end
  return open .. "\n" .. indent .. "  " .. table.concat(parts, ",\n" .. indent .. "  ") .. style.trailing
    .. "\n" .. indent .. close
end

local LUA = { key = function(key) return key .. " = " end, list = { "{", "}" }, line_max = 100, trailing = "," }
local JSON = {
  key = function(key) return quoted(key) .. ": " end, list = { "[", "]" }, line_max = 100, trailing = "",
  encodes = true,
}
local PASSED_JSON = { key = JSON.key, list = JSON.list, line_max = JSON.line_max, trailing = "" }
local COMPACT_JSON = { key = function(key) return quoted(key) .. ":" end, list = { "[", "]" }, is_compact = true }

local write

local function write_list(style, value, node, indent)
  local parts = {}
  for i, entry in ipairs(value) do parts[i] = write(style, entry, node_below(node, i), indent .. "  ") end
  return joined(style, parts, style.list[1], style.list[2], indent)
end

local function write_object(style, value, node, indent)
  local parts = {}
  for i, key in ipairs(keys_of(value, node)) do
    parts[i] = style.key(key) .. write(style, value[key], node_below(node, key), indent .. "  ")
  end
  return joined(style, parts, "{", "}", indent)
end

-- `node` is the description of the value, nil where there is none.
function write(style, value, node, indent)
  local kind = node and node.field.type
  if type(value) == "number" then return number(value) end
  if type(value) == "string" then return quoted(value) end
  if type(value) ~= "table" then return tostring(value) end
  if #value > 0 or kind == "array" then return write_list(style, value, node, indent) end
  if style.encodes and kind == "json_object" then return quoted(write_object(COMPACT_JSON, value, node, "")) end
  return write_object(style, value, node, indent)
end

-- The payload as a program writes it, without what the client fills in: a requestId that stands in a program's text
-- would be the same for every order. `compiled`: the scenario's fields.
function sample.as_written(scenario, compiled)
  local payload = {}
  for name, value in pairs(scenario.sample) do payload[name] = value end
  for _, field in ipairs(compiled.filled) do payload[field.path] = nil end
  return payload
end

-- A payload as a Lua table constructor.
function sample.lua(payload, compiled)
  return write(LUA, payload, compiled.root, "")
end

-- As JSON, in the form on the wire: an object that travels as a string is one.
function sample.json(payload, compiled)
  return write(JSON, payload, compiled.root, "")
end

-- As JSON, in the form in which a caller passes it: an object that travels as a string is an object.
function sample.passed(payload, compiled)
  return write(PASSED_JSON, payload, compiled.root, "")
end

return sample
