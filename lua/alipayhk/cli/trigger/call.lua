-- A call as AlipayHK makes it: its bytes, its headers, and what the endpoint answers.

local failure = require "alipayhk.cli.failure"
local platform = require "alipayhk.api.platform"
local url = require "alipayhk.base.url"
local version = require "alipayhk.base.version"
local wire = require "alipayhk.exchange.wire"

local call = {}

local ANSWER_MAX = 1024 * 1024

-- The path and query string of an endpoint's URL; ends the command where it is none.
local function path_of(given)
  local scheme, authority, rest = given:match("^([a-z]+)://([^/?#]*)([^#]*)$")
  if scheme ~= "http" and scheme ~= "https" then
    failure.usage("trigger: URL: expected https://host[:port]/path (or http://), as AlipayHK would call it")
  end
  local host, message = url.split_authority(authority)
  if not host then failure.usage("trigger: URL: %s", message) end
  if rest:find("[^!-~]") then
    failure.usage("trigger: URL: what a URL may not have in its path has to be percent-encoded")
  end
  return rest:sub(1, 1) == "/" and rest or "/" .. rest
end

-- What stays the same however often it is sent. `opts`: `path`, where a proxy before the endpoint rewrites it;
-- `encrypt`.
function call.new(roles, address, body, opts)
  local path = path_of(address)
  if opts.path and not opts.path:find("^/[!-~]*$") then
    failure.usage("trigger: --path: expected a path from its first slash on")
  end
  local made = { url = address, method = "POST", path = opts.path or path, body = body }
  if opts.encrypt then
    local sealed, header = wire.seal(body, roles.sealing)
    if not sealed then failure.usage("trigger: --encrypt: the merchant's key has to be one of RSA: %s", header) end
    made.body, made.encrypt = sealed, header
  end
  return made
end

-- Sends it, signed anew: what the endpoint answered; or nil and the transport's failure. `opts`: `timeout_ms`,
-- `ca_file`.
function call.send(made, roles, transport, opts)
  local at, signature = wire.sign_now(roles, made.method, made.path, made.body)
  if not at then failure.usage("trigger: the call cannot be signed: %s", signature) end
  return transport.send {
    method = made.method, url = made.url, body = made.body,
    headers = {
      ["Client-Id"] = roles.client_id, ["Content-Type"] = platform.content_type, ["Request-Time"] = at,
      ["Signature"] = signature, ["Encrypt"] = made.encrypt, ["User-Agent"] = "lua-alipayhk/" .. version,
    },
    connect_timeout_ms = opts.timeout_ms, timeout_ms = opts.timeout_ms, max_response_bytes = ANSWER_MAX,
    tls = { ca_file = opts.ca_file },
  }
end

return call
