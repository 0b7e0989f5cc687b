-- Reads the request that nginx received: all of its headers, and the exact bytes of its body.

local platform = require "alipayhk.api.platform"
local runtime = require "alipayhk.base.runtime"

local nginx_request = {}

-- Proxies may add dozens of headers. Without a limit of ours ngx.req.get_headers drops those after the first 100.
local HEADERS_MAX = 500

local function read_headers(ngx)
  local headers, is_truncated = ngx.req.get_headers(HEADERS_MAX)
  if not is_truncated then return headers end
  runtime.log(("alipayhk.nginx: it has more than %d headers: the call is not read"):format(HEADERS_MAX))
  return nil, 400
end

-- nginx puts a body larger than client_body_buffer_size into a file.
local function read_file(path)
  local file, message = io.open(path, "rb")
  if not file then
    runtime.log("alipayhk.nginx: the body's file cannot be read", message)
    return nil
  end
  local body = file:read(platform.body_max + 1)
  file:close()
  return body
end

-- lua-nginx-module 0.10.26 throws if a request of HTTP/2 or HTTP/3 has no Content-Length.
local function read_body(ngx)
  local ran, message = pcall(ngx.req.read_body)
  if not ran then
    runtime.log("alipayhk.nginx: the call's body cannot be read", message)
    return nil, 500
  end
  local body, path = ngx.req.get_body_data(), ngx.req.get_body_file()
  if path then
    body = read_file(path)
    if not body then return nil, 500 end
  end
  if body and #body > platform.body_max then return nil, 413 end
  return body or ""
end

-- Gives `{ method, path, headers, body }`, the path with its query string, the headers by lower-case name (a repeated
-- one is a list); or nil and an HTTP status for the answer. The reason is logged.
function nginx_request.read(ngx)
  local headers, body, status
  headers, status = read_headers(ngx)
  if not headers then return nil, status end
  body, status = read_body(ngx)
  if not body then return nil, status end
  return { method = ngx.req.get_method(), path = ngx.var.request_uri, headers = headers, body = body }
end

return nginx_request
