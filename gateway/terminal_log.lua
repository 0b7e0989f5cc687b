-- What the command `alipayhk gateway` shows of each request: a line of JSON in a file. Where nobody asked for it
-- (GATEWAY_REQUESTS) nothing is written.

local api = require "alipayhk.api"
local json = require "alipayhk.base.json"
local platform = require "alipayhk.api.platform"

local terminal_log = {}

-- The file begins anew when it has so many bytes: whoever reads it is told so by its last line.
local FILE_MAX = 8 * 1024 * 1024
local ROTATED = '{"rotated":true}\n'

local path, file

-- Called once, in the master.
function terminal_log.init(options)
  path = options.requests
  if path then assert(io.open(path, "w")):close() end
end

-- Keeps something about the request at hand: "payload", of one that was encrypted; "result"; "fault".
function terminal_log.note(name, value)
  if path then ngx.ctx[name] = value end
end

local function text_of(value)
  local kind = type(value)
  return (kind == "string" or kind == "number") and tostring(value) or nil
end

-- Of a request that nobody has looked into, too.
local function payload_of(ctx)
  local body = not ctx.payload and ngx.req.get_body_data()
  return ctx.payload or body and json.decode_object(body) or {}
end

local function entry_of(ctx)
  local result, payload = ctx.result or {}, payload_of(ctx)
  local description = api.by_path[(ngx.var.request_uri:gsub("%?.*$", ""))]
  return {
    at_ms = math.floor(ngx.req.start_time() * 1000),
    path = ngx.var.request_uri,
    api = description and description.name,
    merchant_biz_no = text_of(payload[platform.identity.merchant_biz_no]),
    status = description and text_of(payload[description.status_field]),
    http_status = ngx.status,
    result_code = result.resultCode, result_status = result.resultStatus, message = result.resultMessage,
    fault = ctx.fault,
    ms = math.floor(tonumber(ngx.var.request_time) * 1000 + 1 / 2),
  }
end

local function begin_anew()
  file:write(ROTATED)
  file:close()
  os.remove(path)
  file = assert(io.open(path, "a"))
end

-- In the phase `log` of each request.
function terminal_log.write()
  if not path then return end
  file = file or assert(io.open(path, "a"))
  if file:seek("end") > FILE_MAX then begin_anew() end
  file:write(json.encode(entry_of(ngx.ctx)), "\n")
  file:flush()
end

return terminal_log
