-- Judged by the openssl command.

local cjson = require "cjson.safe"
local command = require "spec.support.command"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local quote = shell.quote
local unpack = unpack or table.unpack -- luacheck: ignore

local PASSPHRASE = keys.passphrase

local function key(...) return command.run { "key", ... } end

local function described(...)
  local status, out, err = key("--json", ...)
  assert.equal(0, status, err)
  return (cjson.decode(out:match("[^\n]+")))
end

local function fingerprint_by_openssl(name)
  return shell.must(("openssl pkey -in %s -pubout -outform DER | sha256sum"):format(
    quote(keys.path(name, "pkcs8.pem")))):match("%x+")
end

local function passphrase_file(content)
  local path = shell.directory() .. "/passphrase"
  shell.write(path, content or PASSPHRASE .. "\n")
  return path
end

-- Runs it at a terminal, where somebody types once it asks: its status, and what the terminal showed. `after`: more
-- words for the same shell.
local function at_terminal(arguments, typed, after)
  local log = shell.directory() .. "/typescript"
  local run = command.OUTLIVES_CTRL_C .. command.words(arguments) .. (after or "") .. "; echo status=$?"
  shell.write(log, "")
  shell.run(("{ until grep -q 'Passphrase of' %s; do sleep 0.05; done; sleep 0.2; printf %s; sleep 0.5; } "
    .. "| script -qefc %s %s"):format(log, quote(typed), quote(run), log))
  local shown = shell.read(log)
  return tonumber(shown:match("status=(%d+)")), shown
end

describe("alipayhk key", function()
  -- File, then what is said of it.
  for _, case in ipairs {
    { "rsa", "pkcs8.pem", "private", "PKCS#8", "PEM" },
    { "rsa", "pkcs8.der", "private", "PKCS#8", "DER" },
    { "rsa", "pkcs8.base64", "private", "PKCS#8", "base64" },
    { "rsa", "pkcs8.wrapped", "private", "PKCS#8", "base64" },
    { "rsa", "pkcs1.pem", "private", "PKCS#1", "PEM" },
    { "rsa", "pkcs1.der", "private", "PKCS#1", "DER" },
    { "rsa", "spki.pem", "public", "SPKI", "PEM" },
    { "rsa", "spki.der", "public", "SPKI", "DER" },
    { "rsa", "spki.base64", "public", "SPKI", "base64" },
    { "rsa", "pkcs1_public.pem", "public", "PKCS#1", "PEM" },
    { "rsa", "pkcs1_public.der", "public", "PKCS#1", "DER" },
    { "rsa", "certificate.pem", "public", "certificate", "PEM" },
    { "rsa", "certificate.der", "public", "certificate", "DER" },
    { "rsa3072", "pkcs8.pem", "private", "PKCS#8", "PEM", 3072 },
    { "p224", "pkcs8.pem", "private", "PKCS#8", "PEM" },
    { "p224", "sec1.pem", "private", "SEC1", "PEM" },
    { "p224", "sec1.der", "private", "SEC1", "DER" },
    { "p224", "sec1_parameters.pem", "private", "SEC1", "PEM" },
    { "p224", "spki.pem", "public", "SPKI", "PEM" },
    { "p224", "certificate.pem", "public", "certificate", "PEM" },
    { "rsa", "pkcs8_encrypted.pem", "private", "PKCS#8", "PEM", encrypted = true },
    { "rsa", "pkcs8_encrypted.der", "private", "PKCS#8", "DER", encrypted = true },
    { "rsa", "pkcs1_encrypted.pem", "private", "PKCS#1", "PEM", encrypted = true },
    { "p224", "pkcs8_encrypted.pem", "private", "PKCS#8", "PEM", encrypted = true },
  } do
    it(("knows %s in %s"):format(case[1], case[2]), function()
      local path = keys.path(case[1], case[2])
      local is_rsa = case[1] ~= "p224"
      local found = described(path, "--passphrase-file", passphrase_file())
      found.expires = nil
      assert.same({
        file = path, half = case[3], type = is_rsa and "RSA" or "EC", bits = case[6] or is_rsa and 2048 or 224,
        form = case[4], wrapping = case[5], encrypted = case.encrypted or false,
        fingerprint = fingerprint_by_openssl(case[1]),
      }, found)
    end)
  end

  it("says it in words", function()
    local path = keys.path("rsa", "pkcs1.pem")
    local _, out = key(path)
    assert.equal(("%s: private key, RSA, 2048 bits, PKCS#1 in PEM, not encrypted\n  SHA-256 %s\n"):format(path,
      fingerprint_by_openssl("rsa")), out)
  end)

  it("tells when a certificate expires", function()
    local path = keys.path("rsa", "certificate.pem")
    local expires = described(path).expires
    assert.equal(shell.must(("date -u -d \"$(openssl x509 -enddate -noout -in %s | cut -d= -f2)\" +%%FT%%TZ"):format(
      quote(path))), expires .. "\n")
    local _, out = key(path)
    assert.matches("X.509 certificate in PEM, expires " .. expires .. ", in 29 days", out, 1, true)
  end)

  it("tells of one that has expired", function()
    local directory = shell.directory()
    local private = quote(keys.path("rsa", "pkcs8.pem"))
    shell.must(("cd %s && openssl req -new -key %s -subj /CN=old -out r"):format(directory, private))
    shell.must(("cd %s && openssl x509 -req -in r -signkey %s -days -1 -out old.pem"):format(directory, private))
    local _, out = key(directory .. "/old.pem")
    assert.matches(", expired 20", out, 1, true)
  end)

  describe("of two files", function()
    it("says that they are a pair, whatever their forms", function()
      for _, name in ipairs { "rsa", "p224" } do
        for _, public in ipairs { "spki.pem", "spki.base64", "certificate.der" } do
          local status, out = key(keys.path(name, "pkcs8.pem"), keys.path(name, public))
          assert.equal(0, status)
          assert.matches("\na pair: the private key and its public half\n$", out)
        end
      end
    end)

    it("says that they are none, and fails", function()
      local status, out = key(keys.path("rsa", "pkcs8.pem"), keys.path("p224", "spki.pem"))
      assert.equal(1, status)
      assert.matches("\nno pair: these are two different keys\n$", out)
      status, out = key("--json", keys.path("rsa", "pkcs8.pem"), keys.path("rsa3072", "pkcs8.pem"))
      assert.equal(1, status)
      assert.same({ pair = false, same = false }, cjson.decode(out:match("([^\n]+)\n$")))
    end)

    it("says that they hold the same half", function()
      local status, out = key(keys.path("rsa", "certificate.pem"), keys.path("rsa", "pkcs1_public.der"))
      assert.equal(0, status)
      assert.matches("\nthe same public key\n$", out)
    end)
  end)
end)

