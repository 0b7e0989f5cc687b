-- The README's endpoint in a real nginx, called by AlipayHK: a client of this library that has AlipayHK's key.

local alipayhk = require "alipayhk"
local gateway = require "spec.support.servers.gateway"
local readme = require "spec.support.sources.readme"
local recipe = require "spec.support.servers.recipe"

local BEFORE = [[
local client = assert(require("alipayhk").new { client_id = "4Q5Y8W0WSG45P907917", environment = "testing",
  private_key = { file = "/etc/alipayhk/merchant.pem" }, alipay_public_key = { file = "/etc/alipayhk/alipayhk.pem" } })
local times = {}
local function save(payload)
  times[payload.requestId] = (times[payload.requestId] or 0) + 1
  ngx.log(ngx.WARN, "saved ", payload.requestId, " ", times[payload.requestId])
  if payload.requestId == "not-yet" and times["not-yet"] == 1 then return nil, "the database is away" end
  return true
end
]]

local CONFIGURATION = [[
load_module modules/ndk_http_module.so;
load_module modules/ngx_http_lua_module.so;
events { worker_connections 64; }

http {
  lua_package_path "/etc/alipayhk/?.lua;;";
  lua_shared_dict alipayhk_calls 1m;
  init_by_lua_block { require "calls" }
  server {
    listen 127.0.0.1:8080;
    location = /alipayhk { content_by_lua_block { require("calls")() } }
  }
}
]]

describe("the README's endpoint", function()
  local shop, itself

  setup(function()
    local values = gateway.values()
    local own = values.ca_file:match("^(.*/)")
    shop = recipe.start({
      ["calls.lua"] = BEFORE .. readme.block_with("alipayhk.nginx") .. "return endpoint\n",
      ["nginx.conf"] = CONFIGURATION,
    }, {
      client_id = values.rsa_client_id, base_url = values.base_url,
      files = { ["merchant.pem"] = values.rsa_private_key, ["alipayhk.pem"] = values.rsa_alipay_public_key },
    })
    itself = assert(alipayhk.new { client_id = values.rsa_client_id, base_url = shop.url, retry = false,
      private_key = { file = own .. "alipayhk-rsa.pem" }, alipay_public_key = { file = own .. "merchant-rsa.pub" } })
  end)
  teardown(function()
    itself:close()
    shop:stop()
  end)

  local function saved(id)
    return select(2, shop:log():gsub("saved " .. id:gsub("%-", "%%-") .. " ", ""))
  end

  it("handles a call, and answers signed", function()
    local response = assert(itself:call("/alipayhk", { requestId = "plain" }))
    assert.equal("SUCCESS", response.result.resultCode)
    assert.is_true(response.authenticated)
    response = assert(itself:call("/alipayhk", { requestId = "sealed" }, { encrypt = true }))
    assert.equal("SUCCESS", response.result.resultCode)
    assert.equal(1, saved("plain"))
    assert.equal(1, saved("sealed"))
  end)

  it("hands a call on once, however often it is sent", function()
    for _ = 1, 3 do assert(itself:call("/alipayhk", { requestId = "again" })) end
    assert.equal(1, saved("again"))
  end)

  it("asks to be called again where the function says so", function()
    local _, err = itself:call("/alipayhk", { requestId = "not-yet" })
    assert.equal("U", err.response.result.resultStatus)
    assert.equal("S", assert(itself:call("/alipayhk", { requestId = "not-yet" })).result.resultStatus)
    assert.equal(2, saved("not-yet"))
  end)

  it("refuses who is not AlipayHK", function()
    local values = gateway.values()
    local other = assert(alipayhk.new { client_id = values.rsa_client_id, base_url = shop.url, retry = false,
      private_key = { file = values.rsa_private_key }, verify_response = false })
    local _, err = other:call("/alipayhk", { requestId = "forged" })
    other:close()
    assert.equal("INVALID_SIGNATURE", err.code)
    assert.equal(0, saved("forged"))
  end)
end)
