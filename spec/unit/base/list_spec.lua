-- Small functions on lists and their keys, and the queue.

local list = require "alipayhk.base.list"
local new_fifo = require("alipayhk.base.fifo").new

describe("a list", function()
  it("has its entries among it, and no others", function()
    assert.is_true(list.includes({ "a", "b" }, "a"))
    assert.is_true(list.includes({ "a", "b" }, "b"))
    assert.is_false(list.includes({ "a", "b" }, "c"))
    assert.is_false(list.includes({}, "a"))
  end)

  it("is a table with the keys from 1 to its length alone", function()
    for _, yes in ipairs { {}, { 1 }, { 1, 2, 3 }, { {}, false } } do assert.is_true(list.is_list(yes)) end
    for _, no in ipairs { { a = 1 }, { 1, a = 1 }, { 1, nil, 3, nil, 5 }, { [0] = 1, 2 }, { [2] = 1 } } do
      assert.is_false(list.is_list(no))
    end
  end)

  it("as a set has true for each", function()
    assert.same({ a = true, b = true }, list.set { "a", "b", "a" })
    assert.same({}, list.set {})
    assert.is_nil(list.set(nil))
  end)

  it("of a table's keys is sorted", function()
    local given, expected = {}, {}
    for i = 99, 10, -1 do
      given["key " .. i] = false
      expected[i - 9] = "key " .. i
    end
    assert.same(expected, list.keys(given))
  end)

  it("of names has one of each", function()
    assert.same({ "b", "a" }, list.names { { name = "b" }, { name = "a", other = 1 } })
  end)
end)

describe("a queue", function()
  it("gives what was put in first, or last", function()
    local queue = new_fifo()
    for i = 1, 5 do queue:put("item " .. i) end
    assert.equal(5, queue:count())
    assert.same({ "item 1", "item 5", "item 2" }, { queue:take(), queue:take_last(), queue:take() })
    queue:put "item 6"
    assert.equal(3, queue:count())
    assert.same({ "item 6", "item 3", "item 4" }, { queue:take_last(), queue:take(), queue:take() })
  end)

  it("gives nil where it is empty, and is as good as before", function()
    local queue = new_fifo()
    for _ = 1, 3 do
      assert.is_nil(queue:take())
      assert.is_nil(queue:take_last())
      assert.equal(0, queue:count())
      queue:put "one"
      assert.equal(1, queue:count())
      assert.equal("one", queue:take_last())
      queue:put "two"
      assert.equal("two", queue:take())
    end
  end)

  it("keeps nothing alive that it has given", function()
    local queue, weak = new_fifo(), setmetatable({}, { __mode = "k" })
    for _ = 1, 2 do
      local item = {}
      weak[item] = true
      queue:put(item)
    end
    queue:take()
    queue:take_last()
    collectgarbage()
    assert.is_nil(next(weak))
    assert.equal(0, queue:count())
  end)
end)
