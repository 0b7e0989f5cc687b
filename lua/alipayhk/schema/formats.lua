-- The formats of strings. Each gives a message where a value does not have it; a message and true where the value has
-- it and cannot be meant (`alipayhk.schema.slips`).
--
-- Dates are named as AlipayHK prints them. Nothing here makes garbage for a good value.

local currencies = require "alipayhk.schema.currencies"
local slips = require "alipayhk.schema.slips"
local text = require "alipayhk.base.text"

local byte, find = string.byte, string.find

local formats = {}

-- ---- dates and times -------------------------------------------------------------------------------

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- The number in the two digits that begin at `at`.
local function two_digits(value, at)
  local tens, ones = byte(value, at, at + 1)
  return tens * 10 + ones - 528
end

local function month_exists(value)
  local month = two_digits(value, 6)
  return month >= 1 and month <= 12
end

-- Whether the day exists, in a text that starts with yyyy, a separator, MM, a separator, dd.
local function day_exists(value)
  if not month_exists(value) then return false end
  local month, day = two_digits(value, 6), two_digits(value, 9)
  if month == 2 and day == 29 then
    local century, year = two_digits(value, 1), two_digits(value, 3)
    return (year == 0 and century or year) % 4 == 0
  end
  return day >= 1 and day <= DAYS[month]
end

local function date_and_time_exist(value)
  return day_exists(value) and two_digits(value, 12) < 24 and two_digits(value, 15) < 60
    and two_digits(value, 18) < 60
end

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
-- The page does not say whether these are hours and minutes, or minutes and seconds.
printed("mm:ss", "19:30", "^%d%d:%d%d$", nil, slips.in_clock)

-- ---- the rest --------------------------------------------------------------------------------------

formats["ISO 4217"] = function(value)
  if currencies[value] then return nil end
  local hint = currencies[text.upper(value)] and (": write \"%s\""):format(text.upper(value)) or ""
  return "expected a currency code of ISO 4217, such as \"HKD\"" .. hint
end

-- Neither white space nor control characters; as ranges, for those are matched fastest.
local REST = "[\33-\126\128-\255]*$"
local WITH_HOST = "^[A-Za-z][A-Za-z0-9+.-]*://[^%z\1-\32/?#\127]" .. REST
-- Without slashes a colon and a digit are a port, as in localhost:8080, unless a telephone is to be called; a
-- scheme of one letter is a drive.
local WITHOUT_HOST, TELEPHONE = "^[A-Za-z][A-Za-z0-9+.-]+:/*[^%z\1-\32/%d\127]" .. REST, "^tel:[^%z\1-\32\127]" .. REST
local HTTP = "^[Hh][Tt][Tt][Pp][Ss]?:"
-- Percent-encoded as a whole: AlipayHK's pages do not agree about that.
local ENCODED = "^[A-Za-z][A-Za-z0-9+.-]*%%3[Aa]%%2[Ff]%%2[Ff][^%z\1-\32/?#\127]" .. REST

-- Any scheme, deep links of apps included.
function formats.URL(value)
  if find(value, WITH_HOST) or find(value, TELEPHONE) then return nil end
  if find(value, WITHOUT_HOST) and not find(value, HTTP) then return nil end
  if find(value, ENCODED) then return slips.ENCODED_URL, true end
  return "expected a URL with its scheme and without white space, such as https://www.example.com/icon.png"
end

return formats
