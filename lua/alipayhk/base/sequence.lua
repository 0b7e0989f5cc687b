--- Times that strictly increase. Of two events of one order AlipayHK takes the one with the greater time for the later,
-- so two within one millisecond, or on both sides of a clock's being set back, must not come out equal or swapped.
-- @module alipayhk.base.sequence

local max, min = math.max, math.min

-- At more than a thousand a second the times would run away from the clock: from here on they keep to it, and those of
-- one millisecond are equal.
local AHEAD_MAX_MS = 60000
-- A clock that is set back by more was wrong before: what it says now counts.
local SET_BACK_MAX_MS = 600000

--- @treturn function `next(now_ms) -> ms`: the clock's time, or one that follows the last
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
