-- The config of a client: defaults, refused values, the base URL. Key mistakes: client_keys_spec.lua.

local alipayhk = require "alipayhk"
local certificates = require "spec.support.data.certificates"
local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"
local thrown = require "spec.support.asserting.thrown"

local HERE = "client_config_spec%.lua:%d+: "
local NAN, INFINITY = 0 / 0, 1 / 0

local gateway = double.new()

-- { "retry.codes", v } as config: { retry = { codes = v } }.
local function nested(path, value)
  local outer, inner = path:match("^([%w_]+)%.?(.*)$")
  if inner ~= "" then value = { [inner] = value } end
  return { [outer] = value }
end

local function show(value)
  return (type(value) == "string" and "%q" or "%s"):format(tostring(value))
end

-- The error's message, which has to name the key.
local function refused(key, config, value)
  local client, err = alipayhk.new(config)
  assert.is_nil(client and tostring(client), ("%s = %s was accepted"):format(key, show(value)))
  assert.equal("config", err.kind)
  assert.matches("`" .. key .. "`", err.message, 1, true)
  assert.is_nil(tostring(err):find("%c"))
  return err.message
end

-- What the transport is given for an order.
local function sent(overrides)
  gateway:answers { {} }
  assert(gateway:client(overrides):sync_order(samples.order()))
  return gateway.requests[1]
end

it("alipayhk has its version", function()
  assert.equal("0.1.0", alipayhk._VERSION)
end)

describe("alipayhk.new", function()
  for _, value in ipairs { "x", 5, true, print, false } do
    it(("throws for a %s (%s), at the caller's position"):format(type(value), tostring(value)), function()
      assert.matches(HERE .. "alipayhk%.new: expected a table, found a " .. type(value),
        thrown(function() local _ = alipayhk.new(value) end))
    end)
  end

  it("throws for nothing, at the caller's position", function()
    assert.matches(HERE .. "alipayhk%.new: expected a table", thrown(function() local _ = alipayhk.new() end))
  end)

  it("leaves the config as it was", function()
    local config = gateway:config { retry = { max_attempts = 2 }, tls = {} }
    local before = {}
    for name, value in pairs(config) do before[name] = value end
    assert(alipayhk.new(config))
    for name, value in pairs(config) do assert.equal(before[name], value) end
    assert.same({ max_attempts = 2 }, config.retry)
    assert.same({}, config.tls)
  end)

  it("gives a client that prints without its secrets", function()
    assert.equal("alipayhk.client (https://gateway.example, open)",
      tostring(gateway:client { agent_token = "secret-token" }))
  end)
end)

local PIN = "sha256//" .. ("A"):rep(43) .. "="

describe("the config's defaults", function()
  it("are the documented ones in what the transport gets", function()
    local request = sent()
    assert.equal(5000, request.connect_timeout_ms)
    assert.equal(15000, request.timeout_ms)
    assert.equal(1048576, request.max_response_bytes)
    assert.equal("1.2", request.tls.min_version)
    assert.is_nil(request.proxy)
    assert.is_nil(request.headers["Agent-Token"])
    assert.is_nil(request.headers["Encrypt"])
    assert.matches("^algorithm=RSA256,keyVersion=1,", request.headers["Signature"])
  end)

  it("give way to what is set", function()
    local directory = certificates()
    local tls = { ca_file = directory .. "/ca.pem", client_cert = directory .. "/client.pem",
      client_key = directory .. "/client.key", pinned_public_key = PIN, min_version = "1.3" }
    local request = sent { connect_timeout_ms = 7, timeout_ms = 70, max_response_bytes = 700, tls = tls,
      proxy = "http://proxy.example:3128" }
    assert.equal(7, request.connect_timeout_ms)
    assert.equal(70, request.timeout_ms)
    assert.equal(700, request.max_response_bytes)
    assert.same(tls, request.tls)
    assert.equal("http://proxy.example:3128", request.proxy)
  end)

  it("let a request go out once where nothing may be sent twice", function()
    local function once_of(config, opts)
      gateway:answers { {} }
      assert(gateway:client(config):sync_order(samples.order(), opts))
      return gateway.requests[1].once
    end
    assert.is_true(once_of { retry = false })
    assert.is_true(once_of({}, { retry = false }))
    assert.is_true(once_of({ retry = { max_attempts = 2 } }, { retry = false }))
    assert.is_nil(once_of {})
    assert.is_nil(once_of { retry = { max_attempts = 1 } })
    assert.is_nil(once_of({ retry = false }, { retry = { max_attempts = 2 } }))
  end)

  it("stay for what a nested table does not name", function()
    assert.equal("1.2", sent({ tls = { ca_file = certificates() .. "/ca.pem" } }).tls.min_version)
  end)

  it("check the payload, unless validate = false", function()
    local order = samples.order { orderStatus = samples.ABSENT }
    local response, err = gateway:client():sync_order(order)
    assert.is_nil(response)
    assert.equal("invalid", err.kind)
    assert(gateway:client({ validate = false }):sync_order(order))
  end)
end)

