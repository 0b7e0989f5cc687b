--- HTTP/1.1 over nginx's cosockets: nothing here blocks the worker.
-- @module alipayhk.transport.cosocket

local http1 = require "alipayhk.transport.http1"
local new_stream = require "alipayhk.transport.stream"
local runtime = require "alipayhk.runtime"

local fail = http1.fail

local transport = {}

local KEEP_IDLE_MS = 55000 -- nginx closes after 60 or 75 seconds: be first

-- What libcurl is told for each connection and nginx only in its configuration, or not at all yet.
local REFUSED = {
  ca_file = "inside nginx the directive lua_ssl_trusted_certificate names the CA file",
  client_cert = "inside nginx there is no client certificate for this transport yet",
  client_key = "inside nginx there is no client certificate for this transport yet",
  pinned_public_key = "inside nginx there is no key pinning for this transport yet",
}

--- The first key of the config that it cannot follow, and why; nothing where there is none.
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

-- nginx spawns functions of Lua alone.
local function invoke(call, ...)
  return call(...)
end

-- Runs a call of the socket's that nginx itself would not bound: somebody stands by with a watch. Gives what
-- the call gives, or nil and "timeout".
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

-- Resolving a name has no limit but nginx's resolver_timeout.
local function dial(ngx, socket, url, limit_ms)
  -- All that makes one connection unlike another. That the certificate was verified for the host is so
  -- for every one; by which CAs is nginx's configuration.
  local options = { pool = ("alipayhk:%s:%s:%d"):format(url.scheme, url.host, url.port) }
  socket:settimeout(limit_ms)
  if url.host:find("^[%d.]+$") or url.host:find("^%[") then return socket:connect(url.host, url.port, options) end
  return within(ngx, limit_ms, socket.connect, socket, url.host, url.port, options)
end

local function connect(ngx, stream, url, limit_ms)
  local ok, err = dial(ngx, stream.socket, url, math.min(limit_ms, stream:left_ms()))
  if ok then return end
  err = tostring(err)
  if err:find("resolve") then fail("dns", err .. " (does the nginx configuration have a `resolver`?)") end
  fail(err == "timeout" and "timeout" or "connect", ("connecting to %s:%d: %s"):format(url.host, url.port, err))
end

-- What OpenSSL calls a certificate whose issuer it does not have, in 1.1.1 and in 3.
local UNKNOWN_ISSUER = { "unable to get", "self.signed", "unable to verify" }

local function handshake_message(url, err)
  for _, pattern in ipairs(UNKNOWN_ISSUER) do
    if err:find(pattern) then
      return ("%s: its certificate's issuer is not trusted (%s): set lua_ssl_trusted_certificate, such as to "
        .. "/etc/ssl/certs/ca-certificates.crt, and lua_ssl_verify_depth 3"):format(url.host, err)
    end
  end
  return ("%s: the TLS handshake failed: %s; nginx's error log may say more, lua_ssl_trusted_certificate names the "
    .. "CAs that are trusted"):format(url.host, err)
end

-- Some releases of lua-resty-core throw where a handshake fails at once. (Never pass false for the
-- session: the same releases then call such a failure a success.)
local function handshake(stream, url, limit_ms)
  local socket = stream.socket
  socket:settimeout(math.max(1, math.min(limit_ms, stream:left_ms())))
  local ran, ok, err = pcall(socket.sslhandshake, socket, nil, url.host, true)
  if ran and ok then return end
  if err == "timeout" then fail("timeout", "no TLS handshake in time") end
  fail("tls", handshake_message(url, ran and tostring(err) or "the certificate was not accepted"))
end

-- A connection from the pool, or a new one: that is what comes when the pool has been emptied.
local function open(ngx, stream, url, limit_ms, only_new)
  local before_ms = stream:spent_ms()
  repeat
    connect(ngx, stream, url, limit_ms)
    stream.reused = stream.socket:getreusedtimes() > 0
    if stream.reused and only_new then stream.socket:close() end
  until not (stream.reused and only_new)
  if stream.reused then return end
  stream.timing.connect_ms = stream:spent_ms()
  if url.scheme == "https" then
    handshake(stream, url, limit_ms - (stream:spent_ms() - before_ms))
    stream.timing.tls_ms = stream:spent_ms()
  end
end

-- The time limit of sending begins anew with each piece that goes out; a small request goes out as one.
local AT_ONCE = 32768

local function send_all(ngx, stream, request, url)
  local pieces = http1.request_pieces(request, url)
  local socket, left_ms = stream.socket, stream:left_ms()
  socket:settimeout(left_ms)
  local sent, err
  if #request.body <= AT_ONCE then
    sent, err = socket:send(pieces)
  else
    sent, err = within(ngx, left_ms, socket.send, socket, pieces)
  end
  if not sent then fail(err == "timeout" and "timeout" or "reset", "sending: " .. tostring(err)) end
end

-- Nothing that is made here is kept while the answer is awaited.
local function send_request(ngx, stream, request, only_new)
  local url = http1.parse_url(request.url)
  open(ngx, stream, url, request.connect_timeout_ms, only_new)
  send_all(ngx, stream, request, url)
end

local function exchange(ngx, stream, request, only_new)
  send_request(ngx, stream, request, only_new)
  local answer = http1.read_answer(stream, request.max_response_bytes)
  local is_kept = answer.persistent and stream:is_drained() and stream.socket:setkeepalive(KEEP_IDLE_MS)
  if not is_kept then stream.socket:close() end
  return { status = answer.status, headers = answer.headers, body = answer.body }
end

-- The other side may close a kept connection in the moment that we use it: then it has not even begun to
-- answer.
local function was_stale(stream, fault)
  if runtime.is_exiting() then return false end -- worker_shutdown_timeout cut it
  return stream.reused and not stream:is_answered() and type(fault) == "table" and fault.code == "reset"
end

local function attempt(ngx, stream, request, only_new)
  local ok, result = pcall(exchange, ngx, stream, request, only_new)
  if ok then return result end
  pcall(stream.socket.close, stream.socket)
  return nil, result
end

-- What failed without a connection has sent nothing, and so says less than the failure before it.
local NOT_SENT = { dns = true, connect = true, tls = true }

local function attempt_again(ngx, stream, request, first_fault)
  local answer, fault = attempt(ngx, stream, request, true)
  if answer then
    answer.resent = true
    return answer
  end
  return nil, type(fault) == "table" and NOT_SENT[fault.code] and first_fault or fault
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
  if not answer and was_stale(stream, fault) then answer, fault = attempt_again(ngx, stream, request, fault) end
  if not answer and type(fault) ~= "table" then error(fault, 0) end
  stream.timing.total_ms = stream:spent_ms()
  local outcome = answer or fault
  outcome.timing = stream.timing
  return answer, fault
end

local function nothing() end

--- @treturn table `{ send, close }`; the connections live in nginx's own pools
function transport.new()
  return { send = send, close = nothing }
end

return transport
