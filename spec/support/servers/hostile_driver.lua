-- What runs inside the nginx of hostile.lua: makes the calls that it is asked for, and tells what came of them.
-- luacheck: std +ngx_lua

local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"
local core = require "alipayhk.core"
local settings = require "settings"

local driver = {}

local function now()
  ngx.update_time()
  return ngx.now() * 1000
end

function driver.client(config)
  local given = {
    client_id = settings.client_id,
    private_key = { file = settings.private_key },
    alipay_public_key = { file = settings.alipay_public_key },
    base_url = settings.base_url,
    retry = { max_attempts = 1 },
    timeout_ms = 3000,
  }
  for name, value in pairs(config or {}) do given[name] = value end
  local client, err = alipayhk.new(given)
  return client or error(tostring(err))
end

-- A client for each config: keys take longer to read than a call does.
local clients = {}

local function client_of(call)
  local config = call.config or {}
  config.base_url = call.url or config.base_url
  local name = cjson.encode(config)
  clients[name] = clients[name] or driver.client(config)
  return clients[name]
end

-- Waits for what the server sends late: asleep, or so that the worker does nothing else.
local function await_late(sleep)
  for _ = 1, 4000 do
    local file = io.open(settings.late)
    if file then
      file:close()
      assert(os.remove(settings.late))
      return sleep(20)
    end
    sleep(5)
  end
  error "the server sent nothing late"
end

local SLEEPS = {
  asleep = function(ms) ngx.sleep(ms / 1000) end,
  busy = core.sleep,
}

-- The longest that a sleep of 5 ms took until `done()`.
local function watch(done)
  local longest = 0
  while not done() do
    local started = now()
    ngx.sleep(0.005)
    longest = math.max(longest, now() - started - 5)
  end
  return longest
end

local function outcome_of(response, err)
  if response then
    return { ok = true, body = response.body, timing = response.timing, attempts = response.attempts }
  end
  return {
    kind = err.kind, code = err.code, message = err.message, timing = err.timing, retryable = err.retryable,
    attempts = err.attempts,
  }
end

local WAYS = {}

function WAYS.call(client, call)
  return outcome_of(client:call(call.path or "/case/" .. call.case .. (call.query or ""),
    { id = call.id or "1", filler = call.size and ("x"):rep(call.size) }))
end

function WAYS.card(client, call) return outcome_of(client:sync_contract_card(call.card)) end

function WAYS.order(client, call) return outcome_of(client:sync_order(call.order)) end

function WAYS.orders(client, call)
  local outcomes = {}
  client:sync_many(call.orders, { on_result = function(result)
    outcomes[result.index] = outcome_of(result.response, result.err)
  end })
  return { many = outcomes }
end

local function perform(call)
  local client = client_of(call)
  local started = now()
  local way = call.card and "card" or call.order and "order" or call.orders and "orders" or "call"
  local ran, outcome = pcall(WAYS[way], client, call)
  if not ran then outcome = { thrown = tostring(outcome) } end
  outcome.ms = now() - started
  return outcome
end

function driver.call(call)
  if call.after_late then await_late(SLEEPS[call.after_late]) end
  if call.after_ms then ngx.sleep(call.after_ms / 1000) end
  if not call.lag then return perform(call) end
  local outcome
  local watcher = ngx.thread.spawn(watch, function() return outcome end)
  outcome = perform(call)
  outcome.lag_ms = select(2, assert(ngx.thread.wait(watcher)))
  return outcome
end

-- By so many threads.
function driver.run(calls, threads)
  local outcomes, next_one, running = {}, 1, {}
  local function work()
    while next_one <= #calls do
      local number = next_one
      next_one = number + 1
      outcomes[number] = driver.call(calls[number])
    end
  end
  for i = 1, math.min(threads, #calls) do running[i] = ngx.thread.spawn(work) end
  for _, thread in ipairs(running) do assert(ngx.thread.wait(thread)) end
  return outcomes
end

function driver.content()
  ngx.req.read_body()
  local given = assert(cjson.decode(ngx.req.get_body_data()))
  ngx.print(cjson.encode(driver.run(given.calls, given.threads)))
end

-- Bytes of memory that this worker has in use, after a full collection.
function driver.memory()
  collectgarbage()
  collectgarbage()
  for line in io.lines("/proc/" .. ngx.worker.pid() .. "/status") do
    local kibibytes = line:match("^VmRSS:%s*(%d+) kB")
    if kibibytes then return ngx.print(kibibytes * 1024) end
  end
end

return driver
