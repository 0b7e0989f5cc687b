-- Answers that say no, and no answer at all: the error that a caller gets to see.

local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local keys = require "spec.support.data.keys"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

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

  for _, status in ipairs { "F", "U" } do
    it(("(%s) with empty Signature and Response-Time is as unsigned"):format(status), function()
      for _, empty in ipairs { "", " " } do
        local headers = { signature = empty, ["response-time"] = empty }
        local err = ask { status = status, code = "SOME_CODE", headers = headers }
        assert.equal("result", err.kind)
        assert.equal("SOME_CODE", err.code)
        assert.is_false(err.response.authenticated)
        assert.is_nil(err.response.response_time)
        assert.matches("not authenticated", err.message, 1, true)
      end
    end)

    it(("(%s) is a result whatever the HTTP status"):format(status), function()
      for _, http_status in ipairs { 201, 400, 401, 403, 404, 429, 500, 503 } do
        for _, signed in ipairs { true, false } do
          local err = ask { status = status, code = "SOME_CODE", signed = signed, http_status = http_status,
            headers = { ["tracer-id"] = "trace-1" } }
          assert.equal("result", err.kind)
          assert.equal("SOME_CODE", err.code)
          assert.equal(http_status, err.http_status)
          assert.equal(http_status, err.response.http_status)
          assert.equal("trace-1", err.tracer_id)
          assert.equal(signed, err.response.authenticated)
          assert.matches("as scripted", err.message, 1, true)
        end
      end
    end)

    it(("(%s) is one encrypted, too, whatever the HTTP status"):format(status), function()
      local err = ask { status = status, code = "SOME_CODE", http_status = 500, encrypt = true }
      assert.equal("SOME_CODE", err.code)
      assert.is_true(err.response.authenticated)
    end)
  end

  it("that is a status other than S, F and U by another HTTP status than 200 is unknown, where it is signed", function()
    local err = ask { status = "X", code = "SOME_CODE", http_status = 500 }
    assert.equal("SOME_CODE", err.code)
    assert.is_true(err.retryable)
  end)

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
    ask({ status = "F" }, samples.order { requestId = "one\ntwo" }, { validate = false })
  end)

  it("to a request that it cannot verify says what to look at", function()
    local err = ask({}, nil, { private_key = { file = keys.pair("stranger", "rsa").private } })
    assert.equal("result", err.kind)
    assert.equal("INVALID_SIGNATURE", err.code)
    assert.is_false(err.retryable)
    assert.is_false(err.response.authenticated)
    assert.matches("public key", err.message, 1, true)
  end)

  it("to a signature names our own public key, and a command that shows which one was uploaded", function()
    for algorithm, client in pairs { rsa = gateway, p224 = double.new { algorithm = "p224" } } do
      client:answers { { status = "F", code = "INVALID_SIGNATURE", signed = false } }
      local _, err = client:client():sync_order(samples.order(), { retry = false })
      local printed = shell.must(("openssl pkey -pubin -in %s -outform DER | openssl dgst -sha256"):format(
        shell.quote(keys.pair("merchant", algorithm).public)))
      assert.matches("(alipayhk key FILE)", err.message, 1, true)
      assert.matches("`private_key` and `key_version` (1)", err.message, 1, true)
      assert.equal(algorithm == "p224", err.message:find("ecc224", 1, true) ~= nil)
      assert.matches("SHA-256 is " .. printed:match("%x+%s*$"):sub(1, 64), err.message, 1, true)
      assert.is_nil((ask { status = "F", code = "PARAM_ILLEGAL" }).message:find("SHA-256", 1, true))
    end
  end)

  it("to a signature says how it was made, where that is a reading", function()
    local elliptic = double.new { algorithm = "p224" }
    elliptic:answers { { status = "F", code = "INVALID_SIGNATURE", signed = false } }
    local client = elliptic:client { key_version = 7, ecc224 = { encoding = "p1363" }, verify_response = false }
    local _, err = client:sync_order(samples.order(), { retry = false })
    assert.matches("`key_version` (7)", err.message, 1, true)
    assert.matches("`ecc224` (digest sha224, encoding p1363)", err.message, 1, true)
  end)

  it("that cannot be opened names what has to fit", function()
    local err = ask({ encrypt = true }, nil, { encryption = { key_padding = "oaep" } })
    assert.equal("decrypt", err.kind)
    assert.matches("`encryption` (key_padding) and `private_key`", err.message, 1, true)
  end)

  it("to a path names the path that was tried, without its query string", function()
    gateway:answers { { status = "F", code = "INVALID_API" } }
    local client = gateway:client { base_url = "https://gateway.example/pre" }
    local _, err = client:call("/v1/ask?user=2160120012345678", {}, { retry = false })
    assert.matches("the path tried is /pre/v1/ask", err.message, 1, true)
    assert.is_nil(err.message:find("2160120012345678", 1, true))
    assert.is_nil(err.message:find("?user", 1, true))
  end)

  it("is cut at a character, and has no half of a user's id", function()
    local message = "訂" .. ("電影票"):rep(200)
    local shown = ask({ body = '{"result":{"resultCode":"A","resultStatus":"F","resultMessage":"' .. message .. '"}}' })
    assert.is_truthy(core.utf8_length(shown.message))
    assert.matches("電影票", shown.message, 1, true)
    for pad = 225, 256 do
      local text = ("x"):rep(pad) .. samples.USER_ID .. samples.USER_ID
      local err = ask { body = ('{"result":{"resultCode":"A","resultStatus":"F","resultMessage":"%s"}}'):format(text) }
      assert.is_nil(err.message:find(samples.USER_ID:sub(1, 4), 1, true), err.message)
    end
    local invalid = ask({ body = '{"result":{"resultCode":"A","resultStatus":"F","resultMessage":"a\255b"}}' })
    assert.is_truthy(core.utf8_length(invalid.message))
  end)