describe("a config is refused", function()
  local TEXT = { 5, true, {}, "", "with a space", "line\nbreak", "trailing\r\n", "nul\0", "漢" }
  local MILLISECONDS = { "5", true, {}, 0, -1, 1.5, 2 ^ 31, NAN, INFINITY }
  local STRINGS = { 5, true, {} }
  local BOOLEANS = { "true", 1, {} }
  local FUNCTIONS = { "f", 5, true, {} }
  local TABLES = { "x", 5, true }

  local WRONG = {
    client_id = TEXT,
    environment = { "prod", "", "Production", 5, true, {} },
    base_url = STRINGS,
    private_key = { 5, true, print },
    algorithm = { "RSA", "rsa256", "ECC", 5, true, {} },
    ecc224 = TABLES,
    ["ecc224.digest"] = { "sha1", "SHA224", 5, true },
    ["ecc224.encoding"] = { "raw", "DER", 5, true },
    key_version = { true, {}, "", "1,x=2", "a b", "line\nbreak", 1.5, -1, NAN, INFINITY },
    alipay_public_key = { 5, true, print },
    verify_response = BOOLEANS,
    encrypt = BOOLEANS,
    encryption = TABLES,
    ["encryption.key_padding"] = { "PKCS1", "none", 5, true },
    ["encryption.key_bits"] = { 64, "256", true, {} },
    ["encryption.content_type"] = { 5, true, {}, "text/plain\r\nX: y" },
    agent_token = TEXT,
    connect_timeout_ms = MILLISECONDS,
    timeout_ms = MILLISECONDS,
    retry = TABLES,
    ["retry.max_attempts"] = { "3", true, 0, -1, 1.5, NAN, INFINITY },
    ["retry.base_delay_ms"] = { "3", true, -1, 1.5, NAN, INFINITY },
    ["retry.max_delay_ms"] = { "3", true, -1, 1.5, NAN, INFINITY },
    ["retry.budget_ms"] = MILLISECONDS,
    ["retry.codes"] = TABLES,
    transport = { "libcurl", "", 5, true, {} },
    tls = TABLES,
    ["tls.ca_file"] = STRINGS,
    ["tls.client_cert"] = STRINGS,
    ["tls.client_key"] = STRINGS,
    ["tls.pinned_public_key"] = STRINGS,
    ["tls.min_version"] = { "1.0", "1.1", 1.2, true },
    proxy = STRINGS,
    max_response_bytes = MILLISECONDS,
    max_response_age_ms = MILLISECONDS,
    validate = BOOLEANS,
    on_event = FUNCTIONS,
    now = FUNCTIONS,
    sleep = FUNCTIONS,
    request_id = FUNCTIONS,
  }

  for _, key in ipairs(sorted_keys(WRONG)) do
    it("for a wrong " .. key, function()
      for _, value in ipairs(WRONG[key]) do refused(key, gateway:config(nested(key, value)), value) end
    end)
  end

  -- What the message has to say of it, beside the key.
  local SAID = {
    client_id = {
      { "", "it is empty" }, { "4Q5Y8W0WSG45P907917\r", "at its end" }, { "4Q5Y8W0WSG45P907917 ", "at its end" },
      { " 4Q5Y8W0WSG45P907917", "at its start" }, { "4Q5Y 8W0W", "a blank or a line break in it" },
      { "\239\187\1914Q5Y8W0W", "at its start" }, { "4Q5Y8W0W\194\160", "at its end" },
      { "客戶", "printable ASCII" }, { 4515907917, "expected a string, found a number" },
    },
    agent_token = { { "", "it is empty" }, { "token\n", "at its end" } },
    key_version = { { "", "false to leave it out" }, { 1.5, "not whole" }, { "a b", "found a string" } },
    timeout_ms = { { "5000", "found a string" }, { 1.5, "not whole" }, { 0, "found 0" }, { -1, "from 1 to" },
      { 1 / 0, "found infinity" } },
    proxy = {
      { "proxy.example:3128", "begin it with http://" },
      { "http://proxy.example:99999", "a port is a number from 1 to" },
      { "http://proxy.example:3128/path", "without a path" }, { "http://us er:pw@proxy.example", "percent-encoded" },
      { "http://user:p/w@proxy.example", "percent-encoded" },
      { "http://user:pw%0a@proxy.example", "line break" }, { "ftp://proxy.example", "socks5" },
      { "", "it is empty" },
      { "http://:3128", "http://host:port" }, { "env", "\"environment\"" }, { 3128, "found 3128" },
    },
  }
  for _, key in ipairs(sorted_keys(SAID)) do
    for _, case in ipairs(SAID[key]) do
      it(("for the %s %s, and why is said"):format(key, show(case[1]):gsub("%c", "?")), function()
        local message = refused(key, gateway:config(nested(key, case[1])), case[1])
        assert.matches(case[2], message, 1, true)
        assert.is_nil(message:find("pw", 1, true) or message:find("p/w", 1, true))
      end)
    end
  end

  it("for a rule of retry.codes that is no boolean", function()
    refused("retry.codes.PARAM_ILLEGAL", gateway:config { retry = { codes = { PARAM_ILLEGAL = "yes" } } })
  end)

  it("where a required key is absent", function()
    for _, key in ipairs { "client_id", "private_key", "alipay_public_key" } do
      local config = gateway:config()
      config[key] = nil
      assert.matches("required", refused(key, config), 1, true)
    end
  end)

  it("where a value came from an environment variable that is not set", function()
    local config = gateway:config { client_id = os.getenv("NO_SUCH_VARIABLE") }
    config.client_id = nil
    assert.matches("os.getenv gives nil", refused("client_id", config), 1, true)
  end)

  it("where there is neither environment nor base_url", function()
    local config = gateway:config()
    config.base_url = nil
    assert.matches("`base_url`", refused("environment", config), 1, true)
  end)

  local MISSPELT = {
    clientid = "client_id", clientId = "client_id", enviroment = "environment", baseURL = "base_url",
    privateKey = "private_key", alipayPublicKey = "alipay_public_key", verify_responses = "verify_response",
    keyVersion = "key_version", timeout = "timeout_ms", requestId = "request_id", onEvent = "on_event",
    ["retry.maxAttempts"] = "max_attempts", ["retry.base_delay"] = "base_delay_ms", ["tls.cafile"] = "ca_file",
    ["encryption.keyBits"] = "key_bits", ["ecc224.digets"] = "digest",
  }
  for _, key in ipairs(sorted_keys(MISSPELT)) do
    it(("for %s, with a hint at %s"):format(key, MISSPELT[key]), function()
      assert.matches(('did you mean "%s"?'):format(MISSPELT[key]),
        refused(key, gateway:config(nested(key, "x"))), 1, true)
    end)
  end

  it("for a key that is like none, without a hint", function()
    for _, key in ipairs { "colour", "x", "tls.colour" } do
      assert.is_nil(refused(key, gateway:config(nested(key, "x"))):find("did you mean", 1, true))
    end
    refused("1", gateway:config { "positional" })
  end)
end)

