-- What openssl and node signed, rightly and with each mistake.

local cjson = require "cjson.safe"
local command = require "spec.support.command"
local gateway = require "spec.support.servers.gateway"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"
local signer = require "spec.support.doubles.openssl_signer"

local quote = shell.quote
local unpack = unpack or table.unpack -- luacheck: ignore

local merchant, alipayhk = keys.pair("merchant"), keys.pair("alipayhk")
local merchant_ec = keys.pair("merchant_ec", "p224")

local CLIENT, OTHER_CLIENT = "4Q5Y8W0WSG45P907917", "5Y0000000000000001"
local TIME = "2024-05-22T06:42:21+08:00"
local BODY = '{"url":"https://x.example/y","name":"\208\144 <b>","list":[1,{"z":1,"a":2}]}'

local KEYS = { "--private-key", merchant.private, "--public-key", alipayhk.public, "--client-id", CLIENT }

-- The parts of a message, with some of them changed.
local function message(changes)
  local made = { method = "POST", path = "/gw/api/open/x?y=1", client_id = CLIENT, time = TIME, body = BODY }
  for name, value in pairs(changes or {}) do made[name] = value end
  return made
end

local function verify(input, ...)
  local words = { "verify", "-" }
  for _, word in ipairs { ... } do words[#words + 1] = word end
  return command.run(words, { input = input })
end

local function verify_json(input, ...)
  local status, out, err = verify(input, "--json", ...)
  return status, cjson.decode(out:match("[^\n]+") or "null") or { err = err }
end

-- A signature by openssl of what was signed, percent-encoded.
local function signed(made, key, opts)
  return signer.percent_encode(signer.sign(signer.content(made), key or merchant.private, opts))
end

-- By node, which makes JSON and signatures of its own.
local function by_node(script, ...)
  local words = {}
  for i, word in ipairs { ... } do words[i] = quote(word) end
  script = "const a = process.argv.slice(1);" .. script
  return shell.must(("node -e %s %s"):format(quote(script), table.concat(words, " ")))
end

local function json_by_node(expression)
  return by_node("const v = JSON.parse(a[0]); process.stdout.write(" .. expression .. ")", BODY)
end

describe("alipayhk verify", function()
  it("takes a request with our own key, and a call with AlipayHK's", function()
    for words, key in pairs { ["your own key"] = merchant.private, ["AlipayHK's key"] = alipayhk.private } do
      local made = message()
      local status, out = verify(signer.request(made, signed(made, key)), unpack(KEYS))
      assert.equal(0, status, out)
      assert.equal("request: verifies, with " .. words .. "\n", out)
    end
  end)

  it("takes an answer with AlipayHK's key, over its request's path and its own time", function()
    local request, answer = message(), message { time = "2024-05-22T06:42:22Z", body = '{"result":{}}' }
    local answered = signer.answer(answer, signed(answer, alipayhk.private))
    local status, out = verify(signer.request(request, signed(request)) .. "\r\n" .. answered, unpack(KEYS))
    assert.equal("request: verifies, with your own key\nanswer: verifies, with AlipayHK's key\n", out)
    assert.equal(0, status)
    status = verify(answered, "--path", answer.path, unpack(KEYS))
    assert.equal(0, status)
  end)

  it("takes flags in place of a capture", function()
    local made = message()
    local file = shell.directory() .. "/body"
    shell.write(file, BODY)
    local words = { "verify", "--path", made.path, "--time", TIME, "--body", file, "--signature", "", unpack(KEYS) }
    local raw = signer.sign(signer.content(made), merchant.private)
    for _, value in ipairs { raw, signer.percent_encode(raw), "algorithm=RSA256,keyVersion=1,signature=" .. raw } do
      words[9] = value
      assert.equal(0, (command.run(words)))
    end
    local answer = message { time = "2024-05-22T06:42:22Z" }
    words[5], words[9] = answer.time, signed(answer, alipayhk.private)
    words[#words + 1] = "--of"
    words[#words + 1] = "answer"
    local status, out = command.run(words)
    assert.equal("answer: verifies, with AlipayHK's key\n", out)
    assert.equal(0, status)
  end)

  it("takes a key in place of the config's, and the client id of the header", function()
    local made = message()
    local input = signer.request(made, signed(made))
    for _, key in ipairs { merchant.public, merchant.private } do
      local status, out = verify(input, "--key", key)
      assert.equal(0, status)
      assert.equal(("request: verifies, with the key in %s\n"):format(key), out)
    end
    local status, found = verify_json(input, "--key", alipayhk.public, "--private-key", merchant.private)
    assert.equal(1, status)
    assert.same({ "other_key" }, found.mistakes)
  end)

  it("takes ECC224, as the config has it", function()
    local made = message { algorithm = "ECC224" }
    local status = verify(signer.request(made, signed(made, merchant_ec.private, { digest = "sha224" })), "--key",
      merchant_ec.public)
    assert.equal(0, status)
  end)

  it("shows what is signed", function()
    local made = message()
    local _, out = verify(signer.request(made, signed(made)), "--content", unpack(KEYS))
    assert.matches("POST " .. made.path .. "<LF>\n" .. CLIENT .. "." .. TIME .. "." .. BODY .. "\n", out, 1, true)
  end)

  it("takes HAR, and of many entries those that are signed", function()
    local made = message()
    local har = by_node([=[
      const headers = [["Client-Id", a[0]], ["Request-Time", a[1]], ["Signature", "signature=" + a[2]]];
      const request = { method: "POST", url: "https://h.example" + a[3], postData: { text: a[4] },
        headers: headers.map(([name, value]) => ({ name, value })) };
      const other = { request: { method: "GET", url: "https://h.example/", headers: [] }, response: { status: 200 } };
      console.log(JSON.stringify({ log: { entries: [other, { request, response: { status: 0 } }, other] } }))]=],
      CLIENT, TIME, signed(made), made.path, BODY)
    local status, out = verify(har, unpack(KEYS))
    assert.equal("entry 2, request: verifies, with your own key\n", out)
    assert.equal(0, status)
  end)
end)

-- ---- mistakes ----------------------------------------------------------------------------------------------

-- For each: its name in the result, what it is, and a function that gives a capture and further arguments.
local MISTAKES = {}

local function add(name, what, make, advice)
  MISTAKES[#MISTAKES + 1] = { name = name, what = what, make = make, advice = advice }
end

-- A request that was signed with other parts than were sent, or in another way.
local function request_signed(signed_changes, sent_changes, opts)
  return function()
    local sent = message(sent_changes)
    local as_signed = message(sent_changes)
    for name, value in pairs(signed_changes) do as_signed[name] = value end
    return signer.request(sent, signed(as_signed, opts and opts.key, opts))
  end
end

add("trailing_newline", "a line break that was signed and not sent", request_signed({ body = BODY .. "\n" }),
  "with a line break at its end that was not sent")
add("trailing_newline", "one of Windows", request_signed({ body = BODY .. "\r\n" }))
add("trailing_newline", "a line break that was sent and not signed",
  request_signed({ body = BODY }, { body = BODY .. "\n" }), "without the line break that stands at its end")

local LINES = json_by_node("JSON.stringify(v, null, 3)")
add("line_endings", "LF that became CRLF", request_signed({ body = LINES }, { body = (LINES:gsub("\n", "\r\n")) }),
  "with LF at the ends of its lines, in place of CRLF")
add("line_endings", "CRLF that became LF", request_signed({ body = (LINES:gsub("\n", "\r\n")) }, { body = LINES }))
for words, line_break in pairs { ["CRLF"] = "\r\n", ["a backslash and an n"] = "\\n", ["nothing"] = "" } do
  add("content_line_break", words .. " in the signed content", request_signed({ line_break = line_break }),
    "it verifies with " .. words .. " between the path and the client id")
end

for words, expression in pairs {
  ["without blanks"] = "JSON.stringify(v)",
  ["indented by 2"] = "JSON.stringify(v, null, 2)",
  ["indented by tabs"] = "JSON.stringify(v, null, '\\t')",
  ["with a blank after : and ,"] = "JSON.stringify(v, null, 1).replace(/\\n */g, ' ').replace(/([[{]) /g, '$1')"
    .. ".replace(/ ([\\]}])/g, '$1')",
  ["without blanks, keys sorted"] = "JSON.stringify({ list: [1, { a: 2, z: 1 }], name: v.name, url: v.url })",
  ["without blanks, / escaped as \\/"] = "JSON.stringify(v).replace(/\\//g, '\\\\/')",
  ["without blanks, non-ASCII as \\u escapes"] = "JSON.stringify(v).replace(/[^ -~]/g, c => '\\\\u' + "
    .. "c.charCodeAt(0).toString(16).padStart(4, '0'))",
  ["without blanks, < > & as \\u escapes"] = "JSON.stringify(v).replace(/[<>&]/g, c => '\\\\u00' + "
    .. "c.charCodeAt(0).toString(16))",
} do
  local sent = BODY:gsub(",", " ,", 1)
  add("reserialised", words, request_signed({ body = json_by_node(expression) }, { body = sent }),
    "the same JSON written " .. words)
end

add("decoded_plus", "in the signature", function()
  local made = message()
  local raw
  repeat
    made.time = made.time:gsub("%d%d%+", function(s) return ("%02d+"):format((tonumber(s:sub(1, 2)) + 1) % 60) end)
    raw = signer.sign(signer.content(made), merchant.private)
  until raw:find("%+")
  return signer.request(made, (raw:gsub("%+", " ")))
end, "where the signature has + and blanks the other way round")
add("decoded_plus", "in the time", request_signed({ time = TIME }, { time = (TIME:gsub("%+", " ")) }))
add("decoded_plus", "in the time that was signed", request_signed({ time = (TIME:gsub("%+", " ")) }))
add("decoded_plus", "in the body that was signed", request_signed({ body = '{"a":"1 2"}' }, { body = '{"a":"1+2"}' }))

add("double_encoding", "of the signature", function()
  local made = message()
  return signer.request(made, signer.percent_encode(signed(made)))
end)
add("base64url", "in place of base64", function()
  local made = message()
  return signer.request(made, (signer.sign(signer.content(made), merchant.private):gsub("[+/=]", { ["+"] = "-",
    ["/"] = "_", ["="] = "" })))
end)

add("own_key", "signs an answer", function()
  local made = message()
  return signer.answer(made, signed(made, merchant.private)), { "--path", made.path }
end, "it verifies with your own key")
add("own_key", "is given as AlipayHK's", function()
  local made = message()
  return signer.answer(made, signed(made, alipayhk.private)),
    { "--path", made.path, "--public-key", merchant.public }
end, "is the public half of your own")
add("other_key", "signs, of which we know", function()
  local made = message()
  return signer.request(made, signed(made, keys.pair("third").private)), { "--other-key", keys.pair("third").public }
end, "register the public half of that key")

add("path_prefix", "was not signed", request_signed({ path = "/api/open/x?y=1" }), "for the path /api/open/x?y=1")
add("path_prefix", "of base_url was signed, and is not in the capture", function()
  local capture = request_signed({ path = "/gw/api/open/x" }, { path = "/api/open/x" })()
  return capture, { "--base-url", "https://h.example/gw" }
end)
add("path_host", "of the request", request_signed({ path = "https://open.alipay.hk/gw/api/open/x?y=1" }),
  "https://open.alipay.hk in front of the path")
add("path_host", "without a scheme", request_signed({ path = "open.alipay.hk/gw/api/open/x?y=1" }))
add("path_query", "was not signed", request_signed({ path = "/gw/api/open/x" }), "without the query string")
add("path_query", "was signed decoded", request_signed({ path = "/p?a=b c" }, { path = "/p?a=b%20c" }))
add("path_slash", "at its end", request_signed({ path = "/p/" }, { path = "/p" }))
add("path_slash", "missing in front", request_signed({ path = "p" }, { path = "/p" }))
add("method", "of another sort", request_signed({ method = "GET" }), "with the method GET")
add("method", "in small letters", request_signed({ method = "post" }))
add("empty_body", "was signed", request_signed({ body = "" }))
add("byte_order_mark", "was signed", request_signed({ body = "\239\187\191" .. BODY }))

add("time_header", "Request-Time for Response-Time", function()
  local request, answer = message(), message { time = "2024-05-22T06:42:22Z" }
  return signer.request(request, signed(request)) .. "\r\n" .. signer.answer(answer, signed(request, alipayhk.private)),
    { "--of", "answer" }
end, "with the value of Request-Time of the request")

add("client_id", "of another environment, in the header", request_signed({ client_id = OTHER_CLIENT }, {
  client_id = OTHER_CLIENT }), "the client id that the request's header has")
add("client_id", "of another environment, signed", function()
  return request_signed({ client_id = OTHER_CLIENT })(), { "--other-client-id", OTHER_CLIENT }
end, "the client id " .. OTHER_CLIENT)
add("client_id", "was not signed at all", request_signed({ client_id = "" }))

add("sha1", "in place of SHA-256", request_signed({}, {}, { digest = "sha1" }), "it verifies with SHA1")
add("digest", "SHA-512 in place of SHA-256", request_signed({}, {}, { digest = "sha512" }))
add("digest", "PSS in place of PKCS#1", request_signed({}, {}, { sigopt = "rsa_padding_mode:pss" }))

add("key_version", "another one than the header says", function()
  local config = shell.directory() .. "/config.lua"
  local second = keys.pair("second")
  shell.write(config, ("return { alipay_public_key = { ['1'] = { file = %q }, ['2'] = { file = %q } } }"):format(
    alipayhk.public, second.public))
  local made = message { version = "1" }
  return signer.answer(made, signed(made, second.private)), { "--path", made.path, "--config", config }, true
end, "it verifies with version 2 of the keys given")
add("header", "with a key version that nobody has", function()
  local config = shell.directory() .. "/config.lua"
  shell.write(config, ("return { alipay_public_key = { ['1'] = { file = %q } } }"):format(alipayhk.public))
  local made = message { version = "3" }
  return signer.answer(made, signed(made, alipayhk.private)), { "--path", made.path, "--config", config }, true
end)

-- The digest, node's name of the encoding, what is said of both.
for _, case in ipairs {
  { "sha256", "der", "digest sha256, encoding der" }, { "sha224", "ieee-p1363", "digest sha224, encoding p1363" },
  { "sha256", "ieee-p1363", "digest sha256, encoding p1363" }, { "sha1", "der", "digest sha1, encoding der" },
} do
  add("ecc224", case[3], function()
    local made = message { algorithm = "ECC224" }
    local raw = by_node([[
      const { sign } = require("crypto"), key = require("fs").readFileSync(a[0]);
      process.stdout.write(sign(a[1], Buffer.from(a[2]), { key, dsaEncoding: a[3] }).toString("base64"))]],
      merchant_ec.private, case[1], signer.content(made), case[2])
    return signer.request(made, signer.percent_encode(raw)), { "--key", merchant_ec.public }
  end, case[3])
end

describe("alipayhk verify names the mistake:", function()
  for _, mistake in ipairs(MISTAKES) do
    it(("%s, %s"):format(mistake.name, mistake.what), function()
      local capture, arguments, is_config = mistake.make()
      local words = is_config and { "--client-id", CLIENT } or { unpack(KEYS) }
      for _, word in ipairs(arguments or {}) do words[#words + 1] = word end
      local status, found = verify_json(capture, unpack(words))
      assert.equal(1, status, found.err)
      assert.is_false(found.verifies)
      assert.same({ mistake.name }, found.mistakes)
      assert.matches(mistake.advice or "", found.advice[1], 1, true)
    end)
  end

  it("two of them", function()
    local status, found = verify_json(request_signed({ path = "/api/open/x?y=1", body = BODY .. "\n" })(), unpack(KEYS))
    assert.equal(1, status)
    assert.same({ "trailing_newline", "path_prefix" }, found.mistakes)
    assert.equal(2, #found.advice)
  end)

  it("an answer that is not signed", function()
    local status, found = verify_json("HTTP/1.1 200 OK\r\nClient-Id: " .. CLIENT .. "\r\n\r\n{}", "--path", "/p",
      unpack(KEYS))
    assert.equal(1, status)
    assert.same({ "unsigned", { "unsigned" } }, { found.code, found.mistakes })
    assert.matches("verify the request", found.advice[1], 1, true)
  end)

  it("half of a signature, or one that is there twice", function()
    local made = message()
    local input = signer.request(made, signed(made))
    local status, found = verify_json(input:gsub("Request%-Time: [^\r]*\r\n", ""), unpack(KEYS))
    assert.same({ 1, "unsigned", "it has a Signature and no Request-Time" }, { status, found.code, found.why })
    status, found = verify_json(input:gsub("Signature: [^\r]*\r\n", "%0%0"), unpack(KEYS))
    assert.same({ 1, "repeated" }, { status, found.code })
    assert.matches("its header signature is there twice", found.why, 1, true)
  end)

  it("a signature beside headers that are no part of it, and are there twice", function()
    local made = message()
    local twice = "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nDate: x\r\nDate: y\r\n%0"
    local input = signer.request(made, signed(made)):gsub("Client%-Id:", twice)
    assert.is_true(select(2, verify_json(input, unpack(KEYS))).verifies)
    assert.equal("wrong", select(2, verify_json(input:sub(1, -2) .. "]", unpack(KEYS))).code)
  end)

  it("none, where none of them explains it", function()
    local made = message()
    local status, out = verify(signer.request(made, signed(made, keys.pair("stranger").private)), unpack(KEYS))
    assert.equal(1, status)
    assert.matches("^request: does not verify: the signature does not verify with the public key given", out)
    assert.matches("\n  none of the usual mistakes explains it: ", out, 1, true)
    assert.is_nil(out:find(BODY, 1, true))
  end)

  it("and says that a capture is cut", function()
    local made = message()
    local _, out = verify(signer.request(made, signed(made)):sub(1, -10), unpack(KEYS))
    assert.matches("\n  note: the capture is cut, or was changed: Content-Length says ", out, 1, true)
  end)
end)

describe("alipayhk sign, curl and alipayhk verify", function()
  it("go together with the gateway", function()
    local values = gateway.values()
    local directory = shell.directory()
    local path = values.base_url:match("^https://[^/]+(.*)$") .. "/api/open/alipay/v1/order/sync"
    local config = { "--client-id", values.rsa_client_id, "--private-key", values.rsa_private_key, "--base-url",
      values.base_url, "--public-key", values.rsa_alipay_public_key }
    shell.write(directory .. "/order", '{"requestId":"1"}')
    local _, headers = command.run { "sign", "--path", path, "--body", directory .. "/order", unpack(config) }
    shell.write(directory .. "/headers", headers)
    local log = shell.must(("curl -sv --cacert %s -H @%s/headers --data-binary @%s/order %s 2>&1"):format(
      values.ca_file, directory, directory, values.base_url:match("^https://[^/]+") .. path))
    local status, out, err = verify(log, "--body", directory .. "/order", unpack(config))
    assert.equal("request: verifies, with your own key\nanswer: verifies, with AlipayHK's key\n", out, err .. log)
    assert.equal(0, status)
    status, out, err = verify(log, unpack(config))
    assert.equal(0, status)
    assert.equal("answer: verifies, with AlipayHK's key\n", out)
    assert.equal("request: not checked: the capture does not have its body (curl -v prints none of a request): give "
      .. "--body FILE\n", err)
  end)
end)

describe("alipayhk verify, used wrongly,", function()
  it("says in one line what to do", function()
    local directory = shell.directory()
    local made = message()
    local request, answer = directory .. "/request", directory .. "/answer"
    shell.write(request, signer.request(made, signed(made)))
    shell.write(answer, signer.answer(made, signed(made)))
    shell.write(directory .. "/binary", "\127ELF\0\1\2")
    local entry = '{"request":{"url":"https://h/"}},\n'
    shell.write(directory .. "/json", '{"log":{"entries":[\n' .. entry:rep(5000) .. "x]}}")
    for _, case in ipairs {
      { {}, "nothing was verified: give a capture" },
      { { directory .. "/none" }, "No such file or directory" },
      { { directory }, "Is a directory" },
      { { directory .. "/binary" }, "its first line is none of these" },
      { { directory .. "/json" }, "not HAR: not JSON: " },
      { { request }, "give --private-key FILE if it is yours" },
      { { request, "--key", "/none" }, "/none: No such file or directory" },
      { { request, "--key", request }, "no key" },
      { { answer, "--key", alipayhk.public }, "give --path" },
      { { answer, "--path", "/p", "--private-key", merchant.private }, "give --public-key FILE, AlipayHK's key" },
      { { "--path", "/p", "--key", alipayhk.public, "--body", request, "--signature", "x" }, "give --client-id" },
      { { "--path", "p" }, "expected the path alone" },
      { { request, "--of", "reply" }, "--of: expected one of request, answer, found \"reply\"" },
    } do
      local status, out, err = command.run { "verify", unpack(case[1]) }
      assert.equal(2, status, err)
      assert.equal("", out)
      local last = err:match("([^\n]*)\n$")
      assert.matches(case[2], last, 1, true)
      assert.matches("^alipayhk: ", last)
    end
  end)

  it("ends quietly when nobody reads on, and says so where nobody can", function()
    local made = message()
    local file = shell.directory() .. "/many"
    shell.write(file, (signer.request(made, signed(made)) .. "HTTP/1.1 100 Continue\r\n\r\n"):rep(3000))
    local words = command.words { "verify", file, "--key", merchant.public }
    assert.equal(("%s: entry 1, request: verifies, with the key in %s\n"):format(file, merchant.public),
      (shell.run(words .. " | head -n 1")))
    local output, status = shell.run(words .. " > /dev/full")
    assert.equal("alipayhk: standard output: No space left on device\n", output)
    assert.equal(3, status)
  end)

  it("takes no more than 64 MiB", function()
    local output, status = shell.run(("(ulimit -v 1000000; head -c 100000000 /dev/zero | tr '\\0' x | %s)"):format(
      command.words { "verify", "-" }))
    assert.equal(2, status)
    assert.matches("expected at most 67108864 bytes", output, 1, true)
  end)
end)
