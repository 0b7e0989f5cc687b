-- Times that strictly increase, whatever the clock does.

local sequence = require "alipayhk.base.sequence"

local START, MINUTE = 1716331341500, 60000

describe("a sequence of times", function()
  it("is the clock while that goes on", function()
    local next_ms = sequence.new()
    for i = 0, 9 do assert.equal(START + i * 7, next_ms(START + i * 7)) end
  end)

  it("counts on while the clock stands, for a minute at most, and never falls", function()
    local next_ms = sequence.new()
    for i = 0, MINUTE do assert.equal(START + i, next_ms(START)) end
    for _ = 1, 3 do assert.equal(START + MINUTE, next_ms(START)) end
    assert.equal(START + MINUTE + 1, next_ms(START + 1))
    assert.equal(START + MINUTE + 1, next_ms(START))
    assert.equal(START + 2 * MINUTE, next_ms(START + 2 * MINUTE))
  end)

  it("counts on where the clock is set back by up to ten minutes", function()
    for _, back in ipairs { 1, MINUTE, 10 * MINUTE } do
      local next_ms = sequence.new()
      next_ms(START)
      for i = 1, 100 do assert.equal(START + i, next_ms(START - back + i * 10 % 3)) end
    end
  end)

  it("counts on where it is set back twice, and begins anew once that is too much", function()
    local next_ms = sequence.new()
    next_ms(START)
    assert.equal(START + 1, next_ms(START - 6 * MINUTE))
    assert.equal(START - 12 * MINUTE, next_ms(START - 12 * MINUTE))
    assert.equal(START - 12 * MINUTE + 1, next_ms(START - 12 * MINUTE))
  end)
end)
