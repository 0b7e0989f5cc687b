-- sync_many inside nginx: light threads over cosockets.

local merchant = require "spec.support.servers.nginx_merchant"
local nginx = require "spec.support.servers.nginx"
local scripted = require "spec.support.servers.scripted_alipayhk"

local INIT = [[
  client = new_client()
  function events(count, orders)
    local i = 0
    return function()
      i = i + 1
      if i > count then return nil end
      local made = {}
      for name, value in pairs(order) do made[name] = value end
      made.merchantBizNo = "N-" .. i %% orders
      return made
    end
  end
  function told(totals) return table.concat({ totals.taken, totals.accepted, totals.refused, totals.failed }, " ") end
]]

local SERVER = [[
  location = /many { content_by_lua_block {
    local results = 0
    local totals = client:sync_many(events(90, 30), { concurrency = 12, on_result = function(result)
      results = results + 1
      ngx.log(ngx.INFO, "one ended")
    end })
    ngx.say(told(totals), " ", results)
  } }
  location = /signers { content_by_lua_block { ngx.say(pcall(client.sync_many, client, {}, { signers = 2 })) } }
  location = /throws { content_by_lua_block {
    ngx.say(pcall(client.sync_many, client, events(20, 20), { on_result = function() error("enough", 0) end }))
  } }
  location = /rate { content_by_lua_block {
    local totals = client:sync_many(events(30, 30), { rate = 60 })
    ngx.say(told(totals), " ", totals.seconds > 0.4)
  } }
  location = /timer { content_by_lua_block {
    ngx.timer.at(0, function() ngx.shared.notes:set("told", told(client:sync_many(events(40, 4), {}))) end)
    while not ngx.shared.notes:get("told") do ngx.sleep(0.02) end
    ngx.say(ngx.shared.notes:get("told"))
  } }
]]

describe("sync_many inside nginx", function()
  local alipay, server

  setup(function()
    alipay = scripted.start()
    local config = alipay:config()
    server = nginx.start {
      http = merchant.http(INIT:gsub("%%%%", "%%"), {
        ca_file = config.tls.ca_file, rsa_client_id = config.client_id, base_url = config.base_url,
        rsa_private_key = config.private_key.file, rsa_alipay_public_key = config.alipay_public_key.file,
      }),
      server = SERVER,
    }
  end)
  teardown(function()
    server.stop()
    alipay:stop()
  end)

  local function body_of(path)
    return (select(2, merchant.post(server.url .. path)))
  end

  it("sends many at once, and those of one order one after the other", function()
    alipay:control { delay = "0.02" }
    assert.equal("90 90 0 0 90", body_of "/many")
    local all, of_one = alipay:most()
    assert.is_true(all > 4 and all <= 12, all)
    assert.equal(1, of_one)
    alipay:control { delay = "0" }
  end)

  it("keeps to a rate", function()
    assert.equal("30 30 0 0 true", body_of "/rate")
  end)

  it("throws on what on_result throws", function()
    assert.equal("falseenough", body_of "/throws")
  end)

  it("refuses threads, and says why", function()
    assert.matches("opts.signers: plain Lua only", body_of "/signers", 1, true)
  end)

  it("runs in a timer", function()
    assert.equal("40 40 0 0", body_of "/timer")
  end)

  it("makes nginx log no alert and no error", function()
    assert.same({}, server.complaints { "lua entry thread aborted", "runtime error", "stack traceback" })
  end)
end)
