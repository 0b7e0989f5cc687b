-- The store in a file: SQLite, through alipayhk.sqlite. A put or a turn is one transaction under the writers' lock, and
-- on the disk when it returns. It blocks.
--
-- One process of a file delivers, by a lock that the kernel frees when it dies. In each turn it looks whether it still
-- is the one: `delivery` grows whenever somebody begins.

local clock = require "alipayhk.delivery.store.clock"
local runtime = require "alipayhk.base.runtime"
local schema = require "alipayhk.delivery.store.sqlite_schema"
local sqlite_database = require "alipayhk.delivery.store.sqlite_database"

local floor, huge, max, min = math.floor, math.huge, math.max, math.min

local sqlite = {}

local Store = { has_replicas = false }
Store.__index = Store

-- Kept beside the file, for recording what became of events when the disk is full.
local BALLAST_BYTES = 4 * 1024 * 1024
-- A turn keeps the lock for so much, and what it claims has to fit into memory.
local CLAIM_BYTES, SUPERSEDED_MAX, CLAMPED_MAX = 16 * 1024 * 1024, 1000, 1000
local LIST_COUNT, PURGE_COUNT = 100, 500

local NO_OPTS = {}

-- ---- opening -------------------------------------------------------------------------------------

local function path_of(url)
  return url:match("^[A-Za-z]+:(.*)$")
end

-- alipayhk.sqlite; or nil and a message.
local function load_module()
  local loaded, module = pcall(require, "alipayhk.sqlite")
  if loaded then return module end
  if not tostring(module):find("module 'alipayhk.sqlite' not found", 1, true) then return nil, tostring(module) end
  return nil, "alipayhk was built without SQLite: install libsqlite3-dev, then build alipayhk again"
end

function sqlite.url_fault(url)
  local path = path_of(url)
  if path == "" then return 'expected "sqlite:PATH": it names no file' end
  if path:find("%z") then return 'expected "sqlite:PATH": there is a NUL byte in the path' end
  local _, message = load_module()
  return message
end

-- Sees to the tables, and that the file is this client's.
local function prepare(db, client_id)
  db:migrate()
  db:run("take_outbox", client_id)
  if db:first("find_client_id").client_id == client_id then return true end
  db:fail("foreign", "it is the outbox of another client_id: give each a file of its own")
end

local function open(path, opts)
  local module, message = load_module()
  if not module then return nil, { code = "failed", message = message, is_retryable = false } end
  local handle, words, code = module.open(path, { lock_ms = opts.lock_ms, application_id = schema.APPLICATION_ID })
  if not handle then return nil, sqlite_database.fault_of(words, code) end
  local db = sqlite_database.new(handle, path)
  -- Thrown where memory is short: then tables that were begun might hold the file until it is collected.
  local ran, is_ready, fault = pcall(db.transact, db, prepare, db, opts.client_id)
  if ran and is_ready then return db end
  handle:close()
  if not ran then error(is_ready, 0) end
  return nil, fault
end

-- `opts`, besides those of every store: `lock_ms`, for how long a call waits for other processes, by default 5000;
-- `now`, seconds since the epoch.
function sqlite.open(url, opts)
  local db, fault = open(path_of(url), opts)
  if not db then return nil, fault end
  return setmetatable({
    db = db,
    coalesce = opts.coalesce,
    delay_max_ms = opts.delay_max_ms,
    now_ms = clock.new(opts.now or runtime.now),
    is_beginning = false, -- to deliver, and reads its file
    delivery = nil, -- while it delivers: the number of that
  }, Store)
end

function Store:close()
  self.db.handle:close()
end

-- ---- counters ------------------------------------------------------------------------------------

local function new_counts()
  return { waiting = 0, sending = 0, parked = 0, accepted = 0, superseded = 0, dropped = 0, are_changed = false }
end

-- `to` may be nil: they are forgotten.
local function move(counts, from, to, count)
  counts[from] = counts[from] - (count or 1)
  if to then counts[to] = counts[to] + (count or 1) end
  counts.are_changed = true
