-- Times that strictly increase. AlipayHK takes the event with the greater time for the later one, so two events within
-- one millisecond, or before and after the clock was set back, must not get equal or swapped times.

local max, min = math.max, math.min

-- At more than a thousand events a second the times run ahead of the clock. Beyond this they follow the clock again,
-- and times within one millisecond are equal.
local AHEAD_MAX_MS = 60000
-- A clock that is set back by more than this was wrong before, so its new time counts.
local SET_BACK_MAX_MS = 600000

-- Gives a function `next(now_ms)`: the clock's time in milliseconds, or one that follows the last.
local function new()
  local greatest_ms, last_ms = 0, 0
  return function(now_ms)
    if now_ms < greatest_ms - SET_BACK_MAX_MS then greatest_ms, last_ms = 0, 0 end
    greatest_ms = max(greatest_ms, now_ms)
    last_ms = max(now_ms, min(last_ms + 1, greatest_ms + AHEAD_MAX_MS))
    return last_ms
  end
end

return { new = new }
