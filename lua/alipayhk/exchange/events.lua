-- What the config's `on_event` hears. An event never has keys, signatures, bodies or users' ids.

local runtime = require "alipayhk.base.runtime"

local events = {}

-- A hook that throws must not make the caller lose the answer. nginx's log has what it threw.
function events.emit(config, request, event)
  local on_event = config.on_event
  if not on_event then return end
  event.api = request.api
  event.request_id = request.request_id
  event.merchant_biz_no = request.merchant_biz_no
  local ran, thrown = pcall(on_event, event)
  if not ran then runtime.log("alipayhk: config.on_event", thrown) end
end

local function string_or_nil(value)
  return type(value) == "string" and value or nil
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

return events
