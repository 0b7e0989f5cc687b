-- AlipayHK on a loopback port, told what to do; spec/support/servers/alipayhk_server.lua is what runs there.

local curl = require "alipayhk.curl"
local certificates = require "spec.support.data.certificates"
local keys = require "spec.support.data.keys"
local nginx = require "spec.support.servers.nginx"
local shell = require "spec.support.shell"

local scripted = {}
scripted.__index = scripted

local INIT = [[
  init_by_lua_block {
    require("alipayhk_server").init({ ["1"] = "%s", ["2"] = "%s" }, { ["1"] = "%s", ["2"] = "%s" })
  }
]]

local LOCATIONS = [[
  client_body_buffer_size 1m;
  keepalive_requests %d;
  location / { content_by_lua_block { require("alipayhk_server").handle() } }
  location = /control { content_by_lua_block { require("alipayhk_server").control() } }
  location = /most { content_by_lua_block { require("alipayhk_server").most() } }
  location = /seen { content_by_lua_block { require("alipayhk_server").seen() } }
]]

-- Two versions of each side's key: `merchant[version]`, `own[version]`, as keys.pair gives them.
-- `keepalive_requests`: after so many requests it closes a connection; `algorithm`: of the keys.
function scripted.start(options)
  local algorithm = options and options.algorithm
  local self = setmetatable({
    merchant = { keys.pair("merchant", algorithm), keys.pair("merchant2", algorithm) },
    own = { keys.pair("alipayhk", algorithm), keys.pair("alipayhk2", algorithm) },
    handle = curl.new(),
  }, scripted)
  self.nginx = nginx.start {
    http = INIT:format(self.merchant[1].public, self.merchant[2].public, self.own[1].private, self.own[2].private),
    server = LOCATIONS:format(options and options.keepalive_requests or 1000),
    files = { ["alipayhk_server.lua"] = shell.read("spec/support/servers/alipayhk_server.lua") },
  }
  return self
end

-- What a recipe needs to know of it.
function scripted:world()
  return {
    client_id = "4Q5Y8W0WSG45P907917",
    base_url = self.nginx.url,
    ca_file = certificates() .. "/ca.pem",
    files = { ["merchant.pem"] = self.merchant[1].private, ["alipayhk.pem"] = self.own[1].public },
  }
end

function scripted:ask(path)
  local raw = assert(self.handle:send {
    method = "POST", url = self.nginx.url .. path, headers = {}, body = "",
    connect_timeout_ms = 5000, timeout_ms = 30000, max_response_bytes = 16777216,
  })
  assert(raw.status == 200, raw.body)
  return raw.body
end

function scripted:control(values)
  local list = {}
  for name, value in pairs(values) do
    list[#list + 1] = name .. "=" .. value:gsub("[^%w]", function(byte) return ("%%%02X"):format(byte:byte()) end)
  end
  self:ask("/control?" .. table.concat(list, "&"))
end

-- What came, by merchantBizNo: `{ times, modified_ms, version }`, the latter two of the last time.
function scripted:seen()
  local seen = {}
  for version, number, modified_ms in self:ask("/seen"):gmatch("(%S+) (%S+) (%d+)[^\n]*\n") do
    local times = seen[number] and seen[number].times or 0
    seen[number] = { times = times + 1, modified_ms = tonumber(modified_ms), version = version }
  end
  return seen
end

-- The most requests that were under way at once: in all, and of one order.
function scripted:most()
  local all, order = self:ask("/most"):match("(%d+) (%d+)")
  return tonumber(all), tonumber(order)
end

-- What came, in that order, a request each: `number`, its merchantBizNo; `modified_ms`; `request_id`; `digest`, of its
-- body; `at`, seconds of the monotonic clock.
function scripted:arrivals()
  local list = {}
  for number, modified_ms, request_id, digest, at in
    self:ask("/seen"):gmatch("%S+ (%S+) (%d+) (%S+) (%S+) (%S+)\n") do
    list[#list + 1] = {
      number = number, modified_ms = tonumber(modified_ms), request_id = request_id, digest = digest, at = tonumber(at),
    }
  end
  return list
end

-- The config of a client of it.
function scripted:config(extra)
  local world = self:world()
  local config = {
    client_id = world.client_id, base_url = world.base_url, tls = { ca_file = world.ca_file },
    private_key = { file = self.merchant[1].private }, alipay_public_key = { file = self.own[1].public },
  }
  for name, value in pairs(extra or {}) do config[name] = value end
  return config
end

-- The key version of every request, one behind the other.
function scripted:versions()
  return (self:ask("/seen"):gsub("(%S+)[^\n]*\n", "%1"))
end

function scripted:stop()
  self.nginx.stop()
  self.handle:close()
end

return scripted
