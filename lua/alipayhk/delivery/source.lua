-- What a batch takes its items from: a list of payloads, or a function that gives the next one and nil at the end. An
-- item is `{ index, payload, description, lane }`, `index` counting from 1.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local fault = require "alipayhk.base.fault"
local json = require "alipayhk.base.json"
local list = require "alipayhk.base.list"
local platform = require "alipayhk.api.platform"

local source = {}

-- A message where a source is neither a list nor a function.
function source.fault(given)
  local wrong = arguments.type_fault(given, "table", "function")
  if wrong then return wrong end
  if type(given) == "table" and not list.is_list(given) then
    return "expected a list of payloads, found a table with other keys: put one payload in braces, and leave no holes"
  end
end

local function iterator_of(given)
  if type(given) == "function" then return given end
  local i = 0
  return function()
    i = i + 1
    return given[i]
  end
end

-- What is wrong with an item before its rules are looked at.
local function item_fault(index, payload, description)
  local no_table = arguments.type_fault(payload, "table")
  if no_table then return ("item %d: %s"):format(index, no_table) end
  return not description and api.none_fault(("item %d"):format(index)) or nil
end

-- Events of one order share a lane; what names no order has one of its own.
local function lane_of(index, payload, description)
  local order = json.id_text(rawget(payload, platform.identity.merchant_biz_no))
  return order and description.name .. "\0" .. order or index
end

-- A function that gives the next item, and an error if it is none that can be sent; nil at the end.
function source.items(given)
  local next_payload, index = iterator_of(given), 0
  return function()
    local payload = next_payload()
    if payload == nil then return nil end
    index = index + 1
    local description = type(payload) == "table" and api.of(payload) or nil
    local item = { index = index, payload = payload, description = description }
    local message = item_fault(index, payload, description)
    if message then return item, Error.new("invalid", message, { fields = { fault.new("", "type", message) } }) end
    item.lane = lane_of(index, payload, description)
    return item
  end
end

return source
