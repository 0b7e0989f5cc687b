-- Turns of a deliverer over the lane groups of a Redis. One asks groups in one go: each records its outcomes, gives its
-- share of what is to be claimed, and says what is left, by which the next turn chooses whom to ask.
--
-- A question has its price: where much is due only those groups are asked whose events have waited longest, and those
-- that have outcomes. All are asked where less comes than was wanted; each now and then.

local groups = require "alipayhk.delivery.store.redis_groups"
local platform = require "alipayhk.api.platform"
local runtime = require "alipayhk.base.runtime"
local scripts = require "alipayhk.delivery.store.redis_scripts"

local flag, whole = groups.flag, groups.whole

local COUNT = scripts.GROUPS

-- For how long a turn goes by what a group said.
local FRESH_MS = 100

local NEVER = math.huge

-- How many events one group gives where much is due.
local SHARE = 16

-- How many bytes of bodies each group but one may give at once. A reply has at most 64 MiB.
local SHARE_BYTES = 1024 * 1024

local NOTHING = { limit = 0, bytes = 0 }

local Turns = {}
Turns.__index = Turns

-- `opts`: `lease_ms`, `delay_max_ms`, `coalesce` and `fresh_ms`, as the store takes them.
local function new(of, opts)
  return setmetatable({
    groups = of,
    lease_ms = opts.lease_ms,
    coalesce = opts.coalesce,
    delay_max_ms = opts.delay_max_ms,
    fresh_ms = opts.fresh_ms or FRESH_MS,
    -- By group, as the last turn heard it: how many wait, when the next one is due by the server's clock, and by ours,
    -- the monotonic one; and when that was.
    waiting = {}, due_us = {}, due_ms = {}, heard_ms = {},
    has_heard = false, -- of all groups
    kept = { events = {}, superseded = {} }, -- what turns that failed did all the same
  }, Turns)
end

-- ---- outcomes ------------------------------------------------------------------------------------

