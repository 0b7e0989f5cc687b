-- A merchant's nginx: clients of the local gateway in it, requests to it, and a gateway that keeps it
-- waiting.

local calls = require "spec.support.doubles.calls"
local curl = require "alipayhk.curl"
local gateway = require "spec.support.servers.gateway"
local nginx = require "spec.support.servers.nginx"

local merchant = {}

local HTTP = [[
  lua_ssl_trusted_certificate %s;
  lua_ssl_verify_depth 3;
  lua_shared_dict notes 256k;
  init_by_lua_block {
    alipayhk = require "alipayhk"
    function config(extra)
      local made = { client_id = "%s", base_url = "%s", private_key = { file = "%s" },
        alipay_public_key = { file = "%s" }, timeout_ms = 60000 }
      for key, value in pairs(extra or {}) do made[key] = value end
      return made
    end
    function new_client(extra) return assert(alipayhk.new(config(extra))) end
    order = { merchantBizNo = "NGINX-2", merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", userId = "1",
      orderCreateTime = 1716338541000, extInfo = {} }
    function outcome(response, err) return response and response.result.resultCode or tostring(err) end
    %s
  }
]]

-- Forwards what it gets to the gateway, but nothing while it is held.
local LATE = [[
  location = /hold { content_by_lua_block { ngx.shared.gate:set("held", true) } }
  location = /release { content_by_lua_block { ngx.shared.gate:delete("held") } }
  location /busy/ { add_header Retry-After 2 always; return 503; }
  location / {
    access_by_lua_block { while ngx.shared.gate:get("held") do ngx.sleep(0.02) end }
    proxy_pass %s;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
  }
]]

-- Lines for `http`: in every Lua block there are then `alipayhk`, `config(extra)`, `new_client(extra)`,
-- `order` and `outcome(response, err)`.
-- `init`: further Lua for init_by_lua
-- `values`: over the shared gateway's
function merchant.http(init, values)
  local given = setmetatable(values or {}, { __index = gateway.values() })
  return HTTP:format(given.ca_file, given.rsa_client_id, given.base_url, given.rsa_private_key,
    given.rsa_alipay_public_key, init or "")
end

local handle

-- What a POST is answered with: status, body and headers.
-- `extra`: `body`, `headers`, `timeout_ms`
function merchant.post(url, extra)
  extra = extra or {}
  handle = handle or curl.new()
  local raw, err = handle:send {
    method = "POST", url = url, headers = extra.headers or {}, body = extra.body or "",
    connect_timeout_ms = 5000, timeout_ms = extra.timeout_ms or 20000, max_response_bytes = 65536,
  }
  if not raw then error(url .. ": " .. err.message, 2) end
  return raw.status, (raw.body:gsub("%s+$", "")), raw.headers
end

-- A call from AlipayHK with that body, for `post`.
function merchant.call(path, body)
  local values = gateway.values()
  return calls.make {
    path = path, body = body, client_id = values.rsa_client_id,
    key = values.rsa_alipay_public_key:match("^(.*)%.pub$") .. ".pem",
  }
end

-- A way to the gateway that waits between `hold()` and `release()`, and has nothing but 503 and
-- "Retry-After: 2" below /busy.
-- Gives `{ url, hold, release, stop }`
function merchant.late()
  local server = nginx.start { http = "lua_shared_dict gate 64k;", server = LATE:format(gateway.values().base_url) }
  return {
    url = server.url,
    hold = function() merchant.post(server.url .. "/hold") end,
    release = function() merchant.post(server.url .. "/release") end,
    stop = server.stop,
  }
end

-- The lines of nginx's log that nothing in these specs gives it cause for.
function merchant.alarms(server)
  return server.complaints { "exited on signal" }
end

return merchant