-- By key and form: what openssl writes it by, of a private file and of a public one.
local PRIVATE = {
  pkcs8 = "pkey -in %s", pkcs1 = "pkey -traditional -in %s", spki = "pkey -pubout -in %s",
  der = "pkcs8 -topk8 -nocrypt -outform DER -in %s",
  base64 = "pkey -pubout -outform DER -in %s | openssl base64 -A; echo",
}
local PUBLIC = {
  rsa = {
    pkcs1 = "rsa -pubin -RSAPublicKey_out -in %s", spki = "pkey -pubin -pubout -in %s",
    der = "pkey -pubin -pubout -outform DER -in %s",
  },
  p224 = { spki = "pkey -pubin -pubout -in %s", der = "pkey -pubin -pubout -outform DER -in %s" },
}

describe("alipayhk key --convert", function()
  for name, forms in pairs {
    rsa = { "pkcs8.pem", "pkcs8.der", "pkcs8.base64", "pkcs1.pem", "pkcs8_encrypted.pem", "pkcs1_encrypted.pem" },
    p224 = { "pkcs8.pem", "sec1.pem", "sec1.der", "sec1_parameters.pem", "pkcs8_encrypted.pem" },
  } do
    for _, from in ipairs(forms) do
      it(("writes what openssl writes of %s in %s"):format(name, from), function()
        for form, by_openssl in pairs(PRIVATE) do
          local target = shell.directory() .. "/key"
          local status, out, err = key("--convert", form, keys.path(name, from), "--out", target, "--passphrase-file",
            passphrase_file())
          assert.equal(0, status, err)
          assert.equal("", out)
          shell.must(("{ openssl %s; } > %s"):format(by_openssl:format(quote(keys.path(name, "pkcs8.pem"))),
            quote(target .. ".expected")))
          assert.equal(shell.read(target .. ".expected"), shell.read(target), form)
          local is_public = form == "spki" or form == "base64"
          assert.equal(is_public and "644\n" or "600\n", shell.must("stat -c %a " .. quote(target)))
        end
      end)
    end
  end

  for name, by_form in pairs(PUBLIC) do
    for _, from in ipairs { "spki.pem", "spki.base64", "certificate.pem", "certificate.der" } do
      it(("writes what openssl writes of the public %s in %s"):format(name, from), function()
        for form, by_openssl in pairs(by_form) do
          local expected = shell.directory() .. "/expected"
          local status, out, err = key("--convert", form, keys.path(name, from))
          assert.equal(0, status, err)
          shell.must(("openssl %s > %s"):format(by_openssl:format(quote(keys.path(name, "spki.pem"))), expected))
          assert.equal(shell.read(expected), out, form)
        end
      end)
    end
  end

  it("puts a private key on standard output only where that is asked for", function()
    local path = keys.path("rsa", "pkcs1.pem")
    local status, out, err = key("--convert", "pkcs8", path)
    assert.equal(2, status)
    assert.equal("", out)
    assert.matches("give --out FILE, or --out -", err, 1, true)
    status, out = key("--convert", "pkcs8", path, "--out", "-")
    assert.equal(0, status)
    assert.equal(keys.read("rsa", "pkcs8.pem"), out)
  end)

  it("never writes over a file, and leaves no half one", function()
    local directory = shell.directory()
    local path, target = keys.path("rsa", "pkcs1.pem"), directory .. "/key"
    shell.write(target, "mine")
    local status, _, err = key("--convert", "pkcs8", path, "--out", target)
    assert.equal(2, status)
    assert.matches("is there already, and is not written over", err, 1, true)
    assert.equal("mine", shell.read(target))
    local output
    output, status = shell.run("trap '' XFSZ; ulimit -f 1; " .. command.words { "key", "--convert", "pkcs8", path,
      "--out", target .. "2" })
    assert.equal(2, status)
    assert.equal(("alipayhk: key: %s2: File too large\n"):format(target), output)
    assert.equal("key\n", shell.must("ls " .. directory))
  end)

  it("says what a key has no form for", function()
    for _, case in ipairs {
      { "pkcs8", keys.path("rsa", "spki.pem"), "this is a public one: take spki" },
      { "pkcs1", keys.path("p224", "spki.pem"), "no public keys of EC: take spki" },
    } do
      local status, out, err = key("--convert", case[1], case[2])
      assert.equal(2, status)
      assert.equal("", out)
      assert.matches(case[3], err, 1, true)
    end
  end)

  it("says so where its output cannot be written", function()
    local output, status = shell.run(command.words { "key", "--convert", "spki", keys.path("rsa", "spki.pem") }
      .. " > /dev/full")
    assert.equal("alipayhk: key: No space left on device\n", output)
    assert.equal(2, status)
  end)

  it("puts nothing binary on a terminal", function()
    local log = shell.directory() .. "/typescript"
    shell.run(("script -qefc %s %s"):format(quote(command.words { "key", "--convert", "der",
      keys.path("rsa", "spki.pem") }), log))
    assert.matches("DER is binary: give --out FILE", shell.read(log), 1, true)
  end)
end)

