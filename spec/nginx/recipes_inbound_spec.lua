-- The recipe examples/nginx/inbound, started as written and called as AlipayHK calls.

local core = require "alipayhk.core"
local json = require "cjson"
local keys = require "spec.support.data.keys"
local recipe = require "spec.support.servers.recipe"
local server = require "spec.support.servers.server"
local platform = require "alipayhk.api.platform"
local time = require "alipayhk.base.time"
local wire = require "alipayhk.exchange.wire"

describe("the recipe inbound", function()
  local CLIENT_ID = "4Q5Y8W0WSG45P907917"
  local PATH = "/alipayhk/notify?from=alipayhk"
  local own, merchant = keys.pair("alipayhk"), keys.pair("merchant")
  local calls, shop

  -- A call as AlipayHK signs it.
  local function call(body, headers, path)
    local now = time.text(core.now(), platform.utc_offset)
    local signature = assert(wire.sign(assert(core.private_key { file = own.private }),
      { algorithm = "RSA256", key_version = "1" }, wire.content("POST", path or PATH, CLIENT_ID, now, body)))
    local all = { ["Client-Id"] = CLIENT_ID, ["Request-Time"] = now, ["Signature"] = signature }
    for name, value in pairs(headers or {}) do all[name] = value end
    local raw = calls:post(PATH, body, all)
    assert.equal(200, raw.status)
    local sealed = raw.headers["encrypt"]
    local text = sealed and wire.open(sealed, raw.body, assert(core.private_key { file = own.private }))
    return json.decode(text or raw.body).result.resultCode, raw
  end

  local function handed_over()
    local bodies = {}
    for _, entry in ipairs(shop:log()) do bodies[#bodies + 1] = entry.body end
    return bodies
  end

  setup(function()
    shop = server.start { answer = { body = "stored" } }
    calls = recipe.start("inbound", {
      client_id = CLIENT_ID, base_url = "https://gateway.example",
      files = { ["merchant.pem"] = merchant.private, ["alipayhk.pem"] = own.public },
      ports = { ["8082"] = shop.ports.http },
    })
  end)
  before_each(function()
    shop:answer { body = "stored" }
    shop:forget()
  end)
  teardown(function()
    calls:stop()
    shop:stop()
  end)

  it("hands the very bytes of a call to the shop, once, and answers signed each time", function()
    local body = '{ "requestId": "one", "list": [], "number": 12345678901234567 }'
    for _ = 1, 2 do
      local code, raw = call(body)
      assert.equal("SUCCESS", code)
      local ring = { get = function() return assert(core.public_key { file = merchant.public }) end }
      assert.is_true(wire.verify(raw.headers["signature"],
        wire.content("POST", PATH, CLIENT_ID, raw.headers["response-time"], raw.body), ring))
    end
    assert.same({ body }, handed_over())
  end)

  it("asks AlipayHK to call again until the shop has it", function()
    local body = '{"requestId":"two"}'
    shop:answer { status = 500 }
    assert.equal("UNKNOWN_EXCEPTION", call(body))
    shop:answer { body = "stored" }
    assert.equal("SUCCESS", call(body))
    assert.equal("SUCCESS", call(body))
    assert.same({ body, body }, handed_over())
    assert.truthy(calls:log():find("the shop answered 500", 1, true))
  end)

  it("opens a sealed call for the shop", function()
    local body = '{ "requestId": "three", "amount": 123456789012345678, "list": [] }'
    local sealed, wrapped = core.seal(body, assert(core.public_key { file = merchant.public }))
    assert.equal("SUCCESS", call(sealed, {
      ["Encrypt"] = "algorithm=RSA_AES,keyVersion=1,symmetricKey=" .. core.percent_encode(wrapped),
    }))
    assert.same({ body }, handed_over())
  end)

  it("takes a stranger's word for nothing, not even for the path", function()
    assert.equal("INVALID_SIGNATURE", call("{}", { ["Signature"] = "algorithm=RSA256,signature=AA==" }))
    assert.equal("INVALID_SIGNATURE", call("{}", { ["X-Original-URI"] = "/elsewhere" }, "/elsewhere"))
    assert.equal(404, calls:post("/alipayhk/shop", "{}").status)
    assert.same({}, handed_over())
  end)
end)
