-- A stream whose bytes arrive in pieces of one size, and then the connection is closed.

local new_stream = require "alipayhk.transport.stream"

local pieces = {}

local Socket = {}
Socket.__index = Socket

function Socket.settimeout() end

function Socket:receiveany(max)
  if self.at > #self.bytes then return nil, "closed" end
  local piece = self.bytes:sub(self.at, self.at + math.min(self.size, max) - 1)
  self.at = self.at + #piece
  return piece
end

function pieces.stream(bytes, size)
  return new_stream(setmetatable({ bytes = bytes, size = size, at = 1 }, Socket), 3600 * 1000)
end

return pieces
