-- Items that are to be sent again at a time of their own, or before it as a probe. Does no I/O; times are milliseconds
-- of any monotonic clock.

local Retries = {}
Retries.__index = Retries

local function new()
  return setmetatable({ count = 0 }, Retries) -- a list, the one that is due first at its end
end

-- Puts in an item, due at its `due_ms`. Of two that are due at once the one that was put in first comes first.
function Retries:put(item)
  local at = self.count + 1
  while at > 1 and self[at - 1].due_ms <= item.due_ms do at = at - 1 end
  item.probes = item.probes or 0
  table.insert(self, at, item)
  self.count = self.count + 1
end

-- When the next one is due; nil for none.
function Retries:due_ms()
  local item = self[self.count]
  return item and item.due_ms
end

local function take(self, at)
  self.count = self.count - 1
  return table.remove(self, at)
end

-- Takes the next one that is due; nil for none.
function Retries:take(now_ms)
  local due_ms = self:due_ms()
  return due_ms and due_ms <= now_ms and take(self, self.count) or nil
end

-- Where the one with the least number of probes is, the oldest of them.
local function least(self)
  local found
  for at = 1, self.count do
    local item, best = self[at], self[found]
    if not best or item.probes < best.probes or item.probes == best.probes and item.index < best.index then
      found = at
    end
  end
  return found
end

-- Takes it, due or not, as a probe; nil for none.
function Retries:take_probe()
  local at = least(self)
  if not at then return nil end
  self[at].probes = self[at].probes + 1
  return take(self, at)
end

-- Takes the one with the least `index`, due or not; nil for none.
function Retries:take_oldest()
  local oldest
  for at = 1, self.count do
    if not oldest or self[at].index < self[oldest].index then oldest = at end
  end
  return oldest and take(self, oldest)
end

return { new = new }
