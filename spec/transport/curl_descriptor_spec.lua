-- File descriptors: what a child gets of ours, and what happens when there are no more.

local child = require "spec.support.child"
local limit = require("spec.support.descriptors").limit
local server = require "spec.support.servers.server"

-- Url, CA file. Prints the sockets of our connection among the files of a process that Lua starts meanwhile.
local INHERITED = [[
local url, ca_file = ...
local curl = require "alipayhk.curl"
local request = require "spec.support.servers.request"

local function read(path)
  local file = assert(io.open(path))
  local content = file:read("*a")
  file:close()
  return content
end

local transport = curl.new()
local response, failure = transport:send(request(url, { tls = { ca_file = ca_file } }))
assert(response, failure and failure.message)
local pipe = io.popen("for file in /proc/self/fd/*; do readlink \"$file\"; done; cat /proc/net/tcp /proc/net/tcp6")
local listing = pipe:read("*a")
pipe:close()
assert(listing:find("pipe:", 1, true))
local port = (":%04X"):format(tonumber(url:match(":([0-9]+)/")))
for inode in listing:gmatch("socket:%[([0-9]+)%]") do
  for line in listing:gmatch("[^\n]+") do
    if line:find(port, 1, true) and line:find(" " .. inode .. " ", 1, true) then print("inherited", line) end
  end
end
transport:close()
]]

-- Url, CA file, how many. Each client sends once, is not closed, and is forgotten.
local FORGOTTEN = [[
local url, ca_file, count = ...
local curl = require "alipayhk.curl"
local request = require "spec.support.servers.request"
for i = 1, tonumber(count) do
  local response, failure = curl.new():send(request(url, { tls = { ca_file = ca_file } }))
  assert(response, i .. ": " .. tostring(failure and failure.message))
end
]]

-- Url, CA file. Prints the most files that were open, with clients as those.
local FEW = [[
local url, ca_file = ...
local curl = require "alipayhk.curl"
local process = require "spec.support.process"
local request = require "spec.support.servers.request"
print(process.most_open_files(300, function()
  assert(curl.new():send(request(url, { tls = { ca_file = ca_file } })))
end))
]]

-- Url, CA file. Sends with no descriptor left, then one, and so on: each is sent, or the descriptors are named.
local SHORT = [[
local url, ca_file = ...
local curl = require "alipayhk.curl"
local descriptors = require "spec.support.descriptors"
local request = require "spec.support.servers.request"

local files = descriptors.take_all()
local sent, short = 0, 0
for _ = 0, 12 do
  local transport = curl.new()
  local response, failure = transport:send(request(url, { tls = { ca_file = ca_file } }))
  if response then
    sent = sent + 1
  else
    short = short + 1
    assert(failure.code == "connect", failure.code .. ": " .. failure.message)
    assert(failure.message:find("descriptors", 1, true), failure.message)
  end
  transport:close()
  table.remove(files):close()
end
print(sent > 0 and short > 0)
]]

-- Url, CA file. Prints how many clients that are in use can send.
local HELD = [[
local url, ca_file = ...
local curl = require "alipayhk.curl"
local request = require "spec.support.servers.request"
local held = {}
for _ = 1, 100 do
  held[#held + 1] = curl.new()
  local response, failure = held[#held]:send(request(url, { tls = { ca_file = ca_file } }))
  if not response then
    print(failure.code, failure.message)
    break
  end
end
for _, transport in ipairs(held) do transport:close() end
assert(curl.new():send(request(url, { tls = { ca_file = ca_file } })))
]]

describe("descriptors of curl", function()
  local gateway

  setup(function() gateway = server.start() end)
  teardown(function() gateway:stop() end)

  local function run(chunk, listener, arguments, env)
    local words = { gateway:url("/ok", listener), gateway.ca_file }
    for _, word in ipairs(arguments or {}) do words[#words + 1] = word end
    local output, status = child.run(chunk, words, env)
    assert.equal(0, status, output)
    return output
  end

  for _, listener in ipairs{ "http", "https", "h2" } do
    it("are no child's: a connection over " .. listener, function()
      assert.equal("", run(INHERITED, listener))
    end)
  end

  for _, case in ipairs{ { files = 64, clients = 150 }, { files = 1024, clients = 1000 } } do
    it(("suffice for %d clients that nobody closes where there are %d"):format(case.clients, case.files), function()
      run(FORGOTTEN, "http", { case.clients }, limit(case.files))
    end)
  end

  it("suffice for clients over TLS that nobody closes", function()
    run(FORGOTTEN, "https", { 100 }, limit(64))
  end)

  -- Others in the process want some, too.
  it("are few at any time, though nobody closes clients", function()
    local most = tonumber(run(FEW, "http"))
    assert.is_true(most < 40, most)
  end)

  for _, listener in ipairs{ "http", "https" } do
    it("are named when there are none, or too few, over " .. listener, function()
      assert.equal("true\n", run(SHORT, listener, nil, limit(64)))
    end)
  end

  it("are named when there are too few to look up a name", function()
    local url = gateway:url("/ok", "https"):gsub("127%.0%.0%.1", "localhost")
    local output, status = child.run(SHORT, { url, gateway.ca_file }, limit(64))
    assert.equal(0, status, output)
    assert.equal("true\n", output)
  end)

  it("are named when clients in use hold them all, and come back when they are closed", function()
    assert.matches("^connect\t.*descriptors", run(HELD, "https", nil, limit(64)))
  end)
end)
