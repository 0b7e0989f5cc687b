-- Keys that load: every form, every way in, passphrases, and the life of a key object.

local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local ENCODINGS = { "pem", "der", "base64", "wrapped" }
local FORMS = {
  { key = "rsa", half = "private", structures = { "pkcs8", "pkcs1" } },
  { key = "rsa", half = "public", structures = { "spki", "pkcs1_public", "certificate" } },
  { key = "rsa3072", half = "private", structures = { "pkcs8" } },
  { key = "rsa3072", half = "public", structures = { "spki" } },
  { key = "p224", half = "private", structures = { "pkcs8", "sec1" } },
  { key = "p224", half = "public", structures = { "spki", "certificate" } },
}
local ENCRYPTED = {
  { key = "rsa", form = "pkcs8_encrypted.pem" },
  { key = "rsa", form = "pkcs8_encrypted.der" },
  { key = "rsa", form = "pkcs8_encrypted.base64" },
  { key = "rsa", form = "pkcs8_encrypted.wrapped" },
  { key = "p224", form = "pkcs8_encrypted.pem" },
  { key = "rsa", form = "pkcs1_encrypted.pem" },
}
local KIND = {
  rsa = { type = "RSA", bits = 2048 },
  rsa3072 = { type = "RSA", bits = 3072 },
  p224 = { type = "EC", bits = 224 },
}

local read = { private = core.private_key, public = core.public_key }

local function openssl_fingerprint(name)
  return shell.must("openssl dgst -sha256 -r " .. shell.quote(keys.path(name, "spki.der"))):match("^%x+")
end

local function assert_is(name, half, key, message)
  assert.is_nil(message)
  assert.equal(KIND[name].type, key:type())
  assert.equal(KIND[name].bits, key:bits())
  assert.equal(openssl_fingerprint(name), key:fingerprint())
  assert.equal(("alipayhk.key (%s %s, %d bits)"):format(half, KIND[name].type, KIND[name].bits), tostring(key))
end

local function assert_loads(name, half, form)
  local content = keys.read(name, form)
  assert_is(name, half, read[half](content))
  assert_is(name, half, read[half]({ data = content }))
  assert_is(name, half, read[half]({ file = keys.path(name, form) }))
end

-- Neither the passphrase given nor the one needed shows in a message.
local function assert_locked(expected, key, passphrase, form)
  local source = { data = keys.read(key, form), passphrase = passphrase }
  local loaded, message = core.private_key(source)
  assert.is_nil(loaded)
  assert.matches(expected, message, 1, true)
  for _, secret in ipairs({ keys.passphrase, passphrase }) do
    assert.is_true(secret == "" or message:find(secret, 1, true) == nil)
  end
end

describe("a key loads from", function()
  for _, row in ipairs(FORMS) do
    for _, structure in ipairs(row.structures) do
      for _, encoding in ipairs(ENCODINGS) do
        local form = structure .. "." .. encoding
        it(("%s %s as string, data and file"):format(row.key, form), function()
          assert_loads(row.key, row.half, form)
        end)
      end
    end
  end

  it("SEC1 behind a block of EC parameters", function()
    assert_loads("p224", "private", "sec1_parameters.pem")
  end)

  it("PEM with the line ends of Windows", function()
    assert_is("rsa", "private", core.private_key((keys.read("rsa", "pkcs8.pem"):gsub("\n", "\r\n"))))
  end)

  it("PEM among other text", function()
    assert_is("p224", "private", core.private_key("Bag Attributes\n\n" .. keys.read("p224", "pkcs8.pem") .. "\nend\n"))
  end)

  it("PEM that holds both halves, each in its place", function()
    local both = keys.read("rsa", "spki.pem") .. keys.read("rsa", "pkcs8.pem")
    assert_is("rsa", "private", core.private_key(both))
    assert_is("rsa", "public", core.public_key(both))
  end)

  it("a key object, which is given back", function()
    local private = core.private_key(keys.read("rsa", "pkcs8.pem"))
    local public = core.public_key(keys.read("rsa", "spki.pem"))
    assert.is_true(rawequal(private, core.private_key(private)))
    assert.is_true(rawequal(public, core.public_key(public)))
  end)

  it("a passphrase too many, which is of no meaning to a plain key", function()
    assert_is("rsa", "private", core.private_key({ data = keys.read("rsa", "pkcs8.pem"), passphrase = "unused" }))
  end)
end)

