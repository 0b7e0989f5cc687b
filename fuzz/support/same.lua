-- Compares values: deeply, raw; NaN is NaN.

local same = {}

local function same_table(a, b, is)
  for key, value in next, a do
    if not is(value, rawget(b, key)) then return false end
  end
  for key in next, b do
    if rawget(a, key) == nil then return false end
  end
  return true
end

-- Whether they are alike: 1 is 1.0, which JSON writes alike.
function same.alike(a, b)
  if rawequal(a, b) or a ~= a and b ~= b then return true end
  return type(a) == "table" and type(b) == "table" and same_table(a, b, same.alike)
end

-- Whether they are the same: 1 is not 1.0.
function same.is(a, b)
  if type(a) == "table" and type(b) == "table" and not rawequal(a, b) then return same_table(a, b, same.is) end
  return same.alike(a, b) and math.type(a) == math.type(b)
end

return same
