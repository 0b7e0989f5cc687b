-- The index of the reference pages.

local cited = require "docs.generate.cited"
local list = require "alipayhk.base.list"
local platform = require "alipayhk.api.platform"
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
| ours | asked for by no page, a check of this library: see [slips](#slips) |

Two exceptions: that times are milliseconds is INFERRED, and a value that plainly is seconds or microseconds is
refused all the same; an id with a control character, or of nothing but blanks, is refused, though no page says so.
]]

local SLIPS = [[
## Slips

What nobody can have meant gives a warning that has `ours = true`, and stays a warning under `validate = "strict"`:

- an id with a blank at an end, or with the text of a number that lost its digits, such as `2.1601200123457e+15`;
- an amount with leading zeros; money that is none in an object whose keys no page shows;
- a time more than a day ahead, an `endDate` that has passed, a change before the order was made, an end before its
  start; seconds in `service_start_time`; a `movie_start_time` that no clock shows;
- a URL that is percent-encoded as a whole: AlipayHK's pages do not agree about that.
]]

local PADDINGS = { pkcs1 = "PKCS#1", oaep = "OAEP" }

local function on_the_wire()
  local hosts, sealing, urls = platform.environments, platform.encryption, platform.url_encoding
  return ([[
## For every API

- Hosts (SEEN, the scheme INFERRED): production `%s`, testing `%s`. You may be given others.
- %s (%s): the body under AES with a key of %d bits, that key under RSA with one of %d bits; encrypted first, then
  signed. %s and %s padding of the body, %s padding of the key (INFERRED). Source: %s.
- %s (%s). Sources: %s.
]]):format(hosts.production, hosts.testing, sealing.algorithm, sealing.confidence, sealing.key_bits, sealing.rsa_bits,
    sealing.mode, sealing.body_padding, PADDINGS[sealing.key_padding], cited(sealing.source),
    (urls.note:gsub("%.$", "")), urls.confidence, cited(urls.source))
end

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
  local rows = {}
  for i, code in ipairs(list.keys(description.results)) do
    local result = description.results[code]
    rows[i] = { "`" .. code .. "`", result.status, result.meaning, result.retry and "yes" or "no" }
  end
  return table_of({ "resultCode", "status", "meaning", "retried" }, rows)
end

-- `apis`: a list of `{ description, scenarios }`; `file_of` gives the file name of a scenario's page.
return function(apis, file_of)
  local sections = { HEAD }
  for _, api in ipairs(apis) do
    local description = api.description
    sections[#sections + 1] = ("## %s\n\n`POST %s`\n\n%s\n%s"):format(
      description.title, description.path, scenarios_table(api, file_of), results_table(description))
  end
  sections[#sections + 1] = SLIPS
  sections[#sections + 1] = on_the_wire()
  return table.concat(sections, "\n")
end
