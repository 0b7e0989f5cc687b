-- Runs many tasks at once, each a function that sends over its client and sleeps by its config. There are three sorts
-- of crew: light threads in nginx; coroutines over libcurl's multi elsewhere; and where the user's own transport or
-- sleep is called, which may wait for whatever it likes, one task after the other.
--
--   crew.client              what tasks use in place of the user's client
--   crew:start(task, item)   begins `task(item)`
--   crew:wait(ms)            waits until a task has ended, or for that long
--   crew:next_ended()        takes one that has ended: `{ item, ran, value }`, what it gave or threw; nil for none
--   crew:close()

local core = require "alipayhk.core"
local runtime = require "alipayhk.base.runtime"

-- The user's client with some of its parts replaced.
local function replaced(client, config_parts, parts)
  local config = {}
  for name, value in pairs(client.config) do config[name] = value end
  for name, value in pairs(config_parts) do config[name] = value end
  parts.config = config
  return setmetatable(parts, { __index = client }) -- `closed` is the user's
end

local function next_ended(self)
  return table.remove(self.ended, 1)
end

-- ---- one after the other -------------------------------------------------------------------------

local Alone = { next_ended = next_ended }
Alone.__index = Alone

function Alone:start(task, item)
  local ran, value = pcall(task, item)
  self.ended[#self.ended + 1] = { item = item, ran = ran, value = value }
end

function Alone:wait(ms)
  if #self.ended == 0 then self.sleep(ms) end
end

function Alone.close() end

local function new_alone(client)
  return setmetatable({ client = replaced(client, {}, {}), sleep = client.config.sleep, ended = {} }, Alone)
end

-- ---- coroutines over libcurl's multi ---------------------------------------------------------------

local SEND, SLEEP = {}, {}

local Coroutines = { next_ended = next_ended }
Coroutines.__index = Coroutines

local function now_ms()
  return core.monotonic() * 1000
end

local resume

-- What a task that has yielded waits for.
local function await(self, thread, what, detail)
  if what == SLEEP then
    self.sleeping[thread] = now_ms() + detail
    return
  end
  local ran, message = pcall(self.multi.start, self.multi, detail, thread)
  if ran then
    self.sending = self.sending + 1
    return
  end
  return resume(self, thread, nil, { code = "protocol", message = tostring(message) })
end

function resume(self, thread, ...)
  local ran, what, detail = coroutine.resume(thread, ...)
  if coroutine.status(thread) == "suspended" then return await(self, thread, what, detail) end
  self.ended[#self.ended + 1] = { item = self.items[thread], ran = ran, value = what }
  self.items[thread] = nil
end

function Coroutines:start(task, item)
  local thread = coroutine.create(task)
  self.items[thread] = item
  resume(self, thread, item)
end

-- Milliseconds until the first sleeper is due.
local function until_due(self, limit_ms)
  local now = now_ms()
  for _, due_ms in pairs(self.sleeping) do limit_ms = math.min(limit_ms, due_ms - now) end
  return math.max(0, math.ceil(limit_ms))
end

local function wake_sleepers(self)
  local now, due = now_ms(), {}
  for thread, due_ms in pairs(self.sleeping) do
    if due_ms <= now then due[#due + 1] = thread end
  end
  for _, thread in ipairs(due) do
    self.sleeping[thread] = nil
    resume(self, thread)
  end
end

local function take_answers(self)
  local thread, raw, failure = self.multi:finished()
  while thread do
    self.sending = self.sending - 1
    resume(self, thread, raw, failure)
    thread, raw, failure = self.multi:finished()
  end
end

function Coroutines:wait(ms)
  local deadline = now_ms() + ms
  repeat
    local left_ms = until_due(self, math.max(0, deadline - now_ms()))
    if self.sending > 0 then self.multi:wait(left_ms) else core.sleep(left_ms) end
    take_answers(self)
    wake_sleepers(self)
  until #self.ended > 0 or now_ms() >= deadline
end

function Coroutines:close()
  self.multi:close()
end

local function new_coroutines(client, concurrency)
  local self = setmetatable({
    items = {}, sleeping = {}, sending = 0, ended = {}, multi = require("alipayhk.curl").multi(concurrency),
  }, Coroutines)
  self.client = replaced(client, {
    sleep = function(ms) coroutine.yield(SLEEP, ms) end,
  }, {
    transport = { send = function(request) return coroutine.yield(SEND, request) end },
  })
  return self
end

-- ---- light threads in nginx ------------------------------------------------------------------------

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

-- nginx spawns functions of Lua alone.
local function ngx_sleep(ngx, ms)
  ngx.sleep(ms / 1000)
end

local Threads = { next_ended = next_ended }
Threads.__index = Threads

function Threads:start(task, item)
  local ngx = self.ngx
  local thread = ngx.thread.spawn(function()
    local ran, value = pcall(task, item)
    self.ended[#self.ended + 1] = { item = item, ran = ran, value = value }
  end)
  self.threads[#self.threads + 1] = thread
end

-- What has ended stays in memory until somebody waits for it.
local function drop_ended(self)
  local alive = {}
  for _, thread in ipairs(self.threads) do
    local status = coroutine.status(thread)
    if status == "zombie" then
      self.ngx.thread.wait(thread)
    elseif status ~= "dead" then
      alive[#alive + 1] = thread
    end
  end
  self.threads = alive
end

function Threads:wait(ms)
  local ngx = self.ngx
  if #self.ended == 0 then
    local waited = { ngx.thread.spawn(ngx_sleep, ngx, ms) }
    for _, thread in ipairs(self.threads) do waited[#waited + 1] = thread end
    ngx.thread.wait(unpack(waited))
    ngx.thread.kill(waited[1])
  end
  drop_ended(self)
end

function Threads.close() end

local function new_threads(client)
  return setmetatable({ client = replaced(client, {}, {}), ngx = runtime.nginx(), threads = {}, ended = {} }, Threads)
end

-- ---- which -------------------------------------------------------------------------------------------

-- The crew for a client, with at most so many tasks at once.
local function new(client, concurrency)
  local config = client.config
  if type(config.transport) == "function" or config.sleep ~= runtime.sleep then return new_alone(client) end
  if runtime.in_nginx() then return new_threads(client) end
  return new_coroutines(client, concurrency)
end

return { new = new }
