-- The process that we run in: a plain script, or an nginx, which is a table here. spec/nginx/client_spec.lua has a real
-- one.

local core = require "alipayhk.core"
local runtime = require "alipayhk.base.runtime"

local ERR, WARN = 4, 5

describe("a plain script", function()
  it("has no nginx, not even where there is another global of that name", function()
    finally(function() rawset(_G, "ngx", nil) end)
    for _, other in ipairs { false, "ngx", {} } do
      rawset(_G, "ngx", other)
      assert.is_nil(runtime.nginx())
      assert.is_false(runtime.in_nginx())
      assert.is_false(runtime.is_exiting())
    end
  end)

  it("has no log", function()
    runtime.log("nobody", "hears it")
    runtime.warn_once("key", "nobody hears it")
  end)

  it("has the time of day, and sleeps milliseconds by a clock that has them", function()
    assert.is_true(math.abs(runtime.now() - os.time()) < 30)
    local began_ms = runtime.monotonic_ms()
    runtime.sleep(20)
    local took_ms = runtime.monotonic_ms() - began_ms
    assert.is_true(took_ms >= 20 and took_ms < 5000, took_ms)
    assert.is_true(math.abs(core.monotonic() * 1000 - runtime.monotonic_ms()) < 1000)
  end)

  it("has coroutines that wait as each was told", function()
    assert.is_nil((runtime.wait_of()))
    local function wait() end
    local function found()
      runtime.set_wait(wait)
      local first = runtime.wait_of()
      runtime.set_wait(nil)
      return first, runtime.wait_of()
    end
    local thread = coroutine.create(found)
    assert.same({ true, wait }, { coroutine.resume(thread) })
    assert.is_nil(coroutine.wrap(runtime.wait_of)())
  end)
end)

describe("an nginx", function()
  local slept, logged, is_exiting
  before_each(function()
    slept, logged, is_exiting = {}, {}, false
    rawset(_G, "ngx", {
      config = {}, ERR = ERR, WARN = WARN, worker = { exiting = function() return is_exiting end },
      sleep = function(seconds) slept[#slept + 1] = seconds end,
      log = function(level, message) logged[#logged + 1] = { level, message } end,
    })
  end)
  after_each(function() rawset(_G, "ngx", nil) end)

  it("is one", function()
    assert.equal(rawget(_G, "ngx"), runtime.nginx())
    assert.is_true(runtime.in_nginx())
  end)

  it("sleeps for others, in seconds", function()
    local began_ms = runtime.monotonic_ms()
    runtime.sleep(60500)
    assert.same({ 60.5 }, slept)
    assert.is_true(runtime.monotonic_ms() - began_ms < 30000)
  end)

  it("says when it ends", function()
    assert.is_false(runtime.is_exiting())
    is_exiting = true
    assert.is_true(runtime.is_exiting())
  end)

  it("logs errors on one line, with any reason", function()
    local hostile = setmetatable({}, { __tostring = function() error "no" end })
    runtime.log "alone"
    runtime.log("a message", "a\nreason")
    runtime.log("a message", false)
    runtime.log("a message", hostile)
    assert.same({ { ERR, "alone" }, { ERR, "a message: a reason" }, { ERR, "a message: false" },
      { ERR, "a message: no text" } }, logged)
  end)

  it("logs no more than fits into a line of nginx's, cut between characters", function()
    runtime.log(("x"):rep(1500))
    runtime.log(("x"):rep(1501))
    runtime.log(("x"):rep(1499) .. "é")
    assert.same({ ("x"):rep(1500), ("x"):rep(1500), ("x"):rep(1499) },
      { logged[1][2], logged[2][2], logged[3][2] })
  end)

  it("logs a warning once for each key, a thousand of them at most, and says that", function()
    for i = 1, 1250 do
      for _ = 1, 2 do runtime.warn_once("key " .. i, "warning " .. i) end
    end
    assert.equal(1001, #logged)
    for i = 1, 1000 do assert.same({ WARN, "warning " .. i }, logged[i]) end
    assert.same({ WARN, "alipayhk: 1000 warnings were logged: no further ones follow" }, logged[1001])
  end)
end)
