-- Where a client sends to: environments, base URLs, and which of them may do without TLS.

local alipayhk = require "alipayhk"
local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local PATH = "/api/open/alipay/v1/merchant/order/sync"

local gateway = double.new()

local function prepared(overrides)
  local config = gateway:config(overrides)
  if overrides.environment then config.base_url = nil end
  return assert(assert(alipayhk.new(config)):prepare("order", samples.order()))
end

describe("the environment", function()
  local HOSTS = { production = "https://open.alipay.hk", testing = "https://open-id-pre.alipay.com" }

  for _, environment in ipairs(sorted_keys(HOSTS)) do
    local origin = HOSTS[environment]
    it(environment .. " is " .. origin, function()
      local request = prepared { environment = environment }
      assert.equal(origin .. PATH, request.url)
      assert.equal(PATH, request.path)
    end)
  end
end)

describe("a base URL", function()
  local ACCEPTED = {
    { "https://gateway.example", "" },
    { "https://gateway.example/", "" },
    { "https://gateway.example/ams/sandbox", "/ams/sandbox" },
    { "https://gateway.example/ams/sandbox///", "/ams/sandbox" },
    { "https://gateway.example:8443/ams", "/ams" },
    { "https://gateway.example:1", "" },
    { "https://gateway.example:65535", "" },
    { "HTTPS://gateway.example", "" },
    { "https://192.0.2.1", "" },
    { "https://[2001:db8::1]:8443/ams", "/ams" },
    { "http://127.0.0.1", "" },
    { "http://127.0.0.1:8080/ams/", "/ams" },
    { "http://localhost", "" },
    { "http://LOCALHOST:8080", "" },
    { "http://[::1]", "" },
    { "http://[::1]:8080/ams", "/ams" },
  }
  for _, row in ipairs(ACCEPTED) do
    local url, prefix = row[1], row[2]
    it(("%s is taken, and its prefix %q is signed"):format(url, prefix), function()
      local request = prepared { base_url = url }
      assert.equal(prefix .. PATH, request.path)
      assert.equal(url:match("^%a+://[^/]+"):lower() .. prefix .. PATH, request.url:lower())
      gateway:answers { {} }
      assert(gateway:client({ base_url = url }):sync_order(samples.order()))
      assert.is_true(gateway.requests[1].verified)
      assert.equal(prefix .. PATH, gateway.requests[1].path)
    end)
  end

  local NO_TLS = {
    "http://gateway.example", "http://0.0.0.0", "http://10.0.0.1", "http://[::]", "http://[2001:db8::1]",
    "http://127.0.0.1.evil.example", "http://localhost.evil.example", "http://notlocalhost",
    "http://127.evil.example", "http://127.0.0.evil", "http://127.0.0.1evil.example", "http://2130706433",
    "http://127.999.0.1", "http://evil.example/localhost", "http://evil.example/@127.0.0.1",
    "http://evil.example:80/127.0.0.1",
  }
  for _, url in ipairs(NO_TLS) do
    it(url .. " is refused: no loopback address", function()
      local client, err = alipayhk.new(gateway:config { base_url = url })
      assert.is_nil(client and tostring(client))
      assert.equal("config", err.kind)
      assert.matches("`base_url`.*https", err.message)
    end)
  end

  local MALFORMED = {
    "", "gateway.example", "//gateway.example", "https://", "https:///path", "https:gateway.example",
    "ftp://gateway.example", "file:///etc/passwd", "javascript://gateway.example",
    "https://user@gateway.example", "https://user:secret@gateway.example", "http://localhost@evil.example",
    "http://127.0.0.1@evil.example", "http://127.0.0.1:80@evil.example", "http://127.0.0.1\\@evil.example",
    "http://[::1].evil.example", "http://[::1]evil.example", "https://[::1", "https://::1",
    "https://gateway.example?x=1", "https://gateway.example/?x=1", "https://gateway.example/#fragment",
    "http://evil.example#@localhost", "http://evil.example?@localhost",
    "https://gateway.example:0", "https://gateway.example:65536", "https://gateway.example:99999999999999999999",
    "https://gateway.example:-1", "https://gateway.example:port", "https://:443",
    "https://gate way.example", "https://gateway.example/a b", "https://gateway.example/a\nb",
    "https://gateway.example\r\n", "https://gateway.example/\r\nX: y", "https://gateway.example\0.evil",
    " https://gateway.example", "https://gateway.example/漢",
  }
  for _, url in ipairs(MALFORMED) do
    it(("%q is refused"):format(url):gsub("%c", "?"), function()
      local client, err = alipayhk.new(gateway:config { base_url = url })
      assert.is_nil(client and tostring(client))
      assert.equal("config", err.kind)
      assert.matches("`base_url`", err.message, 1, true)
      assert.is_nil(tostring(err):find("secret", 1, true))
    end)
  end

  -- What the message has to say of it, beside the key.
  local SAID = {
    { "https://gateway.example:99999", "a port is a number from 1 to 65535" },
    { "https://gateway.example:0", "a port is a number from 1 to 65535" },
    { "https://gateway.example:port/ams", "a port is a number from 1 to 65535" },
    { "https://[2001:db8::1]:70000", "a port is a number from 1 to 65535" },
    { "gateway.example", "begin it with https://" },
    { "gateway.example:8443/ams", "begin it with https://" },
    { "//gateway.example", "begin it with https://" },
    { "ftp://gateway.example", "begin it with https://" },
    { "", "it is empty" },
    { "https://gateway.example\r\n", "at its end" },
    { "https://gateway.example ", "at its end" },
    { " https://gateway.example", "at its start" },
    { "https://gate way.example", "a blank or a line break in it" },
    { "https://user:secret@gateway.example", "without a user and a password" },
    { "https://gateway.example?x=1", "without a query string or fragment" },
    { "https://gateway.example/#fragment", "without a query string or fragment" },
    { "https://gateway.example/漢", "percent-encoded" },
    { "https://", "https://host" },
    { "https://-/ams", "https://host" },
    { "https://gateway.example/api/open/alipay/v1/merchant/order/sync", "leave the API's own path out" },
    { "https://gateway.example/ams/api/open/alipay/intl/promotion/order/contractCardSync/",
      "leave the API's own path out" },
  }
  for _, case in ipairs(SAID) do
    it(("%q is refused, and why is said"):format(case[1]):gsub("%c", "?"), function()
      local client, err = alipayhk.new(gateway:config { base_url = case[1] })
      assert.is_nil(client and tostring(client))
      assert.same({ "config", "base_url" }, { err.kind, err.code })
      assert.matches(case[2], err.message, 1, true)
    end)
  end
end)
