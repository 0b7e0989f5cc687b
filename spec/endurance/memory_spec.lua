-- The core's C over an allocator that fails, and one that looks into what is freed: see crypto_memory.c.

local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local directory = shell.directory()
local program = directory .. "/crypto_memory"

local BUILD = "cc -std=c11 -D_GNU_SOURCE -w -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -o %s"
  .. " spec/support/programs/crypto_memory.c csrc/base/*.c csrc/crypto/*.c $(pkg-config --cflags --libs libcrypto) -ldl"

local FORMS = {
  { "rsa", "pkcs8.pem" }, { "rsa", "pkcs1.pem" }, { "rsa", "pkcs8.der" }, { "rsa", "pkcs8.base64" },
  { "rsa", "pkcs8_encrypted.pem" }, { "rsa", "pkcs8_encrypted.der" }, { "rsa", "pkcs1_encrypted.pem" },
  { "p224", "pkcs8.pem" }, { "p224", "sec1.pem" }, { "p224", "sec1_parameters.pem" }, { "p224", "sec1.der" },
  { "p224", "pkcs8_encrypted.pem" }, { "p224", "pkcs8_encrypted.base64" },
}

local function run(...)
  local words = {}
  for i, word in ipairs({ ... }) do words[i] = shell.quote(word) end
  return shell.run(shell.quote(program) .. " " .. table.concat(words, " "))
end

local function passphrase_of(form)
  return form:find("encrypted", 1, true) and keys.passphrase .. ", and more of it" or ""
end

-- The harness looks for a part of the passphrase, which therefore must not be short.
local function path_of(name, form)
  if not form:find("encrypted", 1, true) then return keys.path(name, form) end
  local path = ("%s/%s.%s"):format(directory, name, form)
  local command = form:find("pkcs1", 1, true) and "rsa -traditional -aes128" or "pkcs8 -topk8 -iter 16"
  local outform = form:find("pem", 1, true) and "PEM" or "DER"
  shell.must(("openssl %s -in %s -passout %s -outform %s -out %s"):format(command,
    shell.quote(keys.path(name, "pkcs8.pem")), shell.quote("pass:" .. passphrase_of(form)), outform, shell.quote(path)))
  if form:find("base64", 1, true) then shell.write(path, core.base64_encode(shell.read(path))) end
  return path
end

describe("memory", function()
  setup(function() shell.must(BUILD:format(shell.quote(program))) end)

  for _, row in ipairs(FORMS) do
    local name, form = row[1], row[2]
    it(("that held a part of the key, %s %s, is cleansed before it is freed"):format(name, form), function()
      local said, status = run("secrets", path_of(name, form), keys.path(name, "pkcs8.der"), passphrase_of(form))
      assert.matches("\n0 complaints\n$", said)
      assert.equal(0, status)
      assert.is_true(tonumber(said:match("(%d+) secrets")) >= 2)
    end)
  end

  it("of a text that was mangled, too", function()
    local path = directory .. "/mangled"
    for _, pem in ipairs({ keys.read("rsa", "pkcs8.pem"), keys.read("p224", "sec1.pem") }) do
      local name = pem:find("EC", 1, true) and "p224" or "rsa"
      for _, text in ipairs({ (pem:gsub("\n", "\\n")), core.base64_encode(pem), "'" .. pem:gsub("\n", " ") .. "'" }) do
        shell.write(path, text)
        assert.matches("\n0 complaints\n$", (run("secrets", path, keys.path(name, "pkcs8.der"), "")))
      end
    end
  end)

  -- Each allocation in turn, in reading, signing, verifying, sealing and opening: a clean error or the right
  -- result, never a wrong verdict, no leak, every error with its reason.
  for _, row in ipairs({ { "rsa", "pkcs8.pem" }, { "p224", "sec1.pem" }, { "p224", "pkcs8_encrypted.pem" } }) do
    local name, form = row[1], row[2]
    it(("that is short ends in an error that says so: %s %s"):format(name, form), function()
      local said, status = run("faults", path_of(name, form), keys.path(name, "spki.pem"), passphrase_of(form))
      assert.matches("\n0 complaints\n$", said)
      assert.equal(0, status)
    end)
  end
end)
