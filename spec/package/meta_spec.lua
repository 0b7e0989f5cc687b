-- The annotations in lua/alipayhk/meta say what the library has, and no more: its functions, options and defaults, and
-- the tables that it gives.

local alipayhk = require "alipayhk"
local annotations = require "spec.support.sources.annotations"
local calls = require "spec.support.doubles.calls"
local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local double = require "spec.support.doubles.alipayhk_double"
local gateway = require "spec.support.servers.gateway"
local internal = require "spec.support.sources.internal"
local keys = require "spec.support.data.keys"
local nginx = require "spec.support.servers.nginx"
local outboxes = require "spec.support.outboxes"
local pages = require "alipayhk.api.pages"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local model, names = annotations.model, annotations.names

-- Every word in the sources: what the library knows of options and keys is among them.
local function words()
  local found = {}
  local source = shell.must("cat $(find lua -name '*.lua' -not -path '*/meta/*')")
  for word in source:gmatch("[%a_][%w_]*") do found[word] = true end
  return names(found)
end

local WORDS = words()

-- Those that are not refused as unknown. `probe` gives what is said of one.
local function accepted(probe)
  local found = {}
  for _, word in ipairs(WORDS) do
    if not tostring(probe(word)):find("no such", 1, true) then found[#found + 1] = word end
  end
  return found
end

describe("each file of annotations", function()
  for _, path in ipairs(annotations.files()) do
    it("is Lua that does nothing, and says that it is meta: " .. path, function()
      local before = names(_G)
      assert.truthy(shell.read(path):find("^%-%-%-@meta [%w_.]+\n"))
      local result = assert(loadfile(path))()
      for _, value in pairs(result or {}) do assert.is_function(value) end
      assert.same(before, names(_G))
    end)
  end

  it("is loaded by nobody", function()
    local _, status = shell.run("grep -rn 'alipayhk[./]meta[./]' lua gateway --include=*.lua | grep require")
    assert.equal(1, status)
  end)

  it("is installed", function()
    local directory = shell.directory()
    shell.must("make -s install LUA=5.4 PREFIX=/usr DESTDIR=" .. directory)
    for _, path in ipairs(annotations.files()) do
      local installed = directory .. "/usr/share/lua/5.4/" .. path:match("^lua/(.*)$")
      assert.equal(shell.read(path), shell.read(installed), installed)
    end
  end)

  it("names no type that there is not", function()
    for _, path in ipairs(annotations.files()) do
      for name in shell.read(path):gmatch("alipayhk%.[%u_][%w_.]*") do
        name = name:gsub("%.$", "")
        assert.truthy(model.classes[name] or model.aliases[name], path .. ": " .. name)
      end
    end
  end)

  it("leads to no page of AlipayHK's but those that the data names", function()
    local known, count = {}, 0
    for _, url in pairs(pages) do known[url] = true end
    for _, path in ipairs(annotations.files()) do
      for url in shell.read(path):gmatch("%]%((http[^)]*)%)") do
        assert.truthy(known[url], path .. ": " .. url)
        count = count + 1
      end
    end
    assert.is_true(count > 3)
  end)
end)

-- ---- functions -----------------------------------------------------------------------------------------

local function functions_of(holder, passed)
  local found = {}
  for name, value in pairs(holder) do
    if type(value) == "function" and not name:find("^__") and not (passed and passed[name]) then found[name] = value end
  end
  return found
end

describe("the functions of", function()
  teardown(outboxes.close_all)

  local key = assert(core.private_key { file = keys.path("rsa", "pkcs8.pem") })
  local OBJECTS = {
    { class = "alipayhk", has = functions_of(alipayhk) },
    { class = "alipayhk.Client", has = functions_of(getmetatable(double.new():client()).__index), is_method = true },
    { class = "alipayhk.Outbox", has = functions_of(getmetatable(outboxes.open(outboxes.file, double.new())).__index),
      is_method = true },
    { class = "alipayhk.core", has = functions_of(core, internal) },
    { class = "alipayhk.Key", has = functions_of(debug.getmetatable(key).__index), is_method = true },
    { class = "alipayhk.nginx", has = functions_of(require "alipayhk.nginx") },
  }

  for _, object in ipairs(OBJECTS) do
    it(object.class .. " are those that are annotated", function()
      assert.is_true(next(object.has) ~= nil)
      assert.same(names(object.has), names(model.classes[object.class].functions))
    end)

    it(object.class .. " are called as they are annotated", function()
      for _, annotated in ipairs(model.classes[object.class].functions) do
        assert.equal(object.is_method or false, annotated.is_method, annotated.name)
        local about = debug.getinfo(object.has[annotated.name], "uS")
        -- What is C, or takes any number, does not tell. Nor does Lua 5.1.
        if about.what == "Lua" and about.nparams and not about.isvararg then
          local own = object.is_method and 1 or 0
          assert.equal(about.nparams - own, #annotated.params, annotated.name)
        end
      end
    end)
  end

  it("alipayhk.core that are internal are there", function()
    for name in pairs(internal) do assert.is_function(core[name], name) end
  end)

  it("modules are beside what is annotated as their fields", function()
    local found = {}
    for name, value in pairs(alipayhk) do
      if type(value) ~= "function" then found[name] = value end
    end
    assert.same(names(found), names(annotations.fields("alipayhk")))
  end)
end)

-- ---- config and options --------------------------------------------------------------------------------

describe("the config", function()
  -- What it needs, and what else is in `extra`.
  local function config(extra)
    local given = {
      client_id = "4Q5Y8W0WSG45P907917", environment = "testing",
      private_key = { file = keys.path("rsa", "pkcs8.pem") },
      alipay_public_key = { file = keys.pair("alipayhk").public },
    }
    for name, value in pairs(extra) do given[name] = value end
    return given
  end

  it("has the keys that are annotated", function()
    assert.same(accepted(function(word)
      return select(2, alipayhk.new { [word] = 1 })
    end), names(annotations.fields("alipayhk.Config")))
  end)

  for key, class in pairs {
    ecc224 = "alipayhk.Ecc224", encryption = "alipayhk.Encryption", retry = "alipayhk.Retry", tls = "alipayhk.Tls",
  } do
    it(("has in `%s` the keys that are annotated"):format(key), function()
      assert.equal(class, annotations.fields("alipayhk.Config")[key].type:match("[%w_.]+"))
      assert.same(accepted(function(word)
        return select(2, alipayhk.new(config { [key] = { [word] = {} } }))
      end), names(annotations.fields(class)))
    end)
  end

  it("of an outbox has the keys that are annotated", function()
    assert.same(accepted(function(word)
      return select(2, alipayhk.outbox { [word] = 1 })
    end), names(annotations.fields("alipayhk.OutboxConfig")))
  end)

  it("has in a key source the names that are annotated", function()
    local annotated, known = {}, {}
    for _, alternative in ipairs(model.aliases["alipayhk.KeySource"].alternatives) do
      for name in alternative.type:gmatch("([%w_]+)%??: ") do annotated[name] = true end
    end
    for _, word in ipairs(WORDS) do
      local _, err = alipayhk.new(config { private_key = { file = "/none", [word] = "x" } })
      if err.code == "private_key" then known[word] = true end
    end
    assert.same(names(known), names(annotated))
  end)

  -- What is annotated as `default `X``.
  local function default_of(field)
    local text = field.description:match("default `([^`]+)`$")
    if not text then return nil end
    return assert((rawget(_G, "loadstring") or load)("return " .. text))()
  end

  local function check_defaults(class, values, passed)
    local count = 0
    for name, field in pairs(annotations.fields(class)) do
      local value, nested = values[name], model.classes[field.type:match("^alipayhk[%w_.]+")]
      if nested and type(value) == "table" then
        count = count + check_defaults(field.type:match("^alipayhk[%w_.]+"), value, {})
      elseif passed[name] == nil and type(value) ~= "function" then
        assert.same({ name, value }, { name, default_of(field) })
        if value ~= nil then count = count + 1 end
      end
    end
    return count
  end

  -- What is given; and `algorithm`, which goes by the key.
  local PASSED = {
    client_id = true, environment = true, private_key = true, alipay_public_key = true, algorithm = true,
  }

  it("has the defaults that are annotated, and no others", function()
    local client = assert(alipayhk.new(config {}))
    assert.is_true(check_defaults("alipayhk.Config", client.config, PASSED) >= 16)
  end)
end)

describe("the options of", function()
  local by_double = double.new { algorithm = "p224" }
  local client = by_double:client()

  local function thrown(f, ...)
    local ok, message = pcall(f, ...)
    return not ok and message or nil
  end

  local request = assert(client:prepare("order", samples.order()))
  local outbox

  setup(function()
    outbox = outboxes.open(outboxes.file, by_double)
    -- As a Redis that has one.
    local store = outbox.store
    store.has_replicas = true
    function store:put(records, opts)
      local results, fault = getmetatable(self).put(self, records)
      if results then results[1].replicas = opts.replicas end
      return results, fault
    end
  end)
  teardown(outboxes.close_all)

  -- Without the option it would not end.
  local function deliver(opts)
    local given = { until_empty = true }
    for name, value in pairs(opts) do given[name] = value end
    return outbox:deliver(given)
  end

  local CALLS = {
    { name = "client:sync_order", class = "alipayhk.SyncOptions",
      call = function(opts) return client:sync_order(samples.order(), opts) end },
    { name = "client:sync_contract_card", class = "alipayhk.SyncOptions",
      call = function(opts) return client:sync_contract_card(samples.card(), opts) end },
    { name = "client:prepare", class = "alipayhk.SyncOptions",
      call = function(opts) return client:prepare("order", samples.order(), opts) end },
    { name = "client:call", class = "alipayhk.Options",
      call = function(opts) return client:call("/other", {}, opts) end },
    { name = "client:sync_many", class = "alipayhk.ManyOptions",
      call = function(opts) return client:sync_many({}, opts) end },
    { name = "client:send", class = "alipayhk.SendOptions",
      call = function(opts) return client:send(request, opts) end },
    { name = "client:receive", class = "alipayhk.ReceiveOptions",
      call = function(opts) return client:receive({ method = "POST", path = "/", headers = {}, body = "" }, opts) end },
    { name = "alipayhk.check", class = "alipayhk.CheckOptions",
      call = function(opts) return alipayhk.check("order", samples.order(), opts) end },
    { name = "outbox:put", class = "alipayhk.PutOptions",
      call = function(opts) return outbox:put(samples.order(), opts) end },
    { name = "outbox:deliver", class = "alipayhk.DeliverOptions", call = deliver },
    { name = "outbox:list", class = "alipayhk.ListOptions",
      call = function(opts) return outbox:list(opts) end },
  }

  -- A value of the type of an option; the options of one name have one type, wherever they are.
  local VALUES = {
    timeout_ms = 1000, retry = false, encrypt = false, previous_status = "TICKETED", max_age_ms = 1,
    validate = "strict", scenarios = {}, concurrency = 2, rate = 10,
    on_result = print, on_progress = type, signers = 1, key = "k", replicas = 1, until_empty = true, stop = os.time,
    state = "parked", merchant_biz_no = "1", limit = 1, after = "1",
  }
  local OTHERS = { 1, "x", true, false, {} }

  for _, case in ipairs(CALLS) do
    it(case.name .. " are those that are annotated", function()
      for name in pairs(annotations.fields(case.class)) do
        assert.is_not_nil(VALUES[name], name)
        assert.is_nil(thrown(case.call, { [name] = VALUES[name] }))
      end
      for _, word in ipairs(WORDS) do
        if not annotations.fields(case.class)[word] then
          local message = thrown(case.call, { [word] = 1 }) or ""
          if not message:find("no such", 1, true) then -- known elsewhere: no value of it will do
            for _, value in ipairs(OTHERS) do assert.is_not_nil(thrown(case.call, { [word] = value }), word) end
            assert.is_not_nil(thrown(case.call, { [word] = VALUES[word] }), word)
          end
        end
      end
    end)
  end

  it("a partner's rules are those that are annotated", function()
    local function with_rules(rules)
      return select(2, alipayhk.check("order", samples.order(), { scenarios = { order = { MOVIE_TICKET = rules } } }))
    end
    assert.same(accepted(function(word)
      return with_rules { fields = { { path = "extInfo.mine", [word] = {} } } }
    end), names(annotations.fields("alipayhk.Field")))
    assert.same(accepted(function(word) return with_rules { [word] = {} } end),
      names(annotations.fields("alipayhk.ScenarioRules")))
    assert.same(accepted(function(word)
      return select(2, alipayhk.check("order", samples.order(), { scenarios = { [word] = {} } }))
    end), names(annotations.fields("alipayhk.Scenarios")))
  end)

  it("a partner's rules have the types of fields that are annotated", function()
    local annotated = {}
    for _, alternative in ipairs(model.aliases["alipayhk.FieldType"].alternatives) do
      annotated[alternative.type:sub(2, -2)] = true
    end
    local known = {}
    for _, word in ipairs(WORDS) do
      if alipayhk.check("order", samples.order(), { scenarios = { order = { MOVIE_TICKET = {
        fields = { { path = "extInfo.mine", type = word } } } } } }) then known[word] = true end
    end
    assert.same(names(known), names(annotated))
  end)
end)

-- ---- what comes out --------------------------------------------------------------------------------------

local FAST = { max_attempts = 2, base_delay_ms = 1, max_delay_ms = 1 }

-- Another status than the one that was sent.
local HOLDS_ANOTHER = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"m"},"orderStatus":"USED"}'

