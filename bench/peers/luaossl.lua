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

local cjson = require "cjson"
local cqueues = require "cqueues"
local digest = require "openssl.digest"
local http_client = require "http.client"
local http_headers = require "http.headers"
local http_tls = require "http.tls"
local http_util = require "http.util"
local mime = require "mime" -- of lua-socket: the base64 in plain Lua that lua-http brings takes longer than signing
local pkey = require "openssl.pkey"
local rand = require "openssl.rand"
local x509 = require "openssl.x509"

local TIMEOUT = 30
-- Whatever comes wakes all that wait on a connection, so that few are quicker: of 4 to 64 these were the quickest.
local PER_CONNECTION = 16

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local url, ca_file, key_file, peer_file, client_id, orders, at_once = ...
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
  -- Never indexed: once values drop out of its HPACK table, lua-http names entries that nginx does not have.
  headers:append("request-time", time, true)
  headers:append("signature", ("algorithm=%s,keyVersion=1,signature=%s"):format(algorithm, signature), true)
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
    requestId = rand.bytes(16):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end),
    merchantBizNo = "BENCH-" .. number,
    merchantBizType = "MOVIE_TICKET",
    orderStatus = "TICKETED",
    userId = "2160120012345678",
    orderCreateTime = 1716338541000,
    orderModifyTime = os.time() * 1000,
    extInfo = {},
  }
  local time = os.date("!%Y-%m-%dT%H:%M:%S+00:00")
  local signature = http_util.encodeURIComponent((mime.b64(key:sign(digest_of(time, body)))))
  local answer, answer_time, answer_signature = send(lane, body, time, signature)
  local theirs = mime.unb64(http_util.decodeURIComponent(answer_signature:match("signature=([^,]*)")))
  assert(peer:verify(theirs, digest_of(answer_time, answer)), "an answer does not verify")
  assert(cjson.decode(answer).result.resultStatus == "S", "an answer is no success")
end

local function batch(lanes, count)
  local controller, next_number = cqueues.new(), 0
  for _, lane in ipairs(lanes) do
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
  local lanes = {}
  local opening = cqueues.new()
  opening:wrap(function()
    local connection
    for i = 1, tonumber(at_once) do
      if (i - 1) % PER_CONNECTION == 0 then connection = connect() end
      lanes[i] = { connection = connection }
    end
  end)
  assert(opening:loop())
  batch(lanes, 200) -- whatever is made at first use
  local began = cqueues.monotime()
  batch(lanes, tonumber(orders))
  print(("%.6f"):format(cqueues.monotime() - began))
end

local ok, err = pcall(main)
if not ok then
  io.stderr:write(tostring(err):match("[^\n]*"), "\n")
  os.exit(1)
end
