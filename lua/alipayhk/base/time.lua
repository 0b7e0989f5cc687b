-- Times as text: writes one format, reads every format that the other side uses.

local core = require "alipayhk.core"

local floor = math.floor

local time = {}

-- ---- writing -----------------------------------------------------------------------------------

local last_second, last_offset, last_text

-- ISO 8601, to the second. `offset`: `{ seconds, text }`, how far the time zone to write it in is ahead of UTC, as a
-- number and as it is written. The last result is kept, because many requests fall into one second.
function time.text(seconds, offset)
  local second = floor(seconds)
  if second ~= last_second or offset ~= last_offset then
    last_second, last_offset = second, offset
    last_text = os.date("!%Y-%m-%dT%H:%M:%S", second + offset.seconds) .. offset.text
  end
  return last_text
end

-- ---- reading -----------------------------------------------------------------------------------

local MONTH_DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
local MONTHS = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12,
}
-- The number of each weekday, from 0 for Thursday, the weekday of 1 January 1970.
local WEEKDAYS, LONG_WEEKDAYS = {}, {}
for i, name in ipairs { "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday" } do
  WEEKDAYS[name:sub(1, 3)], LONG_WEEKDAYS[name] = i - 1, i - 1
end

-- Whether there is such a day.
function time.day_exists(year, month, day)
  local last = MONTH_DAYS[month]
  if month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) then last = 29 end
  return last ~= nil and day >= 1 and day <= last
end

-- Days since the epoch. In the calculation the year begins in March, so that a leap day is its last day.
function time.days(year, month, day)
  if month < 3 then year, month = year - 1, month + 12 end
  return 365 * year + floor(year / 4) - floor(year / 100) + floor(year / 400)
    + floor((153 * (month - 3) + 2) / 5) + day - 719469
end

-- The same; nil if there is no such day.
local function days_of(year, month, day)
  return time.day_exists(year, month, day) and time.days(year, month, day) or nil
end

-- Seconds since midnight, nil if out of range. Second 60 is allowed: a leap second.
local function second_of(hour, minute, second)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  if hour > 23 or minute > 59 or second > 60 then return nil end
  return (hour * 60 + minute) * 60 + second
end

-- By how many seconds "Z", "+08:00", "+0800", "+08" or "-05:30" is ahead of UTC; nil for anything else.
local function offset_of(text)
  if text == "Z" then return 0 end
  local sign, hours, minutes = text:match("^([+-])(%d%d):?(%d%d)$")
  if not sign then sign, hours, minutes = text:match("^([+-])(%d%d)()$") end
  if not sign then return nil end
  hours, minutes = tonumber(hours), type(minutes) == "string" and tonumber(minutes) or 0
  if hours > 23 or minutes > 59 then return nil end
  return (sign == "-" and -1 or 1) * (hours * 60 + minutes) * 60
end

-- tonumber("0." .. digits) would fail in a locale with a decimal comma.
local function fraction_of(digits)
  digits = digits:sub(1, 9)
  return tonumber(digits) / 10 ^ #digits
end

local ISO = "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)(.*)$"

local function read_iso(text)
  local year, month, day, hour, minute, second, rest = text:match(ISO)
  if not year then return nil end
  local digits, zone = rest:match("^[.,](%d+)(.*)$")
  local days, seconds = days_of(tonumber(year), tonumber(month), tonumber(day)), second_of(hour, minute, second)
  local offset = offset_of(zone or rest)
  return days and seconds and offset and days * 86400 + seconds - offset + (digits and fraction_of(digits) or 0)
end

-- 13 digits, the years 2001 to 2286. Ten digits are not read: they could be seconds, or yyMMddHHmm.
local function read_milliseconds(text)
  return text:find("^[1-9]%d%d%d%d%d%d%d%d%d%d%d%d$") and tonumber(text) / 1000
end

local function read_http(weekday, year, month, day, hour, minute, second)
  local days, seconds = days_of(year, MONTHS[month] or 0, tonumber(day)), second_of(hour, minute, second)
  return days and seconds and weekday == days % 7 and days * 86400 + seconds
end

-- Sun, 06 Nov 1994 08:49:37 GMT
local function read_imf(text)
  local weekday, day, month, year, hour, minute, second =
    text:match("^([A-Z][a-z][a-z]), (%d%d) ([A-Z][a-z][a-z]) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  return weekday and read_http(WEEKDAYS[weekday], tonumber(year), month, day, hour, minute, second)
end

-- The year nearest to now that ends in these digits.
local function full_year(two_digits)
  local now = 1970 + core.now() / 31556952
  local year = floor(now / 100) * 100 + tonumber(two_digits)
  if year > now + 50 then return year - 100 end
  return year < now - 50 and year + 100 or year
end

-- Sunday, 06-Nov-94 08:49:37 GMT
local function read_rfc850(text)
  local weekday, day, month, year, hour, minute, second =
    text:match("^([A-Z][a-z]+), (%d%d)%-([A-Z][a-z][a-z])%-(%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  return weekday and read_http(LONG_WEEKDAYS[weekday], full_year(year), month, day, hour, minute, second)
end

-- Sun Nov  6 08:49:37 1994
local function read_asctime(text)
  local weekday, month, day, hour, minute, second, year =
    text:match("^([A-Z][a-z][a-z]) ([A-Z][a-z][a-z]) ([ %d]%d) (%d%d):(%d%d):(%d%d) (%d%d%d%d)$")
  return weekday and read_http(WEEKDAYS[weekday], tonumber(year), month, day, hour, minute, second)
end

local FORMS = { read_iso, read_milliseconds, read_imf, read_rfc850, read_asctime }
local last_read, last_seconds

-- Reads a time: ISO 8601 with an offset, milliseconds since the epoch, or any of the three date formats of HTTP. Gives
-- seconds since the epoch, with a fraction; nil if it cannot be read, or there is no such day.
function time.read(text)
  if text == last_read then return last_seconds end
  local seconds
  for _, read in ipairs(FORMS) do
    seconds = read(text) or nil
    if seconds then break end
  end
  last_read, last_seconds = text, seconds
  return seconds
end

-- Seconds since the epoch by a user's clock; nil if that throws, so that an answer is not lost because of it.
function time.now(clock)
  local ran, seconds = pcall(clock)
  return ran and seconds or nil
end

return time
