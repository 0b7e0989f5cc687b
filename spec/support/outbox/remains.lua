-- What is left of an outbox in a file after a death or a power cut, held against what it had told until then.

local alipayhk = require "alipayhk"
local disk = require "spec.support.outbox.disk"
local double = require "spec.support.doubles.alipayhk_double"
local shell = require "spec.support.shell"

local remains = {}

-- ---- promises --------------------------------------------------------------------------------------

local OPEN_OR_ENDED = { waiting = true, sending = true, accepted = true, parked = true }

-- What an outbox tells of an event, and the states in which it may be found after that.
local PROMISES = {
  put = OPEN_OR_ENDED,
  sending = OPEN_OR_ENDED,
  later = OPEN_OR_ENDED,
  retried = OPEN_OR_ENDED,
  accepted = { accepted = true },
  parked = { parked = true },
  dropped = { dropped = true },
}

-- Takes down a mark of a log. `promised`: by the ids of events what was last told of them. Of one that is about to be
-- changed by hand nothing is promised.
function remains.note(promised, mark)
  promised[mark.id] = PROMISES[mark.file] and mark.file or nil
end

-- The first promise that `events` break; nil for none.
local function broken(promised, events)
  for id, word in pairs(promised) do
    local event = events[id]
    if not event then return ("%s, told as %s, is lost"):format(id, word) end
    if not PROMISES[word][event.state] then return ("%s, told as %s, is %s"):format(id, word, event.state) end
    if word == "sending" and event.attempts < 1 then return id .. " was sent without the store's knowing" end
  end
end

-- ---- what the outbox finds --------------------------------------------------------------------------

local function listed(outbox)
  local events, states = {}, {}
  for _, event in ipairs(assert(outbox:list { limit = 10000 })) do
    events[event.id] = event
    states[event.state] = (states[event.state] or 0) + 1
  end
  return events, states
end

local function wrong_counts(outbox, states)
  local stats = assert(outbox:stats())
  for _, state in ipairs { "waiting", "sending", "parked", "accepted", "superseded", "dropped" } do
    if stats[state] ~= (states[state] or 0) then
      return ("%d events are %s, and it counts %d"):format(states[state] or 0, state, stats[state])
    end
  end
end

local gateway = double.new { algorithm = "p224" }

-- All that waits arrives.
local function undelivered(outbox)
  gateway:answers { {} }
  local totals = assert(outbox:deliver { until_empty = true })
  local stats = assert(outbox:stats())
  if totals.stopped or stats.waiting + stats.sending > 0 then return "not all that waits was delivered" end
end

-- What is wrong with a file; nil for nothing. `delivers`: its work is gone on with as well.
function remains.fault(path, promised, delivers)
  local outbox, err = alipayhk.outbox {
    store = "sqlite:" .. path, client = delivers and gateway:client() or nil, client_id = disk.client_id,
  }
  if not outbox then return tostring(err) end
  local ran, found = pcall(function()
    local events, states = listed(outbox)
    return broken(promised, events) or wrong_counts(outbox, states) or delivers and undelivered(outbox) or nil
  end)
  outbox:close()
  return found and (ran and found or tostring(found))
end

-- ---- what the sqlite3 command finds ------------------------------------------------------------------

-- What it says of some files, all in one directory; nil where they are whole.
function remains.damage(paths)
  local lines, script = {}, paths[1]:match("^(.*)/") .. "/script"
  for i, path in ipairs(paths) do lines[i] = (".open %s\nPRAGMA integrity_check;\n"):format(path) end
  shell.write(script, table.concat(lines))
  local said = shell.run("sqlite3 < " .. shell.quote(script))
  return said ~= ("ok\n"):rep(#paths) and said or nil
end

return remains
