-- The keys of a table in order, so that tests made from it come in the same order each time.

return function(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names)
  return names
end
