-- The other end of the batches: an nginx that gives one answer, signed beforehand, over TLS and HTTP/2.

local answer = require "bench.answer"
local core = require "alipayhk.core"
local nginx = require "spec.support.servers.nginx"

local canned = {}

-- Starts it with the keys of a running gateway: `{ url, stop() }`. `gateway`: what gateway/start printed.
function canned.start(gateway)
  local keys, seconds, signatures = gateway.ca_file:match("^(.*)/"), os.time(), {}
  local response_time, signature
  for i, kind in ipairs { "rsa", "ec" } do
    local key = assert(core.private_key { file = ("%s/alipayhk-%s.pem"):format(keys, kind) })
    local client_id = gateway[kind .. "_client_id"]
    response_time, signature = answer.sign(key, client_id, answer.SUCCESS, seconds)
    signatures[i] = ('"%s" "%s";'):format(client_id, signature)
  end
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
    ]]):format(keys, keys, response_time, answer.SUCCESS),
  }
  server.url = server.url:gsub("^http:", "https:")
  return server
end

return canned
