-- nginx under valgrind, in one process: what our C code does with memory of malloc's, and what it leaves.
-- (LuaJIT's own memory is not malloc's: for userdata see `make test-asan`.)

local merchant = require "spec.support.servers.nginx_merchant"
local nginx = require "spec.support.servers.nginx"
local only_with = require "spec.support.asserting.only_with"
local shell = require "spec.support.shell"
local valgrind = require "spec.support.valgrind"

local post = merchant.post

-- A machine with nothing else to do needs 15 seconds for all of it.
local ANSWERING_MS, ENDING = 60000, 120

local HTTP = [[
  in_master = new_client { encryption = { key_padding = "oaep" } }
  endpoint = require("alipayhk.nginx").endpoint(in_master, function(payload)
    if payload.fail then error("the handler failed") end
  end)
]]

local SERVER = [[
  location = /sync { content_by_lua_block { ngx.say(outcome(in_master:sync_order(order))) } }
  location = /encrypted { content_by_lua_block {
    local client = new_client { encrypt = true }
    ngx.say(outcome(client:sync_order(order)))
    client:close()
  } }
  location = /invalid { content_by_lua_block { ngx.say(outcome(in_master:sync_order {})) } }
  location = /refused { content_by_lua_block {
    local client = new_client { base_url = "https://127.0.0.1:1", retry = { max_attempts = 2, base_delay_ms = 1 } }
    ngx.say(outcome(client:sync_order(order)))
  } }
  location = /forged { content_by_lua_block {
    local client = new_client { base_url = config().base_url .. "/elsewhere", retry = false }
    ngx.say(outcome(client:sync_order(order)))
  } }
  location = /key { content_by_lua_block {
    ngx.say(tostring(select(2, alipayhk.new(config { private_key = "no key" }))))
  } }
  location = /calls { content_by_lua_block { endpoint() } }
  location = /collect { content_by_lua_block { collectgarbage() collectgarbage() } }
]]

local SYNCS = {
  { "/sync", 8, "^SUCCESS$" },
  { "/encrypted", 4, "^SUCCESS$" },
  { "/invalid", 2, "^alipayhk: invalid" },
  { "/refused", 2, "^alipayhk: transport/connect" },
  { "/forged", 2, "^alipayhk: result/INVALID" },
  { "/key", 2, "^alipayhk: config" },
}

describe("nginx under valgrind", function()
  local test = only_with(valgrind.is_there(), "needs valgrind", it, pending)

  test("has nothing to say of 20 syncs and 2 calls", function()
    local path_of_report = shell.directory() .. "/report"
    local server = nginx.start {
      master = false, launcher = valgrind.launcher(path_of_report), http = merchant.http(HTTP), server = SERVER,
    }
    for _, sync in ipairs(SYNCS) do
      local path, times, expected = sync[1], sync[2], sync[3]
      for _ = 1, times do
        local _, body = post(server.url .. path, { timeout_ms = ANSWERING_MS })
        assert.truthy(body:find(expected), body)
      end
    end
    for body, expected in pairs { ['{"requestId":"1"}'] = '"S"', ['{"fail":true}'] = '"U"' } do
      local call = merchant.call("/calls", body)
      call.timeout_ms = ANSWERING_MS
      local _, answer = post(server.url .. "/calls", call)
      assert.truthy(answer:find(expected, 1, true), answer)
    end
    post(server.url .. "/collect", { timeout_ms = ANSWERING_MS })
    server.signal("QUIT")
    assert.equal(0, server.wait(ENDING))
    assert.same({}, merchant.alarms(server))

    assert.is_nil(shell.read(path_of_report):find("Invalid %a+"))
    assert.same({}, valgrind.complaints(path_of_report))
  end)
end)
