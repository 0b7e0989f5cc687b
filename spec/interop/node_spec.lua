-- RSA_AES and signatures against Node's crypto, both ways.

local cjson = require "cjson"
local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local PEER = "spec/interop/peer.js"
local PLAINTEXTS = { "", '{"memo":"電影票 ✓"}', core.random_bytes(4801) }
local MESSAGE = "POST /path\nclient.time.{}\0"
local SIGNATURES = {
  { key = "rsa", digest = "sha256", encoding = "der" },
  { key = "rsa", digest = "sha224", encoding = "der" },
  { key = "p224", digest = "sha224", encoding = "der" },
  { key = "p224", digest = "sha224", encoding = "p1363" },
  { key = "p224", digest = "sha256", encoding = "der" },
  { key = "p224", digest = "sha256", encoding = "p1363" },
}
local DSA_ENCODING = { der = "der", p1363 = "ieee-p1363" }

local private, public = {}, {}
local requests_file

if select(2, shell.run("node --version")) ~= 0 then
  pending("node is not installed")
  return
end

for _, name in ipairs({ "rsa", "p224" }) do
  private[name] = assert(core.private_key({ file = keys.path(name, "pkcs8.pem") }))
  public[name] = assert(core.public_key({ file = keys.path(name, "spki.pem") }))
end
requests_file = shell.directory() .. "/requests.json"

local function ask(requests)
  shell.write(requests_file, cjson.encode(requests))
  return cjson.decode(shell.must(("node %s < %s"):format(PEER, shell.quote(requests_file))))
end

for _, padding in ipairs({ "pkcs1", "oaep" }) do
  for _, bits in ipairs({ 128, 192, 256 }) do
    describe(("RSA_AES, %s, %d bits"):format(padding, bits), function()
      it("opens there what is sealed here", function()
        local requests, expected = {}, {}
        for i, plaintext in ipairs(PLAINTEXTS) do
          local body, wrapped_key = core.seal(plaintext, public.rsa, { key_padding = padding, key_bits = bits })
          requests[i] = { action = "open", key = keys.path("rsa", "pkcs8.pem"), padding = padding,
            body = body, wrappedKey = wrapped_key }
          expected[i] = { plaintext = core.base64_encode(plaintext), keyBits = bits }
        end
        assert.same(expected, ask(requests))
      end)

      it("opens here what is sealed there", function()
        local requests = {}
        for i, plaintext in ipairs(PLAINTEXTS) do
          requests[i] = { action = "seal", key = keys.path("rsa", "spki.pem"), padding = padding,
            keyBits = bits, plaintext = core.base64_encode(plaintext) }
        end
        for i, answer in ipairs(ask(requests)) do
          local opened = core.open(answer.body, answer.wrappedKey, private.rsa, { key_padding = padding })
          assert.equal(PLAINTEXTS[i], opened)
        end
      end)
    end)
  end
end

for _, way in ipairs(SIGNATURES) do
  describe(("signatures, %s, %s, %s"):format(way.key, way.digest, way.encoding), function()
    local opts = { digest = way.digest, encoding = way.encoding }

    local function request(action, form, message, signature)
      return { action = action, key = keys.path(way.key, form), digest = way.digest,
        dsaEncoding = DSA_ENCODING[way.encoding], message = core.base64_encode(message), signature = signature }
    end

    it("verifies there what is signed here", function()
      local signature = core.base64_encode(assert(private[way.key]:sign(MESSAGE, opts)))
      assert.same({ { valid = true }, { valid = false } }, ask({
        request("verify", "spki.pem", MESSAGE, signature),
        request("verify", "spki.pem", MESSAGE .. "\0", signature),
      }))
    end)

    it("verifies here what is signed there", function()
      local signature = core.base64_decode(ask({ request("sign", "pkcs8.pem", MESSAGE) })[1].signature)
      assert.is_true(public[way.key]:verify(MESSAGE, signature, opts))
      assert.is_false(public[way.key]:verify(MESSAGE .. "\0", signature, opts))
    end)
  end)
end
