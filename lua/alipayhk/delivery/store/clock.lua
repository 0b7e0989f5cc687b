-- The time that a store writes down and compares with: the wall clock, but within a process it never goes back. Set
-- forward it is followed, and what waits goes sooner; set back, time goes on by the monotonic clock.

local runtime = require "alipayhk.base.runtime"

local floor, max = math.floor, math.max

local clock = {}

-- A function that gives that time and what the wall clock says, which is no later: whole milliseconds since the epoch.
-- `now`: seconds since the epoch, with a fraction.
function clock.new(now)
  local last_ms, seen_ms = 0, 0
  return function()
    local wall_ms = now() * 1000
    local monotonic_ms = runtime.monotonic_ms() -- after it: a pause between the two makes nothing too late
    last_ms = max(wall_ms, last_ms + monotonic_ms - seen_ms)
    seen_ms = monotonic_ms
    return floor(last_ms), floor(wall_ms)
  end
end

return clock
