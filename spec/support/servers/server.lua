-- A loopback HTTP server that misbehaves on request (behaviours.js has the list).
--
--     local gateway = server.start{ answer = { status = 200, headers = {}, body = "{}" } }
--     gateway:url("/hang", "https")
--     gateway:stop()
--
-- It ends with this process too: its standard input is our pipe.

local json = require "dkjson"

local certificates = require "spec.support.data.certificates"
local shell = require "spec.support.shell"

local server = {}
server.__index = server

local PLAIN = { http = true, proxy = true, closed = true, wire = true }

-- Nobody listens there.
local CLOSED_PORT = 1

local START = "exec node spec/support/servers/server.js %s %s"
local AWAIT = "for i in $(seq 500); do test -e %s && exit 0; sleep 0.02; done; exit 1"
local PIN = "openssl x509 -pubkey -noout -in %s | openssl pkey -pubin -outform der"
  .. " | openssl dgst -sha256 -binary | openssl base64"

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- JSON has no bytes.
local function encodable(answer)
  if type(answer) == "string" then return answer end
  return { status = answer.status or 200, headers = answer.headers or {}, body_hex = hex(answer.body or "") }
end

local function each(list, convert)
  local converted = list and {}
  for i, item in ipairs(list or {}) do converted[i] = convert(item) end
  return converted
end

-- Starts a server with the options `answer` and `script` (see the methods of these names).
function server.start(options)
  options = options or {}
  local directory, issued = shell.directory(), certificates()
  local self = setmetatable({
    directory = directory,
    plan = { id = 0, answer = encodable({ body = "ok" }) },
    ca_file = issued .. "/ca.pem",
    other_ca_file = issued .. "/other_ca.pem",
    client_cert = issued .. "/client.pem",
    client_key = issued .. "/client.key",
    server_cert = issued .. "/server.pem",
    server_key = issued .. "/server.key",
  }, server)
  if options.answer then self:answer(options.answer) end
  self:script(options.script)
  self:forget()
  self.input = assert(io.popen(START:format(shell.quote(directory), shell.quote(issued)), "w"))
  shell.must("(" .. AWAIT:format(shell.quote(directory .. "/ports")) .. ")")
  self.ports = json.decode(shell.read(directory .. "/ports"))
  self.ports.closed = CLOSED_PORT
  return self
end

function server:apply()
  self.plan.id = self.plan.id + 1
  shell.write(self.directory .. "/plan", json.encode(self.plan))
end

-- The answer of /ok and of every path that is no behaviour: { status, headers, body }. A header's
-- value may be a list: it is then sent as often.
function server:answer(answer)
  self.plan.answer = encodable(answer)
  self:apply()
end

-- What /script and every path that is no behaviour do, turn by turn: behaviours without the first
-- slash ("reset", "503", "flaky/1/hang") or answers. After the last comes 599. nil: no script.
function server:script(steps)
  self.plan.steps = each(steps, encodable)
  self:apply()
end

-- A listener is http (default), https, h2, tls11, tls12 (and nothing newer), mutual, mutual12,
-- wrong_host, expired, unknown_ca, proxy, silent (accepts, and not one byte), socks (5, and
-- refuses), hangup and hangup_hard (in the middle of TLS, by a reset), wire or wires (over TLS: they say the
-- bytes that the path has, see wire.lua), or closed.
function server:url(path, listener)
  listener = listener or "http"
  return ("%s://127.0.0.1:%d%s"):format(PLAIN[listener] and "http" or "https", self.ports[listener], path)
end

-- The server certificate's key as curl pins it.
function server:pin()
  return "sha256//" .. shell.must(PIN:format(shell.quote(self.server_cert))):gsub("%s", "")
end

-- The requests received so far, oldest first: { listener, connection, version, method, path,
-- headers = { [lower-case name] = value }, raw_headers = { { name, value }, ... }, body, complete, at_ms }.
-- A request is written down before it is answered; the last one may be half written.
function server:log()
  local content = shell.read(self.directory .. "/log")
  local entries, at = {}, 1
  while true do
    local line_end = content:find("\n", at, true)
    local entry = line_end and json.decode(content:sub(at, line_end - 1))
    local last = entry and line_end + entry.length
    if not last or last > #content then return entries end
    entry.body = content:sub(line_end + 1, last)
    entries[#entries + 1] = entry
    at = last + 1
  end
end

-- Empties the log.
function server:forget()
  shell.write(self.directory .. "/log", "")
end

function server:stop()
  if self.input then self.input:close() end
  self.input = nil
end

return server
