-- Byte strings for the specs.

local bytes = {}

local all = {}
for byte = 0, 255 do all[#all + 1] = string.char(byte) end

-- Every byte value once, in order.
bytes.every = table.concat(all)

-- The same text with the byte at `at` changed.
function bytes.flip(text, at)
  return text:sub(1, at - 1) .. string.char(255 - text:byte(at)) .. text:sub(at + 1)
end

return bytes
