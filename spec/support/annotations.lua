--- The annotations in lua/alipayhk/meta, and real values held to them.
--
--     local seen = annotations.witness()
--     assert.same({}, seen:faults(response, "alipayhk.Response"))
--     assert.same({}, seen:unseen("alipayhk.Response"))     -- fields that no value had so far

local read_meta = require "docs.generate.read_meta"
local shell = require "spec.support.shell"
local type_text = require "docs.generate.type_text"

local annotations = { FOLDER = "lua/alipayhk/meta" }

--- The paths of the files.
function annotations.files()
  local files = {}
  for name in shell.must("ls " .. annotations.FOLDER):gmatch("[^\n]+") do
    files[#files + 1] = annotations.FOLDER .. "/" .. name
  end
  return files
end

local model = read_meta.new()
for _, path in ipairs(annotations.files()) do read_meta.read(model, path, shell.read(path)) end

annotations.model = model

--- The fields of a class and of those above it, by name.
function annotations.fields(name)
  local fields, class = {}, assert(model.classes[name], name)
  while class do
    for _, field in ipairs(class.fields) do fields[field.name] = field end
    class = model.classes[class.parent]
  end
  return fields
end

--- The keys of a table, sorted.
function annotations.names(list)
  local names = {}
  for name in pairs(list) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- ---- values ------------------------------------------------------------------------------------------

local Witness = {}
Witness.__index = Witness

--- Remembers which fields and alternatives it has seen.
function annotations.witness()
  return setmetatable({ seen = {} }, Witness)
end

function Witness:mark(name, what)
  self.seen[name] = self.seen[name] or {}
  self.seen[name][what] = true
end

local function is_of(kind)
  return function(value) return type(value) == kind end
end

local PLAIN = {
  any = function() return true end,
  ["nil"] = is_of "nil",
  ["true"] = function(value) return value == true end,
  ["false"] = function(value) return value == false end,
  string = is_of "string", number = is_of "number", boolean = is_of "boolean", table = is_of "table",
  integer = function(value) return type(value) == "number" and value % 1 == 0 end,
}

local fits

-- The first thing in a table of one type by keys of another that is not of them.
local function entry_fault(self, value, key_type, value_type, path)
  if type(value) ~= "table" then return path end
  for key, entry in pairs(value) do
    local fault = fits(self, key, key_type, path .. "." .. tostring(key))
      or fits(self, entry, value_type, path .. "." .. tostring(key))
    if fault then return fault end
  end
end

local function class_fault(self, value, name, path)
  if type(value) ~= "table" then return path end
  local fields = annotations.fields(name)
  for _, key in ipairs(annotations.names(value)) do
    local field = fields[key]
    if not field then return ("%s.%s: not a field of %s"):format(path, key, name) end
    self:mark(name, key)
    local fault = fits(self, value[key], field.type, path .. "." .. key)
    if fault then return fault end
  end
  for key, field in pairs(fields) do
    if value[key] == nil and not field.is_optional then return ("%s.%s: is not there"):format(path, key) end
  end
end

-- By one alternative of a type: nil where the value is of it, else the place of what is not.
local function alternative_fault(self, value, kind, path)
  if kind:find("%?$") then return value ~= nil and alternative_fault(self, value, kind:sub(1, -2), path) or nil end
  if kind:find("%[%]$") then return entry_fault(self, value, "integer", kind:sub(1, -3), path) end
  local key_type, value_type = kind:match("^table<([^,]+), (.+)>$")
  if key_type then return entry_fault(self, value, key_type, value_type, path) end
  if kind:find('^"') then return value ~= kind:sub(2, -2) and path or nil end
  if kind:find("^fun%(") then return type(value) ~= "function" and path or nil end
  if model.classes[kind] then return class_fault(self, value, kind, path) end
  local check = assert(PLAIN[kind], "this spec does not know the type " .. kind)
  return not check(value) and ("%s: %s expected"):format(path, kind) or nil
end

-- nil where a value is of a type, else what is wrong with it: the last alternative's word.
function fits(self, value, kind, path)
  local fault
  local alias = model.aliases[kind]
  local alternatives = alias and {} or type_text.alternatives(kind)
  for i, entry in ipairs(alias and alias.alternatives or {}) do alternatives[i] = entry.type end
  for _, alternative in ipairs(alternatives) do
    if model.aliases[alternative] then
      fault = fits(self, value, alternative, path)
    else
      fault = alternative_fault(self, value, alternative, path)
    end
    if not fault then
      if alias then self:mark(kind, alternative) end
      return nil
    end
  end
  return ("%s (%s is no %s)"):format(fault, tostring(value), kind)
end

--- What is wrong with a value of a type: a list of one, or an empty one.
function Witness:faults(value, kind)
  return { fits(self, value, kind, "") }
end

--- The fields of a class, or the alternatives of an alias, that no value has had.
function Witness:unseen(name)
  local known = {}
  if model.aliases[name] then
    for _, entry in ipairs(model.aliases[name].alternatives) do known[entry.type] = true end
  else
    known = annotations.fields(name)
  end
  local unseen = {}
  for _, key in ipairs(annotations.names(known)) do
    if not (self.seen[name] and self.seen[name][key]) then unseen[#unseen + 1] = key end
  end
  return unseen
end

return annotations
