-- Signatures: what is signed verifies, nothing else does, and one vector known beforehand.

local cjson = require "cjson"
local core = require "alipayhk.core"
local bytes = require "spec.support.data.bytes"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local VECTORS = "spec/vectors/cross_checked/"
local MESSAGE = "POST /path\nclient.2024-05-22T06:42:21+05:30.{}"

local private, public, stranger = {}, {}, {}
for _, name in ipairs({ "rsa", "p224" }) do
  private[name] = assert(core.private_key({ file = keys.path(name, "pkcs8.pem") }))
  public[name] = assert(core.public_key({ file = keys.path(name, "spki.pem") }))
  stranger[name] = assert(core.public_key({ file = keys.pair("stranger", name).public }))
end

local WAYS = {
  { key = "rsa" },
  { key = "rsa", opts = { digest = "sha256" } },
  { key = "rsa", opts = { digest = "sha224" } },
  { key = "p224" },
  { key = "p224", opts = { digest = "sha224" } },
  { key = "p224", opts = { digest = "sha256" } },
  { key = "p224", opts = { encoding = "der" } },
  { key = "p224", opts = { encoding = "p1363" } },
  { key = "p224", opts = { encoding = "p1363", digest = "sha256" } },
}

local function title(way)
  local opts = way.opts or {}
  return ("%s, digest %s, encoding %s"):format(way.key, opts.digest or "default", opts.encoding or "default")
end

-- `false` and nothing else: neither nil nor an error.
local function assert_invalid(...)
  assert.same({ false, n = 1 }, { n = select("#", ...), ... })
end

