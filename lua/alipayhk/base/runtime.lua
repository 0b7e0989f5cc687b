-- The process that we run in, a plain script or an nginx worker: its clock, waiting, its log.

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

local runtime = {}

-- The global `ngx`, in any phase; nil outside nginx.
function runtime.nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and ngx.config ~= nil and ngx or nil
end

function runtime.in_nginx()
  return runtime.nginx() ~= nil
end

-- Seconds since the epoch, with a fraction. Not ngx.now, which nginx updates only once per turn of its event loop.
runtime.now = core.now

-- Milliseconds of a clock that never goes back.
function runtime.monotonic_ms()
  return core.monotonic() * 1000
end

-- Waits so many milliseconds; in nginx without blocking the worker.
function runtime.sleep(ms)
  local ngx = runtime.nginx()
  if ngx then
    ngx.sleep(ms / 1000)
  else
    core.sleep(ms)
  end
end

-- By coroutine that has others beside it.
local waits = setmetatable({}, { __mode = "k" })

-- Says how this coroutine waits for a socket while the others go on: `wait(fd, is_writing, ms)`, until it is readable,
-- or writable as well, or for so long; it may come back early. Nil: it does so no longer.
function runtime.set_wait(wait)
  local thread = coroutine.running()
  if thread then waits[thread] = wait end
end

-- How this coroutine waits for a socket; nil where it has no others beside it.
function runtime.wait_of()
  local thread = coroutine.running()
  return thread and waits[thread]
end

-- Whether this is an nginx worker that is shutting down, after a reload or `nginx -s quit`.
function runtime.is_exiting()
  local ngx = runtime.nginx()
  return ngx ~= nil and ngx.worker.exiting()
end

-- nginx cuts a log line at 2048 bytes, even within a character, and appends text of its own to ours.
local LOG_MAX = 1500

-- The reason may be any value: if its tostring throws, the message is logged all the same.
local function write(ngx, level, message, reason)
  local ran, shown = pcall(tostring, reason)
  if reason ~= nil then message = message .. ": " .. (ran and type(shown) == "string" and shown or "no text") end
  ngx.log(level, text.cut(text.one_line(message), LOG_MAX))
end

-- Logs an error to nginx's log; a plain script has no log. `reason`: any value, shown after the message.
function runtime.log(message, reason)
  local ngx = runtime.nginx()
  if ngx then write(ngx, ngx.ERR, message, reason) end
end

-- Input from outside may decide what is warned about, so the keys in memory and the lines in the log are limited.
local WARNINGS_MAX = 1000
local warned, warning_count = {}, 0

-- The same for a warning, but only once per worker for each `key`.
function runtime.warn_once(key, message)
  local ngx = runtime.nginx()
  if not ngx or warned[key] or warning_count > WARNINGS_MAX then return end
  warning_count = warning_count + 1
  if warning_count > WARNINGS_MAX then
    message = ("alipayhk: %d warnings were logged: no further ones follow"):format(WARNINGS_MAX)
  else
    warned[key] = true
  end
  write(ngx, ngx.WARN, message)
end

return runtime
