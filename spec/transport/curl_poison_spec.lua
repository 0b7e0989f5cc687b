-- Bytes on a kept connection that nobody asked for: nothing but their place says which request an answer is for.

local curl = require "alipayhk.curl"
local curl_session = require "spec.support.servers.curl_session"
local request = require "spec.support.servers.request"
local wire = require "spec.support.servers.wire"

local say, wait, answer = wire.say, wire.wait, wire.answer
local hold = wire.hold

local HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
local LATE_408 = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
local LATE_400 = "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad"

-- What is there to be taken for the next answer, all before the next request is sent.
local POISONED = {
  { name = "the answer twice, at once", steps = { say(answer("S") .. answer("S")) } },
  { name = "the answer twice, one right after the other", steps = { say(answer("S")), say(answer("S")) } },
  { name = "the answer twice, its body with the second", steps = { say(HEAD), wait(20), say("S" .. answer("S")) } },
  { name = "the answer twice, the second while idle", steps = { say(answer("S")), hold, say(answer("S")) } },
  { name = "a chunked answer twice, at once", steps = { say(wire.chunked("S") .. wire.chunked("S")) } },
  { name = "a chunked answer twice, the second while idle",
    steps = { say(wire.chunked("S")), hold, say(wire.chunked("S")) } },
  { name = "a chunked answer, its end with the second",
    steps = { say((wire.chunked("S"):sub(1, -6))), wait(20), say("0\r\n\r\n" .. wire.chunked("S")) } },
  { name = "an empty answer, and one behind it", steps = { say(answer("") .. answer("S")) }, first = "" },
  { name = "a late 408", steps = { say(answer("S")), hold, say(LATE_408) } },
  { name = "a late 408 and the end", steps = { say(answer("S")), hold, say(LATE_408), wire.finish } },
  { name = "a late 400", steps = { say(answer("S")), hold, say(LATE_400) } },
  { name = "half an answer behind the answer", steps = { say(answer("S") .. HEAD) } },
  { name = "half an answer while idle", steps = { say(answer("S")), hold, say(HEAD:sub(1, 20)) } },
  { name = "a single byte while idle", steps = { say(answer("S")), hold, say("H") } },
  { name = "an empty line behind the answer", steps = { say(answer("S") .. "\r\n") } },
  { name = "its end", steps = { say(answer("S")), hold, wire.finish } },
  { name = "a reset", steps = { say(answer("S")), hold, wire.reset } },
}

describe("a kept connection that was spoken on", function()
  local session = curl_session()

  local function body_of(steps, listener)
    return session:must_send(wire.path(steps), listener).body
  end

  -- The server says what it has to say meanwhile.
  local function idle()
    local other = curl.new()
    assert(other:send(request(session.gateway:url(wire.path{ wire.poke, say(answer("")) }, "wire"))))
    other:close()
  end

  -- The number of the connection of each whole request.
  local function connections()
    local numbers = {}
    for _, entry in ipairs(session.gateway:log()) do
      if entry.complete and not entry.path:find(wire.poke, 1, true) then numbers[#numbers + 1] = entry.connection end
    end
    return numbers
  end

  for _, listener in ipairs{ "wire", "wires" } do
    for _, case in ipairs(POISONED) do
      it(("is closed, not used: %s, over %s"):format(case.name, listener), function()
        assert.equal(case.first or "S", body_of(case.steps, listener))
        idle()
        assert.equal("F", body_of({ say(answer("F")) }, listener))
        assert.equal("F2", body_of({ say(answer("F2")) }, listener))
        local used = connections()
        assert.equal(3, #used)
        assert.are_not.equal(used[1], used[2])
        assert.equal(used[2], used[3])
      end)
    end

    it("is used again where nobody spoke, over " .. listener, function()
      for _, steps in ipairs{ { say(answer("1")) }, { say(wire.chunked("2")) }, { say(HEAD), wait(20), say("3") } } do
        body_of(steps, listener)
        idle()
      end
      local used = connections()
      assert.same({ used[1], used[1], used[1] }, used)
    end)

    -- Its first byte is there before the last of the request has left: whatever it is, it is no answer to it.
    it("gives no answer that came before the request was sent, over " .. listener, function()
      body_of({ say(answer("1")), wire.greet(answer("S")) }, listener)
      local large = { body = ("x"):rep(8 * 1024 * 1024) }
      assert.equal("F", session:must_send(wire.path{ say(answer("F")) }, listener, large).body)
      assert.equal("F2", body_of({ say(answer("F2")) }, listener))
    end)
  end

  it("stays in use over HTTP/2, where a server may speak and streams have numbers", function()
    for _ = 1, 3 do
      session:must_send("/chatty", "h2")
      idle()
    end
    local used = connections()
    assert.same({ used[1], used[1], used[1] }, used)
  end)
end)
