-- Answers that say no, and no answer at all: the error that a caller gets to see.

local double = require "spec.support.alipayhk_double"
local keys = require "spec.support.keys"
local samples = require "spec.support.samples"
local sorted_keys = require "spec.support.sorted_keys"

local gateway = double.new()

local function ask(answer, order, config)
  local client = gateway:client(config)
  gateway:answers { answer }
  local response, err = client:sync_order(order or samples.order { requestId = "r1" }, { retry = false })
  assert.is_nil(response)
  assert.is_nil(tostring(err):find("%c"))
  assert.equal(1, err.attempts)
  return err
end

describe("AlipayHK's no", function()
  for _, status in ipairs { "F", "U" } do
    for _, signed in ipairs { true, false } do
      it(("(%s, %s) is a result"):format(status, signed and "signed" or "unsigned"), function()
        local headers = { ["tracer-id"] = "trace-1" }
        local err = ask { status = status, code = "SOME_CODE", signed = signed, headers = headers }
        assert.equal("result", err.kind)
        assert.equal("SOME_CODE", err.code)
        assert.equal(signed, err.response.authenticated)
        assert.equal(status, err.response.result.resultStatus)
        assert.equal("SOME_CODE", err.response.body.result.resultCode)
        assert.equal(1, err.response.attempts)
        assert.equal(200, err.http_status)
        assert.equal("trace-1", err.tracer_id)
        assert.equal("trace-1", err.response.tracer_id)
        assert.matches("SOME_CODE", tostring(err), 1, true)
        assert.matches("as scripted", err.message, 1, true)
        assert.equal(not signed, err.message:find("not authenticated", 1, true) ~= nil)
      end)
    end
  end

  local UNKNOWN = {
    ["an unknown status"] = '{"result":{"resultCode":"SOME_CODE","resultStatus":"X"}}',
    ["no status"] = '{"result":{"resultCode":"SOME_CODE"}}',
    ["a null for its status"] = '{"result":{"resultCode":"SOME_CODE","resultStatus":null}}',
    ["a number for its status"] = '{"result":{"resultCode":"SOME_CODE","resultStatus":1}}',
  }
  for _, title in ipairs(sorted_keys(UNKNOWN)) do
    local body = UNKNOWN[title]
    it("with " .. title .. " is taken as unknown: to be tried again", function()
      local err = ask { body = body }
      assert.equal("result", err.kind)
      assert.equal("SOME_CODE", err.code)
      assert.is_true(err.retryable)
    end)
  end

  it("is one line whatever its texts are", function()
    for _, body in ipairs {
      [[{"result":{"resultCode":"A\nB","resultStatus":"F","resultMessage":"one\r\ntwo\u0000\u001b[31m"}}]],
      [[{"result":{"resultCode":5,"resultStatus":"F","resultMessage":["x"]}}]],
      [[{"result":{"resultCode":null,"resultStatus":"F","resultMessage":null}}]],
      [[{"result":{"resultCode":{},"resultStatus":"F","resultMessage":{}}}]],
    } do
      assert.equal("result", ask({ body = body }).kind)
    end
    assert.is_true(#tostring(ask { status = "F", code = ("x"):rep(100000) }) < 2000)
  end)

  it("is one line whatever the requestId is", function()
    ask({ status = "F" }, samples.order { requestId = "one\ntwo" })
  end)

  it("to a request that it cannot verify says what to look at", function()
    local err = ask({}, nil, { private_key = { file = keys.pair("stranger", "rsa").private } })
    assert.equal("result", err.kind)
    assert.equal("INVALID_SIGNATURE", err.code)
    assert.is_false(err.retryable)
    assert.is_false(err.response.authenticated)
    assert.matches("public key", err.message, 1, true)
  end)
end)

describe("no answer", function()
  for _, code in ipairs { "dns", "connect", "tls", "timeout", "reset", "too_large", "protocol", "phase" } do
    it("is a transport error: " .. code, function()
      local err = ask { failure = code }
      assert.equal("transport", err.kind)
      assert.equal(code, err.code)
      assert.equal("r1", err.request_id)
      assert.is_nil(err.http_status)
      assert.is_nil(err.response)
      assert.matches("as scripted", err.message, 1, true)
    end)
  end

  it("is one line whatever the transport's message is", function()
    ask { failure = { code = "reset", message = "one\ntwo" } }
  end)
end)

describe("a transport that returns", function()
  local function answer(fields)
    local made = { status = 200, headers = {}, body = "{}" }
    for name, value in pairs(fields) do made[name] = value end
    return made
  end

  local MALFORMED = {
    ["nothing"] = function() end,
    ["nil without an error"] = function() return nil end,
    ["nil and an empty error"] = function() return nil, {} end,
    ["nil and an error without a code"] = function() return nil, { message = "it broke" } end,
    ["nil and an error whose code is none"] = function() return nil, { code = 5, message = {} } end,
    ["nil and a message"] = function() return nil, "it broke" end,
    ["false"] = function() return false end,
    ["a number"] = function() return 200 end,
    ["a string"] = function() return "{}" end,
    ["an empty table"] = function() return {} end,
    ["no status"] = function() return { headers = {}, body = "{}" } end,
    ["no headers"] = function() return { status = 200, body = "{}" } end,
    ["no body"] = function() return { status = 200, headers = {} } end,
    ["a status as text"] = function() return answer { status = "200" } end,
    ["half a status"] = function() return answer { status = 500.5 } end,
    ["NaN for a status"] = function() return answer { status = 0 / 0 } end,
    ["headers as text"] = function() return answer { headers = "x: y" } end,
    ["a number for a body"] = function() return answer { body = 5 } end,
  }
  for _, title in ipairs(sorted_keys(MALFORMED)) do
    local raw = MALFORMED[title]
    it(title .. ": protocol", function()
      local err = ask { raw = raw }
      assert.equal("transport", err.kind)
      assert.equal("protocol", err.code)
      assert.is_false(err.retryable)
      assert.is_nil(err.message:find("table: ", 1, true), err.message)
      assert.not_equal("nil", err.message)
    end)
  end

  -- As some HTTP clients do with a header that comes twice.
  for _, name in ipairs { "signature", "response-time", "client-id", "encrypt" } do
    it(("a list for the header %s: an error, and nothing thrown"):format(name), function()
      local kind = ask({ headers = { [name] = { "a", "b" } } }).kind
      assert.is_true(kind == "transport" or kind == "signature" or kind == "decrypt", kind)
    end)
  end
end)
