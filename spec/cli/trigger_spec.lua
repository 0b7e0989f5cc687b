local calls = require "spec.support.doubles.calls"
local cjson = require "cjson.safe"
local command = require "spec.support.command"
local core = require "alipayhk.core"
local endpoint = require "spec.support.servers.endpoint"
local keys = require "spec.support.data.keys"
local server = require "spec.support.servers.server"
local shell = require "spec.support.shell"

local LOCATIONS = [[
  location = /alipayhk/notify { content_by_lua_block { plain = plain or merchant.endpoint(); plain() } }
  location = /rewritten { rewrite ^ /alipayhk/notify last; }
  location = /inner { content_by_lua_block { merchant.endpoint { path = "/outer?a=1" } () } }
]]

local function event(act, id)
  return ('{"id":"%s","act":"%s"}'):format(id or core.hex_encode(core.random_bytes(8)), act)
end

-- What it says of an event, by keys that fit the endpoints below unless the arguments say otherwise.
local function trigger(url, input, ...)
  local arguments = {
    "trigger", url, "--event", "-", "--client-id", calls.CLIENT_ID, "--private-key", calls.merchant("rsa").private,
  }
  local own = { ... }
  local signs = false
  for _, word in ipairs(own) do
    arguments[#arguments + 1] = word
    signs = signs or word == "--sign-with" or word == "--keys"
  end
  if not signs then
    arguments[#arguments + 1] = "--sign-with"
    arguments[#arguments + 1] = calls.alipayhk("rsa").private
  end
  return command.run(arguments, { input = input })
end

describe("alipayhk trigger, at a merchant's endpoint,", function()
  local merchant

  setup(function() merchant = endpoint.start(LOCATIONS) end)
  teardown(function() merchant:stop() end)

  local function at(path) return merchant.nginx.url .. path end

  it("finds a right answer right, and says by which key it has called", function()
    local status, out, err = trigger(at "/alipayhk/notify", event("true", "right-1"))
    assert.equal(0, status, out .. err)
    assert.matches("^call 1: HTTP 200, SUCCESS %(S%), %d+ ms\n  right: status, headers, signature, time, result\n$",
      out)
    assert.matches("signed by " .. calls.alipayhk("rsa").private .. " in AlipayHK's place", err, 1, true)
    assert.equal(1, merchant:handled("right-1"))
  end)

  it("sends the event byte for byte, and encrypted where that is asked for", function()
    local body = '{"act" : "true",   "id":"bytes-1"}'
    assert.equal(0, (trigger(at "/alipayhk/notify", "\n " .. body .. " \n")))
    assert.equal(body, merchant:handled("request").body)
    assert.equal(0, (trigger(at "/alipayhk/notify", body, "--encrypt")))
    assert.matches("^[A-Za-z0-9+/=]+$", merchant:handled("request").body)
    assert.equal(2, merchant:handled("bytes-1"))
  end)

  it("gives what it found as an object", function()
    local status, out = trigger(at "/alipayhk/notify", event "again", "--json", "--once")
    assert.equal(1, status)
    local found = cjson.decode(out)
    assert.same({ 1, false, 200, "BUSY", "U", "result" }, { found.call, found.right, found.http_status,
      found.result_code, found.result_status, found.faults[1].name })
  end)

  it("calls again as AlipayHK does until there is a success", function()
    local status, out, err = trigger(at "/alipayhk/notify", event("recover", "again-1"), "--fast")
    assert.equal(0, status, out .. err)
    assert.matches("call 1: HTTP 200, UNKNOWN_EXCEPTION %(U%).*not a success, so AlipayHK calls again\n"
      .. "call 2: HTTP 200, RECOVERED %(S%)", out)
    assert.matches("AlipayHK calls again after 120 s (here 20 ms)", err, 1, true)
    assert.equal(2, merchant:handled("again-1"))
  end)

  it("names the key, the client and the path that the endpoint has to have where it refuses", function()
    local other = keys.pair("other").private
    for _, case in ipairs {
      { "/alipayhk/notify", "--sign-with", other },
      { "/alipayhk/notify", "--client-id", "OTHER" },
      { "/inner" },
    } do
      local status, out = trigger(at(case[1]), event "true", "--once", case[2], case[3])
      assert.equal(1, status)
      assert.matches("HTTP 200, INVALID_SIGNATURE %(F%).*\n  wrong result +the endpoint does not take the call for "
        .. "AlipayHK's%. It has to have as alipay_public_key the public half of ", out)
      assert.is_nil(out:find("wrong signature", 1, true))
    end
  end)

  it("signs another path, where a proxy before the endpoint rewrites it", function()
    assert.equal(0, (trigger(at "/inner", event "true", "--path", "/outer?a=1")))
  end)

end)

describe("alipayhk trigger names what is wrong:", function()
  local web
  local OK = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'

  setup(function() web = server.start() end)
  teardown(function() web:stop() end)

  local function found(answer)
    web:answer(answer)
    local status, out = trigger(web:url "/notify", event "true", "--once", "--json")
    assert.equal(1, status)
    local faults = {}
    for _, fault in ipairs(cjson.decode(out).faults) do faults[fault.name] = fault.message end
    return faults
  end

  it("a reply that is not signed", function()
    local faults = found { headers = { ["Content-Type"] = "application/json" }, body = OK }
    assert.matches("neither a Signature nor a Response-Time; that replies are signed is INFERRED", faults.signature, 1,
      true)
    assert.matches("there is no Client-Id", faults.headers, 1, true)
    assert.is_nil(faults.result)
  end)

  it("a reply by another key, for another client, of another time", function()
    local faults = found { body = OK, headers = {
      ["Content-Type"] = "application/json", ["Client-Id"] = calls.CLIENT_ID,
      ["Response-Time"] = "2024-05-22T06:42:21Z",
      Signature = "algorithm=RSA256,keyVersion=1,signature=" .. ("QUFB"):rep(85) .. "QQ%3D%3D",
    } }
    assert.matches("the signature does not verify", faults.signature, 1, true)
    assert.matches("Response%-Time is %d+ s from our clock", faults.time)
    faults = found { body = OK, headers = { ["Client-Id"] = "OTHER", Signature = "x", ["Response-Time"] = "now" } }
    assert.matches("its Client-Id is another than that of the call", faults.signature, 1, true)
    assert.matches("expected ISO 8601", faults.time, 1, true)
    assert.matches("Content-Type: expected application/json", faults.headers, 1, true)
  end)

  it("a page, a status, a body that is no result", function()
    local faults = found { status = 404, headers = { ["Content-Type"] = "text/html" }, body = "<h1>Not here</h1>" }
    assert.matches("HTTP 404: AlipayHK expects 200", faults.status, 1, true)
    assert.matches("it is no JSON object but an HTML page (text/html): \"Not here\"", faults.body, 1, true)
    assert.matches("no object `result`", found({ body = "{}" }).body, 1, true)
    assert.matches("result.resultMessage: expected a string",
      found({ body = '{"result":{"resultCode":"A","resultStatus":"S"}}' }).body, 1, true)
    assert.matches("expected S, F or U, found \"OK\"",
      found({ body = OK:gsub('"S"', '"OK"') }).body, 1, true)
  end)

  it("nothing of ECC224, by which it signs where the key is one of it", function()
    trigger(web:url "/notify", event "true", "--once", "--sign-with", calls.alipayhk("p224").private)
    local log = web:log()
    assert.matches("^algorithm=ECC224,keyVersion=1,signature=", log[#log].headers.signature)
  end)

  it("that a call which is encrypted wants a reply that is", function()
    web:answer { body = OK }
    local _, out = trigger(web:url "/notify", event "true", "--once", "--encrypt")
    assert.matches("wrong body +it is not encrypted, and the call was", out)
  end)

  it("an endpoint that is not reached", function()
    local began = core.monotonic()
    for _, case in ipairs {
      { "http://127.0.0.1:1/", "Couldn't connect to server" },
      { web:url("/", "silent"), "the 200 ms of `" },
      { web:url("/", "unknown_ca"), "`tls.ca_file` has to hold the certificate" },
      { "http://no-such-host.invalid/", "no-such-host.invalid" },
    } do
      local status, out = trigger(case[1], event "true", "--once", "--timeout", "200ms")
      assert.equal(3, status)
      assert.matches("^call 1: no answer: ", out)
      assert.matches(case[2], out, 1, true)
    end
    assert.is_true(core.monotonic() - began < 20)
  end)
end)

describe("alipayhk trigger says in one line", function()
  it("what is wrong with its arguments", function()
    local directory = shell.directory()
    shell.write(directory .. "/broken.json", '{"a":1')
    shell.write(directory .. "/list.json", "[1]")
    shell.write(directory .. "/event.json", "{}")
    shell.must("mkdir " .. directory .. "/empty")
    local good, mine = directory .. "/event.json", calls.merchant("rsa").private
    local url, theirs = "http://127.0.0.1:1/", calls.alipayhk("rsa").private
    local who = { "--client-id", "X", "--private-key", mine, "--sign-with", theirs }
    local function with(...)
      local words = { ... }
      for _, word in ipairs(who) do words[#words + 1] = word end
      return words
    end
    for _, case in ipairs {
      { "whose endpoint is it?", { url, "--event", good } },
      { "by which key is the call to be signed?", { url, "--event", good, "--private-key", mine } },
      { "which client is called?", { url, "--event", good, "--private-key", mine, "--sign-with", theirs } },
      { "there are no keys of a gateway in", { url, "--event", good, "--keys", directory .. "/empty" } },
      { "a private key is expected here", { url, "--event", good, "--private-key", mine, "--sign-with",
        calls.alipayhk("rsa").public } },
      { "No such file", { url, "--event", good, "--private-key", directory .. "/none" } },
      { "URL: expected https://", with("ftp://x/", "--event", good) },
      { "URL: a port is a number", with("http://x:0/", "--event", good) },
      { "has to be percent-encoded", with("http://x/a b", "--event", good) },
      { "--path: expected a path", with(url, "--event", good, "--path", "x") },
      { "what is to be sent?", with(url) },
      { "is not JSON", with(url, "--event", directory .. "/broken.json") },
      { "it has to hold one JSON object", with(url, "--event", directory .. "/list.json") },
      { "No such file", with(url, "--event", directory .. "/none.json") },
      { "Is a directory", with(url, "--event", directory) },
      { "--timeout: expected a time", with(url, "--event", good, "--timeout", "5") },
    } do
      table.insert(case[2], 1, "trigger")
      local status, out, err = command.run(case[2])
      assert.equal(2, status, case[1] .. out .. err)
      assert.equal("", out)
      assert.matches("^alipayhk: [^\n]+\n$", err)
      assert.matches(case[1], err, 1, true)
    end
  end)
end)
