-- The recipe outbox, started as written: what is put arrives, whichever worker is killed.

local core = require "alipayhk.core"
local databases = require "spec.support.databases"
local json = require "cjson"
local recipe = require "spec.support.servers.recipe"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

describe("the recipe outbox", function()
  local alipayhk, orders, folder, path

  setup(function()
    alipayhk = scripted.start()
    local world = recipe.add_outbox(alipayhk:world())
    folder, path = world.outbox, world.outbox .. "/orders.db"
    orders = recipe.start("outbox", world)
  end)
  teardown(function()
    orders:stop()
    alipayhk:stop()
    shell.run("rm -r " .. folder)
  end)

  local function await_arrived(numbers)
    assert.truthy(recipe.await(function()
      local seen = alipayhk:seen()
      for _, number in ipairs(numbers) do
        if not seen[number] then return false end
      end
      return true
    end))
  end

  local function put_some(count)
    local numbers = {}
    for i = 1, count do
      numbers[i] = samples.biz_no()
      assert.equal(202, orders:post_order { merchantBizNo = numbers[i] }.status)
    end
    return numbers
  end

  -- The worker that delivers: the kernel knows who has the lock.
  local function deliverer()
    local inode = shell.run("stat -c %i " .. path .. "-deliver"):match("^%d+")
    for line in (shell.read("/proc/locks") or ""):gmatch("[^\n]+") do
      local pid = inode and line:match("FLOCK.-WRITE (%d+) %x+:%x+:" .. inode .. " ")
      if pid then return pid end
    end
  end

  -- Waits until another one than `before` delivers: its pid.
  local function await_deliverer(before)
    return assert(recipe.await(function()
      local pid = deliverer()
      return pid and pid ~= before and orders:workers()[pid] and pid
    end))
  end

  local function await_empty()
    assert.truthy(recipe.await(function()
      return databases.judge(path, "SELECT count(*) FROM event WHERE state IN ('waiting', 'sending')") == "0"
    end))
  end

  it("delivers what was put, by one of the workers", function()
    local numbers = put_some(20)
    await_arrived(numbers)
    assert.truthy(orders:workers()[await_deliverer()])
    await_empty()
    for _, number in ipairs(numbers) do assert.equal(1, alipayhk:seen()[number].times) end
  end)

  it("answers 422 with every fault, 400 to what is no object, and the first id to a key that comes again", function()
    assert.equal(422, orders:post_order { orderStatus = "EATEN" }.status)
    assert.equal(400, orders:post("/orders", "7").status)
    local body, headers = json.encode(samples.order()), { ["Idempotency-Key"] = samples.biz_no() }
    local first = orders:post("/orders", body, headers)
    assert.equal(202, first.status)
    assert.equal(first.body, orders:post("/orders", body, headers).body)
  end)

  it("logs what AlipayHK refuses for good", function()
    await_empty()
    alipayhk:control { codes = "PARAM_ILLEGAL/F" }
    local id = json.decode(orders:post_order().body).id
    assert.truthy(recipe.await(function()
      return orders:log():find(("the event %s was parked: alipayhk: result/PARAM_ILLEGAL"):format(id), 1, true)
    end))
  end)

  it("has another worker deliver when the first is killed, and what was under way arrives", function()
    alipayhk:control { hold = "1" }
    local numbers = put_some(5)
    local first = await_deliverer()
    assert.truthy(recipe.await(function()
      return databases.judge(path, "SELECT count(*) FROM event WHERE state = 'sending'") == "5"
    end))
    shell.must("kill -9 " .. first)
    await_deliverer(first)
    alipayhk:control { hold = "0" }
    for _, number in ipairs(put_some(5)) do numbers[#numbers + 1] = number end
    await_arrived(numbers)
  end)

  it("goes on over reloads: the old worker finishes what it sends, and a new one delivers", function()
    local numbers = {}
    for _ = 1, 3 do
      alipayhk:control { delay = "0.3" }
      local before = await_deliverer()
      for _, number in ipairs(put_some(5)) do numbers[#numbers + 1] = number end
      local began = core.monotonic()
      orders:reload()
      assert.is_true(core.monotonic() - began < 10)
      alipayhk:control { delay = "0" }
      await_deliverer(before)
    end
    await_arrived(numbers)
    for _, number in ipairs(numbers) do assert.equal(1, alipayhk:seen()[number].times) end
  end)

  it("says what is wrong while the file is gone, and delivers when it is back", function()
    shell.must(("mv %s %s.away"):format(path, path))
    assert.equal(500, orders:post_order().status)
    assert.truthy(orders:log():find("an order was not put: alipayhk: store/", 1, true))
    shell.must(("mv %s.away %s"):format(path, path))
    await_arrived(put_some(3))
  end)
end)
