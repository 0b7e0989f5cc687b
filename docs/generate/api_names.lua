-- What programs call an API: the class of its payload, without `alipayhk.`, and the client's method that sends one.

local api_names = {}

-- until the description names it
local CLASSES = { order = "Order", contract_card = "ContractCard" }
local METHODS = { order = "sync_order", contract_card = "sync_contract_card" }

function api_names.class(description)
  return description.class or CLASSES[description.name]
end

function api_names.method(description)
  return description.method or METHODS[description.name]
end

-- The variable that stands for a payload.
function api_names.variable(description)
  return (description.noun:gsub("[^%w]+", "_"))
end

return api_names
