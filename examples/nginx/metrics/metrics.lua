-- Counters from the client's events and the outbox's, in the text format that Prometheus reads. They stand in a shared
-- dictionary: one sum over all workers, which outlives reloads. What is in the outbox it is asked at each scrape.

local metrics = {}

local dict = ngx.shared.alipayhk_metrics

-- In the order in which they are shown: name, type, what it counts.
local FAMILIES = {
  { "alipayhk_attempts_total", "counter", "Requests sent, retries among them." },
  { "alipayhk_responses_total", "counter", "Answers of AlipayHK, by result code." },
  { "alipayhk_errors_total", "counter", "Attempts that failed, and payloads refused before any." },
  { "alipayhk_retries_total", "counter", "Attempts that another one followed." },
  { "alipayhk_answer_seconds", "summary", "Time from the start of an attempt to the end of its answer." },
  { "alipayhk_outbox_total", "counter", "What happened to events of the outbox: put, accepted, parked, ..." },
  { "alipayhk_outbox_events", "gauge", "Events in the outbox, by state." },
  { "alipayhk_outbox_oldest_seconds", "gauge", "Age of the oldest event that waits or is under way." },
}

-- What an outbox says of its events.
local OF_OUTBOX = { put = true, sending = true, accepted = true, later = true, parked = true, superseded = true,
  lease_lost = true, store = true }

local STATES = { "waiting", "sending", "parked", "accepted", "superseded", "dropped" }

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

-- A line as it is shown, but for the value.
local function series(name, labels)
  local list = {}
  for i = 1, #labels, 2 do
    list[#list + 1] = labels[i] .. '="' .. tostring(labels[i + 1]):gsub('[\\"\n]', ESCAPES) .. '"'
  end
  return #list > 0 and name .. "{" .. table.concat(list, ",") .. "}" or name
end

local function add(name, labels, value)
  dict:incr(series(name, labels), value, 0)
end

-- For `on_event`. It never waits, so nothing it does can come between two of another request.
function metrics.on_event(event)
  if OF_OUTBOX[event.name] then return add("alipayhk_outbox_total", { "event", event.name }, 1) end
  local api = event.api or "other"
  if event.name == "attempt" then add("alipayhk_attempts_total", { "api", api }, 1) end
  if event.name == "retry" then add("alipayhk_retries_total", { "api", api }, 1) end
  if event.name == "error" then
    add("alipayhk_errors_total", { "api", api, "kind", event.kind, "code", event.code or "" }, 1)
  end
  if event.result_code then
    add("alipayhk_responses_total", { "api", api, "result_code", event.result_code }, 1)
  end
  if event.timing and event.timing.total_ms then
    add("alipayhk_answer_seconds_sum", { "api", api }, event.timing.total_ms / 1000)
    add("alipayhk_answer_seconds_count", { "api", api }, 1)
  end
end

-- The values of all series; nothing of an outbox that cannot be asked, of which the log has the reason.
local function values(outbox)
  local found = {}
  for _, key in ipairs(dict:get_keys(0)) do found[key] = dict:get(key) end
  local stats, err = outbox:stats()
  if not stats then
    ngx.log(ngx.ERR, "the outbox cannot be asked: ", tostring(err))
    return found
  end
  for _, state in ipairs(STATES) do found[series("alipayhk_outbox_events", { "state", state })] = stats[state] end
  found["alipayhk_outbox_oldest_seconds"] = (stats.oldest_ms or 0) / 1000
  return found
end

-- For a `/metrics` location.
function metrics.show(outbox)
  local found, keys, lines = values(outbox), {}, {}
  for key in pairs(found) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, family in ipairs(FAMILIES) do
    local name, kind, help = family[1], family[2], family[3]
    lines[#lines + 1] = ("# HELP %s %s\n# TYPE %s %s"):format(name, help, name, kind)
    for _, key in ipairs(keys) do
      if key:find(name, 1, true) == 1 then lines[#lines + 1] = key .. " " .. found[key] end
    end
  end
  ngx.header["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
  ngx.say(table.concat(lines, "\n"))
end

return metrics
