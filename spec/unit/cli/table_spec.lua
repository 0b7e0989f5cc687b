local columns = require "alipayhk.cli.table"

local ROWS = { { "ID", "ORDER", "MESSAGE" }, { "1", "MB-0001", "a text that is rather long" }, { "22", "電影票", "" } }

describe("a table", function()
  it("has its columns below each other", function()
    assert.same({ "ID  ORDER    MESSAGE", "1   MB-0001  a text that is rather long", "22  電影票" }, columns.lines(ROWS))
  end)

  it("cuts the last column where a terminal is narrow, then the line", function()
    assert.same({ "ID  ORDER    MESSAGE", "1   MB-0001  a text tha..", "22  電影票" }, columns.lines(ROWS, 25))
    for width = 1, 60 do
      for _, line in ipairs(columns.lines(ROWS, width)) do assert.is_true(columns.width(line) <= width, line) end
    end
  end)

  it("knows that some characters take two columns, and cuts none in two", function()
    assert.equal(6, columns.width "電影票")
    assert.equal(1, columns.width "é")
    assert.equal("電..", columns.cut("電影票", 5))
    assert.equal("電影票", columns.cut("電影票", 6))
  end)
end)
