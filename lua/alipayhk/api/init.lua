--- The APIs by name and by path, each with its fields compiled at first use.
-- @module alipayhk.api

local contract_card = require "alipayhk.api.contract_card"
local order = require "alipayhk.api.order"
local platform = require "alipayhk.api.platform"
local schema = require "alipayhk.schema"

local api = {
  names = { "order", "contract_card" },
  by_name = { order = order, contract_card = contract_card },
  by_path = { [order.path] = order, [contract_card.path] = contract_card },
}

local compiled = {}

--- The compiled fields of an API.
function api.schema(description)
  local known = compiled[description]
  if not known then
    known = schema.compile(description.fields, description.any_of)
    compiled[description] = known
  end
  return known
end

--- What is known of a result code: the API's own page first, then the family's.
-- @tparam ?table description nil for a call of another API
-- @tparam ?string code
-- @treturn ?table `{ status, meaning, retry }`
function api.result(description, code)
  local own = description and description.results[code]
  return own or platform.results[code]
end

return api
