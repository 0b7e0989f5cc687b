-- Makes text from the other side safe to repeat in a message: short, on one line, without the user's ids.

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

local quote = {}

local MAX = 256

-- Replaces every occurrence of a value by ***. The pieces are joined at the end: a long text may have many of them.
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

-- A value as it is, and as it is escaped in JSON, HTML and URLs.
local function forms_of(value)
  return { value, (value:gsub("/", "\\/")), (value:gsub("[&<>\"']", HTML)), core.percent_encode(value) }
end

-- The whole text, with *** for every string of the list `personal`, which may be nil.
function quote.without(said, personal)
  for _, value in ipairs(personal or {}) do
    for _, form in ipairs(forms_of(value)) do said = without_one(said, form) end
  end
  return said
end

-- The start of the text, with *** for every string of the list `personal`; "" if `said` is no string.
function quote.short(said, personal)
  if type(said) ~= "string" then return "" end
  -- Replaced before cutting: part of an id at the end would not be recognised.
  return text.shown(text.one_line(text.cut(quote.without(said, personal), MAX)), MAX)
end

return quote