describe("signing", function()
  for _, way in ipairs(WAYS) do
    describe(title(way), function()
      local signer, verifier, opts = private[way.key], public[way.key], way.opts
      local signature

      before_each(function()
        signature = assert(signer:sign(MESSAGE, opts))
      end)

      it("verifies under the public key and under the private one", function()
        assert.is_true(verifier:verify(MESSAGE, signature, opts))
        assert.is_true(signer:verify(MESSAGE, signature, opts))
      end)

      it("does not verify under another key", function()
        assert_invalid(stranger[way.key]:verify(MESSAGE, signature, opts))
        assert_invalid(public[way.key == "rsa" and "p224" or "rsa"]:verify(MESSAGE, signature, opts))
      end)

      it("does not verify another message", function()
        for _, other in ipairs({ "", MESSAGE .. "\0", MESSAGE:sub(1, -2), bytes.flip(MESSAGE, 1) }) do
          assert_invalid(verifier:verify(other, signature, opts))
        end
      end)

      it("does not verify a signature with a byte flipped", function()
        for at = 1, #signature do
          assert_invalid(verifier:verify(MESSAGE, bytes.flip(signature, at), opts))
        end
      end)

      it("does not verify a signature cut, extended or made up", function()
        for length = 0, #signature - 1 do
          assert_invalid(verifier:verify(MESSAGE, signature:sub(1, length), opts))
        end
        for _, other in ipairs({ signature .. "\0", "\0" .. signature, ("\0"):rep(#signature), ("\255"):rep(5000) }) do
          assert_invalid(verifier:verify(MESSAGE, other, opts))
        end
      end)

      it("signs on after a failure", function()
        signer:verify(MESSAGE, "", opts)
        for i = 1, 5 do
          assert.is_true(verifier:verify(MESSAGE .. i, signer:sign(MESSAGE .. i, opts), opts))
        end
      end)
    end)
  end

  it("defaults to SHA-256 for RSA", function()
    local signature = private.rsa:sign(MESSAGE)
    assert.equal(signature, private.rsa:sign(MESSAGE, {}))
    assert.equal(signature, private.rsa:sign(MESSAGE, { digest = "sha256" }))
    assert.not_equal(signature, private.rsa:sign(MESSAGE, { digest = "sha224" }))
    assert.equal(256, #signature)
  end)

  it("takes an encoding for RSA, where it is of no meaning", function()
    assert.equal(private.rsa:sign(MESSAGE), private.rsa:sign(MESSAGE, { encoding = "p1363" }))
  end)

  it("defaults to SHA-224 in DER for EC", function()
    local signature = private.p224:sign(MESSAGE)
    assert.is_true(public.p224:verify(MESSAGE, signature, { digest = "sha224", encoding = "der" }))
    assert_invalid(public.p224:verify(MESSAGE, signature, { digest = "sha256" }))
    assert_invalid(public.p224:verify(MESSAGE, signature, { encoding = "p1363" }))
    assert.equal(0x30, signature:byte())
  end)

  it("writes P1363 at full length, small numbers too", function()
    local opts = { encoding = "p1363" }
    for _ = 1, 600 do -- one number in 256 has a leading zero byte
      local signature = private.p224:sign(MESSAGE, opts)
      assert.equal(56, #signature)
      assert.is_true(public.p224:verify(MESSAGE, signature, opts))
    end
    assert_invalid(public.p224:verify(MESSAGE, private.p224:sign(MESSAGE, opts)))
  end)

  it("signs bytes: NULs, every value, nothing at all, 1 MiB", function()
    for _, message in ipairs({ "", "\0", "a\0b", "a\0c", bytes.every, ("0123456789abcdef"):rep(65536) }) do
      for name, key in pairs(private) do
        local signature = assert(key:sign(message))
        assert.is_true(public[name]:verify(message, signature))
        assert_invalid(public[name]:verify(message .. "\0", signature))
      end
    end
    assert_invalid(public.rsa:verify("a\0c", private.rsa:sign("a\0b")))
  end)

  it("needs the private key", function()
    for _, key in pairs(public) do
      assert.same({ nil, "sign: a public key cannot sign, give the private one" }, { key:sign(MESSAGE) })
    end
  end)

  local BAD_OPTS = {
    { opts = { digest = "sha1" }, expected = "opts.digest: unknown value 'sha1'" },
    { opts = { digest = "SHA256" }, expected = "opts.digest: unknown value 'SHA256'" },
    { opts = { digest = true }, expected = "opts.digest: unknown value 'boolean'" },
    { opts = { digest = 256 }, expected = "opts.digest: unknown value 'number'" },
    { opts = { encoding = "raw" }, expected = "opts.encoding: unknown value 'raw'" },
    { opts = { encoding = "" }, expected = "opts.encoding: unknown value ''" },
    { opts = "sha256", expected = "table expected, got string" },
    { opts = 1, expected = "table expected, got number" },
  }
  for _, row in ipairs(BAD_OPTS) do
    it("throws: " .. row.expected, function()
      for _, key in pairs(private) do
        assert.error_matches(function() key:sign(MESSAGE, row.opts) end, row.expected, 1, true)
        assert.error_matches(function() key:verify(MESSAGE, "", row.opts) end, row.expected, 1, true)
      end
    end)
  end

  it("throws where the message or the signature is missing", function()
    assert.error_matches(function() private.rsa:sign() end, "string expected", 1, true)
    assert.error_matches(function() private.rsa:sign({}) end, "string expected", 1, true)
    assert.error_matches(function() public.rsa:verify(MESSAGE) end, "string expected", 1, true)
    assert.error_matches(function() public.rsa:verify(MESSAGE, false) end, "string expected", 1, true)
  end)
end)

describe("the cross-checked request", function()
  local inputs = cjson.decode(shell.read(VECTORS .. "inputs.json"))
  local body = shell.read(VECTORS .. inputs.bodyFile)
  local content = shell.read(VECTORS .. "content_to_be_signed.bin")
  local header = shell.read(VECTORS .. "signature_header.txt"):gsub("\n$", "")
  local key = assert(core.public_key({ file = VECTORS .. inputs.publicKeyFile }))

  it("is signed over METHOD SP PATH LF CLIENT_ID . TIME . BODY", function()
    local built = ("%s %s\n%s.%s.%s"):format(inputs.method, inputs.path, inputs.clientId, inputs.requestTime, body)
    assert.equal(content, built)
  end)

  it("carries the signature in its header, and that verifies", function()
    local list = assert(core.parse_pairs(header))
    local urlencoded = shell.read(VECTORS .. "signature.urlencoded.txt")
    local raw = assert(core.base64_decode(assert(core.percent_decode(list.signature))))
    assert.same({ algorithm = inputs.algorithm, keyVersion = inputs.keyVersion, signature = urlencoded }, list)
    assert.is_true(key:verify(content, raw))
    assert_invalid(key:verify(bytes.flip(content, #content), raw))
    assert.equal(urlencoded, core.percent_encode(core.base64_encode(raw)))
  end)
end)
