-- What `make docs` runs: the reference pages and the editor annotations, from the data in
-- lua/alipayhk/api. Arguments: the folder for the pages, the file for the annotations.

local annotations = require "docs.generate.annotations"
local api = require "alipayhk.api"
local index = require "docs.generate.index"
local page = require "docs.generate.page"
local rules = require "alipayhk.rules"
local text = require "alipayhk.base.text"

local folder, annotations_file = arg[1], arg[2]

local function write(path, content)
  local file = assert(io.open(path, "w"))
  assert(file:write(content))
  file:close()
end

local function file_of(scenario)
  return text.lower(scenario.name) .. ".md"
end

local apis = {}
for i, name in ipairs(api.names) do
  local description = api.by_name[name]
  apis[i] = { description = description, scenarios = {} }
  for j, scenario in ipairs(description.scenarios) do
    apis[i].scenarios[j] = { scenario = scenario, compiled = rules.alipayhk:form(description, scenario.sample).schema }
  end
end

write(folder .. "/README.md", index(apis, file_of))
write(annotations_file, annotations(apis))
for _, entry in ipairs(apis) do
  for _, of in ipairs(entry.scenarios) do
    write(folder .. "/" .. file_of(of.scenario), page(entry.description, of.scenario, of.compiled))
  end
end
