-- The outbox's store, where there is one, and what lies in it.

local alipayhk = require "alipayhk"
local failure = require "alipayhk.cli.failure"
local files = require "alipayhk.cli.files"

-- Events that have waited so long make one ask whether anybody delivers.
local OLD_MS = 10 * 60 * 1000
local MINUTE_MS = 60 * 1000

-- The file of one of SQLite's.
local function path_of(store)
  return type(store) == "string" and store:match("^sqlite:(.+)$") or nil
end

local function check_backlog(stats, say)
  local oldest = stats.oldest_ms and (" (the oldest since %.0f min)"):format(stats.oldest_ms / MINUTE_MS) or ""
  say("pass", ("%d waiting%s, %d under way, %d accepted"):format(stats.waiting, oldest, stats.sending, stats.accepted))
  if stats.parked > 0 then
    say("warn", ("%d parked: AlipayHK refused them, or they got too old"):format(stats.parked),
      "alipayhk outbox list --state parked; then retry or drop each")
  end
  if (stats.oldest_ms or 0) > OLD_MS then
    say("warn", "what waits has waited for long", "does anybody deliver? alipayhk deliver")
  end
end

local function open(state)
  return alipayhk.outbox { store = state.store, client_id = state.config.client_id }
end

local function check(state, say)
  if state.store == nil then return end
  local path = path_of(state.store)
  if path and not files.mode(path) then
    return say("warn", path .. " is not there", "is the path right? The first put makes it")
  end
  if path and files.is_open_to_others(path) then
    say("warn", ("%s can be read by others, and has users' orders (%s)"):format(path, files.mode(path)),
      "chmod 600 " .. path)
  end
  local outbox, err = open(state)
  local stats
  if outbox then stats, err = outbox:stats() end
  if outbox then outbox:close() end
  if not stats then return say("fail", err.message, nil, failure.status_of(err)) end
  check_backlog(stats, say)
end

return {
  { name = "store", needs = { "config" }, run = check },
}
