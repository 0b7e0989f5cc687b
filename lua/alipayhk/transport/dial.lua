-- Connections over cosockets: from nginx's pool or new ones, with TLS, and sending on them. Failures are thrown as in
-- `alipayhk.transport.http1`.

local http1 = require "alipayhk.transport.http1"
local quiet = require "alipayhk.transport.quiet"

local fail = http1.fail

local dial = {}

-- ngx.thread.spawn accepts only Lua functions, and methods of a socket may be C functions.
local function invoke(call, ...)
  return call(...)
end

local function has_ended(thread)
  local status = coroutine.status(thread)
  return status == "dead" or status == "zombie"
end

-- What a light thread gives, or nil and "timeout" where `limit_ms` end before it does.
local function await(ngx, worker, limit_ms)
  if has_ended(worker) then return ngx.thread.wait(worker) end
  local watch = ngx.thread.spawn(invoke, ngx.sleep, limit_ms / 1000)
  local ran, ok, err = ngx.thread.wait(worker, watch)
  local is_done = has_ended(worker)
  ngx.thread.kill(watch)
  ngx.thread.kill(worker)
  if not is_done then return true, nil, "timeout" end
  return ran, ok, err
end

-- Runs a call that nginx itself does not limit in time, and a timer beside it in another light thread: whichever ends
-- first decides. Gives what the call gives, or nil and "timeout".
local function within(ngx, limit_ms, call, ...)
  local ran, ok, err = await(ngx, ngx.thread.spawn(invoke, call, ...), limit_ms)
  if not ran then return nil, tostring(ok) end
  return ok, err
end

-- Connects. The socket's own timeout does not cover the DNS lookup (only nginx's resolver_timeout does), so connecting
-- to a name needs `within`.
local function connect_within(ngx, stream, peer)
  local options = { pool = peer.pool }
  local socket, left_ms = stream.socket, stream:left_ms()
  socket:settimeout(left_ms)
  if peer.host:find("^[%d.]+$") or peer.host:find("^%[") then
    stream:begin "while a connection was made"
    return socket:connect(peer.host, peer.port, options)
  end
  stream:begin "while its name was looked up and a connection was made"
  return within(ngx, left_ms, socket.connect, socket, peer.host, peer.port, options)
end

local function connect(ngx, stream, peer)
  local ok, err = connect_within(ngx, stream, peer)
  if ok then return end
  if err == "timeout" then stream:time_out() end
  err = tostring(err)
  if err:find("resolve") then fail("dns", err .. " (does the nginx configuration have a `resolver`?)") end
  fail("connect", ("connecting to %s:%d: %s"):format(peer.host, peer.port, err))
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
  { "host mismatch", "it is for another name: is %s right? `openssl s_client -connect %s:%d -servername %s "
    .. "| openssl x509 -noout -ext subjectAltName` shows for which" },
  { "", "nginx's error log may say more; lua_ssl_trusted_certificate names the CAs that are trusted" },
}

-- nginx reports either a rejected certificate or a general failure of the handshake. The latter may be a broken
-- connection, so it gets the code `connect`, which is retried: this is safe, since nothing was sent.
local function handshake_failed(peer, err)
  if err == "closed" or err:find("handshake failed", 1, true) then
    fail("connect", ("%s:%d: the TLS handshake ended early: the server closed the connection, or does not speak TLS of "
      .. "a version that lua_ssl_protocols has (nginx's error log says which); nothing was sent"):format(
      peer.host, peer.port))
  end
  for _, known in ipairs(CERTIFICATE) do
    if err:find(known[1]) then
      local cure = known[2]:format(peer.setting, peer.host, peer.port, peer.server_name)
      fail("tls", ("%s: its certificate is not accepted (%s): %s"):format(peer.host, err, cure))
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

local function handshake(stream, peer)
  local socket = stream.socket
  stream:begin "during the TLS handshake"
  socket:settimeout(stream:left_ms())
  local ran, ok, err = pcall(socket.sslhandshake, socket, nil, peer.server_name, true)
  if ran and ok then return end
  if err == "timeout" then stream:time_out() end
  handshake_failed(peer, ran and tostring(err or "closed") or reason_in_core())
end

-- Takes a connection from the pool, or makes a new one. Bytes that arrived on an idle connection would be read as our
-- answer, so such a connection is closed and the next one is tried; `only_new` closes all that come from the pool.
-- `peer`: `{ host, port, pool, server_name, setting }`, with TLS if there is a server name; `setting`: where the user
-- gave it.
function dial.open(ngx, stream, peer, limit_ms, only_new)
  stream:limit_connecting(limit_ms)
  local is_passed_over
  repeat
    connect(ngx, stream, peer)
    stream.reused = stream.socket:getreusedtimes() > 0
    is_passed_over = stream.reused and (only_new or not quiet.is_quiet(stream.socket))
    if is_passed_over then stream.socket:close() end
  until not is_passed_over
  -- Of TLS bytes may come for ever that are no data, and with each of them nginx's timeout starts again.
  if peer.server_name then
    stream.receive = function(left_ms, size)
      return within(ngx, left_ms, stream.socket.receiveany, stream.socket, size)
    end
  end
  if not stream.reused then
    stream.timing.connect_ms = stream:spent_ms()
    if peer.server_name then
      handshake(stream, peer)
      stream.timing.tls_ms = stream:spent_ms()
    end
  end
  stream:limit_connecting(nil)
end

-- Bytes. nginx's timeout for sending starts again whenever a part was sent, so a large request needs `within`; up to
-- this size a request is sent in one part.
local AT_ONCE = 32768

-- Sends a list of strings; `size`: about how many bytes they have.
function dial.send(ngx, stream, pieces, size)
  stream:begin "while the request was being sent"
  local socket, left_ms = stream.socket, stream:left_ms()
  socket:settimeout(left_ms)
  local sent, err
  if size <= AT_ONCE then
    sent, err = socket:send(pieces)
  else
    sent, err = within(ngx, left_ms, socket.send, socket, pieces)
  end
  if err == "timeout" then stream:time_out() end
  if not sent then fail("reset", "sending: " .. tostring(err)) end
  stream:begin "without an answer"
end

return dial
