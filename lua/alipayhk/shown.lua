--- A text from outside as a message may show it: short, on one line, valid UTF-8.
-- @module alipayhk.shown

local core = require "alipayhk.core"

--- @tparam string text
-- @tparam integer max bytes
-- @treturn string
local function shown(text, max)
  text = text:sub(1, max):gsub("%c", "?")
  local valid, position = core.utf8_length(text)
  while not valid do
    text = text:sub(1, position - 1) .. "?" .. text:sub(position + 1)
    valid, position = core.utf8_length(text)
  end
  return text
end

return shown
