--- HTTP/1.1 over nginx's cosockets: nothing here blocks the worker.
-- @module alipayhk.transport.cosocket

local core = require "alipayhk.core"

local transport = {}

local HEAD_MAX, HEADER_COUNT_MAX = 65536, 100
local CHUNK_LINE_MAX = 256
local READ_SIZE = 8192
local KEEP_IDLE_MS = 55000 -- nginx closes after 60 or 75 seconds: be first
local PHASES = { rewrite = true, access = true, content = true, timer = true, preread = true, ssl_cert = true }

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

-- Failures travel as tables { code, message } through error(), and leave `send` as nil, fault.
local function fail(code, message)
  error({ code = code, message = message }, 0)
end

-- ---- a socket with one deadline for everything --------------------------------------------------

local Stream = {}
Stream.__index = Stream

function Stream:left_ms()
  local left = (self.deadline - core.monotonic()) * 1000
  if left < 1 then fail("timeout", ("no answer within %d ms"):format(self.timeout_ms)) end
  return left
end

-- More bytes into the buffer; false when the other side has closed.
function Stream:fill()
  self.socket:settimeout(self:left_ms())
  local data, err = self.socket:receiveany(READ_SIZE)
  if data then
    self.first_byte = self.first_byte or core.monotonic()
    self.buffer = self.buffer .. data
    return true
  end
  if err == "timeout" then self:left_ms() fail("timeout", ("no answer within %d ms"):format(self.timeout_ms)) end
  if err == "closed" then return false end
  fail("reset", "the connection broke: " .. tostring(err))
end

