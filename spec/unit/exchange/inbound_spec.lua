-- Calls from AlipayHK, made by openssl and node: all that is to be taken, encrypted too.

local bytes = require "spec.support.data.bytes"
local calls = require "spec.support.doubles.calls"
local json = require "cjson"
local keys = require "spec.support.data.keys"
local receiver = require "spec.support.doubles.receiver"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local plain = receiver.client()

local function taken(call, by) return receiver.taken(by or plain, call) end

local function refused(kind, code, call, by) return receiver.refused(kind, code, by or plain, call) end

describe("a call from AlipayHK is taken", function()
  local WAYS = {
    ["by RSA256"] = {},
    ["with the signature in raw base64"] = { encode = "raw" },
    ["with lower-case escapes"] = { encode = "lower" },
    ["with a space between the pairs"] = { separator = ", " },
    ["with the algorithm in lower case"] = { algorithm = "rsa256" },
    ["without an algorithm"] = { algorithm = false },
    ["without a key version"] = { version = false },
    ["with an empty key version"] = { version = "" },
    ["without a Client-Id"] = { headers = { ["Client-Id"] = false } },
    ["with a query string"] = { path = "/alipayhk/notify?a=1&b=%20c&a=2" },
    ["to the root"] = { path = "/" },
    ["by PUT"] = { method = "PUT" },
    ["with a Request-Time in Z"] = { time = "2024-05-22T06:42:21Z" },
    ["with a Request-Time with an offset and milliseconds"] = { time = "2024-05-22T14:42:21.123+08:00" },
    ["with a Request-Time of no known form, where no age is asked for"] = { time = "yesterday" },
    ["with line breaks in its signature"] = { encode = "lines" },
    ["with encoded line breaks in its signature"] = { encode = "encoded_lines" },
    ["that says it has no coding"] = { headers = { ["Content-Encoding"] = "identity" } },
    ["that says it is coded, and is not"] = { headers = { ["Content-Encoding"] = "gzip" } },
    ["years old, where no age is asked for"] = { time = "1999-12-31T23:59:59Z" },
    ["with another Content-Type"] = { headers = { ["Content-Type"] = "text/plain" } },
    ["of half a megabyte"] = { body = '{"note":"' .. ("電"):rep(170000) .. '"}' },
    ["with white space around the object"] = { body = ' \r\n{"note":"x"}\n' },
  }

  for _, title in ipairs(sorted_keys(WAYS)) do
    it(title, function()
      local call = calls.make(WAYS[title])
      assert.same(json.decode(call.body), taken(call))
    end)
  end

  for _, case in ipairs { { "lower", string.lower }, { "upper", string.upper } } do
    it("with header names in " .. case[1] .. " case", function()
      local call, headers = calls.make(), {}
      for name, value in pairs(call.headers) do headers[case[2](name)] = value end
      call.headers = headers
      assert.same(json.decode(call.body), taken(call))
    end)
  end

  it("with fields that JSON has and Lua has not", function()
    local payload = taken(calls.make { body = '{"list":[1,{"x":null}],"big":1716338541000,"text":"\\u96fb\\u5f71"}' })
    assert.equal(1716338541000, payload.big)
    assert.equal(json.null, payload.list[2].x)
    assert.equal("電影", payload.text)
  end)

  it("with an empty object", function() assert.same({}, taken(calls.make { body = "{}" })) end)

  local CURVES = {
    ["by ECC224"] = { {}, nil },
    ["by ECC224 with sha256"] = { { digest = "sha256" }, { digest = "sha256" } },
    ["by ECC224 in p1363"] = { { encoding = "p1363" }, { encoding = "p1363" } },
    ["by ECC224 with sha256 in p1363"] = { { digest = "sha256", encoding = "p1363" },
      { digest = "sha256", encoding = "p1363" } },
  }
  for _, title in ipairs(sorted_keys(CURVES)) do
    it(title, function()
      local with, ecc224 = CURVES[title][1], CURVES[title][2]
      with.key = "p224"
      for _, encode in ipairs { "percent", "raw" } do
        with.encode = encode
        taken(calls.make(with), receiver.client(receiver.ecc224(ecc224)))
      end
    end)
  end

  it("by an EC key where our own is RSA", function()
    taken(calls.make { key = "p224" }, receiver.client { alipay_public_key = { file = calls.alipayhk("p224").public } })
  end)

  it("in spite of verify_response = false, when it is in order", function()
    taken(calls.make(), receiver.client { verify_response = false })
  end)

  it("whatever other header comes twice", function()
    local call = calls.make()
    call.headers["X-Forwarded-For"] = { "10.0.0.1", "10.0.0.2" }
    taken(call)
  end)
end)

