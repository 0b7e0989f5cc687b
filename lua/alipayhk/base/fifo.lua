-- A queue: what was put in first comes out first.

local Fifo = {}
Fifo.__index = Fifo

local function new()
  return setmetatable({ first = 1, last = 0 }, Fifo)
end

function Fifo:count()
  return self.last - self.first + 1
end

function Fifo:put(item)
  self.last = self.last + 1
  self[self.last] = item
end

local function remove(self, at)
  local item = self[at]
  self[at] = nil
  return item
end

-- The oldest; nil for none.
function Fifo:take()
  if self.first > self.last then return nil end
  self.first = self.first + 1
  return remove(self, self.first - 1)
end

-- The one that was put in last; nil for none.
function Fifo:take_last()
  if self.first > self.last then return nil end
  self.last = self.last - 1
  return remove(self, self.last + 1)
end

return { new = new }
