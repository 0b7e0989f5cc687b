-- An nginx with endpoints for AlipayHK's calls (endpoint_merchant.lua is what stands behind them).

local alipayhk_curl = require "alipayhk.curl"
local calls = require "spec.support.doubles.calls"
local json = require "cjson"
local nginx = require "spec.support.servers.nginx"
local shell = require "spec.support.shell"

local endpoint = {}
endpoint.__index = endpoint

local SETTINGS = "return { client_id = %q, private_key = %q, alipay_public_key = %q }"

local HTTP = [[
  client_max_body_size 1m;
  client_body_buffer_size 1k;
  lua_shared_dict handled 1m;
  lua_shared_dict deliveries 1m;
  init_by_lua_block { merchant = require "merchant" }
]]

local SERVER = [[
  location = /handled { content_by_lua_block { merchant.handled() } }
  location = /exchange { client_body_buffer_size 1m; content_by_lua_block { merchant.exchange() } }
]]

-- Starts it. `locations`: their lines; `http`: further lines.
function endpoint.start(locations, http)
  local self = setmetatable({}, endpoint)
  self.nginx = nginx.start {
    http = HTTP .. (http or ""),
    server = SERVER .. locations,
    files = {
      ["merchant.lua"] = shell.read("spec/support/servers/endpoint_merchant.lua"),
      ["settings.lua"] = SETTINGS:format(calls.CLIENT_ID, calls.merchant("rsa").private, calls.alipayhk("rsa").public),
    },
  }
  self.handle = alipayhk_curl.new()
  return self
end

-- Sends a call, to where it is made for or to another path.
-- Gives `{ status, headers, body }`
function endpoint:call(call, path)
  local reply, fault = self.handle:send {
    method = call.method, url = self.nginx.url .. (path or call.path), headers = call.headers, body = call.body,
    connect_timeout_ms = 10000, timeout_ms = 60000, max_response_bytes = 1024 * 1024,
  }
  if not reply then error(fault.message, 2) end
  return reply
end

-- What another path answers.
function endpoint:post(path, body)
  return self:call({ method = "POST", headers = {}, body = body or "" }, path).body
end

-- The result of a reply, which has to be AlipayHK's to verify: over the path it called.
function endpoint.result(call, reply, path)
  if reply.status ~= 200 then error(("HTTP %d: %s"):format(reply.status, reply.body), 2) end
  if not calls.verifies(call, reply, { path = path }) then error("the reply does not verify: " .. reply.body, 2) end
  local body = calls.header(reply, "Encrypt") and calls.opened(reply) or reply.body
  return json.decode(body).result
end

-- Sends it and gives its result.
function endpoint:ask(call)
  return endpoint.result(call, self:call(call))
end

-- The result of a refusal, which anybody may get: it bears no signature, and nothing of ours.
function endpoint.refusal(reply)
  if reply.status ~= 200 then error(("HTTP %d: %s"):format(reply.status, reply.body), 2) end
  for _, name in ipairs { "Signature", "Encrypt", "Client-Id", "Response-Time" } do
    if calls.header(reply, name) then error("a refusal with a header " .. name, 2) end
  end
  return json.decode(reply.body).result
end

-- Sends it and gives the result of its refusal.
function endpoint:refused(call)
  return endpoint.refusal(self:call(call))
end

-- How often a call with an id was handled; or "payload", "request": the last one, as JSON.
function endpoint:handled(id)
  local body = self:post("/handled?key=" .. id)
  return tonumber(body) or json.decode(body)
end

-- A call as bytes. `lines` are further header lines.
function endpoint.bytes(call, lines)
  local text = { ("%s %s HTTP/1.1"):format(call.method, call.path), "Host: localhost", "Connection: close" }
  for name, value in pairs(call.headers) do text[#text + 1] = name .. ": " .. value end
  for _, line in ipairs(lines or {}) do text[#text + 1] = line end
  if not (lines and lines.chunked) then text[#text + 1] = "Content-Length: " .. #call.body end
  return table.concat(text, "\r\n") .. "\r\n\r\n" .. (lines and lines.chunked or call.body)
end

-- Sends requests that are given as bytes, all at the same time.
-- Gives a list of `{ status, headers, body }`
function endpoint:exchange(list)
  local replies = {}
  for i, bytes in ipairs(json.decode(self:post("/exchange", json.encode(list)))) do
    local head, body = bytes:match("^(.-\r\n)\r\n(.*)$")
    replies[i] = { status = tonumber(head:match("^HTTP/1.1 (%d+)")), headers = {}, body = body }
    for name, value in head:gmatch("\r\n([^:\r\n]+): ([^\r\n]*)") do replies[i].headers[name] = value end
  end
  return replies
end

-- What nginx logged that it never should.
function endpoint:complaint()
  return self.nginx.complaints { "thread aborted" }[1]
end

function endpoint:stop()
  self.handle:close()
  self.nginx.stop()
end

return endpoint
