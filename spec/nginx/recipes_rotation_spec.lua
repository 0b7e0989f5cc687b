-- The recipe examples/nginx/key-rotation, started as written: keys change while orders go on.

local json = require "cjson"
local recipe = require "spec.support.servers.recipe"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

-- A process of its own that posts one order after the other, each over a connection of its own, until the
-- file `stop` is there. Its output is a line for each answer.
local LOAD = [[
  local url, order, stop = ...
  local handle = require("alipayhk.curl").new()
  repeat
    local raw, err = handle:send { method = "POST", url = url, headers = { Connection = "close" }, body = order,
      connect_timeout_ms = 5000, timeout_ms = 30000, max_response_bytes = 65536 }
    io.stdout:write(raw and raw.status .. " " .. raw.body or err.code .. ": " .. err.message .. "\n")
    io.stdout:flush()
  until io.open(stop)
]]
local START_LOAD = 'eval "$(make -s env LUA=luajit)"; luajit %s/load.lua %s/orders %s %s/stop > %s/load 2>&1 &'

-- What an operator makes of keys.lua: other texts in the place of its own.
local ALIPAYHK_1 = '[1] = { file = "/etc/alipayhk/alipayhk-1.pem" },'
local ALIPAYHK_2 = '[2] = { file = "/etc/alipayhk/alipayhk-2.pem" },'

describe("the recipe key-rotation", function()
  local alipayhk, orders

  before_each(function()
    alipayhk = scripted.start()
    local world = alipayhk:world()
    world.files = {}
    for version = 1, 2 do
      world.files[("merchant-%d.pem"):format(version)] = alipayhk.merchant[version].private
      world.files[("alipayhk-%d.pem"):format(version)] = alipayhk.own[version].public
    end
    orders = recipe.start("key-rotation", world)
  end)
  after_each(function()
    orders:stop()
    alipayhk:stop()
  end)

  local function write_keys(changes)
    local text = shell.read("examples/nginx/key-rotation/keys.lua")
    for from, to in pairs(changes) do
      local first, last = text:find(from, 1, true)
      assert(first, "keys.lua no longer has: " .. from)
      text = text:sub(1, first - 1) .. to .. text:sub(last + 1)
    end
    orders:replace("keys.lua", (text:gsub("/etc/alipayhk", orders.directory)))
  end

  local function load_lines()
    return select(2, (shell.read(orders.directory .. "/load") or ""):gsub("\n", ""))
  end

  -- Returns when the load has had some answers more.
  local function load_goes_on()
    local before = load_lines()
    assert(recipe.await(function() return load_lines() >= before + 20 end), "the load does not go on")
  end

  it("changes both sides' keys without an order that fails", function()
    local d = orders.directory
    shell.write(d .. "/load.lua", LOAD)
    shell.run(START_LOAD:format(d, orders.url, shell.quote(json.encode(samples.order())), d, d))
    load_goes_on()

    -- A new key of AlipayHK's.
    write_keys { [ALIPAYHK_1] = ALIPAYHK_1 .. ALIPAYHK_2 }
    orders:reload()
    alipayhk:control { signs = "2" }
    load_goes_on()
    write_keys { [ALIPAYHK_1] = ALIPAYHK_2 }
    orders:reload()
    load_goes_on()

    -- A new key of ours.
    alipayhk:control { accepts = "1,2" }
    write_keys { [ALIPAYHK_1] = ALIPAYHK_2, ["key_version = 1"] = "key_version = 2", ["merchant-1"] = "merchant-2" }
    orders:reload()
    alipayhk:control { accepts = "2" }
    os.remove(d .. "/merchant-1.pem")
    load_goes_on()

    shell.write(d .. "/stop", "")
    assert.equal("", (shell.read(d .. "/load"):gsub("200 synced\n", "")))
    -- The key of each request: the old one's for as long as there are old workers.
    assert.truthy(alipayhk:versions():find("^1+[12]*2+$"), alipayhk:versions())
  end)

  it("in another order orders fail", function()
    assert.equal(200, orders:post_order().status)
    alipayhk:control { signs = "2" }
    local raw = orders:post_order()
    assert.equal(502, raw.status)
    assert.truthy(raw.body:find("signed with key version 2; the versions given are 1", 1, true), raw.body)

    alipayhk:control { signs = "1", accepts = "2" }
    assert.truthy(orders:post_order().body:find("INVALID_SIGNATURE", 1, true))
  end)

  it("a reload whose keys cannot be read changes nothing, and the log says why", function()
    local workers
    -- As many as `worker_processes auto` means: they come one after the other.
    local count = tonumber(shell.must("getconf _NPROCESSORS_ONLN"))
    assert.truthy(recipe.await(function()
      workers = orders:workers()
      local found = 0
      for _ in pairs(workers) do found = found + 1 end
      return found == count
    end))
    write_keys { ["merchant-1"] = "merchant-3" }
    orders:signal("HUP")
    assert.truthy(recipe.await(function() return orders:log():find("merchant-3.pem", 1, true) end))
    assert.same(workers, orders:workers())
    assert.equal(200, orders:post_order().status)
  end)
end)
