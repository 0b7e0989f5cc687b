-- Which item may go now: driven by random schedules, with no clock and no I/O.

local new = require("alipayhk.delivery.lanes").new

describe("lanes", function()
  it("give the items of one lane one after the other", function()
    local lanes = new()
    for i = 1, 3 do lanes:put("a", i) end
    assert.same({ 1, "a" }, { lanes:take() })
    assert.is_nil(lanes:take())
    lanes:done("a")
    assert.equal(2, (lanes:take()))
    lanes:put("a", 4)
    assert.is_nil(lanes:take())
    lanes:done("a")
    assert.equal(3, (lanes:take()))
    lanes:done("a")
    assert.equal(4, (lanes:take()))
    lanes:done("a")
    assert.is_nil(lanes:take())
    assert.equal(0, lanes.waiting)
  end)

  it("take turns: a long one keeps no other waiting", function()
    local lanes, order = new(), {}
    for i = 1, 100 do lanes:put("long", "long" .. i) end
    for i = 1, 3 do lanes:put("short" .. i, "short" .. i) end
    for _ = 1, 6 do
      local item, key = lanes:take()
      order[#order + 1] = item
      lanes:done(key)
    end
    assert.same({ "long1", "short1", "short2", "short3", "long2", "long3" }, order)
  end)

  it("carry a hundred thousand events of one order, in their order, and keep none", function()
    local lanes, put = new(), 0
    for i = 1, 100000 do
      while put < i + 127 and put < 100000 do
        put = put + 1
        lanes:put("one", put)
      end
      assert(lanes:take() == i and not lanes:take())
      lanes:done("one")
    end
    assert.same({ 0, nil }, { lanes.waiting, (next(lanes.lanes)) })
  end)

  it("forget a lane that is empty", function()
    local lanes = new()
    for i = 1, 1000 do
      lanes:put("order" .. i, i)
      lanes:done(select(2, lanes:take()))
    end
    assert.is_nil(next(lanes.lanes))
    assert.is_nil(next(lanes.ready))
  end)

  it("give all that wait when they are drained, and go on", function()
    local lanes = new()
    for i = 1, 3 do
      lanes:put("a", "a" .. i)
      lanes:put("b", "b" .. i)
    end
    local _, busy = lanes:take()
    local drained = lanes:drain()
    table.sort(drained)
    assert.same({ "a2", "a3", "b1", "b2", "b3" }, drained)
    assert.same({ 0 }, { lanes.waiting, lanes:take() })
    lanes:put(busy, "later")
    assert.is_nil(lanes:take())
    lanes:done(busy)
    assert.equal("later", (lanes:take()))
  end)

  it("go on when they were drained between two items", function()
    local lanes = new()
    for i = 1, 2 do lanes:put("a", "a" .. i) end
    lanes:done(select(2, lanes:take()))
    assert.same({ "a2" }, lanes:drain())
    lanes:put("a", "a3")
    assert.same({ "a3", "a" }, { lanes:take() })
  end)

  it("keep nothing alive that they have given", function()
    local lanes, alive = new(), setmetatable({}, { __mode = "k" })
    for _ = 1, 4 do
      local item = {}
      alive[item] = true
      lanes:put("a", item)
    end
    lanes:take()
    lanes:done "a"
    lanes:take()
    lanes:drain()
    collectgarbage()
    assert.is_nil(next(alive))
    lanes:done "a"
    assert.is_nil(next(lanes.lanes))
  end)

  for seed = 1, 20 do
    it("keep every order's events in order, none twice and none forgotten, under schedule " .. seed, function()
      math.randomseed(seed)
      local lanes, put, ended, under_way, taken = new(), {}, {}, {}, 0
      local left = 2000
      while left > 0 or next(under_way) or lanes.waiting > 0 do
        local what = math.random(3)
        if what == 1 and left > 0 then
          local key = "order" .. math.random(25)
          put[key] = (put[key] or 0) + 1
          lanes:put(key, put[key])
          left = left - 1
        elseif what == 2 then
          local item, key = lanes:take()
          if item then
            assert.is_nil(under_way[key])
            assert.equal((ended[key] or 0) + 1, item)
            under_way[key], taken = item, taken + 1
          end
        else
          local keys = {}
          for key in pairs(under_way) do keys[#keys + 1] = key end
          if #keys > 0 then
            table.sort(keys)
            local key = keys[math.random(#keys)]
            ended[key], under_way[key] = under_way[key], nil
            lanes:done(key)
          end
        end
      end
      assert.equal(2000, taken)
      assert.same(put, ended)
      assert.is_nil(next(lanes.lanes))
    end)
  end
end)
