-- What a client makes of each answer: who may answer, what is accepted, and what is said of the rest.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local keys = require "spec.support.data.keys"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local REQUEST_ID = "r-20240524"
local GATEWAYS = {
  RSA256 = {},
  ECC224 = { algorithm = "p224" },
  ["ECC224 by sha256"] = { algorithm = "p224", ecc224 = { digest = "sha256" } },
  ["ECC224 in p1363"] = { algorithm = "p224", ecc224 = { encoding = "p1363" } },
}

local rsa = double.new()
local stranger = keys.pair("stranger", "rsa")
local stranger_private = core.private_key { file = stranger.private }
local stranger_public = core.public_key { file = stranger.public }
local p224_private = core.private_key { file = keys.pair("alipayhk", "p224").private }

local function lower_escapes(base64)
  return (core.percent_encode(base64):gsub("%%%x%x", string.lower))
end

local function verbatim(base64)
  return base64
end

local function lines(base64)
  return (base64:gsub(("."):rep(76), "%0\r\n")) .. "\n"
end

local function encoded_lines(base64)
  return core.percent_encode(lines(base64))
end

local function add_space(body)
  return body .. " "
end

local function flip(body)
  return body:sub(1, -2) .. (body:sub(-1) == "}" and "]" or "}")
end

-- One answer to one attempt at one order.
local function ask(answer, config, gateway)
  gateway = gateway or rsa
  gateway:answers { answer }
  return gateway:client(config):sync_order(samples.order { requestId = REQUEST_ID }, { retry = false })
end

local function accepted(...)
  local response, err = ask(...)
  assert.is_nil(err and tostring(err))
  assert.equal("S", response.result.resultStatus)
  return response
end

