--- What differs between a plain script and an nginx worker: the clock, waiting, the log.
-- @module alipayhk.runtime

local core = require "alipayhk.core"
local text = require "alipayhk.text"

local runtime = {}

--- nginx's API, whatever the phase; nil outside nginx.
-- @treturn ?table
function runtime.nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and ngx.config ~= nil and ngx or nil
end

--- True inside nginx.
function runtime.in_nginx()
  return runtime.nginx() ~= nil
end

--- The time of day; in nginx that of the event loop's last turn.
-- @treturn number seconds since the epoch, with fraction
function runtime.now()
  local ngx = runtime.nginx()
  return ngx and ngx.now() or core.now()
end

--- Waits; in nginx without blocking the worker.
-- @tparam number ms milliseconds
function runtime.sleep(ms)
  local ngx = runtime.nginx()
  if ngx then
    ngx.sleep(ms / 1000)
  else
    core.sleep(ms)
  end
end

--- Whether this is an nginx worker that is about to end, after a reload or `nginx -s quit`.
function runtime.is_exiting()
  local ngx = runtime.nginx()
  return ngx ~= nil and ngx.worker.exiting()
end

--- Writes to nginx's error log; a plain script has none.
-- @tparam string message
-- @param[opt] reason anything; what it throws when it becomes a text is no matter
function runtime.log(message, reason)
  local ngx = runtime.nginx()
  if not ngx then return end
  local ran, shown = pcall(tostring, reason)
  if reason ~= nil then message = message .. ": " .. (ran and type(shown) == "string" and shown or "no text") end
  ngx.log(ngx.ERR, text.one_line(message))
end

return runtime
