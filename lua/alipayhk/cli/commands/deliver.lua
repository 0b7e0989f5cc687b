-- Delivers what was put into an outbox, until it is told to end.

local function loaded()
  return {
    cure = require "alipayhk.cli.cure",
    core = require "alipayhk.core",
    failure = require "alipayhk.cli.failure",
    new_ending = require("alipayhk.cli.ending").new,
    progress = require "alipayhk.cli.progress",
    settings = require "alipayhk.cli.settings",
  }
end

-- ---- telling -----------------------------------------------------------------------------------------

local function about(event)
  return ("event %s of %s"):format(event.id, event.merchant_biz_no)
end

-- What is told of an event as text: a format's arguments.
local TEXT = {
  accepted = function(event)
    if not event.held_status then return nil end
    return ("%s is accepted, and older than what AlipayHK holds: %s"):format(about(event), event.held_status)
  end,
  parked = function(event)
    return ("%s is parked: %s: %s"):format(about(event), tostring(event.code), tostring(event.message))
  end,
  lease_lost = function(event) return about(event) .. ": another worker has taken it over" end,
  standing_by = function() return "another process delivers: standing by" end,
  store = function(event) return "the store fails: " .. event.message end,
  -- As objects alone.
  later = function() end,
  superseded = function() end,
}

local function result(self, event, text)
  self.progress:clear()
  if self.out.is_json then
    self.ending:write(self.out.object, self.out, {
      { "event", event.name }, { "id", event.id }, { "api", event.api }, { "merchantBizNo", event.merchant_biz_no },
      { "requestId", event.request_id }, { "attempt", event.attempt }, { "delay_ms", event.delay_ms },
      { "code", event.code }, { "message", event.message }, { "held_status", event.held_status },
    })
  elseif text then
    self.ending:write(self.out.line, self.out, "%s", text)
  end
end

-- ---- why nothing arrives -------------------------------------------------------------------------------

-- A reason that comes and goes is told of so often.
local REASON_S = 10

local function delay_text(ms)
  return ms < 1000 and ("%.0f ms"):format(ms) or ("%.0f s"):format(ms / 1000)
end

-- Whether it is another reason than the last that was told, and was not told a moment ago.
local function is_news(self, code)
  local told_s, now_s = self.told_s[code], self.use.core.monotonic()
  if code == self.told_code or told_s and now_s - told_s < REASON_S then return false end
  self.told_code, self.told_s[code] = code, now_s
  return true
end

-- Of an attempt that failed, and is made again.
local function tell_failure(self, event)
  local use = self.use
  local message = use.settings.name_flags(("%s: %s"):format(tostring(event.code), tostring(event.message)))
  self.reason = use.cure.added(message, event.code, self.about)
  if not is_news(self, event.code) then return end
  self.progress:clear()
  self.out:say("%s waits, and is tried again in %s: %s", about(event), delay_text(event.delay_ms or 0), self.reason)
end

-- Once one has got through, the same reason is news again.
local function note_failures(self, event)
  if event.name == "later" then return tell_failure(self, event) end
  if event.name == "accepted" then self.told_code, self.reason = nil, nil end
end

-- A store that goes on failing in the same way is told of once, until it works again.
local function is_repeated(self, event, text)
  local is_again = event.name == "store" and not self.out.is_json and text == self.store_text
  self.store_text = event.name == "store" and text or nil
  return is_again
end

local function on_event(self, event)
  note_failures(self, event)
  local text_of = TEXT[event.name]
  if not text_of then return end
  local text = text_of(event)
  if not is_repeated(self, event, text) then result(self, event, text) end
end

-- ---- delivering --------------------------------------------------------------------------------------

-- Of what waited at first, and was put since.
local function share_of(now)
  local done = now.accepted + now.refused + now.failed
  local all = done + now.waiting + now.in_flight
  return all > 0 and done / all or nil
end

local function on_progress(self, given, now)
  if not given.until_empty then return end
  self.progress:show(now, share_of(now))
end

local function status_of(use, given, totals)
  if not given.until_empty then return use.failure.STATUS.ok end
  if totals.stopped then return use.failure.STATUS.unknown end
  return totals.parked > 0 and use.failure.STATUS.refused or use.failure.STATUS.ok
end

local function deliver(self, given)
  local totals, err = self.outbox:deliver {
    until_empty = given.until_empty, concurrency = given.concurrency, rate = given.rate,
    stop = function() return self.ending:is_asked() end,
    on_progress = function(now) on_progress(self, given, now) end,
  }
  self.progress:clear()
  if not totals then self.use.failure.of(err) end
  self.out:say("%d accepted, %d parked, %.1f s", totals.accepted, totals.parked, totals.seconds)
  local reason = totals.stopped and (self.ending.reason or totals.stopped)
  if reason then
    self.out:say("alipayhk: events wait: %s%s", reason, self.reason and "; the last attempt: " .. self.reason or "")
  end
  if self.ending.is_unread then return self.use.failure.STATUS.unknown end
  return status_of(self.use, given, totals)
end

local function run(given, out)
  local use = loaded()
  local progress = use.progress.new(function(s) io.stderr:write(s) end, out:is_screen(2) and out:width(2) or nil)
  local self = {
    use = use, out = out, progress = progress,
    told_s = {}, -- by code, when an attempt that failed by it was told of
    told_code = nil, -- the last of them, nil where one was accepted since
    reason = nil, -- why the last attempt failed, nil where one was accepted since
  }
  self.outbox = use.settings.outbox(given, {
    delivers = true, makes = given.create, on_event = function(event) on_event(self, event) end,
  })
  self.about = use.settings.about(given, self.outbox.client)
  self.ending = use.new_ending(function(message)
    progress:clear()
    out:say("alipayhk: %s", message)
  end)
  local status = deliver(self, given)
  self.outbox:close()
  self.outbox.client:close()
  return status
end

return {
  name = "deliver",
  summary = "deliver what waits in an outbox, until it is told to end",
  about = {
    [[It sends what is put, by whatever process, as long as it runs; an event that AlipayHK refuses for good, or that
could not be delivered for max_age_ms, is parked, and told of: see outbox. With --json each change of an event is an
object.]],
    [[It may run several times: of a file one delivers, and another as soon as that has ended; of a Redis all do.]],
    [[SIGTERM or Ctrl-C ends it when what is under way has ended and was recorded, with status 0; a second one at once,
and nothing is lost by that. With --until-empty it ends when nothing waits any more: status 1 where an event was parked,
3 where events still wait, as for longer than the config's retry.budget_ms AlipayHK or the store cannot be reached, or
AlipayHK answers and takes nothing.]],
    [[Why an attempt failed is told of on standard error, when that changes.]],
  },
  examples = {
    { "alipayhk deliver --config /etc/alipayhk/deliver.lua --create", "as a service" },
    { "alipayhk deliver --config shop.lua --until-empty", "from cron" },
  },
  options = {
    { "--until-empty", about = "end when nothing waits and nothing is under way" },
    { "--create", about = "make a file of SQLite's that is not there, for a service that is up before the first put" },
  },
  groups = { "speed", "config", "store", "output" },
  run = run,
}
