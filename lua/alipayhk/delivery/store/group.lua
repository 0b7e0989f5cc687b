-- Puts of many requests of an nginx worker in one commit: who comes during one waits for the next, with all others that
-- do. What commits is a timer, and none of those that wait: a request may be aborted at any moment, a timer is not.

local runtime = require "alipayhk.base.runtime"

local max = math.max
local now_ms = runtime.monotonic_ms

local Group = {}
Group.__index = Group

-- What one commit takes: more would make it longer than it saves.
local RECORDS_MAX, BYTES_MAX = 64, 8 * 1024 * 1024
-- nginx drops a timer where too many run (lua_max_running_timers): who has waited so long commits without it.
local TIMER_MS = 1000
-- A store's own limits are shorter: only a disk that hangs takes so long.
local WAIT_MAX_MS = 30000

-- ---- who waits -----------------------------------------------------------------------------------

local function new_semaphore()
  local loaded, semaphore = pcall(require, "ngx.semaphore")
  return loaded and semaphore.new() or nil
end

-- Whether this phase of nginx lets its Lua wait. (A semaphore that nobody posts is what knows.)
local function can_wait(self)
  self.probe = self.probe or new_semaphore()
  if not self.probe then return false end
  local ran, _, reason = pcall(self.probe.wait, self.probe, 0)
  return ran and reason == "timeout"
end

-- The batch that is next to be filled.
local function open_batch(self)
  local batch = self.batches[#self.batches]
  if not batch or #batch.records >= RECORDS_MAX or batch.bytes >= BYTES_MAX then
    batch = { records = {}, bytes = 0, waiting = 0, done = new_semaphore() }
    self.batches[#self.batches + 1] = batch
  end
  batch.waiting = batch.waiting + 1
  return batch
end

local function lane_of(record)
  return record.api .. " " .. record.merchant_biz_no
end

-- The time of a later event of its lane, which is not committed yet. A made-up time is then made up anew at once: to
-- find that out from the store would take a commit for each event of a lane that is put at the same time.
local function newest_before(self, record)
  local newest_ms = record.is_filled and self.newest[lane_of(record)]
  return newest_ms and record.sequence_ms <= newest_ms and newest_ms or nil
end

local function add(self, batch, record)
  local lane = lane_of(record)
  batch.records[#batch.records + 1], batch.bytes = record, batch.bytes + #record.body
  if record.sequence_ms then self.newest[lane] = max(record.sequence_ms, self.newest[lane] or 0) end
end

-- ---- who commits ---------------------------------------------------------------------------------

local function failed(message)
  return { code = "failed", message = tostring(message), is_retryable = false }
end

local function forget_newest(self, records)
  for _, record in ipairs(records) do
    local lane = lane_of(record)
    if self.newest[lane] == record.sequence_ms then self.newest[lane] = nil end
  end
end

local function commit_first(self, commit)
  local batch = table.remove(self.batches, 1)
  local ran, results, fault = pcall(commit, batch.records)
  if not ran then results, fault = nil, failed(results) end
  batch.results, batch.fault, batch.is_done = results, fault, true
  forget_newest(self, batch.records)
  batch.done:post(batch.waiting)
end

-- Commits until nobody waits.
local function serve(self, commit)
  if self.is_serving then return end
  self.is_serving = true
  while self.batches[1] do commit_first(self, commit) end
  self.is_serving, self.is_called = false, false
end

local function on_timer(_, self)
  serve(self, self.commit)
end

-- Has a timer commit; where nginx gives none, does it at once.
local function call(self)
  if self.is_called then return end
  self.is_called = true
  if not runtime.nginx().timer.at(0, on_timer, self) then serve(self, self.commit_here) end
end

local function await(self, batch)
  local began_ms = now_ms()
  repeat
    batch.done:wait(TIMER_MS / 1000)
    local waited_ms = now_ms() - began_ms
    if not batch.is_done and waited_ms >= TIMER_MS then serve(self, self.commit_here) end
  until batch.is_done or waited_ms >= WAIT_MAX_MS
end

-- ---- put -----------------------------------------------------------------------------------------

local LATE = {
  code = "unreachable", is_retryable = true,
  message = ("the store has not answered for %d s, so it is not known whether it was stored: put it again, with the "
    .. "same `key`; does the disk answer?"):format(WAIT_MAX_MS / 1000),
}

-- Puts records, see `alipayhk.delivery.store`; waits without blocking the worker, where its phase allows that.
function Group:put(records)
  if not can_wait(self) then return self.commit_here(records) end
  local newest_ms = #records == 1 and newest_before(self, records[1])
  if newest_ms then return { { newest_ms = newest_ms } } end
  local batch = open_batch(self)
  local before = #batch.records
  for _, record in ipairs(records) do add(self, batch, record) end
  call(self)
  await(self, batch)
  if not batch.is_done then return nil, LATE end
  if not batch.results then return nil, batch.fault end
  local results = {}
  for i = 1, #records do results[i] = batch.results[before + i] end
  return results
end

-- `commit(records)`, which may wait, and `commit_here(records)`, which may not, give what a store's `put` gives.
local function new(commit, commit_here)
  return setmetatable({
    commit = commit, commit_here = commit_here,
    batches = {}, -- that wait, the oldest first
    newest = {}, -- by lane: the time of its last event that is not committed yet
    is_called = false, is_serving = false,
  }, Group)
end

return { new = new }
