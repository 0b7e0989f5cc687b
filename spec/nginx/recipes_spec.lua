-- The recipes of examples/nginx, each started as written on a real nginx and driven.

local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local gateway = require "spec.support.servers.gateway"
local json = require "cjson"
local nginx = require "spec.support.servers.nginx"
local recipe = require "spec.support.servers.recipe"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

-- Two orders and one that nobody takes, over the transport of docs/nginx.md.
local HANDLER = [[
  local alipayhk = require "alipayhk"
  local order = { merchantBizNo = "RESTY-1", merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", userId = "1",
    orderCreateTime = 1716338541000, extInfo = {} }
  return function()
    local found, transport = pcall(require, "resty_transport")
    if not found then return ngx.say(transport) end
    local config = { client_id = "%s", base_url = "%s", private_key = { file = "%s" },
      alipay_public_key = { file = "%s" }, transport = transport, retry = false }
    local client = assert(alipayhk.new(config))
    for _ = 1, 2 do
      local response, err = client:sync_order(order)
      ngx.say(response and response.result.resultCode or tostring(err))
    end
    config.base_url = "https://127.0.0.1:1"
    local _, err = assert(alipayhk.new(config)):sync_order(order)
    ngx.say(err.kind, "/", err.code)
  end
]]

local function at_gateway(extra)
  local values = gateway.values()
  local world = {
    client_id = values.rsa_client_id, base_url = values.base_url, ca_file = values.ca_file,
    files = { ["merchant.pem"] = values.rsa_private_key, ["alipayhk.pem"] = values.rsa_alipay_public_key },
  }
  for name, value in pairs(extra or {}) do world[name] = value end
  return world
end

