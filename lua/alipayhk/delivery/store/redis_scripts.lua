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
--   sending   a sorted set: those under way, by the time until which a worker holds them
--   waiting, parked, accepted, superseded, dropped    sorted sets: the events of each state, by their ids
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
  "meta", "lanes", "events", "bodies", "keys", "due", "queue",
  "waiting", "sending", "parked", "accepted", "superseded", "dropped",
}

local COMMON = [=[
local GROUPS, FORMAT = @GROUPS@, @FORMAT@
local META, LANES, EVENTS, BODIES, IDS, DUE, QUEUE, WAITING, SENDING = unpack(KEYS, 1, 9)
local SETS = { waiting = WAITING, sending = SENDING, parked = KEYS[10], accepted = KEYS[11], superseded = KEYS[12],
  dropped = KEYS[13] }

local call = redis.call

local format, groups, last, token = unpack(call("HMGET", META, "format", "groups", "last", "token"))
if format and tonumber(format) > FORMAT then return redis.error_reply("NEWER its format is " .. format) end
if format and tonumber(groups) ~= GROUPS then return redis.error_reply("FOREIGN it has lane groups: " .. groups) end

local clock = call("TIME")
local now = clock[1] * 1000 + clock[2] / 1000
local now_ms = math.floor(now)

-- ---- arguments: one after the other; an absent one is empty ---------------------------------------

local position = 0

local function text()
  position = position + 1
  return ARGV[position] ~= "" and ARGV[position]
end

local function number() return tonumber(text() or nil) end

local function flag() return text() == "1" end

-- ---- records: lists whose places have names; false is none ----------------------------------------

-- LANE: the lane's id; ENDED_TOKEN: the last one whose holder said what became of the event.
local STATE, LANE, API, BIZ_NO, REQUEST_ID, STATUS, ALIKE, KEY, PUT_MS, ATTEMPTS = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local DUE_MS, LEASE_MS, TOKEN, ENDED_TOKEN, ENDED_MS, LOST_ANSWER, IS_SETTLING = 11, 12, 13, 14, 15, 16, 17
local CODE, MESSAGE, HELD_STATUS = 18, 19, 20

-- ID: of its first event; HEAD: the id of its head; NEWEST_MS, NEWEST_STATUS: of its newest event; NEWEST_ARRIVED: the
-- id of the newest one that was accepted, or may have arrived; COUNT: how many events there are of it.
local ID, HEAD, NEWEST_MS, NEWEST_STATUS, NEWEST_ARRIVED, COUNT = 1, 2, 3, 4, 5, 6

local function read(key, name)
  local packed = call("HGET", key, name)
  return packed and cmsgpack.unpack(packed)
end

local function read_event(id) return read(EVENTS, id) end

local function write_event(id, event) call("HSET", EVENTS, id, cmsgpack.pack(event)) end

local function lane_name(event) return event[API] .. "\0" .. event[BIZ_NO] end

local function read_lane(event) return read(LANES, lane_name(event)) end

local function write_lane(event, lane) call("HSET", LANES, lane_name(event), cmsgpack.pack(lane)) end

-- ---- what becomes of an event --------------------------------------------------------------------

-- `until_ms`: for how long it is sending.
local function move(id, event, state, until_ms)
  call("ZREM", SETS[event[STATE]], id)
  call("ZADD", SETS[state], until_ms or id, id)
  event[STATE] = state
end

local function finish(id, event, state)
  call("HDEL", BODIES, id)
  event[ENDED_MS] = now_ms
  move(id, event, state)
end

-- The id of the first event behind the head of a lane, nil for none.
local function second_of(lane_id)
  local member = call("ZRANGEBYLEX", QUEUE, "[" .. lane_id, "(" .. lane_id .. ":", "LIMIT", 0, 1)[1]
  return member and member:sub(#lane_id + 1)
end

-- The head has ended, and the next one is the head, behind all that are due.
local function advance(lane)
  local id = lane[COUNT] > 1 and second_of(lane[ID])
  lane[HEAD] = id or false
  if not id then return end
  call("ZREM", QUEUE, lane[ID] .. id)
  call("ZADD", DUE, math.max(now, read_event(id)[DUE_MS] or 0), id)
end

-- It is under way no longer, and its lane's head still. `has_arrived`: maybe.
local function wait_again(id, event, due_ms, has_arrived)
  if has_arrived then
    local lane = read_lane(event)
    lane[NEWEST_ARRIVED] = id
    write_lane(event, lane)
  end
  event[TOKEN], event[DUE_MS] = false, due_ms
  call("ZADD", DUE, due_ms, id)
  move(id, event, "waiting")
end
]=]

-- Arguments: the group's number, whether replicas are waited for, the record. Gives { id, "stored", previous status },
-- { id, "exists" } or { false, "stale", newest_ms }.
local PUT = [=[
local group, has_replicas = number(), flag()
local event = {}
for place = 1, HELD_STATUS do event[place] = false end
event[API], event[BIZ_NO], event[REQUEST_ID], event[STATUS], event[ALIKE] = text(), text() or "", text(), text(), text()
local sequence_ms, is_filled, key = number(), flag(), text()
local body = ARGV[position + 1]

local lane = read_lane(event) or { false, false, false, false, false, 0 }
local known = key and lane[ID] and call("HGET", IDS, lane[ID] .. key)
if known then
  -- Replicas that have this write have all before it.
  if has_replicas then call("HSET", META, "format", FORMAT) end
  return { known, "exists" }
end
local newest_ms = lane[NEWEST_MS]
if sequence_ms and newest_ms and (sequence_ms < newest_ms or is_filled and sequence_ms == newest_ms) then
  return { false, "stale", newest_ms }
end

last = math.max((tonumber(last or nil) or 10 ^ 14) + 1, math.floor(now * 100))
call("HSET", META, "format", FORMAT, "groups", GROUPS, "last", last)
local id = ("%.0f"):format(last * GROUPS + group)
lane[ID] = lane[ID] or id
event[STATE], event[LANE], event[KEY], event[PUT_MS], event[ATTEMPTS] = "waiting", lane[ID], key, now_ms, 0
if key then call("HSET", IDS, lane[ID] .. key, id) end
call("HSET", BODIES, id, body)
write_event(id, event)
call("ZADD", WAITING, id, id)
if lane[HEAD] then
  call("ZADD", QUEUE, 0, lane[ID] .. id)
else
  lane[HEAD] = id
  call("ZADD", DUE, now, id)
end
local previous = lane[NEWEST_STATUS]
lane[NEWEST_MS], lane[NEWEST_STATUS], lane[COUNT] = sequence_ms or newest_ms, event[STATUS], lane[COUNT] + 1
write_lane(event, lane)
return { id, "stored", previous }
]=]

-- Arguments: the longest delay; how many outcomes, and those; how many to claim, how many bytes of bodies, `lease_ms`,
-- whether to coalesce, whether to claim what is not due yet. Gives { lost, claimed, superseded, waiting, now, due }:
-- the positions of outcomes that changed nothing; events as lists; how many wait; the time, and when the next one is
-- due, in microseconds.
local TURN = [=[
local SUPERSEDED_MAX, FAR_MAX = 500, 500

local delay_max_ms = number()

-- ---- outcomes ------------------------------------------------------------------------------------

-- `has_arrived`: maybe.
local function record(id, event, state, delay_ms, has_arrived)
  if state == "waiting" then
    return wait_again(id, event, now + math.min(delay_ms or 0, delay_max_ms), has_arrived)
  end
  event[TOKEN] = false
  local lane = read_lane(event)
  if has_arrived then lane[NEWEST_ARRIVED] = id end
  if state == "accepted" then finish(id, event, state) else move(id, event, state) end
  advance(lane)
  write_lane(event, lane)
end

-- Gives whether it changed nothing. Said a second time, since nobody heard the reply, it is as true as the first time.
local function read_outcome()
  local id, its_token, state, delay_ms = text(), number(), text(), number()
  local is_free, lost_answer, is_settling = flag(), flag(), flag()
  local code, message, held_status = text(), text(), text()
  local event = read_event(id)
  if not event then return true end
  if event[TOKEN] ~= its_token then return event[ENDED_TOKEN] ~= its_token end
  event[ENDED_TOKEN] = its_token
  if is_free then event[ATTEMPTS] = event[ATTEMPTS] - 1 end
  event[LOST_ANSWER], event[IS_SETTLING] = event[LOST_ANSWER] or lost_answer, event[IS_SETTLING] or is_settling
  event[CODE], event[MESSAGE], event[HELD_STATUS] = code, message, held_status
  local is_tried = state == "waiting" and not is_free
  record(id, event, state, delay_ms, state == "accepted" or event[LOST_ANSWER] or is_tried)
  write_event(id, event)
  return false
end

local lost = {}
for i = 1, number() do
  if read_outcome() then lost[#lost + 1] = i end
end

-- ---- a clock that was set back -------------------------------------------------------------------

for _, id in ipairs(call("ZRANGEBYSCORE", DUE, now + delay_max_ms + 1, "+inf", "LIMIT", 0, FAR_MAX)) do
  call("ZADD", DUE, now, id)
end

-- ---- leases --------------------------------------------------------------------------------------

local limit, bytes, lease_ms, is_coalescing, is_probe = number(), number(), number(), flag(), flag()

local function take_back(id)
  local event = read_event(id)
  event[LOST_ANSWER] = true
  wait_again(id, event, now, true)
  write_event(id, event)
end

for _, id in ipairs(call("ZRANGEBYSCORE", SENDING, "-inf", now, "LIMIT", 0, 100)) do take_back(id) end

-- Others may hold theirs for longer than we do.
for _, id in ipairs(call("ZRANGEBYSCORE", SENDING, now + lease_ms + 1, "+inf", "LIMIT", 0, 100)) do
  local until_ms = now + read_event(id)[LEASE_MS]
  if tonumber(call("ZSCORE", SENDING, id)) > until_ms then call("ZADD", SENDING, until_ms, id) end
end

-- ---- claims --------------------------------------------------------------------------------------

local claimed, superseded = {}, {}

local function shown(id, event)
  return { id, event[API], event[BIZ_NO], event[REQUEST_ID], event[STATUS], event[ATTEMPTS], event[PUT_MS] }
end

local function is_unsent(event) return event[ATTEMPTS] == 0 and not event[LOST_ANSWER] end

-- The event behind it if that one, alike, makes it needless.
local function successor(event)
  if not (is_coalescing and event[ALIKE] and is_unsent(event)) then return nil end
  local id = second_of(event[LANE])
  local other = id and read_event(id)
  if other and other[ALIKE] == event[ALIKE] and is_unsent(other) then return id, other end
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
  local next_id, next_event = successor(event)
  while next_id do
    if #superseded == SUPERSEDED_MAX then return nil end
    supersede(id, event)
    id, event = next_id, next_event
    next_id, next_event = successor(event)
  end
  return id, event
end

-- What is claimed at once has one token. By the time, none is given out twice: neither by a replica that took over and
-- had not heard of the last ones.
local function new_token()
  token = math.max((token or 0) + 1, math.floor(now * 1000))
  call("HSET", META, "token", token)
  return token
end

local function claim(id, event, body)
  call("ZREM", DUE, id)
  move(id, event, "sending", now + lease_ms)
  event[ATTEMPTS], event[LEASE_MS] = event[ATTEMPTS] + 1, lease_ms
  event[TOKEN] = claimed[1] and token or new_token()
  write_event(id, event)
  local list = shown(id, event)
  list[8], list[9], list[10] = event[LOST_ANSWER] and 1 or 0, event[IS_SETTLING] and 1 or 0, token
  list[11], list[12] = math.max(0, now_ms - event[PUT_MS]), body
  claimed[#claimed + 1] = list
end

-- Gives whether there is room for more.
local function try(id)
  local event
  id, event = newest_alike(id, read_event(id))
  if not id then return true end
  local body = call("HGET", BODIES, id)
  bytes = bytes - #body
  if bytes < 0 then return false end
  claim(id, event, body)
  return true
end

local function due_between(from_ms, to_ms) return call("ZRANGEBYSCORE", DUE, from_ms, to_ms, "LIMIT", 0, limit) end

local function due_ids()
  local ids = due_between("-inf", now)
  if #ids == 0 and is_probe then ids = due_between("-inf", "+inf") end
  return ids
end

for _, id in ipairs(limit > 0 and due_ids() or {}) do
  if not try(id) then break end
end

-- ---- what is left --------------------------------------------------------------------------------

local next_ms = tonumber(call("ZRANGE", DUE, 0, 0, "WITHSCORES")[2] or nil)

local function microseconds(ms) return ms and math.floor(ms * 1000) end

return { lost, claimed, superseded, call("ZCARD", WAITING), microseconds(now), microseconds(next_ms) }
]=]

-- Gives how many events have each state, in the order of the keys, and for how long the oldest has waited, -1 for none.
local STATS = [=[
local counts = {}
for i = 1, 6 do counts[i] = call("ZCARD", KEYS[7 + i]) end
local open, oldest_ms = call("ZRANGE", SENDING, 0, -1), -1
open[#open + 1] = call("ZRANGE", WAITING, 0, 0)[1]
for _, id in ipairs(open) do oldest_ms = math.max(oldest_ms, 0, now_ms - read_event(id)[PUT_MS]) end
counts[7] = oldest_ms
return counts
]=]

-- Arguments: the id after which to begin, how many to look at, the merchantBizNo, and the states. Gives the last id
-- that was looked at, false if there are no others, and the events.
local LIST = [=[
local after, limit, merchant_biz_no = text(), number(), text()
local ids = {}

-- Those that are sending are few, and in another order.
local function ids_of(state)
  if state == "sending" then return call("ZRANGE", SENDING, 0, -1) end
  return call("ZRANGEBYSCORE", SETS[state], "(" .. after, "+inf", "LIMIT", 0, limit)
end

while position < #ARGV do
  for _, id in ipairs(ids_of(text())) do
    if tonumber(id) > tonumber(after) then ids[#ids + 1] = id end
  end
end
table.sort(ids)

local function due_ms(id, event)
  if event[STATE] ~= "waiting" then return false end
  return tonumber(call("ZSCORE", DUE, id) or nil) or event[DUE_MS] or event[PUT_MS]
end

local found = {}
for i = 1, math.min(limit, #ids) do
  local id = ids[i]
  local event = read_event(id)
  if not merchant_biz_no or event[BIZ_NO] == merchant_biz_no then
    found[#found + 1] = { id, event[API], event[BIZ_NO], event[STATE], event[ATTEMPTS], event[PUT_MS],
      due_ms(id, event), event[CODE], event[MESSAGE], event[HELD_STATUS] }
  end
end
return { #ids >= limit and ids[limit], found }
]=]

-- Argument: the id. Gives the body of one that has not ended, or 0.
local BODY = [=[
return call("HGET", BODIES, text()) or 0
]=]

-- Argument: the id. Gives 1; 0 where it is not parked; -1 where a later one of its lane is under way, was accepted, or
-- may have arrived.
local RETRY = [=[
local id = text()
local event = read_event(id)
if not event or event[STATE] ~= "parked" then return 0 end
local lane = read_lane(event)
local head, arrived = lane[HEAD], lane[NEWEST_ARRIVED]
if arrived and arrived > id or head and head > id and call("ZSCORE", SENDING, head) then return -1 end

event[DUE_MS], event[LOST_ANSWER], event[IS_SETTLING] = now, false, false
if head and head < id then
  call("ZADD", QUEUE, 0, lane[ID] .. id)
else
  if head then
    call("ZREM", DUE, head)
    call("ZADD", QUEUE, 0, lane[ID] .. head)
  end
  lane[HEAD] = id
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
if not event or event[STATE] ~= "parked" then return 0 end
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
  if event[KEY] then call("HDEL", IDS, event[LANE] .. event[KEY]) end
  local lane = read_lane(event)
  lane[COUNT] = lane[COUNT] - 1
  if lane[COUNT] > 0 then write_lane(event, lane) else call("HDEL", LANES, lane_name(event)) end
  forgotten = forgotten + 1
end

local ids = call("ZRANGEBYSCORE", SETS[state], "(" .. after, "+inf", "LIMIT", 0, LIMIT)
for _, id in ipairs(ids) do
  local event = read_event(id)
  if event[PUT_MS] > latest_ms then return { forgotten, false } end
  if event[ENDED_MS] <= latest_ms then forget(id, event) end
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
scripts.body = script(" flags=no-writes", BODY)
scripts.retry = script(" flags=allow-oom", RETRY)
scripts.drop = script(" flags=allow-oom", DROP)
scripts.purge = script(" flags=allow-oom", PURGE)

return scripts
