-- A link to Redis for nginx, over cosockets; `alipayhk.delivery.redis.blocking` says what a link is. A connection comes
-- from nginx's pool for each run, and goes back to it.

local core = require "alipayhk.core"
local digest = require "alipayhk.base.digest"
local dial = require "alipayhk.transport.dial"
local login = require "alipayhk.delivery.redis.login"
local new_stream = require "alipayhk.transport.stream"
local quiet = require "alipayhk.transport.quiet"
local resp = require "alipayhk.delivery.redis.resp"
local runtime = require "alipayhk.base.runtime"

local cosocket = {}

local KEEP_IDLE_MS = 55000

local CODES = {
  dns = "CONNECTION", connect = "CONNECTION", reset = "CONNECTION", timeout = "TIMEOUT", tls = "TLS",
  too_large = "PROTOCOL", protocol = "PROTOCOL",
}

-- Connections of one pool are interchangeable: for the same server, logged in as the same user to the same database.
local function pool_of(target)
  local parts = {}
  for i, name in ipairs { "user", "password", "server_name" } do
    local part = target[name] or ""
    parts[i] = #part .. ":" .. part
  end
  return ("alipayhk:redis:%s:%s:%d:%s"):format(tostring(target.tls), target.peer, target.database,
    core.hex_encode(digest.sha256(table.concat(parts))))
end

local function peer_of(target)
  return {
    host = target.host:find(":", 1, true) and "[" .. target.host .. "]" or target.host, port = target.port,
    server_name = target.tls and (target.server_name or target.host) or nil,
    pool = pool_of(target), setting = "the host in the store's URL",
  }
end

local function send(ngx, stream, bytes)
  dial.send(ngx, stream, { bytes }, #bytes)
end

-- Logs in; throws what refused it.
local function log_in(ngx, stream, commands)
  if #commands == 0 then return end
  send(ngx, stream, resp.encode(commands))
  local message, code = login.fault(resp.read(stream, #commands))
  if message then error({ message = message, reply_code = code }, 0) end
end

-- Whether a replica answered in the primary's place: a new connection may find the primary.
local function is_demoted(results)
  for _, result in ipairs(results) do
    if result[3] == "READONLY" then return true end
  end
  return false
end

local function exchange(ngx, stream, target, peer, bytes, replies)
  dial.open(ngx, stream, peer, target.connect_timeout_ms)
  if not stream.reused then log_in(ngx, stream, login.commands(target)) end
  stream.has_begun = true
  send(ngx, stream, bytes)
  local results = resp.read(stream, replies)
  local is_fit = not is_demoted(results) and stream:is_drained() and quiet.is_quiet(stream.socket)
  if not (is_fit and stream.socket:setkeepalive(KEEP_IDLE_MS)) then stream.socket:close() end
  return results
end

-- Whether the server has never said anything on it.
local function is_mute(stream)
  return not stream.reused and not stream:is_answered()
end

-- Gives a link, or nil and a message. No I/O yet.
function cosocket.new(target)
  if target.ca_file then
    return nil, "ca_file: inside nginx the directive lua_ssl_trusted_certificate names the CA file"
  end
  local peer = peer_of(target)
  local link = {}

  function link.run(commands)
    local bytes = resp.encode(commands)
    local ngx = runtime.nginx()
    local has_sockets, socket = pcall(ngx.socket.tcp)
    if not has_sockets then
      return nil, ("nginx allows no connections in the phase %s: call from ngx.timer.at(0, ...)"):format(
        ngx.get_phase()), "PHASE", false
    end
    local stream = new_stream(socket, target.timeout_ms)
    stream.peer = target.peer
    stream.has_early_answers = true -- the first command is answered while the last is on its way
    local ran, results = pcall(exchange, ngx, stream, target, peer, bytes, #commands)
    if ran then return results end
    pcall(socket.close, socket)
    local fault = type(results) == "table" and results or { message = tostring(results), code = "protocol" }
    local advice = fault.code == "reset" and stream.has_begun and is_mute(stream) and resp.ADVICE or ""
    return nil, fault.message .. advice, fault.reply_code or CODES[fault.code], stream.has_begun or false
  end

  function link.close() end -- the connections are in nginx's own pools

  return link
end

return cosocket
