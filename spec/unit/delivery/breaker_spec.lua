-- Whether the other side can be reached: scripted failures, a clock of our own.

local new = require("alipayhk.delivery.breaker").new

local huge = math.huge

local function failing(breaker, lanes, count, now_ms)
  for i = 1, count do breaker:failed("order" .. i % lanes, now_ms, now_ms) end
end

describe("a breaker", function()
  it("opens at the fifth failure in a row", function()
    local breaker = new()
    failing(breaker, 3, 4, 100)
    assert.is_nil(breaker.opened_ms)
    assert.equal(0, breaker:delay_ms(7, 100))
    failing(breaker, 3, 1, 100)
    assert.equal(100, breaker.opened_ms)
  end)

  it("stays closed while an order or two have trouble", function()
    local breaker = new()
    failing(breaker, 2, 50, 100)
    assert.is_nil(breaker.opened_ms)
    breaker:failed("third", 100, 100)
    assert.equal(100, breaker.opened_ms)
  end)

  it("says for how long one order has had no answer, though it stays closed", function()
    local breaker = new()
    assert.equal(0, breaker.failed_for_ms)
    breaker:failed("one", 100, 110)
    assert.equal(0, breaker.failed_for_ms)
    breaker:failed("one", 5000, 5010)
    assert.equal(4900, breaker.failed_for_ms)
    breaker:answered()
    assert.equal(0, breaker.failed_for_ms)
  end)

  it("counts anew after any answer", function()
    local breaker = new()
    for _ = 1, 10 do
      failing(breaker, 4, 4, 100)
      breaker:answered()
    end
    assert.is_nil(breaker.opened_ms)
  end)

  it("lets one probe through, later and later, up to half a minute", function()
    local breaker, now_ms, pauses = new(), 0, {}
    failing(breaker, 5, 5, now_ms)
    for i = 1, 8 do
      pauses[i] = breaker:delay_ms(0, now_ms)
      assert.equal(huge, breaker:delay_ms(1, now_ms))
      now_ms = now_ms + pauses[i]
      assert.equal(0, breaker:delay_ms(0, now_ms))
      breaker:failed("probe", now_ms, now_ms + 3)
      now_ms = now_ms + 3
    end
    assert.same({ 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000 }, pauses)
  end)

  it("takes what left before it opened for no probe", function()
    local breaker = new()
    failing(breaker, 5, 5, 100)
    for i = 1, 20 do breaker:failed("late", 99 + i % 2, 150) end
    assert.equal(950, breaker:delay_ms(0, 150))
  end)

  it("closes at an answer, and begins with short pauses again", function()
    local breaker = new()
    failing(breaker, 5, 5, 0)
    breaker:failed("probe", 1000, 1000)
    breaker:answered()
    assert.is_nil(breaker.opened_ms)
    assert.equal(0, breaker:delay_ms(20, 1001))
    failing(breaker, 5, 5, 2000)
    assert.equal(1000, breaker:delay_ms(0, 2000))
  end)
end)
