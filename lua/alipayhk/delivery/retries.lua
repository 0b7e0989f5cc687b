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

local function is_older(a, b)
  return a.index < b.index
end

local function is_rested(a, b)
  return a.probes < b.probes or a.probes == b.probes and is_older(a, b)
end

-- Takes the one that goes before all others, due or not; nil for none.
local function take_first(self, goes_before)
  local first
  for at = 1, self.count do
    if not first or goes_before(self[at], self[first]) then first = at end
  end
  return first and take(self, first)
end

-- Takes the one that has been a probe least often, the oldest of them, as a probe.
function Retries:take_probe()
  local item = take_first(self, is_rested)
  if item then item.probes = item.probes + 1 end
  return item
end

-- Takes the one with the least `index`.
function Retries:take_oldest()
  return take_first(self, is_older)
end

return { new = new }
