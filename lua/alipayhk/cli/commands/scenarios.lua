-- What is known about each scenario, out of the data that payloads are checked by.

local function loaded()
  return {
    api = require "alipayhk.api",
    failure = require "alipayhk.cli.failure",
    rules = require "alipayhk.rules",
    sample = require "alipayhk.rules.sample",
    steps = require "alipayhk.rules.steps",
  }
end

-- A visit to each scenario, with its API.
local function each(use, visit)
  for _, name in ipairs(use.api.names) do
    local description = use.api.by_name[name]
    for _, scenario in ipairs(description.scenarios) do visit(scenario, description) end
  end
end

-- ---- all of them -------------------------------------------------------------------------------------

local function list_all(use, out)
  each(use, function(scenario, description)
    out:result({
      { "name", scenario.name }, { "api", description.name }, { "title", scenario.title },
      { "summary", scenario.summary }, { "statuses", #scenario.statuses },
    }, ("%-24s %-14s %s"):format(scenario.name, description.name, scenario.summary))
  end)
end

-- ---- one ---------------------------------------------------------------------------------------------

local function find(use, name)
  local found, of
  each(use, function(scenario, description)
    if scenario.name == name then found, of = scenario, description end
  end)
  return found, of
end

local function names()
  local list = {}
  each({ api = require "alipayhk.api" }, function(scenario) list[#list + 1] = scenario.name end)
  return list
end

-- When a field has to be there.
local function required_text(field)
  if field.required_when then return "for " .. table.concat(field.required_when, ", ") end
  if not field.required then return "" end
  return field.filled and "filled in" or field.confidence == "INFERRED" and "expected" or "required"
end

local function as_objects(use, out, scenario, fields)
  for _, status in ipairs(scenario.statuses) do
    out:object {
      { "status", status.name }, { "meaning", status.meaning }, { "confidence", status.confidence },
      { "may_follow", use.steps.after(scenario, status.name) },
    }
  end
  for _, field in ipairs(fields) do
    out:object {
      { "field", field.path }, { "type", field.type }, { "required", required_text(field) },
      { "form", field.format or field.unit }, { "max_length", field.max_length }, { "enum", field.enum },
      { "confidence", field.confidence }, { "note", field.note },
    }
  end
end

local function form_text(field)
  return field.enum and table.concat(field.enum, ", ") or field.format or field.unit or ""
end

local function as_text(use, out, scenario, description, fields)
  out:line("%s: %s", out:paint("bold", scenario.name), scenario.summary)
  out:line("%s, %s = %q", description.title, description.scenario_field, scenario.name)
  out:line("\n%s, and what may follow each", out:paint("bold", "Statuses"))
  for _, status in ipairs(scenario.statuses) do
    local following = table.concat(use.steps.after(scenario, status.name), ", ")
    out:line("  %-20s %s\n  %-20s -> %s", status.name, status.meaning, "", following ~= "" and following or "nothing")
  end
  out:line("\n%s", out:paint("bold", "Fields"))
  for _, field in ipairs(fields) do
    out:line("  %-38s %-11s %-11s %-9s %s", field.path, field.type, required_text(field), field.confidence,
      form_text(field))
  end
  for _, entry in ipairs(scenario.unknown or {}) do
    out:line("  in %s, under keys that no page shows: %s", entry.where, entry.note)
  end
  out:line("\n%s: on an official page, and enforced. %s: follows from related pages, and gives a warning.",
    out:paint("bold", "SEEN"), out:paint("bold", "INFERRED"))
end

local function show(use, out, given)
  local scenario, description = find(use, given.name)
  local compiled = use.rules.alipayhk:form(description, scenario.sample).schema
  if given.sample then
    return out:line("%s", use.sample[given.sample](use.sample.as_written(scenario, compiled), compiled))
  end
  local fields = use.rules.fields(description, scenario)
  if out.is_json then return as_objects(use, out, scenario, fields) end
  as_text(use, out, scenario, description, fields)
end

local function run(given, out)
  local use = loaded()
  if given.name then return show(use, out, given) end
  if given.sample then use.failure.usage("scenarios: --sample of which? Name one; alipayhk scenarios lists them") end
  list_all(use, out)
end

return {
  name = "scenarios",
  summary = "list the scenarios; or the statuses, steps and fields of one, or a sample of it",
  about = { [[SEEN is spelled out on an official page and enforced; INFERRED follows from a related page and gives a
warning, a fault under --strict; NOT FOUND is never enforced.]] },
  examples = {
    { "alipayhk scenarios MOVIE_TICKET", "its statuses, steps and fields" },
    { "alipayhk scenarios MOVIE_TICKET --sample json > order.json", "a payload to begin with" },
  },
  arguments = { { name = "NAME", count = "?", choices = names, about = "a scenario, such as MOVIE_TICKET" } },
  options = {
    { "--sample", value = "FORM", choices = { "lua", "json" }, about = "a complete payload, as lua or json" },
  },
  groups = { "output" },
  run = run,
}
