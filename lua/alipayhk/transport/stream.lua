-- A cosocket with a buffer, and one deadline for all that is done with it.

local core = require "alipayhk.core"
local http1 = require "alipayhk.transport.http1"
local quiet = require "alipayhk.transport.quiet"

local fail = http1.fail

local READ_SIZE = 8192

local Stream = {}
Stream.__index = Stream

-- A stream over a cosocket; the time limit begins now.
local function new(socket, timeout_ms)
  return setmetatable({
    socket = socket,
    buffer = "", at = 1, -- what was read and not taken begins there
    timeout_ms = timeout_ms,
    started = core.monotonic(),
    peer = "the server", activity = "without an answer", active_since_ms = 0,
    -- nginx resolves within connect.
    timing = { dns_ms = 0, connect_ms = 0, tls_ms = 0, first_byte_ms = 0 },
  }, Stream)
end

-- Names what the time is spent on from now on, for messages.
function Stream:begin(activity)
  self.activity, self.active_since_ms = activity, self:spent_ms()
end

-- Throws a timeout that says which limit has passed, what the time was spent on last, and how long.
function Stream:time_out()
  local name, limit_ms = "timeout_ms", self.timeout_ms
  if self.connect_by_ms and self.connect_by_ms < limit_ms then
    name, limit_ms = "connect_timeout_ms", self.connect_timeout_ms
  end
  fail("timeout", ("%s: the %.0f ms of %s passed %s (%.0f of them)"):format(
    self.peer, limit_ms, name, self.activity, math.min(limit_ms, self:spent_ms() - self.active_since_ms)))
end

-- Puts a nearer limit, connect_timeout_ms, in force from now on; nil ends it.
function Stream:limit_connecting(limit_ms)
  self.connect_timeout_ms = limit_ms
  self.connect_by_ms = limit_ms and self:spent_ms() + limit_ms
end

-- Milliseconds until the nearer of the limits; throws once it has passed.
function Stream:left_ms()
  local left = math.min(self.timeout_ms, self.connect_by_ms or self.timeout_ms) - self:spent_ms()
  if left < 1 then self:time_out() end
  return left
end

-- Milliseconds from the start until now.
function Stream:spent_ms()
  return (core.monotonic() - self.started) * 1000
end

-- Whether a byte of an answer has come.
function Stream:is_answered()
  return self.timing.first_byte_ms > 0
end

-- Reads what there is into the buffer; false when the other side has closed. A read of a given size would start its
-- time limit anew with each byte.
function Stream:fill()
  self.socket:settimeout(self:left_ms())
  local data, err = self.socket:receiveany(READ_SIZE)
  if data then
    if not self:is_answered() then
      self.timing.first_byte_ms = self:spent_ms()
      -- Then the answer was sent before the server had our request.
      if self.reused and not quiet.is_acknowledged(self.socket) then
        fail("reset", "an answer came before the server had the request: it is another's, and was dropped")
      end
      self:begin "before the answer was whole"
    end
    self.buffer, self.at = self.buffer:sub(self.at) .. data, 1
    self.last_read = #data
    return true
  end
  if err == "timeout" then self:time_out() end
  if err == "closed" then return false end
  fail("reset", "the connection broke: " .. tostring(err))
end

local function cut_short()
  fail("reset", "the connection was closed before the end of the answer")
end

-- Takes everything up to `mark`, and the mark.
function Stream:read_until(mark, max)
  local from = self.at
  while true do
    local first, last = self.buffer:find(mark, from, true)
    if (first or #self.buffer + 1) - self.at > max then fail("too_large", "the answer's headers are too large") end
    if first then
      local text = self.buffer:sub(self.at, first - 1)
      self.at = last + 1
      return text
    end
    local searched = #self.buffer - self.at + 1
    if not self:fill() then cut_short() end
    from = math.max(1, searched - #mark + 2)
  end
end

-- Takes all that is in the buffer.
function Stream:take()
  local text = self.buffer:sub(self.at)
  self.buffer, self.at = "", 1
  return text
end

-- Takes exactly n bytes. Pieces are joined once, for a body may come in many reads.
function Stream:read_exactly(n)
  local have = #self.buffer - self.at + 1
  if have >= n then
    self.at = self.at + n
    return self.buffer:sub(self.at - n, self.at - 1)
  end
  local pieces = { self:take() }
  while have < n do
    if not self:fill() then cut_short() end
    local missing = n - have
    have = have + #self.buffer
    pieces[#pieces + 1] = have > n and self:read_exactly(missing) or self:take()
  end
  return table.concat(pieces)
end

-- Takes all bytes until the other side closes; nil where that is more than `max`.
function Stream:read_to_end(max)
  local pieces, total = {}, 0
  repeat
    pieces[#pieces + 1] = self:take()
    total = total + #pieces[#pieces]
    if total > max then return nil end
  until not self:fill()
  return table.concat(pieces)
end

-- Whether all that came has been taken. A read that filled nginx's buffer may have left bytes within OpenSSL, where
-- they cannot be seen. (lua_socket_buffer_size is a multiple of 512.)
function Stream:is_drained()
  return self.at > #self.buffer and self.last_read % 512 ~= 0
end

return new
