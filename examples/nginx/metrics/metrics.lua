-- Counters from the client's events, in the text format that Prometheus reads. They stand in a shared
-- dictionary: one sum over all workers, which outlives reloads.

local metrics = {}

local dict = ngx.shared.alipayhk_metrics

-- In the order in which they are shown: name, type, what it counts.
local FAMILIES = {
  { "alipayhk_attempts_total", "counter", "Requests sent, retries among them." },
  { "alipayhk_responses_total", "counter", "Answers of AlipayHK, by result code." },
  { "alipayhk_errors_total", "counter", "Attempts that failed, and payloads refused before any." },
  { "alipayhk_retries_total", "counter", "Attempts that another one followed." },
  { "alipayhk_answer_seconds", "summary", "Time from the start of an attempt to the end of its answer." },
}

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

-- The key in the dictionary is the line as it is shown, but for the value.
local function add(name, labels, value)
  local list = {}
  for i = 1, #labels, 2 do
    list[#list + 1] = labels[i] .. '="' .. tostring(labels[i + 1]):gsub('[\\"\n]', ESCAPES) .. '"'
  end
  dict:incr(name .. "{" .. table.concat(list, ",") .. "}", value, 0)
end

-- For `on_event`. It never waits, so nothing it does can come between two of another request.
function metrics.on_event(event)
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

-- For a `/metrics` location.
function metrics.show()
  local keys, lines = dict:get_keys(0), {}
  table.sort(keys)
  for _, family in ipairs(FAMILIES) do
    local name, kind, help = family[1], family[2], family[3]
    lines[#lines + 1] = ("# HELP %s %s\n# TYPE %s %s"):format(name, help, name, kind)
    for _, key in ipairs(keys) do
      if key:find(name, 1, true) == 1 then lines[#lines + 1] = key .. " " .. (dict:get(key) or 0) end
    end
  end
  ngx.header["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
  ngx.say(table.concat(lines, "\n"))
end

return metrics
