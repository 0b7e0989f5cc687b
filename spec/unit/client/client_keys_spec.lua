-- The keys in a client's config: the mistakes that users make most, each named, and never with a secret.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local keys = require "spec.support.data.keys"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local rsa, p224 = double.new(), double.new { algorithm = "p224" }
local stranger = keys.pair("stranger", "rsa")

local PASSPHRASE = keys.passphrase
local WRONG_PASSPHRASE = "open barley"

-- Eight bytes in a row of base64 are no coincidence.
local function leaks(message)
  local window = 8
  for _, path in ipairs { rsa.merchant.private, p224.merchant.private, keys.path("rsa", "pkcs8.pem") } do
    local secret = shell.read(path):gsub("%-%-%-%-%-.-%-%-%-%-%-", "")
    for i = 1, #message - window + 1 do
      if secret:find(message:sub(i, i + window - 1), 1, true) then return true end
    end
  end
  return message:find(PASSPHRASE, 1, true) or message:find(WRONG_PASSPHRASE, 1, true)
end

local function refused(key, config)
  local client, err = alipayhk.new(config)
  assert.is_nil(client and tostring(client))
  assert.equal("config", err.kind)
  assert.matches("`" .. key .. "`", err.message, 1, true)
  assert.falsy(leaks(tostring(err)))
  return err.message
end

local function relabelled(form, from, to)
  local text, count = keys.read("rsa", form):gsub(from, to)
  assert.equal(2, count)
  return text
end

describe("a private_key is taken", function()
  local SOURCES = {
    ["a file"] = function() return { file = rsa.merchant.private } end,
    ["PEM"] = function() return shell.read(rsa.merchant.private) end,
    ["DER"] = function() return keys.read("rsa", "pkcs8.der") end,
    ["bare base64 of PKCS#8"] = function() return keys.read("rsa", "pkcs8.base64") end,
    ["bare base64 of PKCS#1"] = function() return keys.read("rsa", "pkcs1.base64") end,
    ["a file with a passphrase"] = function()
      return { file = keys.path("rsa", "pkcs8_encrypted.pem"), passphrase = PASSPHRASE }
    end,
    ["a key of alipayhk.core"] = function() return core.private_key { file = rsa.merchant.private } end,
  }
  for _, title in ipairs(sorted_keys(SOURCES)) do
    local source = SOURCES[title]
    it("as " .. title, function()
      assert(rsa:client({ private_key = source() }):prepare("order", samples.order()))
    end)
  end
end)

describe("a private_key is refused", function()
  local CASES = {
    { "that is a public key", function() return { file = rsa.merchant.public } end, "public key" },
    { "that is a public key of alipayhk.core", function() return rsa.merchant_key end, "public key" },
    { "that is a certificate", function() return keys.read("rsa", "certificate.pem") end, "certificate" },
    { "whose file is not there", function() return { file = "nowhere/merchant.pem" } end, "nowhere/merchant.pem" },
    { "that is a file's name", function() return "nowhere/merchant.pem" end, "{ file = " },
    { "that is PKCS#1 under a PKCS#8 label", function()
      return relabelled("pkcs1.pem", "RSA PRIVATE KEY", "PRIVATE KEY")
    end, "PKCS#1" },
    { "that is PKCS#8 under a PKCS#1 label", function()
      return relabelled("pkcs8.pem", "PRIVATE KEY", "RSA PRIVATE KEY")
    end, "PKCS#8" },
    { "that is cut off", function() return shell.read(rsa.merchant.private):sub(1, 700) end },
    { "that is empty", function() return "" end },
    { "of 1024 bits", function() return keys.read("rsa1024", "pkcs8.pem") end, "1024" },
    { "on another curve", function() return keys.read("p256", "pkcs8.pem") end, "P-224" },
    { "without its passphrase", function()
      return { file = keys.path("rsa", "pkcs8_encrypted.pem") }
    end, "passphrase" },
    { "with a wrong passphrase", function()
      return { file = keys.path("rsa", "pkcs8_encrypted.pem"), passphrase = WRONG_PASSPHRASE }
    end, "passphrase" },
    { "as an empty table", function() return {} end },
    { "as a passphrase alone", function() return { passphrase = PASSPHRASE } end },
    { "as a list", function() return { shell.read(rsa.merchant.private) } end },
    { "with a file that is no string", function() return { file = 5 } end },
    { "that is another userdata", function() return io.stdout end },
  }
  for _, case in ipairs(CASES) do
    local title, source, hint = case[1], case[2], case[3] or ""
    it(title, function()
      assert.matches(hint, refused("private_key", rsa:config { private_key = source() }), 1, true)
    end)
  end

  local MISMATCHES = { { rsa, "ECC224", "RSA" }, { p224, "RSA256", "EC" } }
  for _, case in ipairs(MISMATCHES) do
    local gateway, algorithm, found = case[1], case[2], case[3]
    it(("that is %s where algorithm = %q"):format(found, algorithm), function()
      local message = refused("private_key", gateway:config { algorithm = algorithm })
      assert.matches(algorithm, message, 1, true)
      assert.matches("is " .. found .. ":", message, 1, true)
    end)
  end
end)

