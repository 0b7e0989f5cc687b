-- Compares values: deeply, raw; NaN is NaN, and 1 is not 1.0.

local same = {}

local function is(a, b)
  if rawequal(a, b) and math.type(a) == math.type(b) then return true end
  if type(a) ~= type(b) then return false end
  if type(a) ~= "table" then
    return a ~= a and b ~= b
  end
  for key, value in next, a do
    if not is(value, rawget(b, key)) then return false end
  end
  for key in next, b do
    if rawget(a, key) == nil then return false end
  end
  return true
end

same.is = is

return same
