--- "Did you mean": the known name nearest to one that is not known.
-- @module alipayhk.suggest

local text = require "alipayhk.text"

-- Levenshtein distance, row by row.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
      diagonal = row[j]
      row[j] = best
    end
  end
  return row[#b]
end

-- For comparing: `order_status`, `OrderStatus` and `orderStatus` are one name.
local function fold(name)
  return (text.lower(name):gsub("[_-]", ""))
end

--- `, did you mean "x"?` or an empty string.
-- @param name what was given
-- @tparam table known array of names; what is no string in it is passed over
-- @treturn string
local function suggest(name, known)
  if type(name) ~= "string" or #name > 64 then return "" end
  local nearest, least = nil, 3
  for _, candidate in ipairs(known) do
    -- The distance is at least what the lengths differ by.
    local near = type(candidate) == "string" and math.abs(#fold(candidate) - #fold(name)) < least
    local d = near and distance(fold(name), fold(candidate)) or least
    if d < least and d < #candidate / 2 then nearest, least = candidate, d end
  end
  return nearest and (", did you mean \"" .. nearest .. "\"?") or ""
end

return suggest