describe("an encrypted key", function()
  for _, row in ipairs(ENCRYPTED) do
    describe(row.key .. " " .. row.form, function()
      it("loads under its passphrase", function()
        local data = { data = keys.read(row.key, row.form), passphrase = keys.passphrase }
        local file = { file = keys.path(row.key, row.form), passphrase = keys.passphrase }
        assert_is(row.key, "private", core.private_key(data))
        assert_is(row.key, "private", core.private_key(file))
      end)

      it("asks for a missing passphrase", function()
        assert_locked("the key is encrypted: give its passphrase", row.key, nil, row.form)
      end)

      -- Under one wrong passphrase in 256 the padding happens to be right.
      it("names a wrong passphrase, whatever the bytes decrypt to", function()
        local tries = row.form:find("pkcs8", 1, true) and 3 or 2000
        for i = 1, tries do
          assert_locked("wrong passphrase", row.key, "wrong sesame " .. i, row.form)
        end
      end)

      it("takes an empty passphrase for a wrong one", function()
        assert_locked("wrong passphrase", row.key, "", row.form)
      end)

      it("refuses a passphrase that no key can have", function()
        assert_locked("the passphrase is longer than 1024 bytes", row.key, ("x"):rep(1025), row.form)
      end)
    end)
  end

  it("has a passphrase of up to 1024 bytes", function()
    local passphrase = ("x"):rep(1024)
    for _, command in ipairs { "pkcs8 -topk8 -v2 aes-256-cbc", "rsa -traditional -aes128" } do
      local encrypted = shell.must(("openssl %s -passout pass:%s -in %s 2> /dev/null"):format(
        command, passphrase, shell.quote(keys.path("rsa", "pkcs8.pem"))))
      assert_is("rsa", "private", core.private_key { data = encrypted, passphrase = passphrase })
    end
  end)
end)

describe("a key object", function()
  local METHODS = {
    sign = function(key) return key:sign("message") end,
    verify = function(key) return key:verify("message", "signature") end,
    type = function(key) return key:type() end,
    bits = function(key) return key:bits() end,
    fingerprint = function(key) return key:fingerprint() end,
    ["core.private_key"] = function(key) return core.private_key(key) end,
    ["core.seal"] = function(key) return core.seal("plaintext", key) end,
    ["core.open"] = function(key) return core.open("", "", key) end,
  }

  local function new()
    return (assert(core.private_key(keys.read("p224", "sec1.der"))))
  end

  it("closes, more than once if need be", function()
    local key = new()
    key:close()
    key:close()
    assert.equal("alipayhk.key (closed)", tostring(key))
  end)

  for name, use in pairs(METHODS) do
    it(("throws from %s once closed"):format(name), function()
      local key = new()
      assert.is_true((pcall(use, key)))
      key:close()
      assert.error_matches(function() use(key) end, "the key is closed", 1, true)
    end)
  end

  it("throws from a method that is given something else", function()
    local key = new()
    for _, other in ipairs({ io.stdout, "text", {}, 1 }) do
      assert.has_error(function() key.bits(other) end)
      assert.has_error(function() key.close(other) end)
    end
  end)

  it("keeps its metatable out of reach", function()
    assert.equal("alipayhk.key", getmetatable(new()))
    assert.has_error(function() setmetatable(new(), {}) end)
  end)

  it("is collected when it is dropped, closed or not", function()
    local held = setmetatable({}, { __mode = "v" })
    for i = 1, 200 do
      held[i] = new()
      if i % 2 == 0 then held[i]:close() end
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(held))
  end)

  -- The attribute is 5.4 syntax, which other parsers must not meet.
  local scope = process.compile(
    "local new = ... local outer do local key <close> = new() outer = key end return outer")
  if scope then
    it("closes at the end of a <close> scope", function()
      assert.equal("alipayhk.key (closed)", tostring(scope(new)))
    end)
  end
end)
