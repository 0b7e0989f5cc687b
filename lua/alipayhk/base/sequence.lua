-- Times that strictly increase. AlipayHK takes the event of an order with the greater time for the later one, so two
-- events must not get equal times within one millisecond, nor swapped ones when the clock is set back.

local max, min = math.max, math.min

-- At more than a thousand events a second the times run ahead of the clock. They may be ahead by this much; beyond
-- that, those of one millisecond are equal.
local AHEAD_MAX_MS = 60000
-- A clock that is set back by more than this was wrong before: its new time is taken.
local SET_BACK_MAX_MS = 600000

-- Makes a function `next(now_ms)` that gives the clock's time if it is later than the last one given, otherwise the
-- last one plus a millisecond.
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
