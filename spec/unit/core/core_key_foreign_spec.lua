-- Files that hold a key in a way that cannot be used are named, and the command in the message converts them.

local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local read = { private = core.private_key, public = core.public_key }

-- The commands ask for passwords at the terminal.
local ANSWERS = {
  ["openssl pkcs12 "] = "openssl pkcs12 -passin pass:secret ",
  ["keytool -importkeystore "] = "keytool -importkeystore -noprompt -srcstorepass secret -deststorepass secret ",
  ["ssh-keygen -p "] = "ssh-keygen -p -P '' -N '' ",
}

local P12 = "openssl pkcs12 -export -passout pass:secret -inkey $KEY -in $CERTIFICATE -name key -out $OUT"
local STORE = P12 .. ".p12 && keytool -importkeystore -noprompt -srckeystore $OUT.p12 -srcstoretype PKCS12"
  .. " -srcstorepass secret -deststorepass secret -destkeystore $OUT -deststoretype "
local OPENSSH = "ssh-keygen -q -t rsa -b 2048 -N '' -f $OUT"
local JWK = "node -e 'console.log(JSON.stringify(require(\"crypto\").%s(require(\"fs\").readFileSync(\"'$%s'\"))"
  .. ".export({format:\"jwk\"})))' > $OUT"

-- `make` writes $OUT, and `as` is what the message calls that.
local CONVERTED = {
  { half = "private", as = "OpenSSH's own format", make = OPENSSH },
  { half = "public", as = "in OpenSSH's own format, but a public key", make = OPENSSH },
  { half = "public", as = "an OpenSSH public key", make = OPENSSH .. " && mv $OUT.pub $OUT" },
  { half = "public", as = "an SSH2 public key (RFC 4716)",
    make = OPENSSH .. " && ssh-keygen -e -f $OUT.pub > $OUT" },
  { half = "private", as = "a JWK", make = JWK:format("createPrivateKey", "KEY") },
  { half = "public", as = "a JWK", make = JWK:format("createPublicKey", "PUBLIC") },
  { half = "private", as = "a PKCS#12 file", make = P12 },
  { half = "public", as = "a PKCS#12 file", make = P12 },
  { half = "private", as = "a Java keystore (JKS)", make = STORE .. "JKS" },
  { half = "public", as = "a Java keystore (JKS)", make = STORE .. "JKS" },
  { half = "private", as = "a Java keystore (JCEKS)", make = STORE .. "JCEKS" },
  { half = "private", as = "UTF-16 text", make = "iconv -f UTF-8 -t UTF-16 $KEY > $OUT" },
  { half = "private", as = "UTF-16 text", make = "iconv -f UTF-8 -t UTF-16LE $KEY > $OUT" },
  { half = "private", as = "UTF-16 text", make = "iconv -f UTF-8 -t UTF-16BE $KEY > $OUT" },
  { half = "public", as = "UTF-16 text", make = "iconv -f UTF-8 -t UTF-16 $BASE64 > $OUT" },
  { half = "private", as = "a key in hex", make = "xxd -p $DER > $OUT" },
  { half = "private", as = "a key in hex", make = "xxd -p -u $DER | tr -d '\\n' > $OUT" },
  { half = "private", as = "a key in hex", make = "{ printf 0x; xxd -p $DER | tr -d '\\n'; } > $OUT" },
  { half = "private", as = "a key in hex", make = "xxd -p -c 1 $DER | paste -sd: > $OUT" },
  { half = "public", as = "a certificate request",
    make = "openssl req -new -key $KEY -subj /CN=spec -out $OUT" },
  { half = "public", as = "a PKCS#7 bundle", make = "openssl crl2pkcs7 -nocrl -certfile $CERTIFICATE -out $OUT" },
  { half = "public", as = "a certificate with OpenSSL's own notes",
    make = "openssl x509 -in $CERTIFICATE -trustout -out $OUT" },
}

local PEM = "printf -- '-----BEGIN %s-----\\n\\nlQOYBGNM\\n=abcd\\n-----END %s-----\\n' > $OUT"
local HTML = "\n<!DOCTYPE html><html><body>Please log in</body></html>"
local PARAMETERS = "parameters of a curve or group, but not the key"

-- Where there is nothing to convert.
local NAMED = {
  { half = "private", as = "an OpenSSH public key, but a private key is expected here",
    make = OPENSSH .. " && mv $OUT.pub $OUT" },
  { half = "private", as = "a certificate request, which has no private key in it",
    make = "openssl req -new -key $KEY -subj /CN=spec -out $OUT" },
  { half = "private", as = "a certificate request, which has no private key in it",
    make = "openssl req -new -key $KEY -subj /CN=spec -outform DER -out $OUT" },
  { half = "public", as = "a certificate request: take its public key with",
    make = "openssl req -new -key $KEY -subj /CN=spec -outform DER -out $OUT" },
  { half = "private", as = "a PKCS#12 file", make = P12 .. ".p12 && base64 $OUT.p12 > $OUT" },
  { half = "private", as = "a PKCS#12 file", make = "printf '\\060\\200\\002\\001\\003\\060\\200more' > $OUT" },
  { half = "private", as = "a Java keystore (JKS)", make = STORE .. "JKS && base64 $OUT > $OUT.b && mv $OUT.b $OUT" },
  { half = "public", as = "a PKCS#7 bundle",
    make = "openssl crl2pkcs7 -nocrl -certfile $CERTIFICATE -outform DER -out $OUT" },
  { half = "private", as = PARAMETERS, make = "openssl ecparam -name secp224r1 -out $OUT" },
  { half = "private", as = PARAMETERS, make = PEM:format("DH PARAMETERS", "DH PARAMETERS") },
  { half = "private", as = "an OpenPGP key", make = PEM:format("PGP PRIVATE KEY BLOCK", "PGP PRIVATE KEY BLOCK") },
  { half = "private", as = "a PuTTY key", make = "echo 'PuTTY-User-Key-File-2: ssh-rsa' > $OUT" },
  { half = "private", as = "prints, for people to read", make = "openssl pkey -in $KEY -text -noout -out $OUT" },
  { half = "public", as = "prints, for people to read",
    make = "openssl pkey -pubin -in $PUBLIC -text_pub -noout -out $OUT" },
}

