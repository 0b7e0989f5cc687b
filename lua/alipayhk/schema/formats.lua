-- The formats of strings, by name: each is a check that gives nil, or a message; or a message and true for a slip
-- (`alipayhk.schema.slips`), a value that has the format and is surely a mistake.
--
-- Dates are named as AlipayHK writes them. Checking a good value allocates no memory.

local core = require "alipayhk.core"
local currencies = require "alipayhk.schema.currencies"
local slips = require "alipayhk.schema.slips"
local text = require "alipayhk.base.text"
local time = require "alipayhk.base.time"

local byte, find = string.byte, string.find

local formats = {}

-- ---- dates and times -------------------------------------------------------------------------------

-- The number that two digits make, given as bytes. 528 is 11 times the byte of "0".
local function two_digits(tens, ones)
  return tens * 10 + ones - 528
end

local function month_exists(value)
  local month = two_digits(byte(value, 6, 7))
  return month >= 1 and month <= 12
end

-- The value starts with yyyy, a separator, MM, a separator, dd.
local function day_exists(value)
  local y1, y2, y3, y4, _, m1, m2, _, d1, d2 = byte(value, 1, 10)
  return time.day_exists(two_digits(y1, y2) * 100 + two_digits(y3, y4), two_digits(m1, m2), two_digits(d1, d2))
end

local function date_and_time_exist(value)
  local h1, h2, _, m1, m2, _, s1, s2 = byte(value, 12, 19)
  return day_exists(value) and two_digits(h1, h2) < 24 and two_digits(m1, m2) < 60 and two_digits(s1, s2) < 60
end

-- Adds a format of dates or times. `exists(value)`: whether there is such a date or time; `slip`: a check of
-- `alipayhk.schema.slips`. Both are optional.
local function printed(name, example, pattern, exists, slip)
  formats[name] = function(value)
    if not find(value, pattern) then return ("expected %s, such as %s"):format(name, example) end
    if exists and not exists(value) then return ("there is no %s: expected %s"):format(text.shown(value, 40), name) end
    if slip then return slip(value), true end
  end
end

printed("yyyy-MM-dd", "2024-05-30", "^%d%d%d%d%-%d%d%-%d%d$", day_exists)
printed("yyyy-MM", "2024-05", "^%d%d%d%d%-%d%d$", month_exists)
printed("yyyy-MM-dd HH:mm:ss", "2024-05-30 09:05:00", "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$", date_and_time_exist)
printed("yyyy/MM/dd (Weekday)", "2024/05/30 (Thursday)", "^%d%d%d%d/%d%d/%d%d %([^()]+%)$", day_exists)
-- The page does not say whether these are minutes and seconds or hours and minutes.
printed("mm:ss", "19:30", "^%d%d:%d%d$", nil, slips.in_clock)

-- ---- the rest --------------------------------------------------------------------------------------

formats["ISO 4217"] = function(value)
  if currencies[value] then return nil end
  local hint = currencies[text.upper(value)] and (": write \"%s\""):format(text.upper(value)) or ""
  return "expected a currency code of ISO 4217, such as \"HKD\"" .. hint
end

-- Beginnings of URLs, which have no white space and no control characters.
local WITH_HOST = "^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]"
-- Without slashes, a digit after the colon is a port, as in localhost:8080, except after tel:. A scheme of one letter
-- would be a drive of Windows.
local WITHOUT_HOST, TELEPHONE = "^[A-Za-z][A-Za-z0-9+.-]+:/*[^/%d]", "^tel:."
local HTTP = "^[Hh][Tt][Tt][Pp][Ss]?:"
-- Percent-encoded as a whole: AlipayHK's pages contradict each other about that.
local ENCODED = "^[A-Za-z][A-Za-z0-9+.-]*%%3[Aa]%%2[Ff]%%2[Ff][^/?#]"

-- Any scheme will do, so that deep links into apps are allowed.
function formats.URL(value)
  if core.is_visible(value) then
    if find(value, WITH_HOST) or find(value, TELEPHONE) then return nil end
    if find(value, WITHOUT_HOST) and not find(value, HTTP) then return nil end
    if find(value, ENCODED) then return slips.ENCODED_URL, true end
  end
  return "expected a URL with its scheme and without white space, such as https://www.example.com/icon.png"
end

return formats
