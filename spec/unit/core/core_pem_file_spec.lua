-- Files that TLS is given: looked into before the first order is sent.

local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local MAX = 4 * 1024 * 1024

local directory = shell.directory()

local function file(content)
  local path = directory .. "/file.pem"
  shell.write(path, content)
  return path
end

local function assert_refused(expected, path, label)
  local ok, message = core.pem_file(path, label)
  assert.is_nil(ok)
  assert.equal(path .. ": ", message:sub(1, #path + 2))
  assert.matches(expected, message, 1, true)
end

describe("a file for TLS is good that", function()
  it("has a certificate, or many, or one among other things", function()
    local certificate = keys.read("rsa", "certificate.pem")
    for _, content in ipairs({
      certificate, (certificate:gsub("\n", "\r\n")), certificate .. keys.read("p224", "certificate.pem"),
      keys.read("rsa", "pkcs8.pem") .. certificate, "# a comment\n" .. certificate, certificate:rep(300),
    }) do
      assert.same({ true }, { core.pem_file(file(content), "CERTIFICATE") })
    end
  end)

  it("has a private key of any form", function()
    for _, form in ipairs({ "pkcs8", "pkcs1" }) do
      assert.same({ true }, { core.pem_file(keys.path("rsa", form .. ".pem"), "PRIVATE KEY") })
    end
    for _, form in ipairs({ "sec1", "sec1_parameters" }) do
      assert.same({ true }, { core.pem_file(keys.path("p224", form .. ".pem"), "PRIVATE KEY") })
    end
    assert.same({ true }, { core.pem_file(keys.path("p256", "sec1.pem"), "PRIVATE KEY") })
  end)

  it("has a private key behind a block whose name is shorter", function()
    local certificate = keys.read("rsa", "certificate.pem")
    local content = certificate:gsub("CERTIFICATE", "CMS") .. keys.read("rsa", "pkcs8.pem")
    assert.same({ true }, { core.pem_file(file(content), "PRIVATE KEY") })
  end)

  it("has all of 4 MiB", function()
    local certificate = keys.read("rsa", "certificate.pem")
    assert.same({ true }, { core.pem_file(file(certificate .. ("\n"):rep(MAX - #certificate)), "CERTIFICATE") })
  end)
end)

describe("a file for TLS is refused that", function()
  it("is not there, or no regular file", function()
    for _, label in ipairs({ "CERTIFICATE", "PRIVATE KEY" }) do
      assert_refused("No such file or directory", directory .. "/missing.pem", label)
      assert_refused("is a directory, not a file", directory, label)
      assert_refused("is a device, not a regular file", "/dev/zero", label)
    end
  end)

  it("is longer than 4 MiB", function()
    local certificate = keys.read("rsa", "certificate.pem")
    assert_refused("longer than 4194304 bytes", file(certificate .. ("\n"):rep(MAX + 1 - #certificate)), "CERTIFICATE")
  end)

  it("holds none of them", function()
    local NONE = "in PEM, with its BEGIN and END lines on lines of their own"
    for _, content in ipairs({ "", "text", keys.read("rsa", "spki.pem") }) do
      assert_refused('holds no "CERTIFICATE" ' .. NONE, file(content), "CERTIFICATE")
      assert_refused('holds no "PRIVATE KEY" ' .. NONE, file(content), "PRIVATE KEY")
    end
    assert_refused("holds no", keys.path("rsa", "certificate.pem"), "PRIVATE KEY")
    assert_refused("holds no", keys.path("rsa", "pkcs8.pem"), "CERTIFICATE")
  end)

  it("has a block with nothing in it first, behind which OpenSSL does not read on", function()
    local certificate = keys.read("rsa", "certificate.pem")
    for _, body in ipairs({ "", "\n", "Proc-Type: 4,ENCRYPTED\n\n" }) do
      local block = "-----BEGIN CERTIFICATE-----\n" .. body .. "-----END CERTIFICATE-----\n"
      assert_refused("a PEM block in it is empty", file(block .. certificate), "CERTIFICATE")
      assert_refused("a PEM block in it is empty", file(certificate .. block), "PRIVATE KEY")
      assert.same({ true }, { core.pem_file(file(certificate .. block), "CERTIFICATE") })
    end
  end)

  it("is read as a key, but not by TLS", function()
    local certificate = keys.read("rsa", "certificate.pem")
    assert(core.public_key((certificate:gsub("\n", " "))))
    assert_refused("on lines of their own", file((certificate:gsub("\n", " "))), "CERTIFICATE")
    assert_refused("on lines of their own", file(certificate:sub(1, -30)), "CERTIFICATE")
  end)

  it("is DER, or of another kind: with the command that converts it", function()
    for label, form in pairs({ CERTIFICATE = "certificate.der", ["PRIVATE KEY"] = "pkcs8.der" }) do
      local path = directory .. "/" .. form
      local _, message
      shell.write(path, keys.read("rsa", form))
      _, message = core.pem_file(path, label)
      assert_refused("is DER, but PEM is needed", path, label)
      shell.must(("cd %s && "):format(shell.quote(directory)) .. message:match("`([^`]+)`"):gsub("FILE", form))
      assert.is_true(core.pem_file(directory .. "/key.pem", label))
    end
    assert_refused("holds UTF-16 text", file("\255\254-\0-\0-\0-\0-\0B\0E\0G\0I\0N\0"), "CERTIFICATE")
  end)

  it("is encrypted", function()
    for _, form in ipairs({ "pkcs8_encrypted.pem", "pkcs1_encrypted.pem" }) do
      assert_refused("is encrypted, and there is nowhere to give a passphrase", keys.path("rsa", form), "PRIVATE KEY")
    end
  end)
end)

describe("a wrong argument throws:", function()
  it("no path, no label, another label", function()
    assert.error_matches(function() core.pem_file() end, "string expected", 1, true)
    assert.error_matches(function() core.pem_file("file") end, "string expected", 1, true)
    assert.error_matches(function() core.pem_file("file", "PUBLIC KEY") end, "invalid option", 1, true)
    assert.error_matches(function() core.pem_file("a\0b", "CERTIFICATE") end, "NUL byte", 1, true)
  end)
end)