end

local function write_counts(self, counts)
  if not counts.are_changed then return end
  self.db:run("count", counts.waiting, counts.sending, counts.parked, counts.accepted, counts.superseded,
    counts.dropped)
end

-- ---- put -----------------------------------------------------------------------------------------

local function id_of(number)
  return ("%d"):format(number)
end

local function is_stale(record, newest_ms)
  local sequence_ms = record.sequence_ms
  if not (sequence_ms and newest_ms) then return false end
  return sequence_ms < newest_ms or record.is_filled and sequence_ms == newest_ms
end

-- Puts an event behind those of its lane: the number of the lane.
local function extend_lane(self, lane, record, number, due_ms)
  local db, newest_ms, status = self.db, record.sequence_ms, record.status
  if not lane then
    local _, added = db:run("add_lane", record.merchant_biz_no, record.api, newest_ms, status, number, due_ms)
    return added
  end
  db:run("extend_lane", lane.id, newest_ms, status)
  if not lane.head then db:run("set_head", lane.id, number, due_ms) end
  return lane.id
end

-- The result, and whether it was stored. It is due by the wall clock: by that who delivers is no earlier, whatever our
-- own clock has seen.
local function put_one(self, record, number, now_ms, wall_ms)
  local db = self.db
  local lane = db:first("find_lane", record.merchant_biz_no, record.api)
  local known = lane and record.key and db:first("find_key", lane.id, record.key)
  if known then return { id = id_of(known.id), exists = true }, false end
  if lane and is_stale(record, lane.newest_ms) then return { newest_ms = lane.newest_ms }, false end
  db:run("add_event", number, extend_lane(self, lane, record, number, wall_ms), now_ms, wall_ms, record.key,
    record.request_id, record.status, record.alike, record.body)
  return { id = id_of(number), previous_status = lane and lane.newest_status or nil }, true
end

local function put_all(self, records)
  local has_room, fault = self.db:has_ballast(BALLAST_BYTES)
  if not has_room then error(fault, 0) end
  local now_ms, wall_ms = self.now_ms()
  local results = {}
  local first = self.db:first("last_id").last_id
  local last = first
  for i, record in ipairs(records) do
    local result, is_stored = put_one(self, record, last + 1, now_ms, wall_ms)
    if is_stored then last = last + 1 end
    results[i] = result
  end
  if last > first then self.db:run("count_put", last - first, last) end
  return results
end

function Store:put(records)
  return self.db:transact(put_all, self, records)
end

-- ---- delivery ------------------------------------------------------------------------------------

-- Those that were under way wait again: the number of this delivery.
local function recover(self)
  local db, counts = self.db, new_counts()
  db:run("begin_delivery")
  db:run("recover_lanes")
  move(counts, "sending", "waiting", (db:run("recover_events")))
  write_counts(self, counts)
  return db:first("look").delivery
end

local function claim_delivery(self)
  return (sqlite_database.check(self.db.handle:claim_delivery()))
end

local function check_file(self)
  return (sqlite_database.check(self.db.handle:check()))
end

-- Reads all of the file: true, or nil and a fault.
function Store:check()
  return self.db:attempt(check_file, self)
end

-- Damage is found before anything is sent. Once in a process: it takes a second for a few hundred thousand events.
local function begin(self, check)
  local db = self.db
  local is_ours, fault = db:attempt(claim_delivery, self)
  if is_ours and not db.handle:is_checked() then
    self.is_beginning = true
    is_ours, fault = check(self)
    self.is_beginning = false
  end
  if is_ours then
    self.delivery, fault = db:transact(recover, self)
    is_ours = self.delivery and true
  end
  if not is_ours then self:end_delivery() end
  return is_ours, fault
end

local function is_delivering(self)
  return claim_delivery(self) and self.db:first("look").delivery == self.delivery
end

