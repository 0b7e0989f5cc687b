-- When the next request may leave, and when it makes no sense to go on: scripted outcomes, a clock of our own.

local Error = require "alipayhk.base.error"
local new = require("alipayhk.delivery.pace").new

local huge = math.huge
local PATIENCE_MS = 10000

local TIMEOUT = Error.new("transport", "no answer", { code = "timeout" })
local BAD_GATEWAY = Error.new("http", "no answer", { http_status = 502 })
local TOO_MANY = Error.new("http", "too many", { http_status = 429 })
local NO_SUCH_PAGE = Error.new("http", "not found", { http_status = 404 })
local NO_KEY = Error.new("crypto", "no memory")

local function machine(lane, sent_ms) return { lane = lane, sent_ms = sent_ms } end

-- So many failures, each of another order.
local function failing(pace, err, count, now_ms)
  local free
  for i = 1, count do free = pace:failed(machine("order" .. i, now_ms), err, nil, now_ms) end
  return free
end

describe("the pace of requests", function()
  it("is any without a rate, as long as one is answered", function()
    local pace = new(8, nil, PATIENCE_MS)
    for i = 1, 100 do
      assert.equal(0, pace:delay_ms(0, 5))
      pace:go(5)
      pace:succeeded(machine("order" .. i, 5), 5)
    end
  end)

  it("is the user's rate, and makes up for 20 ms at most", function()
    local pace = new(8, 100, PATIENCE_MS)
    pace:go(1000)
    assert.equal(0, pace:delay_ms(0, 1000)) -- two at first: one of them late
    pace:go(1000)
    assert.equal(0, pace:delay_ms(0, 1000))
    pace:go(1000)
    assert.equal(10, pace:delay_ms(0, 1000))
    assert.equal(0, pace:delay_ms(0, 1010))
    pace:go(1010)
    assert.equal(10, pace:delay_ms(0, 1010))
    pace:go(5000)
    pace:go(5000)
    pace:go(5000)
    assert.equal(10, pace:delay_ms(0, 5000))
  end)

  it("is one after the other's end where all that may be are under way", function()
    local pace = new(2, nil, PATIENCE_MS)
    assert.equal(0, pace:delay_ms(1, 0))
    assert.equal(huge, pace:delay_ms(2, 0))
  end)

  it("is that of probes after five failures in a row, which cost no attempt from then on", function()
    for _, err in ipairs { TIMEOUT, BAD_GATEWAY } do
      local pace = new(8, nil, PATIENCE_MS)
      assert.is_false(pace:is_in_doubt())
      assert.is_false(failing(pace, err, 1, 100))
      assert.is_true(pace:is_in_doubt())
      assert.is_false(failing(pace, err, 3, 100))
      assert.same({ true, false }, { pace:is_in_doubt(), pace:is_probing() })
      assert.is_nil(pace:unreachable_ms(100))
      assert.is_true(failing(pace, err, 1, 100))
      assert.is_true(pace:is_probing())
      assert.same({ 1000, huge }, { pace:delay_ms(0, 100), pace:delay_ms(1, 100) })
      assert.equal(400, pace:unreachable_ms(500))
      pace:succeeded(machine("order1", 1100), 1110)
      assert.same({ false, false, 0 }, { pace:is_in_doubt(), pace:is_probing(), pace:delay_ms(0, 1110) })
    end
  end)

  it("is not changed by an answer that is no success, or by what was never sent", function()
    local pace = new(8, nil, PATIENCE_MS)
    failing(pace, TIMEOUT, 4, 100)
    assert.is_false(failing(pace, NO_KEY, 20, 100))
    assert.is_true(pace:is_in_doubt())
    assert.is_false(failing(pace, NO_SUCH_PAGE, 1, 100))
    assert.is_false(pace:is_in_doubt())
    failing(pace, TIMEOUT, 4, 100)
    assert.is_false(pace:is_probing())
  end)

  it("slows down where traffic is refused, which costs no attempt and is an answer", function()
    local pace = new(8, nil, PATIENCE_MS)
    failing(pace, TIMEOUT, 4, 0)
    assert.equal(0, pace:delay_ms(3, 0))
    assert.is_true(failing(pace, TOO_MANY, 1, 10))
    assert.is_false(pace:is_in_doubt())
    assert.same({ 0, huge }, { pace:delay_ms(1, 10), pace:delay_ms(2, 10) })
    assert.is_true(pace:failed(machine("order", 10), TOO_MANY, 3000, 20))
    assert.equal(3000, pace:delay_ms(0, 20))
  end)

  it("comes back while requests are taken", function()
    local pace = new(8, nil, PATIENCE_MS)
    pace:failed(machine("order", 0), TOO_MANY, nil, 10)
    assert.equal(huge, pace:delay_ms(2, 10))
    for i = 1, 5 do pace:succeeded(machine("order", 10 * i), 10 * i + 10) end
    assert.equal(0, pace:delay_ms(2, 60))
  end)
end)

describe("it is hopeless to go on", function()
  local function why(pace, now_ms) return pace:hopeless(now_ms) end

  it("never at first, or while answers come", function()
    local pace = new(8, nil, PATIENCE_MS)
    assert.is_nil(why(pace, 1e9))
    pace:succeeded(machine("order", 0), 10)
    assert.is_nil(why(pace, 1e9))
    assert.is_nil(why(new(8, nil, 0), 0)) -- without any patience, too
  end)

  it("where nobody has answered for as long as the patience lasts", function()
    local pace = new(8, nil, PATIENCE_MS)
    failing(pace, TIMEOUT, 5, 100)
    assert.is_nil(why(pace, 10099))
    assert.equal("AlipayHK could not be reached for 10 s", why(pace, 10100))
    pace:succeeded(machine("order", 10100), 10110)
    assert.is_nil(why(pace, 10110))
    pace = new(8, nil, 1) -- with hardly any patience
    failing(pace, TIMEOUT, 5, 100)
    assert.equal("AlipayHK could not be reached for 0 s", why(pace, 101))
  end)

  it("where one order has had no answer for so long: from its first failure to its last one", function()
    local pace = new(8, nil, PATIENCE_MS)
    pace:failed(machine("order", 0), TIMEOUT, nil, 100)
    assert.is_nil(why(pace, 50000))
    pace:failed(machine("order", 5000), TIMEOUT, nil, 10099)
    assert.is_nil(why(pace, 50000))
    pace:failed(machine("order", 5000), TIMEOUT, nil, 10100)
    assert.equal("AlipayHK could not be reached for 10 s", why(pace, 10100))
  end)

  it("where nothing but refusals of traffic has come for so long, the pause that was asked for apart", function()
    local pace = new(8, nil, PATIENCE_MS)
    pace:failed(machine("order", 0), TOO_MANY, nil, 100)
    pace:failed(machine("order", 5000), TOO_MANY, nil, 5100)
    assert.is_nil(why(pace, 10099))
    assert.equal("AlipayHK refused traffic for 10 s", why(pace, 10100))
    pace:failed(machine("order", 5000), NO_SUCH_PAGE, nil, 10100)
    assert.is_nil(why(pace, 1e9))
    pace:failed(machine("order", 20000), TOO_MANY, 3000, 20000)
    assert.is_nil(why(pace, 32999))
    assert.equal("AlipayHK refused traffic for 10 s", why(pace, 33000))
  end)
end)
