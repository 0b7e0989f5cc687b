-- When the next of many requests may leave: what the user's rate, the window of a server that refuses traffic, and the
-- breaker of one that cannot be reached allow together. It is the gate of the requests' `alipayhk.exchange.attempts`,
-- which tell it of every outcome. Does no I/O; times are milliseconds of any monotonic clock.

local new_breaker = require("alipayhk.delivery.breaker").new
local new_window = require("alipayhk.delivery.window").new
local retry = require "alipayhk.exchange.retry"

local huge, max = math.huge, math.max

-- Requests may make up for so much lateness of ours.
local LATE_MS = 20

local Pace = {}
Pace.__index = Pace

-- `concurrency`: the most requests under way; `rate`: the most a second, or nil; `patience_ms`: how long to go on where
-- the server cannot be reached, or refuses whatever is sent.
local function new(concurrency, rate, patience_ms)
  return setmetatable({
    window = new_window(concurrency, patience_ms),
    breaker = new_breaker(),
    interval_ms = rate and 1000 / rate or 0,
    next_ms = -huge,
    patience_ms = patience_ms,
    refusing_since_ms = nil, -- since when nothing else than refusals of traffic has come
  }, Pace)
end

-- 0: a request may leave now. Otherwise after how many milliseconds; math.huge: when another has ended.
function Pace:delay_ms(under_way, now_ms)
  return max(self.next_ms - now_ms, self.breaker:delay_ms(under_way, now_ms), self.window:delay_ms(under_way, now_ms))
end

-- One leaves.
function Pace:go(now_ms)
  self.next_ms = max(self.next_ms, now_ms - LATE_MS) + self.interval_ms
end

-- Whether requests only find out if there is anybody.
function Pace:is_probing()
  return self.breaker.opened_ms ~= nil
end

-- Whether the last request failed, and nobody knows yet if it is the server's trouble or the request's own.
function Pace:is_in_doubt()
  return self.breaker.failures > 0
end

-- For how many milliseconds the server has not been reached; nil where it has.
function Pace:unreachable_ms(now_ms)
  return self.breaker.opened_ms and now_ms - self.breaker.opened_ms
end

-- Why it makes no sense to go on; nil while it does.
function Pace:hopeless(now_ms)
  local silent_ms = self.breaker:silent_ms()
  local since_ms = silent_ms or self.refusing_since_ms
  if not since_ms or now_ms - since_ms < self.patience_ms then return nil end
  return ("AlipayHK %s for %.0f s"):format(
    silent_ms and "could not be reached" or "refused traffic", (now_ms - since_ms) / 1000)
end

-- ---- the gate of a request's attempts ----------------------------------------------------------------

-- The attempt of a machine of `alipayhk.exchange.attempts`, whose `lane` is known, was answered as hoped.
function Pace:succeeded(machine, now_ms)
  self.breaker:answered()
  self.refusing_since_ms = nil
  self.window:taken(machine.sent_ms, now_ms)
end

-- It failed. Gives true where that says nothing about this request, and so costs it no attempt.
function Pace:failed(machine, err, after_ms, now_ms)
  if err.kind == "crypto" then return false end -- nothing was sent
  if retry.is_outage(err) then
    self.breaker:failed(machine.lane, machine.sent_ms, now_ms)
    return self:is_probing()
  end
  if not retry.refuses_traffic(machine.description, err) then
    self:succeeded(machine, now_ms)
    return false
  end
  self.breaker:answered()
  self.window:refused(machine.sent_ms, now_ms, after_ms)
  -- A pause that the server itself asks for is no sign of trouble.
  self.refusing_since_ms = self.refusing_since_ms or max(now_ms, self.window.open_ms)
  return true
end

return { new = new }
