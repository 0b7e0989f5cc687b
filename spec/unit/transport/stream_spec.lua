-- What the cosocket transport reads by: a buffer over a socket, and its limits.

local core = require "alipayhk.core"
local new_stream = require "alipayhk.transport.stream"
local scripted_socket = require "spec.support.doubles.scripted_socket"

local function stream_of(pieces, ending, timeout_ms)
  local socket = scripted_socket(pieces, ending)
  return new_stream(socket, timeout_ms or 60000), socket
end

-- The fault that a function throws.
local function thrown(...)
  local ran, fault = pcall(...)
  assert.is_false(ran)
  assert.equal("table", type(fault), tostring(fault))
  return fault
end

local function fault_of(stream, method, ...)
  return thrown(stream[method], stream, ...)
end

-- A text in pieces of a size.
local function cut(text, size)
  local pieces = {}
  for at = 1, #text, size do pieces[#pieces + 1] = text:sub(at, at + size - 1) end
  return pieces
end

describe("a stream", function()
  it("reads up to a mark, however its bytes come", function()
    local text = "one\r\ntwo\rtwo\r\n\r\nthe rest"
    for size = 1, #text do
      local stream = stream_of(cut(text, size))
      assert.equal("one", stream:read_until("\r\n", 100))
      assert.equal("two\rtwo", stream:read_until("\r\n\r\n", 100))
      assert.equal("the rest", stream:read_exactly(8))
      assert.equal("", stream:read_until("", 100))
    end
  end)

  it("reads so many bytes, and leaves the next ones", function()
    local text = ("0123456789"):rep(3)
    for size = 1, #text do
      for n = 0, #text do
        local stream = stream_of(cut(text, size))
        assert.equal(text:sub(1, n), stream:read_exactly(n))
        assert.equal(text:sub(n + 1), stream:read_exactly(#text - n))
      end
    end
  end)

  it("reads to the end, and no more than so much", function()
    for size = 1, 9 do
      assert.equal("123456789", (stream_of(cut("123456789", size))):read_to_end(9))
      assert.is_nil((stream_of(cut("123456789", size))):read_to_end(8))
    end
    assert.equal("", (stream_of {}):read_to_end(0))
  end)

  it("looks no further for a mark than it may", function()
    assert.equal(("x"):rep(10), (stream_of { ("x"):rep(10) .. "\r\n" }):read_until("\r\n", 10))
    for _, text in ipairs { ("x"):rep(11) .. "\r\n", ("x"):rep(100) } do
      assert.equal("too_large", fault_of(stream_of { text }, "read_until", "\r\n", 10).code)
    end
  end)

  it("says that it was cut short", function()
    for _, ending in ipairs { "closed", "connection reset by peer" } do
      local stream = stream_of({ "ab" }, ending)
      assert.equal("reset", fault_of(stream, "read_exactly", 3).code)
      stream = stream_of({ "ab" }, ending)
      assert.equal("reset", fault_of(stream, "read_until", "\r\n", 100).code)
    end
    assert.equal("reset", fault_of(stream_of({ "ab" }, "connection reset by peer"), "read_to_end", 9).code)
  end)

  it("is drained when nothing can be left of what came", function()
    local stream = stream_of { "abc" }
    stream:read_exactly(2)
    assert.is_false(stream:is_drained())
    stream:read_exactly(1)
    assert.is_true(stream:is_drained())
    -- A read that filled nginx's buffer: more may lie within OpenSSL.
    for _, size in ipairs { 512, 4096, 8192 } do
      stream = stream_of { ("x"):rep(size) }
      stream:read_exactly(size)
      assert.is_false(stream:is_drained())
    end
  end)

  it("knows whether an answer has begun", function()
    local stream = stream_of { "a" }
    assert.is_false(stream:is_answered())
    stream:read_exactly(1)
    assert.is_true(stream:is_answered())
    assert.is_true(stream.timing.first_byte_ms > 0)
  end)

  it("gives each read no more than what is left of its time", function()
    local stream, socket = stream_of(cut("abcdef", 1), nil, 60000)
    stream:read_exactly(6)
    local before = 60000
    for _, ms in ipairs(socket.timeouts) do
      assert.is_true(ms <= before)
      before = ms
    end
    assert.equal(6, #socket.timeouts)
  end)

  describe("whose time is over", function()
    it("says which limit that was, and how much of it passed with what", function()
      local stream = stream_of({}, "timeout")
      stream.peer = "gateway.example:443"
      stream:begin "without an answer"
      local fault = fault_of(stream, "fill")
      assert.equal("timeout", fault.code)
      assert.matches("^gateway%.example:443: the 60000 ms of timeout_ms passed without an answer %(%d+ of them%)$",
        fault.message)
    end)

    it("says so of what was left of an answer", function()
      local stream = stream_of({ "a" }, "timeout")
      assert.matches("before the answer was whole", fault_of(stream, "read_exactly", 2).message, 1, true)
    end)

    it("has a nearer limit while it connects", function()
      local stream = stream_of({}, "timeout", 60000)
      stream:begin "while a connection was made"
      stream:limit_connecting(5000)
      assert.is_true(stream:left_ms() <= 5000)
      assert.matches("the 5000 ms of connect_timeout_ms passed while a connection was made",
        fault_of(stream, "time_out").message, 1, true)
      stream:limit_connecting(nil)
      assert.is_true(stream:left_ms() > 5000)
      assert.matches("the 60000 ms of timeout_ms passed", fault_of(stream, "time_out").message, 1, true)
    end)

    it("names the whole limit where it is the nearer one", function()
      local stream = stream_of({}, "timeout", 3000)
      for _, limit_ms in ipairs { 3000, 5000 } do
        stream:limit_connecting(limit_ms)
        assert.matches("the 3000 ms of timeout_ms passed", fault_of(stream, "time_out").message, 1, true)
      end
    end)

    it("reads no more", function()
      local stream, socket = stream_of({ "a" }, nil, 1)
      core.sleep(2)
      assert.equal("timeout", fault_of(stream, "read_exactly", 1).code)
      assert.equal(0, socket.reads)
    end)
  end)
end)
