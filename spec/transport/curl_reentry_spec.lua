-- A finalizer runs wherever Lua allocates, so also while an answer is turned into tables.

local child = require "spec.support.child"
local server = require "spec.support.servers.server"

local COLLECTIONS_MIN = 3 -- 5.2 collects in steps

-- Url of the wire listener, one where nobody listens, name of a case. In a process of its own, whose heap is so small
-- that every allocation may collect all of it. Prints how many collections there were in one send, at most.
local CHUNK = [[
local base, closed, name = ...
local curl = require "alipayhk.curl"
local request = require "spec.support.servers.request"
local wire = require "spec.support.servers.wire"

local HEADERS = 10
local COLLECTIONS_MAX = 400

-- Something that is collected with this function; 5.1 has no __gc of tables.
local function finalized(finalizer)
  if newproxy then
    getmetatable(newproxy(true)).__gc = finalizer
  else
    setmetatable({}, { __gc = finalizer })
  end
end

-- All of it, at every allocation.
local function collect_eagerly()
  if _VERSION == "Lua 5.4" then collectgarbage("incremental", 0, 1000, 40) end
  collectgarbage("setpause", 0)
  if _VERSION ~= "Lua 5.4" then collectgarbage("setstepmul", 1000000) end
  collectgarbage() -- the pause counts from its end
end

local function collect_calmly()
  collectgarbage("setpause", 200)
end

-- An answer in which every header and the body is the same word.
local function uniform(word)
  local lines = { "HTTP/1.1 200 OK", "Content-Length: " .. #word }
  for i = 1, HEADERS do lines[#lines + 1] = ("X-%d: %s"):format(i, word) end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. word
end

local function outgoing_for(word)
  return request(base .. wire.path{ wire.say(uniform(word)) })
end

local function assert_uniform(word, response, failure)
  assert(response, failure and failure.message)
  assert(response.body == word, response.body)
  for i = 1, HEADERS do assert(response.headers["x-" .. i] == word) end
end

local seen, at, action = 0, 0, nil
local function arm()
  finalized(function()
    if not action then return end
    seen = seen + 1
    if seen == at then action() end
    arm()
  end)
end

-- Sends with `finalizer` called at the first collection meanwhile, then at the second, and so on until there are fewer.
local function sweep(prepare, judge, finalizer)
  repeat
    local transport, outgoing = prepare(at + 1)
    at, seen = at + 1, 0
    collect_eagerly()
    action = function() finalizer(transport) end
    arm()
    local ok, response, failure = pcall(transport.send, transport, outgoing)
    collect_calmly()
    action = nil
    judge(at, ok, response, failure)
  until seen < at or at == COLLECTIONS_MAX
  print(at)
end

local function word_of(n) return ("word-%d-"):format(n) .. ("x"):rep(200) end

local function prepare(n) return curl.new(), outgoing_for(word_of(n)) end

local function judge(n, ok, response, failure)
  if ok then
    assert_uniform(word_of(n), response, failure)
  else
    assert(response:find("closed", 1, true), response)
  end
end

local cases = {}

function cases.close()
  sweep(prepare, judge, function(transport) transport:close() end)
end

function cases.failure()
  local outgoing = request(closed)
  sweep(function() return curl.new(), outgoing end, function(_, ok, response, failure)
    if ok then
      assert(response == nil and failure.code == "connect" and failure.message:find("127.0.0.1", 1, true))
    else
      assert(response:find("closed", 1, true), response)
    end
  end, function(transport) transport:close() end)
end

function cases.send()
  local transport = curl.new()
  local inner = outgoing_for("inner")
  local broken
  sweep(function(n) return transport, outgoing_for(word_of(n)) end, function(...)
    judge(...)
    assert(not broken, broken)
  end, function()
    local kept = action
    action = nil
    local ok, message = pcall(function() assert_uniform("inner", transport:send(inner)) end)
    if not ok then broken = message end
    action = kept
  end)
end

function cases.fail()
  local transport = curl.new()
  local inner = request(closed)
  sweep(function(n) return transport, outgoing_for(word_of(n)) end, judge, function() transport:send(inner) end)
end

cases[name]()
]]

describe("a finalizer in the middle of send", function()
  local gateway

  setup(function() gateway = server.start() end)
  teardown(function() gateway:stop() end)

  local CASES = {
    close = "closes the transport, and the answer stays what it was",
    failure = "closes the transport, and a failure says what it was",
    send = "sends over the same transport, and neither answer is the other's",
    fail = "fails over the same transport, and the answer stays what it was",
  }

  for name, title in pairs(CASES) do
    it(title, function()
      local output, status = child.run(CHUNK, { gateway:url("", "wire"), gateway:url("/", "closed"), name })
      assert.equal(0, status, output)
      assert.is_true(tonumber(output) >= COLLECTIONS_MIN, output)
    end)
  end
end)
