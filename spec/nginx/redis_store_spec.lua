-- The store of an outbox in a Redis, inside nginx: handlers put, a timer delivers.

local merchant = require "spec.support.servers.nginx_merchant"
local nginx = require "spec.support.servers.nginx"
local redis_server = require "spec.support.servers.redis"

local HTTP = [[
  lua_shared_dict notes 1m;
  init_by_lua_block {
    one = assert(require("alipayhk.delivery.store").open("@url@", {
      client_id = "CLIENT", lease_ms = 60000, delay_max_ms = 300000,
    }))
    function said(result, fault)
      ngx.print(result and "ok" or fault.code .. " " .. tostring(fault.is_retryable) .. " " .. fault.message)
    end
  }
]]

local SERVER = [[
  location = /put { content_by_lua_block {
    local results, fault = one:put({ { api = "order", merchant_biz_no = ngx.var.arg_no, body = "\0" .. ngx.var.arg_no,
      status = "S", key = ngx.var.arg_key } }, { replicas = tonumber(ngx.var.arg_replicas) })
    if not results then return said(nil, fault) end
    ngx.print(results[1].id, results[1].exists and " exists" or "", results[1].replicas or "")
  } }
  location = /deliver { content_by_lua_block {
    ngx.timer.at(0, function()
      local outcomes, count = {}, 0
      repeat
        local turn = assert(one:turn(outcomes, 10))
        outcomes = {}
        for i, event in ipairs(turn.events) do
          assert(event.body == "\0" .. event.merchant_biz_no)
          outcomes[i], count = { event = event, state = "accepted" }, count + 1
        end
      until #outcomes == 0
      ngx.shared.notes:set("count", count)
    end)
    while not ngx.shared.notes:get("count") do ngx.sleep(0.02) end
    ngx.print(ngx.shared.notes:get("count"))
  } }
  location = /stats { content_by_lua_block { said(one:stats()) } }
  location = /phase { header_filter_by_lua_block {
    local _, fault = one:stats()
    ngx.header.said = fault.code .. " " .. fault.message
  } content_by_lua_block { ngx.print "" } }
]]

describe("a store in a Redis, inside nginx", function()
  local server, web

  setup(function()
    server = redis_server.start { password = "secret", lines = { "repl-diskless-sync-delay 0" } }
    web = nginx.start { http = HTTP:gsub("@url@", server.url(":secret@")), server = SERVER, workers = 2 }
  end)
  teardown(function()
    web.stop()
    server.stop()
  end)

  local function body_of(path) return (select(2, merchant.post(web.url .. path))) end

  it("takes events from handlers, and gives them to a timer", function()
    local ids = {}
    for i = 1, 40 do
      local id = body_of(("/put?no=A%d&key=k%d"):format(i % 7, i))
      assert.matches("^%d+$", id)
      assert.is_nil(ids[id])
      ids[id] = true
    end
    assert.matches("^%d+ exists$", body_of "/put?no=A1&key=k1")
    assert.equal("40", body_of "/deliver")
    assert.equal("ok", body_of "/stats")
  end)

  it("waits for replicas on the connection that it put on", function()
    local replica = redis_server.start { lines = { "replicaof 127.0.0.1 " .. server.port, "masterauth secret" } }
    assert.truthy(nginx.await(30, function()
      return server.cli("info", "replication"):find("state=online", 1, true)
    end))
    assert.matches("^%d+1$", body_of "/put?no=B&replicas=1")
    replica.kill() -- one that has just begun does not stop
  end)

  it("says what is wrong, and goes on when it is right again", function()
    server.cli("replicaof", "127.0.0.1", "1")
    assert.matches("^unreachable true .*name the primary in the URL", body_of "/put?no=C")
    server.cli("replicaof", "no", "one")
    assert.matches("^%d+$", body_of "/put?no=C")
    server.kill()
    assert.matches("^unreachable true .*connection refused.*is it running", body_of "/put?no=C")
    server.restart()
    assert.matches("^%d+$", body_of "/put?no=C")
    local _, _, headers = merchant.post(web.url .. "/phase")
    local said = type(headers) == "table" and headers.said or tostring(headers)
    assert.matches("failed .*nginx allows no connections in the phase header_filter", said)
  end)

  it("makes nginx log no alert and no error", function()
    assert.same({}, web.complaints { "lua entry thread aborted", "runtime error", "stack traceback" })
  end)
end)
