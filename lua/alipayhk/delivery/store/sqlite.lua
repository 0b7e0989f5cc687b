-- The store in a file: SQLite, through alipayhk.sqlite. A put or a turn is one transaction under the writers' lock, and
-- on the disk when it returns. It blocks.
--
-- One process of a file delivers, by a lock that the kernel frees when it dies. A turn looks whether it still has that
-- right: `delivery` is a number that grows whenever somebody begins.

local clock = require "alipayhk.delivery.store.clock"
local runtime = require "alipayhk.base.runtime"
local schema = require "alipayhk.delivery.store.sqlite_schema"
local sqlite_database = require "alipayhk.delivery.store.sqlite_database"

local min, max = math.min, math.max

local sqlite = {}

local Store = {}
Store.__index = Store

-- The columns of the counters, in the order of the statement `count`.
local STATES = { "waiting", "sending", "parked", "accepted", "superseded", "dropped" }

-- Bodies that are claimed in one turn have to fit into memory.
local CLAIM_BYTES_MAX = 16 * 1024 * 1024

local LIST_MAX = 100

-- ---- opening -------------------------------------------------------------------------------------

local function path_of(url)
  return url:match("^%a+:(.*)$")
end

-- alipayhk.sqlite, or nil and a message: it is built only where SQLite's headers are.
local function load_module()
  local loaded, module = pcall(require, "alipayhk.sqlite")
  if loaded then return module end
  if not module:find("module 'alipayhk.sqlite' not found", 1, true) then return nil, module end
  return nil, "alipayhk was built without SQLite: install libsqlite3-dev, then build and install alipayhk again"
end

function sqlite.url_fault(url)
  local path = path_of(url)
  if path == "" then return 'expected "sqlite:PATH": the path of a file is missing' end
  if path:find("%z") then return 'expected "sqlite:PATH": a path holds no NUL byte' end
  local _, message = load_module()
  return message
end

-- Brings the tables to this version, and gives the number of the client.
local function prepare(db, client_id)
  local found = assert(db.handle:prepare(schema.LOOK)):first()
  local code, message = schema.fault(found)
  if code then db:fail(code, message, false) end
  local sql = schema.migration(found)
  if sql then db.check(db.handle:execute(sql)) end
  db:run("add_client", client_id)
  return db:first("find_client", client_id).id
end

local function open(path, opts)
  local module, message = load_module()
  if not module then return nil, { code = "failed", message = message, is_retryable = false } end
  local handle, fault, code = module.open(path, { lock_ms = opts.lock_ms })
  if not handle then return nil, sqlite_database.fault_of(fault, code) end
  local db = sqlite_database.new(handle, path)
  local client
  client, fault = db:transact(prepare, db, opts.client_id)
  if client then return db, client end
  handle:close()
  return nil, fault
end

-- `opts`, over those of every store: `lock_ms`, for how long a call waits for other processes, by default 5000;
-- `delay_max_ms`, the longest that an event waits until it goes again; `now`, seconds since the epoch.
function sqlite.open(url, opts)
  local db, client = open(path_of(url), opts)
  if not db then return nil, client end
  return setmetatable({
    db = db,
    client = client,
    coalesce = opts.coalesce,
    delay_max_ms = opts.delay_max_ms or 300000,
    now_ms = clock.new(opts.now or runtime.now),
    delivery = nil, -- the number of ours, while it delivers
  }, Store)
end

function Store:close()
  self.db.handle:close()
end

-- ---- counters ------------------------------------------------------------------------------------

local function new_counts()
  return { waiting = 0, sending = 0, parked = 0, accepted = 0, superseded = 0, dropped = 0 }
end

local function move(counts, from, to)
  counts[from] = counts[from] - 1
  counts[to] = counts[to] + 1
end

local function write_counts(self, counts)
  for _, state in ipairs(STATES) do
    if counts[state] ~= 0 then
      return self.db:run("count", self.client, counts.waiting, counts.sending, counts.parked, counts.accepted,
        counts.superseded, counts.dropped)
    end
  end
end

-- ---- put -----------------------------------------------------------------------------------------

local function is_stale(record, newest_ms)
  if not (record.sequence_ms and newest_ms) then return false end
  return record.sequence_ms < newest_ms or record.is_filled and record.sequence_ms == newest_ms
end

local function write_lane(self, lane, record, id, now_ms)
  local db, newest_ms, status = self.db, record.sequence_ms, record.status
  if not lane then
    local _, lane_id = db:run("add_lane", self.client, record.merchant_biz_no, record.api, newest_ms, status, id, now_ms)
    return lane_id
  elseif lane.head then
    db:run("extend_lane", lane.id, newest_ms, status)
  else
    db:run("revive_lane", lane.id, newest_ms, status, id, now_ms)
  end
  return lane.id
end

local function put_one(self, record, id, now_ms)
  local db = self.db
  local lane = db:first("find_lane", self.client, record.merchant_biz_no, record.api)
  local known = lane and record.key and db:first("find_key", lane.id, record.key)
  if known then return { id = ("%d"):format(known.id), exists = true } end
  if lane and is_stale(record, lane.newest_ms) then return { newest_ms = lane.newest_ms } end
  local lane_id = write_lane(self, lane, record, id, now_ms)
  db:run("add_event", id, self.client, lane_id, now_ms, record.key, record.request_id, record.status, record.alike)
  db:run("add_body", id, record.body)
  return { id = ("%d"):format(id), previous_status = lane and lane.newest_status or nil }, true
end