local TEXTS = {
  ["a web page"] = { HTML, "<html>\n<head>", "\239\187\191" .. HTML, "<?xml version=\"1.0\"?>\n<html>" },
  ["a path, not a key"] = { "/etc/alipayhk/merchant.pem", "./merchant.pem", "merchant.pem\n", "../keys/merchant",
    "~/merchant", "C:\\keys\\new", "file:///keys/merchant", "keys/public.key", "\"C:/keys/merchant.pem\"" },
  ["an XML key of .NET"] = { "<RSAKeyValue><Modulus>AA==</Modulus></RSAKeyValue>" },
  ["five hyphens on each side"] = { "–––––BEGIN PRIVATE KEY–––––\nMIIE\n–––––END PRIVATE KEY–––––",
    "BEGIN PRIVATE KEY\nMIIE" },
}

local function run(row)
  local directory = shell.directory()
  local out = directory .. "/key file"
  local variables = {
    OUT = "'key file'", KEY = keys.path("rsa", "pkcs8.pem"), DER = keys.path("rsa", "pkcs8.der"),
    PUBLIC = keys.path("rsa", "spki.pem"), BASE64 = keys.path("rsa", "spki.base64"),
    CERTIFICATE = keys.path("rsa", "certificate.pem"),
  }
  shell.must(("cd %s && "):format(shell.quote(directory))
    .. row.make:gsub("%$OUT([.a-z0-9]*)", "'key file%1'"):gsub("%$(%u+%d*)", variables))
  return directory, out
end

local function refusal(half, path)
  local key, message = read[half]({ data = shell.read(path) })
  local from_file
  assert.is_nil(key)
  key, from_file = read[half]({ file = path })
  assert.is_nil(key)
  assert.equal(path .. ": " .. message, from_file)
  return message
end

describe("a key is named, and converted by the command in the message:", function()
  for _, row in ipairs(CONVERTED) do
    it(("%s, %s, %s"):format(row.as, row.half, row.make), function()
      local directory, path = run(row)
      local message = refusal(row.half, path)
      local result, ran = directory .. "/key.pem", false
      assert.matches("holds ", message, 1, true)
      assert.matches(row.as, message, 1, true)
      for command in message:gmatch("`([^`]+)`") do
        for question, answered in pairs(ANSWERS) do
          local first, last = command:find(question, 1, true)
          if first then command = command:sub(1, first - 1) .. answered .. command:sub(last + 1) end
        end
        command = command:gsub("\"FILE\"", "\"key file\""):gsub("FILE", "'key file'")
        shell.must(("cd %s && "):format(shell.quote(directory)) .. command)
        ran = true
      end
      assert.is_true(ran)
      if not shell.read(result) then result = directory .. "/key.der" end
      assert(read[row.half]({ file = result }))
    end)
  end
end)

describe("is named:", function()
  for _, row in ipairs(NAMED) do
    it(("%s, %s, %s"):format(row.as, row.half, row.make), function()
      local _, path = run(row)
      assert.matches(row.as, refusal(row.half, path), 1, true)
    end)
  end

  for as, texts in pairs(TEXTS) do
    for _, text in ipairs(texts) do
      it(("%q as %s"):format(text, as), function()
        local path = shell.directory() .. "/named"
        shell.write(path, text)
        for half in pairs(read) do
          assert.matches(as, refusal(half, path), 1, true)
        end
      end)
    end
  end
end)

describe("a text of hex digits", function()
  it("is a key in hex from 34 digits on, where they are whole bytes", function()
    for digits, is_hex in pairs { [32] = false, [33] = false, [34] = true, [35] = false, [36] = true } do
      local _, message = core.private_key(("30"):rep(18):sub(1, digits))
      assert.equal(is_hex, message:find("a key in hex", 1, true) ~= nil, message)
    end
  end)
end)

describe("an EC key with its curve spelled out", function()
  local directory = shell.directory()

  local function assert_named(half, file)
    local key, message = read[half]({ file = directory .. "/" .. file })
    assert.is_nil(key)
    assert.matches("spells out its curve instead of naming it (explicit parameters)", message, 1, true)
    shell.must(("cd %s && "):format(shell.quote(directory)) .. message:match("`([^`]+)`"):gsub("FILE", file))
    return assert(read[half]({ file = directory .. "/key.pem" }))
  end

  it("is refused, and converted by the command in the message", function()
    shell.must(([[cd %s && openssl ecparam -name secp224r1 -genkey -noout -param_enc explicit -out sec1.pem
      openssl pkcs8 -topk8 -nocrypt -in sec1.pem -out pkcs8.pem
      openssl ec -in sec1.pem -pubout -param_enc explicit -out spki.pem]]):format(shell.quote(directory)))
    local expected = assert_named("private", "sec1.pem"):fingerprint()
    assert.equal(expected, assert_named("private", "pkcs8.pem"):fingerprint())
    assert.equal(expected, assert_named("public", "spki.pem"):fingerprint())
  end)
end)
