-- The form on the wire of a table that was checked: tables that travel as a string of JSON, and empty lists. The check
-- notes their places, so that nothing else is looked at again.

local json = require "alipayhk.base.json"

local rewrite = {}

-- The noted forms, by the type of the field.
local FORMS = {
  json_object = function(value, is_plain) return json.encode(value, is_plain) end,
  array = function() return json.empty_array end,
}

-- Whether a value of a field has another form on the wire.
function rewrite.is_needed(field, value)
  if type(value) ~= "table" then return false end
  return field.type == "json_object" or field.type == "array" and next(value) == nil
end

local function copy_of(original)
  local copy = {}
  for key, value in next, original do copy[key] = value end
  return copy
end

-- Puts the forms in place, on copies of the tables that hold them. `places`: each `{ field = field, path... }`, an
-- inner one before the one that it is in. `is_plain`: whether JSON is known to carry the value as it is; the second
-- result says so of the new one.
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
