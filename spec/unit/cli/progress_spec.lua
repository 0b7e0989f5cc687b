local columns = require "alipayhk.cli.table"
local progress = require "alipayhk.cli.progress"

local function now(extra)
  local made = { taken = 500, accepted = 480, refused = 0, failed = 0, in_flight = 20, waiting = 0, seconds = 10,
    per_second = 48, window = 32 }
  for name, value in pairs(extra or {}) do made[name] = value end
  return made
end

describe("the line of progress", function()
  it("has a bar, the share, the rate and the time that is left", function()
    assert.equal("[###############---------------]   50 %  480 done  48 a second  10 s left",
      progress.text(now(), 1 / 2, 79))
  end)

  it("has a shorter bar, then none, then less and less, and fits each width", function()
    local shorter = progress.text(now(), 1 / 2, 60)
    assert.matches("^%[#+%-+%]   50 %%  480 done  48 a second  10 s left$", shorter)
    for width = 1, 120 do
      local line = progress.text(now { refused = 3, failed = 1, unreachable_seconds = 7 }, 1 / 4, width)
      assert.is_true(columns.width(line) <= width, line)
    end
    assert.equal(" 50 %  10 s left", progress.text(now(), 1 / 2, 20))
    assert.equal(" 50 %", progress.text(now(), 1 / 2, 8))
  end)

  it("says what goes wrong", function()
    local line = progress.text(now { refused = 3, failed = 1, unreachable_seconds = 7 }, 1 / 2, 200)
    assert.matches("3 refused  1 failed  AlipayHK cannot be reached for 7 s", line, 1, true)
    assert.matches("AlipayHK asks for less", progress.text(now { window = 0 }, 1 / 2, 200), 1, true)
  end)

  it("does without what nobody knows", function()
    assert.equal("480 done  48 a second", progress.text(now(), nil, 79))
    assert.equal("  0 %  480 done  48 a second", progress.text(now(), 0))
  end)

  it("says long times in longer units", function()
    for seconds, left in pairs { [50] = "50 s left", [600] = "10 min left", [7200] = "2 h left" } do
      assert.matches(left, progress.text(now { seconds = seconds }, 1 / 2), 1, true)
    end
  end)
end)

describe("progress", function()
  local written

  local function new(width)
    written = {}
    return progress.new(function(s) written[#written + 1] = s end, width)
  end

  it("is written over on a terminal, and cleared before anything else is said", function()
    local shown = new(80)
    shown:clear()
    shown:show(now(), 1 / 2)
    shown:show(now(), 3 / 4)
    shown:clear()
    shown:clear()
    assert.equal(3, #written)
    assert.matches("^\r\27%[K%[.* 50 %%", written[1])
    assert.matches("^\r\27%[K%[.* 75 %%", written[2])
    assert.equal("\r\27[K", written[3])
    assert.is_nil(table.concat(written):find("\n", 1, true))
  end)

  it("is a line now and then elsewhere", function()
    local shown = new()
    for seconds = 0, 35 do shown:show(now { seconds = seconds }, 1 / 2) end
    shown:clear()
    assert.equal(3, #written)
    for _, line in ipairs(written) do assert.matches("^ 50 %%  480 done [^\n\r\27]*\n$", line) end
  end)
end)
