-- Faults on purpose, for who wants to see how a program bears them. They befall requests whose signature verifies; none
-- is there unless gateway/start was told so.
--
-- GATEWAY_DELAY_MS      each answer comes so much later
-- GATEWAY_FAIL_PERCENT  so many are not taken, and fail: one half by HTTP 503, the other by a result of status U
-- GATEWAY_DROP_PERCENT  so many are taken, and get no answer: the connection is closed
-- GATEWAY_ANSWER        each gets this result code, and none is taken
-- GATEWAY_UNSIGNED      answers have no signature
-- GATEWAY_SKEW_S        the gateway's clock is ahead by so much, by a negative number behind

local api = require "alipayhk.api"
local connection = require "connection"
local core = require "alipayhk.core"
local platform = require "alipayhk.api.platform"
local terminal_log = require "terminal_log"

local faults = {}

-- Nothing is sent, and the connection is closed: a status of nginx's own.
local CLOSE = 444

local wanted = { fail_percent = 0, drop_percent = 0, delay_ms = 0, skew_s = 0 }

local OPTIONS = {
  { name = "fail_percent", variable = "GATEWAY_FAIL_PERCENT", most = 100 },
  { name = "drop_percent", variable = "GATEWAY_DROP_PERCENT", most = 100 },
  { name = "delay_ms", variable = "GATEWAY_DELAY_MS", most = 600000 },
  { name = "skew_s", variable = "GATEWAY_SKEW_S", least = -1e9, most = 1e9 },
}

-- What is known of a code, of whichever API.
local function known(code)
  local found = platform.results[code]
  for _, name in ipairs(api.names) do found = found or api.by_name[name].results[code] end
  return found
end

-- Reads what gateway/start was given.
function faults.init(options)
  for _, option in ipairs(OPTIONS) do
    local value = tonumber(options[option.name] or 0)
    local least = option.least or 0
    if not value or not (value >= least and value <= option.most) then
      connection.refuse(option.variable, ("expected a number from %.0f to %.0f"):format(least, option.most))
    end
    wanted[option.name] = value
  end
  if options.answer and not known(options.answer) then
    connection.refuse("GATEWAY_ANSWER", "there is no such result code")
  end
  wanted.answer, wanted.is_unsigned = options.answer, options.unsigned ~= nil
  math.randomseed(core.now() * 1000)
end

-- The gateway's clock.
function faults.now()
  return core.now() + wanted.skew_s
end

-- Sets an answer's Date, where nginx's own is not that of the gateway's clock.
function faults.set_date(header)
  if wanted.skew_s ~= 0 then header["Date"] = ngx.http_time(faults.now()) end
end

local function happens(percent)
  return percent > 0 and math.random() * 100 < percent
end

-- The result that each request is to get.
local function result_of(request, code)
  local description = api.by_path[(request.path:gsub("%?.*$", ""))]
  local found = api.result(description, code) or known(code)
  return { result = { resultCode = code, resultStatus = found.status, resultMessage = found.meaning } }
end

local function fail(request, client, handler)
  terminal_log.note("fault", "fail")
  if math.random() * 2 < 1 then return handler.refuse(request, ngx.HTTP_SERVICE_UNAVAILABLE) end
  local again = platform.inbound.call_again
  handler.answer(request, client, { result = {
    resultCode = again.resultCode, resultStatus = again.resultStatus, resultMessage = "failed on purpose",
  } })
end

-- Answers a request of a client's, or befalls it with a fault. `handler`: `process(request, client)` gives the body of
-- the answer, `answer(request, client, body)` sends it, signed where there is a client, `refuse(request, status,
-- result)` sends a status alone, in place of an answer with that result.
function faults.serve(request, client, handler)
  if wanted.delay_ms > 0 then ngx.sleep(wanted.delay_ms / 1000) end
  local signer = client
  if wanted.is_unsigned then signer = nil end
  if happens(wanted.fail_percent) then return fail(request, signer, handler) end
  local body = wanted.answer and result_of(request, wanted.answer) or handler.process(request, client)
  if happens(wanted.drop_percent) then
    terminal_log.note("fault", "drop")
    return handler.refuse(request, CLOSE, body.result)
  end
  handler.answer(request, signer, body)
end

return faults
