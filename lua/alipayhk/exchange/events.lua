-- The events that the config's `on_event` gets. An event never contains keys, signatures, bodies or users' ids.

local quote = require "alipayhk.base.quote"
local runtime = require "alipayhk.base.runtime"

local events = {}

local NOTHING = {}

-- Calls `on_event` with what `describe`, one of the functions below, makes of the arguments. An exception of it must
-- not lose the answer to a request that was sent, so it only goes to nginx's log.
function events.emit(config, request, describe, ...)
  local on_event = config.on_event
  if not on_event then return end
  local event = describe(...)
  event.api = request.api
  event.request_id = request.request_id
  event.merchant_biz_no = request.merchant_biz_no
  event.result_code = event.result_code and quote.short(event.result_code, request.personal)
  local ran, thrown = pcall(on_event, event)
  if not ran then runtime.log("alipayhk: config.on_event", thrown) end
end

local function string_or_nil(value)
  return type(value) == "string" and value or nil
end

function events.attempt(attempt)
  return { name = "attempt", attempt = attempt }
end

function events.retry(attempt, delay_ms)
  return { name = "retry", attempt = attempt, delay_ms = delay_ms }
end

function events.response(attempt, response)
  return {
    name = "response",
    attempt = attempt,
    http_status = response.http_status,
    result_code = string_or_nil(response.result.resultCode),
    tracer_id = response.tracer_id,
    timing = response.timing,
  }
end

function events.error(attempt, err)
  return {
    name = "error",
    attempt = attempt,
    http_status = err.http_status,
    result_code = err.kind == "result" and err.code or nil,
    tracer_id = err.tracer_id,
    timing = err.timing,
    kind = err.kind,
    code = err.code,
  }
end

-- Of an outbox: what became of an event, or of the store. `about`: an outcome, or a fault of the store.
function events.of_outbox(name, taken, about)
  about = about or NOTHING
  return {
    name = name, id = taken.id, attempt = taken.attempts, delay_ms = about.delay_ms, code = about.code,
    message = about.message, held_status = about.held_status,
  }
end

return events
