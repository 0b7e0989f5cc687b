-- What differs between a plain script and an nginx worker: the clock, waiting, the log.

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

local runtime = {}

-- nginx's API, whatever the phase; nil outside nginx.
function runtime.nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and ngx.config ~= nil and ngx or nil
end

-- True inside nginx.
function runtime.in_nginx()
  return runtime.nginx() ~= nil
end

-- Seconds since the epoch, with fraction. (nginx's own clock stands still while its event loop does not run.)
runtime.now = core.now

-- Waits; in nginx without blocking the worker.
function runtime.sleep(ms)
  local ngx = runtime.nginx()
  if ngx then
    ngx.sleep(ms / 1000)
  else
    core.sleep(ms)
  end
end

-- Whether this is an nginx worker that is about to end, after a reload or `nginx -s quit`.
function runtime.is_exiting()
  local ngx = runtime.nginx()
  return ngx ~= nil and ngx.worker.exiting()
end

-- nginx cuts a log line at 2048 bytes, even within a character, and appends words of its own to ours.
local LOG_MAX = 1500

-- A reason may be of any type, and may even throw when it is turned into a text.
local function write(ngx, level, message, reason)
  local ran, shown = pcall(tostring, reason)
  if reason ~= nil then message = message .. ": " .. (ran and type(shown) == "string" and shown or "no text") end
  ngx.log(level, text.cut(text.one_line(message), LOG_MAX))
end

-- Writes to nginx's error log, a reason of any type behind the message; a plain script has no log.
function runtime.log(message, reason)
  local ngx = runtime.nginx()
  if ngx then write(ngx, ngx.ERR, message, reason) end
end

-- The same as a warning.
function runtime.warn(message, reason)
  local ngx = runtime.nginx()
  if ngx then write(ngx, ngx.WARN, message, reason) end
end

-- Callers from outside may influence what is warned of, so the number of warnings is limited.
local TOLD_MAX = 1000
local told, told_count = {}, 0

-- The same, once for each key in the life of a worker.
function runtime.warn_once(key, message)
  if told[key] or told_count > TOLD_MAX or not runtime.in_nginx() then return end
  told_count = told_count + 1
  if told_count > TOLD_MAX then
    return runtime.warn(("alipayhk: %d warnings were logged: no further ones follow"):format(TOLD_MAX))
  end
  told[key] = true
  runtime.warn(message)
end

return runtime
