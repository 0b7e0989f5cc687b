-- Replies to AlipayHK's calls, verified by openssl and opened by node; and what `receive` and `reply` throw.

local calls = require "spec.support.doubles.calls"
local json = require "cjson"
local receiver = require "spec.support.doubles.receiver"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"
local thrown = require "spec.support.asserting.thrown"

local HERE = "^spec/unit/exchange/inbound_reply_spec%.lua:%d+: "

local plain = receiver.client()

describe("a reply", function()
  local SUCCESS = { resultCode = "SUCCESS", resultStatus = "S", resultMessage = "success" }
  local AGAIN = { resultCode = "UNKNOWN_EXCEPTION", resultStatus = "U", resultMessage = "again" }

  local function replied(call, result, by)
    local reply, err = (by or plain):reply(call, result)
    assert.is_nil(err and tostring(err))
    assert.equal(200, reply.status)
    for name, value in pairs(reply.headers) do
      assert.equal("string", type(value), name)
      assert.is_nil((name .. value):find("%c"))
    end
    return reply
  end

  it("is a success that AlipayHK can verify", function()
    local call = calls.make { path = "/alipayhk/notify?a=1&b=%20" }
    local reply = replied(call)
    assert.is_true(calls.verifies(call, reply))
    assert.same({ result = SUCCESS }, json.decode(reply.body))
    assert.equal(calls.CLIENT_ID, calls.header(reply, "Client-Id"))
    assert.equal("application/json; charset=UTF-8", calls.header(reply, "Content-Type"))
    assert.matches("^algorithm=RSA256,keyVersion=1,signature=[%w%%._~-]+$", calls.header(reply, "Signature"))
    assert.is_nil(calls.header(reply, "Encrypt"))
    assert.is_nil(calls.header(reply, "Request-Time"))
  end)

  it("is of now, in a form with an offset", function()
    local time = calls.header(replied(calls.make()), "Response-Time")
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d[Z+-][%d:]*$", time)
    assert.equal(receiver.NOW, tonumber((shell.must("date -u -d " .. shell.quote(time) .. " +%s"))))
  end)

  it("does not verify for another path, time or body", function()
    local call = calls.make()
    local reply = replied(call)
    assert.is_false(calls.verifies(call, reply, { path = "/other" }))
    reply.body = reply.body .. " "
    assert.is_false(calls.verifies(call, reply))
    reply = replied(call)
    reply.headers["Response-Time"] = "2024-05-22T06:42:21Z"
    assert.is_false(calls.verifies(call, reply))
  end)

  it("is by the merchant's own algorithm and version", function()
    local call = calls.make { key = "p224" }
    local config = receiver.ecc224()
    config.key_version = 7
    local reply = replied(call, nil, receiver.client(config))
    assert.is_true(calls.verifies(call, reply, { key = "p224" }))
    assert.matches("^algorithm=ECC224,keyVersion=7,", calls.header(reply, "Signature"))
    reply = replied(call, nil, receiver.client(receiver.ecc224 { digest = "sha256" }))
    assert.is_true(calls.verifies(call, reply, { key = "p224", digest = "sha256" }))
  end)

  it("says what it is told to say", function()
    local call = calls.make()
    local reply = replied(call, AGAIN)
    assert.same({ result = AGAIN }, json.decode(reply.body))
    assert.is_true(calls.verifies(call, reply))
    reply = replied(call, { resultCode = "電", resultStatus = "F", resultMessage = 'a "quoted" line\n' })
    assert.equal('a "quoted" line\n', json.decode(reply.body).result.resultMessage)
    assert.is_true(calls.verifies(call, reply))
  end)

  it("may go to a call that was refused", function()
    local call = calls.make()
    call.headers = { ["X-Twice"] = { "a", "b" } }
    local reply = replied(call, { resultCode = "INVALID_SIGNATURE", resultStatus = "F", resultMessage = "no" })
    assert.is_true(calls.verifies(call, reply))
  end)

  it("leaves call and result as they are", function()
    local call, result = calls.make(), { resultCode = "A", resultStatus = "S", resultMessage = "B" }
    local signature = call.headers["Signature"]
    replied(call, result)
    assert.equal(signature, call.headers["Signature"])
    assert.same({ resultCode = "A", resultStatus = "S", resultMessage = "B" }, result)
  end)

  it("to an encrypted call is encrypted, and signed over what is sent", function()
    for _, name in ipairs { "Encrypt", "encrypt", "ENCRYPT" } do
      local call = calls.make { encrypt = {} }
      local value = call.headers["Encrypt"]
      call.headers["Encrypt"] = nil
      call.headers[name] = value
      local reply = replied(call, AGAIN)
      assert.is_true(calls.verifies(call, reply))
      local plaintext, bits = calls.opened(reply)
      assert.same({ result = AGAIN }, json.decode(plaintext))
      assert.equal(256, bits)
      assert.is_nil(reply.body:find("UNKNOWN", 1, true))
      assert.matches("^algorithm=RSA_AES,keyVersion=%w*,symmetricKey=[%w%%._~-]+$", calls.header(reply, "Encrypt"))
      assert.not_equal(value, calls.header(reply, "Encrypt"))
    end
  end)

  it("is as the config has it, encrypted", function()
    local by = receiver.client { encryption = { key_bits = 128, content_type = "text/plain; charset=UTF-8" } }
    local reply = replied(calls.make { encrypt = {} }, nil, by)
    assert.equal(128, (select(2, calls.opened(reply))))
    assert.equal("text/plain; charset=UTF-8", calls.header(reply, "Content-Type"))
    assert.equal("application/json; charset=UTF-8", calls.header(replied(calls.make(), nil, by), "Content-Type"))
  end)

  it("is not sent in the clear where it cannot be encrypted", function()
    local by = receiver.client { alipay_public_key = { file = calls.alipayhk("p224").public } }
    local reply, err = by:reply(calls.make { key = "p224", encrypt = {} })
    assert.is_nil(reply)
    assert.equal("crypto", err.kind)
  end)

  -- Either is an answer to a mistake of the caller's; an error from within is none.
  local UNWRITABLE = { ["a function"] = print, ["NaN"] = 0 / 0, ["itself"] = true, ["invalid UTF-8"] = "\255\254" }
  for _, title in ipairs(sorted_keys(UNWRITABLE)) do
    it("is refused in the caller's own words: " .. title, function()
      local call, result = calls.make(), { resultCode = "A", resultStatus = "F", resultMessage = UNWRITABLE[title] }
      if title == "itself" then result.resultMessage = result end
      local reply, err
      local message = thrown(function() reply, err = plain:reply(call, result) end)
      assert.is_nil(reply)
      if message then
        assert.matches(HERE, message)
      else
        assert.equal("alipayhk.error", (getmetatable(err) or {}).__name)
      end
    end)
  end
end)

