--- What differs between a plain script and an nginx worker: waiting.
-- @module alipayhk.runtime

local core = require "alipayhk.core"

local runtime = {}

--- True inside nginx, whatever the phase.
function runtime.in_nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and ngx.config ~= nil
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

return runtime
