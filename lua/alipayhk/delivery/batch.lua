-- Many payloads from a source, several under way at once: `client:sync_many`.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local arguments = require "alipayhk.base.arguments"
local call = require "alipayhk.exchange.call"
local core = require "alipayhk.core"
local fault = require "alipayhk.base.fault"
local json = require "alipayhk.base.json"
local new_crew = require("alipayhk.delivery.crew").new
local new_lanes = require("alipayhk.delivery.lanes").new
local platform = require "alipayhk.api.platform"
local runtime = require "alipayhk.base.runtime"

local batch = {}

local CONCURRENCY = 32
-- Payloads that are taken before their turn, for each request that may be under way: enough to find orders of which
-- nothing is under way yet, and no more than that, whatever the length of the source.
local AHEAD = 4
local PROGRESS_MS = 200
-- Without anything to do for so long nothing is late.
local IDLE_MS = 1000

local threads_fault = arguments.whole("threads", 0, 64)

batch.CHECKS = {
  concurrency = arguments.whole("requests", 1, 1024),
  rate = function(value)
    if type(value) ~= "number" or not (value > 0 and value < math.huge) then
      return "expected a number of requests a second above 0, " .. arguments.found(value)
    end
  end,
  signers = function(value)
    if runtime.in_nginx() then return "plain Lua only: inside nginx light threads do the work" end
    return threads_fault(value)
  end,
  on_result = arguments.of_type("function"),
  on_progress = arguments.of_type("function"),
}

local now_ms = runtime.monotonic_ms

-- ---- the source ----------------------------------------------------------------------------------

-- A message where a source is neither a list nor a function.
function batch.source_fault(source)
  return arguments.type_fault(source, "table", "function")
end

local function iterator_of(source)
  if type(source) == "function" then return source end
  local i = 0
  return function()
    i = i + 1
    return source[i]
  end
end

-- The API of a payload, by the field that names its scenario.
local function description_of(payload)
  for _, name in ipairs(api.names) do
    local description = api.by_name[name]
    if rawget(payload, description.scenario_field) ~= nil then return description end
  end
end

local function scenario_fields()
  local fields = {}
  for i, name in ipairs(api.names) do fields[i] = api.by_name[name].scenario_field end
  return table.concat(fields, " nor ")
end

local function invalid(message)
  return Error.new("invalid", message, { fields = { fault.new("", "type", message) } })
end

-- What is wrong with an item before its rules are looked at.
local function item_error(index, payload, description)
  local no_table = arguments.type_fault(payload, "table")
  if no_table then return invalid(("item %d: %s"):format(index, no_table)) end
  if not description then
    return invalid(("item %d has neither %s: is it an order or a notification?"):format(index, scenario_fields()))
  end
end

-- Events of one order share a lane; what names no order has one of its own.
local function lane_of(index, payload, description)
  local order = json.id_text(rawget(payload, platform.identity.merchant_biz_no))
  return order and description.name .. "\0" .. order or index
end

-- ---- one batch -----------------------------------------------------------------------------------

local Batch = {}
Batch.__index = Batch

-- Nothing more begins; what is under way ends.
local function stop(self)
  self.is_over, self.is_stopped = true, true
end

local function stop_for(self, thrown)
  stop(self)
  self.thrown = self.thrown or { value = thrown }
end

-- Runs a function of the user's; what it throws stops the batch, and is thrown on at its end.
local function guarded(self, ...)
  local ran, value = pcall(...)
  if ran then return value end
  stop_for(self, value)
end

local function progress(self)
  local seconds = core.monotonic() - self.started
  local totals, ended = self.totals, self.totals.accepted + self.totals.refused + self.totals.failed
  return {
    taken = totals.taken, accepted = totals.accepted, refused = totals.refused, failed = totals.failed,
    in_flight = self.in_flight, waiting = self.lanes.waiting,
    seconds = seconds, per_second = seconds > 0 and ended / seconds or 0,
  }
end

local function tell_progress(self, is_last)
  if not self.on_progress or not is_last and now_ms() < self.progress_due_ms then return end
  self.progress_due_ms = now_ms() + PROGRESS_MS
  guarded(self, self.on_progress, progress(self))
end

-- By AlipayHK's authenticated no, or by our own check.
local function is_refusal(err)
  local response = err.response
  return err.kind == "invalid"
    or err.kind == "result" and response.authenticated and response.result.resultStatus == "F"
end

local function report(self, item, response, err)
  local outcome = response and "accepted" or is_refusal(err) and "refused" or "failed"
  self.totals[outcome] = self.totals[outcome] + 1
  local on_result = self.on_result
  if not on_result then return end
  local ran, value = pcall(on_result, { index = item.index, payload = item.payload, response = response, err = err })
  if ran and value == false then stop(self) end
  if not ran then
    self.on_result = nil -- it is not called again
    stop_for(self, value)
  end
end

