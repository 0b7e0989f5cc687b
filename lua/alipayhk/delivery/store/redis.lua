-- Events of an outbox in a Redis, for workers on any number of machines. `alipayhk.delivery.store` says what a store
-- promises, `alipayhk.delivery.store.redis_scripts` how it is kept here: by scripts over lane groups.
--
-- Each script happens wholly or not at all; what goes to several groups does not happen at once in all of them. Of what
-- failed it is not known how far it came, and all of it may be asked for again: outcomes change nothing the second
-- time, a put stores nothing the second time if it has a `key`, and events that were claimed without anybody hearing of
-- it are taken back when their leases have passed.

local groups = require "alipayhk.delivery.store.redis_groups"
local new_turns = require("alipayhk.delivery.store.redis_turns").new
local platform = require "alipayhk.api.platform"
local scripts = require "alipayhk.delivery.store.redis_scripts"
local url = require "alipayhk.delivery.redis.url"

local flag, whole = groups.flag, groups.whole

local CONNECT_TIMEOUT_MS, TIMEOUT_MS = 5000, 5000

-- How many events go in one go, beside that their bodies are together no larger than one may be.
local PUT_MAX = 1000

-- How many events a script looks at for a list.
local PAGE = 500

local LIST_MAX = 100

local Store = { has_replicas = true }
Store.__index = Store

local redis = {}

-- ---- putting -------------------------------------------------------------------------------------

local function put_call(self, record, replicas)
  local merchant_biz_no = record.merchant_biz_no or ""
  local group = groups.of(merchant_biz_no)
  return self.groups:call(group, scripts.put, {
    group, flag(replicas), record.api, merchant_biz_no, record.request_id or "", record.status or "",
    record.alike or "", whole(record.sequence_ms), flag(record.is_filled), record.key or "", record.body,
  })
end

local function put_result(reply, replicas)
  local id, what, detail = reply[1], reply[2], reply[3]
  if what == "stale" then return { newest_ms = detail } end
  if what == "exists" then return { id = id, exists = true, replicas = replicas } end
  return { id = id, previous_status = detail or nil, replicas = replicas }
end

