-- Annotations of what is named after the APIs: their names, a partner's rules, the client's methods.

local cited = require "docs.generate.cited"

local HEAD = [[
---@meta _
-- Made from lua/alipayhk/api by `make docs`: what is named after the APIs. Never loaded.]]

-- By the `filled` mark of a field.
local FILLED = { hex32 = "at random", uuid = "at random", now_ms = "now" }

local function article(noun)
  return (noun:find("^[aeiou]") and "an " or "a ") .. noun
end

local function api_alias(apis)
  local lines = { "---The name of an API.", "---@alias alipayhk.Api" }
  for _, api in ipairs(apis) do
    lines[#lines + 1] = ('---| "%s" # %s'):format(api.description.name, api.description.title)
  end
  return table.concat(lines, "\n")
end

local function payload(apis)
  local classes = {}
  for i, api in ipairs(apis) do classes[i] = "alipayhk." .. api.description.class end
  return "---What an API is sent, in AlipayHK's own names.\n---@alias alipayhk.Payload " .. table.concat(classes, "|")
end

local function scenarios(apis)
  local lines = { "---@class alipayhk.Scenarios" }
  for _, api in ipairs(apis) do
    lines[#lines + 1] = ("---@field %s? table<string, alipayhk.ScenarioRules> by `%s`"):format(
      api.description.name, api.description.scenario_field)
  end
  return table.concat(lines, "\n")
end

-- What the client does to a payload before it is sent.
local function done_by_client(description)
  local lines = {}
  for _, field in ipairs(description.fields) do
    if field.filled then
      lines[#lines + 1] = ("---`%s` is filled in where it is absent: %s."):format(field.path, FILLED[field.filled])
    elseif field.type == "json_object" then
      lines[#lines + 1] = ("---`%s` may be a table: on the wire it is a string of JSON."):format(field.path)
    end
  end
  return table.concat(lines, "\n")
end

local METHOD = [[
---Sends %s: `POST %s` (SEEN on %s).
%s
---@param %s alipayhk.%s
---@param opts? alipayhk.SyncOptions
---@return alipayhk.Response? response
---@return alipayhk.Error? err
function client:%s(%s, opts) end]]

-- The variable that stands for a payload.
local function variable_of(description)
  return (description.noun:gsub("[^%w]+", "_"))
end

local function method(description)
  local variable = variable_of(description)
  return METHOD:format(article(description.noun), description.path, cited(description.source),
    done_by_client(description), variable, description.class, description.method, variable)
end

-- `apis`: a list of `{ description, scenarios }`. Gives Lua source.
return function(apis)
  local out = { HEAD, api_alias(apis), payload(apis), scenarios(apis), "---@class alipayhk.Client\nlocal client = {}" }
  for _, api in ipairs(apis) do out[#out + 1] = method(api.description) end
  return table.concat(out, "\n\n") .. "\n"
end
