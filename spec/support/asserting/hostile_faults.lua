-- The table of spec/support/data/hostile_faults.lua as calls, and what they come to as judgements.

local unpack = table.unpack or unpack -- luacheck: ignore

local data = require "spec.support.data.hostile_faults"
local keys = require "spec.support.data.keys"
local samples = require "spec.support.data.samples"

local faults = { list = data.list, WHOLE = {} }

-- What is no fault, to be cut off.
local WHOLE = {
  ["of a length"] = "no fault: an answer", ["in chunks"] = "no fault: chunks",
  ["without length"] = "no fault: a body without length",
}
for _, fault in ipairs(data.list) do
  for form, name in pairs(WHOLE) do
    if fault.name == name then faults.WHOLE[form] = fault end
  end
end

-- Beyond what the attempts may take: this machine has other things to do, too.
local SLACK_MS = 1500
local ORDERS = 2

-- ---- the calls -----------------------------------------------------------------------------------------

-- All cases, for hostile.js. Each fault gets the number of its own.
function faults.cases()
  local cases = {}
  for i, fault in ipairs(data.list) do cases[i], fault.number = fault.case, i end
  return cases
end

-- Those that a transport can meet.
function faults.of(transport)
  local list = {}
  for _, fault in ipairs(data.list) do
    if not fault.only or fault.only == transport then list[#list + 1] = fault end
  end
  return list
end

function faults.expected(fault, transport) return fault[transport] or fault.expects end

-- `server`: of hostile.lua.
function faults.url(server, fault)
  local scheme = fault.scheme or "http"
  local host = fault.host or scheme == "https" and "localhost" or nil
  local listener = fault.has_port and "case" .. fault.number or fault.listener
  return ("%s/case/%d"):format(server:url(scheme, host, listener), fault.number)
end

-- The config of a client, but for who it is.
function faults.config(fault, transport)
  local config = {
    timeout_ms = faults.expected(fault, transport).waits and data.TIMEOUT_MS or data.ENOUGH_MS,
    retry = { max_attempts = 2, base_delay_ms = 1, max_delay_ms = 2 },
  }
  for name, value in pairs(fault.config or {}) do config[name] = value end
  return config
end

-- That of one outside nginx.
function faults.whole_config(server, fault)
  local config = {
    client_id = server.client_id, base_url = faults.url(server, fault), tls = { ca_file = server.ca_file },
    private_key = { file = keys.pair("merchant").private },
    alipay_public_key = { file = keys.pair("alipayhk").public },
  }
  for key, value in pairs(faults.config(fault, "curl")) do config[key] = value end
  return config
end

function faults.orders(fault)
  local orders = {}
  for i = 1, fault.orders or ORDERS do orders[i] = samples.order() end
  return orders
end

-- ---- the judgements ------------------------------------------------------------------------------------

-- Some numbers have been JSON.
local function word(value)
  if type(value) == "number" then return ("%d"):format(value) end
  return value == nil and "-" or tostring(value)
end

local function time_fault(expected, ms)
  local most_ms = SLACK_MS + (expected.waits and expected.attempts * data.TIMEOUT_MS or 0)
  if ms > most_ms then return ("it took %.0f ms"):format(ms) end
  if expected.waits and ms < expected.attempts * data.TIMEOUT_MS - 50 then
    return ("it waited no longer than %.0f ms"):format(ms)
  end
end

local function in_words(outcome)
  if outcome.thrown then return "thrown: " .. tostring(outcome.thrown) end
  if outcome.ok then return ("success, attempts %s"):format(word(outcome.attempts)) end
  return ("%s/%s, retryable %s, attempts %s"):format(outcome.kind, word(outcome.code), word(outcome.retryable),
    word(outcome.attempts))
end

-- What is wrong about the outcome of a call, `{ ok, kind, code, retryable, attempts, message, thrown, ms }`; nil for
-- nothing.
function faults.call_fault(fault, transport, outcome, way)
  local expected = faults.expected(fault, transport)
  if way == "batch" and expected.is_free and (outcome.attempts or 0) > expected.attempts then
    outcome.attempts, outcome.ms = expected.attempts, 0
  end
  if expected.or_code and outcome.code == expected.or_code then outcome.code = expected.code end
  local wanted = in_words {
    ok = not expected.kind, kind = expected.kind, code = expected.code, retryable = expected.retryable,
    attempts = expected.attempts,
  }
  local found = in_words(outcome)
  if found ~= wanted then
    return ("%s: expected %s; found %s (%s)"):format(fault.name, wanted, found, word(outcome.message))
  end
  local wrong = time_fault(expected, outcome.ms)
  return wrong and fault.name .. ": " .. wrong
end

-- What is wrong about what arrived; `counts`: by number of a case. Where the requests of a batch share a connection of
-- HTTP/2, it may end under one of them, and what the server says it has not looked at is sent at once.
function faults.arrival_fault(fault, transport, counts, orders)
  local expected, found = faults.expected(fault, transport), counts[fault.number] or 0
  local wanted = expected.arrives or expected.attempts * orders
  if expected.arrives == false or orders > 1 and fault.has_port then return nil end
  if wanted ~= found then return ("%s: %d requests arrived, not %d"):format(fault.name, found, wanted) end
end

-- What is wrong about the record of an outbox: of `outbox:list`.
function faults.record_fault(fault, transport, record)
  local expected = faults.expected(fault, transport)
  local state, attempts, code = unpack(expected.outbox, 1, 3)
  if expected.or_code and record.code == expected.or_code then record.code = code end
  local wanted = ("%s, attempts %d, code %s"):format(state, attempts, word(code))
  local found = ("%s, attempts %d, code %s"):format(record.state, record.attempts,
    word(record.state ~= "accepted" and record.code or nil))
  if wanted ~= found then
    return ("%s: the outbox was to record %s; found %s (%s)"):format(fault.name, wanted, found, word(record.message))
  end
end

return faults