describe("a passphrase of alipayhk key", function()
  local encrypted = keys.path("p224", "pkcs8_encrypted.pem")

  it("is asked for at the terminal, and is not shown", function()
    local status, shown = at_terminal({ "key", encrypted }, PASSPHRASE .. "\n")
    assert.equal(0, status, shown)
    assert.matches("Passphrase of " .. encrypted .. ": ", shown, 1, true)
    assert.matches("private key, EC (P-224), 224 bits, PKCS#8 in PEM, encrypted", shown, 1, true)
    assert.is_nil(shown:find(PASSPHRASE, 1, true))
  end)

  it("may be interrupted, which leaves the terminal as it was", function()
    local status, shown = at_terminal({ "key", encrypted }, "half\3",
      "; echo was=$?; stty -a | grep -ow -e -echo -e echo")
    assert.equal(0, status)
    assert.matches("was=130", shown, 1, true)
    assert.matches("alipayhk: interrupted\r?\n", shown)
    assert.matches("\necho\r\n", shown)
    assert.is_nil(shown:find("traceback", 1, true))
  end)

  it("is asked for at the terminal even where standard input is a file", function()
    local status, shown = at_terminal({ "key", encrypted }, PASSPHRASE .. "\n", " < /dev/null")
    assert.equal(0, status, shown)
  end)

  it("comes from a file, whose line may end as on Windows", function()
    for _, content in ipairs { PASSPHRASE, PASSPHRASE .. "\n", PASSPHRASE .. "\r\n", PASSPHRASE .. "\nmore\n" } do
      assert.equal(0, (key(encrypted, "--passphrase-file", passphrase_file(content))))
    end
  end)

  it("that is wrong, missing or not to be had is said in one line", function()
    for _, case in ipairs {
      { { encrypted, "--passphrase-file", passphrase_file("wrong secret\n") }, "wrong passphrase" },
      { { encrypted, "--passphrase-file", passphrase_file("\n") }, "the passphrase given is empty" },
      { { encrypted, "--passphrase-file", "/none" }, "--passphrase-file: /none: No such file or directory" },
      { { encrypted, "--passphrase-file", passphrase_file(("x"):rep(2000)) }, "longer than 1025 bytes" },
      { { encrypted, "--passphrase-file", passphrase_file(("x"):rep(1025)) }, "longer than 1024 bytes" },
    } do
      local status, out, err = key(unpack(case[1]))
      assert.equal(2, status)
      assert.equal("", out)
      assert.matches(case[2], err, 1, true)
      assert.matches("^alipayhk: [^\n]+\n$", err)
      assert.is_nil(err:find("wrong secret", 1, true))
    end
    local output, status = shell.run("setsid -w " .. command.words { "key", encrypted })
    assert.equal(2, status)
    assert.equal("alipayhk: the key is encrypted: give --passphrase-file, for there is no terminal to ask at\n", output)
  end)
end)

