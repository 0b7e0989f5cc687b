local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"
local command = require "spec.support.command"
local databases = require "spec.support.databases"
local double = require "spec.support.doubles.alipayhk_double"
local gateway = require "spec.support.servers.gateway"
local keys = require "spec.support.data.keys"
local samples = require "spec.support.data.samples"
local server = require "spec.support.servers.server"
local shell = require "spec.support.shell"
local sqlite = require "alipayhk.sqlite"

local CLIENT_ID = "LOCAL_RSA256"

-- The flags of a config for a gateway, those of `over` in place of its own; false leaves one out.
local function flags(values, over)
  local words = { "doctor", "--json" }
  local given = {
    ["--client-id"] = values.rsa_client_id, ["--base-url"] = values.base_url,
    ["--private-key"] = values.rsa_private_key, ["--public-key"] = values.rsa_alipay_public_key,
    ["--ca-file"] = values.ca_file,
  }
  for name, value in pairs(over or {}) do given[name] = value end
  for name, value in pairs(given) do
    words[#words + 1] = value and name or nil
    words[#words + 1] = value and value ~= true and value or nil
  end
  return words
end

-- The exit status, and what was found by the name of the check: "verdict message -> cure", several joined.
local function examine(values, over, env)
  local status, out, err = command.run(flags(values, over), { env = env })
  local found = {}
  for line in out:gmatch("[^\n]+") do
    local entry = cjson.decode(line)
    local said = ("%s %s -> %s"):format(entry.verdict, entry.message, entry.cure or "")
    found[entry.check] = (found[entry.check] and found[entry.check] .. "\n" or "") .. said
  end
  return status, found, err, out
end

local function says(found, name, pattern)
  assert.matches(pattern, found[name] or "nothing of " .. name)
end

describe("alipayhk doctor, at a gateway,", function()
  it("finds all right, says what it sends, and changes nothing", function()
    local values = gateway.start "GATEWAY_REQUESTS=1"
    finally(function() gateway.stop(values) end)
    local status, found, err, out = examine(values)
    assert.equal(0, status, out)
    assert.is_nil(out:find('"verdict":"warn"', 1, true), out)
    for _, name in ipairs { "config", "private key", "AlipayHK's key", "pair", "files", "proxy", "DNS", "TCP", "TLS",
      "HTTP", "clock", "signed call" } do
      says(found, name, "^pass ")
    end
    says(found, "signed call", "PARAM_ILLEGAL%); the answer's signature verifies")
    says(found, "HTTP", "HTTP/2, status 200")
    says(found, "TLS", "CN = localhost expires first, on 20%d%d%-%d%d%-%d%d, in %d+ days")
    assert.matches("two requests to AlipayHK's order service, both with the body {}", err, 1, true)
    local requests = shell.read(values.requests)
    assert.equal(2, select(2, requests:gsub("\n", "")))
    assert.is_nil(requests:find("merchant_biz_no", 1, true))
    assert.is_nil(requests:find("SUCCESS", 1, true))
  end)

  it("prints lines for people, and leaves the network out under --offline", function()
    local words = flags({}, { ["--client-id"] = "X", ["--base-url"] = "https://127.0.0.1:1", ["--offline"] = true,
      ["--private-key"] = keys.pair("merchant").private, ["--public-key"] = keys.pair("alipayhk").public })
    table.remove(words, 2)
    local status, out, err = command.run(words)
    assert.equal(0, status)
    assert.matches("^pass  alipayhk        version ", out)
    assert.matches("\npass  pair            AlipayHK's key is another than yours\n", out, 1, true)
    assert.is_nil(out:find("TCP", 1, true))
    assert.matches("^6 pass, 0 warn, 0 fail, 0 not looked at\n$", err)
  end)

  it("names a clock that is another", function()
    local values = gateway.start "GATEWAY_SKEW_S=-600"
    finally(function() gateway.stop(values) end)
    local status, found = examine(values)
    assert.equal(0, status)
    says(found, "clock", "^warn this machine's clock is 6%d%d s ahead of AlipayHK's %-> set it: timedatectl")
  end)

  it("names a key that AlipayHK does not have, and one that is not AlipayHK's", function()
    local values = gateway.values()
    local status, found = examine(values, { ["--private-key"] = keys.pair("other").private })
    assert.equal(1, status)
    says(found, "signed call", "^fail AlipayHK answered INVALID_SIGNATURE.*our public key's SHA%-256 is %x+")
    status, found = examine(values, { ["--public-key"] = keys.pair("other").public })
    assert.equal(2, status)
    says(found, "signed call", "^fail the answer is refused: the signature does not verify.*is alipay_public_key")
    status, found = examine(values, { ["--client-id"] = "NOBODY" })
    assert.equal(1, status)
    says(found, "signed call", "^fail AlipayHK answered INVALID_CLIENT.*%-> is the client id, of %-%-client%-id, ")
  end)

  it("names one's own key in AlipayHK's place, and does not call", function()
    local values = gateway.values()
    local own = shell.directory() .. "/own.pub"
    shell.must(("openssl pkey -in %s -pubout -out %s"):format(values.rsa_private_key, own))
    local status, found = examine(values, { ["--public-key"] = own })
    assert.equal(2, status)
    says(found, "pair", "^fail alipay_public_key is the public half of your own private_key")
    says(found, "signed call", "^skip not looked at: pair")
    says(found, "HTTP", "^pass ")
  end)

  it("does not take an answer without a signature, a failure or a success for right", function()
    for environment, pattern in pairs {
      ["GATEWAY_UNSIGNED=1"] = "^warn refused as it has to be %(PARAM_ILLEGAL%), but the answer is not authenticated",
      ["GATEWAY_ANSWER=REQUEST_TRAFFIC_EXCEED_LIMIT"] = "^warn .*try again later",
      ["GATEWAY_ANSWER=SUCCESS"] = "^warn AlipayHK says that an empty order is a success",
    } do
      local values = gateway.start(environment)
      local status, found = examine(values)
      gateway.stop(values)
      assert.equal(0, status)
      says(found, "signed call", pattern)
    end
    local values = gateway.start "GATEWAY_ANSWER=ACCESS_DENIED"
    local status, found = examine(values)
    gateway.stop(values)
    assert.equal(1, status)
    says(found, "signed call", "^fail AlipayHK answered ACCESS_DENIED")
  end)
end)

describe("alipayhk doctor, of the config and the keys,", function()
  local pair, theirs = keys.pair("merchant"), keys.pair("alipayhk").public
  local good = { rsa_client_id = CLIENT_ID, base_url = "https://127.0.0.1:1", rsa_private_key = pair.private,
    rsa_alipay_public_key = theirs }

  local function offline(over, env)
    over["--offline"] = true
    return examine(good, over, env)
  end

  it("names what is missing, with its option and variable", function()
    for flag, pattern in pairs {
      ["--client-id"] = "^fail `client_id`: .*%[%-%-client%-id, ALIPAYHK_CLIENT_ID%]",
      ["--base-url"] = "^fail `environment`: give .*`base_url` %[%-%-environment, ALIPAYHK_ENVIRONMENT%]",
    } do
      local status, found = offline { [flag] = false }
      assert.equal(2, status)
      says(found, "config", pattern)
      says(found, "private key", "^skip not looked at: config")
    end
    local status, found = offline { ["--private-key"] = false }
    assert.equal(2, status)
    says(found, "private key", "^fail `private_key`: required.*%[%-%-private%-key, ALIPAYHK_PRIVATE_KEY%]")
    status, found = offline { ["--public-key"] = false }
    assert.equal(2, status)
    says(found, "AlipayHK's key", "^fail `alipay_public_key`: required.*%[%-%-public%-key, ALIPAYHK_PUBLIC_KEY%]")
  end)

  it("names a file that cannot be read, a directory, no key, and the wrong half", function()
    local directory = shell.directory()
    for path, pattern in pairs {
      [directory .. "/none"] = "No such file or directory", [directory] = "is a directory", ["README.md"] = "no key",
      [theirs] = "a private key is expected here",
    } do
      local status, found = offline { ["--private-key"] = path }
      assert.equal(2, status)
      says(found, "private key", "^fail .*" .. pattern .. ".*alipayhk keygen")
      says(found, "AlipayHK's key", "^pass ")
    end
    local status, found = offline { ["--public-key"] = pair.private }
    assert.equal(2, status)
    says(found, "AlipayHK's key", "^fail .*a public key is expected here")
  end)

  it("names a config that cannot be read", function()
    local directory = shell.directory()
    shell.write(directory .. "/broken.lua", "return {")
    for path, pattern in pairs {
      [directory .. "/none"] = "No such file",
      [directory .. "/broken.lua"] = "broken.lua:1: ", [directory] = "directory",
    } do
      local status, found = offline { ["--config"] = path }
      assert.equal(2, status)
      says(found, "config", "^fail %-%-config: .*" .. pattern)
    end
  end)

  it("names a key whose type does not fit the algorithm", function()
    local path = shell.directory() .. "/c.json"
    shell.write(path, '{"algorithm":"ECC224"}')
    local status, found = offline { ["--config"] = path }
    assert.equal(2, status)
    says(found, "private key", "^fail ECC224 needs a key of type EC, this one is RSA")
    status, found = offline { ["--private-key"] = keys.pair("merchant", "p224").private }
    assert.equal(0, status)
    says(found, "private key", "^pass EC, 224 bits, PEM %(PRIVATE KEY%), .*for ECC224")
    status, found = offline { ["--private-key"] = keys.pair("merchant", "rsa3072").private }
    assert.equal(0, status)
    says(found, "private key", "^warn RSA, 3072 bits.*AlipayHK's pages ask for RSA of 2048 bits")
  end)

  it("warns of a private key that others can read, and of a public half that is none", function()
    local directory = shell.directory()
    local own = directory .. "/it's mine.pem"
    shell.write(own, shell.read(pair.private))
    shell.write(directory .. "/it's mine.pub.pem", shell.read(theirs))
    shell.must(("chmod 644 %s"):format(shell.quote(own)))
    local status, found = offline { ["--private-key"] = own }
    assert.equal(0, status)
    says(found, "files", "^warn .*/it's mine.pem can be read by others %(%-rw%-r%-%-r%-%-%) %-> chmod 600 ")
    says(found, "pair", "\nwarn .*/it's mine.pub.pem beside it is not its public half")
    shell.must(("chmod 600 %s"):format(shell.quote(own)))
    shell.write(directory .. "/it's mine.pub.pem", shell.read(pair.public))
    status, found = offline { ["--private-key"] = own }
    assert.equal(0, status)
    says(found, "files", "^pass .*for the owner alone")
    says(found, "pair", "\npass .*/it's mine.pub.pem is its public half")
  end)

  it("never shows a key, wherever it was put", function()
    local content = shell.read(pair.private)
    local _, _, err, out = offline { ["--client-id"] = content }
    assert.is_nil((out .. err):find(content:sub(40, 100), 1, true))
    local path = shell.directory() .. "/c.lua"
    shell.write(path, ("return { private_key = %q, client_id = 'X', environment = 'testing' }"):format(content))
    local _, found, said, objects = offline { ["--config"] = path, ["--private-key"] = false, ["--client-id"] = false }
    says(found, "files", "^warn .*/c.lua can be read by others")
    assert.is_nil((objects .. said):find(content:sub(40, 100), 1, true))
  end)
end)

describe("alipayhk doctor, of the way,", function()
  local web
  setup(function() web = server.start() end)
  teardown(function() web:stop() end)

  local function way(url, over, env)
    local given = { rsa_client_id = CLIENT_ID, base_url = url, rsa_private_key = keys.pair("merchant").private,
      rsa_alipay_public_key = keys.pair("alipayhk").public, ca_file = web.ca_file }
    over = over or {}
    over["--timeout"] = "500ms"
    return examine(given, over, env)
  end

  for name, case in pairs {
    ["a port where nobody listens"] = {
      "TCP", "closed", "^fail .*Couldn't connect to server.*is the local gateway running%?", "https",
    },
    ["a server that says nothing"] = { "TLS", "silent", "^fail .*500 ms of .*during the TLS handshake", "https" },
    ["a certificate that has expired"] = { "TLS", "expired", "^fail .*certificate has expired.*clock is wrong" },
    ["a CA that is another"] = { "TLS", "unknown_ca", "^fail .*`tls.ca_file` has to hold the certificate of the CA" },
    ["a certificate for another name"] = { "TLS", "wrong_host", "^fail .*its certificate is for DNS:elsewhere" },
    ["a connection that is cut"] = { "TLS", "hangup", "^fail " },
    ["an answer that does not come"] = { "HTTP", "https", "^fail .*without an answer", nil, "/hang" },
  } do
    it("names " .. name, function()
      local address = web:url(case[5] or "", case[2])
      if case[4] then address = address:gsub("^http:", "https:") end
      local status, found, _, out = way(address)
      assert.equal(3, status, out)
      says(found, case[1], case[3])
      says(found, "signed call", "^skip not looked at: HTTP")
    end)
  end

  it("names a host that is not found", function()
    local status, found = way "https://no-such-host.invalid"
    assert.equal(3, status)
    says(found, "DNS", "^fail .*getent hosts no%-such%-host.invalid")
    says(found, "TCP", "^skip not looked at: DNS")
  end)

  it("warns of a certificate that expires soon, and names a page in AlipayHK's place", function()
    web:answer { status = 200, headers = { ["Content-Type"] = "text/html" }, body = "<h1>Log in</h1>" }
    local status, found = way(web:url("", "https"))
    assert.equal(3, status)
    says(found, "TLS", "^warn verified; CN = server expires first, on [%d-]+, in 1 days %-> whoever runs the server")
    says(found, "HTTP", "^fail HTTP/1.1, status 200: no result of AlipayHK's, but an HTML page .*Log in")
  end)

  it("names a proxy that is not there or refuses, without its password, and one that is not used", function()
    local path = shell.directory() .. "/c.lua"
    shell.write(path, ("return { proxy = 'http://user:hunter2@127.0.0.1:%d' }"):format(web.ports.proxy))
    local status, found, err, out = way("https://127.0.0.1:1", { ["--config"] = path })
    assert.equal(3, status)
    says(found, "proxy", "^fail ")
    assert.is_nil((out .. err):find("hunter2", 1, true))
    status, found = way(web:url("", "https"), nil, { "HTTPS_PROXY=http://127.0.0.1:1" })
    assert.equal(3, status)
    says(found, "proxy", "^pass none; HTTPS_PROXY is set and not used")
  end)
end)

describe("alipayhk doctor, of the store,", function()
  local alipay = double.new()

  local function store(path, over)
    over = over or {}
    over["--store"], over["--offline"] = over["--store"] or "sqlite:" .. path, true
    return examine({ rsa_client_id = alipay.client_id, base_url = "https://127.0.0.1:1",
      rsa_private_key = keys.pair("merchant").private, rsa_alipay_public_key = keys.pair("alipayhk").public }, over)
  end

  -- One that three events were put into.
  local function filled()
    local path = databases.path()
    local outbox = assert(alipayhk.outbox { store = "sqlite:" .. path, client = alipay:client() })
    for _ = 1, 3 do assert(outbox:put(samples.order())) end
    return path, outbox
  end

  it("says that there is none yet, and makes none", function()
    local path = databases.path()
    local status, found = store(path)
    assert.equal(0, status)
    says(found, "store", "^warn .* is not there %-> is the path right")
    assert.is_nil(shell.read(path))
  end)

  it("counts what waits, and warns of what has waited for long", function()
    local path, outbox = filled()
    outbox:close()
    local status, found = store(path)
    assert.equal(0, status)
    says(found, "store", "^pass 3 waiting %(the oldest since 0 min%), 0 under way, 0 accepted %-> $")
    databases.judge(path, "UPDATE event SET put_ms = put_ms - 3600000")
    status, found = store(path)
    assert.equal(0, status)
    says(found, "store", "since 60 min.*\nwarn what waits has waited for long %-> does anybody deliver")
  end)

  it("warns of what is parked", function()
    local path, outbox = filled()
    alipay:answers { { code = "PARAM_ILLEGAL", status = "F" }, {} }
    assert.equal(1, outbox:deliver({ until_empty = true }).parked)
    outbox:close()
    local status, found = store(path)
    assert.equal(0, status)
    says(found, "store", "^pass 0 waiting, 0 under way, 2 accepted")
    says(found, "store", "\nwarn 1 parked: .*alipayhk outbox list %-%-state parked")
  end)

  it("names one that is locked, and does not wait for ever", function()
    local path, outbox = filled()
    outbox:close()
    local db = assert(sqlite.open(path))
    assert(db:lock())
    local status, found = store(path)
    db:close()
    assert.equal(3, status)
    says(found, "store", "^fail .*others have held this lock for 5000 ms")
  end)

  it("names one that is another client's, damaged, unreachable, open to others, or no store", function()
    local path, outbox = filled()
    outbox:close()
    local status, found = store(path, { ["--client-id"] = "OTHER" })
    assert.equal(3, status)
    says(found, "store", "^fail .*it is the outbox of another client_id")
    shell.must("chmod 644 " .. path)
    status, found = store(path)
    assert.equal(0, status)
    says(found, "store", "^warn .*can be read by others, and has users' orders .*\npass ")
    shell.write(path, ("no database"):rep(1000))
    status, found = store(path)
    assert.equal(3, status)
    says(found, "store", "\nfail ")
    status, found = store(nil, { ["--store"] = "redis://127.0.0.1:1" })
    assert.equal(3, status)
    says(found, "store", "^fail .*127.0.0.1:1")
    status, found = store(nil, { ["--store"] = "mysql:x" })
    assert.equal(2, status)
    says(found, "store", "^fail `store`: expected \"sqlite:PATH\"")
  end)
end)
