-- The other end of the batches: an nginx that gives one answer, signed beforehand, over TLS and HTTP/2.

local core = require "alipayhk.core"
local nginx = require "spec.support.servers.nginx"
local platform = require "alipayhk.api.platform"
local time = require "alipayhk.base.time"
local wire = require "alipayhk.exchange.wire"

local canned = {}

local PATH = "/api/open/alipay/v1/merchant/order/sync"
canned.BODY = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'

-- By the type of a client's key.
local ALGORITHMS = { rsa = "RSA256", ec = "ECC224" }

-- A fixed answer stays good: all of the request that is signed with it is its path and our client id.
local function signature_of(gateway, kind, response_time)
  local key = assert(core.private_key { file = ("%s/alipayhk-%s.pem"):format(gateway.ca_file:match("^(.*)/"), kind) })
  local content = wire.content("POST", PATH, gateway[kind .. "_client_id"], response_time, canned.BODY)
  return wire.sign(key, { algorithm = ALGORITHMS[kind], key_version = "1" }, content)
end

-- Starts it with the keys of a running gateway: `{ url, stop() }`. `gateway`: what gateway/start printed.
function canned.start(gateway)
  local response_time, signatures = time.text(os.time(), platform.utc_offset), {}
  for kind in pairs(ALGORITHMS) do
    signatures[#signatures + 1] = ('"%s" "%s";'):format(
      gateway[kind .. "_client_id"], signature_of(gateway, kind, response_time))
  end
  local keys = gateway.ca_file:match("^(.*)/")
  local server = nginx.start {
    connections = 4096,
    http = ("map $http_client_id $canned { %s }"):format(table.concat(signatures, " ")),
    listen = "ssl http2 backlog=4096",
    server = ([[
      ssl_certificate "%s/server.pem"; ssl_certificate_key "%s/server.key";
      keepalive_requests 1000000000;
      default_type "application/json; charset=UTF-8";
      add_header Client-Id $http_client_id;
      add_header Response-Time "%s";
      add_header Signature $canned;
      location / { return 200 '%s'; }
    ]]):format(keys, keys, response_time, canned.BODY),
  }
  server.url = server.url:gsub("^http:", "https:")
  return server
end

return canned
