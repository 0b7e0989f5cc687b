-- Compares values: deeply, raw, and NaN is NaN.

local same = {}

local function is(a, b)
  if type(a) ~= type(b) then return false end
  if type(a) ~= "table" then
    -- 1 and 1.0 are not the same on the wire.
    return a == b and math.type(a) == math.type(b) or a ~= a and b ~= b
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