-- Everything up to `mark`, which is taken too.
function Stream:read_until(mark, max)
  while true do
    local first, last = self.buffer:find(mark, 1, true)
    if (first or #self.buffer) > max then fail("too_large", "the answer's headers are too large") end
    if first then
      local text = self.buffer:sub(1, first - 1)
      self.buffer = self.buffer:sub(last + 1)
      return text
    end
    if not self:fill() then fail("reset", "the connection was closed before the end of the answer") end
  end
end

-- Exactly n bytes; pieces are joined once, for a body that comes in many reads.
function Stream:read_exactly(n)
  local pieces, have = { self.buffer }, #self.buffer
  while have < n do
    self.buffer = ""
    if not self:fill() then fail("reset", "the connection was closed before the end of the answer") end
    pieces[#pieces + 1] = self.buffer
    have = have + #self.buffer
  end
  local all = table.concat(pieces)
  self.buffer = all:sub(n + 1)
  return all:sub(1, n)
end

function Stream:read_to_end(max)
  local pieces, total = {}, 0
  repeat
    pieces[#pieces + 1] = self.buffer
    total = total + #self.buffer
    self.buffer = ""
    if total > max then fail("too_large", "the answer is larger than max_response_bytes") end
  until not self:fill()
  return table.concat(pieces)
end

-- ---- the answer --------------------------------------------------------------------------------

local function parse_head(text)
  local version, status, rest = text:match("^HTTP/1%.([01]) (%d%d%d)[^\r\n]*(.*)$")
  if not version then fail("protocol", "the answer is not HTTP/1.1") end
  local headers, count = {}, 0
  for line in rest:gmatch("\r\n([^\r\n]*)") do
    local name, value = line:match("^([^%s:]+):[ \t]*(.-)[ \t]*$")
    if not name then fail("protocol", "a header line of the answer cannot be read") end
    name = name:lower()
    headers[name] = headers[name] and (headers[name] .. ", " .. value) or value
    count = count + 1
  end
  if count > HEADER_COUNT_MAX then fail("too_large", "the answer has too many headers") end
  return { status = tonumber(status), headers = headers, persistent = version == "1" }
end

local function read_chunks(stream, max)
  local pieces, total = {}, 0
  while true do
    local line = stream:read_until("\r\n", CHUNK_LINE_MAX)
    local digits = line:match("^(%x+)[ \t]*$") or line:match("^(%x+)[ \t]*;")
    if not digits or #digits > 8 then fail("protocol", "a chunk size of the answer cannot be read") end
    local size = tonumber(digits, 16)
    if size == 0 then break end
    total = total + size
    if total > max then fail("too_large", "the answer is larger than max_response_bytes") end
    pieces[#pieces + 1] = stream:read_exactly(size)
    if stream:read_exactly(2) ~= "\r\n" then fail("protocol", "a chunk of the answer is longer than it says") end
  end
  -- Trailers end with an empty line; we use none of them.
  while stream:read_until("\r\n", HEAD_MAX) ~= "" do end
  return table.concat(pieces)
end

local BODILESS = { [204] = true, [304] = true }

local function read_body(stream, head, max)
  if BODILESS[head.status] then return "" end
  local length, coding = head.headers["content-length"], head.headers["transfer-encoding"]
  if coding then
    if length or coding:lower() ~= "chunked" then
      fail("protocol", "the answer's length is ambiguous: Transfer-Encoding beside something else")
    end
    return read_chunks(stream, max)
  end
  if not length then
    head.persistent = false
    return stream:read_to_end(max)
  end
  if not length:find("^%d+$") or #length > 10 then fail("protocol", "the answer's Content-Length cannot be read") end
  if tonumber(length) > max then fail("too_large", "the answer is larger than max_response_bytes") end
  return stream:read_exactly(tonumber(length))
end

local function read_answer(stream, max)
  local head
  repeat head = parse_head(stream:read_until("\r\n\r\n", HEAD_MAX)) until head.status >= 200
  return head, read_body(stream, head, max)
end

-- ---- connecting and sending --------------------------------------------------------------------

local function connect(stream, url, limit_ms)
  -- The pool's name holds all that makes one connection unlike another.
  local pool = ("alipayhk:%s:%s:%d"):format(url.scheme, url.host, url.port)
  stream.socket:settimeout(math.min(limit_ms, stream:left_ms()))
  local ok, err = stream.socket:connect(url.host, url.port, { pool = pool })
  if ok then return end
  err = tostring(err)
  if err:find("resolve") then fail("dns", err .. " (does the nginx configuration have a `resolver`?)") end
  fail(err == "timeout" and "timeout" or "connect", ("connecting to %s:%d: %s"):format(url.host, url.port, err))
end

-- Some releases of lua-resty-core throw where a handshake fails at once. (Never pass false for the
-- session: the same releases then call such a failure a success.)
local function handshake(stream, url)
  local socket = stream.socket
  socket:settimeout(stream:left_ms())
  local ran, ok, err = pcall(socket.sslhandshake, socket, nil, url.host, true)
  if ran and ok then return end
  if err == "timeout" then fail("timeout", "no TLS handshake in time") end
  fail("tls", ("%s: the TLS handshake failed: %s; nginx's error log may say more, lua_ssl_trusted_certificate"):format(
    url.host, ran and tostring(err) or "the certificate was not accepted") .. " names the CAs that are trusted")
end

local function head_of(request, url)
  local lines = { "POST " .. url.target .. " HTTP/1.1", "Host: " .. url.authority }
  for name, value in pairs(request.headers) do
    if (name .. value):find("[%z\r\n]") then fail("protocol", "header " .. name .. ": CR, LF or NUL in it") end
    lines[#lines + 1] = name .. ": " .. value
  end
  lines[#lines + 1] = "Content-Length: " .. #request.body
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function parse_url(text)
  local scheme, authority, target = text:match("^(https?)://([^/]+)(/.*)$")
  if not scheme then fail("protocol", "the URL cannot be read") end
  local host, port = authority:match("^(.-):?(%d*)$")
  if authority:sub(1, 1) == "[" then host, port = authority:match("^(%[.-%]):?(%d*)$") end
  return {
    scheme = scheme,
    authority = authority,
    target = target,
    host = host,
    port = tonumber(port) or (scheme == "https" and 443 or 80),
  }
end

local function exchange(stream, request)
  local started = core.monotonic()
  local function since(moment) return moment and (moment - started) * 1000 or 0 end

  local url = parse_url(request.url)
  local head = head_of(request, url)
  connect(stream, url, request.connect_timeout_ms)
  local fresh = stream.socket:getreusedtimes() == 0
  local connected = fresh and core.monotonic() or nil
  if fresh and url.scheme == "https" then handshake(stream, url) end
  local secured = fresh and url.scheme == "https" and core.monotonic() or nil

  stream.socket:settimeout(stream:left_ms())
  local sent, err = stream.socket:send { head, request.body }
  if not sent then fail(err == "timeout" and "timeout" or "reset", "sending: " .. tostring(err)) end
  local answer, body = read_answer(stream, request.max_response_bytes)

  local connection = (answer.headers["connection"] or ""):lower()
  if answer.persistent and not connection:find("close", 1, true) and stream.buffer == "" then
    stream.socket:setkeepalive(KEEP_IDLE_MS)
  else
    stream.socket:close()
  end
  return {
    status = answer.status,
    headers = answer.headers,
    body = body,
    timing = {
      dns_ms = 0, -- nginx resolves within connect
      connect_ms = since(connected),
      tls_ms = since(secured),
      first_byte_ms = since(stream.first_byte),
      total_ms = since(core.monotonic()),
    },
  }
end

local function send(request)
  local ngx = rawget(_G, "ngx")
  local phase = ngx.get_phase()
  if not PHASES[phase] then
    return nil, {
      code = "phase",
      message = ("nginx allows no connections in the phase %s: call from ngx.timer.at(0, ...)"):format(phase),
    }
  end
  local stream = setmetatable({
    socket = ngx.socket.tcp(),
    buffer = "",
    timeout_ms = request.timeout_ms,
    deadline = core.monotonic() + request.timeout_ms / 1000,
  }, Stream)
  local ok, result = pcall(exchange, stream, request)
  if ok then return result end
  stream.socket:close()
  if type(result) == "table" then return nil, result end
  error(result, 0)
end

local function nothing() end

--- @treturn table `{ send, close }`; the connections live in nginx's own pools
function transport.new()
  return { send = send, close = nothing }
end

return transport
