-- What the cosocket transport reads by: a buffer over a socket, and its limits.

local core = require "alipayhk.core"
local new_stream = require "alipayhk.transport.stream"
local quiet = require "alipayhk.transport.quiet"
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

  it("takes a mark for what it is, no pattern", function()
    assert.equal("a%b", (stream_of { "a%b.c" }):read_until(".", 100))
  end)

  it("stops reading once there is more than it may give", function()
    local stream, socket = stream_of(cut(("x"):rep(100), 10))
    assert.is_nil(stream:read_to_end(25))
    assert.equal(3, socket.reads)
    stream, socket = stream_of(cut(("x"):rep(100), 12)) -- ten, and what may be a part of the mark
    assert.equal("too_large", fault_of(stream, "read_until", "\r\n", 10).code)
    assert.equal(1, socket.reads)
  end)

  it("looks no further for a mark than it may", function()
    for _, pieces in ipairs { { ("x"):rep(10) .. "\r\n" }, { ("x"):rep(10), "\r\n" },
      { ("x"):rep(10) .. "\r", "\n" } } do
      assert.equal(("x"):rep(10), (stream_of(pieces)):read_until("\r\n", 10))
    end
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
    assert.same({ dns_ms = 0, connect_ms = 0, tls_ms = 0, first_byte_ms = 0 }, stream.timing)
    stream:read_exactly(1)
    assert.is_true(stream:is_answered())
    assert.is_true(stream.timing.first_byte_ms > 0)
  end)

  -- What the kernel says of a connection is spec/nginx/pool_bounds_spec.lua's.
  describe("over a connection that was used before", function()
    local is_acknowledged, asked = quiet.is_acknowledged, 0

    local function acknowledged(answer)
      asked = 0
      quiet.is_acknowledged = function()
        asked = asked + 1
        return answer
      end
    end

    after_each(function() quiet.is_acknowledged = is_acknowledged end)

    it("drops what came before the server had the request", function()
      acknowledged(false)
      local stream = stream_of { "a" }
      stream.reused = true
      local fault = fault_of(stream, "read_exactly", 1)
      assert.equal("reset", fault.code)
      assert.matches("before the server had the request", fault.message, 1, true)
    end)

    it("reads what came after, and asks of its first bytes alone", function()
      acknowledged(true)
      local stream = stream_of(cut("abc", 1))
      stream.reused = true
      assert.equal("abc", stream:read_exactly(3))
      assert.equal(1, asked)
    end)

    it("does not ask where the connection is new", function()
      acknowledged(false)
      assert.equal("a", (stream_of { "a" }):read_exactly(1))
      assert.equal(0, asked)
    end)
  end)

  describe("by a clock that stands still", function()
    local monotonic, now_ms = core.monotonic, 0

    before_each(function()
      now_ms = 5000
      core.monotonic = function() return now_ms / 1000 end
    end)
    after_each(function() core.monotonic = monotonic end)

    local function assert_near(expected, actual)
      assert.is_true(math.abs(expected - actual) < 0.001, ("%s, not %s"):format(actual, expected))
    end

    it("counts its milliseconds from its beginning", function()
      local stream = stream_of({}, nil, 3000)
      assert_near(0, stream:spent_ms())
      assert_near(3000, stream:left_ms())
      now_ms = now_ms + 1250
      assert_near(1250, stream:spent_ms())
      assert_near(1750, stream:left_ms())
    end)

    it("ends with its last whole millisecond", function()
      local stream = stream_of({}, nil, 3000)
      now_ms = now_ms + 2998.5
      assert_near(1.5, stream:left_ms())
      now_ms = now_ms + 1
      assert.equal("timeout", fault_of(stream, "left_ms").code)
    end)

    it("gives each read what is left of the nearer limit", function()
      local stream, socket = stream_of(cut("abc", 1), nil, 3000)
      now_ms = now_ms + 500
      stream:limit_connecting(2000)
      for _ = 1, 2 do
        now_ms = now_ms + 250
        stream:read_exactly(1)
      end
      stream:limit_connecting(nil)
      stream:read_exactly(1)
      for i, expected in ipairs { 1750, 1500, 2000 } do assert_near(expected, socket.timeouts[i]) end
      assert_near(750, stream.timing.first_byte_ms)
    end)

    it("says how long the last of what it did took", function()
      local stream = stream_of({}, nil, 3000)
      now_ms = now_ms + 3000
      assert.equal("the server: the 3000 ms of timeout_ms passed without an answer (3000 of them)",
        fault_of(stream, "left_ms").message)
      stream = stream_of({}, nil, 3000)
      stream.peer = "gateway.example:443"
      now_ms = now_ms + 1000
      stream:begin "while the request was being sent"
      now_ms = now_ms + 2000
      assert.equal("gateway.example:443: the 3000 ms of timeout_ms passed while the request was being sent"
        .. " (2000 of them)", fault_of(stream, "left_ms").message)
    end)
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
