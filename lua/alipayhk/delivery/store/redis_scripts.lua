-- What a Redis does for an outbox: scripts for one lane group, each of which happens wholly or not at all.
--
-- The keys of a group share a hash tag, and every script names all of them: while a Redis Cluster moves the group from
-- one node to another, a script then runs where all keys are, or nowhere.
--
--   meta      a hash: `format`, `groups`, `last` (the number of the newest event), `token` (the newest one)
--   lanes     a hash: a lane's name and its record
--   events    a hash: an event's id and its record
--   bodies    a hash: the id and the body of one that has not ended
--   keys      a hash: a lane's id with a key, and the id of the event that was put with it
--   due       a sorted set: the heads of lanes that wait, by the time from which they may go
--   queue     a sorted set: those that wait behind their lane's head, a lane's id with theirs, all of the same score
--   leases    a sorted set: those under way, by the time until which a worker holds them
--   waiting, sending, parked, accepted, superseded, dropped    sorted sets: the events of each state, by their ids
--
-- The *head* of a lane is the oldest of its events that wait or are sending. An id is a number of 16 digits: when it
-- was put, in units of 10 us, times the number of groups, plus that of its group. So ids ascend.
--
-- A *token* is given out with each claim, and only its holder may say what became of the event. All times are those of
-- the server. One that is further off than any may be was made before its clock went back, and counts as past.

local client = require "alipayhk.delivery.redis.client"

local scripts = {}

-- Another layout of the keys gets another number.
scripts.FORMAT = 1

-- Over how many groups lanes are spread, so that the nodes of a Redis Cluster share them.
scripts.GROUPS = 16

scripts.KEYS = {
  "meta", "lanes", "events", "bodies", "keys", "due", "queue", "leases",
  "waiting", "sending", "parked", "accepted", "superseded", "dropped",
}

