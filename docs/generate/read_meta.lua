-- Reads annotations (lua/alipayhk/meta) for the reference and for the spec that holds them to the code: those tags of
-- LuaCATS that are in use here, and an error for any other.
--
-- A model is `{ classes, aliases }`, in order and by name; a class `{ name, parent, description, fields, functions,
-- variable, file }`; an alias `{ name, description, alternatives, file }`; a function `{ name, is_method, description,
-- params, returns }`. Fields, alternatives, parameters and results have `name`, `type`, `is_optional`, `description` as
-- far as they have them.

local list = require "alipayhk.base.list"
local type_text = require "docs.generate.type_text"

local Reader = {}
Reader.__index = Reader

function Reader:fail(message)
  error(("%s:%d: %s"):format(self.file, self.line, message), 0)
end

function Reader:type_and_text(text)
  local kind, rest = type_text.split(text)
  if not kind then self:fail("a type expected: " .. text) end
  return kind, rest
end

-- ---- tags ------------------------------------------------------------------------------------------

local tags = {}

function tags.meta() end

local function add(entries, entry)
  entries[#entries + 1], entries[entry.name] = entry, entry
  return entry
end

function tags.class(self, text)
  local name, parent = text:gsub("^%(exact%) ", ""):match("^([%w_.]+):? ?([%w_.]*)$")
  if not name then self:fail("a class is `NAME` or `NAME: PARENT`") end
  local class = self.model.classes[name] or add(self.model.classes, {
    name = name, parent = parent ~= "" and parent or nil, description = "", fields = {}, functions = {},
  })
  -- Several files may add to a class; it is at home in the one that describes it.
  if self.text ~= "" or not class.file then class.description, class.file = self.text, self.file end
  self.text, self.class = "", class
end

function tags.field(self, text)
  if not self.class then self:fail("a field without a class above it") end
  local key, any = text:match("^(%b[]) (.*)$")
  if key then return self:type_and_text(any) end
  local name, mark, rest = text:match("^([%w_]+)(%??) (.*)$")
  if not name then self:fail("a field is `NAME TYPE` or `NAME? TYPE`") end
  if self.class.fields[name] then self:fail(("%s has two fields %s"):format(self.class.name, name)) end
  local kind, description = self:type_and_text(rest)
  add(self.class.fields, { name = name, type = kind, is_optional = mark == "?", description = description })
end

function tags.alias(self, text)
  local name, rest = text:match("^([%w_.]+) ?(.*)$")
  if self.model.aliases[name] then self:fail("there are two aliases " .. name) end
  self.alias = add(self.model.aliases, { name = name, description = self.text, alternatives = {}, file = self.file })
  self.text = ""
  if rest ~= "" then self.alias.alternatives[1] = { type = self:type_and_text(rest), description = "" } end
end

function tags.param(self, text)
  local name, mark, rest = text:match("^([%w_]+)(%??) (.*)$")
  if not name then self:fail("a parameter is `NAME TYPE` or `NAME? TYPE`") end
  local kind, description = self:type_and_text(rest)
  table.insert(self.params, { name = name, type = kind, is_optional = mark == "?", description = description })
end

-- The first word behind a type is the result's name.
tags["return"] = function(self, text)
  local kind, rest = self:type_and_text(text)
  local name, description = rest:match("^([%w_]+) ?(.*)$")
  table.insert(self.returns, { name = name, type = kind, description = description or rest })
end

-- ---- lines -----------------------------------------------------------------------------------------

function Reader:reset()
  self.text, self.class, self.alias, self.params, self.returns = "", nil, nil, {}, {}
end

function Reader:annotation(text)
  local tag, rest = text:match("^@(%a+) ?(.*)$")
  if tag then
    if not tags[tag] then self:fail("the generator knows no tag @" .. tag) end
    return tags[tag](self, rest)
  end
  local alternative = text:match("^| (.*)$")
  if alternative then
    if not self.alias then self:fail("an alternative without an alias above it") end
    local kind, description = self:type_and_text(alternative)
    table.insert(self.alias.alternatives, { type = kind, description = (description:gsub("^# ", "")) })
    return
  end
  if self.class or self.alias or #self.params > 0 then self:fail("a description stands above the tags") end
  self.text = self.text .. (self.text ~= "" and "\n" or "") .. text
end

local function names_of(params)
  return table.concat(list.names(params), ", ")
end

function Reader:func(owner, sign, name, params)
  local class = self.variables[owner] or self:fail("no class belongs to the variable " .. owner)
  if params ~= names_of(self.params) then self:fail(("its tags @param are (%s)"):format(names_of(self.params))) end
  if class.functions[name] then self:fail(("%s has two functions %s"):format(class.name, name)) end
  add(class.functions, {
    name = name, is_method = sign == ":", description = self.text, params = self.params, returns = self.returns,
  })
end

function Reader:code(line)
  local variable = line:match("^local ([%w_]+) = {}$")
  if variable then
    if not self.class then self:fail("a table without a class above it") end
    self.variables[variable], self.class.variable = self.class, variable
    return
  end
  local owner, sign, name, params = line:match("^function ([%w_]+)([.:])([%w_]+)%(([%w_, ]*)%) end$")
  if owner then return self:func(owner, sign, name, params) end
  if not line:find("^return [%w_]+$") then self:fail("no annotation, and no code that belongs into one: " .. line) end
end

-- Adds what a file says to a model.
local function read(model, file, source)
  local self = setmetatable({ model = model, file = file, line = 0, variables = {} }, Reader)
  self:reset()
  for line in source:gmatch("([^\n]*)\n") do
    self.line = self.line + 1
    local annotation = line:match("^%-%-%-(.*)$")
    if annotation then
      self:annotation(annotation)
    else
      if line ~= "" and not line:find("^%-%-") then self:code(line) end
      self:reset()
    end
  end
  return model
end

return { new = function() return { classes = {}, aliases = {} } end, read = read }