describe("an alipay_public_key is refused", function()
  local CASES = {
    { "that is our own public half", function() return { file = rsa.merchant.public } end, "your own" },
    { "that is our own public half among others", function()
      return { [1] = { file = rsa.own.public }, [2] = { file = rsa.merchant.public } }
    end, "your own" },
    { "that is a private key", function() return { file = rsa.own.private } end, "private key" },
    { "that is PKCS#1 under a SubjectPublicKeyInfo label", function()
      return relabelled("pkcs1_public.pem", "RSA PUBLIC KEY", "PUBLIC KEY")
    end, "PKCS#1" },
    { "whose file is not there", function() return { file = "nowhere/alipayhk.pem" } end, "nowhere/alipayhk.pem" },
    { "that is a file's name", function() return "nowhere/alipayhk.pem" end, "{ file = " },
    { "as an empty table", function() return {} end },
    { "one of whose versions is no key", function()
      return { ["1"] = { file = rsa.own.public }, ["2"] = "no key" }
    end, "version 2" },
    { "one of whose versions is a number", function() return { [1] = 5 } end },
    { "as a passphrase alone", function() return { passphrase = PASSPHRASE } end },
  }
  for _, case in ipairs(CASES) do
    local title, source, hint = case[1], case[2], case[3] or ""
    it(title, function()
      assert.matches(hint, refused("alipay_public_key", rsa:config { alipay_public_key = source() }), 1, true)
    end)
  end

  it("only where it is needed", function()
    local config = rsa:config { verify_response = false }
    config.alipay_public_key = nil
    assert(alipayhk.new(config))
    config.verify_response = true
    assert.matches("required", refused("alipay_public_key", config), 1, true)
    config.verify_response, config.encrypt = false, true
    assert.matches("required", refused("alipay_public_key", config), 1, true)
  end)
end)

describe("an alipay_public_key is taken", function()
  local SOURCES = {
    ["a file"] = function() return { file = rsa.own.public } end,
    ["PEM"] = function() return shell.read(rsa.own.public) end,
    ["a certificate"] = function() return keys.read("rsa", "certificate.pem") end,
    ["bare base64"] = function() return keys.read("rsa", "spki.base64") end,
    ["a key of alipayhk.core"] = function() return core.public_key { file = rsa.own.public } end,
    ["versions by number"] = function() return { { file = rsa.own.public }, { file = stranger.public } } end,
    ["versions by string"] = function() return { ["7"] = shell.read(rsa.own.public) } end,
    ["a key of the other algorithm"] = function() return { file = p224.own.public } end,
  }
  for _, title in ipairs(sorted_keys(SOURCES)) do
    local source = SOURCES[title]
    it("as " .. title, function()
      assert.is_table(rsa:client { alipay_public_key = source() })
    end)
  end
end)

describe("encrypt = true is refused", function()
  local CASES = {
    { "with verify_response = false", rsa, { verify_response = false }, "verify_response" },
    { "with an EC private_key", p224, {}, "RSA" },
    { "with an EC alipay_public_key", rsa, { alipay_public_key = { file = p224.own.public } }, "RSA" },
  }
  for _, case in ipairs(CASES) do
    local title, gateway, overrides, hint = case[1], case[2], case[3], case[4]
    it(title, function()
      overrides.encrypt = true
      assert.matches(hint, refused("encrypt", gateway:config(overrides)), 1, true)
    end)

    it(title .. ", also as an option of a call", function()
      overrides.encrypt = nil
      local request, err = gateway:client(overrides):prepare("order", samples.order(), { encrypt = true })
      assert.is_nil(request)
      assert.equal("crypto", err.kind)
      assert.matches(hint, err.message, 1, true)
    end)
  end
end)
