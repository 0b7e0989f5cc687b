-- RSA_AES: what is sealed opens, and every failure to open looks the same.
--
-- AES-ECB proves nothing, so a wrong AES key, or a last block that was changed, passes for right
-- where the bytes happen to end like padding: once in 256. Such cases are tried many times.

local core = require "alipayhk.core"
local bytes = require "spec.support.data.bytes"
local keys = require "spec.support.data.keys"

local BLOCK = 16
local CHUNK = 300 * BLOCK -- bodies are worked on in pieces of this many bytes
local PLAINTEXT = '{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}' .. ("x"):rep(2 * BLOCK)
local PADDINGS = { "pkcs1", "oaep" }

local private = assert(core.private_key({ file = keys.path("rsa", "pkcs8.pem") }))
local public = assert(core.public_key({ file = keys.path("rsa", "spki.pem") }))
local stranger = assert(core.private_key({ file = keys.pair("stranger").private }))
local ec_private = assert(core.private_key({ file = keys.path("p224", "pkcs8.pem") }))
local ec_public = assert(core.public_key({ file = keys.path("p224", "spki.pem") }))

local function flip(encoded, at)
  return core.base64_encode(bytes.flip(core.base64_decode(encoded), at))
end

local function assert_fails(...)
  assert.same({ nil, "decryption failed", n = 2 }, { n = select("#", ...), ... })
end

-- `try` opens something else each time: it fails but for the odd coincidence, which is not PLAINTEXT.
local function assert_mostly_fails(try)
  local tries, failures = 32, 0
  for _ = 1, tries do
    local opened, message = try()
    assert.not_equal(PLAINTEXT, opened)
    assert.equal(opened == nil and "decryption failed" or nil, message)
    failures = failures + (opened == nil and 1 or 0)
  end
  assert.is_true(failures >= tries - 4)
end

