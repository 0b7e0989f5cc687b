-- Turns a checked payload into what is sent: some tables become a JSON string, empty lists become `[]`. The check notes
-- their places, so that the payload is not searched again.

local json = require "alipayhk.base.json"

local rewrite = {}

-- By the type of a field, what is sent for its value.
local FORMS = {
  json_object = function(value, is_plain) return json.encode(value, is_plain) end,
  array = function() return json.empty_array end,
}

-- Whether something else is sent for a value of a field.
function rewrite.is_needed(field, value)
  if type(value) ~= "table" then return false end
  return field.type == "json_object" or field.type == "array" and next(value) == nil
end

local function copy_of(original)
  local copy = {}
  for key, value in next, original do copy[key] = value end
  return copy
end

-- Replaces the values at some places. The tables that hold them are copied, so that the caller's payload stays as it
-- is. `places`: each `{ field = field, key, key, ... }`, an inner place before the one that it is in. `is_plain`:
-- whether `json.is_plain` holds for the value. Gives the new value, and whether it holds for that.
function rewrite.apply(value, places, is_plain)
  local ours = {}
  local function own(holder)
    if ours[holder] then return holder end
    local copy = copy_of(holder)
    ours[copy] = true
    return copy
  end
  local root = own(value)
  for _, place in ipairs(places) do
    local holder = root
    for i = 1, #place - 1 do
      holder[place[i]] = own(holder[place[i]])
      holder = holder[place[i]]
    end
    local key = place[#place]
    if place.field.type == "array" then is_plain = false end
    holder[key] = FORMS[place.field.type](holder[key], is_plain)
  end
  return root, is_plain
end

return rewrite
