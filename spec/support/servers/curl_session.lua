-- A loopback server for the tests of a block, and for each of them a transport over libcurl.
--
--     describe("...", function()
--       local session = curl_session()
--       it("...", function()
--         local response, failure = session:send("/hang", "https", { timeout_ms = 100 })
--         assert.equal(1, #session.gateway:log())
--       end)
--     end)
--
-- `session.gateway` is the server, `session.transport` the transport; a test may put another in its place.

local busted = require "busted"
local curl = require "alipayhk.curl"
local request = require "spec.support.servers.request"
local server = require "spec.support.servers.server"

local Session = {}
Session.__index = Session

-- Sends to a path of the server's. `fields` are those of the request; its CA is the server's unless they say another.
function Session:send(path, listener, fields)
  local outgoing = request(self.gateway:url(path, listener), fields)
  outgoing.tls = outgoing.tls or { ca_file = self.gateway.ca_file }
  return self.transport:send(outgoing)
end

-- The response; without one the test fails, and says why.
function Session:must_send(...)
  local response, failure = self:send(...)
  return assert(response, failure and failure.message)
end

-- Goes on with a transport that has no connection yet.
function Session:renew()
  self.transport:close()
  self.transport = curl.new()
end

return function()
  local session = setmetatable({}, Session)
  busted.setup(function() session.gateway = server.start() end)
  busted.teardown(function() session.gateway:stop() end)
  busted.before_each(function()
    session.gateway:forget()
    session.transport = curl.new()
  end)
  busted.after_each(function() session.transport:close() end)
  return session
end
