-- What a client does otherwise inside nginx: the clock, warnings in the log.

local curl = require "alipayhk.curl"
local keys = require "spec.support.data.keys"
local nginx = require "spec.support.servers.nginx"

local MODULE = [[
local alipayhk, core = require "alipayhk", require "alipayhk.core"
local platform, time_text = require "alipayhk.api.platform", require("alipayhk.base.time").text
local probe = {}

local function client(config)
  config.client_id, config.base_url = "4Q5Y8W0WSG45P907917", "https://gateway.example"
  config.private_key, config.verify_response = { file = "@key@" }, false
  return assert(alipayhk.new(config))
end

local function order(extra)
  local made = {
    merchantBizNo = "MB-1", merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", userId = "2160120012345678",
    orderCreateTime = 1716338541000, extInfo = {},
  }
  for name, value in pairs(extra) do made[name] = value end
  return made
end

-- Whether the times of a request are the clock's, after work that kept the worker busy.
function probe.clock()
  local made = client {}
  local started = core.monotonic()
  while core.monotonic() - started < 2.5 do end
  local request = assert(made:prepare("order", order {}))
  local now, time, offset = core.now(), request.headers["Request-Time"], platform.utc_offset
  ngx.say(time == time_text(now, offset) or time == time_text(now - 1, offset), " ",
    now * 1000 - tonumber(request.body:match('"orderModifyTime":(%d+)')) < 1000)
end

local function fields(count)
  local list = {}
  for i = 1, count do
    list[i] = { path = ("extInfo.own%d"):format(i), type = "string", required = true, confidence = "INFERRED" }
  end
  return { order = { MOVIE_TICKET = { fields = list }, PASS_TICKET = { fields = list } } }
end

function probe.warnings()
  for _ = 1, 3 do
    local made = client { scenarios = fields(2) }
    assert(#made:prepare("order", order {}).warnings == 2)
    assert(#made:prepare("order", order { merchantBizType = "PASS_TICKET" }).warnings == 2)
  end
  assert(client({}):prepare("order", order {}))
  ngx.say("done")
end

function probe.many()
  local made = client { scenarios = fields(1500) }
  for _ = 1, 2 do assert(#made:prepare("order", order {}).warnings == 1500) end
  ngx.say("done")
end

return probe
]]

local function start()
  local locations = {}
  for _, name in ipairs { "clock", "warnings", "many" } do
    locations[#locations + 1] = ('location = /%s { content_by_lua_block { require("probe").%s() } }'):format(name, name)
  end
  return nginx.start {
    server = table.concat(locations, "\n"),
    files = { ["probe.lua"] = (MODULE:gsub("@key@", keys.pair("merchant").private)) },
  }
end

describe("a client inside nginx", function()
  local server = start()
  local handle = curl.new()

  local function ask(path)
    local answer = assert(handle:send {
      method = "POST", url = server.url .. path, headers = {}, body = "",
      connect_timeout_ms = 5000, timeout_ms = 30000, max_response_bytes = 1048576,
    })
    assert.equal(200, answer.status, server.log())
    return answer.body
  end

  local function warned()
    local lines = {}
    for line in server.log():gmatch("[^\n]+") do
      local message = line:match("%[warn%].-: (alipayhk: [^,]*)")
      if message then lines[#lines + 1] = message end
    end
    return lines
  end

  teardown(function()
    handle:close()
    server.stop()
  end)

  it("has the true time, however long the worker was busy", function()
    assert.equal("true true\n", ask("/clock"))
  end)

  it("logs a warning once for each path and scenario", function()
    assert.equal("done\n", ask("/warnings"))
    local lines = warned()
    assert.equal(4, #lines, table.concat(lines, "\n"))
    for i, said in ipairs { "MOVIE_TICKET: extInfo.own1: ", "MOVIE_TICKET: extInfo.own2: ",
      "PASS_TICKET: extInfo.own1: ", "PASS_TICKET: extInfo.own2: " } do
      assert.matches(said, lines[i], 1, true)
    end
  end)

  it("logs no more than a thousand of them, and says so", function()
    assert.equal("done\n", ask("/many"))
    local lines = warned()
    assert.equal(1001, #lines)
    assert.matches("no further", lines[1001], 1, true)
  end)
end)