-- What was taken and had not begun when the batch was stopped.
local function report_waiting(self)
  for _, item in ipairs(self.lanes:drain()) do
    report(self, item, nil, Error.new("transport", "it was not sent: the batch was stopped before its turn", {
      code = "connect", attempts = 0,
    }))
  end
end

-- Takes one payload; false where there is none to take now.
local function take(self)
  if self.crew.client.closed then stop(self) end
  if self.is_over or self.lanes.waiting >= self.ahead then return false end
  local payload = guarded(self, self.next_payload)
  if payload == nil then
    self.is_over = true
    return false
  end
  self.totals.taken = self.totals.taken + 1
  local index = self.totals.taken
  local description = type(payload) == "table" and description_of(payload) or nil
  local item = { index = index, payload = payload, description = description }
  local err = item_error(index, payload, description)
  if err then
    report(self, item, nil, err)
  else
    self.lanes:put(lane_of(index, payload, description), item)
  end
  return true
end

-- The next item that may go; the source is asked until there is one, or enough wait.
local function next_item(self)
  if self.is_stopped then return nil end
  local item, lane = self.lanes:take()
  while not item and take(self) do item, lane = self.lanes:take() end
  if item then item.lane = lane end
  return item
end

-- ---- the rate --------------------------------------------------------------------------------------

-- Requests may make up for so much lateness of ours.
local LATE_MS = 20

-- Milliseconds until another request may leave.
local function pause_ms(self)
  return self.interval_ms and math.max(0, self.next_start_ms - now_ms()) or 0
end

-- Takes the next place in time; gives how many milliseconds it is away.
local function reserve_ms(self)
  if not self.interval_ms then return 0 end
  local wait_ms = pause_ms(self)
  self.next_start_ms = math.max(self.next_start_ms, now_ms() - LATE_MS) + self.interval_ms
  return wait_ms
end

-- What a retry sends counts as any other request does.
local function keep_rate_in_retries(self)
  local config = self.crew.client.config
  local sleep = config.sleep
  config.sleep = function(ms)
    sleep(ms)
    local wait_ms = reserve_ms(self)
    if wait_ms > 0 then sleep(wait_ms) end
  end
end

-- ---- running ---------------------------------------------------------------------------------------

local function start_some(self)
  while self.in_flight < self.concurrency and pause_ms(self) == 0 do
    local item = next_item(self)
    if not item then return end
    reserve_ms(self)
    self.in_flight = self.in_flight + 1
    self.crew:start(self.task, item)
  end
end

local function end_some(self)
  local ended = self.crew:next_ended()
  while ended do
    local item, value = ended.item, ended.value
    self.in_flight = self.in_flight - 1
    self.lanes:done(item.lane)
    if ended.ran then
      report(self, item, value.response, value.err)
    else
      stop_for(self, value)
    end
    ended = self.crew:next_ended()
  end
end

-- Until something has ended, another request may leave, or progress is to be told.
local function wait(self)
  local limit_ms, pause = self.on_progress and PROGRESS_MS or IDLE_MS, pause_ms(self)
  if pause > 0 and self.in_flight < self.concurrency then limit_ms = math.min(limit_ms, pause) end
  self.crew:wait(limit_ms)
end

local function run(self)
  repeat
    start_some(self)
    if self.is_stopped then report_waiting(self) end
    tell_progress(self)
    local is_idle = self.in_flight == 0 and self.lanes.waiting == 0
    if not is_idle or not self.is_over then wait(self) end
    end_some(self)
  until self.is_over and self.in_flight == 0 and self.lanes.waiting == 0
end

-- What the crew does with an item.
local function new_task(client, opts, policy)
  return function(item)
    local description = item.description
    local response, err = call.run(client, description, description.path, item.payload, opts, policy)
    return { response = response, err = err }
  end
end

-- Sends what a source gives: totals. `opts`: concurrency, rate, on_result, on_progress, and those of a call; `policy`:
-- see `alipayhk.exchange.retry`.
function batch.run(client, source, opts, policy)
  local concurrency = opts.concurrency or CONCURRENCY
  local crew = new_crew(client, concurrency, opts.signers)
  local self = setmetatable({
    crew = crew,
    lanes = new_lanes(),
    next_payload = iterator_of(source),
    concurrency = concurrency,
    ahead = concurrency * AHEAD,
    interval_ms = opts.rate and 1000 / opts.rate,
    next_start_ms = 0,
    on_result = opts.on_result,
    on_progress = opts.on_progress,
    progress_due_ms = 0,
    in_flight = 0,
    started = core.monotonic(),
    totals = { taken = 0, accepted = 0, refused = 0, failed = 0 },
    task = new_task(crew.client, opts, policy),
  }, Batch)
  keep_rate_in_retries(self)
  local ran, thrown = pcall(run, self)
  crew:close()
  if not ran then error(thrown, 0) end
  tell_progress(self, true)
  if self.thrown then error(self.thrown.value, 0) end
  self.totals.seconds = core.monotonic() - self.started
  return self.totals
end

return batch
