-- Text functions that do not depend on the locale. Lua's own %c, %s, %w, lower and upper do: under ISO-8859-1 they find
-- control characters within UTF-8, under a Turkish locale I has another small letter. Nothing in this library uses
-- them. Nor does any source have a number with a decimal point: in a locale whose decimal point has two bytes, such as
-- Persian, Lua cannot load it. A spec checks both.

local core = require "alipayhk.core"

local text = {
  -- The control characters of ASCII, for use between the brackets of a pattern.
  CONTROL = "%z\1-\31\127",
}

local CONTROLS = "[" .. text.CONTROL .. "]+"

local LOWER, UPPER = {}, {}
for byte = 65, 90 do
  local upper, lower = string.char(byte), string.char(byte + 32)
  LOWER[upper], UPPER[lower] = lower, upper
end

-- With ASCII letters in lower case; others stay.
function text.lower(s)
  return s:find("[A-Z]") and (s:gsub("[A-Z]", LOWER)) or s
end

-- With ASCII letters in upper case; others stay.
function text.upper(s)
  return s:find("[a-z]") and (s:gsub("[a-z]", UPPER)) or s
end

-- On one line: each run of control characters is replaced, by a blank or by `instead`.
function text.one_line(s, instead)
  return (s:gsub(CONTROLS, instead or " "))
end

-- A byte that begins a character or none, and those that go on: a ? for each one that is no UTF-8.
local function mended(run)
  for length = math.min(#run, 4), 1, -1 do
    if core.utf8_length(run:sub(1, length)) == 1 then return run:sub(1, length) .. ("?"):rep(#run - length) end
  end
  return ("?"):rep(#run)
end

local function valid(s)
  if core.utf8_length(s) then return s end
  return (s:gsub("[\128-\255][\128-\191]*", mended))
end

-- Text that others may have a part in, as a message has it: one line of valid UTF-8.
function text.line(s)
  return valid(text.one_line(s))
end

-- At most the first `max` bytes, not cut within a character of UTF-8.
function text.cut(s, max)
  if #s <= max then return s end
  local last = max
  -- A byte 10xxxxxx continues a character; at most three do. With more, the text is not UTF-8 and is cut at `max`.
  while last > 0 and max - last < 4 and s:find("^[\128-\191]", last + 1) do last = last - 1 end
  if max - last == 4 then last = max end
  return s:sub(1, last)
end

-- Text from outside as a message may show it: at most `max` bytes, on one line, valid UTF-8.
function text.shown(s, max)
  return valid((text.cut(s, max):gsub("[" .. text.CONTROL .. "]", "?")))
end

-- A key as a path shows it: cut, and by its type alone if it is no string or number, for `tostring` may run anything.
function text.key(key)
  if type(key) == "string" then return text.shown(key, 64) end
  if type(key) ~= "number" then return "(" .. type(key) .. ")" end
  -- The decimal point may be another character in this locale.
  return (("%.14g"):format(key):gsub("[^-+0-9a-z]+", "."))
end

-- A wrong value in quotes, for a message. With six digits in a row it may be somebody's id, and is not shown.
function text.quoted(s)
  if s:find("%d%d%d%d%d%d") then return ("a text of %d characters"):format(#s) end
  return ('"%s"'):format(text.shown(s, 40))
end

return text
