-- DER as a tree, so that a spec can take a good key and make it a bad one.
--
-- An element is `{ tag = 0x02, value = bytes }`, or `{ tag = 0x30, ... }` with elements in it.

local der = {}

local CONSTRUCTED = 0x20

local function is_constructed(tag) return tag % (2 * CONSTRUCTED) >= CONSTRUCTED end

local function read_length(bytes, at)
  local first = bytes:byte(at)
  if first < 0x80 then return first, at + 1 end
  local length = 0
  for i = at + 1, at + first - 0x80 do length = length * 256 + bytes:byte(i) end
  return length, at + 1 + first - 0x80
end

-- The first element of the bytes, and where the next one starts.
function der.decode(bytes, at)
  at = at or 1
  local length, start = read_length(bytes, at + 1)
  local element, stop = { tag = bytes:byte(at) }, start + length
  if not is_constructed(element.tag) then
    element.value = bytes:sub(start, stop - 1)
    return element, stop
  end
  while start < stop do
    element[#element + 1], start = der.decode(bytes, start)
  end
  return element, stop
end

local function length_of(content)
  local length, digits = #content, ""
  if length < 0x80 then return string.char(length) end
  while length > 0 do
    digits = string.char(length % 256) .. digits
    length = math.floor(length / 256)
  end
  return string.char(0x80 + #digits) .. digits
end

function der.encode(element)
  local content = element.value or ""
  for _, child in ipairs(element) do content = content .. der.encode(child) end
  return string.char(element.tag) .. length_of(content) .. content
end

-- An INTEGER of so many, which are not negative: a number, or bytes.
function der.integer(number)
  local bytes = number
  if type(number) == "number" then
    bytes = ""
    repeat
      bytes = string.char(number % 256) .. bytes
      number = math.floor(number / 256)
    until number == 0
  end
  return { tag = 0x02, value = (bytes:byte() >= 0x80 and "\0" or "") .. bytes }
end

return der
