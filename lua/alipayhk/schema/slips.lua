-- Slips: values that are surely mistakes, although no page of AlipayHK forbids them. These checks are our own, so a
-- slip is always a warning, even if other warnings count as faults.
--
-- A check gets a value that is right by the rules of its field, and gives a message or nil. Checking a good value
-- allocates no memory.

local core = require "alipayhk.core"
local edges = require "alipayhk.base.edges"
local time = require "alipayhk.base.time"

local byte, find = string.byte, string.find

local slips = {
  ENCODED_URL = "a percent-encoded URL: AlipayHK's page of API fundamentals asks for that, the samples have plain "
    .. "URLs; ask AlipayHK",
}

-- ---- texts -------------------------------------------------------------------------------------

-- How `tostring` and spreadsheets write a number that is too long for them, or a whole number that is a float.
local FLOATS = { "^%-?%d+[.,]?%d*[eE]%+%d+$", "^%-?%d+%.0$" }
-- None is longer. On a very long row of digits the first pattern would take minutes.
local FLOAT_MAX = 64

local KEEP_DIGITS = "this is how a program writes a number: keep the id as text from where it comes from; "
  .. "string.format(\"%.0f\", n) has all digits of a whole number below 2^53"

-- What programs write for a missing value, as a set.
slips.NOTHING = { ["nil"] = true, null = true, undefined = true, none = true, NaN = true, ["(null)"] = true,
  ["userdata: NULL"] = true, ["userdata: (nil)"] = true, ["[object Object]"] = true }

-- Checks an id.
function slips.in_id(value)
  if slips.NOTHING[value] or #value <= FLOAT_MAX and find(value, "^table: 0x") then
    return "this is how a program writes that there is no value: leave the field out, or look where it comes from"
  end
  if edges.stray(value) then return "there is a blank at an end of this id: is it part of it?" end
  for i = 1, #FLOATS do
    if #value <= FLOAT_MAX and find(value, FLOATS[i]) then return KEEP_DIGITS end
  end
end

-- Checks an amount in cents that consists of digits.
function slips.in_cents(value)
  if byte(value, 1) == 48 and #value > 1 then
    return "an amount with leading zeros: is it cents, such as \"18000\" for $180.00?"
  end
end

-- Checks a time like 19:30. AlipayHK's page says mm:ss and means hours and minutes. Cinemas write 25:30 for a show
-- after midnight, so hours above 23 are allowed.
function slips.in_clock(value)
  local tens, _, _, minute_tens = byte(value, 1, 4)
  if tens >= 51 or minute_tens >= 54 then return "no clock shows this: hours and minutes are meant, such as 19:30" end
end

-- ---- times -------------------------------------------------------------------------------------

local DAY_MS = 24 * 3600 * 1000
-- A number between the two is seconds: taken as milliseconds it would be before 1973. As seconds it is from 1973 to
-- 5138.
slips.SECONDS_MIN, slips.SECONDS_MAX = 1e8, 1e11

-- The system's time when it was last read: enough to see that most times have passed, without reading it again.
local seen_ms = 0

local function system_ms()
  seen_ms = core.now() * 1000
  return seen_ms
end

-- By `tense`: checks a time in milliseconds, against `now_ms` or else the system's clock.
slips.in_tense = {
  past = function(value, now_ms)
    if value > (now_ms or seen_ms) + DAY_MS and value > (now_ms or system_ms()) + DAY_MS then
      return "more than a day ahead of now, by the clock here"
    end
  end,
  future = function(value, now_ms)
    if value < (now_ms or system_ms()) then return "this time has passed, by the clock here" end
  end,
}

-- Checks a time in milliseconds whose type is not known: the value may be a number, a string of digits, or anything.
function slips.in_loose_time(value)
  local is_seconds
  if type(value) == "number" then
    is_seconds = value >= slips.SECONDS_MIN and value < slips.SECONDS_MAX
  else
    is_seconds = type(value) == "string" and find(value, "^[1-9]%d%d%d%d%d%d%d%d%d$") ~= nil
  end
  if is_seconds then
    return "what looks like seconds: milliseconds since the epoch (13 digits) are meant, multiply by 1000"
  end
end

-- ---- times beside each other -------------------------------------------------------------------

-- The largest difference between two local times: UTC+14 to UTC-12.
local CLOCKS_APART_S = 26 * 3600

-- yyyy-MM-dd HH:mm:ss as a number of seconds, for comparing. 528 is 11 times the byte of "0", 53328 is 1111 times it.
local function seconds_of(value)
  local y1, y2, y3, y4, _, m1, m2, _, d1, d2, _, h1, h2, _, n1, n2, _, s1, s2 = byte(value, 1, 19)
  local year, month = y1 * 1000 + y2 * 100 + y3 * 10 + y4 - 53328, m1 * 10 + m2 - 528
  local days = time.days(year, month, d1 * 10 + d2 - 528)
  return days * 86400 + (h1 * 10 + h2 - 528) * 3600 + (n1 * 10 + n2 - 528) * 60 + s1 * 10 + s2 - 528
end

-- Whether a time is before another that it cannot be before. The values may be anything; the result counts only if both
-- are right by the rules of their fields. `field`: that of `value`, with `not_before`.
function slips.is_before(field, value, other)
  local kind = type(value)
  if kind ~= field.type or kind ~= type(other) then return false end
  -- Strings with digits at the same places compare like the times, in every locale.
  if value >= other or not field.local_times then return value < other end
  return #value == 19 and #other == 19 and seconds_of(value) < seconds_of(other) - CLOCKS_APART_S
end

return slips
