-- Marked values in every place that may have a secret or a user's id: nothing that is meant for people, logs or metrics
-- shows one, whatever fails and whoever repeats it.

local alipayhk = require "alipayhk"
local cjson = require "cjson"
local command = require "spec.support.command"
local connection = dofile "gateway/connection.lua"
local core = require "alipayhk.core"
local databases = require "spec.support.databases"
local double = require "spec.support.doubles.alipayhk_double"
local keys = require "spec.support.data.keys"
local local_gateway = require "spec.support.servers.gateway"
local outboxes = require "spec.support.outboxes"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local USER_ID, OPEN_ID, TOKEN = "2160129944332211", "open-id/canary&7f3a", "agent-token-canary-55d1"
local PASSWORD = "password-canary-91c4"
local FAST = { base_delay_ms = 1, max_delay_ms = 2 }

local gateway = double.new()

-- ---- looking -------------------------------------------------------------------------------------

-- All texts in a value, and what it prints as.
local function texts(value, list)
  list[#list + 1] = tostring(value)
  if type(value) == "table" then
    for key, child in pairs(value) do
      texts(key, list)
      texts(child, list)
    end
  end
  return list
end

-- The forms in which a secret might be shown.
local function forms(secret)
  return { secret, core.percent_encode(secret), core.base64_encode(secret), core.hex_encode(secret),
    (secret:gsub("/", "\\/")), (secret:gsub("&", "&amp;")) }
end

local function shows(said, secrets)
  for name, secret in pairs(secrets) do
    for _, form in ipairs(forms(secret)) do
      if said:find(form, 1, true) then return name end
    end
  end
end

local function assert_hidden(value, secrets)
  for _, said in ipairs(texts(value, {})) do
    local name = shows(said, secrets)
    assert.is_nil(name and ("%s is in: %s"):format(name, said))
  end
end

-- Adds every line of a key's text.
local function add_lines(secrets, pem)
  local count = 0
  for line in pem:gmatch("[^\n]+") do
    if not line:find("^%-") then
      count = count + 1
      secrets[("line %d of the key of %d bytes"):format(count, #pem)] = line
    end
  end
  assert(count > 20)
end

-- Its key, and what all requests had.
local function secrets_of_client()
  local secrets = { user = USER_ID, open_id = OPEN_ID, token = TOKEN, passphrase = keys.passphrase }
  add_lines(secrets, keys.read("rsa", "pkcs8.pem"))
  add_lines(secrets, keys.read("rsa", "pkcs8_encrypted.pem"))
  for i, request in ipairs(gateway.requests) do
    secrets["signature " .. i] = request.headers["Signature"]:match("signature=(.*)$")
    secrets["body " .. i] = request.body
    secrets["wrapped key " .. i] = (request.headers["Encrypt"] or ""):match("symmetricKey=(.+)$")
  end
  return secrets
end

-- ---- answers that repeat ---------------------------------------------------------------------------

local SAID = USER_ID .. " " .. OPEN_ID

local function result(code, status, message)
  return cjson.encode { result = { resultCode = code, resultStatus = status, resultMessage = message } }
end

-- What a proxy, a login page or AlipayHK itself might answer.
local ANSWERS = {
  ["a refusal"] = { body = result("PARAM_ILLEGAL", "F", SAID) },
  ["a refusal whose code it is"] = { body = result(USER_ID, "F", SAID) },
  ["a refusal whose status it is"] = { body = result("PARAM_ILLEGAL", USER_ID, SAID) },
  ["an unknown outcome"] = { body = result(OPEN_ID, "U", SAID) },
  ["a success whose code it is"] = { body = result(USER_ID, "S", SAID) },
  ["an unsigned refusal"] = { body = result("INVALID_SIGNATURE", "F", SAID), signed = false },
  ["an unsigned success"] = { body = result("SUCCESS", "S", SAID), signed = false },
  ["a status of HTTP's"] = { http_status = 403, body = SAID, signed = false,
    headers = { ["content-type"] = "text/plain" } },
  ["a page"] = { http_status = 502, signed = false, headers = { ["content-type"] = "text/html" },
    body = "<html><b>" .. USER_ID:sub(1, 5) .. "</b>" .. USER_ID:sub(6) .. OPEN_ID:gsub("&", "&amp;") .. "</html>" },
  ["JSON that is none"] = { body = '{"userId":"' .. USER_ID .. '", ' .. SAID },
  ["no result"] = { body = cjson.encode { userId = USER_ID, openId = OPEN_ID } },
  ["a trace id"] = { http_status = 500, headers = { ["tracer-id"] = SAID } },
  ["a trace id of a success"] = { headers = { ["tracer-id"] = SAID } },
  ["a redirect"] = { http_status = 302, headers = { location = "https://login.example/" .. USER_ID }, signed = false },
  ["another client"] = { client_id = USER_ID },
  ["another request"] = { body = cjson.encode { requestId = USER_ID, merchantBizNo = OPEN_ID,
    result = { resultCode = "SUCCESS", resultStatus = "S" } } },
  ["another status"] = { body = cjson.encode { orderStatus = USER_ID, result = { resultCode = "SUCCESS",
    resultStatus = "S" } } },
  ["a wrong signature"] = { alter = function(body) return body .. " " end },
  ["a version of the key"] = { key_version = USER_ID },
  ["an algorithm"] = { algorithm = USER_ID },
  ["an encryption"] = { encrypt = true, encrypted_by = USER_ID },
  ["an encryption for another"] = { encrypt = core.public_key { file = keys.pair("stranger").public } },
  ["a coding"] = { headers = { ["content-encoding"] = USER_ID }, alter = function(body) return body .. " " end },
  ["a time"] = { time = USER_ID },
  ["a broken connection"] = { failure = { code = "reset", message = SAID } },
}

local function order()
  return samples.order { userId = USER_ID, openId = OPEN_ID }
end

-- What is never shown of what a client has, and of the requests that it has made.
local function assert_all_hidden(client, ...)
  local secrets = secrets_of_client()
  assert_hidden(tostring(client), secrets)
  for i = 1, select("#", ...) do assert_hidden((select(i, ...)), secrets) end
end

describe("marked values are not shown", function()
  local events

  -- One whose key has a passphrase, and that seals.
  local function new_client(title)
    events = {}
    gateway.merchant_key = assert(core.public_key { file = keys.path("rsa", "spki.pem") })
    gateway:answers { ANSWERS[title] }
    return gateway:client {
      retry = FAST, agent_token = TOKEN, encrypt = true, max_response_age_ms = title == "a time" and 1 or nil,
      private_key = { file = keys.path("rsa", "pkcs8_encrypted.pem"), passphrase = keys.passphrase },
      on_event = function(event) events[#events + 1] = event end,
    }
  end

  for _, title in ipairs(sorted_keys(ANSWERS)) do
    it("by a client whose answer has them: " .. title, function()
      local client = new_client(title)
      local response, err = client:sync_order(order())
      if err then err.response = nil end -- what AlipayHK said is given as it came
      assert.is_true(#gateway.requests > 0 and #events > 1)
      assert_all_hidden(client, err, response and response.warnings, events)
    end)

    it("by an outbox, nor kept beside its body: " .. title, function()
      local client, place = new_client(title), outboxes.file.new()
      local outbox = assert(alipayhk.outbox { store = place.url, client = client })
      finally(function() outbox:close() end)
      assert(outbox:put(order()))
      local told = {}
      local totals = assert(outbox:deliver {
        signers = 0, stop = function() return #gateway.requests > 0 end,
        on_result = function(ended) told[#told + 1] = tostring(ended.err) end,
      })
      assert.is_true(#gateway.requests > 0 and #events > 2)
      local kept = databases.judge(place.path, "SELECT quote(code), quote(message), quote(held_status), quote(status), "
        .. "quote(key), quote(request_id), quote(alike), merchant_biz_no FROM event JOIN lane ON lane.id = event.lane")
      assert.is_true(#kept > 10)
      assert_all_hidden(client, tostring(outbox), told, totals, outbox:list(), outbox:stats(), kept, events)
    end)
  end

  it("by what finds a payload wrong", function()
    local client = new_client "a refusal"
    for _, fields in ipairs {
      { userId = USER_ID .. "\1" }, { userId = { USER_ID } }, { userId = USER_ID:rep(20) },
      { openId = OPEN_ID .. "\255" }, { orderStatus = "EATEN" }, { extInfo = { amount = USER_ID } },
    } do
      local given = order()
      for name, value in pairs(fields) do given[name] = value end
      local _, err = client:sync_order(given)
      err.response = nil
      assert_all_hidden(client, err, events)
    end
    assert.is_true(#events > 3)
  end)
end)

-- ---- passwords in URLs, and keys given in wrong places ------------------------------------------------

local PASSWORDS = { password = PASSWORD }

describe("a password in a URL is not shown", function()
  local URLS = {
    { "proxy", "http://user:%s@127.0.0.1:1" }, { "proxy", "ftp://user:%s@127.0.0.1" }, { "proxy", "http://%s@[" },
    { "base_url", "https://user:%s@gateway.example" }, { "base_url", "http://%s@gateway.example" },
  }

  for _, case in ipairs(URLS) do
    it(("by a client: %s = %s"):format(case[1], case[2]), function()
      local events = {}
      local client, err = alipayhk.new(gateway:config {
        transport = "curl", retry = false, [case[1]] = case[2]:format(PASSWORD), connect_timeout_ms = 500,
        on_event = function(event) events[#events + 1] = event end,
      })
      if client then
        assert_hidden(tostring(client), PASSWORDS)
        client, err = client:sync_order(order())
      end
      assert.is_nil(client)
      assert_hidden(err, PASSWORDS)
      assert_hidden(events, PASSWORDS)
    end)
  end

  it("by an outbox, whatever is wrong with its store", function()
    for _, form in ipairs {
      "redis://:%s@127.0.0.1:1/0", "rediss://shop:%s@127.0.0.1:1/0", "redis://%s@127.0.0.1", "redis://u:%s@h:port",
      "redis://u:%s@127.0.0.1/name", "mysql://u:%s@127.0.0.1", "redis://u:%s%%zz@127.0.0.1", "rediss://u:%s@h?ca_file=",
    } do
      local outbox, err = alipayhk.outbox { store = form:format(PASSWORD), client_id = gateway.client_id }
      if outbox then
        assert_hidden(tostring(outbox), PASSWORDS)
        local _
        _, err = outbox:put(order())
        outbox:close()
      end
      assert_hidden(assert(err), { password = PASSWORD, user = USER_ID, open_id = OPEN_ID })
    end
  end)
end)

describe("a key is not shown", function()
  it("by what is said of one in a wrong place", function()
    local pem = keys.read("rsa", "pkcs8.pem")
    local line = pem:match("\n(%C+)\n")
    for _, name in ipairs { "client_id", "base_url", "environment", "alipay_public_key", "agent_token", "proxy",
      "key_version", "algorithm", "transport" } do
      for _, text in ipairs { pem, line, keys.read("rsa", "pkcs8.base64") } do
        local client, err = alipayhk.new(gateway:config { [name] = text })
        assert.is_true(client ~= nil or err.kind == "config")
        assert_hidden(client and tostring(client) or err, { line = line, another = pem:match("\n%C+\n(%C+)\n") })
      end
    end
  end)
end)

-- ---- the command -------------------------------------------------------------------------------------

describe("the command shows no password, passphrase, token, key, nor a user's id,", function()
  local folder, secrets

  setup(function()
    folder = shell.directory()
    shell.write(folder .. "/orders.jsonl", cjson.encode(order()) .. "\n" .. cjson.encode(samples.order {
      userId = USER_ID, openId = OPEN_ID, orderStatus = "EATEN" }) .. "\n{" .. USER_ID .. "\n")
    shell.write(folder .. "/config.lua", ([[return {
      client_id = %q, base_url = "https://127.0.0.1:1", connect_timeout_ms = 500, agent_token = %q,
      retry = { max_attempts = 1, budget_ms = 1000 },
      private_key = { file = %q, passphrase = %q }, alipay_public_key = { file = %q },
      proxy = "http://user:%s@127.0.0.1:1", store = "redis://user:%s@127.0.0.1:1/0",
    }]]):format(gateway.client_id, TOKEN,
      keys.path("rsa", "pkcs8_encrypted.pem"), keys.passphrase, gateway.own.public, PASSWORD, PASSWORD))
    shell.write(folder .. "/wrong.lua", (shell.read(folder .. "/config.lua"):gsub('passphrase = "', '%0' .. PASSWORD)))
    shell.write(folder .. "/passphrase", PASSWORD .. "\n")
    secrets = { passphrase = keys.passphrase, token = TOKEN, password = PASSWORD, user = USER_ID, open_id = OPEN_ID }
    secrets["a line of the key"] = keys.read("rsa", "pkcs8.pem"):match("\n(%C+)\n")
    secrets["a line of the encrypted key"] = keys.read("rsa", "pkcs8_encrypted.pem"):match("\n(%C+)\n")
  end)

  local COMMANDS = {
    { "send", "--config", "@/config.lua", "--journal", "@/journal", "@/orders.jsonl" },
    { "send", "--config", "@/wrong.lua", "@/orders.jsonl" },
    { "send", "--config", "@/orders.jsonl", "@/config.lua" },
    { "check", "@/orders.jsonl" },
    { "put", "--config", "@/config.lua", "--keyed", "@/orders.jsonl" },
    { "deliver", "--config", "@/config.lua", "--until-empty" },
    { "outbox", "stats", "--config", "@/config.lua" }, { "outbox", "list", "--config", "@/config.lua" },
    { "doctor", "--config", "@/config.lua", "--timeout", "500ms" },
    { "sign", "--config", "@/wrong.lua", "--path", "/x", "--body", "@/orders.jsonl" },
    { "key", keys.path("rsa", "pkcs8_encrypted.pem"), "--passphrase-file", "@/passphrase" },
    { "put", "--store", "sqlite:@/events.db", "--client-id", "C", "@/orders.jsonl" },
    { "outbox", "list", "--store", "sqlite:@/events.db", "--client-id", "C" },
    { "outbox", "show", "1", "--store", "sqlite:@/events.db", "--client-id", "C" },
  }

  for _, words in ipairs(COMMANDS) do
    for _, form in ipairs { "text", "json" } do
      it(("%s, as %s: %s"):format("whatever goes wrong", form, table.concat(words, " "):gsub("@/", "")), function()
        local given = {}
        for i, word in ipairs(words) do given[i] = word:gsub("@", folder) end
        if form == "json" then given[#given + 1] = "--json" end
        local _, out, err = command.run(given)
        assert.is_true(#out + #err > 10)
        assert_hidden(out .. err .. (shell.read(folder .. "/journal") or ""), secrets)
      end)
    end
  end

  it("but of a dry run, which shows the request as it would go over the wire, that request's own", function()
    for _, flag in ipairs { "--json", "--curl" } do
      local _, out, err = command.run { "send", "--dry-run", flag, "--config", folder .. "/config.lua",
        folder .. "/orders.jsonl" }
      assert.equal("user", shows(out, { user = USER_ID }))
      local others = { passphrase = keys.passphrase, password = PASSWORD }
      others.line, others.encrypted = secrets["a line of the key"], secrets["a line of the encrypted key"]
      assert_hidden(out .. err, others)
      assert_hidden(err, secrets)
    end
  end)
end)

-- ---- the local gateway -------------------------------------------------------------------------------

describe("the local gateway", function()
  it("has users' ids on its page and nowhere else, and no private key anywhere", function()
    local values = local_gateway.start "GATEWAY_REQUESTS=1"
    finally(function() local_gateway.stop(values) end)
    local client = assert(alipayhk.new(connection.config(values, "rsa")))
    assert(client:sync_order(order()))
    assert(not client:sync_order(samples.order { userId = USER_ID, openId = OPEN_ID, extInfo = 5 }))
    assert(not client:call("/nowhere", order()))
    client:close()

    local private = {}
    add_lines(private, shell.must("cat $(grep -l PRIVATE " .. values.ca_file:match("^(.*)/") .. "/*)"))
    local page = ""
    for _, path in ipairs { "", "page/export", "page/requests?after=0", "page/request?id=1" } do
      page = page .. shell.must(("curl -sS --fail '%s%s'"):format(values.page, path))
    end
    assert.equal("user", shows(page, { user = USER_ID }))
    local logs = assert(shell.read(values.log)) .. assert(shell.read(values.requests))
    assert.is_true(#logs > 100)
    assert_hidden(page .. logs, private)
    assert_hidden(logs, { user = USER_ID, open_id = OPEN_ID })
  end)
end)
