-- Answers that are not AlipayHK's: the message says what came, and what to look at.

local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local BASE = "https://gateway.example/pre"

local gateway = double.new { algorithm = "p224" }

local function ask(status, headers, body, config)
  local client = gateway:client(config or { base_url = BASE })
  gateway:answers { { raw = function() return { status = status, headers = headers, body = body } end } }
  local response, err = client:sync_order(samples.order(), { retry = false })
  assert.is_nil(response)
  assert.is_nil(tostring(err):find("%c"))
  assert.is_truthy(core.utf8_length(tostring(err)))
  assert.is_nil(tostring(err):find(samples.USER_ID, 1, true), tostring(err))
  assert.is_true(#err.message < 700, err.message)
  return err
end

local function html(body, media)
  return { ["content-type"] = media or "text/html; charset=utf-8" }, body
end

local BAD_GATEWAY = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
  .. "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"

describe("what came is called by its name:", function()
  -- Headers and body; what the message says.
  local CASES = {
    ["a page of nginx's"] = { BAD_GATEWAY, "text/html",
      'an HTML page (text/html): "502 Bad Gateway 502 Bad Gateway nginx/1.22.1"' },
    ["a login page"] = {
      "<!DOCTYPE html><html><head><meta charset=utf-8><style>body { color: <red> }</style>"
        .. "<SCRIPT src='x'>if (a < b) { alert('secret') }</SCRIPT><!-- <b>unseen</b> -->"
        .. "<title>Sign in &#8211; Example &amp; Sons</title></head><body><form>Name <input name=n> Password</form>",
      "text/html;charset=UTF-8", 'an HTML page (text/html): "Sign in &#8211; Example & Sons Name Password"' },
    ["a page without a media type"] = { "\n<html><body>Blocked by policy", nil, 'an HTML page: "Blocked by policy"' },
    ["a page behind a BOM"] = { "\239\187\191<!doctype HTML><p>Hi", nil, 'an HTML page: "' },
    ["a page whose script does not end"] = { "<html>Hi<script>secret", "text/html", 'an HTML page (text/html): "Hi"' },
    ["a page whose tag does not end"] = { "<html>Hi<a href='secret", "text/html", 'an HTML page (text/html): "Hi"' },
    ["a page with a lonely <"] = { "<html>1 < 2 <3", "text/html", 'an HTML page (text/html): "1 < 2 <3"' },
    ["an empty page"] = { "<html></html>", "text/html", 'an HTML page (text/html): ""' },
    ["XML"] = { "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "application/xml",
      'XML (application/xml): "AccessDenied"' },
    ["plain text"] = { "upstream connect error or disconnect/reset before headers", "text/plain",
      'plain text (text/plain): "upstream connect error or disconnect/reset before headers"' },
    ["text called JSON"] = { "no healthy upstream", "application/json", 'plain text (application/json): "no healthy' },
    ["text of many lines"] = { "\r\n one\r\n\ttwo\0three", "text/plain", "no text (text/plain)" },
    ["text of two lines"] = { "\r\n one\r\n\ttwo ", "text/plain", 'plain text (text/plain): "one two"' },
    ["text in colours"] = { "\27[31mred\27[0m", "text/plain", 'plain text (text/plain): "[31mred [0m"' },
    ["long text"] = { ("電"):rep(1000), "text/plain", '電..."' },
    ["text of 100 bytes"] = { ("x"):rep(100), nil, 'plain text: "' .. ("x"):rep(100) .. '"' },
    ["text of 101 bytes"] = { ("x"):rep(101), nil, 'plain text: "' .. ("x"):rep(100) .. '..."' },
    ["a long media type"] = { "x", ("m"):rep(41), "plain text (" .. ("m"):rep(40) .. '): "x"' },
    ["text in another encoding"] = { "\181\231\181\231", "text/plain; charset=gbk", 'plain text (text/plain): "????"' },
    ["a picture"] = { "\137PNG\r\n\26\n\0\0\0", "image/png", "no text (image/png)" },
    ["nothing"] = { "", "text/html", "no body" },
    ["a media type of many lines"] = { "x", "text/\1html", "an HTML page" },
    ["a user's id"] = { "no user " .. samples.USER_ID, "text/plain", 'plain text (text/plain): "no user ***"' },
    ["a user's id cut in the middle"] = { ("x"):rep(93) .. samples.USER_ID, "text/plain", 'x***"' },
  }
  for _, title in ipairs(sorted_keys(CASES)) do
    local body, media, expected = CASES[title][1], CASES[title][2], CASES[title][3]
    it(title, function()
      local err = ask(200, { ["content-type"] = media }, body)
      assert.equal("protocol", err.kind)
      assert.matches(expected, err.message, 1, true)
      assert.is_nil(err.message:find("secret", 1, true) or err.message:find("unseen", 1, true), err.message)
      err = ask(502, { ["content-type"] = media }, body)
      assert.equal("http", err.kind)
      assert.matches("HTTP 502, not 200: " , err.message, 1, true)
      assert.matches(expected, err.message, 1, true)
    end)
  end

  it("JSON that has no result", function()
    local err = ask(404, { ["content-type"] = "application/json" }, '{"message":"no Route matched"}')
    assert.matches('JSON (application/json): "{"message":"no Route matched"}"', err.message, 1, true)
    assert.matches("no `result`", ask(200, {}, '{"message":"no Route matched"}').message, 1, true)
  end)

  it("JSON that ends too early is no text", function()
    local err = ask(200, { ["content-type"] = "application/json" }, ' {"result":{"resultStatus":"F"')
    assert.equal("protocol", err.kind)
    assert.matches("not JSON", err.message, 1, true)
    assert.is_nil(err.message:find("plain text", 1, true))
  end)

  it("quickly, however large it is", function()
    local started = os.clock()
    ask(200, html(("<"):rep(500000)))
    ask(200, html(("<script"):rep(70000)))
    ask(200, html(("<!--"):rep(120000)))
    ask(200, html(("&a"):rep(250000)))
    ask(200, html(("\181"):rep(500000)))
    ask(502, html((samples.USER_ID):rep(30000)))
    assert.is_true(os.clock() - started < 3)
  end)
end)

describe("the hint goes with the status:", function()
  local HINTS = { base_url = "base_url", path = "the path tried is /pre/api/open/alipay/v1/merchant/order/sync",
    bytes = "too large", rate = "too many requests", proxy = "`proxy` takes them", client_id = "client_id",
    redirect = "redirect", https = "speaks https" }
  -- All hints that a message has.
  local function hints_of(err)
    local found = {}
    for name, words in pairs(HINTS) do found[name] = err.message:find(words, 1, true) ~= nil or nil end
    return found
  end

  local WANTED = {
    [301] = { base_url = true, redirect = true }, [307] = { base_url = true, redirect = true },
    [400] = {}, [401] = { base_url = true, client_id = true }, [403] = { base_url = true, client_id = true },
    [404] = { base_url = true, path = true }, [405] = { base_url = true, path = true },
    [407] = { proxy = true }, [408] = {}, [413] = { bytes = true }, [418] = {}, [422] = {}, [425] = {},
    [429] = { rate = true }, [500] = {}, [501] = {}, [502] = {}, [503] = {}, [504] = {}, [520] = {}, [524] = {},
    [201] = {}, [304] = {}, [999] = {},
  }
  for _, status in ipairs(sorted_keys(WANTED)) do
    it(tostring(status), function()
      local err = ask(status, html(BAD_GATEWAY))
      assert.equal("http", err.kind)
      assert.equal(status, err.http_status)
      assert.same(WANTED[status], hints_of(err))
      if WANTED[status].base_url then assert.matches(BASE, err.message, 1, true) end
    end)
  end

  it("413 has the size of the request", function()
    assert.matches(("size is %d bytes"):format(#gateway.requests[1].body), ask(413, {}, "").message, 1, true)
  end)

  it("400 of a port that speaks https", function()
    for _, said in ipairs {
      "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
      "Client sent an HTTP request to an HTTPS server.\n",
      "HTTP request to an HTTPS server",
      "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    } do
      local err = ask(400, html(said))
      assert.equal("http", err.kind)
      assert.same({ https = true, base_url = true }, hints_of(err))
    end
    assert.matches("http://127.0.0.1:8443", ask(400, {}, "Client sent an HTTP request to an HTTPS server.",
      { base_url = "http://127.0.0.1:8443" }).message, 1, true)
  end)

  -- Whither a redirect goes, as far as it may be shown.
  local LOCATIONS = {
    ["https://login.example.com/sso?token=secret"] = "to https://login.example.com,",
    ["https://user:secret@login.example.com:8443/"] = "to https://login.example.com:8443,",
    ["HTTPS://LOGIN.example.com#secret"] = "to HTTPS://LOGIN.example.com,",
    ["//login.example.com/secret"] = "to //login.example.com,",
    ["/login?secret"] = "to another path,",
    ["login/secret"] = "to another path,",
    ["https://" .. ("x"):rep(5000)] = "to https://xxx",
    [""] = "to nowhere,",
  }
  for _, location in ipairs(sorted_keys(LOCATIONS)) do
    it("302 to " .. location:sub(1, 50), function()
      local message = ask(302, { location = location }, "").message
      assert.matches("redirects " .. LOCATIONS[location], message, 1, true)
      assert.is_nil(message:find("secret", 1, true))
    end)
  end

  it("401 of AlipayHK's is a result, and needs none", function()
    local err = ask(401, { ["content-type"] = "application/json" },
      '{"result":{"resultCode":"INVALID_CLIENT","resultStatus":"F","resultMessage":"no such client"}}')
    assert.same({ "result", "INVALID_CLIENT", 401, false }, { err.kind, err.code, err.http_status,
      err.response.authenticated })
  end)

  it("a success by another status says so", function()
    gateway:answers { { http_status = 500, code = "SUCCESS" } }
    local _, err = gateway:client():sync_order(samples.order(), { retry = false })
    assert.same({ "http", 500 }, { err.kind, err.http_status })
    assert.matches("says S (SUCCESS)", err.message, 1, true)
    assert.matches("outcome is unknown", err.message, 1, true)
    assert.is_nil(err.response)
  end)
end)
