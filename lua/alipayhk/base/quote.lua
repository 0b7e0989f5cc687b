--- What the other side says, as a message may repeat it: short, on one line, without the user's ids.
-- @module alipayhk.base.quote

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

local quote = {}

local MAX = 256

-- Piece by piece: the text may be long, and say the same id many times.
local function without_one(said, value)
  if value == "" or not said:find(value, 1, true) then return said end
  local pieces, at = {}, 1
  repeat
    local first, last = said:find(value, at, true)
    pieces[#pieces + 1] = said:sub(at, (first or 0) - 1)
    at = last and last + 1
  until not first
  return table.concat(pieces, "***")
end

local HTML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- The ways in which others write a value: as it is, as JSON, HTML and URLs have it.
local function forms_of(value)
  return { value, (value:gsub("/", "\\/")), (value:gsub("[&<>\"']", HTML)), core.percent_encode(value) }
end

--- The whole of a text, but for some values.
-- @tparam string said
-- @tparam[opt] table personal values that no message may have
function quote.without(said, personal)
  for _, value in ipairs(personal or {}) do
    for _, form in ipairs(forms_of(value)) do said = without_one(said, form) end
  end
  return said
end

--- @param said a text; anything else is none
-- @tparam[opt] table personal values that no message may have
-- @treturn string
function quote.short(said, personal)
  if type(said) ~= "string" then return "" end
  -- Before it is cut: half an id is one, too.
  return text.shown(text.one_line(text.cut(quote.without(said, personal), MAX)), MAX)
end

return quote
