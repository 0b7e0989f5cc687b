-- The whole way of an order, over real TLS, to the local gateway and back.

local gateway = require "spec.support.servers.gateway"
local samples = require "spec.support.data.samples"

local APIS = {
  order = { method = "sync_order", sample = samples.order },
  contract_card = { method = "sync_contract_card", sample = samples.card },
}

local WAYS = {
  { name = "RSA256", kind = "rsa" },
  { name = "ECC224", kind = "ec" },
  { name = "RSA256, encrypted with PKCS#1 padding", kind = "rsa", config = { encrypt = true } },
  {
    name = "RSA256, encrypted with 128 bits", kind = "rsa",
    config = { encrypt = true, encryption = { key_bits = 128 } },
  },
  {
    name = "RSA256, encrypted as text/plain", kind = "rsa",
    config = { encrypt = true, encryption = { content_type = "text/plain; charset=UTF-8" } },
  },
}

describe("the way to the gateway and back", function()
  for api, about in pairs(APIS) do
    for _, way in ipairs(WAYS) do
      it(("%s by %s"):format(api, way.name), function()
        local client = gateway.client(way.kind, way.config)
        local response, err = client[about.method](client, about.sample())
        assert.is_nil(err)
        assert.equal("S", response.result.resultStatus)
        assert.equal("SUCCESS", response.result.resultCode)
        assert.equal(200, response.http_status)
        assert.equal(1, response.attempts)
        assert.is_true(response.authenticated)
        assert.truthy(response.tracer_id:find("^%x+$"))
        assert.truthy(response.response_time:find("^%d%d%d%d%-%d%d%-%d%dT"))
        assert.is_true(response.timing.total_ms > 0)
        client:close()
      end)
    end
  end

  it("carries every byte of the texts", function()
    local client = gateway.client("rsa")
    local response = assert(client:sync_order(samples.order { extInfo = { text = "電影票 \" \\ / \1 ✓" } }))
    assert.equal("TICKETED", response.body.orderStatus)
    assert.truthy(response.body.orderId)
    client:close()
  end)

  it("reaches other paths of the platform by call", function()
    local client = gateway.client("rsa")
    local response, err = client:call("/api/open/none?page=1", { a = 1 })
    assert.is_nil(response)
    assert.equal("result", err.kind)
    assert.equal("INVALID_API", err.code)
    assert.is_true(err.response.authenticated)
    client:close()
  end)

  it("sends what prepare gave, more than once, signed anew", function()
    local client = gateway.client("rsa")
    local request = assert(client:prepare("order", samples.order()))
    local first = request.headers["Signature"]
    assert(client:send(request))
    assert.truthy(request.headers["Signature"])
    assert(client:send(request))
    assert.equal("string", type(first))
    client:close()
  end)

  it("keeps its connection", function()
    local client = gateway.client("rsa")
    assert.is_true(assert(client:sync_order(samples.order())).timing.tls_ms > 0)
    assert.equal(0, assert(client:sync_order(samples.order())).timing.tls_ms)
    client:close()
  end)
end)

describe("keys that do not belong together", function()
  local function sync(kind, config)
    local client = gateway.client(kind, config)
    local response, err = client:sync_order(samples.order())
    client:close()
    assert.is_nil(response)
    return err
  end

  it("our signature is not the registered key's: an unauthenticated refusal", function()
    local err = sync("rsa", { client_id = gateway.values().ec_client_id })
    assert.equal("result", err.kind)
    assert.equal("INVALID_SIGNATURE", err.code)
    assert.is_false(err.response.authenticated)
    assert.truthy(err.message:find("not authenticated", 1, true))
  end)

  it("a client id that nobody has", function()
    local err = sync("rsa", { client_id = "NOBODY" })
    assert.equal("INVALID_CLIENT", err.code)
    assert.is_false(err.response.authenticated)
  end)

  it("another environment's public key: the answer is refused", function()
    local err = sync("rsa", { alipay_public_key = { file = gateway.values().ec_alipay_public_key } })
    assert.equal("signature", err.kind)
    assert.truthy(err.message:find("alipay_public_key", 1, true))
  end)
end)
