-- The transport for nginx: HTTP/1.1 over cosockets, which never block the worker.

local dial = require "alipayhk.transport.dial"
local http1 = require "alipayhk.transport.http1"
local outcome = require "alipayhk.transport.outcome"
local quiet = require "alipayhk.transport.quiet"
local new_stream = require "alipayhk.transport.stream"
local runtime = require "alipayhk.base.runtime"

local transport = {}

local KEEP_IDLE_MS = 55000 -- servers that run nginx close idle connections after 60 or 75 seconds: close them before

-- Keys of `tls` that libcurl follows and this transport cannot: nginx takes them from its own configuration, or they
-- are not supported here yet.
local REFUSED = {
  ca_file = "inside nginx the directive lua_ssl_trusted_certificate names the CA file",
  client_cert = "inside nginx there is no client certificate for this transport yet",
  client_key = "inside nginx there is no client certificate for this transport yet",
  pinned_public_key = "inside nginx there is no key pinning for this transport yet",
}

-- Gives the first key of the config that this transport cannot follow, and a message; nothing if there is none.
function transport.refuse(config)
  for key, message in pairs(REFUSED) do
    if config.tls[key] then return "tls." .. key, message end
  end
  if config.tls.min_version == "1.3" then
    return "tls.min_version", "inside nginx the directive lua_ssl_protocols decides that"
  end
  if config.proxy then return "proxy", "inside nginx there is no proxy for this transport yet" end
end

-- ---- sending -----------------------------------------------------------------------------------

-- A function of its own, so that the URL and the pieces of the request can be freed while we wait for the answer.
local function send_request(ngx, stream, request, only_new)
  local url = http1.parse_url(request.url)
  stream.peer = ("%s:%d"):format(url.host, url.port)
  dial.open(ngx, stream, {
    host = url.host, port = url.port, setting = "base_url",
    server_name = url.scheme == "https" and url.host or nil,
    -- Connections of one pool are interchangeable, so its name holds everything that tells them apart. The certificate
    -- of each was verified for the host, and the trusted CAs are nginx's configuration, the same for all.
    pool = ("alipayhk:%s:%s:%d"):format(url.scheme, url.host, url.port),
  }, request.connect_timeout_ms, only_new)
  dial.send(ngx, stream, http1.request_pieces(request, url), #request.body)
end

local function exchange(ngx, stream, request, only_new)
  send_request(ngx, stream, request, only_new)
  local answer = http1.read_answer(stream, request.max_response_bytes)
  local is_kept = answer.persistent and stream:is_drained()
  if is_kept then quiet.acknowledge(stream.socket) end
  is_kept = is_kept and quiet.is_quiet(stream.socket) and stream.socket:setkeepalive(KEEP_IDLE_MS)
  if not is_kept then stream.socket:close() end
  return { status = answer.status, headers = answer.headers, body = answer.body }
end

-- The server may close a kept connection at the moment when we use it: then it has not begun to answer, and the request
-- is sent again. (Not with `once`: nobody knows how much of the first copy the server saw.)
local function was_stale(stream, fault)
  if runtime.is_exiting() then return false end -- worker_shutdown_timeout closed the connection
  return stream.reused and not stream:is_answered() and type(fault) == "table" and fault.code == "reset"
end

local function attempt(ngx, stream, request, only_new)
  local ok, result = pcall(exchange, ngx, stream, request, only_new)
  if ok then return result end
  pcall(stream.socket.close, stream.socket)
  return nil, result
end

-- Sends the request once more, on a new connection. If this attempt fails before it sends anything, the failure of the
-- first is returned: it says more about what became of the request.
local function attempt_again(ngx, stream, request, first_fault)
  local answer, fault = attempt(ngx, stream, request, true)
  if answer then
    answer.resent = true
    return answer
  end
  return nil, type(fault) == "table" and outcome.sent_nothing(fault.code) and first_fault or fault
end

local function send(request)
  local ngx = runtime.nginx()
  local has_sockets, socket = pcall(ngx.socket.tcp)
  if not has_sockets then
    return nil, {
      code = "phase",
      message = ("nginx allows no connections in the phase %s: call from ngx.timer.at(0, ...)"):format(ngx.get_phase()),
    }
  end
  local stream = new_stream(socket, request.timeout_ms)
  local answer, fault = attempt(ngx, stream, request, false)
  if not answer and not request.once and was_stale(stream, fault) then
    answer, fault = attempt_again(ngx, stream, request, fault)
  end
  -- An exception becomes an ordinary failure: the request may have been sent, and the caller has to learn that.
  if not answer and type(fault) ~= "table" then fault = { code = "protocol", message = tostring(fault) } end
  stream.timing.total_ms = stream:spent_ms()
  local given = answer or fault
  given.timing = stream.timing
  return answer, fault
end

local function nothing() end

-- Gives `{ send, close }`. There is nothing to close: the connections are in nginx's own pools.
function transport.new()
  return { send = send, close = nothing }
end

return transport
