-- The page of the local gateway and what it asks for, over plain HTTP: who is answered, what is kept, and how much.

local alipayhk = require "alipayhk"
local connection = dofile "gateway/connection.lua"
local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local gateway = require "spec.support.servers.gateway"
local json = require "cjson"
local keys = require "spec.support.data.keys"
local new_request = require "spec.support.servers.request"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local handle, values, address, directory

local function client(kind, extra)
  local config = connection.config(values, kind)
  for key, value in pairs(extra or {}) do config[key] = value end
  return assert(alipayhk.new(config))
end

-- Sends to a path of the page, by the curl command, which says whatever it is told to. `fields`: `{ method, headers,
-- body, base }`. Gives `{ status, headers, body }`.
local function ask(path, fields)
  fields = fields or {}
  local words = { "curl -s -m 20 --path-as-is --cacert", shell.quote(values.ca_file) }
  if fields.method == "HEAD" then
    words[#words + 1] = "--head"
  elseif fields.method then
    shell.write(directory .. "/sent", fields.body or "")
    words[#words + 1] = ("-X %s --data-binary @%s/sent -H Content-Type:"):format(fields.method, directory)
  end
  for name, value in pairs(fields.headers or {}) do words[#words + 1] = "-H " .. shell.quote(name .. ": " .. value) end
  words[#words + 1] = ("-D %s/headers -o %s/body %s"):format(directory, directory,
    shell.quote((fields.base or address) .. path))
  shell.write(directory .. "/body", "")
  shell.must(table.concat(words, " "))
  local head, headers = shell.read(directory .. "/headers"), {}
  for name, value in head:gmatch("\n([%w-]+): ([^\r\n]*)") do headers[name:lower()] = value end
  local body = fields.method == "HEAD" and "" or shell.read(directory .. "/body")
  return { status = tonumber(head:match(".*HTTP/%S+ (%d+)")), headers = headers, body = body }
end

local function post(path, body, headers, base)
  return ask(path, {
    method = "POST", base = base, body = type(body) == "table" and json.encode(body) or body,
    headers = headers or { ["Content-Type"] = "application/json" },
  })
end

local function get(path)
  local answer = ask(path)
  assert.equal(200, answer.status, answer.body)
  return json.decode(answer.body)
end

-- The summaries of what came while `act` ran.
local function noted(act)
  local before = get("/page/requests").last
  act()
  return get(("/page/requests?after=%d"):format(before)).requests
end

-- All that is kept of the one request of `act`.
local function kept(act)
  local requests = noted(act)
  assert.equal(1, #requests)
  return get(("/page/request?id=%d"):format(requests[1].id))
end

-- A request that no client would send, straight to the API.
local function raw(fields)
  return assert(handle:send(new_request(values.base_url .. (fields.path or "/api"), {
    headers = fields.headers or {}, body = fields.body or "",
    tls = { ca_file = values.ca_file }, timeout_ms = 20000,
  })))
end

setup(function()
  handle, directory = curl.new(), shell.directory()
  values = gateway.start()
  address = values.page:gsub("/$", "")
end)

teardown(function()
  gateway.stop(values)
  handle:close()
end)

-- ---- the page ----------------------------------------------------------------------------------------

describe("the page", function()
  local function inline(html, tag)
    local content, count = nil, 0
    for found in html:gmatch("<" .. tag .. "[^>]*>(.-)</" .. tag .. ">") do content, count = found, count + 1 end
    assert.equal(1, count)
    return content
  end

  local function hash(content)
    local path = shell.directory() .. "/inline"
    shell.write(path, content)
    return shell.must(("openssl dgst -sha256 -binary %s | openssl base64"):format(path)):match("%S+")
  end

  it("is there at /, over plain HTTP and over TLS, in less than 60 KiB", function()
    local answer = ask("/")
    assert.equal(200, answer.status)
    assert.equal("text/html; charset=UTF-8", answer.headers["content-type"])
    assert.is_true(#answer.body < 60 * 1024)
    assert.equal(shell.read("gateway/page.html"), answer.body)
    assert.equal(answer.body, ask("/", { base = values.base_url }).body)
    assert.equal("", ask("/", { method = "HEAD" }).body)
  end)

  it("lets its own style and script run by their hashes, and nothing else", function()
    local answer = ask("/")
    local policy = {}
    for name, value in (answer.headers["content-security-policy"] .. ";"):gmatch("([%l-]+) ([^;]*);") do
      policy[name] = value
    end
    assert.same({
      ["default-src"] = "'none'", ["connect-src"] = "'self'", ["img-src"] = "data:", ["base-uri"] = "'none'",
      ["form-action"] = "'none'", ["frame-ancestors"] = "'none'", ["trusted-types"] = "'none'",
      ["require-trusted-types-for"] = "'script'",
      ["style-src"] = ("'sha256-%s'"):format(hash(inline(answer.body, "style"))),
      ["script-src"] = ("'sha256-%s'"):format(hash(inline(answer.body, "script"))),
    }, policy)
    assert.equal("nosniff", answer.headers["x-content-type-options"])
    assert.equal("no-referrer", answer.headers["referrer-policy"])
    assert.equal("same-origin", answer.headers["cross-origin-resource-policy"])
    assert.equal("no-store", answer.headers["cache-control"])
  end)

  it("has nothing from elsewhere, and no way by which a text could become markup or code", function()
    local html = ask("/").body
    for _, pattern in ipairs {
      "%ssrc=", "@import", "url%(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document%.write", "eval%(",
      "Function%(", "DOMParser", "createContextualFragment", "srcdoc", "%son%l+=",
    } do
      assert.is_nil(html:find(pattern), pattern)
    end
    -- The icon's namespace is the one address in it, and leads nowhere.
    assert.equal("http://www.w3.org/2000/svg", table.concat({ html:match("(https?://[%w./]+)") }))
    assert.equal(1, select(2, html:gsub("https?://%w", "")))
  end)
end)

-- ---- who may ask -------------------------------------------------------------------------------------

local READS = { "/page/about", "/page/requests", "/page/request?id=1", "/page/export" }

describe("the page's address", function()
  local function statuses(headers, paths)
    local found = {}
    for i, path in ipairs(paths) do found[i] = ask(path, { headers = headers }).status end
    return found
  end

  it("is answered under the names of loopback", function()
    local port = values.page:match(":(%d+)/")
    for _, host in ipairs {
      "127.0.0.1:" .. port, "localhost:" .. port, "LocalHost", "[::1]:" .. port, "127.0.0.1:9",
    } do
      assert.same({ 200, 200, 200 }, statuses({ Host = host }, { "/", "/page/about", "/page/requests" }), host)
    end
  end)

  it("is refused under every other one, which may be somebody's own name for loopback", function()
    for _, host in ipairs {
      "rebound.example:80", "127.0.0.1.example", "localhost.example:8080", "example:127.0.0.1", "127.0.0.2", "0.0.0.0",
      "[::2]", "127.0.0.1@example", "2130706433",
    } do
      for _, path in ipairs { "/", READS[1], READS[2], READS[3], READS[4], "/page/check", "/page/send" } do
        local answer = ask(path, { headers = { Host = host } })
        assert.equal(403, answer.status, host .. path)
        assert.is_nil(answer.body:find("started", 1, true))
      end
    end
  end)

  it("gives another site nothing to read, and lets a link lead to the page", function()
    for _, site in ipairs { "cross-site", "same-site", "none-of-them" } do
      local headers = { ["Sec-Fetch-Site"] = site }
      assert.same({ 403, 403, 403, 403 }, statuses(headers, READS), site)
      assert.equal(200, ask("/", { headers = headers }).status)
    end
    for _, site in ipairs { "same-origin", "none" } do
      assert.same({ 200, 200 }, statuses({ ["Sec-Fetch-Site"] = site }, { "/page/about", "/page/requests" }), site)
    end
  end)
end)

describe("what changes something", function()
  local JSON = "application/json"
  local body

  setup(function()
    body = { api = "order", client_id = values.rsa_client_id, payload = json.encode(samples.order()) }
  end)

  local function refused(headers, expected)
    for _, path in ipairs { "/page/check", "/page/send" } do
      local requests = noted(function()
        local answer = post(path, body, headers)
        assert.equal(expected, answer.status, answer.body)
        assert.truthy(json.decode(answer.body).message)
      end)
      assert.equal(0, #requests, "it was sent")
    end
  end

  it("is done for the page itself, and for programs", function()
    local origin = address
    for _, headers in ipairs {
      { ["Content-Type"] = JSON }, { ["Content-Type"] = JSON .. "; charset=UTF-8" },
      { ["Content-Type"] = JSON, Origin = origin, ["Sec-Fetch-Site"] = "same-origin" },
    } do
      assert.equal(200, post("/page/check", body, headers).status)
    end
    local secure = post("/page/check", body, { ["Content-Type"] = JSON, Origin = values.base_url }, values.base_url)
    assert.equal(200, secure.status)
  end)

  it("is not done for another origin, the same name with another port or scheme included", function()
    local port = values.page:match(":(%d+)/")
    for _, origin in ipairs {
      "https://example.com", "null", "http://127.0.0.1", "http://127.0.0.1:1", "https://127.0.0.1:" .. port,
      "http://localhost:" .. port, "http://127.0.0.1:" .. port .. ".example.com",
    } do
      refused({ ["Content-Type"] = JSON, Origin = origin }, 403)
    end
  end)

  it("is not done for another site, nor from the address bar", function()
    for _, site in ipairs { "cross-site", "same-site", "none" } do
      refused({ ["Content-Type"] = JSON, ["Sec-Fetch-Site"] = site }, 403)
    end
  end)

  it("is not done for what a form can send", function()
    for _, kind in ipairs {
      "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp",
      "text/plain; application/json",
    } do
      refused({ ["Content-Type"] = kind }, 415)
    end
  end)

  it("is not told to a site that asks first", function()
    local answer = ask("/page/send", { method = "OPTIONS", headers = {
      Origin = "https://example.com", ["Access-Control-Request-Method"] = "POST",
      ["Access-Control-Request-Headers"] = "content-type",
    } })
    assert.equal(405, answer.status)
    for name in pairs(answer.headers) do assert.is_nil(name:find("^access%-control")) end
  end)

  it("has bounds, and says what is wrong", function()
    local CASES = {
      { "not JSON", 400, "not JSON" }, { "[]", 400, "no JSON object" }, { {}, 400, "`api`" },
      { { api = "order" }, 400, "`client_id`" },
      { { api = "order", client_id = values.rsa_client_id, payload = { 1 } }, 400, "`payload`" },
      { ("x"):rep(1024 * 1024 + 1), 413, "too large" },
    }
    for _, case in ipairs(CASES) do
      for _, path in ipairs { "/page/check", "/page/send" } do
        local answer = post(path, case[1])
        assert.equal(case[2], answer.status)
        assert.matches(case[3], json.decode(answer.body).message, 1, true)
      end
    end
    assert.equal(405, ask("/page/send").status)
    assert.equal(405, post("/page/requests", {}).status)
    assert.equal(404, ask("/page/nothing").status)
  end)
end)

describe("plain HTTP", function()
  it("has the page and nothing of the API", function()
    local with = client("rsa")
    local request = assert(with:prepare("order", samples.order()))
    local requests = noted(function()
      local answer = ask(request.path, { method = "POST", body = request.body, headers = request.headers })
      assert.is_true(answer.status >= 400)
      assert.is_nil(answer.headers["signature"])
      assert.is_nil(answer.body:find("result", 1, true))
    end)
    assert.equal(0, #requests)
    with:close()
  end)
end)

-- ---- what is kept ------------------------------------------------------------------------------------

describe("a request", function()
  local function headers_of(list)
    local by_name = {}
    for _, header in ipairs(list) do by_name[header[1]:lower()] = header[2] end
    return by_name
  end

  it("is kept with what it is about, its bytes, what was signed, and its answer", function()
    local order = samples.order { orderModifyTime = 1716338541123 }
    local with, response = client("rsa"), nil
    local request = kept(function() response = assert(with:sync_order(order)) end)
    assert.equal(response.tracer_id, request.tracer_id)
    assert.equal(response.request_id, request.request_id)
    assert.same({ api = "order", scenario = order.merchantBizType, order = order.merchantBizNo, status = "TICKETED",
      time = "1716338541123" }, request.event)
    assert.same(response.result, request.result)
    assert.is_true(request.is_verified)
    assert.is_nil(request.fault)
    local headers = headers_of(request.headers)
    assert.equal(values.rsa_client_id, headers["client-id"])
    assert.equal(order.merchantBizNo, json.decode(request.body.text).merchantBizNo)
    assert.equal(#request.body.text, request.body.bytes)
    assert.equal(200, request.answer.status)
    assert.equal("SUCCESS", json.decode(request.answer.body.text).result.resultCode)
    assert.truthy(headers_of(request.answer.headers).signature)
    -- The key that the gateway has for this client verifies the signature over the content, by openssl's judgement.
    shell.write(directory .. "/content", request.content.text)
    local signature = headers.signature:match("signature=(.*)$"):gsub("%%(%x%x)", function(digits)
      return string.char(tonumber(digits, 16))
    end)
    shell.write(directory .. "/signature", signature)
    shell.must(("cd %s && openssl base64 -d -A -in signature -out bytes && openssl dgst -sha256 -verify %s "
      .. "-signature bytes content"):format(directory, (values.rsa_private_key:gsub("%.pem$", ".pub"))))
    local digest = shell.must("openssl dgst -sha256 -r " .. directory .. "/content"):match("^%x+")
    assert.equal(digest, request.content.sha256)
    with:close()
  end)

  it("that is encrypted is kept as it came, and opened", function()
    local with = client("rsa")
    local request = kept(function() assert(with:sync_order(samples.order(), { encrypt = true })) end)
    assert.is_true(request.is_encrypted)
    assert.is_nil(request.body.text:find("{", 1, true))
    assert.equal("TICKETED", json.decode(request.opened.text).orderStatus)
    assert.equal("SUCCESS", json.decode(request.answer.opened.text).result.resultCode)
    with:close()
  end)

  it("that is refused is kept with the reason", function()
    local with = client("rsa")
    local order = samples.order { orderStatus = "USED", orderModifyTime = 1716338541001 }
    assert(with:sync_order(order))
    order.orderStatus, order.orderModifyTime = "REFUNDED", 1716338541002
    local step = kept(function() with:sync_order(order) end)
    assert.equal("ORDER_STATUS_INVALID", step.result.resultCode)
    assert.matches("after USED nothing follows", step.result.resultMessage, 1, true)
    order.orderStatus, order.orderModifyTime = "TICKETED", 1716338541000
    local late = kept(function() assert(with:sync_order(order)) end)
    assert.equal("SUCCESS", late.result.resultCode)
    assert.is_true(late.event.is_ignored)
    with:close()
    local unsigned = kept(function() raw { body = "{}", headers = { ["Client-Id"] = values.rsa_client_id } } end)
    assert.is_false(unsigned.is_verified)
    assert.equal("it has neither a Signature nor a Request-Time", unsigned.fault)
    assert.is_nil(unsigned.content)
    assert.is_nil(unsigned.event)
  end)

  it("that is not even read is kept, too", function()
    local request = kept(function()
      shell.must(("curl -s --cacert %s -H 'Client-Id: a' -H 'Client-Id: b' -d x %s/api"):format(
        values.ca_file, values.base_url))
    end)
    assert.equal(400, request.answer.status)
    assert.matches("client-id is there more than once", request.fault, 1, true)
  end)

  it("that a fault on purpose befell is verified all the same, and taken if it was", function()
    local shared, own_address = values, address
    finally(function() values, address = shared, own_address end)
    local function under(options)
      values = gateway.start(options)
      address = values.page:gsub("/$", "")
      local with = client("rsa", { retry = false })
      local request = kept(function() with:sync_order(samples.order()) end)
      with:close()
      gateway.stop(values)
      return request
    end
    local dropped = under("GATEWAY_DROP_PERCENT=100")
    assert.equal(444, dropped.status)
    assert.equal("SUCCESS", dropped.result.resultCode)
    local unsigned = under("GATEWAY_UNSIGNED=1")
    assert.equal("SUCCESS", unsigned.result.resultCode)
    local answered = under("GATEWAY_ANSWER=PARAM_ILLEGAL")
    assert.equal("PARAM_ILLEGAL", answered.result.resultCode)
    for _, request in ipairs { dropped, unsigned, answered } do assert.is_true(request.is_verified) end
  end)

  it("of which the page wants more than there is is not found", function()
    for _, id in ipairs { "0", "999999", "-1", "x", "1e3", "9999999999999999999999" } do
      assert.equal(404, ask("/page/request?id=" .. id).status, id)
    end
  end)
end)

describe("the export", function()
  it("has a line of JSON for each request", function()
    local with = client("ec")
    for _ = 1, 3 do assert(with:sync_order(samples.order { extInfo = { note = "a\nb" } })) end
    with:close()
    local list = get("/page/requests")
    local answer = ask("/page/export")
    assert.equal("application/x-ndjson", answer.headers["content-type"])
    local ids = {}
    for line in answer.body:gmatch("([^\n]*)\n") do ids[#ids + 1] = json.decode(line).id end
    assert.equal(#list.requests, #ids)
    assert.equal(list.last, ids[#ids])
  end)
end)

-- ---- the explorer ------------------------------------------------------------------------------------

describe("the explorer", function()
  local function check(payload, extra)
    local body = { api = "order", client_id = values.rsa_client_id, payload = payload }
    for key, value in pairs(extra or {}) do body[key] = value end
    local answer = post("/page/check", body)
    assert.equal(200, answer.status, answer.body)
    return json.decode(answer.body)
  end

  it("has every scenario, with a sample in which it finds no fault", function()
    local api, count = require "alipayhk.api", 0
    for _, about in ipairs(get("/page/about").apis) do
      assert.equal(#api.by_name[about.name].scenarios, #about.scenarios)
      for _, scenario in ipairs(about.scenarios) do
        assert.same({}, check(scenario.sample, { api = about.name }).faults, scenario.name)
        count = count + 1
      end
    end
    assert.is_true(count >= 15)
  end)

  it("shows the sample of the scenario's page", function()
    local scenario = get("/page/about").apis[1].scenarios[1]
    local page = shell.read("docs/scenarios/" .. scenario.name:lower() .. ".md"):match("```json\n(.-)```")
    local shown, there = json.decode(scenario.sample), json.decode(page)
    there.requestId, there.orderModifyTime = nil, nil
    assert.same(there, shown)
  end)

  it("names the faults by the gateway's own check", function()
    local order = samples.order { orderStatus = "TICKET", orderCreateTime = "yesterday" }
    local faults = check(json.encode(order)).faults
    assert.equal(2, #faults)
    local by_path = {}
    for _, fault in ipairs(faults) do by_path[fault.path] = fault.code end
    assert.same({ orderStatus = "enum", orderCreateTime = "type" }, by_path)
    assert.matches("not JSON", check("{").faults[1].message, 1, true)
    assert.matches("no JSON object", check("[]").faults[1].message, 1, true)
  end)

  it("knows the status that the gateway holds", function()
    local with = client("rsa")
    local order = samples.order { orderStatus = "USED" }
    assert.is_nil(check(json.encode(order)).previous_status)
    assert(with:sync_order(order))
    order.orderStatus = "REFUNDED"
    local found = check(json.encode(order))
    assert.equal("USED", found.previous_status)
    assert.equal("transition", found.faults[1].code)
    assert.is_nil(check(json.encode(order), { client_id = values.ec_client_id }).previous_status)
    with:close()
  end)

  it("sends by each of the local merchants, signed and on request encrypted", function()
    local rsa, ec = values.rsa_client_id, values.ec_client_id
    for _, way in ipairs { { rsa, false }, { rsa, true }, { ec, false } } do
      local order, said = samples.order(), nil
      local request = kept(function()
        said = json.decode(post("/page/send", {
          api = "order", client_id = way[1], encrypt = way[2], payload = json.encode(order),
        }).body)
      end)
      assert.is_nil(said.message)
      assert.equal(request.request_id, said.request_id)
      assert.is_true(request.is_verified)
      assert.equal(way[1], request.client_id)
      assert.equal(way[2] or nil, request.is_encrypted)
      assert.equal("SUCCESS", request.result.resultCode)
      assert.equal(order.merchantBizNo, request.event.order)
    end
  end)

  it("sends where the keys are kept, too", function()
    local shared, own_address = values, address
    values = gateway.start("GATEWAY_KEYS=" .. shell.directory())
    address = values.page:gsub("/$", "")
    finally(function()
      gateway.stop(values)
      values, address = shared, own_address
    end)
    local request = kept(function()
      post("/page/send", { api = "order", client_id = values.rsa_client_id, payload = json.encode(samples.order()) })
    end)
    assert.equal("SUCCESS", request.result.resultCode)
  end)

  it("sends what has faults, and tells what the gateway says", function()
    local said
    local request = kept(function()
      said = json.decode(post("/page/send", {
        api = "order", client_id = values.rsa_client_id,
        payload = json.encode(samples.order { orderStatus = "TICKET" }),
      }).body)
    end)
    assert.equal("ORDER_STATUS_INVALID", request.result.resultCode)
    assert.matches("ORDER_STATUS_INVALID", said.message, 1, true)
  end)

  it("sends nothing that is no JSON object", function()
    local requests = noted(function()
      local answer = post("/page/send", { api = "order", client_id = values.rsa_client_id, payload = "{" })
      assert.matches("not JSON", json.decode(answer.body).message, 1, true)
    end)
    assert.equal(0, #requests)
  end)

  it("has no key of a client of the user's own", function()
    local shared, own_address = values, address
    values = gateway.start("GATEWAY_CLIENT_ID=MINE GATEWAY_MERCHANT_KEY=" .. keys.pair("merchant").public)
    address = values.page:gsub("/$", "")
    finally(function()
      gateway.stop(values)
      values, address = shared, own_address
    end)
    for _, known in ipairs(get("/page/about").clients) do assert.are_not.equal("MINE", known.id) end
    local answer = post("/page/send", { api = "order", client_id = "MINE", payload = json.encode(samples.order()) })
    assert.equal(400, answer.status)
  end)
end)

describe("make demo KEEP=1", function()
  it("leaves the gateway running, and says where its page is and how to end it", function()
    local said = shell.must("make -s demo LUA=5.4 KEEP=1")
    local shown, pid = said:match("shows all of this at (%S+)\nTo end it: kill (%d+)\n$")
    local shared, own_address = values, address
    values = connection.parse(shell.read("build/5.4/gateway.env"))
    address = shown:gsub("/$", "")
    finally(function()
      gateway.stop(values)
      values, address = shared, own_address
    end)
    assert.equal(pid, values.pid)
    local results = {}
    for i, request in ipairs(get("/page/requests").requests) do results[i] = request.result.resultCode end
    assert.same({ "SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS" }, results)
  end)

  it("and without it not", function()
    local shown = shell.must("make -s demo LUA=5.4"):match("showed all of this at (%S-):? ")
    assert.equal(7, select(2, shell.run("curl -s " .. shown)))
  end)
end)

-- ---- bounds ------------------------------------------------------------------------------------------

describe("what is kept has bounds:", function()
  local HOSTILE = ("\1\255"):rep(32 * 1024)

  it("texts are cut, and bytes that are no UTF-8 replaced, so that it stays JSON", function()
    local request = kept(function()
      raw { body = HOSTILE, headers = { ["X-Bytes"] = ("\255"):rep(5000), ["X-More"] = "\226\130" } }
    end)
    assert.equal(#HOSTILE, request.body.bytes)
    assert.is_true(request.body.is_altered)
    assert.is_true(request.is_altered)
    assert.truthy(core.utf8_length(request.body.text))
    assert.is_true(#request.body.text <= 3 * 32 * 1024)
    local long = kept(function()
      raw { path = "/" .. ("p"):rep(5000), headers = { ["Client-Id"] = ("c"):rep(4000) } }
    end)
    assert.is_true(#long.path <= 2048 and #long.client_id <= 4000)
  end)

  it("a payload's own texts are cut", function()
    local with = client("rsa", { validate = false, retry = false })
    local request = kept(function()
      with:sync_order(samples.order { merchantBizNo = ("n"):rep(10000), orderStatus = ("s"):rep(10000) })
    end)
    assert.equal(256, #request.event.order)
    assert.equal(256, #request.event.status)
    with:close()
  end)

  it("of fields that are no texts there is none", function()
    local with = client("rsa", { validate = false, retry = false })
    local request = kept(function()
      with:sync_order(samples.order { merchantBizNo = { 1 }, orderStatus = true, merchantBizType = json.null })
    end)
    assert.same({ api = "order", time = request.event.time }, request.event)
    with:close()
  end)

  it("a thousand requests, the last ones", function()
    for _ = 1, 1010 do raw { body = "{}" } end
    local list = get("/page/requests")
    assert.equal(1000, #list.requests)
    assert.equal(1000, list.kept)
    assert.equal(list.last - 999, list.first)
    assert.equal(list.first, list.requests[1].id)
    assert.equal(404, ask(("/page/request?id=%d"):format(list.first - 1)).status)
    assert.equal(200, ask(("/page/request?id=%d"):format(list.first)).status)
  end)

  it("memory: the oldest go before their time, and the new ones are all there", function()
    for _ = 1, 600 do raw { body = HOSTILE } end
    local list = get("/page/requests")
    assert.is_true(#list.requests < 1000)
    assert.equal(list.last - list.first + 1, #list.requests)
    local whole = 0
    for line in ask("/page/export").body:gmatch("([^\n]*)\n") do
      if json.decode(line).answer then whole = whole + 1 end
    end
    assert.equal(#list.requests, whole)
    local with = client("rsa")
    assert.equal("SUCCESS", kept(function() assert(with:sync_order(samples.order())) end).result.resultCode)
    with:close()
    assert.is_nil(shell.read(values.log):find("%[error%]"))
  end)
end)