local function put_all(self, records)
  local now_ms, counts, results = self.now_ms(), new_counts(), {}
  local id = self.db:first("read_client", self.client).last_id
  for i, record in ipairs(records) do
    local result, is_stored = put_one(self, record, id + 1, now_ms)
    if is_stored then
      id = id + 1
      counts.waiting = counts.waiting + 1
    end
    results[i] = result
  end
  if counts.waiting > 0 then
    self.db:run("count_put", self.client, counts.waiting, id)
  end
  return results
end

function Store:put(records)
  return self.db:transact(put_all, self, records)
end

-- ---- delivery ------------------------------------------------------------------------------------

local function recover(self)
  local db, counts = self.db, new_counts()
  db:run("begin_delivery", self.client)
  db:run("recover_lanes", self.client)
  local count = db:run("recover_events", self.client)
  counts.sending, counts.waiting = -count, count
  write_counts(self, counts)
  return db:first("read_client", self.client).delivery
end

function Store:begin_delivery()
  if self.delivery then return true end
  local handle = self.db.handle
  local is_ours, fault = self.db.attempt(function() return self.db.check(handle:claim_delivery()) end)
  if not is_ours then return is_ours, fault end
  self.delivery, fault = self.db:transact(recover, self)
  if self.delivery then return true end
  handle:release_delivery()
  return nil, fault
end

function Store:end_delivery()
  self.delivery = nil
  self.db.handle:release_delivery()
end

-- ---- turns ---------------------------------------------------------------------------------------

-- Writes down what became of an event; false where it is not ours any more.
local function record(self, outcome, counts, now_ms)
  local db, event, state = self.db, outcome.event, outcome.state
  local id, is_waiting = tonumber(event.id), state == "waiting"
  local due_ms = now_ms + (is_waiting and min(outcome.delay_ms or 0, self.delay_max_ms) or 0)
  local changed = db:run("record", id, state, outcome.is_free and 1 or 0, math.floor(due_ms),
    not is_waiting and now_ms or nil, outcome.lost_answer and 1 or 0, outcome.is_settling and 1 or 0, outcome.code,
    outcome.message, outcome.held_status)
  if changed == 0 then return false end
  if is_waiting then
    db:run("requeue_lane", event.lane, math.floor(due_ms))
  else
    db:run("advance_lane", event.lane, id, state == "accepted" and id or 0, now_ms)
    if state == "accepted" then db:run("remove_body", id) end
  end
  move(counts, "sending", state)
  return true
end

local function record_all(self, outcomes, is_ours, counts, now_ms)
  local lost = {}
  for _, outcome in ipairs(outcomes) do
    local event = outcome.event
    if not is_ours or event.delivery ~= self.delivery or not record(self, outcome, counts, now_ms) then
      lost[#lost + 1] = event
    end
  end
  return lost
end

local function claim_one(self, row, counts)
  local db = self.db
  local body = db:first("read_body", row.id).body
  db:run("claim_event", row.id)
  db:run("claim_lane", row.lane, row.id)
  move(counts, "waiting", "sending")
  return {
    id = ("%d"):format(row.id), lane = row.lane, delivery = self.delivery,
    api = row.api, merchant_biz_no = row.merchant_biz_no, request_id = row.request_id, status = row.status, body = body,
    attempts = row.attempts + 1, put_ms = row.put_ms,
    lost_answer = row.lost_answer ~= 0, is_settling = row.is_settling ~= 0,
  }
end

local function claim_all(self, limit, until_ms, counts)
  local events, bytes = {}, 0
  for _, row in ipairs(self.db:all("find_due", self.client, until_ms, limit)) do
    local event = claim_one(self, row, counts)
    events[#events + 1], bytes = event, bytes + #event.body
    if bytes >= CLAIM_BYTES_MAX then break end
  end
  return events
end

-- What a turn gives besides events, from the row that `look` gave.
local function finish(turn, row, now_ms)
  turn.waiting = row.waiting
  turn.due_ms = row.first_ms and max(0, row.first_ms - now_ms)
  return turn
end

local function turn_within(self, outcomes, limit, is_probe)
  local now_ms, counts = self.now_ms(), new_counts()
  local row = self.db:first("look", self.client)
  local is_ours = row.delivery == self.delivery
  local turn = { lost = record_all(self, outcomes, is_ours, counts, now_ms), superseded = {} }
  turn.events = is_ours and limit > 0 and claim_all(self, limit, is_probe and math.huge or now_ms, counts) or {}
  write_counts(self, counts)
  return finish(turn, self.db:first("look", self.client), now_ms)
end

function Store:turn(outcomes, limit, opts)
  return self.db:transact(turn_within, self, outcomes, limit, opts and opts.is_probe)
end

-- ---- what people ask and do ----------------------------------------------------------------------

local function stats(self)
  local row, now_ms = self.db:first("stats", self.client), self.now_ms()
  local oldest_ms = min(row.waiting_ms or math.huge, row.sending_ms or math.huge)
  row.waiting_ms, row.sending_ms = nil, nil
  row.oldest_ms = oldest_ms ~= math.huge and max(0, now_ms - oldest_ms) or nil
  return row
end

function Store:stats()
  return self.db.attempt(stats, self)
end

local function list(self, opts)
  local name = "list" .. (opts.state and "_state" or "") .. (opts.merchant_biz_no and "_lane" or "")
  local events = self.db:all(name, self.client, tonumber(opts.after or 0), opts.state, opts.merchant_biz_no,
    opts.limit or LIST_MAX)
  for _, event in ipairs(events) do
    event.id = ("%d"):format(event.id)
    if event.state ~= "waiting" then event.due_ms = nil end
  end
  return events
end

function Store:list(opts)
  return self.db.attempt(list, self, opts or {})
end

return sqlite