local COMMON = [=[
local GROUPS, FORMAT = @GROUPS@, @FORMAT@
local META, LANES, EVENTS, BODIES, IDS, DUE, QUEUE, LEASES = unpack(KEYS, 1, 8)
local SETS = { waiting = KEYS[9], sending = KEYS[10], parked = KEYS[11], accepted = KEYS[12], superseded = KEYS[13],
  dropped = KEYS[14] }

local call = redis.call

local format, groups = unpack(call("HMGET", META, "format", "groups"))
if format and tonumber(format) > FORMAT then return redis.error_reply("NEWER its format is " .. format) end
if format and tonumber(groups) ~= GROUPS then return redis.error_reply("FOREIGN it has lane groups: " .. groups) end

local clock = call("TIME")
local now = clock[1] * 1000 + clock[2] / 1000
local now_ms = math.floor(now)

-- ---- arguments: one after the other; an absent one is empty ---------------------------------------

local position = 0

local function text()
  position = position + 1
  return ARGV[position] ~= "" and ARGV[position] or nil
end

local function number() return tonumber(text()) end

local function flag() return text() == "1" end

-- ---- records -------------------------------------------------------------------------------------

-- `lane`: its id; `ended_token`: the last one whose holder said what became of the event.
local EVENT = { "state", "lane", "api", "merchant_biz_no", "request_id", "status", "alike", "key", "put_ms", "due_ms",
  "attempts", "token", "ended_token", "ended_ms", "lease_ms", "lost_answer", "is_settling", "code", "message",
  "held_status" }

-- `id`: that of its first event; `head`: the id of its head; `newest_ms`, `status`: of the newest event; `accepted`:
-- the newest one that was accepted; `events`: how many there are of it.
local LANE = { "id", "head", "newest_ms", "status", "accepted", "events" }

local function read(key, name, fields)
  local packed = call("HGET", key, name)
  if not packed then return nil end
  local record = {}
  for i, value in ipairs(cmsgpack.unpack(packed)) do record[fields[i]] = value or nil end
  return record
end

local function write(key, name, fields, record)
  local values = {}
  for i, field in ipairs(fields) do values[i] = record[field] or false end
  call("HSET", key, name, cmsgpack.pack(values))
end

local function read_event(id) return read(EVENTS, id, EVENT) end

local function write_event(id, event) write(EVENTS, id, EVENT, event) end

local function lane_name(event) return event.api .. "\0" .. event.merchant_biz_no end

local function read_lane(event) return read(LANES, lane_name(event), LANE) end

local function write_lane(event, lane) write(LANES, lane_name(event), LANE, lane) end

-- ---- what becomes of an event --------------------------------------------------------------------

local function move(id, event, state)
  if event.state then call("ZREM", SETS[event.state], id) end
  call("ZADD", SETS[state], id, id)
  event.state = state
end

local function finish(id, event, state)
  call("HDEL", BODIES, id)
  event.ended_ms = now_ms
  move(id, event, state)
end

-- The id of the first event behind the head of a lane, nil for none.
local function second_of(lane)
  local member = call("ZRANGEBYLEX", QUEUE, "[" .. lane, "(" .. lane .. ":", "LIMIT", 0, 1)[1]
  return member and member:sub(#lane + 1)
end

-- The head has ended, and the next one is the head, behind all that are due.
local function advance(lane)
  lane.head = second_of(lane.id)
  if not lane.head then return end
  call("ZREM", QUEUE, lane.id .. lane.head)
  call("ZADD", DUE, math.max(now, read_event(lane.head).due_ms or 0), lane.head)
end

-- It is under way no longer, and its lane's head still.
local function wait_again(id, event, due_ms)
  event.token, event.due_ms = nil, due_ms
  call("ZREM", LEASES, id)
  call("ZADD", DUE, due_ms, id)
  move(id, event, "waiting")
end
]=]

-- Arguments: the group's number, whether replicas are waited for, the record. Gives { id, "stored", previous status },
-- { id, "exists" } or { false, "stale", newest_ms }.
local PUT = [=[
local group, has_replicas = number(), flag()
local event = { api = text(), merchant_biz_no = text() or "", request_id = text(), status = text(), alike = text(),
  put_ms = now_ms, attempts = 0 }
local sequence_ms, is_filled, key = number(), flag(), text()
position = position + 1
local body = ARGV[position]

local lane = read_lane(event) or { events = 0 }
local known = key and lane.id and call("HGET", IDS, lane.id .. key)
if known then
  -- Replicas that have this write have all before it.
  if has_replicas then call("HSET", META, "format", FORMAT) end
  return { known, "exists" }
end
local newest_ms = lane.newest_ms
if sequence_ms and newest_ms and (sequence_ms < newest_ms or is_filled and sequence_ms == newest_ms) then
  return { false, "stale", newest_ms }
end

if not format then call("HSET", META, "format", FORMAT, "groups", GROUPS) end
local last = math.max((tonumber(call("HGET", META, "last")) or 10 ^ 14) + 1, math.floor(now * 100))
call("HSET", META, "last", last)
local id = ("%.0f"):format(last * GROUPS + group)
lane.id = lane.id or id
event.lane, event.key = lane.id, key
if key then call("HSET", IDS, lane.id .. key, id) end
call("HSET", BODIES, id, body)
move(id, event, "waiting")
write_event(id, event)
if lane.head then
  call("ZADD", QUEUE, 0, lane.id .. id)
else
  lane.head = id
  call("ZADD", DUE, now, id)
end
local previous = lane.status
lane.newest_ms, lane.status, lane.events = sequence_ms or newest_ms, event.status, lane.events + 1
write_lane(event, lane)
return { id, "stored", previous }
]=]

-- Arguments: the longest delay; how many outcomes, and those; how many to claim, how many bytes of bodies, `lease_ms`,
-- whether to coalesce, whether to claim what is not due yet. Gives { lost, claimed, superseded, waiting, now, due }:
-- the positions of outcomes that changed nothing; events as lists; how many wait; the time, and when the next one is
-- due, in microseconds.
local TURN = [=[
local COALESCED_MAX = 100

local delay_max_ms = number()

-- ---- outcomes ------------------------------------------------------------------------------------

local function record(id, event, state, delay_ms)
  if state == "waiting" then return wait_again(id, event, now + math.min(delay_ms or 0, delay_max_ms)) end
  call("ZREM", LEASES, id)
  event.token = nil
  local lane = read_lane(event)
  if state == "accepted" then
    finish(id, event, state)
    lane.accepted = id
  else
    move(id, event, state)
  end
  advance(lane)
  write_lane(event, lane)
end

-- Gives whether it changed nothing. Said a second time, since nobody heard the reply, it is as true as the first time.
local function read_outcome()
  local id, token, state, delay_ms = text(), number(), text(), number()
  local is_free, lost_answer, is_settling = flag(), flag(), flag()
  local code, message, held_status = text(), text(), text()
  local event = read_event(id)
  if not event or event.token ~= token then return not (event and event.ended_token == token) end
  event.ended_token = token
  if is_free then event.attempts = event.attempts - 1 end
  event.lost_answer, event.is_settling = event.lost_answer or lost_answer, event.is_settling or is_settling
  event.code, event.message, event.held_status = code, message, held_status
  record(id, event, state, delay_ms)
  write_event(id, event)
  return false
end

local lost = {}
for i = 1, number() do
  if read_outcome() then lost[#lost + 1] = i end
end

-- ---- leases --------------------------------------------------------------------------------------

local limit, bytes, lease_ms, is_coalescing, is_probe = number(), number(), number(), flag(), flag()

local function take_back(id)
  local event = read_event(id)
  event.lost_answer = true
  wait_again(id, event, now)
  write_event(id, event)
end

for _, id in ipairs(call("ZRANGEBYSCORE", LEASES, "-inf", now, "LIMIT", 0, 100)) do take_back(id) end

-- Others may hold theirs for longer.
for _, id in ipairs(call("ZRANGEBYSCORE", LEASES, "(" .. now + lease_ms, "+inf", "LIMIT", 0, 100)) do
  local its_lease_ms = read_event(id).lease_ms
  if tonumber(call("ZSCORE", LEASES, id)) > now + its_lease_ms then call("ZADD", LEASES, now + its_lease_ms, id) end
end

-- ---- claims --------------------------------------------------------------------------------------

local claimed, superseded = {}, {}

local function shown(id, event)
  return { id, event.api, event.merchant_biz_no, event.request_id or false, event.status or false, event.attempts,
    event.put_ms }
end

-- The event behind it if that one, alike, makes it needless.
local function successor(event)
  if not (is_coalescing and event.alike and event.attempts == 0) then return nil end
  local id = second_of(event.lane)
  local other = id and read_event(id)
  if other and other.alike == event.alike and other.attempts == 0 then return id, other end
end

local function supersede(id, event)
  call("ZREM", DUE, id)
  finish(id, event, "superseded")
  write_event(id, event)
  superseded[#superseded + 1] = shown(id, event)
  local lane = read_lane(event)
  advance(lane)
  write_lane(event, lane)
end

-- The last of those that are alike; nil if there are more than one script should go through.
local function newest_alike(id, event)
  for _ = 1, COALESCED_MAX do
    local next_id, next_event = successor(event)
    if not next_id then return id, event end
    supersede(id, event)
    id, event = next_id, next_event
  end
end

local function claim(id, event, body)
  call("ZREM", DUE, id)
  call("ZADD", LEASES, now + lease_ms, id)
  move(id, event, "sending")
  event.attempts, event.token, event.lease_ms = event.attempts + 1, call("HINCRBY", META, "token", 1), lease_ms
  write_event(id, event)
  local list = shown(id, event)
  list[8], list[9], list[10] = event.lost_answer and 1 or 0, event.is_settling and 1 or 0, event.token
  list[11] = body
  claimed[#claimed + 1] = list
end

-- Gives whether there is room for more.
local function try(id)
  local event
  id, event = newest_alike(id, read_event(id))
  if not id then return true end
  bytes = bytes - call("HSTRLEN", BODIES, id)
  if bytes < 0 then return false end
  claim(id, event, call("HGET", BODIES, id))
  return #claimed < limit
end

local function due_ids()
  local ids = call("ZRANGEBYSCORE", DUE, "-inf", is_probe and "+inf" or now, "LIMIT", 0, limit)
  if #ids > 0 then return ids end
  return call("ZRANGEBYSCORE", DUE, "(" .. now + delay_max_ms, "+inf", "LIMIT", 0, limit)
end

if limit > 0 then
  for _, id in ipairs(due_ids()) do
    if not try(id) then break end
  end
end

-- ---- what is left --------------------------------------------------------------------------------

local function next_due()
  local due_ms = tonumber(call("ZRANGE", DUE, 0, 0, "WITHSCORES")[2] or nil)
  if due_ms and due_ms > now + delay_max_ms then return now end
  return due_ms
end

local function microseconds(ms) return ms and math.floor(ms * 1000) end

return { lost, claimed, superseded, call("ZCARD", SETS.waiting), microseconds(now), microseconds(next_due()) }
]=]

-- Gives how many events have each state, in the order of the keys, and for how long the oldest has waited, -1 for none.
local STATS = [=[
local counts = {}
for i = 1, 6 do counts[i] = call("ZCARD", KEYS[8 + i]) end
local oldest_ms = -1
for _, state in ipairs { "waiting", "sending" } do
  local id = call("ZRANGE", SETS[state], 0, 0)[1]
  if id then oldest_ms = math.max(oldest_ms, now_ms - read_event(id).put_ms) end
end
counts[7] = oldest_ms
return counts
]=]

-- Arguments: the id after which to begin, how many to look at, the merchantBizNo, and the states. Gives the last id
-- that was looked at, false if there are no others, and the events.
local LIST = [=[
local after, limit, merchant_biz_no = text(), number(), text()
local ids = {}
for state in function() return text() end do
  for _, id in ipairs(call("ZRANGEBYSCORE", SETS[state], "(" .. after, "+inf", "LIMIT", 0, limit)) do
    ids[#ids + 1] = id
  end
end
table.sort(ids)

local found = {}
for i = 1, math.min(limit, #ids) do
  local event = read_event(ids[i])
  if not merchant_biz_no or event.merchant_biz_no == merchant_biz_no then
    local due_ms = event.state == "waiting" and (call("ZSCORE", DUE, ids[i]) or event.due_ms or event.put_ms)
    found[#found + 1] = { ids[i], event.api, event.merchant_biz_no, event.state, event.attempts, event.put_ms,
      tonumber(due_ms or nil) or false, event.code or false, event.message or false, event.held_status or false }
  end
end
return { #ids >= limit and ids[limit], found }
]=]

-- Argument: the id. Gives 1; 0 where it is not parked; -1 where a later one of its lane is under way or was accepted.
local RETRY = [=[
local id = text()
local event = read_event(id)
if not event or event.state ~= "parked" then return 0 end
local lane = read_lane(event)
local is_sending = lane.head and call("ZSCORE", LEASES, lane.head)
if (lane.accepted or "") > id or is_sending and lane.head > id then return -1 end

event.due_ms = now_ms
if lane.head and lane.head < id then
  call("ZADD", QUEUE, 0, lane.id .. id)
else
  if lane.head then
    call("ZREM", DUE, lane.head)
    call("ZADD", QUEUE, 0, lane.id .. lane.head)
  end
  lane.head = id
  call("ZADD", DUE, now, id)
  write_lane(event, lane)
end
move(id, event, "waiting")
write_event(id, event)
return 1
]=]

-- Argument: the id. Gives 1, or 0 where it is not parked.
local DROP = [=[
local id = text()
local event = read_event(id)
if not event or event.state ~= "parked" then return 0 end
finish(id, event, "dropped")
write_event(id, event)
return 1
]=]

-- Arguments: a state, for how many milliseconds it has to have lasted, the id after which to begin. Gives how many it
-- has forgotten, and the last id that it looked at, false if there are no others that are old enough.
local PURGE = [=[
local LIMIT = 200
local state, older_than_ms, after = text(), number(), text()
local latest_ms = now_ms - older_than_ms
local forgotten = 0

-- A lane without events goes too: nobody has used it for longer than that.
local function forget(id, event)
  call("ZREM", SETS[state], id)
  call("HDEL", EVENTS, id)
  if event.key then call("HDEL", IDS, event.lane .. event.key) end
  local lane = read_lane(event)
  lane.events = lane.events - 1
  if lane.events > 0 then write_lane(event, lane) else call("HDEL", LANES, lane_name(event)) end
  forgotten = forgotten + 1
end

local ids = call("ZRANGEBYSCORE", SETS[state], "(" .. after, "+inf", "LIMIT", 0, LIMIT)
for _, id in ipairs(ids) do
  local event = read_event(id)
  if event.put_ms > latest_ms then return { forgotten, false } end
  if event.ended_ms <= latest_ms then forget(id, event) end
end
return { forgotten, #ids == LIMIT and ids[LIMIT] }
]=]

-- `flags`: in a Redis whose memory is full, what takes events out goes on.
local function script(flags, source)
  local values = { GROUPS = scripts.GROUPS, FORMAT = scripts.FORMAT }
  return client.script(("#!lua%s\n%s%s"):format(flags, COMMON:gsub("@([A-Z_]+)@", values), source))
end

scripts.put = script("", PUT)
scripts.turn = script(" flags=allow-oom", TURN)
scripts.stats = script(" flags=no-writes", STATS)
scripts.list = script(" flags=no-writes", LIST)
scripts.retry = script(" flags=allow-oom", RETRY)
scripts.drop = script(" flags=allow-oom", DROP)
scripts.purge = script(" flags=allow-oom", PURGE)

return scripts
