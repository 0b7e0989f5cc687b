-- Small functions on lists and their keys.

local list = {}

-- Whether a value is among the entries.
function list.includes(entries, value)
  for _, entry in ipairs(entries) do
    if entry == value then return true end
  end
  return false
end

-- Whether a table has no other keys than 1 to its length.
function list.is_list(of)
  local count = 0
  for key in pairs(of) do
    if type(key) ~= "number" then return false end
    count = count + 1
  end
  return count == #of
end

-- A set: a table with the entries as keys and true as values; nil for nil.
function list.set(entries)
  if not entries then return nil end
  local set = {}
  for _, entry in ipairs(entries) do set[entry] = true end
  return set
end

-- The sorted keys of a table; all have to be strings.
function list.keys(of)
  local keys = {}
  for key in pairs(of) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- The `name` of each entry.
function list.names(entries)
  local names = {}
  for i, entry in ipairs(entries) do names[i] = entry.name end
  return names
end

return list
