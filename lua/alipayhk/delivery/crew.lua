-- Runs many tasks at once, each a function that signs, sends and verifies over its client. There are three sorts
-- of crew: light threads in nginx; coroutines over libcurl's multi elsewhere; and where the user's own transport or
-- sleep is called, which may wait for whatever it likes, one task after the other.
--
--   crew.client              what tasks use: the user's client, or one like it
--   crew:start(task, item)   begins `task(item)`
--   crew.wait_for_socket     for `set_wait` of `alipayhk.base.runtime`, by which a task lets the others go on; of one
--                            task at a time. Nil where it needs none, or has no others
--   crew:wait(ms)            waits until a task has ended, or for that long
--   crew:next_ended()        takes one that has ended: its item, whether it threw, and what; nil for none
--   crew:close()
--   crew.is_inherited        true where the process was forked since: the work under way is the parent's

local core = require "alipayhk.core"
local new_fifo = require("alipayhk.base.fifo").new
local runtime = require "alipayhk.base.runtime"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

-- ---- what has ended ------------------------------------------------------------------------------

local Ended = {}
Ended.__index = Ended

local function new_ended()
  return setmetatable({ items = new_fifo(), thrown = {} }, Ended)
end

function Ended:put(item, ran, value)
  self.items:put(item)
  if not ran then self.thrown[item] = { value = value } end
end

function Ended:is_empty()
  return self.items:count() == 0
end

function Ended:take()
  local item = self.items:take()
  if item == nil then return nil end
  local thrown = self.thrown[item]
  if not thrown then return item, false end
  self.thrown[item] = nil
  return item, true, thrown.value
end

local function next_ended(self)
  return self.ended:take()
end

-- ---- one after the other -------------------------------------------------------------------------

local Alone = { next_ended = next_ended }
Alone.__index = Alone

function Alone:start(task, item)
  self.ended:put(item, pcall(task, item))
end

function Alone:wait(ms)
  if self.ended:is_empty() and ms > 0 then self.sleep(math.ceil(ms)) end
end

function Alone.close() end

local function new_alone(client)
  return setmetatable({ client = client, sleep = client.config.sleep, ended = new_ended() }, Alone)
end

-- ---- coroutines over libcurl's multi ---------------------------------------------------------------

local SEND, SIGN, VERIFY, WAIT, DONE = {}, {}, {}, {}, {}
local KEYS_MAX = 16 -- of a pool

local Coroutines = { next_ended = next_ended }
Coroutines.__index = Coroutines

local now_ms = runtime.monotonic_ms

local resume

-- By what a task waits for: begins it.
local begin = {}

begin[SEND] = function(self, thread, request)
  local ran, message = pcall(self.multi.start, self.multi, request, thread)
  if not ran then return resume(self, thread, nil, { code = "connect", message = tostring(message) }) end
  self.sending = self.sending + 1
end

local function signers_began(self, thread, done, message)
  if not done then return resume(self, thread, nil, message) end
  self.signing = self.signing + 1
end

begin[SIGN] = function(self, thread, key, content, options)
  return signers_began(self, thread, self.pool:sign(key, content, options, thread))
end

begin[VERIFY] = function(self, thread, key, content, signature, options)
  return signers_began(self, thread, self.pool:verify(key, content, signature, options, thread))
end

begin[WAIT] = function(self, thread, fd, is_writing, ms)
  self.waiting = { thread = thread, fd = fd, is_writing = is_writing, until_ms = now_ms() + ms }
end

-- Does one task after the other; what throws ends it.
local function work(task, item)
  while true do
    task(item)
    task, item = coroutine.yield(DONE)
  end
end

