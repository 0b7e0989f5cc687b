-- The APIs by name and by path. What AlipayHK says of them is data, in the files beside this one and
-- in the folders below it, one file a scenario; each fact stands there once.
--
-- An API (`order.lua`, `contract_card.lua`) has the `path`, the client's `method` for it, the `class` that editors know
-- its payloads by, base `fields`, `scenarios`, and `results` by code. It says which field names the scenario
-- (`scenario_field`), the status (`status_field`), which one orders two events (`sequence_field`), and which holds the
-- texts to be shown, if any does (`texts_field`). A scenario has
--
-- - `name`, `title` of its page, `summary`, and `match`: how sure it is that the page is the name's;
-- - `source`: tags of `alipayhk.api.pages`, for all rows that have none of their own;
-- - `statuses`, in the page's order: `name`, `meaning`, `effect` in the app, `ends` ("SEEN",
--   "INFERRED"), `closes` where the effect is that it goes away, so that its texts are not expected (INFERRED), and the
--   rules of `alipayhk.rules.steps`; `steps`: `forward_only` and a note;
-- - `fields`, in the form of `alipayhk.schema.fields`; `response`: those it adds to the answer;
-- - `unknown`: what a page describes under a key that no copy of it shows. Never a field;
-- - `sample`: a complete valid payload; `sample_note`: what of it is made up.
--
-- Confidence: SEEN stands on an official page and is enforced; INFERRED follows from a sister page and
-- is advice; NOT FOUND is on no copy of a page, and never enforced. Some marks of a field are ours and say nothing of
-- AlipayHK: `alipayhk.schema.fields` lists them.

local platform = require "alipayhk.api.platform"

local api = { names = {}, by_name = {}, by_path = {} }

-- Registers an API. Has to be called before the floors above are loaded, for they read the list then.
function api.add(description)
  api.names[#api.names + 1] = description.name
  api.by_name[description.name] = description
  api.by_path[description.path] = description
end

-- A new API is a file beside this one, and its name in this list.
for _, name in ipairs { "order", "contract_card" } do
  api.add((require("alipayhk.api." .. name)))
end

-- What is known of a result code, `{ status, meaning, retry }`: the API's own page first, then the family's. No
-- description for a call of another API.
function api.result(description, code)
  local own = description and description.results[code]
  return own or platform.results[code]
end

return api
