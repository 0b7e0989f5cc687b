-- Sends a request: does what `alipayhk.exchange.attempts` says, over a transport that blocks or yields. `run` does it
-- all; what drives many requests at once takes the single steps: `begin`, `attempt`, `announce_retry`, `stop`.

local Error = require "alipayhk.base.error"
local api = require "alipayhk.api"
local attempts = require "alipayhk.exchange.attempts"
local events = require "alipayhk.exchange.events"
local outcome = require "alipayhk.transport.outcome"
local quote = require "alipayhk.base.quote"
local request_builder = require "alipayhk.exchange.request"
local response_reader = require "alipayhk.exchange.response"
local retry = require "alipayhk.exchange.retry"
local runtime = require "alipayhk.base.runtime"

local send = {}

-- ---- one attempt -----------------------------------------------------------------------------------

-- For others' eyes: a transport of the user's may change them, or read them while another coroutine signs the same
-- request again.
local function copy(headers)
  local copied = {}
  for name, value in pairs(headers) do copied[name] = value end
  return copied
end

-- The request as a transport takes it. Optional fields are set afterwards: in a constructor even nil takes room, and a
-- worker may hold hundreds of these tables at once.
local function transport_request(client, request, machine)
  local config = client.config
  local is_seen = request.is_seen or client.transport.is_foreign
  local given = {
    method = request.method,
    url = request.url,
    headers = is_seen and copy(request.headers) or request.headers,
    body = request.body,
    connect_timeout_ms = math.min(config.connect_timeout_ms, machine.timeout_ms),
    timeout_ms = machine.timeout_ms,
    max_response_bytes = config.max_response_bytes,
    tls = config.tls,
  }
  if config.proxy ~= nil then given.proxy = config.proxy end
  if machine.policy.once then given.once = true end
  return given
end

-- The time to sign at. Asks the key something, too: that throws where the key has been closed.
local function signing_time(config)
  config.private_key:type()
  return config.now()
end

-- Signs a request for the next attempt. An exception of the user's clock, or of a key that was closed meanwhile,
-- reaches the caller only from the first attempt. Later it becomes an error: something may have been sent already.
-- Signing itself is not in the protected call, since it may yield, and Lua 5.1 cannot yield across one.
local function sign(config, request, machine)
  if machine.attempt == 1 then return request_builder.sign(config, request) end
  local ran, seconds = pcall(signing_time, config)
  if ran then return request_builder.sign(config, request, seconds) end
  return nil, Error.new("crypto", tostring(seconds), { request_id = request.request_id })
end

-- Signs the machine's next attempt: gives the request as a transport takes it, or nil and an error.
local function prepare(client, request, machine)
  local signed, err = sign(client.config, request, machine)
  if not signed then return nil, err end
  return transport_request(client, request, machine)
end

local function transport_error(request, fault)
  local code, message, timing, http_status = outcome.failure(fault)
  return Error.new("transport", quote.without(message, request.personal), {
    code = code,
    http_status = http_status,
    request_id = request.request_id,
    timing = timing,
  })
end

-- Reads what a transport returned: gives a response; or nil, an error, and the milliseconds after which the answer asks
-- to try again, nil if it does not.
local function read(client, request, machine, raw, fault)
  local config = client.config
  local malformed = client.transport.is_foreign and raw ~= nil and outcome.response_fault(raw)
  if raw == nil or malformed then return nil, transport_error(request, malformed or fault) end
  if raw.resent then machine.may_have_arrived = true end
  local response, err = response_reader.read(config, request, raw, machine.may_have_arrived)
  if response then return response end
  err.timing = raw.timing
  return nil, err, retry.after_ms(raw.headers, config.now)
end

-- Tells the machine that an attempt failed.
local function fail(config, request, machine, err, after_ms)
  machine:failed(err, { after_ms = after_ms, is_exiting = runtime.is_exiting() }, runtime.monotonic_ms())
  events.emit(config, request, events.error, machine.attempt, err)
end

-- Tells the machine what a transport returned.
local function judge(client, request, machine, raw, fault)
  local config = client.config
  local response, err, after_ms = read(client, request, machine, raw, fault)
  if not response then return fail(config, request, machine, err, after_ms) end
  machine:succeeded(response, runtime.monotonic_ms())
  events.emit(config, request, events.response, machine.attempt, response)
end

-- ---- all attempts of a request ---------------------------------------------------------------------

-- Requests that may have arrived at AlipayHK: the user may send the same one again. The keys are weak.
local arrived = setmetatable({}, { __mode = "k" })

-- Ends a request before its next attempt: the error of the last one is the outcome; if there was none, `reason`.
function send.stop(config, request, machine, reason)
  local is_first = not machine.last_err
  machine:stop(is_first and Error.new("transport", reason, {
    code = "connect", request_id = request.request_id, attempts = 0,
  }) or nil)
  if is_first then events.emit(config, request, events.error, 1, machine.err) end
end

-- `on_event` or `sleep` may close the client, even before anything is sent.
local function stop_closed(config, request, machine)
  return send.stop(config, request, machine, "the client was closed before the request was sent")
end

-- The machine of a built request, which says "send". `alipayhk.exchange.retry` describes `policy`; `timeout_ms` limits
-- one attempt; `gate` and `event`: see `alipayhk.exchange.attempts`.
function send.begin(request, policy, timeout_ms, gate, event)
  local machine = attempts.new {
    policy = policy, description = api.by_name[request.api], timeout_ms = timeout_ms, gate = gate, event = event,
  }
  machine:start(runtime.monotonic_ms())
  return machine
end

-- Makes the attempt that a machine asks for: it says "wait" or "done" afterwards.
function send.attempt(client, request, machine)
  local config = client.config
  events.emit(config, request, events.attempt, machine.attempt)
  if client.closed then return stop_closed(config, request, machine) end
  machine.may_have_arrived = machine.may_have_arrived or arrived[request] or false
  local given, err = prepare(client, request, machine)
  if not given then return fail(config, request, machine, err) end
  judge(client, request, machine, client.transport.send(given))
  if machine.may_have_arrived then arrived[request] = true end
end

-- Says that a machine waits for its next attempt.
function send.announce_retry(config, request, machine)
  events.emit(config, request, events.retry, machine.attempt, machine.delay_ms)
end

local function wait(client, request, machine)
  local config = client.config
  if not client.closed then send.announce_retry(config, request, machine) end
  if not client.closed then config.sleep(machine.delay_ms) end
  if client.closed then return stop_closed(config, request, machine) end
  machine:waited(runtime.monotonic_ms())
end

local act = { send = send.attempt, wait = wait }

-- Sends a built request until there is an outcome: a response, or nil and an error.
function send.run(client, request, policy, timeout_ms)
  local machine = send.begin(request, policy, timeout_ms)
  while machine.action ~= "done" do act[machine.action](client, request, machine) end
  return machine.response, machine.err
end

return send
