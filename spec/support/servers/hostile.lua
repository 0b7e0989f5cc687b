-- A loopback server that answers each byte as a spec has it (hostile.js tells what a case may be), and an nginx
-- whose handler calls it through the library.
--
--     local hostile = require("spec.support.servers.hostile").start { cases = { { answer = "HTTP/2.0 200\r\n\r\n" } } }
--     local outcomes = hostile:ask { { case = 1 } }
--     hostile:stop()
--
-- A call: `case` is the number of a case; `path` over it; `query` behind it; `url` of the server, its main one by
-- http when absent; `config` of the client over { retry = { max_attempts = 1 }, timeout_ms = 3000 }; `size` of the
-- payload; `lag`: true to know for how long the worker did nothing else; `after_ms` to wait before; `after_late`: to
-- wait until the server has sent what a case has it send late, "asleep", or "busy" so that the worker does nothing
-- else; `card`: a notification to send; `order`; or `orders`, at once. An outcome: { ok, body, kind, code, message,
-- thrown, ms, timing, lag_ms, retryable, attempts }; of orders { many, thrown, ms }, `many` a list of outcomes.

local alipayhk_curl = require "alipayhk.curl"
local certificates = require "spec.support.data.certificates"
local json = require "cjson"
local keys = require "spec.support.data.keys"
local nginx = require "spec.support.servers.nginx"
local shell = require "spec.support.shell"

local hostile = {}
hostile.__index = hostile

local CLIENT_ID = "4Q5Y8W0WSG45P907917"
-- Nobody listens there.
local CLOSED_PORT = 1
local START = "exec node spec/support/servers/hostile.js %s %s"
local AWAIT = "for i in $(seq 500); do test -e %s && exit 0; sleep 0.02; done; exit 1"

local SETTINGS = "return { client_id = %q, private_key = %q, alipay_public_key = %q, base_url = %q, late = %q }"

local HTTP = [[
  client_max_body_size 64m;
  client_body_buffer_size 64m;
  lua_ssl_trusted_certificate %s;
  lua_ssl_verify_depth 3;
  lua_ssl_protocols TLSv1.2 TLSv1.3;
]]

local SERVER = [[
  location = /calls { content_by_lua_block { require("driver").content() } }
  location = /memory { content_by_lua_block { require("driver").memory() } }
  location = /neighbour { return 200 "here"; }
]]

