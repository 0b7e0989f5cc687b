-- Items that are to be sent again, each at its time.

local new = require("alipayhk.delivery.retries").new

describe("retries", function()
  it("come at their time, the earliest first", function()
    local retries = new()
    for index, due_ms in ipairs { 30, 10, 20 } do retries:put { index = index, due_ms = due_ms } end
    assert.same({ 3, 10 }, { retries.count, retries:due_ms() })
    assert.is_nil(retries:take(9))
    assert.equal(2, retries:take(10).index)
    assert.is_nil(retries:take(10))
    assert.equal(3, retries:take(100).index)
    assert.equal(1, retries:take(100).index)
    assert.is_nil(retries:take(100))
    assert.same({ 0 }, { retries.count, retries:due_ms() })
  end)

  it("keep their order where they are due at once", function()
    local retries = new()
    for index = 1, 5 do retries:put { index = index, due_ms = 7 } end
    for index = 1, 5 do assert.equal(index, retries:take(7).index) end
  end)

  it("give the oldest, due or not", function()
    local retries = new()
    for _, item in ipairs { { 7, 30 }, { 3, 90 }, { 5, 10 } } do retries:put { index = item[1], due_ms = item[2] } end
    for _, index in ipairs { 3, 5, 7 } do assert.equal(index, retries:take_oldest().index) end
    assert.is_nil(retries:take_oldest())
  end)

  it("give as a probe the one that was one least often, the oldest of them", function()
    local retries, order = new(), {}
    for _, item in ipairs { { 7, 30 }, { 3, 90 }, { 5, 10 } } do retries:put { index = item[1], due_ms = item[2] } end
    for i = 1, 7 do
      local item = retries:take_probe()
      order[i] = item.index
      item.due_ms = item.due_ms + i % 2
      if i == 1 then assert.equal(2, retries.count) end
      retries:put(item)
      if i == 4 then retries:put { index = 9, due_ms = 5 } end
    end
    assert.same({ 3, 5, 7, 3, 9, 5, 7 }, order)
    while retries:take_oldest() do order[#order + 1] = true end
    assert.equal(7 + 4, #order)
    assert.is_nil(retries:take_probe())
  end)

  it("lose none under random schedules", function()
    math.randomseed(11)
    local retries, put, taken, last_ms = new(), 0, 0, 0
    for now_ms = 1, 5000 do
      if math.random(3) > 1 then
        put = put + 1
        retries:put { index = put, due_ms = now_ms + math.random(0, 50) }
      end
      local item = retries:take(now_ms)
      while item do
        assert.is_true(item.due_ms >= last_ms or item.due_ms == now_ms)
        last_ms, taken = item.due_ms, taken + 1
        item = retries:take(now_ms)
      end
    end
    assert.equal(put, taken + retries.count)
  end)
end)