describe("the recipe sync-order", function()
  local orders

  setup(function() orders = recipe.start("sync-order", at_gateway()) end)
  teardown(function() orders:stop() end)

  it("answers 200 with AlipayHK's result", function()
    local raw = orders:post_order()
    assert.equal(200, raw.status)
    assert.equal("SUCCESS", json.decode(raw.body).resultCode)
  end)

  it("takes an order as long as it says, and none that is longer", function()
    assert.equal(200, orders:post_order { extInfo = { note = ("x"):rep(60000) } }.status)
    assert.equal(413, orders:post_order { extInfo = { note = ("x"):rep(65536) } }.status)
  end)

  it("answers 422 with every fault, 400 to what is no object", function()
    local raw = orders:post_order { merchantBizNo = samples.ABSENT, orderStatus = "EATEN" }
    assert.equal(422, raw.status)
    assert.equal(2, #json.decode(raw.body).fields)
    assert.equal(400, orders:post("/orders", "7").status)
    assert.equal(400, orders:post("/orders").status)
  end)

  it("answers 502 when AlipayHK cannot be reached, and its log says why", function()
    local alone = recipe.start("sync-order", at_gateway { base_url = "https://127.0.0.1:1" })
    local raw = alone:post_order()
    alone:stop()
    assert.equal(502, raw.status)
    assert.same({ kind = "transport", code = "connect", retryable = true }, json.decode(raw.body))
    assert.truthy(alone:log():find("transport/connect", 1, true))
  end)

  it("needs no right to read a key in the workers, and no file at all", function()
    for name in pairs(at_gateway().files) do assert(os.remove(orders.directory .. "/" .. name)) end
    assert.equal(200, orders:post_order().status)
  end)
end)

describe("the recipe fire-and-forget", function()
  local alipayhk, orders
  local WAITING_MAX, RUNNING_MAX = 500, 20 -- as it says

  setup(function()
    alipayhk = scripted.start()
    orders = recipe.start("fire-and-forget", alipayhk:world())
  end)
  teardown(function()
    orders:stop()
    alipayhk:stop()
  end)

  it("answers 202, and the order arrives", function()
    local number = samples.biz_no()
    assert.equal(202, orders:post_order { merchantBizNo = number }.status)
    assert.truthy(recipe.await(function() return alipayhk:seen()[number] end))
  end)

  it("answers 422 while somebody is there to be told", function()
    local raw = orders:post_order { orderStatus = "EATEN" }
    assert.equal(422, raw.status)
    assert.equal("orderStatus", json.decode(raw.body).fields[1].path)
    assert.equal(400, orders:post("/orders", "7").status)
  end)

  it("retries, and logs the order that is refused all the same", function()
    local retried, refused = samples.biz_no(), samples.biz_no()
    alipayhk:control { codes = "UNKNOWN_EXCEPTION/U,SUCCESS/S,PARAM_ILLEGAL/F" }
    orders:post_order { merchantBizNo = retried }
    assert.truthy(recipe.await(function() return (alipayhk:seen()[retried] or {}).times == 2 end))
    orders:post_order { merchantBizNo = refused }
    assert.truthy(recipe.await(function()
      return orders:log():find("the order " .. refused .. " is not synced: alipayhk: result/PARAM_ILLEGAL", 1, true)
    end))
    assert.is_nil(orders:log():find(retried, 1, true))
  end)

  it("has no room for ever more, and sends what waits though nginx is told to quit", function()
    local workers = 0
    for _ in pairs(orders:workers()) do workers = workers + 1 end
    local bound = (WAITING_MAX + RUNNING_MAX) * workers
    local accepted, raw = {}
    alipayhk:control { hold = "1" }
    repeat
      local number = samples.biz_no()
      raw = orders:post_order { merchantBizNo = number }
      if raw.status == 202 then accepted[#accepted + 1] = number end
    until raw.status ~= 202 or #accepted > bound
    assert.equal(503, raw.status)
    assert.equal("1", raw.headers["retry-after"])
    assert.is_true(#accepted >= WAITING_MAX + RUNNING_MAX and #accepted <= bound, #accepted)

    local accepted_ms = core.now() * 1000
    orders:signal("QUIT")
    assert.truthy(recipe.await(function() return orders:log():find("gracefully shutting down", 1, true) end))
    alipayhk:control { hold = "0" }
    assert.truthy(recipe.await(function() return not orders:is_alive() end))
    local seen = alipayhk:seen()
    for _, number in ipairs(accepted) do
      assert.truthy(seen[number], number)
      -- The time of the event: an order that waited is not newer than one that overtook it.
      assert.is_true(seen[number].modified_ms <= accepted_ms, number)
    end
  end)
end)

describe("docs/nginx.md", function()
  local text = shell.read("docs/nginx.md")

  it("lists the recipes that there are", function()
    local listed = {}
    for name in text:gmatch("\n| %[`([%l-]+)`%]%(%.%./examples/nginx/") do listed[#listed + 1] = name end
    table.sort(listed)
    assert.equal(shell.must("ls examples/nginx"), table.concat(listed, "\n") .. "\n")
  end)

  it("has a transport by lua-resty-http that carries orders", function()
    local values = gateway.values()
    local server = nginx.start {
      http = ("lua_ssl_trusted_certificate %s; lua_ssl_verify_depth 3;"):format(values.ca_file),
      files = { ["resty_transport.lua"] = text:match("```lua\n(local http = .-)```"), ["handler.lua"] = HANDLER:format(
        values.rsa_client_id, values.base_url, values.rsa_private_key, values.rsa_alipay_public_key) },
      server = 'location / { content_by_lua_block { require("handler")() } }',
    }
    local handle = curl.new()
    local raw = handle:send { method = "POST", url = server.url .. "/", headers = {}, body = "",
      connect_timeout_ms = 5000, timeout_ms = 30000, max_response_bytes = 65536 }
    handle:close()
    server.stop()
    if raw.body:find("module 'resty.http' not found", 1, true) then return pending("needs lua-resty-http") end
    assert.equal("SUCCESS\nSUCCESS\ntransport/reset\n", raw.body)
  end)
end)
