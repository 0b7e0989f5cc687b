-- Which of many items may go now. Items of one lane go one after the other, in their order: the next waits until the
-- one before it has ended. Lanes take turns, so that a long one keeps no other waiting. Does no I/O and knows no clock.

local Lanes = {}
Lanes.__index = Lanes

local function new()
  return setmetatable({
    lanes = {}, -- by key: a queue, and whether one of it is under way
    ready = {}, first = 1, last = 0, -- the keys of lanes with an item that may go, in the order of their turns
    waiting = 0, -- items that have not gone yet
  }, Lanes)
end

local function queue_up(self, key)
  self.last = self.last + 1
  self.ready[self.last] = key
end

-- Puts an item behind those of its lane.
function Lanes:put(key, item)
  local lane = self.lanes[key]
  if not lane then
    lane = { first = 1, last = 0, is_busy = false }
    self.lanes[key] = lane
  end
  lane.last = lane.last + 1
  lane[lane.last] = item
  self.waiting = self.waiting + 1
  if not lane.is_busy and lane.first == lane.last then queue_up(self, key) end
end

-- The next item that may go, and the key of its lane, which is busy from now on; nil where every lane is busy or empty.
function Lanes:take()
  if self.first > self.last then return nil end
  local key = self.ready[self.first]
  self.ready[self.first] = nil
  self.first = self.first + 1
  local lane = self.lanes[key]
  local item = lane[lane.first]
  lane[lane.first] = nil
  lane.first = lane.first + 1
  lane.is_busy = true
  self.waiting = self.waiting - 1
  return item, key
end

-- The item of a lane that was under way has ended.
function Lanes:done(key)
  local lane = self.lanes[key]
  lane.is_busy = false
  if lane.first <= lane.last then
    queue_up(self, key)
  else
    self.lanes[key] = nil -- many lanes have a single item
  end
end

-- Takes all that wait out, and gives them, in no order.
function Lanes:drain()
  local items = {}
  for key, lane in pairs(self.lanes) do
    for i = lane.first, lane.last do
      items[#items + 1] = lane[i]
      lane[i] = nil
    end
    lane.first, lane.last = 1, 0
    if not lane.is_busy then self.lanes[key] = nil end
  end
  self.ready, self.first, self.last, self.waiting = {}, 1, 0, 0
  return items
end

return { new = new }
