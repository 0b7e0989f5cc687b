-- Many exchanges on one libcurl handle: which connections they use.

local certificates = require "spec.support.data.certificates"
local curl = require "alipayhk.curl"
local nginx = require "spec.support.servers.nginx"
local request = require "spec.support.servers.request"
local shell = require "spec.support.shell"

local unpack = table.unpack or unpack -- luacheck: ignore 113 143 (5.1's name)

local SERVER = [[
  ssl_certificate %s/server.pem; ssl_certificate_key %s/server.key;
  keepalive_requests %d;
  location / { content_by_lua_block {
    ngx.req.read_body()
    ngx.shared.handled:incr("count", 1, 0)
    ngx.sleep(tonumber(ngx.var.arg_sleep or 0))
    ngx.header["X-Connection"] = ngx.var.connection
    ngx.print(ngx.var.server_protocol)
  } }
  location = /handled { content_by_lua_block {
    ngx.req.read_body() -- nginx resets a stream whose body it leaves unread
    ngx.print(ngx.shared.handled:get("count") or 0)
  } }
]]

local function start(keepalive_requests, listen)
  local directory = certificates()
  local server = nginx.start {
    listen = listen or "ssl http2",
    http = "lua_shared_dict handled 1m;",
    server = SERVER:format(directory, directory, keepalive_requests or 100000),
  }
  server.url = server.url:gsub("^http:", "https:")
  return server
end

-- libcurl from 8.20 on offers a connection on which there was no answer to all that wait, and each goes on a new one.
local OFFERS_THE_OLD_ONE = select(2, shell.run("${PKG_CONFIG:-pkg-config} --atleast-version=8.20.0 libcurl")) == 0

-- Sends so many, `at_once` of them under way. Gives how many had which outcome (the protocol, or an error's code), and
-- on how many connections.
local function send(multi, server, count, at_once, extra)
  local given = {}
  for name, value in pairs(extra or {}) do given[name] = value end
  given.tls = { ca_file = certificates() .. "/ca.pem" }
  local outcomes, connections, connection_count = {}, {}, 0
  local begun, under_way = 0, 0
  while begun < count or under_way > 0 do
    while begun < count and under_way < at_once do
      begun, under_way = begun + 1, under_way + 1
      multi:start(request(server.url .. (given.path or "/"), given), begun)
    end
    multi:wait(1000)
    local tag, raw, failure = multi:finished()
    while tag do
      under_way = under_way - 1
      local outcome = raw and raw.body or failure.code
      outcomes[outcome] = (outcomes[outcome] or 0) + 1
      local connection = raw and raw.headers["x-connection"]
      if connection and not connections[connection] then
        connections[connection], connection_count = true, connection_count + 1
      end
      tag, raw, failure = multi:finished()
    end
  end
  return outcomes, connection_count
end

-- How many requests the server has handled; asked on a connection of its own.
local function handled(server)
  local multi = curl.multi(1)
  local said = next((send(multi, server, 1, 1, { path = "/handled" })))
  multi:close()
  return assert(tonumber(said), said)
end

describe("a handle for many exchanges", function()
  it("says what it is, may be closed twice, and is of no use after that", function()
    local multi = curl.multi(1)
    assert.equal("alipayhk.curl.multi (open)", tostring(multi))
    for _ = 1, 2 do assert.equal(0, select("#", multi:close())) end
    assert.equal("alipayhk.curl.multi (closed)", tostring(multi))
    for name, arguments in pairs { start = { request("http://127.0.0.1:1/"), 1 }, wait = { 0 }, finished = {} } do
      assert.error_matches(function() multi[name](multi, unpack(arguments)) end, "the multi is closed", 1, true)
    end
  end)
end)

describe("many exchanges over HTTP/2", function()
  local server, multi

  before_each(function() multi = curl.multi(64) end)
  after_each(function()
    multi:close()
    server.stop()
  end)

  it("share a connection or two, from the first one on", function()
    server = start()
    for _ = 1, 5 do
      local outcomes, connections = send(multi, server, 400, 64)
      assert.same({ ["HTTP/2.0"] = 400 }, outcomes)
      assert.is_true(connections <= 2, connections)
    end
  end)

  it("move to another where the server ends one, and none is lost or handled twice", function()
    server = start(50)
    local outcomes, connections = send(multi, server, 1000, 64)
    assert.same({ ["HTTP/2.0"] = 1000 }, outcomes)
    assert.is_true(connections >= 20 and connections <= 120, connections)
    assert.equal(1000, handled(server))
  end)

  it("are not sent again by themselves where they may be sent only once", function()
    server = start(7)
    local outcomes = send(multi, server, 1000, 64, { once = true })
    assert.equal(1000, (outcomes.reset or 0) + outcomes["HTTP/2.0"])
    assert.equal(outcomes["HTTP/2.0"], handled(server))
  end)

  it("use another than one on which there was no answer", function()
    server = start()
    assert.same({ timeout = 8 }, (send(multi, server, 8, 8, { path = "/?sleep=2", timeout_ms = 300 })))
    local outcomes, connections = send(multi, server, 400, 64)
    assert.same({ ["HTTP/2.0"] = 400 }, outcomes)
    assert.is_true(connections <= (OFFERS_THE_OLD_ONE and 64 or 3), connections)
  end)
end)

describe("many exchanges over HTTP/1.1", function()
  it("share as many connections as were asked for, however many are under way", function()
    local server, multi = start(nil, "ssl"), curl.multi(2)
    local outcomes, connections = send(multi, server, 20, 10, { path = "/?sleep=0.01" })
    multi:close()
    server.stop()
    assert.same({ ["HTTP/1.1"] = 20 }, outcomes)
    assert.equal(2, connections)
  end)
end)
