-- The reference page of one scenario.

local diagram = require "docs.generate.diagram"
local list = require "alipayhk.base.list"
local pages = require "alipayhk.api.pages"
local sample = require "alipayhk.rules.sample"
local steps = require "alipayhk.rules.steps"
local table_of = require "docs.generate.table"

-- ---- sources: numbered in the order in which a page first names them ---------------------------------

local Sources = {}
Sources.__index = Sources

function Sources:cite(tags)
  local marks = {}
  for i, tag in ipairs(tags) do
    if not self.numbers[tag] then
      self.list[#self.list + 1] = tag
      self.numbers[tag] = #self.list
    end
    marks[i] = ("[%d]"):format(self.numbers[tag])
  end
  return table.concat(marks, ", ")
end

function Sources:section()
  local lines, targets = {}, {}
  for i, tag in ipairs(self.list) do
    lines[i] = ("%d. [%s](%s)"):format(i, tag, pages[tag])
    targets[i] = ("[%d]: %s"):format(i, pages[tag])
  end
  return ("## Sources\n\n%s\n\n%s\n"):format(table.concat(lines, "\n"), table.concat(targets, "\n"))
end

local function listed(names)
  return "`" .. table.concat(names, "`, `") .. "`"
end

-- ---- statuses and steps ------------------------------------------------------------------------

local function statuses(scenario, sources)
  local rows = {}
  for i, status in ipairs(scenario.statuses) do
    local meaning = status.meaning .. (status.note and ". " .. status.note or "")
    local ends = status.ends == "SEEN" and "end" or status.ends and "end (" .. status.ends .. ")" or ""
    rows[i] = {
      "`" .. status.name .. "`", meaning, status.effect or "", ends, status.confidence,
      sources:cite(status.source or scenario.source),
    }
  end
  return "## Statuses\n\n" .. table_of({ "status", "meaning", "in the app", "", "confidence", "source" }, rows)
end

local STATUS_RULES = {
  { property = "only_after", text = "%s comes only after %s." },
  { property = "only_before", text = "After %s only %s may follow." },
}

-- The end statuses, by how sure that is.
local function end_rules(scenario)
  local lines = {}
  for _, confidence in ipairs { "SEEN", "INFERRED" } do
    local names = {}
    for _, status in ipairs(scenario.statuses) do
      if status.ends == confidence then names[#names + 1] = status.name end
    end
    if #names > 0 then lines[#lines + 1] = ("Nothing follows %s (%s)."):format(listed(names), confidence) end
  end
  return table.concat(lines, " ")
end

local function step_rules(description, scenario)
  local lines = {}
  local function add(line)
    if line and line ~= "" then lines[#lines + 1] = line end
  end
  if scenario.steps.confidence == "SEEN" then add(description.steps_note .. " (SEEN)") end
  if scenario.steps.forward_only then
    add(("No going back in the order of the list (%s)."):format(scenario.steps.forward_only))
  end
  for _, status in ipairs(scenario.statuses) do
    for _, rule in ipairs(STATUS_RULES) do
      local others = status[rule.property]
      if others then
        add(rule.text:format("`" .. status.name .. "`", listed(others)) .. (" (%s)"):format(status.confidence))
      end
    end
  end
  add(end_rules(scenario))
  if scenario.steps.confidence == "NOT FOUND" then add("Other rules are not known, so none are enforced.") end
  add(scenario.steps.note)
  add("The same status again is no step.")
  return table.concat(lines, " ")
end

local function may_follow(scenario, status)
  local allowed, inferred = steps.after(scenario, status.name), {}
  for _, other in ipairs(scenario.statuses) do
    if steps.forbidden(scenario, status.name, other.name) == "INFERRED" then inferred[#inferred + 1] = other.name end
  end
  local text = #allowed == 0 and "nothing" or #allowed == #scenario.statuses - 1 and "any other"
    or listed(allowed)
  return text, #inferred > 0 and listed(inferred) or ""
end

local function steps_section(description, scenario, sources)
  local rows, with_warnings = {}, false
  for i, status in ipairs(scenario.statuses) do
    local text, warned = may_follow(scenario, status)
    rows[i] = { "`" .. status.name .. "`", text, warned }
    with_warnings = with_warnings or warned ~= ""
  end
  local header = { "after", "may follow", with_warnings and "gives a warning" or nil }
  return ("## Steps\n\n%s %s\n\n```mermaid\n%s\n```\n\n%s"):format(
    step_rules(description, scenario), sources:cite(scenario.steps.source or scenario.source), diagram(scenario),
    table_of(header, rows))
end

-- ---- fields ------------------------------------------------------------------------------------

local function required_text(field)
  local parts = {}
  if field.required then
    parts[1] = field.filled and "filled in" or field.confidence == "INFERRED" and "expected" or "yes"
  end
  if field.required_when then parts[#parts + 1] = "for " .. listed(field.required_when) end
  if field.expected then parts[#parts + 1] = "expected" end
  if field.expected_when then parts[#parts + 1] = "expected for " .. listed(field.expected_when) end
  return table.concat(parts, "; ")
end

-- What no page asks for, and gives a warning that says so.
local function ours_text(field)
  local parts = {}
  if field.id then parts[#parts + 1] = "an id" end
  if field.tense == "past" then parts[#parts + 1] = "not more than a day ahead" end
  if field.tense == "future" then parts[#parts + 1] = "not passed" end
  if field.not_before then
    local clocks = field.local_times and ", each by its own clock" or ""
    parts[#parts + 1] = ("not before `%s`%s"):format(field.not_before, clocks)
  end
  if field.money then parts[#parts + 1] = "`value` and `currency` as of money" end
  return #parts > 0 and "ours: " .. table.concat(parts, ", ") or nil
end

local function form_text(field)
  local parts = {}
  if field.unit then parts[#parts + 1] = field.unit end
  if field.format then parts[#parts + 1] = field.format end
  if field.max_length then parts[#parts + 1] = ("at most %d characters"):format(field.max_length) end
  if field.enum then parts[#parts + 1] = listed(field.enum) end
  if field.keys then parts[#parts + 1] = "keys " .. listed(field.keys) end
  if field.may_be_empty then parts[#parts + 1] = "may be empty" end
  local form, ours = table.concat(parts, ", "), ours_text(field)
  return ours and form ~= "" and form .. "; " .. ours or ours or form
end

local TYPES = { json_object = "object, as a string of JSON", any = "not shown" }

local function type_text(field)
  local text = TYPES[field.type] or field.type
  return list.includes(field.inferred or {}, "type") and text .. " (INFERRED)" or text
end

local function note_text(field)
  if not field.note or not field.evidence then return field.note or field.evidence or "" end
  return field.note .. " " .. field.evidence
end

-- What all paths begin with, up to a dot; "" where that is nothing.
local function common_prefix(fields)
  local prefix = #fields > 0 and fields[1].path:match("^.*%.") or ""
  for _, field in ipairs(fields) do
    while field.path:sub(1, #prefix) ~= prefix do prefix = prefix:match("^(.*%.)[^.]+%.$") or "" end
  end
  return prefix
end

local function fields_table(fields, source, sources, prefix)
  local rows = {}
  for i, field in ipairs(fields) do
    rows[i] = {
      "`" .. field.path:sub(#(prefix or "") + 1) .. "`", type_text(field), required_text(field), form_text(field),
      field.confidence, sources:cite(field.source or source), note_text(field),
    }
  end
  return table_of({ "field", "type", "required", "form", "confidence", "source", "" }, rows)
end

local function groups(description)
  local lines = {}
  for i, group in ipairs(description.any_of) do
    lines[i] = ("One of `%s` has to be there.\n\n"):format(table.concat(group, "` and `"))
  end
  return table.concat(lines)
end

local function fields_section(description, scenario, sources)
  local prefix = common_prefix(scenario.fields)
  local text = "## Fields of this scenario\n\n"
    .. (prefix ~= "" and ("In `%s`, for each locale:\n\n"):format(prefix:sub(1, -2)) or "")
    .. fields_table(scenario.fields, scenario.source, sources, prefix)
  text = text .. "\n\"Expected\" gives a warning where it is missing, and so does whatever breaks an INFERRED rule. "
    .. "What is [ours](README.md#slips) no page asks for.\n"
  if scenario.unknown then
    local lines = {}
    for i, entry in ipairs(scenario.unknown) do lines[i] = ("- in `%s`: %s"):format(entry.where, entry.note) end
    text = text .. "\nDescribed, or to be expected, under keys that no copy of the page shows. Ask AlipayHK for them "
      .. "and pass them along; they are not checked:\n\n"
      .. table.concat(lines, "\n") .. "\n"
  end
  return text .. ("\n## Fields of every %s\n\n%s%s"):format(
    description.noun, groups(description), fields_table(description.fields, description.source, sources))
end

local function with_source(field, source)
  local copy = { source = source }
  for name, value in pairs(field) do copy[name] = value end
  return copy
end

-- The base page's fields, the scenario's in their places or behind them.
local function response_fields(description, scenario)
  local rows, own = {}, {}
  for _, field in ipairs(scenario.response or {}) do own[field.path] = field end
  for _, field in ipairs(description.response) do
    rows[#rows + 1] = own[field.path] or with_source(field, description.source)
    own[field.path] = nil
  end
  for _, field in ipairs(scenario.response or {}) do
    if own[field.path] then rows[#rows + 1] = field end
  end
  return rows
end

local function response_section(description, scenario, sources)
  local rows = response_fields(description, scenario)
  local text = fields_table(rows, scenario.source, sources)
  if not scenario.response and description.adds_to_answers then
    text = text .. "\nWhether this scenario adds more is not known: no copy of its page goes that far.\n"
  end
  local decoded = "Decoded it is `response.body`; its `result` is `response.result`, too.\n\n"
  return "## The answer\n\n" .. decoded .. text
end

-- ---- the sample --------------------------------------------------------------------------------

local SAMPLE = [[
## Sample

%s```lua
client:%s %s
```

As it is sent, with what the client filled in:

```json
%s
```
]]

local function sample_section(description, scenario, compiled)
  return SAMPLE:format(scenario.sample_note and scenario.sample_note .. "\n\n" or "", description.method,
    sample.lua(sample.as_written(scenario, compiled), compiled), sample.json(scenario.sample, compiled))
end

-- `description` is the API's, `compiled` the scenario's fields.
return function(description, scenario, compiled)
  local sources = setmetatable({ list = {}, numbers = {} }, Sources)
  local head = ("# %s\n\n%s\n\n%s, `%s = \"%s\"`: `POST %s`.\n\n"
    .. "AlipayHK's page is \"%s\" (%s: %s). Sources: %s.\n"):format(
    scenario.name, scenario.summary, description.title, description.scenario_field, scenario.name, description.path,
    scenario.title, scenario.match.confidence, scenario.match.note, sources:cite(scenario.source))
  local sections = {
    head,
    statuses(scenario, sources),
    steps_section(description, scenario, sources),
    fields_section(description, scenario, sources),
    response_section(description, scenario, sources),
    sample_section(description, scenario, compiled),
  }
  sections[#sections + 1] = sources:section()
  return table.concat(sections, "\n")
end
