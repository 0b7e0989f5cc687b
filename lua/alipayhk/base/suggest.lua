-- "Did you mean": finds the known name that is nearest to an unknown one.

local text = require "alipayhk.base.text"

local suggest = {}

-- A longer name is hardly a typing error, and would take long to compare.
local NAME_MAX = 64

-- Whether two characters that end there have changed places. (Before the first one, `byte` gives nil.)
local function is_swapped(a, i, b, j)
  return a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j)
end

-- Levenshtein distance, where two neighbours that have changed places count once; a row of the matrix at a time.
local function distance(a, b)
  local row, above, above_that = {}, {}, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    row, above, above_that = above_that, row, above
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + cost)
      if is_swapped(a, i, b, j) then row[j] = math.min(row[j], above_that[j - 2] + 1) end
    end
  end
  return row[#b]
end

-- Names are compared in this form: `order_status`, `OrderStatus` and `orderStatus` are the same.
local function fold(name)
  return (text.lower(name):gsub("[_-]", ""))
end

-- The entry of `known` that is nearest to a name; nil if they differ in more than two characters, or in half of the
-- entry or more. Entries that are not strings are skipped.
function suggest.nearest(name, known)
  if type(name) ~= "string" or #name > NAME_MAX then return nil end
  local folded, nearest, least = fold(name), nil, 3
  for _, candidate in ipairs(known) do
    local other = type(candidate) == "string" and fold(candidate)
    -- The distance is at least the difference of the lengths, which costs less.
    local near = other and math.abs(#other - #folded) < least
    local d = near and distance(folded, other) or least
    if d < least and d < #candidate / 2 then nearest, least = candidate, d end
  end
  return nearest
end

local function split(path)
  local level, name = path:match("^(.*)%.([^.]*)$")
  return level or "", name or path
end

-- Whether every word of a name is in the other name: `ca` in `ca_file`, `attempts` in `max_attempts`.
local function has_words_of(name, other)
  local found = false
  for word in name:gmatch("[^_]+") do
    if not ("_" .. other .. "_"):find("_" .. word .. "_", 1, true) then return false end
    found = true
  end
  return found
end

-- The only path whose last name passes a test; nil if none or several do.
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

-- The known path that is nearest: the same name at another level, else a similar name at the same level, else a name at
-- any level that has all words of this one.
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

-- The end of a message: `, did you mean "x"?`, or "".
function suggest.name(name, known)
  return hint(suggest.nearest(name, known))
end

-- The same for paths with dots, which may differ in their level: "tls.ca_file" for "ca_file".
function suggest.path(path, known)
  return hint(nearest_path(path, known))
end

return suggest