describe("AlipayHK's key versions", function()
  local second = keys.pair("alipayhk-second")
  local third = keys.pair("alipayhk-third")
  local ring = receiver.client { alipay_public_key = {
    ["1"] = { file = calls.alipayhk("rsa").public },
    ["2"] = { file = second.public },
    ["10"] = { file = third.public },
  } }

  it("are told apart", function()
    taken(calls.make { version = "1" }, ring)
    taken(calls.make { version = "2", key = second.private }, ring)
    taken(calls.make { version = "10", key = third.private }, ring)
  end)

  it("default to the latest, which is 10 after 9", function()
    taken(calls.make { version = false, key = third.private }, ring)
    taken(calls.make { version = "", key = third.private }, ring)
    refused("signature", "wrong", calls.make { version = false }, ring)
  end)

  it("are not taken one for the other", function()
    refused("signature", "wrong", calls.make { version = "2" }, ring)
    refused("signature", "wrong", calls.make { version = "1", key = second.private }, ring)
  end)

  it("that nobody gave us are named", function()
    assert.matches("3", refused("signature", "wrong", calls.make { version = "3" }, ring).message, 1, true)
  end)
end)

describe("an encrypted call", function()
  local BODY = '{"requestId":"1","note":"電影票"}'
  local ec = receiver.client(receiver.ecc224())
  local one_message

  for _, padding in ipairs { "pkcs1", "oaep" } do
    for _, bits in ipairs { 128, 192, 256 } do
      it(("is opened: %s, %d bits"):format(padding, bits), function()
        local by = receiver.client { encryption = { key_padding = padding } }
        assert.same({ requestId = "1", note = "電影票" },
          taken(calls.make { body = BODY, encrypt = { padding = padding, bits = bits } }, by))
      end)
    end
  end

  it("is opened when it is for anybody with an RSA key, signed by an EC key", function()
    taken(calls.make { body = BODY, key = "p224", encrypt = {} },
      receiver.client { alipay_public_key = { file = calls.alipayhk("p224").public } })
  end)

  it("is not opened before its signature is known to be right", function()
    local call = calls.make { body = BODY, encrypt = {}, key = keys.pair("stranger").private }
    refused("signature", "wrong", call)
    call = calls.make { body = BODY, encrypt = {} }
    call.body = bytes.flip(call.body, 5)
    refused("signature", "wrong", call)
  end)

  it("is no JSON when it is not called encrypted", function()
    refused("protocol", nil, calls.make { body = BODY, encrypt = {}, headers = { ["Encrypt"] = false } })
  end)

  it("that holds no object is refused", function()
    for _, body in ipairs { "", "[1]", "x", '"x"' } do
      refused("protocol", nil, calls.make { body = body, encrypt = {} })
    end
  end)

  it("is refused by who has no RSA key", function()
    refused("decrypt", nil, calls.make { body = BODY, key = "p224", encrypt = {} }, ec)
  end)

  it("is taken whatever the case of RSA_AES, and without the name", function()
    for _, name in ipairs { "rsa_aes", "Rsa_Aes", "" } do
      local call = calls.make { body = BODY, encrypt = {} }
      call.headers["Encrypt"] = call.headers["Encrypt"]:gsub("RSA_AES", name)
      taken(call)
    end
    local call = calls.make { body = BODY, encrypt = {} }
    call.headers["Encrypt"] = call.headers["Encrypt"]:gsub("algorithm=RSA_AES,", "")
    taken(call)
  end)

  it("by another algorithm is not opened, and the message names it", function()
    for _, name in ipairs { "RSA_DES", "RSA_AES_GCM", "AES", "RSA-AES" } do
      local call = calls.make { body = BODY, encrypt = {} }
      call.headers["Encrypt"] = call.headers["Encrypt"]:gsub("RSA_AES", name)
      local message = refused("decrypt", nil, call).message
      assert.matches(name, message, 1, true)
      assert.matches("only RSA_AES", message, 1, true)
    end
  end)

  it("is read as it is with an empty Encrypt: that says no more than none", function()
    taken(calls.make { body = BODY, headers = { ["Encrypt"] = "" } })
  end)

  -- All one to the caller.
  local UNREADABLE = {
    ["sealed for another"] = { encrypt = { key = keys.pair("stranger").public } },
    ["with another padding"] = { encrypt = { padding = "oaep" } },
    ["not encrypted at all"] = { headers = { ["Encrypt"] = "algorithm=RSA_AES,keyVersion=1,symmetricKey=AAAA" } },
    ["with an Encrypt that is no list"] = { headers = { ["Encrypt"] = "abc" } },
    ["with an Encrypt without a key"] = { headers = { ["Encrypt"] = "algorithm=RSA_AES,keyVersion=1" } },
  }
  for _, title in ipairs(sorted_keys(UNREADABLE)) do
    it("cannot be opened, " .. title, function()
      local with = UNREADABLE[title]
      with.body = BODY
      local err = refused("decrypt", nil, calls.make(with))
      one_message = one_message or err.message
      assert.equal(one_message, err.message)
    end)
  end
end)