-- Appends to `results`; gives a fault if that fails.
local function put_some(self, calls, replicas, results)
  local wait = replicas and { "WAIT", replicas, self.replicas_ms }
  local replies, fault, counts = self.groups:try(calls, wait)
  if fault then return fault end
  for i, reply in ipairs(replies) do results[#results + 1] = put_result(reply, counts[i]) end
end

-- Each event is stored by a script of its own, in their order.
function Store:put(records, opts)
  local replicas = opts and opts.replicas
  local results, calls, bytes = {}, {}, 0
  for i, record in ipairs(records) do
    local following = records[i + 1]
    calls[#calls + 1], bytes = put_call(self, record, replicas), bytes + #record.body
    if not following or bytes + #following.body > platform.body_max or #calls == PUT_MAX then
      local fault = put_some(self, calls, replicas, results)
      if fault then return nil, fault end
      calls, bytes = {}, 0
    end
  end
  return results
end

-- ---- delivering ----------------------------------------------------------------------------------

-- Any number of processes may deliver: each holds events for as long as its leases.
function Store.begin_delivery()
  return true
end

function Store.end_delivery() end

function Store:turn(outcomes, limit, opts)
  return self.turns:turn(outcomes, limit, opts and opts.is_probe)
end

-- ---- looking -------------------------------------------------------------------------------------

local STATES = { "waiting", "sending", "parked", "accepted", "superseded", "dropped" }

function Store:stats()
  local replies, fault = self.groups:run_everywhere(scripts.stats)
  if not replies then return nil, fault end
  local stats, oldest_ms = {}, -1
  for i, state in ipairs(STATES) do
    stats[state] = 0
    for _, counts in ipairs(replies) do stats[state] = stats[state] + counts[i] end
  end
  for _, counts in ipairs(replies) do oldest_ms = math.max(oldest_ms, counts[#STATES + 1]) end
  stats.oldest_ms = oldest_ms >= 0 and oldest_ms or nil
  return stats
end

local LISTED = {
  "id", "api", "merchant_biz_no", "state", "attempts", "put_ms", "due_ms", "code", "message", "held_status",
}

local function append_listed(to, lists)
  for _, list in ipairs(lists) do
    local event = {}
    for i, name in ipairs(LISTED) do event[name] = list[i] or nil end
    to[#to + 1] = event
  end
end

-- Appends the first ones of a group to `found`; gives a fault if that fails.
local function list_group(self, group, opts, limit, found)
  local after, most = opts.after or "0", #found + limit
  repeat
    local arguments = { after, math.min(limit, PAGE), opts.merchant_biz_no or "" }
    for _, state in ipairs(opts.state and { opts.state } or STATES) do arguments[#arguments + 1] = state end
    local reply, fault = self.groups:run_in(group, scripts.list, arguments)
    if not reply then return fault end
    after = reply[1]
    append_listed(found, reply[2])
  until not after or #found >= most
end

local function is_older(a, b) return tonumber(a.id) < tonumber(b.id) end

-- An order's events are in one group.
function Store:list(opts)
  opts = opts or {}
  local limit, found = opts.limit or LIST_MAX, {}
  local only = opts.merchant_biz_no and groups.of(opts.merchant_biz_no)
  for group = only or 0, only or scripts.GROUPS - 1 do
    local fault = list_group(self, group, opts, limit, found)
    if fault then return nil, fault end
  end
  table.sort(found, is_older)
  for i = #found, limit + 1, -1 do found[i] = nil end
  return found
end

-- ---- by hand -------------------------------------------------------------------------------------

local STALE = {
  code = "stale", is_retryable = false,
  message = "a later event of its order is under way, was accepted, or may have arrived: drop it",
}

-- What a script says of one event; 0 where that is no id of ours.
local function ask_about(self, script, id)
  local group = groups.of_id(id)
  if not group then return 0 end
  return self.groups:run_in(group, script, { id })
end

function Store:body(id)
  local said, fault = ask_about(self, scripts.body, id)
  if not said then return nil, fault end
  return said ~= 0 and said
end

function Store:retry(id)
  local said, fault = ask_about(self, scripts.retry, id)
  if not said then return nil, fault end
  if said < 0 then return nil, STALE end
  return said == 1
end

function Store:drop(id)
  local said, fault = ask_about(self, scripts.drop, id)
  if not said then return nil, fault end
  return said == 1
end

local ENDED = { "accepted", "superseded", "dropped" }

local function purge_state(self, group, state, older_than_ms)
  local forgotten, after = 0, "0"
  repeat
    local reply, fault = self.groups:run_in(group, scripts.purge, { state, whole(older_than_ms), after })
    if not reply then return nil, fault end
    forgotten, after = forgotten + reply[1], reply[2]
  until not after
  return forgotten
end

function Store:purge(older_than_ms)
  local forgotten = 0
  for group = 0, scripts.GROUPS - 1 do
    for _, state in ipairs(ENDED) do
      local count, fault = purge_state(self, group, state, older_than_ms)
      if not count then return nil, fault end
      forgotten = forgotten + count
    end
  end
  return forgotten
end

-- ---- opening -------------------------------------------------------------------------------------

-- A message where that is no URL of a Redis.
function redis.url_fault(given)
  return select(2, url.parse(given))
end

-- Opens one. `opts`, over those of every store: `timeout_ms`, for each question to the server, of which replicas have
-- half; `fresh_ms`, for how long a turn goes by what a lane group said, where it need not ask that one. Nothing is
-- connected before it is needed: nginx allows no connections while it starts.
function redis.open(given, opts)
  local target = url.parse(given)
  target.connect_timeout_ms, target.timeout_ms = CONNECT_TIMEOUT_MS, opts.timeout_ms or TIMEOUT_MS
  local made, message = groups.new(target, opts.client_id)
  if not made then return nil, { code = "failed", message = message, is_retryable = false } end
  local replicas_ms = math.floor(target.timeout_ms / 2)
  return setmetatable({ groups = made, turns = new_turns(made, opts), replicas_ms = replicas_ms }, Store)
end

function Store:close()
  self.groups:close()
end

return redis
