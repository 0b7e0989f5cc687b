-- The transport for nginx: HTTP/1.1 over cosockets, which never block the worker.

local http1 = require "alipayhk.transport.http1"
local outcome = require "alipayhk.transport.outcome"
local quiet = require "alipayhk.transport.quiet"
local new_stream = require "alipayhk.transport.stream"
local runtime = require "alipayhk.base.runtime"

local fail = http1.fail

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

-- ---- connecting and sending --------------------------------------------------------------------

-- ngx.thread.spawn accepts only Lua functions, and methods of a socket may be C functions.
local function invoke(call, ...)
  return call(...)
end

-- Runs a call that nginx itself does not limit in time, and a timer beside it in another light thread: whichever ends
-- first decides. Gives what the call gives, or nil and "timeout".
local function within(ngx, limit_ms, call, ...)
  local worker = ngx.thread.spawn(invoke, call, ...)
  local watch = ngx.thread.spawn(invoke, ngx.sleep, limit_ms / 1000)
  local ran, ok, err = ngx.thread.wait(worker, watch)
  local is_done = coroutine.status(worker) == "dead" or coroutine.status(worker) == "zombie"
  ngx.thread.kill(watch)
  ngx.thread.kill(worker)
  if not is_done then return nil, "timeout" end
  if not ran then return nil, tostring(ok) end
  return ok, err
end

-- Connects. The socket's own timeout does not cover the DNS lookup (only nginx's resolver_timeout does), so connecting
-- to a name needs `within`.
local function dial(ngx, stream, url)
  -- Connections of one pool are interchangeable, so its name holds everything that tells them apart. The certificate of
  -- each was verified for the host, and the trusted CAs are nginx's configuration, the same for all.
  local options = { pool = ("alipayhk:%s:%s:%d"):format(url.scheme, url.host, url.port) }
  local socket, left_ms = stream.socket, stream:left_ms()
  socket:settimeout(left_ms)
  if url.host:find("^[%d.]+$") or url.host:find("^%[") then
    stream:begin "while a connection was made"
    return socket:connect(url.host, url.port, options)
  end
  stream:begin "while its name was looked up and a connection was made"
  return within(ngx, left_ms, socket.connect, socket, url.host, url.port, options)
end

local function connect(ngx, stream, url)
  local ok, err = dial(ngx, stream, url)
  if ok then return end
  if err == "timeout" then stream:time_out() end
  err = tostring(err)
  if err:find("resolve") then fail("dns", err .. " (does the nginx configuration have a `resolver`?)") end
  fail("connect", ("connecting to %s:%d: %s"):format(url.host, url.port, err))
end

-- Patterns for nginx's message about a rejected certificate (in the words of OpenSSL 1.1.1 and 3), each with advice.
-- The first that matches counts.
local ISSUER = "set lua_ssl_trusted_certificate, such as to /etc/ssl/certs/ca-certificates.crt, and "
  .. "lua_ssl_verify_depth 3"
local CERTIFICATE = {
  { "unable to get", ISSUER },
  { "self.signed", ISSUER },
  { "unable to verify", ISSUER },
  { "chain too long", "set lua_ssl_verify_depth 3" },
  { "expired", "the server's owner has to renew it, unless this machine's clock is wrong" },
  { "not yet valid", "look at this machine's clock" },
  { "host mismatch", "it is for another name: is base_url right? `openssl s_client -connect %s:%d -servername %s "
    .. "| openssl x509 -noout -ext subjectAltName` shows for which" },
  { "", "nginx's error log may say more; lua_ssl_trusted_certificate names the CAs that are trusted" },
}

-- nginx reports either a rejected certificate or a general failure of the handshake. The latter may be a broken
-- connection, so it gets the code `connect`, which is retried: this is safe, since nothing was sent.
local function handshake_failed(url, err)
  if err == "closed" or err:find("handshake failed", 1, true) then
    fail("connect", ("%s:%d: the TLS handshake ended early: the server closed the connection, or does not speak TLS of "
      .. "a version that lua_ssl_protocols has (nginx's error log says which); nothing was sent"):format(
      url.host, url.port))
  end
  for _, known in ipairs(CERTIFICATE) do
    if err:find(known[1]) then
      local cure = known[2]:format(url.host, url.port, url.host)
      fail("tls", ("%s: its certificate is not accepted (%s): %s"):format(url.host, err, cure))
    end
  end
end

-- Some releases of lua-resty-core throw when a handshake fails at once, and leave the reason in an internal buffer,
-- which is read here. (Never pass false as the session: the same releases then report such a failure as success.)
local function reason_in_core()
  local has_core, base = pcall(require, "resty.core.base")
  local pointer = has_core and type(base.get_errmsg_ptr) == "function" and base.get_errmsg_ptr()
  return pointer and pointer[0] ~= nil and require("ffi").string(pointer[0]) or "nginx does not say why"
end

local function handshake(stream, url)
  local socket = stream.socket
  stream:begin "during the TLS handshake"
  socket:settimeout(stream:left_ms())
  local ran, ok, err = pcall(socket.sslhandshake, socket, nil, url.host, true)
  if ran and ok then return end
  if err == "timeout" then stream:time_out() end
  handshake_failed(url, ran and tostring(err or "closed") or reason_in_core())
end

-- Takes a connection from the pool, or makes a new one. Bytes that arrived on an idle connection would be read as our
-- answer, so such a connection is closed and the next one is tried; `only_new` closes all that come from the pool.
local function open(ngx, stream, url, limit_ms, only_new)
  stream:limit_connecting(limit_ms)
  local is_passed_over
  repeat
    connect(ngx, stream, url)
    stream.reused = stream.socket:getreusedtimes() > 0
    is_passed_over = stream.reused and (only_new or not quiet.is_quiet(stream.socket))
    if is_passed_over then stream.socket:close() end
  until not is_passed_over
  if not stream.reused then
    stream.timing.connect_ms = stream:spent_ms()
    if url.scheme == "https" then
      handshake(stream, url)
      stream.timing.tls_ms = stream:spent_ms()
    end
  end
  stream:limit_connecting(nil)
end

-- Bytes. nginx's timeout for sending starts again whenever a part was sent, so a large request needs `within`; up to
-- this size a request is sent in one part.
local AT_ONCE = 32768

local function send_all(ngx, stream, request, url)
  local pieces = http1.request_pieces(request, url)
  stream:begin "while the request was being sent"
  local socket, left_ms = stream.socket, stream:left_ms()
  socket:settimeout(left_ms)
  local sent, err
  if #request.body <= AT_ONCE then
    sent, err = socket:send(pieces)
  else
    sent, err = within(ngx, left_ms, socket.send, socket, pieces)
  end
  if err == "timeout" then stream:time_out() end
  if not sent then fail("reset", "sending: " .. tostring(err)) end
  stream:begin "without an answer"
end

-- A function of its own, so that the URL and the pieces of the request can be freed while we wait for the answer.
local function send_request(ngx, stream, request, only_new)
  local url = http1.parse_url(request.url)
  stream.peer = ("%s:%d"):format(url.host, url.port)
  open(ngx, stream, url, request.connect_timeout_ms, only_new)
  send_all(ngx, stream, request, url)
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
