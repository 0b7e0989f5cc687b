-- How many requests may be under way, learnt from a server that refuses traffic: additive increase, multiplicative
-- decrease, as TCP does. The limit is a fraction: below one it is a pause between two requests. Does no I/O; times are
-- milliseconds of any monotonic clock.
--
--   window:delay_ms(under_way, now_ms)       0: another may go; otherwise after so long, or when one has ended (huge)
--   window:taken(sent_ms, now_ms)            a request that left at `sent_ms` was not refused
--   window:refused(sent_ms, now_ms, after_ms) it was; `after_ms`: what the answer's Retry-After asks for, if anything

local floor, huge, max, min = math.floor, math.huge, math.max, math.min

local START = 4
local CUT = 1 / 2
-- Below one the limit grows by this share with each request, above by one with each round of them.
local SHARE = 1 / 8
-- The longest pause, unless the server itself asks for more: what has been refused for a while is soon taken again.
local PAUSE_MS = 500

local Window = {}
Window.__index = Window

-- `most`: the limit's own limit; `patience_ms`: the longest pause that the server may ask for.
local function new(most, patience_ms)
  return setmetatable({
    most = most,
    patience_ms = patience_ms,
    limit = min(START, most),
    fast_until = huge, -- below it the limit doubles with each round
    round_trip_ms = nil, -- smoothed
    cut_ms = -huge, -- when the limit was cut last: requests that left before it say nothing new
    is_calm = true, -- nothing was refused since a request was taken
    open_ms = -huge, -- nothing may go before
  }, Window)
end

local function measure(self, sent_ms, now_ms)
  local round_trip_ms = self.round_trip_ms or now_ms - sent_ms
  self.round_trip_ms = round_trip_ms + (now_ms - sent_ms - round_trip_ms) / 8
end

-- Below a limit of one the pause makes up for what a whole request is too much.
local function pause(self, now_ms)
  if self.limit >= 1 then return end
  self.open_ms = max(self.open_ms, now_ms + min(PAUSE_MS, self.round_trip_ms * (1 / self.limit - 1)))
end

function Window:delay_ms(under_way, now_ms)
  if under_way >= max(1, floor(self.limit)) then return huge end
  return max(0, self.open_ms - now_ms)
end

function Window:taken(sent_ms, now_ms)
  measure(self, sent_ms, now_ms)
  self.is_calm = true
  local limit = self.limit
  local step = limit < self.fast_until and min(1, limit) or min(1 / limit, limit * SHARE)
  self.limit = min(self.most, limit + step)
  pause(self, now_ms)
end

function Window:refused(sent_ms, now_ms, after_ms)
  measure(self, sent_ms, now_ms)
  if sent_ms >= self.cut_ms then
    local least = min(1, self.round_trip_ms / PAUSE_MS)
    self.limit, self.cut_ms = max(least, self.limit * CUT), now_ms
    if self.is_calm then self.fast_until, self.is_calm = self.limit, false end
  end
  if after_ms then self.open_ms = max(self.open_ms, now_ms + min(after_ms, self.patience_ms)) end
  pause(self, now_ms)
end

return { new = new }
