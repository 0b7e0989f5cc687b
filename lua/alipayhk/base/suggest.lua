-- "Did you mean": the known name nearest to one that is not known.

local text = require "alipayhk.base.text"

local suggest = {}

-- A longer name is not looked at: it is no mere typing error.
local NAME_MAX = 64

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

-- The string in `known` that is nearest to a name, if one is near enough; entries of other types are passed over.
function suggest.nearest(name, known)
  if type(name) ~= "string" or #name > NAME_MAX then return nil end
  local nearest, least = nil, 3
  for _, candidate in ipairs(known) do
    -- The distance is never less than the difference of the lengths.
    local near = type(candidate) == "string" and math.abs(#fold(candidate) - #fold(name)) < least
    local d = near and distance(fold(name), fold(candidate)) or least
    if d < least and d < #candidate / 2 then nearest, least = candidate, d end
  end
  return nearest
end

local function split(path)
  local level, name = path:match("^(.*)%.([^.]*)$")
  return level or "", name or path
end

-- Whether each word of a name is one of the other's: `ca` and `ca_file`, `attempts` and `max_attempts`.
local function has_words_of(name, other)
  local found = false
  for word in name:gmatch("[^_]+") do
    if not ("_" .. other .. "_"):find("_" .. word .. "_", 1, true) then return false end
    found = true
  end
  return found
end

-- The one path whose name passes; nil where there are several.
local function only(known, passes)
  local found
  for _, path in ipairs(known) do
    local _, name = split(path)
    if passes(name) then
      if found then return nil end
      found = path
    end
  end
  return found
end

-- The nearest known path: the same name on another level, a similar name on the same level, or one with the same words.
local function nearest_path(path, known)
  if #path > NAME_MAX then return nil end
  local level, name = split(path)
  local names = {}
  for _, candidate in ipairs(known) do
    local its_level, its_name = split(candidate)
    if its_level == level then names[#names + 1] = its_name end
  end
  return only(known, function(other) return other == name end)
    or suggest.nearest(name, names)
    or only(known, function(other) return has_words_of(name, other) end)
end

local function hint(nearest)
  return nearest and (", did you mean \"%s\"?"):format(nearest) or ""
end

-- For the end of a message: `, did you mean "x"?`, or nothing.
function suggest.name(name, known)
  return hint(suggest.nearest(name, known))
end

-- The same for paths across levels: "tls.ca_file" for "ca_file".
function suggest.path(path, known)
  return hint(nearest_path(path, known))
end

return suggest
