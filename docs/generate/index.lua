-- The index of the reference pages.

local table_of = require "docs.generate.table"

local HEAD = [[
# Scenarios

What AlipayHK's pages say of each scenario, and how sure that is. These pages are generated from
[`lua/alipayhk/api`](../../lua/alipayhk/api) by `make docs`; the same data checks your payloads.

| mark | |
| --- | --- |
| SEEN | spelled out on an official page; enforced |
| INFERRED | follows from a sister page; breaking it gives a warning, an error under `validate = "strict"` |
| NOT FOUND | on no copy of a page that we know; never enforced |

One exception: that times are milliseconds is INFERRED, and a value that plainly is seconds or microseconds is
refused all the same.
]]

local function scenarios_table(api, file_of)
  local rows = {}
  for i, entry in ipairs(api.scenarios) do
    local scenario = entry.scenario
    rows[i] = {
      ("[`%s`](%s)"):format(scenario.name, file_of(scenario)), scenario.title, scenario.summary,
      tostring(#scenario.statuses),
    }
  end
  return table_of({ api.description.scenario_field, "AlipayHK's page", "", "statuses" }, rows)
end

local function results_table(description)
  local codes = {}
  for code in pairs(description.results) do codes[#codes + 1] = code end
  table.sort(codes)
  local rows = {}
  for i, code in ipairs(codes) do
    local result = description.results[code]
    rows[i] = { "`" .. code .. "`", result.status, result.meaning, result.retry and "yes" or "no" }
  end
  return table_of({ "resultCode", "status", "meaning", "retried" }, rows)
end

--- @tparam table apis list of `{ description, scenarios }`
-- @tparam function file_of gives the file name of a scenario's page
-- @treturn string Markdown
return function(apis, file_of)
  local sections = { HEAD }
  for _, api in ipairs(apis) do
    local description = api.description
    sections[#sections + 1] = ("## %s\n\n`POST %s`\n\n%s\n%s"):format(
      description.title, description.path, scenarios_table(api, file_of), results_table(description))
  end
  return table.concat(sections, "\n")
end
