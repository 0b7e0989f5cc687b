-- The APIs of AlipayHK, by name and by path. What AlipayHK's pages say is data: one file beside this one for each API,
-- one file in the folder of that name for each scenario. No fact is written down twice.
--
-- An API (`order.lua`, `contract_card.lua`) has
--
--   name, path, method   its name here, its path at AlipayHK, and the client's method that calls it
--   class, title, noun   the name of its payloads in editors, its title, and what a message calls one payload
--   fields               the fields of every scenario; `any_of`: groups of which one field is required
--   response             the fields of the answer; `adds_to_answers`: whether scenarios add to them
--   results              its result codes
--   scenarios, source    the files of its scenarios; tags of its pages
--   scenario_field       the field that names the scenario
--   status_field         the field with the scenario's status
--   sequence_field       the field with a time, by which AlipayHK knows the later one of two events
--   texts_field          the field with the texts that are shown to the user, if there is one
--   command_field        the field that says what to do with what is shown, if there is one
--   settling             a command `of` which the answer was lost may be why the next attempt is refused as `after`:
--                        the same as a command `by` tells
--   steps_note           what the reference says about steps that no rule forbids
--
-- and a scenario
--
--   name, title          its name in `scenario_field`, the title of its page
--   summary, match       what it is for; how sure it is that this page belongs to this name
--   source               tags of `alipayhk.api.pages`, for all rows without tags of their own
--   statuses             in the page's order: `name`, `meaning`, `effect` in the app, and the rules of
--                        `alipayhk.rules.steps`; `closes`: nothing is shown any more, so that texts are not expected
--                        (INFERRED)
--   steps                `forward_only` and a note
--   fields, response     as in `alipayhk.schema.fields`, added to those of the API
--   unknown              what a page describes without showing the key; never a field
--   sample               a complete valid payload; `sample_note`: which parts of it are made up
--
-- Confidence: SEEN is on an official page, and is enforced. INFERRED follows from a related page, and gives warnings.
-- NOT FOUND is on no copy of a page, and is never enforced. A few properties of a field are our own and say nothing
-- about AlipayHK: `alipayhk.schema.fields` lists them.

local platform = require "alipayhk.api.platform"

local api = { names = {}, by_name = {}, by_path = {} }

-- Adds an API. Has to be called before the modules that use this one are loaded, because they read the APIs then.
function api.add(description)
  api.names[#api.names + 1] = description.name
  api.by_name[description.name] = description
  api.by_path[description.path] = description
end

-- To add an API, put a file beside this one and its name here.
for _, name in ipairs { "order", "contract_card" } do
  api.add((require("alipayhk.api." .. name)))
end

-- The API of a payload, by the field that names its scenario; nil for none.
function api.of(payload)
  for _, name in ipairs(api.names) do
    local description = api.by_name[name]
    if rawget(payload, description.scenario_field) ~= nil then return description end
  end
end

-- What is wrong with a payload of none. `what`: how the message calls it.
function api.none_fault(what)
  local fields = {}
  for i, name in ipairs(api.names) do fields[i] = api.by_name[name].scenario_field end
  return ("%s has neither %s: is it an order or a notification?"):format(what, table.concat(fields, " nor "))
end

-- What is known about a result code, `{ status, meaning, retry }`, from the API's own page or else from related pages.
-- `description` is that of the API; nil for an API without one.
function api.result(description, code)
  local own = description and description.results[code]
  return own or platform.results[code]
end

return api
