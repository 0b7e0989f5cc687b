-- Puts, delivers, retries, drops and forgets events of an outbox in a file, and writes into the log of what happens to
-- the file (see spec/support/programs/disk.c) what it was told meanwhile: lines "mark WHAT ID 0". AlipayHK is a
-- function here. Its arguments: see spec/support/outbox/disk.lua.

local parameters = require "spec.support.outbox.parameters"

local given = parameters.read(arg)

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local later_schema = require "spec.support.outbox.later_schema"
local samples = require "spec.support.data.samples"
local sqlite = require "alipayhk.sqlite"
local wire = require "alipayhk.exchange.wire"

local LANES, CHECKPOINT_PAGES = 5, 24

-- AlipayHK's answers, over and over; one of no text is lost.
local function result(code, status)
  return ('{"result":{"resultCode":"%s","resultStatus":"%s","resultMessage":"as told"}}'):format(code, status)
end

local SUCCESS, LATER, NO = result("SUCCESS", "S"), result("UNKNOWN_EXCEPTION", "U"), result("PARAM_ILLEGAL", "F")
local ANSWERS = { SUCCESS, LATER, SUCCESS, false, SUCCESS, NO, SUCCESS, SUCCESS, NO, SUCCESS }

local log = assert(io.open(given.log, "ab"))
log:setvbuf "line"

local function mark(what, id)
  log:write(("mark %s %s 0\n"):format(what, id or "-"))
end

-- So that a small file has checkpoints while it is in use. `synchronous`: less than what the outbox wants.
local open_database = sqlite.open
function sqlite.open(...)
  local database = assert(open_database(...))
  assert(database:lock())
  assert(database:execute(("PRAGMA wal_autocheckpoint = %d"):format(CHECKPOINT_PAGES)))
  if given.synchronous then assert(database:execute("PRAGMA synchronous = " .. given.synchronous)) end
  assert(database:unlock())
  return database
end

if given.schema == "later" then later_schema.add() end

local alipay_key = assert(core.private_key { file = given.alipay_private_key })
local turn = 0

local function alipay(request)
  turn = turn + 1
  local body = ANSWERS[turn % #ANSWERS + 1]
  if not body then return nil, { code = "timeout", message = "as told" } end
  local now = "2024-05-22T06:42:21Z"
  local content = wire.content("POST", request.url:match("^%a+://[^/]+(.*)$"), given.client_id, now, body)
  return { status = 200, body = body, headers = {
    ["content-type"] = "application/json", ["client-id"] = given.client_id, ["response-time"] = now,
    ["signature"] = wire.sign(alipay_key, { algorithm = "ECC224", key_version = "1" }, content),
  } }
end

local client = assert(alipayhk.new {
  client_id = given.client_id, base_url = "https://gateway.example", private_key = { file = given.private_key },
  alipay_public_key = { file = given.alipay_public_key }, transport = alipay, retry = { base_delay_ms = 1 },
})

local function open(values)
  values.store = "sqlite:" .. given.path
  return assert(alipayhk.outbox(values))
end

local order = 0

local function put(producer)
  for _ = 1, given.puts do
    order = order + 1
    mark("put", (assert(producer:put(samples.order {
      merchantBizNo = "ORDER-" .. order % LANES, extInfo = { note = ("x"):rep(order * 97 % 1500) },
    }))))
  end
end

-- Of those that are parked the newest is dropped, and the first of the others that may go again does; with one alone
-- it is this or that, by turns.
local function see_to_parked(outbox, session)
  local parked = assert(outbox:list { state = "parked", limit = 10000 })
  local newest = (#parked > 1 or session % 2 == 0) and table.remove(parked)
  if newest then
    mark("changing", newest.id)
    if outbox:drop(newest.id) then mark("dropped", newest.id) end
  end
  for _, event in ipairs(parked) do
    mark("changing", event.id)
    if outbox:retry(event.id) then
      mark("retried", event.id)
      break
    end
  end
end

local function forget(outbox)
  for _, event in ipairs(outbox:list { state = "accepted", limit = 10000 }) do mark("changing", event.id) end
  for _, event in ipairs(outbox:list { state = "dropped", limit = 10000 }) do mark("changing", event.id) end
  assert(outbox:purge { older_than_ms = 0 })
end

-- What it is told at once: an event is `sending` when that is on the disk, and nothing else before it is.
local function tell(event) mark(event.name, event.id) end

for session = 1, given.sessions do
  local outbox = open { client = client, on_event = tell }
  local producer = session % 2 == 0 and open { client_id = given.client_id }
  put(producer or outbox)
  assert(outbox:deliver { until_empty = true })
  put(outbox)
  see_to_parked(outbox, session)
  assert(outbox:deliver { until_empty = true })
  if session % 3 == 0 then forget(outbox) end
  outbox:close()
  if producer then producer:close() end
end
