-- Many payloads from a source, several under way at once: `client:sync_many`. They wait in memory: in `lanes` before
-- their first attempt, in `retries` before another, and their lane with them.

local Error = require "alipayhk.base.error"
local call = require "alipayhk.exchange.call"
local engine = require "alipayhk.delivery.engine"
local new_lanes = require("alipayhk.delivery.lanes").new
local new_retries = require("alipayhk.delivery.retries").new
local runtime = require "alipayhk.base.runtime"
local send = require "alipayhk.exchange.send"
local source = require "alipayhk.delivery.source"

local batch = { source_fault = source.fault, CHECKS = engine.CHECKS }

-- Payloads that are taken before their turn, for each request that may be under way: enough to find orders of which
-- nothing is under way yet, and no more than that, whatever the length of the source.
local AHEAD = 4

local now_ms = runtime.monotonic_ms

local Queue = {}
Queue.__index = Queue

function Queue:waiting()
  return self.lanes.waiting + self.retries.count
end

function Queue.turn()
  return math.huge
end

-- ---- what goes next --------------------------------------------------------------------------------

local function report(self, item, response, err)
  self.engine:report { index = item.index, payload = item.payload, response = response, err = err }
end

local function settle(self, item)
  self.lanes:done(item.lane)
  report(self, item, item.machine and item.machine.response, item.err or item.machine.err)
end

-- Whether the source is not asked any more.
local function is_over(self)
  return self.is_read or self.engine.reason ~= nil
end

-- Reads one item from the source; false where there is none to take now.
local function read_one(self)
  if is_over(self) or self:waiting() >= self.ahead then return false end
  local ran, item, err = pcall(self.source)
  if not ran then self.engine:stop_for(item) end
  self.is_read = ran and item == nil
  if not ran or item == nil then return false end
  self.engine.totals.taken = item.index
  if err then
    report(self, item, nil, err)
  else
    self.lanes:put(item.lane, item)
  end
  return true
end

-- The next of the lanes' items; the source is asked until there is one, enough wait, or this turn is over.
local function next_of_lanes(self)
  local item = self.lanes:take()
  while not item and read_one(self) do
    item = self.lanes:take()
    if self.engine:is_turn_over() then break end
  end
  return item
end

-- A retry that `take` gives and whose time is not up. What waited past its time was held back by the pace.
local function next_of_retries(self, take, ...)
  local item = take(self.retries, ...)
  while item do
    local at_ms = now_ms()
    item.machine:waited(at_ms, math.max(0, at_ms - item.due_ms))
    if item.machine.action ~= "done" then return item end
    settle(self, item)
    item = take(self.retries, ...)
  end
end

-- Another one each time, since a few may fail for reasons of their own.
local function next_probe(self)
  return next_of_lanes(self) or next_of_retries(self, self.retries.take_probe)
end

-- An item is sent again before others begin; unless in doubt.
function Queue:take(mode)
  if mode == "probe" then return next_probe(self) end
  local fresh = mode == "doubt" and next_of_lanes(self)
  return fresh or next_of_retries(self, self.retries.take, now_ms()) or next_of_lanes(self)
end

function Queue:due_ms()
  local due_ms = self.retries:due_ms()
  return due_ms and math.max(0, due_ms - now_ms()) or math.huge
end

-- ---- what has ended --------------------------------------------------------------------------------

function Queue:ended(item)
  local machine = item.machine
  if item.err or machine.action == "done" then return settle(self, item) end
  send.announce_retry(self.config, item.request, machine)
  item.due_ms = now_ms() + machine.delay_ms
  self.retries:put(item)
end

function Queue:broken(item, value)
  self.engine:stop_for(value)
  item.err = Error.new("crypto", "the batch was stopped by what was thrown: " .. tostring(value))
  settle(self, item)
end

function Queue:is_done()
  return is_over(self) and self:waiting() == 0
end

-- Tells of what has not begun, and of what was to be sent again.
function Queue:give_up(reason)
  local message = ("it was not sent: %s; send it again"):format(reason)
  self.has_dropped = self.has_dropped or self:waiting() > 0
  for _, item in ipairs(self.lanes:drain()) do
    report(self, item, nil, Error.new("transport", message, { code = "connect", attempts = 0, retryable = true }))
  end
  local item = self.retries:take_oldest()
  while item do
    send.stop(self.config, item.request, item.machine)
    settle(self, item)
    item = self.retries:take_oldest()
  end
end

-- ---- all of it -------------------------------------------------------------------------------------

-- What the crew does with an item: makes its next attempt. Before the first it builds its request.
local function new_task(client, opts, policy, pace)
  local timeout_ms = opts.timeout_ms or client.config.timeout_ms
  return function(item)
    if not item.machine then
      local request, err = call.build(client.config, item.description, item.description.path, item.payload, opts)
      item.request, item.err = request, err
      if not request then return end
      item.machine = send.begin(request, policy, timeout_ms, pace)
      item.machine.lane = item.lane
    end
    pace:go(now_ms())
    send.attempt(client, item.request, item.machine)
  end
end

-- Sends what a source gives: totals. `opts`: those of the engine and of a call; `policy`: see
-- `alipayhk.exchange.retry`.
function batch.run(client, given, opts, policy)
  local driver = engine.new(client, opts, policy)
  driver.task = new_task(driver.crew.client, opts, policy, driver.pace)
  local queue = setmetatable({
    engine = driver,
    config = driver.crew.client.config,
    lanes = new_lanes(),
    retries = new_retries(),
    source = source.items(given),
    ahead = driver.concurrency * AHEAD,
  }, Queue)
  local totals = driver:run(queue)
  if queue.has_dropped or not queue.is_read then totals.stopped = driver.reason end
  return totals
end

return batch