describe("what is sealed opens:", function()
  for _, padding in ipairs(PADDINGS) do
    for _, bits in ipairs({ 128, 192, 256 }) do
      it(("%s, %d bits, at every length"):format(padding, bits), function()
        for _, length in ipairs({ 0, 1, 15, 16, 17, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + BLOCK, 1024 * 1024 }) do
          local plaintext = core.random_bytes(math.min(length, 65536)):rep(math.ceil(length / 65536)):sub(1, length)
          local body, wrapped_key = core.seal(plaintext, public, { key_padding = padding, key_bits = bits })
          assert.equal(length - length % BLOCK + BLOCK, #core.base64_decode(body))
          assert.equal(256, #core.base64_decode(wrapped_key))
          assert.is_true(plaintext == core.open(body, wrapped_key, private, { key_padding = padding }))
        end
      end)
    end
  end

  it("pkcs1 and 256 bits where nothing is said", function()
    local body, wrapped_key = core.seal(PLAINTEXT, public)
    assert.equal(PLAINTEXT, core.open(body, wrapped_key, private))
    assert.equal(PLAINTEXT, core.open(body, wrapped_key, private, { key_padding = "pkcs1" }))
  end)

  it("a private key seals with its public half", function()
    local body, wrapped_key = core.seal(PLAINTEXT, private)
    assert.equal(PLAINTEXT, core.open(body, wrapped_key, private))
  end)

  it("under a fresh AES key each time", function()
    local body, wrapped_key = core.seal(PLAINTEXT, public)
    local other_body, other_wrapped_key = core.seal(PLAINTEXT, public)
    assert.not_equal(body, other_body)
    assert.not_equal(wrapped_key, other_wrapped_key)
  end)

  it("to a key of 3072 bits", function()
    local key = core.private_key(keys.read("rsa3072", "pkcs8.pem"))
    local body, wrapped_key = core.seal(PLAINTEXT, key)
    assert.equal(PLAINTEXT, core.open(body, wrapped_key, key))
  end)
end)

describe("white space in what is opened is passed over:", function()
  local SPACED = {
    ["a line break at the end"] = function(text) return text .. "\n" end,
    ["line breaks every 76 characters"] = function(text) return (text:gsub(("."):rep(76), "%0\r\n")) end,
    ["a blank after each character"] = function(text) return (text:gsub(".", "%0 ")) end,
    ["blanks and tabs in front"] = function(text) return " \t\n" .. text end,
  }
  for name, space in pairs(SPACED) do
    it(name, function()
      for _, length in ipairs({ 0, 15, CHUNK - BLOCK - 1, CHUNK - 1, CHUNK, 3 * CHUNK + 1 }) do
        local plaintext = ("x"):rep(length)
        local body, wrapped_key = core.seal(plaintext, public)
        assert.is_true(plaintext == core.open(space(body), space(wrapped_key), private))
        assert.is_true(plaintext == core.open(space(body), wrapped_key, private))
      end
    end)
  end

  it("with a key of any length", function()
    local key = core.private_key(keys.read("rsa3072", "pkcs8.pem"))
    local body, wrapped_key = core.seal(PLAINTEXT, key)
    assert.equal(PLAINTEXT, core.open(body, wrapped_key .. "\r\n", key))
  end)
end)

describe("sealing", function()
  it("needs an RSA key", function()
    for _, key in ipairs({ ec_public, ec_private }) do
      assert.same({ nil, "seal: RSA_AES needs the receiver's RSA key, this one is EC" }, { core.seal(PLAINTEXT, key) })
    end
  end)

  local WRONG = {
    { opts = { key_padding = "OAEP" }, expected = "opts.key_padding: unknown value 'OAEP'" },
    { opts = { key_padding = 1 }, expected = "opts.key_padding: unknown value 'number'" },
    { opts = { key_bits = 0 }, expected = "opts.key_bits is 128, 192 or 256" },
    { opts = { key_bits = 512 }, expected = "opts.key_bits is 128, 192 or 256" },
    { opts = { key_bits = "many" }, expected = "opts.key_bits is 128, 192 or 256" },
    { opts = { key_bits = true }, expected = "opts.key_bits is 128, 192 or 256" },
    { opts = "oaep", expected = "table expected, got string" },
  }
  for _, row in ipairs(WRONG) do
    it("throws: " .. row.expected, function()
      assert.error_matches(function() core.seal(PLAINTEXT, public, row.opts) end, row.expected, 1, true)
      if type(row.opts) == "string" or row.opts.key_padding then
        assert.error_matches(function() core.open("", "", private, row.opts) end, row.expected, 1, true)
      end
    end)
  end

  it("throws for what is no key, no text", function()
    assert.error_matches(function() core.seal(PLAINTEXT, "key") end, "alipayhk.key expected", 1, true)
    assert.error_matches(function() core.seal({}, public) end, "string expected", 1, true)
    assert.error_matches(function() core.open("", "", "key") end, "alipayhk.key expected", 1, true)
    assert.error_matches(function() core.open("", nil, private) end, "string expected", 1, true)
  end)
end)

for _, padding in ipairs(PADDINGS) do
  describe("opening fails alike, " .. padding .. ":", function()
    local opts = { key_padding = padding }
    local other = { key_padding = padding == "pkcs1" and "oaep" or "pkcs1" }
    local body, wrapped_key = core.seal(PLAINTEXT, public, opts)
    local length = #core.base64_decode(body)

    local function open_anew(key, open_opts)
      local new_body, new_wrapped_key = core.seal(PLAINTEXT, public, opts)
      return core.open(new_body, new_wrapped_key, key, open_opts)
    end

    it("public and EC keys", function()
      for _, key in ipairs({ public, ec_private, ec_public }) do
        assert_fails(core.open(body, wrapped_key, key, opts))
      end
    end)

    it("the private key of another", function()
      assert_mostly_fails(function() return open_anew(stranger, opts) end)
    end)

    it("the other padding", function()
      assert_mostly_fails(function() return open_anew(private, other) end)
    end)

    it("a body with a byte flipped", function()
      for at = 1, length do
        local opened, message = core.open(flip(body, at), wrapped_key, private, opts)
        assert.not_equal(PLAINTEXT, opened)
        assert.equal(opened == nil and "decryption failed" or nil, message)
      end
    end)

    it("a body with a byte of the last block flipped", function()
      local at = length - BLOCK
      assert_mostly_fails(function()
        local new_body, new_wrapped_key = core.seal(PLAINTEXT, public, opts)
        at = at % length == 0 and length - BLOCK + 1 or at + 1
        return core.open(flip(new_body, at), new_wrapped_key, private, opts)
      end)
    end)

    it("a body without its last block", function()
      local all = core.base64_decode(body)
      assert_fails(core.open(core.base64_encode(all:sub(1, -1 - BLOCK)), wrapped_key, private, opts))
      assert_fails(core.open(core.base64_encode(all:sub(1, BLOCK)), wrapped_key, private, opts))
    end)

    it("a body that is no multiple of the block", function()
      local all = core.base64_decode(body)
      for _, cut in ipairs({ 1, 8, 15, 17, length - 1 }) do
        assert_fails(core.open(core.base64_encode(all:sub(1, -1 - cut)), wrapped_key, private, opts))
      end
      assert_fails(core.open(core.base64_encode(all .. "\0"), wrapped_key, private, opts))
    end)

    it("a body that is no base64", function()
      -- Padding at the end of pieces, so many that the whole is a multiple of the block again.
      local padded_pieces = core.base64_encode(("x"):rep(CHUNK - 1)):rep(BLOCK)
      for _, bad in ipairs({ "", "!", "!!!!", body:sub(1, -2), "\0" .. body, " " .. body:sub(2), body .. "====",
        padded_pieces .. body }) do
        assert_fails(core.open(bad, wrapped_key, private, opts))
      end
    end)

    it("a wrapped key with a byte flipped", function()
      local at = 0
      assert_mostly_fails(function()
        at = at + 8
        return core.open(body, flip(wrapped_key, at), private, opts)
      end)
    end)

    it("a wrapped key of the wrong length", function()
      for _, wrong in ipairs({ 1, 255, 257, 1024, 1100 }) do
        assert_mostly_fails(function()
          return core.open(body, core.base64_encode(core.random_bytes(wrong)), private, opts)
        end)
      end
    end)

    -- That it is no base64 is no secret: nothing is gained by going on with a random key.
    it("a wrapped key that is no base64, every time", function()
      for _, bad in ipairs({ "", "!!!!", wrapped_key:sub(1, -2), wrapped_key .. "\0", "\n" }) do
        for _ = 1, 500 do
          assert_fails(core.open(body, bad, private, opts))
        end
      end
    end)
  end)
end
