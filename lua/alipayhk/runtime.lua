--- What differs between a plain script and an nginx worker: the clock, waiting, the log.
-- @module alipayhk.runtime

local core = require "alipayhk.core"

local runtime = {}

--- True inside nginx, whatever the phase.
function runtime.in_nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and ngx.config ~= nil
end

--- The time of day; in nginx that of the event loop's last turn.
-- @treturn number seconds since the epoch, with fraction
function runtime.now()
  if runtime.in_nginx() then return rawget(_G, "ngx").now() end
  return core.now()
end

--- Waits; in nginx without blocking the worker.
-- @tparam number ms milliseconds
function runtime.sleep(ms)
  if runtime.in_nginx() then
    rawget(_G, "ngx").sleep(ms / 1000)
  else
    core.sleep(ms)
  end
end

--- Whether this is an nginx worker that is about to end, after a reload or `nginx -s quit`.
function runtime.is_exiting()
  return runtime.in_nginx() and rawget(_G, "ngx").worker.exiting()
end

--- Writes to nginx's error log; a plain script has none.
-- @tparam string message
-- @param[opt] reason anything; what it throws when it becomes a text is no matter
function runtime.log(message, reason)
  if not runtime.in_nginx() then return end
  local ngx = rawget(_G, "ngx")
  local ran, text = pcall(tostring, reason)
  if reason ~= nil then message = message .. ": " .. (ran and type(text) == "string" and text or "no text") end
  ngx.log(ngx.ERR, (message:gsub("%c+", " ")))
end

return runtime