describe("a file or pin for TLS", function()
  local directory = certificates()

  local function said(tls)
    local client, err = alipayhk.new(gateway:config { tls = tls })
    if client then return client:close() end
    assert.equal("config", err.kind)
    return err.code, err.message
  end

  local function assert_said(tls, code, words)
    local found, message = said(tls)
    assert.equal(code, found)
    for _, word in ipairs(words) do assert.matches(word, message, 1, true) end
  end

  it("is taken where it is good", function()
    local both = directory .. "/both.pem"
    shell.must(("cat %s/client.pem %s/client.key > %s"):format(directory, directory, both))
    for _, tls in ipairs {
      { ca_file = directory .. "/ca.pem" }, { client_cert = both }, { pinned_public_key = PIN .. ";" .. PIN },
      { client_cert = directory .. "/client.pem", client_key = directory .. "/client.key" },
    } do
      assert.is_nil((said(tls)))
    end
  end)

  it("that is not there, or holds something else, is said at once", function()
    for _, key in ipairs { "ca_file", "client_cert", "client_key" } do
      local tls = { client_cert = directory .. "/client.pem", client_key = directory .. "/client.key" }
      tls[key] = "/nowhere/file.pem"
      assert_said(tls, "tls." .. key, { "/nowhere/file.pem", "No such file" })
      tls[key] = directory .. "/config"
      assert_said(tls, "tls." .. key, { directory .. "/config" })
      tls[key] = directory
      assert_said(tls, "tls." .. key, { "directory" })
    end
    assert_said({ ca_file = directory .. "/client.key" }, "tls.ca_file", { "client.key" })
  end)

  it("that lacks its other half is said at once", function()
    assert_said({ client_cert = directory .. "/client.pem" }, "tls.client_key", { "tls.client_cert" })
    assert_said({ client_key = directory .. "/client.key" }, "tls.client_cert", { "tls.client_key" })
  end)

  it("that is no pin comes with the command that makes one", function()
    for _, pin in ipairs { "", "x", "sha256//x", PIN .. ";", PIN:sub(9), directory .. "/ca.pem", "sha256//" } do
      assert_said({ pinned_public_key = pin }, "tls.pinned_public_key", { "sha256//", "openssl x509" })
    end
  end)

  it("makes the pin by the command that the message shows", function()
    local _, message = said { pinned_public_key = "x" }
    local command = message:match("(openssl x509 .*)$"):gsub("server.pem", directory .. "/ca.pem", 1)
    assert.is_nil((said { pinned_public_key = "sha256//" .. shell.must(command):gsub("\n", "") }))
  end)
end)

