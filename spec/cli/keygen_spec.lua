-- Judged by the openssl command.

local cjson = require "cjson.safe"
local command = require "spec.support.command"
local shell = require "spec.support.shell"

local quote = shell.quote
local unpack = unpack or table.unpack -- luacheck: ignore

-- The public half of a private key as bare base64, by openssl.
local function public_by_openssl(path)
  return shell.must(("openssl pkey -in %s -pubout -outform DER | base64 -w0"):format(quote(path)))
end

local function mode_of(path) return (shell.must("stat -c %a " .. quote(path)):gsub("\n", "")) end

local function files_in(directory) return shell.must("ls -A " .. quote(directory)) end

-- Runs it with the words of a shell in front.
local function run_with(words, ...)
  local output, status = shell.run(words .. " " .. command.words { "keygen", ... })
  return status, output
end

describe("alipayhk keygen", function()
  local directory, name

  before_each(function()
    directory = shell.directory()
    name = directory .. "/merchant"
  end)

  for _, case in ipairs {
    { "an RSA key of 2048 bits where nothing else is said", {}, "RSA", 2048, "Private%-Key: %(2048 bit" },
    { "an RSA key of the size that is asked for", { "--bits", "3072" }, "RSA", 3072, "Private%-Key: %(3072 bit" },
    { "an EC key on P-224", { "--type", "ec" }, "EC", 224, "ASN1 OID: secp224r1" },
  } do
    it("makes " .. case[1], function()
      local status, out, err = command.run { "keygen", "--out", name, unpack(case[2]) }
      assert.equal(0, status, err)
      local text = shell.must(("openssl pkey -check -noout -text -in %s"):format(quote(name .. ".pem")))
      assert.matches("Key is valid", text, 1, true)
      assert.matches(case[5], text)
      assert.equal(public_by_openssl(name .. ".pem") .. "\n", out)
      assert.equal(shell.must(("openssl pkey -in %s -pubout"):format(quote(name .. ".pem"))),
        shell.read(name .. ".pub.pem"))
      assert.matches("^%-%-%-%-%-BEGIN PRIVATE KEY%-%-%-%-%-\n", shell.read(name .. ".pem"))
      assert.equal("merchant.pem\nmerchant.pub.pem\n", files_in(directory))
    end)
  end

  it("says what to do next, and nothing of the private key", function()
    local _, out, err = command.run { "keygen", "--out", name, "--type", "ec" }
    assert.matches("Give AlipayHK the line above", err, 1, true)
    assert.matches("--private-key " .. name .. ".pem", err, 1, true)
    local middle = shell.read(name .. ".pem"):match("\n([^\n]+)\n")
    assert.is_nil((out .. err):find(middle, 1, true))
  end)

  it("gives it as an object", function()
    local _, out = command.run { "keygen", "--out", name .. ".pem", "--type", "ec", "--json" }
    local made = cjson.decode(out)
    assert.same({
      private_key = name .. ".pem", public_key = name .. ".pub.pem", type = "EC", bits = 224,
      console = public_by_openssl(name .. ".pem"),
      fingerprint = shell.must(("openssl pkey -in %s -pubout -outform DER | sha256sum"):format(quote(name .. ".pem")))
        :match("%x+"),
    }, made)
  end)

  it("makes another key each time", function()
    command.run { "keygen", "--out", name, "--type", "ec" }
    command.run { "keygen", "--out", name .. "2", "--type", "ec" }
    assert.not_equal(public_by_openssl(name .. ".pem"), public_by_openssl(name .. "2.pem"))
  end)

  it("makes the private file its owner's alone, whatever the umask", function()
    assert.equal(0, (run_with("umask 0;", "--type", "ec", "--out", name)))
    assert.equal("600", mode_of(name .. ".pem"))
  end)

  it("opens the private file with that mode", function()
    if not os.execute("command -v strace > /dev/null") then return pending("no strace") end
    local _, output = run_with("umask 0; strace -f -e trace=openat,open,fsync", "--type", "ec", "--out", name)
    assert.matches('merchant%.pem", O_WRONLY|O_CREAT|O_EXCL[A-Z_|]*, 0600', output)
    assert.matches("fsync%(", output)
  end)

  for _, ending in ipairs { ".pem", ".pub.pem" } do
    it("never writes over a file: NAME" .. ending, function()
      shell.write(name .. ending, "mine")
      local status, out, err = command.run { "keygen", "--out", name, "--type", "ec" }
      assert.equal(2, status)
      assert.equal("", out)
      assert.equal(("alipayhk: %s%s: is there already, and is not written over: take another name\n"):format(name,
        ending), err)
      assert.equal("mine", shell.read(name .. ending))
      assert.equal("merchant" .. ending .. "\n", files_in(directory))
    end)

    it("follows no link, and leaves no half pair: NAME" .. ending, function()
      shell.must(("ln -s target %s"):format(quote(name .. ending)))
      local status, _, err = command.run { "keygen", "--out", name, "--type", "ec" }
      assert.equal(3, status)
      assert.matches("is there already", err, 1, true)
      assert.equal("merchant" .. ending .. "\n", files_in(directory))
    end)
  end

  it("leaves nothing where there is no room", function()
    local status, output = run_with("trap '' XFSZ; ulimit -f 0;", "--type", "ec", "--out", name)
    assert.equal(3, status)
    assert.equal(("alipayhk: %s.pem: File too large\n"):format(name), output)
    assert.equal("", files_in(directory))
  end)

  it("says so where its output cannot be written", function()
    local output, status = shell.run(command.words { "keygen", "--type", "ec", "--out", name } .. " > /dev/full")
    assert.equal(3, status)
    assert.equal("alipayhk: standard output: No space left on device\n", output)
  end)

  it("says in one line what is wrong with its arguments", function()
    for _, case in ipairs {
      { {}, 2, "give --out NAME" },
      { { "--out", name, "--bits", "1024" }, 2, "--bits: expected one of 2048, 3072, 4096, found \"1024\"" },
      { { "--out", name, "--type", "dsa" }, 2, "--type: expected one of rsa, ec, found \"dsa\"" },
      { { "--out", name, "--type", "ec", "--bits", "2048" }, 2, "--bits is for --type rsa" },
      { { "--out", directory .. "/" }, 2, "expected a file's name" },
      { { "--type", "ec", "--out", directory .. "/none/merchant" }, 3, "none/merchant.pem: No such file or directory" },
    } do
      local status, out, err = command.run { "keygen", unpack(case[1]) }
      assert.equal(case[2], status, err)
      assert.equal("", out)
      assert.matches(case[3], err, 1, true)
      assert.matches("^alipayhk: [^\n]+\n$", err)
    end
    assert.equal("", files_in(directory))
  end)
end)