local function by_group(outcomes)
  local lists = {}
  for group = 0, COUNT - 1 do lists[group] = {} end
  for _, outcome in ipairs(outcomes) do
    local list = lists[groups.of_id(outcome.event.id)]
    list[#list + 1] = outcome
  end
  return lists
end

local function append(to, ...)
  for i = 1, select("#", ...) do to[#to + 1] = (select(i, ...)) end
end

local function append_outcome(arguments, outcome)
  append(arguments, outcome.event.id, outcome.event.token, outcome.state, whole(outcome.delay_ms),
    flag(outcome.is_free), flag(outcome.lost_answer), flag(outcome.is_settling),
    outcome.code or "", outcome.message or "", outcome.held_status or "")
end

-- ---- asking --------------------------------------------------------------------------------------

-- `claim`: `{ limit, bytes, is_probe }`
local function call_of(self, group, outcomes, claim)
  local arguments = { self.delay_max_ms, #outcomes }
  for _, outcome in ipairs(outcomes) do append_outcome(arguments, outcome) end
  append(arguments, claim.limit, claim.bytes, self.lease_ms, flag(self.coalesce), flag(claim.is_probe))
  return self.groups:call(group, scripts.turn, arguments)
end

-- An event out of a script's list.
local function event_of(list)
  return {
    id = list[1], api = list[2], merchant_biz_no = list[3], request_id = list[4] or nil, status = list[5] or nil,
    attempts = list[6], put_ms = list[7], lost_answer = list[8] == 1, is_settling = list[9] == 1, token = list[10],
    age_ms = list[11], body = list[12], lane = list[2] .. "\0" .. list[3],
  }
end

local function hear(self, turn, group, reply, asked_ms)
  local lost, claimed, superseded, waiting, now_us, due_us = reply[1], reply[2], reply[3], reply[4], reply[5], reply[6]
  for _, position in ipairs(lost) do append(turn.lost, turn.outcomes[group][position].event) end
  turn.outcomes[group] = {}
  for _, list in ipairs(claimed) do
    local event = event_of(list)
    event.until_ms = asked_ms + self.lease_ms
    append(turn.events, event)
  end
  for _, list in ipairs(superseded) do append(turn.superseded, event_of(list)) end
  self.waiting[group], self.heard_ms[group] = waiting, asked_ms
  if not turn.is_heard[group] then turn.is_heard[group], turn.heard_count = true, turn.heard_count + 1 end
  self.due_us[group] = due_us or NEVER
  self.due_ms[group] = due_us and asked_ms + (due_us - now_us) / 1000 or NEVER
end

-- Asks the groups that have an entry in `claims`. Nil and a fault if one fails. A lease counts from before that.
local function ask(self, turn, claims)
  local asked_ms, calls = runtime.monotonic_ms(), {}
  for group = 0, COUNT - 1 do
    if claims[group] then append(calls, call_of(self, group, turn.outcomes[group], claims[group])) end
  end
  local replies, fault = self.groups:try(calls)
  for i, call in ipairs(calls) do
    if replies[i] then hear(self, turn, call.group, replies[i], asked_ms) end
  end
  return not fault or nil, fault
end

-- ---- claiming ------------------------------------------------------------------------------------

-- All groups, the one whose next event is due first at the beginning.
local function in_order(self)
  local order, due_us = {}, self.due_us
  for group = 0, COUNT - 1 do order[group + 1] = group end
  table.sort(order, function(a, b)
    local a_us, b_us = due_us[a] or 0, due_us[b] or 0
    return a_us < b_us or a_us == b_us and a < b
  end)
  return order
end

-- What to claim in each of some groups: as much in each, and what is left over in the first ones. The very first may
-- give the largest body there is.
local function shares(order, limit)
  local claims = {}
  for i, group in ipairs(order) do
    claims[group] = {
      limit = math.floor(limit / #order) + (i <= limit % #order and 1 or 0),
      bytes = i == 1 and platform.body_max or SHARE_BYTES,
    }
  end
  return claims
end

-- Those that have something due, as far as is known. `is_heard`: the others count too, except those.
local function promising(self, is_heard)
  local found, now_ms = {}, runtime.monotonic_ms()
  for _, group in ipairs(in_order(self)) do
    if self.due_ms[group] <= now_ms or is_heard and not is_heard[group] then append(found, group) end
  end
  return found
end

local function first_of(order, count)
  local found = {}
  for i = 1, count do found[i] = order[i] end
  return found
end

-- Whom to ask first. Who has outcomes is asked, and who has said nothing for long.
local function first_claims(self, turn, limit)
  local due, count = promising(self), math.ceil(limit / SHARE)
  local claims = shares(#due >= count and first_of(due, count) or in_order(self), limit)
  local stale_ms = runtime.monotonic_ms() - self.fresh_ms
  for group = 0, COUNT - 1 do
    local is_needed = #turn.outcomes[group] > 0 or self.heard_ms[group] <= stale_ms
    if is_needed and not claims[group] then claims[group] = NOTHING end
  end
  return claims
end

-- Whether there is room for more, in the number of events and in memory.
local function has_room(turn, limit)
  local bytes = 0
  for _, event in ipairs(turn.events) do bytes = bytes + #event.body end
  return #turn.events < limit and bytes < platform.body_max
end

-- Asks those that may have more, while there is room and something comes; each that was not asked, at least once.
local function claim_more(self, turn, limit)
  local before, had_heard
  repeat
    local order = promising(self, turn.is_heard)
    if #order == 0 or not has_room(turn, limit) then return true end
    before, had_heard = #turn.events, turn.heard_count
    local heard, fault = ask(self, turn, shares(order, limit - before))
    if not heard then return nil, fault end
  until #turn.events == before and turn.heard_count == had_heard
  return true
end

-- Claims what is due first in all groups.
local function probe(self, turn)
  local first = in_order(self)[1]
  if self.due_us[first] == NEVER then return true end
  return ask(self, turn, { [first] = { limit = 1, bytes = platform.body_max, is_probe = true } })
end

-- ---- a turn --------------------------------------------------------------------------------------

-- The events that a turn which failed had claimed come first.
local function begin(self, outcomes, limit)
  local now_ms, kept = runtime.monotonic_ms(), self.kept
  local turn = {
    outcomes = by_group(outcomes), events = {}, superseded = kept.superseded, lost = {},
    is_heard = {}, heard_count = 0, -- which groups
  }
  self.kept = { events = {}, superseded = {} }
  for _, event in ipairs(kept.events) do
    if event.until_ms > now_ms then append(#turn.events < limit and turn.events or self.kept.events, event) end
  end
  return turn
end

local function keep(self, turn)
  for _, event in ipairs(turn.events) do append(self.kept.events, event) end
  self.kept.superseded = turn.superseded
end

local function is_older(a, b) return tonumber(a.id) < tonumber(b.id) end

local function finish(self, turn)
  local now_ms, due_ms, waiting = runtime.monotonic_ms(), NEVER, 0
  for group = 0, COUNT - 1 do
    due_ms, waiting = math.min(due_ms, self.due_ms[group]), waiting + self.waiting[group]
  end
  for _, event in ipairs(turn.events) do
    event.held_ms, event.until_ms = math.max(0, event.until_ms - now_ms), nil
  end
  table.sort(turn.events, is_older)
  return {
    events = turn.events, lost = turn.lost, superseded = turn.superseded, waiting = waiting,
    due_ms = due_ms < NEVER and math.max(0, due_ms - now_ms) or nil,
  }
end

-- All groups say what they have and give nothing. Without knowing when what is due one would claim from the wrong ones.
local function look(self, turn)
  local heard, fault = ask(self, turn, shares(in_order(self), 0))
  self.has_heard = self.has_heard or heard
  return heard, fault
end

local function claim(self, turn, limit)
  local heard, fault = ask(self, turn, first_claims(self, turn, math.max(0, limit - #turn.events)))
  if not heard then return nil, fault end
  return claim_more(self, turn, limit)
end

local function run(self, turn, limit, is_probe)
  local is_done, fault = true, nil
  if is_probe or not self.has_heard then is_done, fault = look(self, turn) end
  if not is_done then return nil, fault end
  if is_probe then return #turn.events == limit or probe(self, turn) end
  return claim(self, turn, limit)
end

function Turns:turn(outcomes, limit, is_probe)
  local turn = begin(self, outcomes, limit)
  local is_done, fault = run(self, turn, limit, is_probe)
  if is_done then return finish(self, turn) end
  keep(self, turn)
  return nil, fault
end

return { new = new }