describe("a key of the config at the wrong level", function()
  local CASES = {
    { { ca_file = "x" }, "ca_file", "tls.ca_file" }, { { tls = { ca = "x" } }, "tls.ca", "tls.ca_file" },
    { { max_attempts = 2 }, "max_attempts", "retry.max_attempts" },
    { { retry = { attempts = 2 } }, "retry.attempts", "retry.max_attempts" },
    { { attempts = 2 }, "attempts", "retry.max_attempts" }, { { ca = "x" }, "ca", "tls.ca_file" },
    { { passphrase = "x" }, "passphrase", "private_key.passphrase" },
    { { clientid = "x" }, "clientid", "client_id" }, { { tls = { timeout_ms = 5 } }, "tls.timeout_ms", "timeout_ms" },
    { { digest = "sha256" }, "digest", "ecc224.digest" },
    { { key_padding = "oaep" }, "key_padding", "encryption.key_padding" },
    { { pinned_public_key = "x" }, "pinned_public_key", "tls.pinned_public_key" },
  }
  for _, case in ipairs(CASES) do
    it(("%s is pointed to %s"):format(case[2], case[3]), function()
      local _, err = alipayhk.new(gateway:config(case[1]))
      assert.equal(case[2], err.code)
      assert.matches(("did you mean \"%s\"?"):format(case[3]), err.message, 1, true)
    end)
  end
end)

