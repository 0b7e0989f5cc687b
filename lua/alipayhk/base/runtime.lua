--- What differs between a plain script and an nginx worker: the clock, waiting, the log.
-- @module alipayhk.base.runtime

local core = require "alipayhk.core"
local text = require "alipayhk.base.text"

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

--- The time of day. (nginx's own is that of the event loop's last turn: work in between makes it late.)
-- @function runtime.now
-- @treturn number seconds since the epoch, with fraction
runtime.now = core.now

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

-- nginx cuts a line of its log at 2048 bytes, within a character, too; and has more to say behind ours.
local LOG_MAX = 1500

-- A reason may be anything; what it throws when it becomes a text is no matter.
local function write(ngx, level, message, reason)
  local ran, shown = pcall(tostring, reason)
  if reason ~= nil then message = message .. ": " .. (ran and type(shown) == "string" and shown or "no text") end
  ngx.log(level, text.cut(text.one_line(message), LOG_MAX))
end

--- Writes to nginx's error log; a plain script has none.
-- @tparam string message
-- @param[opt] reason anything
function runtime.log(message, reason)
  local ngx = runtime.nginx()
  if ngx then write(ngx, ngx.ERR, message, reason) end
end

--- The same for what is no error.
function runtime.warn(message, reason)
  local ngx = runtime.nginx()
  if ngx then write(ngx, ngx.WARN, message, reason) end
end

-- Somebody outside may have a say in what is warned of: neither memory nor the log grows without end.
local TOLD_MAX = 1000
local told, told_count = {}, 0

--- The same, once in the life of a worker.
-- @tparam string key what the warning is about
-- @tparam string message
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
