-- Whether the other side can be reached at all. After failures of the transport in a row, over several lanes, the
-- breaker opens: from then on one request at a time finds out, less and less often, until one is answered. Does no I/O;
-- times are milliseconds of any monotonic clock.
--
--   breaker:failed(lane, sent_ms, now_ms)  a request of that lane, sent at `sent_ms`, got no answer
--   breaker:answered()                     one was answered, whatever the answer
--   breaker.opened_ms                      since when it is open; nil while it is closed
--   breaker.failed_for_ms                  how long after the first one in a row that got no answer the last one failed
--   breaker:delay_ms(under_way, now_ms)    0: another request may go; otherwise after so long, or when one has ended

local huge, max, min = math.huge, math.max, math.min

local FAILURES = 5
-- One order may have a trouble of its own.
local LANES = 3
local FIRST_PROBE_MS, LAST_PROBE_MS = 1000, 30000

local Breaker = {}
Breaker.__index = Breaker

local function new()
  local self = setmetatable({}, Breaker)
  self:answered()
  return self
end

function Breaker:answered()
  self.failures, self.lanes, self.lane_count, self.opened_ms = 0, {}, 0, nil
  self.first_ms, self.failed_for_ms = nil, 0
end

local function note(self, lane, now_ms)
  self.failures, self.first_ms = self.failures + 1, self.first_ms or now_ms
  self.failed_for_ms = now_ms - self.first_ms
  if self.lanes[lane] or self.lane_count == LANES then return end
  self.lanes[lane], self.lane_count = true, self.lane_count + 1
end

function Breaker:failed(lane, sent_ms, now_ms)
  if not self.opened_ms then
    note(self, lane, now_ms)
    if self.failures < FAILURES or self.lane_count < LANES then return end
    self.opened_ms, self.pause_ms = now_ms, FIRST_PROBE_MS
  elseif sent_ms <= self.opened_ms then
    return -- it left before, or as it opened: no probe
  else
    self.pause_ms = min(self.pause_ms * 2, LAST_PROBE_MS)
  end
  self.probe_ms = now_ms + self.pause_ms
end

function Breaker:delay_ms(under_way, now_ms)
  if not self.opened_ms then return 0 end
  return under_way > 0 and huge or max(0, self.probe_ms - now_ms)
end

return { new = new }
