local curl = require "alipayhk.curl"
local curl_session = require "spec.support.servers.curl_session"
local shell = require "spec.support.shell"

local LISTENERS = { "http", "https", "h2" }

describe("a connection over curl", function()
  local session = curl_session()

  -- The token is a header by which the request is found in the log.
  local function send(path, listener, token, body)
    return session:send(path, listener, { headers = { ["X-Token"] = token }, body = body })
  end

  local function assert_sent(...)
    local response, failure = send(...)
    assert(response, failure and failure.message)
  end

  -- The connections on which a token arrived.
  local function connections(token)
    local numbers = {}
    for _, entry in ipairs(session.gateway:log()) do
      if entry.headers["x-token"] == token then numbers[#numbers + 1] = entry.connection end
    end
    return numbers
  end

  for _, listener in ipairs(LISTENERS) do
    it("is kept over " .. listener, function()
      for _, token in ipairs{ "first", "second", "third" } do assert_sent("/ok", listener, token) end
      assert.equal(1, #connections("first"))
      assert.same(connections("first"), connections("second"))
      assert.same(connections("first"), connections("third"))
    end)

    it("is each handle's own over " .. listener, function()
      assert_sent("/ok", listener, "first")
      local other = session.transport
      session.transport = curl.new()
      assert_sent("/ok", listener, "second")
      other:close()
      assert_sent("/ok", listener, "third")
      assert.are_not.same(connections("first"), connections("second"))
      assert.same(connections("second"), connections("third"))
    end)

    it("is followed by another when the server closed it over " .. listener, function()
      assert_sent("/idle-close", listener, "first")
      shell.run("sleep 1.1") -- newer versions of libcurl look once a second
      assert_sent("/ok", listener, "second")
      assert.are_not.same(connections("first"), connections("second"))
    end)
  end

  -- ---- a kept connection that dies as it is used again -------------------------------------------

  local DEATHS = {
    http = { "close", "reset" },
    https = { "close", "reset" },
    h2 = { "close", "reset", "refuse", "goaway" },
  }
  local BODIES = { ["a small body"] = "{}", ["a large body"] = ("x"):rep(3 * 1024 * 1024) }

  -- The signed request must not arrive twice: that is the client's to decide.
  local function assert_sent_once(death, listener, body)
    assert_sent("/then/" .. death, listener, "before")
    local response, failure = send("/ok", listener, "once", body)
    assert.is_nil(response)
    assert.equal("reset", failure.code)
    assert.same(connections("before"), connections("once"))
    assert_sent("/ok", listener, "after")
    assert.are_not.same(connections("before"), connections("after"))
  end

  -- How often a token's request arrived with all of its body.
  local function whole(token)
    local count = 0
    for _, entry in ipairs(session.gateway:log()) do
      if entry.complete and entry.headers["x-token"] == token then count = count + 1 end
    end
    return count
  end

  -- What the server cannot have understood is sent anew: a head whose body had not begun.
  local function assert_whole_once(death, listener, body)
    assert_sent("/then/early/" .. death, listener, "before")
    local response, failure = send("/ok", listener, "once", body)
    assert.equal(response and 1 or 0, whole("once"))
    assert.is_true(response ~= nil or failure.code == "reset" or failure.code == "connect")
  end

  for _, listener in ipairs(LISTENERS) do
    for name, body in pairs(BODIES) do
      for _, death in ipairs(DEATHS[listener]) do
        it(("sends %s once when it meets %s over %s"):format(name, death, listener), function()
          assert_sent_once(death, listener, body)
        end)
      end

      for _, death in ipairs{ "close", "reset" } do
        it(("sends all of %s once when its head meets %s over %s"):format(name, death, listener), function()
          assert_whole_once(death, listener, body)
        end)
      end
    end

    it("sends an empty body once over " .. listener, function()
      for i, death in ipairs(DEATHS[listener]) do
        local token = "once " .. i
        session:renew()
        assert_sent("/then/" .. death, listener, "before")
        send("/ok", listener, token, "")
        assert.equal(1, #connections(token))
      end
    end)
  end

  it("sends at most once, whoever closes first", function()
    for i = 1, 50 do
      local token = "race " .. i
      send("/idle-close", nil, token)
      assert.is_true(whole(token) <= 1)
    end
  end)
end)
