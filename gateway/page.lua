-- The gateway's page, and what it asks for. `guard` says who may ask.

local core = require "alipayhk.core"
local explorer = require "explorer"
local guard = require "guard"
local journal = require "journal"
local json = require "alipayhk.base.json"
local nginx_request = require "alipayhk.transport.nginx_request"

local page = {}

local JSON, LINES, HTML = "application/json", "application/x-ndjson", "text/html; charset=UTF-8"
-- The largest body that it is sent, in bytes.
local BODY_MAX = 1024 * 1024

local CLOSED = "default-src 'none'; frame-ancestors 'none'"
-- Styles and scripts by their hashes: nothing else runs, and scripts cannot make markup of a text.
local POLICY = "default-src 'none'; style-src '%s'; script-src '%s'; connect-src 'self'; img-src data:; "
  .. "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
  .. "require-trusted-types-for 'script'; trusted-types 'none'"

-- What nginx says of itself where nobody asks for the page, in its own words: clients know them.
local SPEAKS_HTTPS = "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>"
  .. "<body>400 The plain HTTP request was sent to HTTPS port</body></html>\n"

local html, policy

local function hash_of(tag)
  local content = html:match("<" .. tag .. ">(.-)</" .. tag .. ">")
  return "sha256-" .. core.base64_encode(core.sha256(content))
end

-- Reads the page. Called once, in the master.
function page.init(directory)
  local file = assert(io.open(directory .. "/page.html", "rb"))
  html = file:read("*a")
  file:close()
  policy = POLICY:format(hash_of("style"), hash_of("script"))
end

-- ---- what can be asked for: each gives a status, a type and a body ------------------------------

local function refusal(status, message)
  return status, JSON, json.encode { message = message }
end

-- A route for what takes and gives a table.
local function called(action)
  return function()
    if (tonumber(ngx.var.http_content_length) or 0) > BODY_MAX then return refusal(413, "the body is too large") end
    local request, status = nginx_request.read(ngx)
    if not request then return refusal(status, "the request cannot be read") end
    local asked, fault = json.decode_object(request.body)
    if not asked then return refusal(400, "the body is " .. fault) end
    local given, message = action(asked)
    if not given then return refusal(400, message) end
    return 200, JSON, json.encode(given)
  end
end

local function argument(name)
  return tonumber((ngx.var["arg_" .. name] or ""):match("^%d%d?%d?%d?%d?%d?%d?%d?%d?$"))
end

local ROUTES = {
  ["/"] = { GET = function() return 200, HTML, html end },
  ["/page/about"] = { GET = function() return 200, JSON, json.encode(explorer.about()) end },
  ["/page/requests"] = { GET = function() return 200, JSON, journal.after(argument("after") or 0) end },
  ["/page/request"] = {
    GET = function()
      local request = journal.request(argument("id") or 0)
      if request then return 200, JSON, request end
      return refusal(404, "no request of this number is kept")
    end,
  },
  ["/page/export"] = { GET = function() return 200, LINES, journal.lines() end },
  ["/page/check"] = { POST = called(explorer.check) },
  ["/page/send"] = { POST = called(explorer.send) },
}

local function respond(path)
  local var, method = ngx.var, ngx.req.get_method()
  method = method == "HEAD" and "GET" or method
  local status, message = guard.fault {
    method = method, scheme = var.scheme, host = var.http_host, origin = var.http_origin,
    fetch_site = var.http_sec_fetch_site, content_type = var.http_content_type, is_static = path == "/",
  }
  if status then return refusal(status, message) end
  local route = ROUTES[path]
  if not route and not path:find("^/page/") then return 400, HTML, SPEAKS_HTTPS end
  if not route then return refusal(404, "the page has nothing there") end
  if not route[method] then return refusal(405, "another method is expected") end
  return route[method]()
end

-- Answers a request for the page.
function page.serve()
  local path = ngx.var.uri
  local status, kind, body = respond(path)
  local header = ngx.header
  ngx.status = status
  header["Content-Type"] = kind
  header["Content-Length"] = #body
  header["Content-Security-Policy"] = body == html and policy or CLOSED
  header["X-Content-Type-Options"] = "nosniff"
  header["Cross-Origin-Opener-Policy"] = "same-origin"
  header["Cross-Origin-Resource-Policy"] = "same-origin"
  header["Referrer-Policy"] = "no-referrer"
  header["Cache-Control"] = "no-store"
  ngx.print(body)
end

return page
