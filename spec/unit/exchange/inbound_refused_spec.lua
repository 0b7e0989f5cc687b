-- Calls that are not AlipayHK's, not for us, or no calls at all: each is refused, and told why.

local alipayhk = require "alipayhk"
local bytes = require "spec.support.data.bytes"
local calls = require "spec.support.doubles.calls"
local keys = require "spec.support.data.keys"
local receiver = require "spec.support.doubles.receiver"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local plain = receiver.client()

local function taken(call, by) return receiver.taken(by or plain, call) end

local function refused(kind, code, call, by) return receiver.refused(kind, code, by or plain, call) end

describe("a call is refused", function()
  local stranger = keys.pair("stranger").private

  -- How a call that is in order is spoilt, and what is said of it.
  local SPOILT = {
    ["unsigned"] = { "unsigned", function(call)
      call.headers["Signature"], call.headers["Request-Time"] = nil, nil
    end },
    ["without its Signature"] = { "unsigned", function(call) call.headers["Signature"] = nil end },
    ["without its Request-Time"] = { "unsigned", function(call) call.headers["Request-Time"] = nil end },
    ["with no header at all"] = { "unsigned", function(call) call.headers = {} end },
    ["for another client"] = { "client_id", function(call) call.headers["Client-Id"] = "ANOTHER" end },
    ["with our Client-Id in another case"] = { "client_id", function(call)
      call.headers["Client-Id"] = calls.CLIENT_ID:lower()
    end },
    ["with the path of another endpoint"] = { "wrong", function(call) call.path = "/alipayhk/other" end },
    ["without its query string"] = { "wrong", function(call) call.path = call.path:gsub("%?.*", "") end },
    ["with its path decoded"] = { "wrong", function(call) call.path = call.path:gsub("%%20", " ") end },
    ["by another method"] = { "wrong", function(call) call.method = "PUT" end },
    ["with its method in lower case"] = { "wrong", function(call) call.method = "post" end },
    ["with another Request-Time"] = { "wrong", function(call)
      call.headers["Request-Time"] = "2024-05-22T06:42:22Z"
    end },
    ["with its Request-Time in another offset"] = { "wrong", function(call)
      call.headers["Request-Time"] = "2024-05-22T14:42:21+08:00"
    end },
    ["with its body written anew"] = { "wrong", function(call) call.body = call.body:gsub(":", ": ") end },
    ["with a newline behind its body"] = { "wrong", function(call) call.body = call.body .. "\n" end },
    ["with a NUL behind its body"] = { "wrong", function(call) call.body = call.body .. "\0" end },
    ["without its last byte"] = { "wrong", function(call) call.body = call.body:sub(1, -2) end },
    ["without its body"] = { "wrong", function(call) call.body = "" end },
    ["with an empty Signature"] = { "unsigned", function(call) call.headers["Signature"] = "" end },
    ["with a Signature that is no list"] = { "wrong", function(call) call.headers["Signature"] = "abc" end },
    ["with a Signature that names none"] = { "wrong", function(call)
      call.headers["Signature"] = "algorithm=RSA256,keyVersion=1"
    end },
    ["with an empty value in its Signature"] = { "wrong", function(call)
      call.headers["Signature"] = "algorithm=RSA256,keyVersion=1,signature="
    end },
    ["with a Signature of something else than base64"] = { "wrong", function(call)
      call.headers["Signature"] = "algorithm=RSA256,keyVersion=1,signature=%2A%2A"
    end },
    ["with a broken escape in its Signature"] = { "wrong", function(call)
      call.headers["Signature"] = call.headers["Signature"]:gsub("%%%x%x", "%%Z", 1)
    end },
    ["with its Signature cut"] = { "wrong", function(call)
      call.headers["Signature"] = call.headers["Signature"]:sub(1, -30)
    end },
    ["with another algorithm's name"] = { "wrong", function(call)
      call.headers["Signature"] = call.headers["Signature"]:gsub("RSA256", "ECC224")
    end },
    ["with an algorithm that nobody knows"] = { "wrong", function(call)
      call.headers["Signature"] = call.headers["Signature"]:gsub("RSA256", "none")
    end },
  }

  for _, title in ipairs(sorted_keys(SPOILT)) do
    it(title, function()
      local call = calls.make { path = "/alipayhk/notify?a=%20b", time = "2024-05-22T06:42:21Z" }
      SPOILT[title][2](call)
      refused("signature", SPOILT[title][1], call)
      refused("signature", SPOILT[title][1], call, receiver.client { verify_response = false })
    end)
  end

  -- Made wrong from the start.
  local MADE = {
    ["that a stranger signed"] = { key = stranger },
    ["that we signed ourselves"] = { key = calls.merchant("rsa").private },
    ["signed for another client"] = { client_id = "ANOTHER", headers = { ["Client-Id"] = calls.CLIENT_ID } },
    ["signed for another client, without a Client-Id"] = { client_id = "ANOTHER", headers = { ["Client-Id"] = false } },
    ["signed with another digest"] = { digest = "sha512" },
    ["signed by an EC key"] = { key = "p224", algorithm = "RSA256" },
  }
  for _, title in ipairs(sorted_keys(MADE)) do
    it(title, function() refused("signature", "wrong", calls.make(MADE[title])) end)
  end

  it("whatever byte of its body was changed", function()
    local call = calls.make()
    local body = call.body
    for at = 1, #body do
      call.body = bytes.flip(body, at)
      refused("signature", "wrong", call)
    end
    call.body = body
    taken(call)
  end)

  for _, name in ipairs { "Signature", "Request-Time", "Client-Id", "Encrypt" } do
    it("whose " .. name .. " comes twice", function()
      local call = calls.make { encrypt = {} }
      local value = call.headers[name]
      call.headers[name] = { value, value }
      refused("signature", nil, call)
      call.headers[name] = { value, "x" }
      refused("signature", nil, call)
    end)

    it("whose " .. name .. " comes in two spellings", function()
      local call = calls.make { encrypt = {} }
      call.headers[name:upper()] = call.headers[name]
      refused("signature", nil, call)
    end)
  end

  it("when there is no key to verify it with", function()
    local blind = { client_id = calls.CLIENT_ID, base_url = "https://gateway.example", verify_response = false,
      private_key = { file = calls.merchant("rsa").private } }
    refused("signature", "unverified", calls.make(), assert(alipayhk.new(blind)))
  end)

  it("and the message names what was done to its bytes on the way, not the path or the key", function()
    for _, coding in ipairs { "gzip", "br", "x-own", "gzip, identity" } do
      local call = calls.make { headers = { ["content-encoding"] = coding } }
      call.body = "\31\139" .. call.body
      local message = refused("signature", "wrong", call).message
      assert.matches("Content-Encoding " .. coding, message, 1, true)
      assert.is_nil(message:find("path", 1, true) or message:find("key", 1, true), message)
      call = calls.make { headers = { ["Content-Encoding"] = coding }, body = "\31\139" }
      assert.matches("Content-Encoding " .. coding, refused("protocol", nil, call).message, 1, true)
    end
    local call = calls.make { headers = { ["Content-Encoding"] = "Identity" } }
    call.body = call.body .. " "
    assert.is_nil(refused("signature", "wrong", call).message:find("Content-Encoding", 1, true))
  end)

  it("as unverified where the verification could not run: not as a wrong signature", function()
    local key = { close = function() end }
    for _, name in ipairs { "type", "fingerprint" } do
      key[name] = function() return plain.config.peer_keys:get()[name](plain.config.peer_keys:get()) end
    end
    function key.verify() return nil, "out of memory" end
    local short = receiver.client()
    short.config.peer_keys = { get = function() return key end }
    local message = refused("signature", "unverified", calls.make(), short).message
    assert.matches("out of memory", message, 1, true)
    assert.is_nil(message:find("does not verify", 1, true))
  end)

  it("with a message that cuts a version at a character", function()
    local ring = receiver.client { alipay_public_key = { [1] = { file = calls.alipayhk("rsa").public } } }
    local message = refused("signature", "wrong", calls.make { version = "123456789012345電影" }, ring).message
    assert.matches("key version 123456789012345;", message, 1, true)
  end)

  it("with a message that says where to look", function()
    local call = calls.make { path = "/outer" }
    call.path = "/inner"
    assert.matches("path", refused("signature", "wrong", call).message, 1, true)
  end)

  local NO_OBJECTS = {
    ["an empty body"] = "", ["an array"] = "[1]", ["an empty array"] = "[]", ["an array of objects"] = '[{"a":1}]',
    ["a string"] = '"x"', ["a number"] = "42", ["null"] = "null", ["true"] = "true", ["text"] = "<html>",
    ["half an object"] = '{"a":1', ["two objects"] = '{"a":1}{"a":1}', ["single quotes"] = "{'a':1}",
    ["NaN"] = '{"a":NaN}', ["a NUL"] = "\0", ["white space"] = "  \n ", ["an object behind an array"] = '[1]{"a":1}',
    ["an object too deep"] = ('{"a":'):rep(2000) .. "1" .. ("}"):rep(2000),
  }
  for _, title in ipairs(sorted_keys(NO_OBJECTS)) do
    it("as no object: " .. title, function() refused("protocol", nil, calls.make { body = NO_OBJECTS[title] }) end)
  end
end)