-- Whether its delivery goes on. That another has delivered since ends it; a fault does not, for requests may be under
-- way.
local function go_on(self)
  local is_ours, fault = self.db:attempt(is_delivering, self)
  if is_ours == false then self:end_delivery() end
  return is_ours, fault
end

-- `check`: what is done instead of Store.check; it may let others run meanwhile.
function Store:begin_delivery(check)
  if self.delivery then return go_on(self) end
  return begin(self, check or Store.check)
end

function Store:end_delivery()
  self.delivery = nil
  self.db.handle:release_delivery()
end

-- Whether another file is where its own was, and it does not deliver: then one that is opened anew is of more use.
function Store:is_replaced()
  return not (self.delivery or self.is_beginning) and self.db.handle:is_replaced()
end

-- ---- turns: what became of events ----------------------------------------------------------------

local function may_have_arrived(outcome)
  return outcome.state == "accepted" or outcome.lost_answer or outcome.event.lost_answer
    or outcome.state == "waiting" and not outcome.is_free
end

-- Writes down what became of one; false where it is another's by now.
local function record(self, outcome, counts, now_ms)
  local db, event, state = self.db, outcome.event, outcome.state
  local number, due_ms = tonumber(event.id), nil
  if state == "waiting" then due_ms = now_ms + floor(min(outcome.delay_ms or 0, self.delay_max_ms)) end
  local changed = db:run("record", number, state, outcome.is_free, due_ms, now_ms, outcome.lost_answer,
    outcome.is_settling, outcome.code, outcome.message, outcome.held_status)
  if changed == 0 then return false end
  if may_have_arrived(outcome) then db:run("note_arrived", event.lane, number) end
  if due_ms then
    db:run("set_head", event.lane, number, due_ms)
  else
    db:run("advance_lane", event.lane, number, now_ms)
  end
  move(counts, "sending", state)
  return true
end

