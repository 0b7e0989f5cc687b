-- nginx under valgrind, in one process: what our C code does with memory of malloc's, and what it leaves.
-- (LuaJIT's own memory is not malloc's: for userdata see `make test-asan`.)

local merchant = require "spec.support.servers.nginx_merchant"
local nginx = require "spec.support.servers.nginx"
local only_with = require "spec.support.asserting.only_with"
local shell = require "spec.support.shell"

local post = merchant.post

-- A machine with nothing else to do needs 15 seconds for all of it.
local ANSWERING_MS, ENDING = 60000, 120

-- `keep-debuginfo`: nginx closes its modules at its end, before the leaks are looked for.
local VALGRIND = "valgrind --leak-check=full --show-leak-kinds=definite,possible --keep-debuginfo=yes"
  .. " --num-callers=50 --fullpath-after= --log-file=%s"

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

-- The paragraphs of valgrind's report.
local function paragraphs(report)
  local list = {}
  local text = report:gsub("==%d+== ?", "")
  for paragraph in (text .. "\n\n"):gmatch("(.-)\n%s*\n") do list[#list + 1] = paragraph end
  return list
end

local root = shell.must("pwd"):match("[^\n]+")

-- By our sources, or by the module where it has no line numbers. What others do is not ours to judge: nginx, for one,
-- never frees its environment.
local function is_ours(paragraph)
  return paragraph:find(root .. "/csrc/", 1, true) or paragraph:find("alipayhk/core.so", 1, true)
end

describe("nginx under valgrind", function()
  local has_valgrind = select(2, shell.run("valgrind true")) == 0
  local test = only_with(has_valgrind, "needs valgrind", it, pending)

  test("has nothing to say of 20 syncs and 2 calls", function()
    local path_of_report = shell.directory() .. "/report"
    local server = nginx.start {
      master = false, launcher = VALGRIND:format(path_of_report), http = merchant.http(HTTP), server = SERVER,
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

    local report = shell.read(path_of_report)
    assert.truthy(report:find("ERROR SUMMARY", 1, true))
    for _, paragraph in ipairs(paragraphs(report)) do
      assert.is_nil(paragraph:find("Invalid %a+"), paragraph)
      assert.is_falsy(is_ours(paragraph), paragraph)
    end
  end)
end)