end)

describe("a user's id in what others say", function()
  local OPEN_ID = "ab/cd+12&345678"
  local BODIES = {
    plain = "user " .. OPEN_ID, html = "<p>user ab/cd+12&amp;345678</p>", json = '{"error":"ab\\/cd+12&345678"}',
    url = "openId=ab%2Fcd%2B12%26345678",
  }
  for _, title in ipairs(sorted_keys(BODIES)) do
    it("is in no message: " .. title, function()
      for _, media in ipairs { "text/html", "text/plain" } do
        local headers = { ["content-type"] = media }
        local order = samples.order { userId = samples.ABSENT, openId = OPEN_ID }
        local err = ask({ http_status = 500, body = BODIES[title], signed = false, headers = headers }, order)
        for _, form in ipairs { OPEN_ID, "ab\\/cd", "%2Fcd", "ab/cd" } do
          assert.is_nil(tostring(err):find(form, 1, true), tostring(err))
        end
      end
    end)
  end

  it("is in no code, tracer id or words of a transport", function()
    local err = ask { status = "F", code = "USER_" .. samples.USER_ID, headers = { ["tracer-id"] = samples.USER_ID } }
    assert.is_nil(tostring(err):find(samples.USER_ID, 1, true))
    err = ask { failure = { code = "connect", message = "failed for " .. samples.USER_ID } }
    assert.is_nil(tostring(err):find(samples.USER_ID, 1, true))
  end)

  it("is in no message of a call to an API that nobody described", function()
    local client = gateway:client { retry = false }
    local body = '{"result":{"resultCode":"A","resultStatus":"F","resultMessage":"user 21601 unknown"}}'
    gateway:answers { { body = body } }
    local _, err = client:call("/v1/ask", { userId = "21601" })
    assert.is_nil(tostring(err):find("21601", 1, true))
  end)

  it("is not repeated where another word belongs", function()
    local client = gateway:client()
    local _, err = client:sync_order(samples.order { orderStatus = samples.USER_ID })
    assert.is_nil(tostring(err):find(samples.USER_ID, 1, true))
    _, err = client:sync_order(samples.order(), { previous_status = samples.USER_ID })
    assert.is_nil(tostring(err):find(samples.USER_ID, 1, true))
  end)
end)

describe("no answer", function()
  for _, code in ipairs { "dns", "connect", "proxy", "tls", "timeout", "reset", "too_large", "protocol", "phase" } do
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

  it("has the HTTP status of a proxy that refused", function()
    local err = ask { failure = { code = "proxy", message = "the proxy said 407", http_status = 407 } }
    assert.same({ "transport", "proxy", 407 }, { err.kind, err.code, err.http_status })
    assert.is_nil(ask({ failure = { code = "proxy", message = "it said no", http_status = "407" } }).http_status)
  end)

  it("is one line of UTF-8 whatever the transport's message is", function()
    assert.matches("one two ??", ask({ failure = { code = "reset", message = "one\ntwo \255\237" } }).message, 1, true)
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
