-- A cosocket with a read buffer, and one deadline for everything that is done with it. Failures are thrown as in
-- `alipayhk.transport.http1`.

local core = require "alipayhk.core"
local http1 = require "alipayhk.transport.http1"
local quiet = require "alipayhk.transport.quiet"

local fail = http1.fail

local READ_SIZE = 8192

local Stream = {}
Stream.__index = Stream

-- `timeout_ms` counts from now on. Where nginx's own timeout is not enough, `receive(limit_ms, size)` is to be set.
local function new(socket, timeout_ms)
  return setmetatable({
    socket = socket,
    buffer = "", at = 1, -- `at`: where the unread bytes of the buffer begin
    timeout_ms = timeout_ms,
    started = core.monotonic(),
    peer = "the server", activity = "without an answer", active_since_ms = 0,
    -- dns_ms stays 0: nginx looks names up within connect.
    timing = { dns_ms = 0, connect_ms = 0, tls_ms = 0, first_byte_ms = 0 },
  }, Stream)
end

-- Names the activity that begins now, for the message of a timeout.
function Stream:begin(activity)
  self.activity, self.active_since_ms = activity, self:spent_ms()
end

-- Throws a timeout. Its message names the limit, the present activity, and how much of the time that activity took.
function Stream:time_out()
  local name, limit_ms = "timeout_ms", self.timeout_ms
  if self.connect_by_ms and self.connect_by_ms < limit_ms then
    name, limit_ms = "connect_timeout_ms", self.connect_timeout_ms
  end
  fail("timeout", ("%s: the %.0f ms of %s passed %s (%.0f of them)"):format(
    self.peer, limit_ms, name, self.activity, math.min(limit_ms, self:spent_ms() - self.active_since_ms)))
end

-- Sets a second deadline, connect_timeout_ms from now on; nil removes it.
function Stream:limit_connecting(limit_ms)
  self.connect_timeout_ms = limit_ms
  self.connect_by_ms = limit_ms and self:spent_ms() + limit_ms
end

-- Milliseconds until the nearer deadline; throws if it has passed.
function Stream:left_ms()
  local left = math.min(self.timeout_ms, self.connect_by_ms or self.timeout_ms) - self:spent_ms()
  if left < 1 then self:time_out() end
  return left
end

-- Milliseconds since the stream was made.
function Stream:spent_ms()
  return (core.monotonic() - self.started) * 1000
end

-- Whether the first byte of an answer has arrived.
function Stream:is_answered()
  return self.timing.first_byte_ms > 0
end

local function receive(self)
  local left_ms = self:left_ms()
  self.socket:settimeout(left_ms)
  if self.receive then return self.receive(left_ms, READ_SIZE) end
  return self.socket:receiveany(READ_SIZE)
end

-- Reads more bytes into the buffer; false if the server has closed the connection. It reads whatever has arrived: a
-- read of a fixed size would start nginx's timeout again with each byte.
function Stream:fill()
  local data, err = receive(self)
  if data then
    if not self:is_answered() then
      self.timing.first_byte_ms = self:spent_ms()
      -- Then these bytes were sent before the server had our request.
      if self.reused and not self.has_early_answers and not quiet.is_acknowledged(self.socket) then
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

-- Reads up to `mark`, and removes it, too; throws if more than `max` bytes come before it. `what`: what they are.
function Stream:read_until(mark, max, what)
  local from = self.at
  while true do
    local first, last = self.buffer:find(mark, from, true)
    local before, part_of_mark = (first or #self.buffer + 1) - self.at, first and 0 or #mark - 1
    if before > max + part_of_mark then
      fail("too_large", ("the answer's %s are too large"):format(what or "headers"))
    end
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

-- Takes all bytes out of the buffer.
function Stream:take()
  local text = self.buffer:sub(self.at)
  self.buffer, self.at = "", 1
  return text
end

-- Reads exactly n bytes. The pieces are joined only once, since a body may come in many reads.
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

-- Reads until the server closes the connection; nil if that is more than `max` bytes.
function Stream:read_to_end(max)
  local pieces, total = {}, 0
  repeat
    pieces[#pieces + 1] = self:take()
    total = total + #pieces[#pieces]
    if total > max then return nil end
  until not self:fill()
  return table.concat(pieces)
end

-- Whether everything that arrived was read. A read that filled nginx's buffer (lua_socket_buffer_size, a multiple of
-- 512) may have left bytes within OpenSSL, where the kernel does not see them.
function Stream:is_drained()
  return self.at > #self.buffer and self.last_read % 512 ~= 0
end

return new
