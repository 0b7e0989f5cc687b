-- Keys that are refused: each mistake by name, and never with a byte of the key.

local core = require "alipayhk.core"
local bytes = require "spec.support.data.bytes"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local KEY_INPUT_MAX = 64 * 1024
local LONGEST_HEADER = 4 -- bytes of DER: tag, length of the length, length

local read = { private = core.private_key, public = core.public_key }
local directory = shell.directory()

-- Eight bytes in a row, outside the PEM labels, are no coincidence.
local function leaks(content, message)
  local window = 8
  local secret = content:gsub("%-%-%-%-%-.-%-%-%-%-%-", "")
  for i = 1, #message - window + 1 do
    if secret:find(message:sub(i, i + window - 1), 1, true) then return true end
  end
  return false
end

local function assert_refused(expected, half, content)
  local path = directory .. "/refused"
  local key, message = read[half](content)
  local from_file
  assert.is_nil(key)
  assert.matches(expected, message, 1, true)
  assert.is_false(leaks(content, message))

  shell.write(path, content)
  key, from_file = read[half]({ file = path })
  assert.is_nil(key)
  assert.equal(path .. ": " .. message, from_file)
end

local function relabel(pem, from, to)
  local text, count = pem:gsub(("(%%-%%-%%-%%-%%-%%u+ )%s%%-"):format(from), ("%%1%s-"):format(to))
  assert.equal(2, count)
  return text
end

describe("a key is refused that is", function()
  local UNFIT = {
    { key = "rsa1024", expected = "the RSA key has 1024 bits; 2048 to 8192 are accepted" },
    { key = "p256", expected = "the EC key is on curve prime256v1; ECC224 needs P-224" },
    { key = "ed25519", expected = "a key of type ED25519; RSA (2048 bits or more) or EC on P-224 is expected" },
  }
  for _, row in ipairs(UNFIT) do
    it(row.key, function()
      for _, encoding in ipairs({ "pem", "der", "base64" }) do
        assert_refused(row.expected, "private", keys.read(row.key, "pkcs8." .. encoding))
        assert_refused(row.expected, "public", keys.read(row.key, "spki." .. encoding))
      end
    end)
  end

  local OTHER_HALF = {
    { key = "rsa", wanted = "private", structure = "spki", holds = "a SubjectPublicKeyInfo public key" },
    { key = "rsa", wanted = "private", structure = "pkcs1_public", holds = "a PKCS#1 RSA public key" },
    { key = "rsa", wanted = "private", structure = "certificate", holds = "an X.509 certificate" },
    { key = "rsa", wanted = "public", structure = "pkcs8", holds = "a PKCS#8 private key" },
    { key = "rsa", wanted = "public", structure = "pkcs8_encrypted", holds = "an encrypted PKCS#8 private key" },
    { key = "rsa", wanted = "public", structure = "pkcs1", holds = "a PKCS#1 RSA private key" },
    { key = "p224", wanted = "public", structure = "sec1", holds = "a SEC1 EC private key" },
  }
  for _, row in ipairs(OTHER_HALF) do
    it(("%s of %s where a %s key belongs"):format(row.structure, row.key, row.wanted), function()
      local expected = ("holds %s, but a %s key is expected here"):format(row.holds, row.wanted)
      for _, encoding in ipairs({ "pem", "der", "base64", "wrapped" }) do
        assert_refused(expected, row.wanted, keys.read(row.key, row.structure .. "." .. encoding))
      end
    end)
  end

  it("an object of the other half", function()
    local private = core.private_key(keys.read("p224", "pkcs8.pem"))
    local public = core.public_key(keys.read("p224", "spki.pem"))
    assert.same({ nil, "holds a public key, but a private key is expected here" }, { core.private_key(public) })
    assert.same({ nil, "holds a private key, but a public key is expected here" }, { core.public_key(private) })
  end)

  local MISLABELLED = {
    { key = "rsa", half = "private", structure = "pkcs1", is = "a PKCS#1 RSA private key",
      right = "RSA PRIVATE KEY", wrong = "PRIVATE KEY" },
    { key = "rsa", half = "private", structure = "pkcs8", is = "a PKCS#8 private key",
      right = "PRIVATE KEY", wrong = "RSA PRIVATE KEY" },
    { key = "rsa", half = "private", structure = "pkcs8_encrypted", is = "an encrypted PKCS#8 private key",
      right = "ENCRYPTED PRIVATE KEY", wrong = "PRIVATE KEY" },
    { key = "p224", half = "private", structure = "sec1", is = "a SEC1 EC private key",
      right = "EC PRIVATE KEY", wrong = "PRIVATE KEY" },
    { key = "p224", half = "private", structure = "pkcs8", is = "a PKCS#8 private key",
      right = "PRIVATE KEY", wrong = "EC PRIVATE KEY" },
    { key = "rsa", half = "public", structure = "pkcs1_public", is = "a PKCS#1 RSA public key",
      right = "RSA PUBLIC KEY", wrong = "PUBLIC KEY" },
    { key = "rsa", half = "public", structure = "spki", is = "a SubjectPublicKeyInfo public key",
      right = "PUBLIC KEY", wrong = "RSA PUBLIC KEY" },
    { key = "rsa", half = "public", structure = "certificate", is = "an X.509 certificate",
      right = "CERTIFICATE", wrong = "PUBLIC KEY" },
  }
  for _, row in ipairs(MISLABELLED) do
    it(("%s of %s under the label %s"):format(row.structure, row.key, row.wrong), function()
      local expected = ('the PEM label says "%s", but the data is %s: change the label to "%s"')
        :format(row.wrong, row.is, row.right)
      assert_refused(expected, row.half, relabel(keys.read(row.key, row.structure .. ".pem"), row.right, row.wrong))
    end)
  end
end)