describe("what the library gives is as annotated:", function()
  local seen = annotations.witness()
  local by_double, by_rsa = double.new { algorithm = "p224" }, double.new()

  -- An error is held to its class with what is in it.
  local function of_error(kind, _, err)
    assert.same({}, seen:faults(err, "alipayhk.Error"))
    assert.equal(kind, err.kind)
    return err
  end

  -- What a client does with one answer after the other. What a hook throws is dropped: its faults are looked at here.
  local function answered(script, payload, extra, by)
    by = by or by_double
    local faults = {}
    local config = { retry = FAST, on_event = function(event)
      faults[#faults + 1] = seen:faults(event, "alipayhk.Event")[1]
    end }
    for name, value in pairs(extra or {}) do config[name] = value end
    by:answers(script)
    local response, err = by:client(config):sync_order(payload or samples.order())
    assert.same({}, faults)
    return response, err
  end

  it("a response", function()
    for _, answer in ipairs { {}, { headers = { ["tracer-id"] = "t" } }, { body = HOLDS_ANOTHER } } do
      assert.same({}, seen:faults(answered { answer }, "alipayhk.Response"))
    end
    local order = samples.order { userId = samples.USER_ID .. " " } -- a slip
    assert.same({}, seen:faults(answered({ {} }, order), "alipayhk.Response"))
    local response = assert(gateway.client("rsa"):sync_order(samples.order()))
    assert.same({}, seen:faults(response, "alipayhk.Response"))
    assert.same({}, seen:unseen("alipayhk.Response"))
    assert.same({}, seen:unseen("alipayhk.Result"))
    assert.same({}, seen:unseen("alipayhk.Timing"))
  end)

  it("an error, of each kind", function()
    local other = assert(core.public_key { file = keys.pair("other").public })
    of_error("config", alipayhk.new {})
    of_error("invalid", answered({ {} }, samples.order { userId = samples.ABSENT, merchantBizNo = " 1" }))
    of_error("crypto", by_double:client():sync_order(samples.order(), { encrypt = true }))
    of_error("transport", answered { { failure = { code = "proxy", message = "m", http_status = 502, timing = {} } } })
    of_error("http", answered { { http_status = 503, headers = { ["tracer-id"] = "t" } } })
    of_error("signature", answered { { signed = false } })
    of_error("decrypt", answered({ { encrypt = other } }, nil, nil, by_rsa))
    of_error("protocol", answered { { body = "no JSON" } })
    of_error("result", answered { { code = "PARAM_ILLEGAL", status = "F" } })
    of_error("store", outboxes.put_without_replicas(samples.order()))
    assert.same({}, seen:unseen("alipayhk.Error"))
    assert.same({}, seen:unseen("alipayhk.ErrorKind"))
  end)

  it("a fault of a payload, of each code", function()
    for _, extra in ipairs {
      { userId = samples.ABSENT }, { userId = 5 }, { merchantBizNo = ("x"):rep(33) }, { orderStatus = "NONE" },
      { orderCreateTime = 1716338541 }, { nothing = "x" },
    } do
      of_error("invalid", alipayhk.check("order", samples.order(extra)))
    end
    of_error("invalid", alipayhk.check("order", samples.order(), { previous_status = "REFUNDED" }))
    local outbox, order = outboxes.open(outboxes.file, by_double), samples.order()
    assert(outbox:put(order))
    order.orderModifyTime = order.orderCreateTime
    of_error("invalid", outbox:put(order))
    outboxes.close_all()
    assert.same({}, seen:unseen("alipayhk.FaultCode"))
    assert.same({}, seen:unseen("alipayhk.Fault"))
  end)

  it("an event", function()
    answered { { failure = "timeout" }, { headers = { ["tracer-id"] = "t" } } }
    answered { { code = "PARAM_ILLEGAL", status = "F" } }
    local faults = {}
    outboxes.live_through(by_double, function(event) faults[#faults + 1] = seen:faults(event, "alipayhk.Event")[1] end)
    assert.same({}, faults)
    assert.same({}, seen:unseen("alipayhk.Event"))
    assert.same({}, seen:unseen("alipayhk.EventName"))
  end)

  it("what an outbox gives", function()
    local outbox
    local function look()
      for _, event in ipairs(outbox:list()) do assert.same({}, seen:faults(event, "alipayhk.OutboxEvent")) end
      assert.same({}, seen:faults(outbox:stats(), "alipayhk.OutboxStats"))
    end
    local function deliver(opts)
      opts.on_result = function(result) assert.same({}, seen:faults(result, "alipayhk.DeliverResult")) end
      opts.on_progress = function(progress) assert.same({}, seen:faults(progress, "alipayhk.Progress")) end
      assert.same({}, seen:faults(outbox:deliver(opts), "alipayhk.DeliverTotals"))
      look()
    end
    local function transport(request)
      look()
      return by_double:receive(request)
    end
    outbox = outboxes.open(outboxes.file, by_double, { coalesce = "same_status" },
      { retry = FAST, transport = transport })
    local order = samples.order()
    for _, payload in ipairs { order, order, samples.order() } do assert(outbox:put(payload)) end
    by_double:answers { { failure = "timeout" }, { code = "PARAM_ILLEGAL", status = "F" }, { body = HOLDS_ANOTHER } }
    deliver { until_empty = true }
    assert.is_true(outbox:drop(outbox:list { state = "parked" }[1].id))
    for _ = 1, 3 do assert(outbox:put(samples.order())) end
    by_double:answers { {} }
    deliver { concurrency = 1, stop = function() return #by_double.requests > 0 end }
    outboxes.close_all()
    for _, name in ipairs { "OutboxEvent", "OutboxState", "OutboxStats", "DeliverResult", "DeliverTotals" } do
      assert.same({ name }, { name, seen:unseen("alipayhk." .. name)[1] })
    end
  end)

  -- For the library's own use.
  local OWN = { "api", "is_seen", "merchant_biz_no", "order_status", "personal" }

  it("a request that is prepared", function()
    local client = by_double:client()
    local request = assert(client:prepare("order", samples.order()))
    for _, name in ipairs(OWN) do
      assert.is_not_nil(request[name], name)
      request[name] = nil
    end
    assert.same({}, seen:faults(request, "alipayhk.Request"))
    assert.same({}, seen:unseen("alipayhk.Request"))
  end)

  it("what a transport is given", function()
    answered({ {} }, nil, { retry = false, proxy = "http://127.0.0.1:1", tls = { min_version = "1.3" },
      transport = function(request)
        assert.same({}, seen:faults(request, "alipayhk.TransportRequest"))
        return by_double:receive(request)
      end })
    assert.same({}, seen:unseen("alipayhk.TransportRequest"))
  end)

  it("what our own transport returns", function()
    local handle = curl.new()
    local function send(url, tls)
      return handle:send {
        method = "POST", url = url, headers = {}, body = "{}", connect_timeout_ms = 5000, timeout_ms = 5000,
        max_response_bytes = 65536, tls = tls,
      }
    end
    local values = gateway.values()
    local raw = assert(send(values.base_url .. "/", { ca_file = values.ca_file, min_version = "1.2" }))
    assert.same({}, seen:faults(raw, "alipayhk.RawResponse"))
    local _, refused = send("http://127.0.0.1:1/", { min_version = "1.2" })
    assert.same({}, seen:faults(refused, "alipayhk.TransportFailure"))
    local _, untrusted = send(values.base_url .. "/", { min_version = "1.2" })
    assert.same({}, seen:faults(untrusted, "alipayhk.TransportFailure"))
    assert.same({ "connect", "tls" }, { refused.code, untrusted.code })
    handle:close()
  end)

  it("the reply to a call", function()
    local client = assert(alipayhk.new {
      client_id = calls.CLIENT_ID, environment = "testing", private_key = { file = calls.merchant("rsa").private },
      alipay_public_key = { file = calls.alipayhk("rsa").public },
    })
    local call = calls.make { encrypt = {} }
    assert.same({}, seen:faults(call, "alipayhk.Call"))
    assert.is_table(client:receive(call))
    assert.same({}, seen:faults(client:reply(call), "alipayhk.Reply"))
    assert.same({}, seen:unseen("alipayhk.Reply"))
    call.body = "x"
    of_error("signature", client:receive(call))
  end)
end)

-- ---- in nginx ------------------------------------------------------------------------------------------

-- Answers with the words of the body that an endpoint takes as options.
local ENDPOINT = [[
local alipayhk, nginx = require "alipayhk", require "alipayhk.nginx"
local client = assert(alipayhk.new {
  client_id = "4Q5Y8W0WSG45P907917", environment = "testing", private_key = { file = %q }, verify_response = false,
})
return function()
  ngx.req.read_body()
  for word in ngx.req.get_body_data():gmatch("%%S+") do
    local ran, message = pcall(nginx.endpoint, client, print, { [word] = 1 })
    if ran or not message:find("no such", 1, true) then ngx.say(word) end
  end
end
]]

describe("the options of an endpoint in nginx", function()
  it("are those that are annotated", function()
    local server = nginx.start {
      server = "client_body_buffer_size 1m; location / { content_by_lua_block { require('probe')() } }",
      files = { ["probe.lua"] = ENDPOINT:format(keys.pair("merchant").private) },
    }
    local handle = curl.new()
    local raw = assert(handle:send {
      method = "POST", url = server.url .. "/", headers = {}, body = table.concat(WORDS, "\n"),
      connect_timeout_ms = 5000, timeout_ms = 30000, max_response_bytes = 65536,
    })
    handle:close()
    server.stop()
    assert.equal(200, raw.status)
    local found = {}
    for word in raw.body:gmatch("%S+") do found[#found + 1] = word end
    assert.same(names(annotations.fields("alipayhk.EndpointOptions")), found)
  end)
end)