describe("a colon for a dot, or a dot for a colon", function()
  local client = gateway:client()

  local function assert_thrown(words, call, ...)
    local ran, message = pcall(call, ...)
    assert.is_false(ran)
    assert.matches(words, message, 1, true)
  end

  it("is said, and how it is called", function()
    assert_thrown("alipayhk.new: called with a colon", alipayhk.new, alipayhk, gateway:config())
    assert_thrown("called with a colon", alipayhk.check, alipayhk, "order", samples.order())
    for _, name in ipairs { "sync_order", "sync_contract_card", "call", "prepare", "send", "receive", "reply" } do
      assert_thrown(name .. ": called without its client; call it with a colon, as client:" .. name,
        client[name], samples.order())
    end
    assert_thrown("close: called without its client", client.close)
  end)

  it("is said at the caller's line", function()
    local chunk = assert((rawget(_G, "loadstring") or load)("local client = ...\nclient.sync_order({})", "=mine"))
    local _, message = pcall(chunk, client)
    assert.matches("^mine:2: sync_order:", message)
  end)
end)

describe("a clock that is wrong", function()
  it("is blamed for the time that it filled in, not the caller", function()
    for now, api in pairs { [0] = "sync_order", [86400] = "sync_contract_card" } do
      local client = gateway:client { now = function() return now end }
      local payload = api == "sync_order" and samples.order { orderModifyTime = samples.ABSENT }
        or samples.card { bizDate = samples.ABSENT }
      local response, err = client[api](client, payload)
      assert.is_nil(response)
      assert.matches("it was filled in from config.now: is that right?", err.message, 1, true)
    end
  end)

  it("is this machine's where the config has none", function()
    local client = gateway:client()
    local year = 365 * 86400000
    local request = assert(client:prepare("order", samples.order {
      orderModifyTime = samples.ABSENT, orderCreateTime = math.floor(os.time() * 1000 + year) }))
    assert.equal("orderModifyTime", request.warnings[#request.warnings].path)
    assert.matches("filled in from this machine's clock", tostring(request.warnings[#request.warnings]), 1, true)
  end)

  it("that gives milliseconds is told so", function()
    local client = gateway:client { now = function() return 1716338541000 end }
    local ran, message = pcall(client.sync_order, client, samples.order())
    assert.is_false(ran)
    assert.matches("config.now: .*found milliseconds: divide them by 1000", message)
  end)

  it("is not blamed for a time that was given", function()
    local client = gateway:client()
    local _, err = client:sync_order(samples.order { orderModifyTime = 5 })
    assert.equal("orderModifyTime", err.fields[1].path)
    assert.is_nil(err.message:find("clock", 1, true))
  end)
end)

describe("a private key that was pasted into another key of the config", function()
  local base64 = shell.must("openssl ecparam -name secp224r1 -genkey -noout -outform DER | openssl base64 -A")

  for _, key in ipairs { "key_version", "environment", "base_url", "algorithm", "proxy", "timeout_ms", "transport",
    "validate", "retry", "tls", "ecc224", "alipay_public_key" } do
    it("is not repeated: " .. key, function()
      local client, err = alipayhk.new(gateway:config { [key] = base64 })
      assert.is_nil(client)
      for at = 1, #base64 - 8 do assert.is_nil(tostring(err):find(base64:sub(at, at + 7), 1, true)) end
    end)
  end
end)

describe("the text of a key where it does not belong", function()
  local text = shell.must("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp224r1 2>/dev/null")
  local base64 = text:gsub("%-%-%-%-%-[^\n]*\n", ""):gsub("\n", "")

  local function said_of(config)
    local client, err = alipayhk.new(config)
    assert.is_nil(client)
    local said = tostring(err) .. tostring(err.code)
    for at = 1, #base64 - 12 do assert.is_nil(said:find(base64:sub(at, at + 11), 1, true)) end
    return said
  end

  local FORMS = { pem = text, one_line = text:gsub("\n", "\\n"), blanks = text:gsub("\n", " "), bare = base64 }
  for _, form in ipairs(sorted_keys(FORMS)) do
    local key = FORMS[form]

    it("is not repeated, and a path is asked for: " .. form, function()
      for _, config in ipairs { gateway:config { private_key = { file = key } },
        gateway:config { alipay_public_key = { file = key } }, gateway:config { tls = { ca_file = key } } } do
        assert.matches("where a file's path is expected", said_of(config), 1, true)
      end
    end)

    it("is not repeated as a name, or as the client's id: " .. form, function()
      assert.matches("no such key", said_of(gateway:config { [key] = 1 }), 1, true)
      assert.matches("no such key", said_of(gateway:config { tls = { [key] = 1 } }), 1, true)
    end)
  end

  it("is not sent as the client's id", function()
    assert.matches("is it a key?", said_of(gateway:config { client_id = text }), 1, true)
    assert.matches("is it a key?", said_of(gateway:config { client_id = base64 }), 1, true)
  end)
end)

describe("a wish to skip the check of certificates", function()
  it("does not lead to the check of signatures", function()
    for _, config in ipairs { { tls = { verify = false } }, { ssl_verify = false }, { insecure = true },
      { tls = { insecure = true } }, { verify_peer = false } } do
      local _, err = alipayhk.new(gateway:config(config))
      assert.matches("tls.ca_file", err.message, 1, true)
      assert.is_nil(err.message:find("verify_response", 1, true))
    end
  end)
end)

describe("a table of AlipayHK's keys", function()
  local own = gateway.own.public

  for title, case in pairs {
    ["that has a version twice"] = { { [1] = { file = own }, ["1"] = { file = own } }, "version 1 is there twice" },
    ["with half a version"] = { { [1.5] = { file = own } }, "whole numbers" },
    ["with a boolean for a version"] = { { [true] = { file = own } }, "whole numbers" },
    ["with a version below 0"] = { { [-1] = { file = own } }, "whole numbers" },
    ["with a version of ten digits"] = { { [1000000000] = { file = own } }, "whole numbers" },
    ["with an empty version"] = { { [""] = { file = own } }, "whole numbers" },
    ["with a blank in a version"] = { { ["1 2"] = { file = own } }, "whole numbers" },
    ["with a version of 65 characters"] = { { [("v"):rep(65)] = { file = own } }, "whole numbers" },
    ["that was meant as a file"] = { { path = own }, "{ file = path }" },
  } do
    it(title .. " is refused", function()
      local client, err = alipayhk.new(gateway:config { alipay_public_key = case[1] })
      assert.is_nil(client)
      assert.matches("alipay_public_key", err.code, 1, true)
      assert.matches(case[2], err.message, 1, true)
    end)
  end

  it("has any version from 0 to nine digits, or of 64 characters", function()
    for _, version in ipairs { 0, 999999999, "0", "a.b_c-9", ("v"):rep(64) } do
      assert(alipayhk.new(gateway:config { alipay_public_key = { [version] = { file = own } } }))
    end
  end)
end)

describe("an option of a call that belongs elsewhere", function()
  it("is pointed there", function()
    local client = gateway:client()
    for name, words in pairs { max_attempts = 'did you mean "retry.max_attempts"', proxy = "alipayhk.new's config",
      tls = "alipayhk.new's config" } do
      local ran, message = pcall(client.sync_order, client, samples.order(), { [name] = 1 })
      assert.is_false(ran)
      assert.matches(words, message, 1, true)
    end
  end)
end)
