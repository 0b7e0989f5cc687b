-- The same job in Lua with what there was before: luaossl signs and verifies, lua-http sends over HTTP/2.
--
--     lua5.4 luaossl.lua URL CA PRIVATE_KEY PUBLIC_KEY CLIENT_ID ORDERS AT_ONCE
--
-- Prints the seconds that it took.

-- Debian has lua-http and parts of what it needs for older versions only, but all of that is plain Lua.
local own_path = package.path
for _, version in ipairs { "5.3", "5.1" } do
  package.path = package.path .. ";" .. own_path:gsub("5%.%d", version)
end

local basexx = require "basexx"
local cjson = require "cjson"
local cqueues = require "cqueues"
local digest = require "openssl.digest"
local http_client = require "http.client"
local http_headers = require "http.headers"
local http_tls = require "http.tls"
local http_util = require "http.util"
local pkey = require "openssl.pkey"
local rand = require "openssl.rand"
local x509 = require "openssl.x509"

local TIMEOUT = 30
-- Whatever comes wakes all that wait on a connection, which makes many on one slow; and nginx takes 128 at most.
local PER_CONNECTION = tonumber(os.getenv("PER") or 16)

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local url, ca_file, key_file, peer_file, client_id, orders, at_once = (table.unpack or unpack)(arg)
local authority, host, port, path = url:match("^https://(([^:/]+):(%d+))(/.*)$")
local key = pkey.new(read(key_file), "PEM", "private")
local peer = pkey.new(read(peer_file), "PEM", "public")
local is_rsa = key:type() == "rsaEncryption"
local digest_name = is_rsa and "sha256" or "sha224"
local algorithm = is_rsa and "RSA256" or "ECC224"
local context = http_tls.new_client_context()
context:getStore():add(x509.new(read(ca_file), "PEM"))

local function digest_of(time, body)
  return digest.new(digest_name):update(("POST %s\n%s.%s.%s"):format(path, client_id, time, body))
end

local function connect()
  return assert(http_client.connect({ host = host, port = port, tls = true, ctx = context, version = 2 }, TIMEOUT))
end

local function send(lane, body, time, signature)
  local headers = http_headers.new()
  headers:append(":method", "POST")
  headers:append(":scheme", "https")
  headers:append(":authority", authority)
  headers:append(":path", path)
  headers:append("client-id", client_id)
  headers:append("content-type", "application/json; charset=UTF-8")
  headers:append("request-time", time)
  headers:append("signature", ("algorithm=%s,keyVersion=1,signature=%s"):format(algorithm, signature))
  local stream = lane.connection:new_stream()
  assert(stream:write_headers(headers, false, TIMEOUT))
  assert(stream:write_chunk(body, true, TIMEOUT))
  local given = assert(stream:get_headers(TIMEOUT))
  local answer = assert(stream:get_body_as_string(TIMEOUT))
  -- A connection holds its streams weakly, and nginx may have a last frame for one that has been answered.
  lane.last_stream = stream
  return answer, given:get("response-time"), given:get("signature")
end

local function one(lane, number)
  local body = cjson.encode {
    requestId = basexx.to_hex(rand.bytes(16)),
    merchantBizNo = "BENCH-" .. number,
    merchantBizType = "MOVIE_TICKET",
    orderStatus = "TICKETED",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = os.time() * 1000,
    extInfo = {},
  }
  local time = os.date("!%Y-%m-%dT%H:%M:%S+00:00")
  local signature = http_util.encodeURIComponent(basexx.to_base64(key:sign(digest_of(time, body))))
  local answer, answer_time, answer_signature = send(lane, body, time, signature)
  local theirs = basexx.from_base64(http_util.decodeURIComponent(answer_signature:match("signature=([^,]*)")))
  assert(peer:verify(theirs, digest_of(answer_time, answer)), "an answer does not verify")
  assert(cjson.decode(answer).result.resultStatus == "S", "an answer is no success")
end

local function batch(connections, count)
  local controller, next_number = cqueues.new(), 0
  for i = 1, at_once do
    local lane = { connection = connections[i % #connections + 1] }
    controller:wrap(function()
      while next_number < count do
        next_number = next_number + 1
        one(lane, next_number)
      end
    end)
  end
  assert(controller:loop())
end

local function main()
  local connections = {}
  local opening = cqueues.new()
  opening:wrap(function()
    for i = 1, math.ceil(at_once / PER_CONNECTION) do connections[i] = connect() end
  end)
  assert(opening:loop())
  batch(connections, 200) -- whatever is made at first use
  local began = cqueues.monotime()
  batch(connections, tonumber(orders))
  print(("%.6f"):format(cqueues.monotime() - began))
end

local ok, err = pcall(main)
if not ok then
  io.stderr:write(tostring(err):match("[^\n]*"), "\n")
  os.exit(1)
end