-- The error: of one readable line, with the request's id, and none of the user's.
local function refused(kind, ...)
  local response, err = ask(...)
  assert.is_nil(response)
  assert.equal(kind, err.kind)
  assert.equal(1, err.attempts)
  assert.equal(REQUEST_ID, err.request_id)
  assert.is_boolean(err.retryable)
  assert.matches(REQUEST_ID, tostring(err), 1, true)
  assert.is_nil(tostring(err):find("%c"))
  assert.is_nil(tostring(err):find(samples.USER_ID, 1, true))
  assert.is_true(#err.message > 8 and not err.message:find("table: ", 1, true), err.message)
  return err
end

describe("a signed success is accepted", function()
  for _, title in ipairs(sorted_keys(GATEWAYS)) do
    it("by " .. title, function()
      assert.is_true(accepted({}, nil, double.new(GATEWAYS[title])).authenticated)
    end)
  end

  local FORMS = {
    { "with the signature in raw base64", { encode = verbatim } },
    { "with lower-case escapes", { encode = lower_escapes } },
    { "with a space between the pairs", { separator = ", " } },
    { "with the algorithm in lower case", { algorithm = "rsa256" } },
    { "without a keyVersion", { key_version = false } },
    { "with an empty keyVersion", { key_version = "" } },
    { "without a Client-Id", { client_id = false } },
    { "with a Response-Time in Z", { time = "2024-05-22T06:42:21Z" } },
    { "with a Response-Time with an offset", { time = "2024-05-22T06:42:21+08:00" } },
    { "with a Response-Time with milliseconds", { time = "2024-05-22T06:42:21.123-0700" } },
    { "with other fields and white space", { body = ' {"x": [], "result": {"resultStatus": "S"},\n"orderId": "1"} ' } },
    { "with line breaks in the signature", { encode = lines } },
    { "with encoded line breaks in the signature", { encode = encoded_lines } },
    { "with an empty Client-Id", { headers = { ["client-id"] = "" } } },
    { "with an empty Encrypt", { headers = { encrypt = "" } } },
    { "with the Content-Encoding identity", { headers = { ["content-encoding"] = "identity" } } },
    { "with a Content-Encoding that it has not", { headers = { ["content-encoding"] = "gzip" } } },
    { "encrypted", { encrypt = true } },
    { "encrypted by rsa_aes", { encrypt = true, encrypted_by = "rsa_aes" } },
  }
  for _, form in ipairs(FORMS) do
    it(form[1], function() assert.is_true(accepted(form[2]).authenticated) end)
  end

  it("with all that there is to know", function()
    local response = accepted {
      body = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"},"orderId":"A1"}',
      time = "2024-05-22T06:42:21+08:00",
      headers = { ["tracer-id"] = "trace-1" },
    }
    assert.same({ resultCode = "SUCCESS", resultStatus = "S", resultMessage = "success" }, response.result)
    assert.equal("A1", response.body.orderId)
    assert.equal(response.result, response.body.result)
    assert.equal(REQUEST_ID, response.request_id)
    assert.equal("trace-1", response.tracer_id)
    assert.equal("2024-05-22T06:42:21+08:00", response.response_time)
    assert.equal(200, response.http_status)
    assert.equal(1, response.attempts)
    assert.is_true(response.authenticated)
    assert.same({ total_ms = 1 }, response.timing)
  end)

  for _, name in ipairs { "tracer-id", "tracerid", "trace-id" } do
    it("with the trace id of " .. name .. ", on failures too", function()
      local headers = { [name] = "trace-2" }
      assert.equal("trace-2", accepted({ headers = headers }).tracer_id)
      for kind, answer in pairs {
        result = { status = "F", code = "PARAM_ILLEGAL" }, http = { http_status = 503 }, signature = { signed = false },
        protocol = { body = "no JSON" },
      } do
        answer.headers = headers
        local err = refused(kind, answer)
        assert.equal("trace-2", err.tracer_id)
        assert.matches("trace-2", tostring(err), 1, true)
      end
    end)
  end
end)

describe("AlipayHK's key is the one", function()
  local VERSIONS = { ["2"] = { file = stranger.public }, ["10"] = { file = rsa.own.public } }
  local LATEST_IS_STRANGER = { ["2"] = { file = rsa.own.public }, ["10"] = { file = stranger.public } }

  it("of the answer's keyVersion", function()
    accepted({ key_version = "10" }, { alipay_public_key = VERSIONS })
    accepted({ key_version = "2" }, { alipay_public_key = LATEST_IS_STRANGER })
    accepted({ key_version = "1" }, { alipay_public_key = { { file = rsa.own.public } } })
    refused("signature", { key_version = "2" }, { alipay_public_key = VERSIONS })
  end)

  it("of the latest version where the answer names none", function()
    for _, none in ipairs { false, "" } do
      accepted({ key_version = none }, { alipay_public_key = VERSIONS })
      refused("signature", { key_version = none }, { alipay_public_key = LATEST_IS_STRANGER })
    end
  end)

  it("of the latest, which is one without a number where there is one", function()
    local versions = { [9] = { file = stranger.public }, ["10"] = { file = stranger.public },
      ["10a"] = { file = stranger.public }, ["1b"] = { file = stranger.public }, b = { file = rsa.own.public } }
    accepted({ key_version = false }, { alipay_public_key = versions })
    versions.b, versions["10"], versions["10a"], versions["1b"] = nil, { file = rsa.own.public }, nil, nil
    accepted({ key_version = false }, { alipay_public_key = versions })
  end)

  it("of no version that was not given", function()
    assert.matches("3", refused("signature", { key_version = "3" }, { alipay_public_key = VERSIONS }).message, 1, true)
  end)
end)

describe("an answer is refused", function()
  local SUCCESS = '{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}'
  local CASES = {
    { "that is unsigned and says S", "signature", { signed = false } },
    { "that is unsigned and says something else", "signature", { signed = false, status = "X" } },
    { "that is unsigned and has no status", "signature", { signed = false, body = '{"result":{}}' } },
    { "that is unsigned and encrypted", "signature", { signed = false, encrypt = true } },
    { "that is unsigned, encrypted and says F", "signature", { signed = false, encrypt = true, status = "F" } },
    { "with a Signature and no Response-Time", "signature", { signed = "signature" } },
    { "with a Response-Time and no Signature", "signature", { signed = "response-time" } },
    { "that says F, with a Signature and no Response-Time", "signature", { signed = "signature", status = "F" } },
    { "that says F, with a Response-Time and no Signature", "signature", { signed = "response-time", status = "F" } },
    { "signed with another key", "signature", { private_key = stranger_private } },
    { "signed with another key that says F", "signature", { private_key = stranger_private, status = "F" } },
    { "whose body was altered", "signature", { alter = flip } },
    { "whose body has grown", "signature", { alter = add_space } },
    { "whose Response-Time was altered", "signature", { headers = { ["response-time"] = "2024-05-22T06:42:22Z" } } },
    { "with another's Client-Id", "signature", { client_id = "4Q5Y8W0WSG45P907918" } },
    { "that is unsigned, says F, and has another's Client-Id", "signature",
      { client_id = "other", signed = false, status = "F" } },
    { "that names another algorithm", "signature", { algorithm = "ECC224" } },
    { "whose Signature is garbage", "signature", { headers = { signature = "garbage" } } },
    { "whose Signature is empty", "signature", { headers = { signature = "" } } },
    { "whose Response-Time is empty", "signature", { headers = { ["response-time"] = "" } } },
    { "whose Response-Time is empty and that says F", "signature",
      { status = "F", headers = { ["response-time"] = "" } } },
    { "whose Signature and Response-Time are empty", "signature",
      { headers = { signature = "", ["response-time"] = "" } } },
    { "whose Signature and Response-Time are blank", "signature",
      { headers = { signature = " ", ["response-time"] = "\t" } } },
    { "whose Signature has no signature", "signature", { headers = { signature = "algorithm=RSA256,keyVersion=1" } } },
    { "whose signature is percent-encoded twice", "signature",
      { encode = function(base64) return core.percent_encode(core.percent_encode(base64)) end } },
    { "whose signature has spaces for plus signs", "signature",
      { encode = function(base64) return (base64:gsub("[+/]", " ", 1)) .. " " end } },
    { "encrypted for another", "decrypt", { encrypt = stranger_public } },
    { "that says it is encrypted and is not", "decrypt",
      { headers = { encrypt = "algorithm=RSA_AES,keyVersion=1,symmetricKey=AAAA" } } },
    { "whose Encrypt is garbage", "decrypt", { encrypt = true, headers = { encrypt = "garbage" } } },
    { "encrypted by RSA_DES", "decrypt", { encrypt = true, encrypted_by = "RSA_DES" } },
    { "encrypted, and altered", "signature", { encrypt = true, alter = flip } },
    { "that is empty", "protocol", { body = "" } },
    { "that is no JSON", "protocol", { body = "<html>Bad Gateway</html>\n" } },
    { "that is half of a JSON object", "protocol", { body = SUCCESS:sub(1, -2) } },
    { "that is a list", "protocol", { body = "[" .. SUCCESS .. "]" } },
    { "that is an empty list", "protocol", { body = "[]" } },
    { "that is a string", "protocol", { body = '"SUCCESS"' } },
    { "that is null", "protocol", { body = "null" } },
    { "that is deeply nested", "protocol", { body = ("["):rep(10000) } },
    { "without a result", "protocol", { body = '{"resultCode":"SUCCESS","resultStatus":"S"}' } },
    { "whose result is a string", "protocol", { body = '{"result":"S"}' } },
    { "whose result is null", "protocol", { body = '{"result":null}' } },
    { "of HTTP 404", "http", { http_status = 404 } },
    { "of HTTP 500, signed and fine otherwise", "http", { http_status = 500 } },
    { "of HTTP 500, unsigned and fine otherwise", "http", { http_status = 500, signed = false } },
    { "of HTTP 201, signed and fine otherwise", "http", { http_status = 201 } },
    { "of HTTP 500, that says F by a wrong signature", "signature",
      { http_status = 500, status = "F", private_key = stranger_private } },
    { "of HTTP 500, that says F and is half signed", "signature",
      { http_status = 500, status = "F", signed = "signature" } },
    { "of HTTP 500, encrypted for another", "decrypt",
      { http_status = 500, status = "F", encrypt = stranger_public } },
    { "of HTTP 500, unsigned, with a status that is none", "http",
      { http_status = 500, status = "X", signed = false } },
    { "of HTTP 404, without a result", "http", { http_status = 404, body = '{"status":404}', signed = false } },
    { "of HTTP 204", "http", { http_status = 204 } },
    { "of HTTP 302", "http", { http_status = 302 } },
  }
  for _, case in ipairs(CASES) do
    local title, kind, answer = case[1], case[2], case[3]
    it(title .. ": " .. kind, function()
      local err = refused(kind, answer)
      assert.equal(answer.http_status or 200, err.http_status)
      assert.is_nil(err.response)
    end)
  end

  it("that ECC224 signed where an RSA key is expected", function()
    refused("signature", { private_key = p224_private, algorithm = "ECC224" })
    refused("signature", { private_key = p224_private, algorithm = "RSA256" })
  end)

  it("by another encryption than RSA_AES, and the message names it", function()
    local message = refused("decrypt", { encrypt = true, encrypted_by = "RSA_DES" }).message
    assert.matches("RSA_DES", message, 1, true)
    assert.matches("only RSA_AES", message, 1, true)
  end)

  it("that was compressed on the way, and the message says that and does not blame the key", function()
    local function compress(body) return "\31\139\8" .. body end
    for _, coding in ipairs { "gzip", "br", "zstd" } do
      local headers = { ["content-encoding"] = coding }
      local message = refused("signature", { alter = compress, headers = headers }).message
      assert.matches("Content-Encoding " .. coding, message, 1, true)
      assert.is_nil(message:find("key", 1, true), message)
      message = refused("protocol", { alter = compress, signed = false, headers = headers }).message
      assert.matches("Content-Encoding " .. coding, message, 1, true)
      message = refused("http", { alter = compress, signed = false, http_status = 503, headers = headers }).message
      assert.matches("Content-Encoding " .. coding, message, 1, true)
    end
    local wrong = { alter = add_space, headers = { ["content-encoding"] = "identity" } }
    assert.is_nil(refused("signature", wrong).message:find("Content-Encoding", 1, true))
  end)

  it("that could not be verified: no wrong signature, and worth another attempt", function()
    local short, key = rsa:client { retry = { base_delay_ms = 0, max_delay_ms = 0 } }, {}
    local real = short.config.peer_keys:get()
    for _, name in ipairs { "type", "fingerprint" } do key[name] = function() return real[name](real) end end
    function key.verify() return nil, "out of memory" end
    short.config.peer_keys = { get = function() return key end }
    rsa:answers { {} }
    local response, err = short:sync_order(samples.order())
    assert.is_nil(response)
    assert.same({ "signature", "unverified", 3, true }, { err.kind, err.code, err.attempts, err.retryable })
    assert.matches("out of memory", err.message, 1, true)
    assert.is_nil(err.message:find("does not verify", 1, true))
    key.verify = function() return true end
    assert(short:sync_order(samples.order()))
  end)

  it("that cannot be opened with one message, whatever the cause", function()
    local message
    for _, answer in ipairs {
      { encrypt = stranger_public },
      { encrypt = true, headers = { encrypt = "symmetricKey=A" } },
      { headers = { encrypt = "algorithm=RSA_AES,symmetricKey=" .. ("A"):rep(344) } },
    } do
      local err = refused("decrypt", answer)
      assert.equal(message or err.message, err.message)
      message = err.message
    end
  end)
end)

describe("with verify_response = false an answer", function()
  local OPEN = { verify_response = false }

  it("is accepted unsigned, half-signed or wrongly signed, and never as authenticated", function()
    for _, answer in ipairs { {}, { signed = false }, { signed = "signature" }, { alter = add_space },
      { private_key = stranger_private } } do
      assert.is_false(accepted(answer, OPEN).authenticated)
    end
  end)

  it("is accepted from anybody without AlipayHK's key", function()
    local config = rsa:config(OPEN)
    config.alipay_public_key = nil
    rsa:answers { { signed = false } }
    assert.is_false(assert(alipayhk.new(config):sync_order(samples.order())).authenticated)
  end)

  it("is refused all the same where it is encrypted, or for another client", function()
    refused("signature", { encrypt = true }, OPEN)
    refused("signature", { client_id = "other" }, OPEN)
  end)
end)
