-- A client's life in nginx: made before or after the fork, used in every worker, collected at every step.

local gateway = require "spec.support.servers.gateway"
local merchant = require "spec.support.servers.nginx_merchant"
local nginx = require "spec.support.servers.nginx"

local post = merchant.post

local function count(table_)
  local n = 0
  for _ in pairs(table_) do n = n + 1 end
  return n
end

describe("over a fork", function()
  local WORKERS, EACH, TRIES = 3, 3, 400

  local INIT = [[
    core = require "alipayhk.core"
    in_master = new_client()
    ec_key = assert(core.private_key { file = "%s" })
    function draw()
      return core.hex_encode(core.random_bytes(16)) .. " " .. core.hex_encode(ec_key:sign("the same bytes"))
    end
    draw() -- so that there is a generator's state to inherit
  ]]

  local SERVER = [[
    location ~ ^/(?<place>master|worker|request)$ { content_by_lua_block {
      local made = { master = in_master, worker = in_worker }
      local response, err = (made[ngx.var.place] or new_client()):sync_order(order)
      ngx.say(ngx.worker.pid(), " ", response and response.request_id, " ", outcome(response, err))
    } }
    location = /draw { content_by_lua_block { ngx.say(ngx.worker.pid(), " ", first_drawn) } }
  ]]

  local server

  -- Asks on new connections until every worker has answered `each` times: the answers without the pid.
  local function ask_every_worker(path, each)
    local by_worker, answers = {}, {}
    for _ = 1, TRIES do
      local status, body = post(server.url .. path, { headers = { Connection = "close" } })
      assert.equal(200, status)
      local pid, answer = body:match("^(%d+) (.*)$")
      assert.is_string(pid, body)
      by_worker[pid] = (by_worker[pid] or 0) + 1
      answers[#answers + 1] = answer
      local satisfied = 0
      for _, n in pairs(by_worker) do satisfied = satisfied + (n >= each and 1 or 0) end
      if satisfied == WORKERS then return answers end
    end
    error(("after %d requests only %d of %d workers had answered"):format(TRIES, count(by_worker), WORKERS))
  end

  setup(function()
    server = nginx.start {
      workers = WORKERS,
      listen = "reuseport",
      http = merchant.http(INIT:format(gateway.values().ec_private_key))
        .. "init_worker_by_lua_block { first_drawn = draw() in_worker = new_client() }",
      server = SERVER,
    }
  end)
  teardown(function() server.stop() end)

  local ids, all = {}, 0

  for _, place in ipairs { "master", "worker", "request" } do
    it("a client made in the " .. place .. " syncs orders in every worker", function()
      for _, answer in ipairs(ask_every_worker("/" .. place, EACH)) do
        local id, said = answer:match("^(%x+) (.*)$")
        assert.equal("SUCCESS", said)
        assert.equal(32, #id)
        ids[id] = true
        all = all + 1
      end
    end)
  end

  it("no request id comes twice", function()
    assert.is_true(all >= 3 * WORKERS * EACH)
    assert.equal(all, count(ids))
  end)

  it("every worker has random numbers of its own", function()
    local drawn, bytes, signatures = {}, {}, {}
    for _, answer in ipairs(ask_every_worker("/draw", 1)) do drawn[answer] = true end
    for answer in pairs(drawn) do
      local random, signature = answer:match("^(%x+) (%x+)$")
      bytes[random], signatures[signature] = true, true
    end
    assert.equal(WORKERS, count(bytes))
    -- Two ECDSA signatures with one secret number would give the key away.
    assert.equal(WORKERS, count(signatures))
  end)

  it("nginx has nothing to complain of", function()
    assert.same({}, merchant.alarms(server))
  end)
end)

describe("with a full collection at every instruction and no JIT", function()
  -- Traces run no hooks.
  local INIT = [[
    jit.off()
    shared = new_client()
    function stressed(work)
      local steps = 0
      debug.sethook(function() steps = steps + 1; collectgarbage() end, "", 1)
      local _, text = pcall(work)
      debug.sethook()
      ngx.say(text, " after ", steps)
    end
    endpoint = require("alipayhk.nginx").endpoint(shared, function(payload) seen = payload.requestId end)
  ]]

  local SERVER = [[
    location = /sync { content_by_lua_block { stressed(function() return outcome(shared:sync_order(order)) end) } }
    location = /encrypted { content_by_lua_block {
      stressed(function() return outcome(shared:sync_order(order, { encrypt = true })) end)
    } }
    location = /closed { content_by_lua_block { stressed(function()
      local client = new_client { private_key = require("alipayhk.core").private_key(config().private_key) }
      local text = outcome(client:sync_order(order))
      client:close()
      return text
    end) } }
    location = /left { content_by_lua_block { stressed(function()
      return outcome(new_client { base_url = "https://127.0.0.1:1", retry = false }:sync_order(order))
    end) } }
    location = /calls { content_by_lua_block {
      debug.sethook(function() collectgarbage() end, "", 1)
      pcall(endpoint)
      debug.sethook()
    } }
    location = /seen { content_by_lua_block { ngx.say(seen) } }
  ]]

  local server

  setup(function() server = nginx.start { http = merchant.http(INIT), server = SERVER } end)
  teardown(function() server.stop() end)

  local function stressed(path)
    local _, body = post(server.url .. path, { timeout_ms = 60000 })
    local text, steps = body:match("^(.*) after (%d+)$")
    assert.is_string(text, body)
    -- That the hook was there at all.
    assert.is_true(tonumber(steps) > 1000)
    return text
  end

  it("orders are synced, encrypted too", function()
    assert.equal("SUCCESS", stressed("/sync"))
    assert.equal("SUCCESS", stressed("/encrypted"))
  end)

  it("a client is made and closed, another fails and is left to the collector", function()
    assert.equal("SUCCESS", stressed("/closed"))
    assert.truthy(stressed("/left"):find("transport/connect", 1, true))
  end)

  it("a call from AlipayHK is taken", function()
    local body = '{"requestId":"stressed"}'
    local status, answer = post(server.url .. "/calls", merchant.call("/calls", body))
    assert.equal(200, status)
    assert.truthy(answer:find('"resultStatus":"S"', 1, true), answer)
    local _, seen = post(server.url .. "/seen")
    assert.equal("stressed", seen)
  end)

  it("nginx has nothing to complain of", function()
    assert.same({}, merchant.alarms(server))
  end)
end)

-- As while one develops: each request has a Lua state of its own, which is closed with it.
describe("with lua_code_cache off", function()
  local SHOP = [[
    local client = assert(require("alipayhk").new {
      client_id = %q, base_url = %q, private_key = { file = %q }, alipay_public_key = { file = %q },
    })
    return function(order)
      local response, err = client:sync_order(order)
      return response and response.result.resultCode or tostring(err)
    end
  ]]

  local SERVER = [[
    lua_code_cache off;
    location = /sync { content_by_lua_block {
      ngx.say(require("shop") {
        merchantBizNo = "NGINX-3", merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", userId = "1",
        orderCreateTime = 1716338541000, extInfo = {},
      })
    } }
    location = /mapped { content_by_lua_block {
      local mapped = io.open("/proc/self/maps"):read("*a"):find("alipayhk/core.so", 1, true)
      ngx.say(tostring(package.loaded["alipayhk.core"] ~= nil), " ", tostring(mapped ~= nil))
    } }
  ]]

  local server

  setup(function()
    local values = gateway.values()
    server = nginx.start {
      http = ("lua_ssl_trusted_certificate %s; lua_ssl_verify_depth 3;"):format(values.ca_file),
      server = SERVER,
      files = {
        ["shop.lua"] = SHOP:format(values.rsa_client_id, values.base_url, values.rsa_private_key,
          values.rsa_alipay_public_key),
      },
    }
  end)
  teardown(function() server.stop() end)

  local function get(path)
    local _, body = post(server.url .. path)
    return body
  end

  it("orders are synced by one state after the other", function()
    assert.equal("false false", get("/mapped"))
    for _ = 1, 20 do assert.equal("SUCCESS", get("/sync")) end
  end)

  it("the core outlives the states that loaded it", function() assert.equal("false true", get("/mapped")) end)

  it("nginx has nothing to complain of", function() assert.same({}, merchant.alarms(server)) end)
end)