local function resumed(self, thread, ran, what, ...)
  if ran and what ~= DONE then return begin[what](self, thread, ...) end
  self.ended:put(self.items[thread], ran, what)
  self.items[thread] = nil
  if ran then self.idle[#self.idle + 1] = thread end
end

function resume(self, thread, ...)
  return resumed(self, thread, coroutine.resume(thread, ...))
end

function Coroutines:start(task, item)
  local thread = table.remove(self.idle) or coroutine.create(work)
  self.items[thread] = item
  resume(self, thread, task, item)
end

-- Goes on with the tasks that waited for what a multi, or a pool, has finished. `count`: the field with their number.
local function take_finished(self, source, count)
  if self[count] == 0 then return end
  local thread, result, failure = source:finished()
  while thread do
    self[count] = self[count] - 1
    resume(self, thread, result, failure)
    thread, result, failure = source:finished()
  end
end

-- Goes on with the task that waits for a socket: whether there is something it finds out. After a fork it is the
-- parent's.
local function go_on_waiting(self)
  local waiting = self.waiting
  if not waiting then return end
  self.waiting = nil
  if not self.is_inherited then resume(self, waiting.thread) end
end

local function wait_until(self, deadline)
  local waiting = self.waiting
  local left_ms = math.min(deadline, waiting and waiting.until_ms or deadline) - now_ms()
  left_ms = math.max(0, math.ceil(left_ms))
  if waiting or self.sending > 0 or self.signing > 0 then
    self.is_inherited = not self.multi:wait(left_ms, self.fd, waiting and waiting.fd, waiting and waiting.is_writing)
  else
    core.sleep(left_ms)
  end
end

-- A task that needed nothing to wait for, as its payload was refused, has ended already.
function Coroutines:wait(ms)
  local deadline = now_ms() + (self.ended:is_empty() and ms or 0)
  repeat
    wait_until(self, deadline)
    go_on_waiting(self)
    take_finished(self, self.multi, "sending")
    take_finished(self, self.pool, "signing")
  until not self.ended:is_empty() or now_ms() >= deadline
end

function Coroutines.wait_for_socket(...)
  coroutine.yield(WAIT, ...)
end

function Coroutines:close()
  self.multi:close()
  if self.pool then self.pool:close() end
end

-- A key whose work a thread of the pool does, while the task waits. Like the pool's copy it outlives the key's close.
local function pooled(key, index)
  local key_type, fingerprint = key:type(), key:fingerprint()
  return {
    type = function() return key_type end,
    fingerprint = function() return fingerprint end,
    sign = function(_, content, options) return coroutine.yield(SIGN, index, content, options) end,
    verify = function(_, content, signature, options)
      return coroutine.yield(VERIFY, index, content, signature, options)
    end,
  }
end

-- A copy of a table, with some of its values replaced.
local function with(values, others)
  local copy = {}
  for name, value in pairs(values) do copy[name] = value end
  for name, value in pairs(others) do copy[name] = value end
  return copy
end

-- A keyring that gives, for each key of `keyring`, the one in its place.
local function replaced(keyring, by_key)
  return keyring and {
    get = function(_, version)
      local key, message = keyring:get(version)
      if key then return by_key[key] end
      return nil, message
    end,
  }
end

-- Starts a pool, where threads are wanted: gives the config whose keys have their work done by it.
local function employ_signers(self, config, threads)
  local keys, by_key = { config.private_key }, {}
  for _, key in pairs(config.peer_keys and config.peer_keys.keys or {}) do keys[#keys + 1] = key end
  if threads == 0 or #keys > KEYS_MAX then return config end
  self.pool = core.pool(threads, unpack(keys))
  if not self.pool then return config end
  self.fd = self.pool:fd()
  for i, key in ipairs(keys) do by_key[key] = pooled(key, i) end
  return with(config, {
    signing = with(config.signing, { key = by_key[config.private_key] }),
    peer_keys = replaced(config.peer_keys, by_key),
  })
end

local function new_coroutines(client, concurrency, signers)
  local self = setmetatable({
    items = {}, idle = {}, sending = 0, signing = 0, ended = new_ended(),
    multi = require("alipayhk.curl").multi(concurrency),
  }, Coroutines)
  self.client = setmetatable({
    config = employ_signers(self, client.config, signers or core.processors()),
    transport = { send = function(request) return coroutine.yield(SEND, request) end },
  }, { __index = client }) -- `closed` is the user's
  return self
end

-- ---- light threads in nginx ------------------------------------------------------------------------

-- What nginx keeps of a light thread stays in memory until the request or timer that began it has ended. So they are
-- begun once, and wait for other tasks in between: each time for so long, as often as it takes.
local PATIENCE_S = 60
-- After so long another task may start though none has ended.
local PAUSE_MS = 1

local Threads = { next_ended = next_ended }
Threads.__index = Threads

local function tell_ended(self)
  if not self.is_waiting then return end
  self.is_waiting = false
  self.has_ended:post()
end

-- Does one task after the other.
local function do_tasks(self, hand)
  repeat
    self.ended:put(hand.item, pcall(hand.task, hand.item))
    hand.task, hand.item = nil, nil
    self.idle[#self.idle + 1] = hand
    tell_ended(self)
    while not hand.called:wait(PATIENCE_S) do end
  until not hand.task
end

-- Until a task ends, or for that long; and until nginx has served every socket that is ready: what waits for a
-- semaphore, or for a millisecond, comes after them. So one turn of its loop makes one signature, for which its other
-- requests wait.
local function next_turn(self, ms)
  self.is_waiting = true
  self.has_ended:wait(math.max(PAUSE_MS, ms) / 1000)
  self.is_waiting = false
end

function Threads:start(task, item)
  local hand = table.remove(self.idle)
  if hand then
    hand.task, hand.item = task, item
    hand.called:post()
  else
    hand = { task = task, item = item, called = self.new_semaphore() }
    self.hands[#self.hands + 1] = hand
    self.ngx.thread.spawn(do_tasks, self, hand)
  end
  next_turn(self, PAUSE_MS)
end

function Threads:wait(ms)
  if self.ended:is_empty() then next_turn(self, ms) end
end

-- The threads end, those that have a task after it.
function Threads:close()
  for _, hand in ipairs(self.hands) do hand.called:post() end
end

local function new_threads(client)
  local new_semaphore = require("ngx.semaphore").new
  return setmetatable({
    client = client, ngx = runtime.nginx(), ended = new_ended(), hands = {}, idle = {},
    new_semaphore = new_semaphore, has_ended = new_semaphore(),
  }, Threads)
end

-- ---- which -------------------------------------------------------------------------------------------

-- The crew for a client, with at most so many tasks at once. `signers`: threads that sign and verify for coroutines; as
-- many as there are processors when absent.
local function new(client, concurrency, signers)
  local config = client.config
  if type(config.transport) == "function" or config.sleep ~= runtime.sleep then return new_alone(client) end
  if runtime.in_nginx() then return new_threads(client) end
  return new_coroutines(client, concurrency, signers)
end

return { new = new }
