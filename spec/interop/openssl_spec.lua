-- Signatures against the openssl command, both ways.

local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local WAYS = {
  { key = "rsa", digest = "sha224" },
  { key = "rsa", digest = "sha256" },
  { key = "rsa3072", digest = "sha256" },
  { key = "p224", digest = "sha224" },
  { key = "p224", digest = "sha256" },
}
local MESSAGES = { "", "POST /path\nclient.time.{}", "a\0b", core.random_bytes(65536) }

local directory = shell.directory()
local message_file, signature_file = directory .. "/message", directory .. "/signature"

local function dgst(digest, options)
  return shell.run(("openssl dgst -%s %s %s"):format(digest, options, shell.quote(message_file)))
end

for _, way in ipairs(WAYS) do
  describe(way.key .. " with " .. way.digest, function()
    local private_file, public_file = keys.path(way.key, "pkcs8.pem"), keys.path(way.key, "spki.pem")
    local private = assert(core.private_key({ file = private_file }))
    local public = assert(core.public_key({ file = public_file }))
    local opts = { digest = way.digest }

    local function openssl_verifies()
      local output, status = dgst(way.digest, ("-verify %s -signature %s"):format(
        shell.quote(public_file), shell.quote(signature_file)))
      return status == 0 and output:find("Verified OK", 1, true) ~= nil
    end

    it("verifies there what is signed here", function()
      for _, message in ipairs(MESSAGES) do
        shell.write(message_file, message)
        shell.write(signature_file, assert(private:sign(message, opts)))
        assert.is_true(openssl_verifies())
        shell.write(message_file, message .. "\0")
        assert.is_false(openssl_verifies())
      end
    end)

    it("verifies here what is signed there", function()
      for _, message in ipairs(MESSAGES) do
        local signature
        shell.write(message_file, message)
        assert.equal(0, select(2, dgst(way.digest, ("-sign %s -out %s"):format(
          shell.quote(private_file), shell.quote(signature_file)))))
        signature = shell.read(signature_file)
        assert.is_true(public:verify(message, signature, opts))
        assert.is_false(public:verify(message .. "\0", signature, opts))
      end
    end)
  end)
end