describe("damage is named:", function()

  it("PEM without its end", function()
    local pem = keys.read("rsa", "pkcs8.pem")
    for _, length in ipairs({ 40, 100, #pem - 40 }) do
      assert_refused("the PEM text is truncated", "private", pem:sub(1, length))
    end
  end)

  it("PEM that lost whole lines", function()
    local pem = keys.read("rsa", "pkcs8.pem")
    local cut = pem:gsub("^([^\n]+\n[^\n]+\n)[^\n]+\n[^\n]+\n", "%1", 1)
    assert_refused('the PEM block "PRIVATE KEY" is truncated', "private", cut)
  end)

  it("PEM of something else", function()
    local pem = relabel(keys.read("rsa", "pkcs8.pem"), "PRIVATE KEY", "DATA")
    assert_refused("its PEM blocks hold no key", "private", pem)
  end)

  local PARTS = {
    { key = "rsa", half = "private", structures = { "pkcs8", "pkcs8_encrypted", "pkcs1" } },
    { key = "p224", half = "private", structures = { "pkcs8", "sec1" } },
    { key = "rsa", half = "public", structures = { "spki", "pkcs1_public", "certificate" } },
  }
  for _, row in ipairs(PARTS) do
    for _, structure in ipairs(row.structures) do
      it(("%s of %s cut at any byte"):format(structure, row.key), function()
        local der = keys.read(row.key, structure .. ".der")
        for length = LONGEST_HEADER, #der - 1 do
          local key, message = read[row.half](der:sub(1, length))
          assert.is_nil(key)
          assert.matches("the key is truncated", message, 1, true)
        end
        assert_refused("the key is truncated", row.half, der:sub(1, -2))
      end)

      it(("%s of %s with bytes after its end"):format(structure, row.key), function()
        local source = { data = keys.read(row.key, structure .. ".der") .. "\0after", passphrase = keys.passphrase }
        local key, message = read[row.half](source)
        assert.is_nil(key)
        assert.equal("6 bytes follow the end of the key", message)
      end)
    end
  end

  it("base64 cut off", function()
    local text = keys.read("rsa", "pkcs8.base64")
    assert_refused("cut off, or padding missing", "private", text:sub(1, 401))
    assert_refused("the key is truncated", "private", text:sub(1, 400))
  end)

  it("an empty text", function()
    assert_refused("the key is empty", "private", "")
    assert_refused("the key is empty", "public", "")
  end)

  it("white space", function()
    assert_refused("the key is empty", "private", " \r\n\t")
  end)

  it("garbage", function()
    local GARBAGE = { "correct horse battery staple", "0", "0\130\4", "MAA=", "\0\1\2\3", ("\255"):rep(300) }
    for _, garbage in ipairs(GARBAGE) do
      assert_refused("no key", "private", garbage)
      assert_refused("no key", "public", garbage)
    end
  end)

  it("input that is too long", function()
    local padded = keys.read("rsa", "pkcs8.pem")
    padded = padded .. ("\n"):rep(KEY_INPUT_MAX - #padded)
    assert.is_truthy(core.private_key(padded))
    assert_refused("longer than 65536 bytes", "private", padded .. "\n")
    local path = directory .. "/long.pem"
    shell.write(path, padded)
    assert.is_truthy(core.private_key({ file = path }))
    shell.write(path, padded .. "\n")
    assert.same({ nil, path .. ": longer than 65536 bytes" }, { core.private_key({ file = path }) })
  end)

  it("files that cannot be read", function()
    local missing = directory .. "/missing.pem"
    assert.same({ nil, missing .. ": No such file or directory" }, { core.private_key({ file = missing }) })
    assert.same({ nil, directory .. ": is a directory, not a file" }, { core.public_key({ file = directory }) })
    assert.same({ nil, ": No such file or directory" }, { core.private_key({ file = "" }) })
  end)

  -- The reason stands behind it, and has to be seen.
  it("of a path that is long, its first 160 bytes are shown, with no character cut", function()
    for path, shown in pairs {
      [("/x"):rep(90)] = ("/x"):rep(80),
      ["/" .. ("é"):rep(90)] = "/" .. ("é"):rep(79), ["//" .. ("é"):rep(90)] = "//" .. ("é"):rep(79),
      ["/" .. ("✓"):rep(60)] = "/" .. ("✓"):rep(53), ["//" .. ("✓"):rep(60)] = "//" .. ("✓"):rep(52),
      ["///" .. ("✓"):rep(60)] = "///" .. ("✓"):rep(52), ["/" .. ("😀"):rep(50)] = "/" .. ("😀"):rep(39),
      [("\191"):rep(170)] = ("?"):rep(160),
      ["/" .. ("x"):rep(155) .. "😀\128"] = "/" .. ("x"):rep(155) .. "😀",
    } do
      assert.same({ nil, shown .. ": No such file or directory" }, { core.private_key({ file = path }) })
    end
  end)

  -- What a flipped byte does depends on the byte; that nothing throws or crashes does not.
  it("any flipped byte ends in a key or a message", function()
    for _, row in ipairs(PARTS) do
      local der = keys.read(row.key, row.structures[1] .. ".der")
      for i = 1, #der do
        local key, message = read[row.half](bytes.flip(der, i))
        assert.equal(key and "nil" or "string", type(message))
      end
    end
  end)
end)

describe("a wrong argument throws:", function()
  local WRONG = {
    ["nothing"] = { source = nil, expected = "a key is a string, a table" },
    ["a number"] = { source = 42, expected = "a key is a string, a table" },
    ["a boolean"] = { source = true, expected = "a key is a string, a table" },
    ["another userdata"] = { source = io.stdout, expected = "a key is a string, a table" },
    ["an empty table"] = { source = {}, expected = "either `file` or `data`" },
    ["both sources"] = { source = { file = "a", data = "b" }, expected = "either `file` or `data`" },
    ["a passphrase alone"] = { source = { passphrase = "a" }, expected = "either `file` or `data`" },
    ["a file number"] = { source = { file = 1 }, expected = "are strings" },
    ["data in a table"] = { source = { data = {} }, expected = "are strings" },
    ["a passphrase number"] = { source = { data = "a", passphrase = 1 }, expected = "are strings" },
    ["a NUL in a file name"] = { source = { file = "a\0b" }, expected = "the file name has a NUL byte" },
  }
  for name, row in pairs(WRONG) do
    it(name, function()
      for _, load_key in pairs(read) do
        assert.error_matches(function() load_key(row.source) end, row.expected, 1, true)
      end
    end)
  end
end)

describe("a key that cannot be read", function()
  it("is asked whether its + became blanks", function()
    local found
    for _ = 1, 20 do
      local base64 = shell.must("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -outform DER 2>/dev/null "
        .. "| openssl base64 -A")
      local key, message = core.private_key((base64:gsub("%+", " ")))
      if base64:find("+", 1, true) then
        assert.is_nil(key)
        found = message:find("did each + become one", 1, true) or found
        if found then break end
      end
    end
    assert.truthy(found)
  end)

  for title, case in pairs {
    ["an empty passphrase"] = { "", "is empty" }, ["a line break"] = { "secret\n", "ends in a blank or a line break" },
  } do
    it("for " .. title .. " says so, and not what it is", function()
      local pem = shell.must("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes256 -pass pass:secret "
        .. "2>/dev/null")
      local key, message = core.private_key { data = pem, passphrase = case[1] }
      assert.is_nil(key)
      assert.matches(case[2], message, 1, true)
      assert.is_nil(message:find("secret", 1, true))
    end)
  end
end)