-- Those of others.
local function record_all(self, outcomes, delivery, counts, now_ms)
  local lost = {}
  for _, outcome in ipairs(outcomes) do
    local event = outcome.event
    if event.delivery ~= delivery or not record(self, outcome, counts, now_ms) then lost[#lost + 1] = event end
  end
  return lost
end

-- ---- turns: what goes next -----------------------------------------------------------------------

-- The event of a row, as it was when it was read.
local function event_of(self, row, now_ms)
  return {
    id = id_of(row.id), lane = row.lane, delivery = self.delivery,
    api = row.api, merchant_biz_no = row.merchant_biz_no, request_id = row.request_id, status = row.status,
    attempts = row.attempts, put_ms = row.put_ms, age_ms = max(0, now_ms - row.put_ms),
    lost_answer = row.lost_answer ~= 0, is_settling = row.is_settling ~= 0,
  }
end

local function was_sent(row)
  return row.attempts > 0 or row.lost_answer ~= 0
end

-- The one behind `row`, where it makes `row` needless.
local function find_successor(self, row)
  if not row.alike or was_sent(row) then return nil end
  local behind = self.db:first("find_behind", row.lane, row.id)
  local is_one = behind and behind.state == "waiting" and behind.alike == row.alike and not was_sent(behind)
  return is_one and behind or nil
end

-- Ends those from `row` on that the next one makes needless: the row of the last.
local function supersede(self, row, turn, counts, now_ms)
  local db, successor = self.db, find_successor(self, row)
  while successor and #turn.superseded < SUPERSEDED_MAX do
    db:run("supersede", row.id, now_ms)
    move(counts, "waiting", "superseded")
    turn.superseded[#turn.superseded + 1] = event_of(self, row, now_ms)
    row, successor = successor, find_successor(self, successor)
  end
  return row, successor
end

-- The bytes of its body.
local function claim_one(self, row, turn, counts, now_ms)
  local db, event = self.db, event_of(self, row, now_ms)
  db:run("claim", row.id)
  db:run("set_head", row.lane, row.id, nil)
  move(counts, "waiting", "sending")
  event.attempts, event.body = event.attempts + 1, db:first("read_body", row.id).body
  if not event.body then db:fail_damaged("an event that waits has no body") end
  turn.events[#turn.events + 1] = event
  return #event.body
end

local function claim_all(self, limit, until_ms, turn, counts, now_ms)
  local bytes = 0
  for _, row in ipairs(self.db:all("find_due", until_ms, limit)) do
    local has_successor
    if self.coalesce then row, has_successor = supersede(self, row, turn, counts, now_ms) end
    if has_successor then return self.db:run("set_head", row.lane, row.id, now_ms) end -- the next turn goes on
    bytes = bytes + claim_one(self, row, turn, counts, now_ms)
    if bytes >= CLAIM_BYTES then return end
  end
end

-- Whether there is anything to claim, from what `look` gave. A due time that is further off than any delay comes from a
-- clock that was wrong.
local function has_work(self, looked, is_probe, now_ms)
  if not looked.first_ms or looked.delivery ~= self.delivery then return false end
  return is_probe or looked.first_ms <= now_ms or looked.last_ms > now_ms + self.delay_max_ms
end

local function claim(self, limit, is_probe, turn, counts, now_ms)
  local looked = self.db:first("look")
  if limit < 1 or not has_work(self, looked, is_probe, now_ms) then return end
  local latest_ms = now_ms + self.delay_max_ms
  if looked.last_ms > latest_ms then self.db:run("clamp", latest_ms, now_ms, CLAMPED_MAX) end
  claim_all(self, limit, is_probe and huge or now_ms, turn, counts, now_ms)
end

-- ---- turns ---------------------------------------------------------------------------------------

local function new_turn()
  return { events = {}, lost = {}, superseded = {} }
end

local function finish(turn, looked, now_ms)
  turn.waiting = looked.waiting
  turn.due_ms = looked.first_ms and max(0, looked.first_ms - now_ms)
  return turn
end

-- A turn that writes nothing and takes no lock; false where there is something to claim.
local function turn_idly(self, limit, is_probe)
  local now_ms, looked = self.now_ms(), self.db:first("look")
  if limit > 0 and has_work(self, looked, is_probe, now_ms) then return false end
  return finish(new_turn(), looked, now_ms)
end

local function record_and_claim(self, outcomes, limit, is_probe)
  local now_ms, counts, turn = self.now_ms(), new_counts(), new_turn()
  local looked = self.db:first("look")
  turn.lost = record_all(self, outcomes, looked.delivery, counts, now_ms)
  claim(self, limit, is_probe, turn, counts, now_ms)
  write_counts(self, counts)
  return finish(turn, self.db:first("look"), now_ms)
end

-- Claims nothing before there is ballast again: what it claims has to be recorded.
local function turn_within(self, outcomes, limit, is_probe)
  local has_room, fault = self.db:has_ballast(BALLAST_BYTES)
  if not has_room and #outcomes == 0 then error(fault, 0) end
  return record_and_claim(self, outcomes, has_room and limit or 0, is_probe)
end

-- On a full disk.
local function record_without_ballast(self, outcomes)
  self.db.handle:drop_ballast()
  return record_and_claim(self, outcomes, 0)
end

function Store:turn(outcomes, limit, opts)
  local db, is_probe = self.db, opts and opts.is_probe
  local turn, fault
  if #outcomes == 0 then
    turn, fault = db:attempt(turn_idly, self, limit, is_probe)
    if turn ~= false then return turn, fault end
  end
  turn, fault = db:transact(turn_within, self, outcomes, limit, is_probe)
  if turn or fault.code ~= "full" or #outcomes == 0 then return turn, fault end
  return db:transact(record_without_ballast, self, outcomes)
end

-- ---- what people ask and do ----------------------------------------------------------------------

local function stats(self)
  local found = self.db:first("stats")
  local oldest_ms = min(found.waiting_ms or huge, found.sending_ms or huge)
  found.waiting_ms, found.sending_ms = nil, nil
  found.oldest_ms = oldest_ms < huge and max(0, self.now_ms() - oldest_ms) or nil
  return found
end

function Store:stats()
  return self.db:attempt(stats, self)
end

-- The number of an id, which a user may have made up.
local function number_of(id)
  return type(id) == "string" and id:find("^%d+$") and tonumber(id) or -1
end

local function list(self, opts)
  local name = "list" .. (opts.state and "_state" or "") .. (opts.merchant_biz_no and "_lane" or "")
  local events = self.db:all(name, number_of(opts.after), opts.state, opts.merchant_biz_no,
    opts.limit or LIST_COUNT)
  for _, event in ipairs(events) do
    event.id = id_of(event.id)
    if event.state ~= "waiting" then event.due_ms = nil end
  end
  return events
end

function Store:list(opts)
  return self.db:attempt(list, self, opts or NO_OPTS)
end

local function body(self, number)
  local row = self.db:first("read_body", number)
  return row and row.body or false
end

function Store:body(id)
  return self.db:attempt(body, self, number_of(id))
end

-- Whether one of its lane that was put after it is under way, was accepted, or may have arrived.
local function is_overtaken(parked, number)
  local is_under_way = parked.head and not parked.due_ms
  return parked.arrived_id > number or is_under_way and parked.head > number
end

local function retry(self, number)
  local db, counts, now_ms = self.db, new_counts(), self.now_ms()
  local parked = db:first("find_parked", number)
  if not parked then return false end
  if is_overtaken(parked, number) then return "stale" end
  db:run("unpark", number, now_ms)
  if not parked.head or parked.head > number then db:run("set_head", parked.lane, number, now_ms) end
  move(counts, "parked", "waiting")
  write_counts(self, counts)
  return true
end

function Store:retry(id)
  local result, fault = self.db:transact(retry, self, number_of(id))
  if result ~= "stale" then return result, fault end
  return nil, {
    code = "stale", is_retryable = false,
    message = "a later event of its order is under way, was accepted, or may have arrived: this one would be turned "
      .. "back; drop it",
  }
end

local function drop(self, number)
  local db, counts = self.db, new_counts()
  if db:run("drop", number, (self.now_ms())) == 0 then return false end
  move(counts, "parked", "dropped")
  write_counts(self, counts)
  return true
end

function Store:drop(id)
  return self.db:transact(drop, self, number_of(id))
end

-- ---- purge ---------------------------------------------------------------------------------------

local ENDED = { "accepted", "superseded", "dropped" }

-- Some that have ended, after `last` in their order. They change no more, so that no lock is needed.
local function find_ended(self, state, last, before_ms)
  return self.db:all("find_ended", state, last, before_ms, PURGE_COUNT)
end

-- And the lanes of which nothing is left.
local function forget(self, state, rows)
  local db, counts, forgotten = self.db, new_counts(), 0
  for _, row in ipairs(rows) do
    forgotten = forgotten + db:run("forget_event", row.id)
    db:run("forget_lane", row.lane)
  end
  move(counts, state, nil, forgotten)
  write_counts(self, counts)
  return forgotten
end

-- In several transactions: others put meanwhile.
local function purge_state(self, state, before_ms)
  local db, total, last = self.db, 0, 0
  while true do
    local rows, fault = db:attempt(find_ended, self, state, last, before_ms)
    if not rows then return nil, fault end
    if #rows == 0 then return total end
    local forgotten
    forgotten, fault = db:transact(forget, self, state, rows)
    if not forgotten then return nil, fault end
    total, last = total + forgotten, rows[#rows].id
  end
end

function Store:purge(older_than_ms)
  local total, before_ms = 0, self.now_ms() - older_than_ms
  for _, state in ipairs(ENDED) do
    local count, fault = purge_state(self, state, before_ms)
    if not count then return nil, fault end
    total = total + count
  end
  return total
end

return sqlite
