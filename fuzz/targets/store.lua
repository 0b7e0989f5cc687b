-- The file of an outbox of which bytes were changed. Whatever is asked of it gives a result of the kind that it should,
-- or nil and a fault that says what to do; nothing throws, or goes on without end.
--
-- The input is a list of changes: two bytes for the place, one for what is written there.

local core = require "alipayhk.core"
local sqlite = require "alipayhk.delivery.store.sqlite"

local CODES = { unreachable = true, denied = true, full = true, damaged = true, gone = true, locked = true,
  newer = true, foreign = true, failed = true, stale = true }
local CHANGES_MAX = 16

-- In memory, where there is such a folder: nobody pulls a plug here.
local PATH = os.tmpname()
local shared = PATH:gsub("^.*/", "/dev/shm/")
local probe = io.open(shared, "wb")
if probe then
  probe:close()
  os.remove(PATH)
  PATH = shared
end
local SUFFIXES = { "", "-wal", "-shm", "-journal", "-lock", "-deliver", "-ballast" }

local now = 1790000000

local function open()
  return sqlite.open("sqlite:" .. PATH, {
    client_id = "C1", delay_max_ms = 300000, coalesce = true, lock_ms = 100, now = function() return now end,
  })
end

local function remove()
  for _, suffix in ipairs(SUFFIXES) do os.remove(PATH .. suffix) end
end

-- ---- a file with events in every state ---------------------------------------------------------------

local function record(number)
  return {
    api = "order", merchant_biz_no = ("order-%d"):format(number % 4), request_id = ("r%d"):format(number),
    status = "TICKETED", alike = number % 4 == 1 and "a" or nil, sequence_ms = 1716338541000 + number,
    key = ("k%d"):format(number),
    body = ('{"merchantBizNo":"order-%d","n":%d}'):format(number % 4, number),
  }
end

local function outcome(event, state)
  return { event = event, state = state, delay_ms = 1000, code = "CODE", message = "a message", held_status = "USED" }
end

local function fill(store)
  local records = {}
  for number = 1, 12 do records[number] = record(number) end
  assert(store:put(records))
  assert(store:begin_delivery())
  local turn = assert(store:turn({}, 3))
  turn = assert(store:turn({ outcome(turn.events[1], "accepted"), outcome(turn.events[2], "parked") }, 1))
  assert(turn.waiting > 0)
end

local function template()
  remove()
  local store = assert(open())
  fill(store)
  store:close()
  local file = assert(io.open(PATH, "rb"))
  local bytes = file:read("a")
  file:close()
  remove()
  return bytes
end

local TEMPLATE = template()

local function damaged(input)
  local bytes, at = {}, 1
  for from = 1, math.min(#input - 2, CHANGES_MAX * 3), 3 do
    local place = ("<I2"):unpack(input, from) % #TEMPLATE + 1
    bytes[#bytes + 1] = { place = place, byte = input:sub(from + 2, from + 2), order = #bytes }
  end
  table.sort(bytes, function(a, b)
    if a.place ~= b.place then return a.place < b.place end
    return a.order < b.order
  end)
  local pieces = {}
  for _, change in ipairs(bytes) do
    if change.place >= at then
      pieces[#pieces + 1] = TEMPLATE:sub(at, change.place - 1)
      pieces[#pieces + 1] = change.byte
      at = change.place + 1
    end
  end
  pieces[#pieces + 1] = TEMPLATE:sub(at)
  return table.concat(pieces)
end

-- ---- what is asked of it -----------------------------------------------------------------------------

-- What a call gave, where it is of that type; false where it gave a fault.
local function given(kind, value, fault)
  if value ~= nil then
    assert(type(value) == kind, kind)
    return value
  end
  assert(type(fault) == "table" and CODES[fault.code], fault and fault.code)
  assert(core.utf8_length(fault.message) and not fault.message:find("%c"), fault.message)
  return false
end

local function check_turn(turn)
  local outcomes = {}
  for i, event in ipairs(turn.events) do
    assert(type(event.body) == "string" and type(event.merchant_biz_no) == "string" and event.attempts >= 1, "no event")
    outcomes[i] = outcome(event, ({ "accepted", "parked", "waiting" })[i % 3 + 1])
  end
  return outcomes
end

local function check_list(list)
  for _, event in ipairs(list) do
    assert(type(event.id) == "string", "no event")
  end
  return list
end

local function deliver(store)
  if not given("boolean", store:begin_delivery()) then return end
  local turn = given("table", store:turn({}, 2))
  for _ = 1, 4 do
    if not turn then return end
    turn = given("table", store:turn(check_turn(turn), 2))
  end
end

local function ask(store)
  given("table", store:stats())
  local list = given("table", store:list())
  for i, event in ipairs(list and check_list(list) or {}) do
    given("boolean", store[i % 2 == 0 and "retry" or "drop"](store, event.id))
    local body, fault = store:body(event.id)
    if body then assert(type(body) == "string") else given("boolean", body, fault) end
  end
  given("table", store:put { record(20), record(21) })
  deliver(store)
  given("number", store:purge(0))
end

return {
  run = function(input)
    remove()
    local file = assert(io.open(PATH, "wb"))
    file:write(damaged(input))
    file:close()
    local store, fault = open()
    if not store then
      given("table", store, fault)
      return remove()
    end
    ask(store)
    store:close()
    remove()
  end,
}
