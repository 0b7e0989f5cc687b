-- Damaged answers, many of them at one transport: what one leaves behind must not reach the next, nor the heap (the
-- suite runs under AddressSanitizer too).

local curl_session = require "spec.support.servers.curl_session"
local wire = require "spec.support.servers.wire"

local ROUNDS = 150
local SEED = 20240524

local CODES = { connect = true, reset = true, timeout = true, too_large = true, protocol = true }

-- Pseudo-random numbers that are the same on every Lua.
local state

local function random(n)
  state = (state * 16807) % 2147483647
  return state % n + 1
end

local BASES = {
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-One: 1\r\n\r\nS",
  "HTTP/1.1 200 OK\r\nX-One: one\r\n two\r\nContent-Length: 1\r\n\r\nS",
  "HTTP/1.1 200 OK\r\n folded: first\r\nContent-Length: 1\r\n\r\nS",
  "HTTP/1.1 200 OK\r\n\tfolded\r\n folded again\r\nContent-Length: 1\r\n\r\nS",
  "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\n  folded\r\nContent-Length: 1\r\n\r\nS",
  "HTTP/1.1  100  Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nS",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n1\r\nS\r\n0\r\nX: 1\r\n folded\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n1;ext=1\r\nS\r\n0\r\n\r\n",
  "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nSSSSS",
  "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n\0\0\0\4\0\0\0\0\0",
  "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nS",
  "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\r\nContent-Length: 0\r\n\r\n",
  "HTTP/2 200\r\nContent-Length: 1\r\n\r\nS",
}

local PIECES = {
  "\r\n", "\n", "\r", " ", "\t", ":", "\0", "\255", "0", "-1", "99999999999999999999", "HTTP/1.1 200 OK\r\n", "\r\n ",
  "\r\n\t", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "\r\n\r\n", "x: " .. ("y"):rep(300) .. "\r\n",
  "Set-Cookie: a=b\r\n", "Location: /x\r\n", "Connection: close\r\n", "Content-Encoding: gzip\r\n",
}

-- Cuts, doubles, puts in, leaves out, changes a byte.
local DAMAGES = {
  function(text) return text:sub(1, random(#text)) end,
  function(text) return text .. text:sub(random(#text)) end,
  function(text)
    local at = random(#text)
    return text:sub(1, at) .. PIECES[random(#PIECES)] .. text:sub(at + 1)
  end,
  function(text)
    local at = random(#text)
    return text:sub(1, at - 1) .. text:sub(at + random(8))
  end,
  function(text)
    local at = random(#text)
    return text:sub(1, at - 1) .. string.char(random(256) - 1) .. text:sub(at + 1)
  end,
}

-- In one piece or two, with the end of the connection or without.
local function steps_of(text)
  local at = random(#text)
  local steps = random(2) == 1 and { wire.say(text) } or { wire.say(text:sub(1, at)), wire.say(text:sub(at + 1)) }
  if random(3) > 1 then steps[#steps + 1] = wire.finish end
  return steps
end

describe("damaged answers over curl", function()
  local session = curl_session()

  local function send(steps, listener, timeout_ms)
    return session:send(wire.path(steps), listener, { timeout_ms = timeout_ms or 5000 })
  end

  local function assert_sane(response, failure, text)
    if response then
      assert.equal("number", type(response.status))
      assert.equal("string", type(response.body))
      for name, value in pairs(response.headers) do
        assert.equal("string", type(name))
        assert.equal("string", type(value))
        assert.is_nil(value:find("\n", 1, true), text)
      end
    else
      assert.is_true(CODES[failure.code], ("%s: %s"):format(tostring(failure.code), tostring(failure.message)))
      assert.is_true(#failure.message > 0)
    end
  end

  for _, listener in ipairs{ "wire", "wires" } do
    it("leave one transport able to tell the next answer, over " .. listener, function()
      state = SEED
      for round = 1, ROUNDS do
        local text = BASES[random(#BASES)]
        for _ = 1, random(3) - 1 do text = DAMAGES[random(#DAMAGES)](text) end
        if #text == 0 then text = "\r\n" end
        local response, failure = send(steps_of(text), listener, 150)
        assert_sane(response, failure, text)
        local expected = "F" .. round
        response, failure = send({ wire.say(wire.answer(expected)) }, listener)
        -- The server may have ended the connection just now.
        if not response and (failure.code == "reset" or failure.code == "connect") then
          response, failure = send({ wire.say(wire.answer(expected)) }, listener)
        end
        assert(response, ("after %q: %s"):format(text, tostring(failure and failure.message)))
        assert.equal(expected, response.body, ("after %q"):format(text))
      end
    end)
  end
end)
