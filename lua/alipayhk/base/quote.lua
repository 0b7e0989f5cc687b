-- Texts of the other side as a message may quote them: short, on one line, without a user's ids.

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

local quote = {}

local MAX = 256

-- Done piece by piece, for a long text may hold the same id many times.
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

-- A value in the forms in which others may write it: plain, and escaped for JSON, HTML and URLs.
local function forms_of(value)
  return { value, (value:gsub("/", "\\/")), (value:gsub("[&<>\"']", HTML)), core.percent_encode(value) }
end

-- The whole of a text, with "***" in place of personal values.
function quote.without(said, personal)
  for _, value in ipairs(personal or {}) do
    for _, form in ipairs(forms_of(value)) do said = without_one(said, form) end
  end
  return said
end

-- The beginning of a text, on one line, without personal values; "" for what is no text.
function quote.short(said, personal)
  if type(said) ~= "string" then return "" end
  -- Removed before the text is cut, for half of an id must not be shown either.
  return text.shown(text.one_line(text.cut(quote.without(said, personal), MAX)), MAX)
end

return quote
