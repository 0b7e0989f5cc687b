-- What goes on the wire: headers, signed content, filled-in fields, JSON, encryption.

local cjson = require "cjson"
local core = require "alipayhk.core"
local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local PATHS = {
  order = "/api/open/alipay/v1/merchant/order/sync",
  contract_card = "/api/open/alipay/intl/promotion/order/contractCardSync",
}
local VALID = { order = samples.order, contract_card = samples.card }
local SIGNATURE = "^algorithm=(%w+),keyVersion=(%w+),signature=([%w%%._~-]+)$"
local SYMMETRIC_KEY = "^algorithm=RSA_AES,keyVersion=1,symmetricKey=([%w%%._~-]+)$"

-- 2024-05-22T06:42:21+08:00, the documents' sample.
local function now() return 1716331341.987 end

local rsa, p224 = double.new(), double.new { algorithm = "p224" }

local function prepare(gateway, config, ...)
  config = config or {}
  config.now = config.now or now
  return assert(gateway:client(config):prepare(...))
end

-- The bytes of a percent-encoded base64 value, which has none but upper-case escapes.
local function decoded(text)
  assert.is_nil(text:find("%%%x?%l"))
  assert.equal(text, core.percent_encode(core.percent_decode(text)))
  return assert(core.base64_decode(core.percent_decode(text)))
end

local function opened(request, encryption)
  local wrapped = decoded(request.headers["Encrypt"]:match(SYMMETRIC_KEY))
  return core.open(request.body, core.base64_encode(wrapped), rsa.private_key, encryption)
end

describe("the headers of a request", function()
  it("are those of the protocol", function()
    local headers = prepare(rsa, nil, "order", samples.order()).headers
    assert.equal(rsa.client_id, headers["Client-Id"])
    assert.equal("application/json; charset=UTF-8", headers["Content-Type"])
    assert.equal("2024-05-22T06:42:21+08:00", headers["Request-Time"])
    assert.matches(SIGNATURE, headers["Signature"])
    assert.is_nil(headers["Encrypt"])
    assert.is_nil(headers["Agent-Token"])
  end)

  it("have the Agent-Token that is configured", function()
    assert.equal("token-1", prepare(rsa, { agent_token = "token-1" }, "order", samples.order()).headers["Agent-Token"])
  end)

  local VERSIONS = { { nil, ",keyVersion=1," }, { 2, ",keyVersion=2," }, { "2024a", ",keyVersion=2024a," },
    { false, "RSA256,signature=" }, { 100000000, ",keyVersion=100000000," } }
  for _, case in ipairs(VERSIONS) do
    it(("have %q for key_version = %s"):format(case[2], tostring(case[1])), function()
      local signature = prepare(rsa, { key_version = case[1] }, "order", samples.order()).headers["Signature"]
      assert.matches(case[2], signature, 1, true)
    end)
  end

  it("have the system's time, without a clock of ours", function()
    local before = os.date("!%Y-%m-%dT%H:%M:%S", os.time() + 8 * 3600)
    local time = prepare(rsa, { now = core.now }, "order", samples.order()).headers["Request-Time"]
    assert.is_true(time:sub(1, 19) >= before)
    assert.is_true(time:sub(1, 19) <= os.date("!%Y-%m-%dT%H:%M:%S", os.time() + 8 * 3600))
    assert.equal("+08:00", time:sub(20))
  end)
end)