-- A list for `cases`, and a function that adds a case to it and gives its number.
function hostile.plan()
  local cases = {}
  return cases, function(case)
    cases[#cases + 1] = case
    return #cases
  end
end

-- Starts the server alone.
function hostile.serve(cases)
  local directory, issued = shell.directory(), certificates()
  local self = setmetatable({
    directory = directory, cases = cases, client_id = CLIENT_ID, ca_file = issued .. "/ca.pem",
  }, hostile)
  shell.write(directory .. "/plan", json.encode {
    client_id = CLIENT_ID, cases = cases,
    keys = { alipayhk = keys.pair("alipayhk").private, another = keys.pair("merchant2").private },
  })
  self:forget()
  self.input = assert(io.popen(START:format(shell.quote(directory), shell.quote(issued)), "w"))
  shell.must("(" .. AWAIT:format(shell.quote(directory .. "/ports")) .. ")")
  self.ports = json.decode(shell.read(directory .. "/ports"))
  self.ports.closed = CLOSED_PORT
  return self
end

-- Starts both. `options`: `cases`; `http`, `server`: further lines of nginx.conf, in which {names} is the port of
-- a resolver, {forgetful} and {hushed} those of two that answer once, and {deaf} that of a server which says
-- nothing; `trusted`: false for no trusted certificate.
function hostile.start(options)
  local self = hostile.serve(options.cases)
  local directory, issued = self.directory, certificates()
  local merchant, alipayhk = keys.pair("merchant"), keys.pair("alipayhk")
  local function filled(text)
    return ((text or ""):gsub("{(%l+)}", function(name)
      return self.ports[name] and ("%d"):format(self.ports[name])
    end))
  end
  local http = HTTP:format(issued .. "/ca.pem")
  if options.trusted == false then http = http:gsub("lua_ssl_trusted_certificate[^;]*;", "") end
  self.nginx = nginx.start {
    http = http .. filled(options.http),
    server = SERVER .. filled(options.server),
    files = {
      ["driver.lua"] = shell.read("spec/support/servers/hostile_driver.lua"),
      ["settings.lua"] = SETTINGS:format(CLIENT_ID, merchant.private, alipayhk.public, self:url(),
        directory .. "/late"),
    },
  }
  self.handle = alipayhk_curl.new()
  return self
end

-- The base URL of a listener: `main` (default), `other`, `full`, `deaf`, `rude`, `slow`, `ends`, `resets`, `slams`,
-- `leaves`, `closed`; those of hostile.js's TLS; `renewing`; `caseN`, of a case that has frames.
function hostile:url(scheme, host, listener)
  return ("%s://%s:%d"):format(scheme or "http", host or "127.0.0.1", self.ports[listener or "main"])
end

-- That of the main one by a scheme, by a name that its certificate is for.
function hostile:url_of(scheme)
  return self:url(scheme, scheme == "https" and "localhost" or nil)
end

-- Asks nginx for a path.
function hostile:get(path, body)
  local answer, fault = self.handle:send {
    method = "POST", url = self.nginx.url .. path, headers = {}, body = body or "",
    connect_timeout_ms = 10000, timeout_ms = 240000, max_response_bytes = 32 * 1024 * 1024,
  }
  if not answer then error(path .. ": " .. fault.message, 2) end
  return answer.body, answer.status
end

-- What comes of calls, one after the other, or so many at a time. `path` is that of another location with the
-- same handler.
function hostile:ask(list, threads, path)
  local body = self:get(path or "/calls", json.encode { calls = list, threads = threads or 1 })
  local outcomes = json.decode(body)
  if type(outcomes) ~= "table" then error("no outcomes: " .. tostring(body), 2) end
  return outcomes
end

-- The requests that arrived, oldest first: { target, connection, nth, length, body, bytes, host, tls, server_name };
-- `length` is that of the case's whole answer, `open` how many connections there were.
function hostile:log()
  local entries = {}
  for line in (shell.read(self.directory .. "/log")):gmatch("[^\n]+") do entries[#entries + 1] = json.decode(line) end
  return entries
end

-- How many of them each case got, by its number.
function hostile:counts()
  local counts = {}
  for _, entry in ipairs(self:log()) do
    local number = tonumber(entry.target:match("^/case/(%d+)"))
    counts[number] = (counts[number] or 0) + 1
  end
  return counts
end

-- Of those, the numbers that they have within their connections, in order; and how often each body arrived.
function hostile:arrived()
  local order, bodies = {}, {}
  for i, entry in ipairs(self:log()) do
    order[i] = entry.nth
    bodies[entry.body] = (bodies[entry.body] or 0) + 1
  end
  return order, bodies
end

-- Ends the connections that nginx keeps to the main listener, by a case that does so, and empties the log.
function hostile:begin_anew(last)
  for _, url in ipairs { self:url(), self:url("http", "localhost"), self:url("https", "localhost") } do
    repeat until select(2, hostile.succeeds(self:ask({ { case = last, url = url } })[1])) == 1
  end
  self:forget()
end

-- What comes of calls by a scheme, one for each case; their ids are "request-1", "request-2", ...
function hostile:ask_each(scheme, ...)
  local list = {}
  for i, case in ipairs { ... } do
    list[i] = { case = case, url = self:url_of(scheme), id = ("request-%d"):format(i) }
  end
  return self:ask(list)
end

-- Empties the log.
function hostile:forget()
  shell.write(self.directory .. "/log", "")
end

-- An outcome has to be a success: of which connection, and the how manieth there.
function hostile.succeeds(outcome)
  if not outcome.ok then error("no success: " .. tostring(outcome.thrown or outcome.message), 2) end
  return tonumber(outcome.body.connection), tonumber(outcome.body.nth)
end

-- In one word.
function hostile.word(outcome)
  if outcome.thrown then return "thrown: " .. outcome.thrown end
  return outcome.ok and "success" or outcome.kind .. "/" .. tostring(outcome.code)
end

-- It has to be a failure of the transport, with a code.
function hostile.fails(code, outcome)
  local found = hostile.word(outcome)
  if found ~= "transport/" .. code then error(("%s expected, found %s"):format(code, found), 2) end
end

-- What nginx logged that it never should: an alert, a critical error, or an error thrown in Lua.
function hostile:complaint()
  return self.nginx.complaints { "lua entry thread aborted", "runtime error", "stack traceback", "attempt to " }[1]
end

function hostile:stop()
  if self.handle then self.handle:close() end
  if self.nginx then self.nginx.stop() end
  self.input:close()
end

return hostile
