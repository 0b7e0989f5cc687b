-- What `make docs` runs: annotations and scenario pages from the data in lua/alipayhk/api, the reference from the
-- annotations, the command's page and manual, and the tables that other pages take from the annotations. Arguments: the
-- folder to write into, laid out as this repository; the pages that have such tables.

local api = require "alipayhk.api"
local api_types = require "docs.generate.api_types"
local command = require "docs.generate.command"
local index = require "docs.generate.index"
local manual = require "alipayhk.cli.manual"
local page = require "docs.generate.page"
local payload_types = require "docs.generate.payload_types"
local read_meta = require "docs.generate.read_meta"
local reference = require "docs.generate.reference"
local rules = require "alipayhk.rules"
local text = require "alipayhk.base.text"

local META, SCENARIOS = "lua/alipayhk/meta/", "docs/scenarios/"

local folder = arg[1]

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

local function write(path, content)
  local file = assert(io.open(folder .. "/" .. path, "wb"))
  assert(file:write(content))
  file:close()
end

local function file_of(scenario)
  return text.lower(scenario.name) .. ".md"
end

local function read_apis()
  local apis = {}
  for i, name in ipairs(api.names) do
    local description = api.by_name[name]
    apis[i] = { description = description, scenarios = {} }
    for j, scenario in ipairs(description.scenarios) do
      local form = rules.alipayhk:form(description, scenario.sample)
      apis[i].scenarios[j] = { scenario = scenario, compiled = form.schema }
    end
  end
  return apis
end

-- What all files of annotations but that of the payloads say; that of the APIs is the one just made.
local function read_annotations(apis, made)
  local model = read_meta.new()
  for _, name in ipairs(reference.files()) do
    read_meta.read(model, name, made[name] or read(META .. name .. ".lua"))
  end
  model.payloads = {}
  for _, entry in ipairs(apis) do model.payloads["alipayhk." .. entry.description.class] = true end
  return model
end

local MARKED = "(<!%-%- made from lua/alipayhk/meta: ([%w_.]+) %-%->\n).-(<!%-%- end %-%->)"

local function with_tables(content, model)
  return (content:gsub(MARKED, function(begin, name, finish)
    return begin .. reference.table(model, name) .. finish
  end))
end

local apis = read_apis()
local made = { apis = api_types(apis), payloads = payload_types(apis) }
local model = read_annotations(apis, made)

for name, content in pairs(made) do write(META .. name .. ".lua", content) end
write("docs/reference.md", reference.page(model))
write("docs/command.md", command())
write("docs/alipayhk.1", manual.page() .. "\n")
write(SCENARIOS .. "README.md", index(apis, file_of))
for _, entry in ipairs(apis) do
  for _, of in ipairs(entry.scenarios) do
    write(SCENARIOS .. file_of(of.scenario), page(entry.description, of.scenario, of.compiled))
  end
end
for i = 2, #arg do
  local given = read(arg[i])
  local filled = with_tables(given, model)
  if filled ~= given then write(arg[i], filled) end
end