describe("alipayhk key, given what is no key,", function()
  it("says in one line what it is", function()
    local directory = shell.directory()
    local function file(name, content)
      shell.write(directory .. "/" .. name, content)
      return directory .. "/" .. name
    end
    local pem = keys.read("rsa", "pkcs8.pem")
    local secret = pem:match("\n([^\n]+)\n")
    for _, case in ipairs {
      { directory .. "/none", "No such file or directory" },
      { directory, "is a directory" },
      { file("empty", ""), "the key is empty" },
      { file("binary", "\127ELF\2\1\1\0\0\0"), "no key" },
      { file("large", ("x"):rep(70000)), "longer than 65536 bytes" },
      { file("cut", pem:sub(1, 700)), "truncated" },
      { file("ssh", ("-----%s OPENSSH PRIVATE KEY-----\n"):rep(2, "AAAA\n"):format("BEGIN", "END")), "ssh-keygen -p" },
      { keys.path("rsa1024", "pkcs8.pem"), "has 1024 bits; 2048 to 8192 are accepted" },
      { keys.path("p256", "spki.pem"), "ECC224 needs P-224" },
      { keys.path("ed25519", "pkcs8.pem"), "RSA (2048 bits or more) or EC on P-224 is expected" },
    } do
      local status, out, err = key(case[1])
      assert.equal(2, status)
      assert.equal("", out)
      assert.matches(case[2], err, 1, true)
      assert.matches("^alipayhk: [^\n]+\n$", err)
      assert.is_nil(err:find(secret, 1, true))
    end
  end)

  it("or used wrongly, says how it is used", function()
    local path = keys.path("rsa", "spki.pem")
    for _, case in ipairs {
      { { "key" }, "--help says how it is used" },
      { { "key", "--convert", "pkcs12", path }, "--convert: expected one of pkcs8, " },
      { { "key", "--convert", "spki", path, path }, "--convert takes one file" },
      { { "key", path, "--out", "x" }, "--out is for --convert" },
    } do
      local status, _, err = command.run(case[1])
      assert.equal(2, status)
      assert.matches(case[2], err, 1, true)
    end
  end)
end)
