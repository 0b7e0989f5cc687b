-- Judged by the openssl command and node's crypto.

local cjson = require "cjson.safe"
local command = require "spec.support.command"
local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local quote = shell.quote

local PATH, CLIENT, TIME = "/gw/api/open/x?y=1", "4Q5Y8W0WSG45P907917", "2024-05-22T06:42:21+08:00"
local BODY = '{"b":"x/y é\\n",\r\n "a":[1]}\n'
local CONTENT = ("POST %s\n%s.%s.%s"):format(PATH, CLIENT, TIME, BODY)

local directory = shell.directory()
local body_file = directory .. "/body"
shell.write(body_file, BODY)

local function sign(arguments, opts)
  local words = { "sign", "--client-id", CLIENT }
  for _, word in ipairs(arguments) do words[#words + 1] = word end
  return command.run(words, opts)
end

local function by_flags(key, ...)
  return sign { "--private-key", keys.path(key or "rsa", "pkcs8.pem"), "--path", PATH, "--body", body_file, ... }
end

local function headers_of(out)
  local headers = {}
  for name, value in out:gmatch("([A-Za-z-]+): ([^\n]*)\n") do headers[name] = value end
  return headers
end

-- The signature's bytes, out of its header.
local function signature_of(headers)
  local encoded = headers.Signature:match("signature=(.*)$")
  return core.base64_decode(core.percent_decode(encoded))
end

-- Whether openssl verifies it.
local function openssl_verifies(key, digest, content, signature)
  shell.write(directory .. "/content", content)
  shell.write(directory .. "/signature", signature)
  local output = shell.run(("openssl dgst -%s -verify %s -signature %s/signature %s/content"):format(digest,
    quote(keys.path(key, "spki.pem")), directory, directory))
  return output == "Verified OK\n"
end

local NODE = [[
const crypto = require("crypto"), fs = require("fs");
const [key, digest, dsaEncoding, content, signature] = process.argv.slice(1);
console.log(crypto.verify(digest, fs.readFileSync(content), { key: fs.readFileSync(key), dsaEncoding },
  fs.readFileSync(signature)));
]]

local function node_verifies(key, digest, encoding)
  return shell.must(("node -e %s %s %s %s %s/content %s/signature"):format(quote(NODE),
    quote(keys.path(key, "spki.pem")), digest, encoding, directory, directory)) == "true\n"
end

describe("alipayhk sign", function()
  for _, case in ipairs {
    { "rsa", "RSA256", "sha256", {} },
    { "p224", "ECC224", "sha224", {} },
    { "p224", "ECC224", "sha256", { digest = "sha256" } },
    { "p224", "ECC224", "sha256", { digest = "sha256", encoding = "p1363" } },
  } do
    local encoding = case[4].encoding or "der"
    it(("signs what openssl and node verify: %s, %s, %s"):format(case[2], case[3], encoding), function()
      local config = directory .. "/config.json"
      shell.write(config, cjson.encode { ecc224 = case[4] })
      local status, out, err = by_flags(case[1], "--time", TIME, "--config", config)
      assert.equal(0, status, err)
      local headers = headers_of(out)
      assert.same({ CLIENT, TIME, "application/json; charset=UTF-8" },
        { headers["Client-Id"], headers["Request-Time"], headers["Content-Type"] })
      assert.matches("^algorithm=" .. case[2] .. ",keyVersion=1,signature=[A-Za-z0-9%%._~-]+$", headers.Signature)
      local verified = openssl_verifies(case[1], case[3], CONTENT, signature_of(headers))
      assert.equal(encoding == "der", verified)
      assert.is_true(node_verifies(case[1], case[3], encoding == "der" and "der" or "ieee-p1363"))
    end)
  end

  it("signs for now where no time is given", function()
    local _, out = by_flags("rsa")
    local headers = headers_of(out)
    local seconds = tonumber(shell.must(("date -d %s +%%s"):format(quote(headers["Request-Time"]))))
    assert.is_true(math.abs(seconds - os.time()) < 60)
    assert.is_true(openssl_verifies("rsa", "sha256", (CONTENT:gsub("2024.-%+08:00", function()
      return headers["Request-Time"]
    end)), signature_of(headers)))
  end)

  it("shows what is signed, its control characters by name", function()
    local _, out = by_flags("rsa", "--time", TIME, "--content")
    local shown = '\n\nPOST %s<LF>\n%s.%s.{"b":"x/y é\\n",<CR><LF>\n "a":[1]}<LF>\n\n'
    assert.matches(shown:format(PATH, CLIENT, TIME), out, 1, true)
  end)

  it("gives an object", function()
    local _, out = by_flags("rsa", "--time", TIME, "--json", "--content")
    local found = cjson.decode(out)
    assert.equal(CONTENT, core.base64_decode(found.content))
    assert.is_true(openssl_verifies("rsa", "sha256", CONTENT, signature_of(found)))
  end)

  it("signs a captured request, at its own time, and flags over it", function()
    local raw = ("POST %s HTTP/1.1\r\nRequest-Time: %s\r\nSignature: stale\r\n\r\n%s"):format(PATH, TIME, BODY)
    local private = keys.path("rsa", "pkcs8.pem")
    local _, out = sign({ "-", "--private-key", private }, { input = raw })
    assert.is_true(openssl_verifies("rsa", "sha256", CONTENT, signature_of(headers_of(out))))
    _, out = sign({ "-", "--private-key", private, "--path", "/other" }, { input = raw })
    assert.is_true(openssl_verifies("rsa", "sha256", (CONTENT:gsub("/gw[^\n]*", "/other")),
      signature_of(headers_of(out))))
  end)

  it("takes the body from standard input, as it is", function()
    local private = keys.path("rsa", "pkcs8.pem")
    local _, out = sign({ "--private-key", private, "--path", PATH, "--time", TIME, "--body", "-" }, { input = BODY })
    assert.is_true(openssl_verifies("rsa", "sha256", CONTENT, signature_of(headers_of(out))))
  end)

  it("leaves the key's version out, or names it, as the config says", function()
    local config = directory .. "/version.json"
    for version, expected in pairs { ["false"] = "^algorithm=RSA256,signature=", ["7"] = ",keyVersion=7," } do
      shell.write(config, ('{"key_version":%s}'):format(version))
      local _, out = by_flags("rsa", "--config", config)
      assert.matches(expected, headers_of(out).Signature)
    end
  end)

  it("says in one line what is missing or wrong", function()
    local private = keys.path("rsa", "pkcs8.pem")
    local answer = directory .. "/answer"
    shell.write(answer, "HTTP/1.1 200 OK\r\n\r\n{}")
    shell.write(directory .. "/curl", "> POST /x HTTP/1.1\r\n> \r\n")
    for _, case in ipairs {
      { { "sign" }, "what is to be signed? Give a capture, or --path and --body" },
      { { "sign", "--path", "/x" }, "give --body FILE" },
      { { "sign", "--body", body_file }, "give --path" },
      { { "sign", "--path", "/x", "--body", body_file }, "[--client-id, ALIPAYHK_CLIENT_ID]" },
      { { "sign", "--path", "/x", "--body", body_file, "--client-id", "C" }, "[--private-key, ALIPAYHK_PRIVATE_KEY]" },
      { { "sign", "--path", "https://h/x", "--body", body_file }, "expected the path alone" },
      { { "sign", "--path", "/x\ny", "--body", body_file }, "--path: expected one line" },
      { { "sign", "--path", "/x", "--body", "/none" }, "--body: /none: No such file or directory" },
      { { "sign", "--path", "/x", "--body", directory }, "Is a directory" },
      { { "sign", "--path", "/x", "--body", body_file, "--client-id", "C", "--private-key", private, "--time", "noon" },
        "expected ISO 8601" },
      { { "sign", "--path", "/x", "--body", body_file, "--client-id", "C", "--private-key",
        keys.path("rsa", "spki.pem") }, "a private key is expected here" },
      { { "sign", "/none" }, "capture: /none: No such file or directory" },
      { { "sign", body_file }, "not HAR: " },
      { { "sign", answer }, "this is an answer, not a request" },
      { { "sign", directory .. "/curl" }, "the capture does not have the request's body" },
    } do
      local status, out, err = command.run(case[1])
      assert.equal(2, status, err)
      assert.equal("", out)
      assert.matches(case[2], err, 1, true)
      assert.matches("^alipayhk: [^\n]+\n$", err)
    end
  end)
end)
