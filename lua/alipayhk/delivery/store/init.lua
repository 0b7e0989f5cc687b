-- Where an outbox keeps its events: opens a store by its URL. Each kind of store keeps the same promises, by other
-- means; it belongs to one client_id, and knows neither payloads nor keys.
--
-- A *lane* is what has to stay in order: the events of one order at one API. An event is `waiting`, `sending`,
-- `accepted`, `parked`, `superseded` or `dropped`. Of a lane at most one is sending, the oldest that waits goes first,
-- and a parked one holds back none. A lane that was served goes behind the others.
--
--   store.has_replicas         whether `put` knows `replicas`
--   store:put(records, opts)   stores events, all of them in one commit, and gives a list with a result for each. A
--       record is { api, merchant_biz_no, request_id, status, alike, sequence_ms, is_filled, key, body }.
--       `sequence_ms`: the time by which AlipayHK orders a lane's events; `is_filled`: we made it up; `key`: the same
--       one again, in the same lane, stores nothing; `alike`: for `coalesce`. `opts.replicas`: on how many it has to be
--       as well.
--       A result is
--         { id, previous_status }   stored; the status of the event that was put before it, nil for the lane's first
--         { id, exists = true }     its key is known: the id of the first one; with `replicas` where they were wanted
--         { newest_ms }             not stored: `sequence_ms` is less than that of the lane's newest event; or not
--                                   greater, where it was filled in
--         { id, replicas }          with `opts.replicas`: stored, and how many have it
--
--   store:begin_delivery()     true; or false where another process delivers. Events that were under way when the one
--                              before it died wait again, `lost_answer`. Asked again by who delivers, it only says
--                              whether that is still so: after a fault it still delivers, as far as is known
--   store:end_delivery()
--   store:turn(outcomes, limit, opts)   in one commit: records what became of events, and claims up to `limit` others.
--       An outcome is { event, state, delay_ms, is_free, lost_answer, is_settling, code, message, held_status }, its
--       state `accepted`, `parked` or `waiting`; `delay_ms`: after which it may go again; `is_free`: the attempt does
--       not count; `lost_answer`: it may have arrived; `is_settling`: from now on it is the UPDATE that settles a SEND;
--       `held_status`: another status than its own, which AlipayHK says that it holds.
--       `opts.is_probe`: claims the one that is due first, due or not. Gives
--         { events, lost, superseded, due_ms, waiting }
--       `events`: those that it claimed, whose intent is now on the disk: { id, api, merchant_biz_no, request_id,
--         status, body, attempts (with this one), put_ms, age_ms, lost_answer, is_settling, held_ms, lane } and what
--         the store needs; `age_ms`: since it was put, by the store's clock; `held_ms`: for how long from now on nobody
--         else takes it, nil for as long as this process delivers.
--       `lost`: events of outcomes that changed nothing, since another holds them now; `superseded`: events that a
--         later one, alike, made needless; `due_ms`: after how long the next one is due, 0 for now, nil where none
--         waits; `waiting`: how many wait. Where it claimed all that was wanted, or nothing was, both may be 100 ms old
--       A store that waits for a socket lets others go on meanwhile, where they can: see `set_wait` of
--       `alipayhk.base.runtime`, and light threads. One turn at a time; all but turns may be asked for during one
--
--   store:stats()              { waiting, sending, parked, accepted, superseded, dropped, oldest_ms }
--   store:list(opts)           events { id, api, merchant_biz_no, state, attempts, put_ms, due_ms, code, message,
--                              held_status }; opts: { state, merchant_biz_no, limit, after }
--   store:body(id)             of one that has not ended: the body, as it was put; false where there is no such one
--   store:retry(id)            a parked one waits again, as it was put: true; false where there is no such one; or nil
--                              and the fault "stale" where a later event of its lane was accepted, is under way, or
--                              may have arrived
--   store:drop(id)             a parked one is dropped: true or false
--   store:purge(older_than_ms) forgets what has ended for so long: how many
--   store:close()
--
-- What fails gives nil and a fault, { code, message, is_retryable }. Codes: `unreachable`, `denied`, `full`, `damaged`,
-- `gone`, `locked`, `newer` (a schema of a later version), `foreign` (it holds something else), `failed`. The message
-- names the store and says what to do. Of an unreachable store it is not known whether it did what was asked.

local runtime = require "alipayhk.base.runtime"
local text = require "alipayhk.base.text"

local store = {}

local MODULES = { sqlite = "sqlite", redis = "redis", rediss = "redis" }
-- Inside nginx, where that is another one.
local NGINX_MODULES = { sqlite = "sqlite_nginx" }

store.FORM = 'expected "sqlite:PATH", "redis://[user:password@]host[:port][/database]", or rediss:// for TLS'

local function module_of(url)
  local scheme = type(url) == "string" and url:match("^([A-Za-z]+):")
  scheme = scheme and text.lower(scheme)
  local name = runtime.in_nginx() and NGINX_MODULES[scheme] or MODULES[scheme]
  if not name then return nil, store.FORM end
  local module = require("alipayhk.delivery.store." .. name)
  return module
end

-- A message where `url` is none of a store. It repeats nothing of it: there may be a password in it.
function store.url_fault(url)
  local module, message = module_of(url)
  return message or module.url_fault(url)
end

-- Opens it; nil and a fault if that fails. `opts`: `client_id`; `lease_ms`, for how long a worker may hold an event
-- before another takes it; `delay_max_ms`, the longest that an event waits for another attempt; `coalesce`, whether of
-- the events of a lane that wait next to each other, are alike and were never sent only the last is sent.
function store.open(url, opts)
  return module_of(url).open(url, opts)
end

return store
