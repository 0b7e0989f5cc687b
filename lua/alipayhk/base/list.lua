-- Small operations on lists.

local list = {}

-- Whether one of the entries is the value.
function list.includes(entries, value)
  for _, entry in ipairs(entries) do
    if entry == value then return true end
  end
  return false
end

-- Whether the keys of a table are 1 to its length, and no others.
function list.is_list(of)
  local count = 0
  for key in pairs(of) do
    if type(key) ~= "number" then return false end
    count = count + 1
  end
  return count == #of
end

-- The entries as keys of a table; nil for nil.
function list.set(entries)
  if not entries then return nil end
  local set = {}
  for _, entry in ipairs(entries) do set[entry] = true end
  return set
end

-- The keys of a table with string keys, sorted.
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