describe("an argument of the wrong kind is thrown at the caller's line", function()
  local call = calls.make()

  local function without(name, value)
    local copy = {}
    for field, given in pairs(call) do copy[field] = given end
    copy[name] = value
    return copy
  end

  local REQUESTS = {
    ["nothing"] = { nil, "table" },
    ["a string"] = { "call", "table" },
    ["no method"] = { without("method"), "method" },
    ["a number as path"] = { without("path", 7), "path" },
    ["no path"] = { without("path"), "path" },
    ["no body"] = { without("body"), "body" },
    ["a table as body"] = { without("body", {}), "body" },
    ["no headers"] = { without("headers"), "headers" },
    ["headers in a string"] = { without("headers", "Signature: x"), "headers" },
    ["headers in a list"] = { without("headers", { "Signature: x" }), "headers" },
  }
  for _, title in ipairs(sorted_keys(REQUESTS)) do
    it("a request: " .. title, function()
      local request, named = REQUESTS[title][1], REQUESTS[title][2]
      for _, method in ipairs { "receive", "reply" } do
        local message = thrown(function() plain[method](plain, request) end)
        assert.matches(HERE .. method .. ": .*" .. named, tostring(message))
      end
    end)
  end

  local OPTIONS = {
    ["no table"] = { "60000", "opts" },
    ["a number"] = { 60000, "opts" },
    ["an age in a string"] = { { max_age_ms = "60000" }, "max_age_ms" },
    ["an age that is true"] = { { max_age_ms = true }, "max_age_ms" },
    ["an age that is no number"] = { { max_age_ms = 0 / 0 }, "max_age_ms" },
    ["an age below zero"] = { { max_age_ms = -1 }, "max_age_ms" },
    -- A window that is misspelt would be no window.
    ["a name that is none"] = { { max_age = 60000 }, "max_age" },
  }
  for _, title in ipairs(sorted_keys(OPTIONS)) do
    it("options: " .. title, function()
      local message = thrown(function() plain:receive(call, OPTIONS[title][1]) end)
      assert.matches(HERE .. "receive: .*" .. OPTIONS[title][2], tostring(message))
    end)
  end

  it("a result that is no table", function()
    for _, result in ipairs { "SUCCESS", 1, true } do
      assert.matches(HERE .. "reply: .*result", thrown(function() plain:reply(call, result) end))
    end
  end)

  it("a client that is closed", function()
    local closed = receiver.client()
    closed:close()
    assert.matches(HERE .. "receive: .*closed", thrown(function() closed:receive(call) end))
    assert.matches(HERE .. "reply: .*closed", thrown(function() closed:reply(call) end))
  end)
end)