describe("the signature", function()
  local WAYS = {
    { "RSA256" },
    { "ECC224", {} },
    { "ECC224", { digest = "sha256" } },
    { "ECC224", { encoding = "p1363" } },
    { "ECC224", { digest = "sha256", encoding = "p1363" } },
  }
  for _, way in ipairs(WAYS) do
    local algorithm, ecc224 = way[1], way[2]
    for _, api in ipairs { "order", "contract_card" } do
      it(("of %s by %s %s is over the content of the protocol"):format(api, algorithm,
        ecc224 and cjson.encode(ecc224) or ""), function()
        local gateway = ecc224 and p224 or rsa
        local request = prepare(gateway, { ecc224 = ecc224, base_url = "https://gateway.example/ams/sandbox" },
          api, VALID[api]())
        local named, version, value = request.headers["Signature"]:match(SIGNATURE)
        local content = "POST /ams/sandbox" .. PATHS[api] .. "\n"
          .. gateway.client_id .. ".2024-05-22T06:42:21+08:00." .. request.body
        assert.equal(algorithm, named)
        assert.equal("1", version)
        assert.is_true(gateway.merchant_key:verify(content, decoded(value), ecc224))
        assert.is_false(gateway.merchant_key:verify(content .. " ", decoded(value), ecc224))
        if ecc224 and ecc224.encoding == "p1363" then assert.equal(56, #decoded(value)) end
      end)
    end
  end
end)

describe("prepare", function()
  it("gives all that is to be sent, and sends nothing", function()
    local order = samples.order { requestId = "r1" }
    rsa:answers { {} }
    local request = prepare(rsa, nil, "order", order)
    assert.equal("POST", request.method)
    assert.equal("https://gateway.example" .. PATHS.order, request.url)
    assert.equal(PATHS.order, request.path)
    assert.equal("r1", request.request_id)
    order.orderModifyTime = 1716331341987
    assert.same(order, cjson.decode(request.body))
    assert.equal(0, #rsa.requests)
  end)

  it("gives what send takes", function()
    local client = rsa:client { now = now }
    local request = assert(client:prepare("contract_card", samples.card()))
    local body = request.body
    rsa:answers { {} }
    local response = assert(client:send(request))
    assert.equal(request.request_id, response.request_id)
    assert.equal(body, rsa.requests[1].body)
    assert.is_true(rsa.requests[1].verified)
  end)

  it("takes the path of any other API, with its query string", function()
    local path = "/ams/api/v1/payments/inquiry?x=1&y=%E6%BC%A2"
    local request = prepare(rsa, { base_url = "https://gateway.example/pre" }, path, { colour = "red" })
    assert.equal("https://gateway.example/pre" .. path, request.url)
    assert.equal("/pre" .. path, request.path)
    assert.equal('{"colour":"red"}', request.body)
    rsa:answers { {} }
    local response = assert(rsa:client():call(path, { requestId = "r1" }))
    assert.equal("r1", response.request_id)
    assert.equal(path, rsa.requests[1].path)
    assert.is_true(rsa.requests[1].verified)
  end)

  it("gives what send refuses, once it was changed to go or to end elsewhere", function()
    local client = rsa:client()
    local CHANGES = {
      ["path"] = function(request)
        request.url = request.url:sub(1, -#request.path - 1) .. "1/a"
        request.path = "1/a"
      end,
      ["Content%-Length"] = function(request) request.headers["Content-Length"] = "0" end,
      ["transfer%-encoding"] = function(request) request.headers["transfer-encoding"] = "chunked" end,
      ["Host"] = function(request) request.headers["Host"] = "other.example" end,
      ["Connection"] = function(request) request.headers["Connection"] = "upgrade" end,
      ["a name of letters"] = function(request) request.headers["X Y: Z"] = "x" end,
      ["strings"] = function(request) request.headers["X-Number"] = 1 end,
    }
    for said, change in pairs(CHANGES) do
      local request = assert(client:prepare("order", samples.order()))
      change(request)
      assert.error_matches(function() client:send(request) end, "send: .*" .. said)
    end
  end)

  it("refuses a payload with all its faults, and so do the calls that send", function()
    local client = rsa:client()
    local order = samples.order { orderStatus = samples.ABSENT, colour = "red" }
    rsa:answers { {} }
    for _, method in ipairs { "prepare", "sync_order" } do
      local first = method == "prepare" and "order" or order
      local given, err = client[method](client, first, method == "prepare" and order or nil)
      assert.is_nil(given)
      assert.equal("invalid", err.kind)
      assert.equal("orderStatus", err.fields[1].path)
      assert.equal("colour", err.fields[2].path)
      assert.is_nil(err.fields[3])
    end
    assert.equal(0, #rsa.requests)
  end)
end)

describe("what is absent is filled in:", function()
  -- As RFC 9562 writes a UUID of version 4: x is any digit, v one of 8, 9, a, b.
  local IDS = { order = ("x"):rep(32), contract_card = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx" }
  local DIGITS = { x = "0123456789abcdef", v = "89ab" }
  local TIMES = { order = "orderModifyTime", contract_card = "bizDate" }

  for _, api in ipairs { "order", "contract_card" } do
    it("the requestId of " .. api, function()
      local client, seen, digits = rsa:client(), {}, {}
      for at = 1, #IDS[api] do digits[at] = {} end
      for _ = 1, 400 do
        local request = assert(client:prepare(api, VALID[api]()))
        local id = request.request_id
        assert.matches(('"requestId":"%s"'):format(id), request.body, 1, true)
        assert.is_nil(seen[id])
        seen[id] = true
        assert.equal(#IDS[api], #id)
        for at = 1, #id do digits[at][id:sub(at, at)] = true end
      end
      -- Each digit that a place may have, and no other.
      for at, found in ipairs(digits) do
        local sort = IDS[api]:sub(at, at)
        assert.equal(DIGITS[sort] or sort, table.concat(sorted_keys(found)))
      end
    end)

    it("the requestId of " .. api .. " by a function of the config", function()
      local asked
      local request = prepare(rsa, { request_id = function(name) asked = name; return "id-1" end }, api, VALID[api]())
      assert.equal(api, asked)
      assert.equal("id-1", request.request_id)
      assert.equal("id-1", cjson.decode(request.body).requestId)
    end)

    it("the time of " .. api .. ", digit for digit", function()
      local body = prepare(rsa, nil, api, VALID[api]()).body
      assert.matches(('"%s":1716331341987[,}]'):format(TIMES[api]), body)
    end)

    it("nothing of " .. api .. " that is there", function()
      local given = VALID[api] { requestId = "mine", [TIMES[api]] = 1632833743000 }
      local sent = cjson.decode(prepare(rsa, nil, api, given).body)
      assert.equal("mine", sent.requestId)
      assert.equal(1632833743000, sent[TIMES[api]])
    end)

    it("not in the caller's table, for " .. api, function()
      local extra = { languageBusinessInfo = { zh_HK = { bill_name = "煤氣賬單" } } }
      local given = VALID[api] {
        [api == "order" and "extInfo" or "syncDataInfo"] = extra,
        orderStatus = api == "contract_card" and "CLOSED" or nil,
      }
      local copy = cjson.decode(cjson.encode(given))
      prepare(rsa, nil, api, given)
      assert.same(copy, given)
      assert.is_table(extra.languageBusinessInfo.zh_HK)
    end)
  end
end)

describe("the time that is filled in", function()
  local START = 1716331341.5
  local clock

  -- The times of so many requests of one client whose clock is moved in between; by turns of either API, by turns sent.
  local function times(count, move)
    local list = {}
    clock = START
    p224:answers { {} }
    local client = p224:client { now = function() return clock end }
    for i = 1, count do
      local body
      if i % 3 == 0 then
        assert(client:sync_order(samples.order()))
        body = p224.requests[#p224.requests].body
      else
        local api = i % 3 == 1 and "order" or "contract_card"
        body = assert(client:prepare(api, VALID[api]())).body
      end
      list[i] = tonumber(body:match('"orderModifyTime":(%d+)[,}]') or body:match('"bizDate":(%d+)[,}]'))
      if move then move(i) end
    end
    return list
  end

  local function increases(list)
    for i = 2, #list do assert.is_true(list[i] > list[i - 1], ("%.0f after %.0f"):format(list[i], list[i - 1])) end
  end

  it("is another one for each request of a client, within one millisecond as well", function()
    local list = times(9)
    increases(list)
    assert.same({ START * 1000, START * 1000 + 8 }, { list[1], list[9] })
  end)

  it("goes on where the clock is set back a little, and is the clock's once that is ahead again", function()
    local list = times(9, function(i)
      if i == 3 then clock = clock - 300 end
      if i == 6 then clock = clock + 400 end
    end)
    increases(list)
    assert.same({ START * 1000 + 5, START * 1000 + 100000 }, { list[6], list[7] })
  end)

  it("is the clock's where that is set back by much: it was wrong before", function()
    local list = times(4, function(i)
      if i == 2 then clock = clock - 3600 end
    end)
    assert.same({ START * 1000, START * 1000 + 1, (START - 3600) * 1000, (START - 3600) * 1000 + 1 }, list)
  end)

  it("is one client's alone", function()
    clock = START
    for _ = 1, 2 do
      local client = p224:client { now = function() return clock end }
      assert.matches('"orderModifyTime":1716331341500[,}]', assert(client:prepare("order", samples.order())).body)
    end
  end)
end)

describe("languageBusinessInfo", function()
  it("is encoded to the strings of JSON that the API wants", function()
    local info = { bill_name = "煤氣\"賬單\"", bill_amount = "57000", seat_num = { "A1", "A2" }, at = 1716532941000 }
    local text = '{"bill_name":"Gas"}'
    local body = prepare(rsa, nil, "contract_card", samples.card {
      orderStatus = "CLOSED",
      syncDataInfo = { amount = 57000, languageBusinessInfo = { zh_HK = info, en_US = text } },
    }).body
    local sent = cjson.decode(body).syncDataInfo
    assert.same(info, cjson.decode(sent.languageBusinessInfo.zh_HK))
    assert.equal(text, sent.languageBusinessInfo.en_US)
    assert.equal(57000, sent.amount)
    assert.matches('\\"at\\":1716532941000', body, 1, true)
  end)
end)

describe("an encrypted request", function()
  local SETTINGS = { {}, { key_bits = 128 }, { key_bits = 192 }, { key_padding = "oaep" },
    { content_type = "text/plain; charset=UTF-8" } }
  for _, encryption in ipairs(SETTINGS) do
    it("with " .. cjson.encode(encryption) .. " opens, and its ciphertext is what is signed", function()
      local order = samples.order()
      local request = prepare(rsa, { encrypt = true, encryption = encryption }, "order", order)
      local content = ("POST %s\n%s.%s.%s"):format(
        PATHS.order, rsa.client_id, request.headers["Request-Time"], request.body)
      local _, _, signature = request.headers["Signature"]:match(SIGNATURE)
      assert.equal(encryption.content_type or "application/json; charset=UTF-8", request.headers["Content-Type"])
      assert.matches("^[%w+/]+=*$", request.body)
      assert.equal(order.merchantBizNo, cjson.decode(opened(request, encryption)).merchantBizNo)
      assert.is_true(rsa.merchant_key:verify(content, decoded(signature)))
    end)
  end

  it("has another key each time", function()
    local order = samples.order { requestId = "r1" }
    assert.not_equal(prepare(rsa, { encrypt = true }, "order", order).body,
      prepare(rsa, { encrypt = true }, "order", order).body)
  end)

  it("is the option of one call too, either way", function()
    assert.is_string(prepare(rsa, nil, "order", samples.order(), { encrypt = true }).headers["Encrypt"])
    assert.is_nil(prepare(rsa, { encrypt = true }, "order", samples.order(), { encrypt = false }).headers["Encrypt"])
  end)
end)

describe("a prepared request", function()
  it("is sealed or not since it was prepared: an option that comes too late is refused", function()
    local client = p224:client()
    local prepared = assert(client:prepare("order", samples.order()))
    for _, encrypt in ipairs { true, false } do
      local ran, message = pcall(client.send, client, prepared, { encrypt = encrypt })
      assert.is_false(ran)
      assert.matches("opts.encrypt: it was decided when `prepare` built this", message, 1, true)
    end
  end)
end)
