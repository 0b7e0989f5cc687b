-- The tables of the pages against what the library does.

local alipayhk = require "alipayhk"
local config_reader = require "alipayhk.config"
local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local gateway = require "spec.support.servers.gateway"
local internal = require "spec.support.sources.internal"
local outboxes = require "spec.support.outboxes"
local readme = require "spec.support.sources.readme"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

local function keys_of(map)
  local set = {}
  for name in pairs(map) do set[name] = true end
  return set
end

local function merge(...)
  local merged = {}
  for _, set in ipairs { ... } do
    for name in pairs(set) do merged[name] = true end
  end
  return merged
end

-- The names in a column of a table, as a set.
local function column(rows, n)
  local names = {}
  for _, row in ipairs(rows) do names = merge(names, set_of(readme.names(row[n]))) end
  return names
end

-- A client whose transport gives one outcome after the other, the last one for ever.
local function scripted(outcomes, extra)
  local n = 0
  local config = gateway.config("rsa", {
    retry = { base_delay_ms = 0, max_delay_ms = 0 },
    transport = function()
      n = math.min(n + 1, #outcomes)
      if outcomes[n].code then return nil, outcomes[n] end
      return outcomes[n]
    end,
  })
  for key, value in pairs(extra or {}) do config[key] = value end
  return assert(alipayhk.new(config))
end

local function answer(status, body)
  return { status = status, headers = {}, body = body or "" }
end

-- ---- configuration ---------------------------------------------------------------------------------

describe("docs/configuration.md", function()
  local rows = {}
  for _, found in ipairs(readme.tables("docs/configuration.md")) do
    if found.header[1] == "key" then
      for _, row in ipairs(found.rows) do rows[#rows + 1] = row end
    end
  end

  -- Every key there is, but for those of key sources and for tables, whose own keys have rows.
  local function keys()
    local found = set_of(config_reader.PATHS)
    for _, path in ipairs(config_reader.PATHS) do
      local above = path:match("^(.*)%.")
      if above == "private_key" then found[path] = nil elseif above then found[above] = nil end
    end
    return found
  end

  it("names every key, and no other", function()
    assert.same(keys(), column(rows, 1))
  end)

  local GIVEN = set_of { "client_id", "environment", "base_url", "private_key", "alipay_public_key", "algorithm",
    "now", "sleep" }

  -- The value in force where nothing is given.
  local function in_force(client, key)
    local value = client.config
    for name in key:gmatch("[^.]+") do value = value[name] end
    return value
  end

  it("names the default of each", function()
    local client = assert(alipayhk.new(gateway.config("ec", { tls = {} })))
    local compared = 0
    for _, row in ipairs(rows) do
      for _, key in ipairs(readme.names(row[1])) do
        local literal = row[2]:match("^`(.*)`$")
        if not GIVEN[key] then
          local shown = literal and assert((rawget(_G, "loadstring") or load)("return " .. literal))()
          assert.equal(shown, in_force(client, key), key)
          compared = compared + (literal and 1 or 0)
        end
      end
    end
    assert.is_true(compared > 15, compared)
  end)

  it("names what a transport gets", function()
    local given
    local client = scripted({ answer(500) }, { retry = false, proxy = "http://127.0.0.1:1" })
    client.transport = { send = function(request) given = request; return answer(500) end, close = function() end }
    client:sync_order(samples.order())
    assert.same(keys_of(given), column(readme.rows("docs/configuration.md", "of the request"), 1))
  end)
end)

-- ---- the client ------------------------------------------------------------------------------------

describe("docs/client.md", function()
  it("names every method, and no other", function()
    local methods, shown = {}, {}
    for name, value in pairs(getmetatable(gateway.client("rsa"))) do
      if type(value) == "function" and not name:find("^__") then methods[name] = true end
    end
    for name in pairs(column(readme.rows("docs/client.md", "call"), 1)) do
      local method = name:match("^client:([%l_]+)%(")
      if method then shown[method] = true else assert.equal("alipayhk.check(api, payload, opts)", name) end
    end
    assert.same(methods, shown)
  end)

  it("names every field of a response, and no other", function()
    local response = assert(gateway.client("rsa"):sync_order(samples.order()))
    assert.same(keys_of(response), column(readme.rows("docs/client.md", "field", "The response"), 1))
  end)

  it("names what prepare gives", function()
    local request = assert(gateway.client("rsa"):prepare("order", samples.order()))
    local shown = readme.prose("docs/client.md"):match("`client:prepare` gives `{ ([^}]*) }`")
    for name in shown:gmatch("[%l_]+") do assert.is_not_nil(request[name], name) end
  end)

  local SENDING = { "sync_order", "sync_contract_card", "call", "send" }
  local BUILDING = { "sync_order", "sync_contract_card", "call", "prepare" }

  -- What a function throws for an option of a wrong type.
  local function thrown(name, opts)
    local client, payload = gateway.client("rsa", { retry = false }), samples.order()
    local arguments = {
      call = { "/x", payload }, prepare = { "order", payload }, send = { assert(client:prepare("order", payload)) },
      receive = { client:prepare("/x", payload) }, check = { "order", payload },
    }
    local given = arguments[name] or { payload }
    given[#given + 1] = opts
    local call = name == "check" and alipayhk.check or function(...) return client[name](client, ...) end
    local ran, message = pcall(call, given[1], given[2], given[3])
    assert.is_false(ran, name)
    return message
  end

  it("names the options of each call", function()
    local wrong = function() end
    for _, row in ipairs(readme.rows("docs/client.md", "`opts`")) do
      local option = readme.names(row[1])[1]
      local calls = row[2] == "all that send" and SENDING or row[2] == "all that build a request" and BUILDING
        or readme.names(row[2])
      for _, name in ipairs(calls) do
        local message = thrown(name, { [option] = wrong })
        assert.truthy(message:find("opts." .. option, 1, true), message)
        assert.is_nil(message:find("no such option", 1, true), message)
      end
    end
    assert.truthy(thrown("check", { encrypt = true }):find("no such option", 1, true))
  end)
end)

-- ---- errors ----------------------------------------------------------------------------------------

describe("docs/errors.md", function()
  local PAGE = "docs/errors.md"

  it("names every kind of error, and no other", function()
    local kinds = {}
    for path in shell.must("grep -rL '@meta' lua --include='*.lua'"):gmatch("[^\n]+") do
      local source = shell.read(path)
      for _, pattern in ipairs { 'Error%.new%("(%l+)"', 'failure%("(%l+)"', '%f[%w]kind = "(%l+)", ' } do
        for kind in source:gmatch(pattern) do kinds[kind] = true end
      end
    end
    assert.same(kinds, column(readme.rows(PAGE, "`kind`"), 1))
  end)

  it("names every field of an error, and no other", function()
    local order = samples.order { merchantBizNo = samples.ABSENT, payAmount = {} }
    local _, invalid = gateway.client("rsa"):sync_order(order)
    local _, refused = gateway.client("rsa", { validate = false }):sync_order(order)
    assert.equal("result", refused.kind)
    local _, unsafe = outboxes.put_without_replicas(samples.order())
    assert.equal("replicas", unsafe.code)
    assert.same(merge(keys_of(invalid), keys_of(refused), keys_of(unsafe)),
      column(readme.rows(PAGE, "field"), 1))
  end)

  -- ---- store codes

  -- By code, whether a fault of it may be retryable and whether it may not, as the stores say of all that they know.
  local function store_faults()
    local found = {}
    local function note(fault)
      found[fault.code] = merge(found[fault.code] or {}, { [fault.is_retryable and "yes" or "no"] = true })
    end
    local FOLDER = "lua/alipayhk/delivery/store/"
    for code in shell.read(FOLDER .. "sqlite_database.lua"):gmatch('{ "([%u_]*)"') do
      note(require("alipayhk.delivery.store.sqlite_database").fault_of("m", code))
    end
    for code in shell.read(FOLDER .. "redis_faults.lua"):gmatch("%f[%w](%u+) = ") do
      note(require("alipayhk.delivery.store.redis_faults").of("m", code))
    end
    return found
  end

  it("names every code of a store, and no other", function()
    local codes, alias = {}, shell.read("lua/alipayhk/meta/error.lua"):match("@alias alipayhk%.StoreCode\n(.-)\n\n")
    for code in alias:gmatch('%-%-%-| "(%l+)"') do codes[code] = true end
    assert.same(codes, column(readme.rows(PAGE, "code", "Store codes"), 1))
  end)

  it("says which faults of a store may pass", function()
    local found, compared = store_faults(), 0
    for _, row in ipairs(readme.rows(PAGE, "code", "Store codes")) do
      local answers = found[readme.names(row[1])[1]]
      local expected = row[4] == "it depends" and set_of { "yes", "no" } or set_of { row[4] }
      if answers then
        assert.same(expected, answers, row[1])
        compared = compared + 1
      end
    end
    assert.is_true(compared >= 8, compared)
  end)

  -- ---- transport codes

  local codes = readme.rows(PAGE, "code", "Transport codes")

  it("names every code of a transport, and no other", function()
    local found = {}
    local sources = shell.must("cat csrc/*/*.c lua/alipayhk/transport/*.lua")
    for code in sources:gmatch('%[AHK_FAILED_[%u_]+%] = "([%l_]+)"') do found[code] = true end
    for code in sources:gmatch('fail%("([%l_]+)"') do found[code] = true end
    for code in sources:gmatch('%f[%w]code = "([%l_]+)"') do found[code] = true end
    assert.same(found, column(codes, 1))
  end)

  local UN_SUPPORTED = '{"result":{"resultCode":"UN_SUPPORT_BUSINESS","resultStatus":"F"}}'

  for _, row in ipairs(codes) do
    local code = readme.names(row[1])[1]

    it("says which outcome is unknown: " .. code, function()
      local failure = { code = code, message = "as scripted" }
      local client = scripted({ failure, answer(200, UN_SUPPORTED) }, { retry = false })
      local request = assert(client:prepare("contract_card", samples.card()))
      local _, err = client:send(request)
      assert.equal(code, err.code)
      _, err = client:send(request)
      assert.equal("UN_SUPPORT_BUSINESS", err.code)
      assert.equal(row[3] ~= "nothing", err.message:find("earlier attempt", 1, true) ~= nil)
    end)

    it("says what is retried: " .. code, function()
      local statuses = { false }
      if row[4]:find("^for ") then
        for status = 400, 599 do statuses[#statuses + 1] = status end
      end
      for _, status in ipairs(statuses) do
        local failure = { code = code, message = "as scripted", http_status = status or nil }
        local _, err = scripted({ failure }):sync_order(samples.order())
        local expected = row[4] == "yes" or status and row[4]:find(tostring(status), 1, true) ~= nil
        assert.equal(expected or false, err.retryable, tostring(status))
        assert.equal(expected and 3 or 1, err.attempts)
      end
    end)
  end

  it("lists the codes without which nothing is known, where it says whether an order was sent", function()
    local unsent = {}
    for _, row in ipairs(codes) do
      if row[3] == "nothing" then unsent[readme.names(row[1])[1]] = true end
    end
    local listed
    for _, row in ipairs(readme.rows(PAGE, "after")) do
      local names = readme.names(row[1])
      if names[1] == "transport" then
        listed = set_of(names)
        assert.equal("was not sent", row[2])
      end
    end
    listed.transport = nil
    assert.same(unsent, listed)
  end)

  -- ---- the rest

  it("lists the HTTP statuses that are retried", function()
    local line = readme.prose(PAGE):match("\n%- Of HTTP: ([^\n]+)")
    local listed, retried = {}, {}
    for from, to in line:gmatch("(%d+) to (%d+)") do
      for status = tonumber(from), tonumber(to) do listed[status] = true end
    end
    for status in line:gmatch("%d+") do listed[tonumber(status)] = true end
    for status = 201, 599 do
      local _, err = scripted({ answer(status, "<html>") }, { retry = false }):sync_order(samples.order())
      assert.equal("http", err.kind)
      retried[status] = err.retryable or nil
    end
    assert.same(retried, listed)
  end)

  it("names the codes of a call that is refused", function()
    local client, keyless = gateway.client("rsa"), gateway.config("rsa", { verify_response = false })
    keyless.alipay_public_key = nil
    local function call(headers)
      local all = { ["Request-Time"] = "2024-05-22T09:55:41+08:00", ["Signature"] = "signature=AAAA" }
      for name, value in pairs(headers or {}) do all[name] = value or nil end
      return { method = "POST", path = "/x", headers = all, body = "{}" }
    end
    local found = {}
    local function note(receiver, made, opts)
      local _, err = receiver:receive(made, opts)
      assert.equal("signature", err.kind)
      found[err.code] = true
    end
    note(client, call { ["Signature"] = false })
    note(client, call())
    note(client, call { ["Client-Id"] = "another" })
    note(assert(alipayhk.new(keyless)), call())
    -- One of AlipayHK's own, as late as a year.
    local own = gateway.values().ca_file:match("^(.*/)")
    local late = assert(alipayhk.new { client_id = client.config.client_id, base_url = "http://127.0.0.1",
      private_key = { file = own .. "alipayhk-rsa.pem" }, verify_response = false,
      now = function() return core.now() - 31536000 end })
    note(client, assert(late:prepare("/x", {})), { max_age_ms = 1000 })
    local text = readme.prose(PAGE):match("the codes of `signature`\nare then ([^\n]*)")
    for _, name in ipairs(readme.names(text)) do
      if name == "max_age_ms" then found[name] = true end
    end
    assert.same(found, set_of(readme.names(text)))
  end)
end)

-- ---- events ----------------------------------------------------------------------------------------

describe("docs/events.md", function()
  local PAGE = "docs/events.md"
  local OF_CALLS = set_of { "attempt", "retry", "response", "error" }
  local seen = { calls = {}, outbox = {} }

  local function note(event)
    local of = seen[OF_CALLS[event.name] and "calls" or "outbox"]
    of[event.name] = merge(of[event.name] or {}, keys_of(event))
  end

  setup(function()
    gateway.client("rsa", { on_event = note }):sync_order(samples.order())
    gateway.client("rsa", { on_event = note, validate = false }):sync_order(samples.order { orderStatus = "EATEN" })
    scripted({ answer(503) }, { on_event = note }):sync_order(samples.order())
    outboxes.live_through(double.new { algorithm = "p224" }, note)
  end)

  for heading, case in pairs {
    ["Events"] = { of = "calls", common = { "name", "api", "request_id", "merchant_biz_no" } },
    ["Of an outbox"] = { of = "outbox", common = { "name", "api", "request_id", "merchant_biz_no", "id" } },
  } do
    it("names every event with its fields, and no other: " .. heading, function()
      local shown = {}
      for _, row in ipairs(readme.rows(PAGE, "`name`", heading)) do
        local name = readme.names(row[1])[1]
        local is_of_none = name == "store" or name == "standing_by"
        shown[name] = merge(is_of_none and set_of { "name" } or set_of(case.common), set_of(readme.names(row[3])))
      end
      assert.same(seen[case.of], shown)
    end)

    it("describes every field, and no other: " .. heading, function()
      local all, described = {}, column(readme.rows(PAGE, "field", heading), 1)
      for _, fields in pairs(seen[case.of]) do all = merge(all, fields) end
      for _, name in ipairs(case.of == "outbox" and { "name", "api", "request_id", "merchant_biz_no" } or { "name" }) do
        all[name] = nil
      end
      assert.same(all, described)
    end)
  end
end)

-- ---- the core --------------------------------------------------------------------------------------

describe("docs/core.md", function()
  local functions, methods = {}, {}
  for _, found in ipairs(readme.tables("docs/core.md")) do
    for _, row in ipairs(found.rows) do
      for _, name in ipairs(readme.names(row[1])) do
        local list = name:find("^key:") and methods or functions
        list[name:match("^%l+[.:]([%l%d_]+)%(")] = true
      end
    end
  end

  it("names every function that is not the library's own, and no other", function()
    local public = {}
    for name, value in pairs(core) do public[name] = type(value) == "function" and not internal[name] or nil end
    assert.same(public, functions)
  end)

  it("names every method of a key, and no other", function()
    local key = assert(core.private_key { file = gateway.values().rsa_private_key })
    local found = {}
    for name, value in pairs(debug.getmetatable(key).__index) do
      if type(value) == "function" and not name:find("^__") then found[name] = true end
    end
    assert.same(found, methods)
  end)
end)

-- ---- what is checked -------------------------------------------------------------------------------

describe("docs/checking.md", function()
  it("names every code of a fault, and no other", function()
    local alias, codes = shell.read("lua/alipayhk/meta/error.lua"):match("@alias alipayhk%.FaultCode\n(.*)$"), {}
    for code in alias:gmatch('%-%-%-| "([%l_]+)"') do codes[code] = true end
    assert.same(codes, column(readme.rows("docs/checking.md", "code"), 1))
  end)

  it("names properties of fields that there are", function()
    local client = gateway.config("rsa")
    for name in pairs(column(readme.rows("docs/checking.md", "property"), 1)) do
      if name:find("^[%l_]+$") and name ~= "true" then
        client.scenarios = { order = { MOVIE_TICKET = { fields = { { path = "extInfo.x", [name] = print } } } } }
        local _, err = alipayhk.new(client)
        assert.truthy(err.code:find("." .. name, 1, true), err.code)
        assert.is_nil(err.message:find("no such property", 1, true), err.message)
      end
    end
  end)
end)

-- ---- versions --------------------------------------------------------------------------------------

describe("SECURITY.md", function()
  it("names the version that there is as supported", function()
    local version = alipayhk._VERSION:match("^%d+%.%d+")
    assert.truthy(column(readme.rows("SECURITY.md", "version"), 1)[version .. ".x"], version)
  end)
end)
