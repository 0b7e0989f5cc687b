-- Looks into an outbox, and decides on what is parked.

local options = require "alipayhk.cli.options"

local function loaded()
  return {
    columns = require "alipayhk.cli.table",
    failure = require "alipayhk.cli.failure",
    settings = require "alipayhk.cli.settings",
  }
end

-- A command that is given an outbox: `act(use, outbox, given, out)`.
local function with_outbox(act)
  return function(given, out)
    local use = loaded()
    local outbox = use.settings.outbox(given, {})
    local status = act(use, outbox, given, out)
    outbox:close()
    return status
  end
end

-- ---- as people read it -------------------------------------------------------------------------------

local function time_text(ms)
  return ms and os.date("%Y-%m-%d %H:%M:%S", math.floor(ms / 1000)) or ""
end

local SPANS = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } }

local function span_text(ms)
  for _, span in ipairs(SPANS) do
    if ms >= 2 * span[1] * 1000 then return ("%.0f %s"):format(ms / 1000 / span[1], span[2]) end
  end
  return ("%.0f ms"):format(ms)
end

-- ---- stats -------------------------------------------------------------------------------------------

local STATES = { "waiting", "sending", "parked", "accepted", "superseded", "dropped" }

local function stats(use, outbox, _, out)
  local found, object = use.failure.check(outbox:stats()), {}
  for i, state in ipairs(STATES) do object[i] = { state, found[state] } end
  object[#object + 1] = { "oldest_ms", found.oldest_ms }
  if out.is_json then return out:object(object) end
  for _, state in ipairs(STATES) do out:line("%-11s %d", state, found[state]) end
  if found.oldest_ms then out:line("%-11s %s", "oldest", span_text(found.oldest_ms)) end
end

-- ---- list, show --------------------------------------------------------------------------------------

local function object_of(event, more)
  local object = {
    { "id", event.id }, { "api", event.api }, { "merchantBizNo", event.merchant_biz_no }, { "state", event.state },
    { "attempts", event.attempts }, { "put_ms", event.put_ms }, { "due_ms", event.due_ms }, { "code", event.code },
    { "message", event.message }, { "held_status", event.held_status },
  }
  if more then object[#object + 1] = more end
  return object
end

local TITLES = { "ID", "STATE", "PUT", "TRIES", "ORDER", "CODE", "MESSAGE" }

local function row_of(event)
  return { event.id, event.state, time_text(event.put_ms), ("%d"):format(event.attempts), event.merchant_biz_no,
    event.code or "", event.message or event.held_status and "AlipayHK holds " .. event.held_status or "" }
end

local function list(use, outbox, given, out)
  local events = use.failure.check(outbox:list {
    state = given.state, merchant_biz_no = given.order, limit = given.limit, after = given.after,
  })
  if out.is_json then
    for _, event in ipairs(events) do out:object(object_of(event)) end
    return
  end
  local rows = { TITLES }
  for _, event in ipairs(events) do rows[#rows + 1] = row_of(event) end
  for i, line in ipairs(use.columns.lines(rows, out:width(1))) do
    out:line("%s", i == 1 and out:paint("bold", line) or line)
  end
  if #events == given.limit then
    out:say("there may be more: --limit, or --after %s", events[#events].id)
  end
end

-- The event of an id; else it ends the command.
local function find(use, outbox, id)
  local before = ("%.0f"):format(math.max(0, tonumber(id) - 1))
  local event = use.failure.check(outbox:list { after = before, limit = 1 })[1]
  if not event or tonumber(event.id) ~= tonumber(id) then
    use.failure.refused("outbox: there is no event %s: outbox list shows those there are", id)
  end
  return event
end

local function show(use, outbox, given, out)
  local event = find(use, outbox, given.id)
  local body = given.body and (use.failure.check(outbox:body(event.id)) or nil)
  if out.is_json then return out:object(object_of(event, { "body", body })) end
  for _, pair in ipairs(object_of(event)) do
    local value = pair[1]:find("_ms$") and time_text(pair[2]) or pair[2] ~= nil and tostring(pair[2]) or ""
    if value ~= "" then out:line("%-14s %s", pair[1]:gsub("_ms$", ""), value) end
  end
  if given.body then out:line("%-14s %s", "body", body or "none: it is kept until the event has ended") end
end

-- ---- retry, drop -------------------------------------------------------------------------------------

local PAGE = 1000

-- The ids of all that are parked, one after the other.
local function each_parked(use, outbox, visit)
  local after
  repeat
    local events = use.failure.check(outbox:list { state = "parked", limit = PAGE, after = after })
    for _, event in ipairs(events) do
      visit(event.id)
      after = event.id
    end
  until #events < PAGE
end

-- Has the outbox do something with a parked event: whether it did.
local function decide(use, outbox, id, what, out)
  local done, err = outbox[what.method](outbox, id)
  if err and err.kind ~= "invalid" then use.failure.of(err) end
  local message = not done and (err and err.message or "no such event is parked") or nil
  out:result({ { "id", id }, { "done", done or false }, { "message", message } },
    ("%s  %s"):format(id, done and what.word or "not done: " .. message))
  return done
end

local RETRY = { method = "retry", word = "waits again" }
local DROP = { method = "drop", word = "dropped" }

local function decide_all(what)
  return with_outbox(function(use, outbox, given, out)
    if #given.id == 0 and not given.all_parked then
      use.failure.usage("outbox %s: which events? Give ids%s", what.method,
        what == RETRY and ", or --all-parked" or "")
    end
    local status = use.failure.STATUS.ok
    local function visit(id)
      if not decide(use, outbox, id, what, out) then status = use.failure.STATUS.refused end
    end
    for _, id in ipairs(given.id) do visit(id) end
    if given.all_parked then each_parked(use, outbox, visit) end
    return status
  end)
end

-- ---- purge -------------------------------------------------------------------------------------------

local function purge(use, outbox, given, out)
  if not given.older_than then use.failure.usage("outbox purge: give --older-than, such as --older-than 30d") end
  local count = use.failure.check(outbox:purge { older_than_ms = given.older_than })
  out:result({ { "purged", count } }, ("%d forgotten"):format(count))
end

-- ---- the commands ------------------------------------------------------------------------------------

local GROUPS = { "outbox", "output" }

local IDS = { name = "ID", count = "*", about = "of an event, as put and list give it", convert = options.id }

return {
  name = "outbox",
  summary = "look into an outbox, and decide on what is parked; needs no keys",
  commands = {
    { name = "stats", summary = "how many events there are of each state", groups = GROUPS,
      run = with_outbox(stats) },
    {
      name = "list", summary = "the events, oldest first",
      examples = { { "alipayhk outbox list --config shop.lua --state parked", "what somebody has to decide on" } },
      options = {
        { "--state", value = "STATE", choices = STATES, about = "those of a state" },
        { "--order", value = "ID", about = "those of an order, by its merchantBizNo" },
        { "--limit", value = "N", about = "at most so many", default = 100, convert = options.number(1, true, 10000) },
        { "--after", value = "ID", about = "those after an event", convert = options.id },
      },
      groups = GROUPS, run = with_outbox(list),
    },
    {
      name = "show", summary = "all that is known of an event",
      about = { "Its body is shown with --body alone: it has personal data in it. An event that has ended has none." },
      arguments = { { name = "ID", about = "of the event", convert = options.id } },
      options = { { "--body", about = "what was put, with the personal data in it" } },
      groups = GROUPS, run = with_outbox(show),
    },
    {
      name = "retry", summary = "have parked events sent again, once their cause is mended",
      about = { [[Refused for one that a later event of its order has overtaken: drop that one. Status 1 where one was
not parked, or was refused.]] },
      arguments = { IDS },
      options = { { "--all-parked", about = "all that are parked" } },
      groups = GROUPS, run = decide_all(RETRY),
    },
    {
      name = "drop", summary = "drop parked events: they will not be sent",
      about = { "It is final. Status 1 where one was not parked." },
      arguments = { IDS }, groups = GROUPS, run = decide_all(DROP),
    },
    {
      name = "purge", summary = "forget events that have ended, and their keys",
      about = { "Those that were accepted, superseded or dropped. What is parked is kept until somebody decides." },
      examples = { { "alipayhk outbox purge --config shop.lua --older-than 30d", "once a day, from cron" } },
      options = { { "--older-than", value = "SPAN", about = "that ended so long ago: 30d, 12h, 90m, 45s",
        convert = options.duration() } },
      groups = GROUPS, run = with_outbox(purge),
    },
  },
}
