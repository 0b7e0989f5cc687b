-- Random bytes, clocks, and what the functions of the core have in common.

local child = require "spec.support.child"
local core = require "alipayhk.core"
local shell = require "spec.support.shell"

local function pack(...) return { n = select("#", ...), ... } end

local MESSAGE_MAX = 64 * 1024 * 1024

describe("random_bytes", function()
  it("gives as many as asked for", function()
    for _, length in ipairs({ 0, 1, 16, 65536 }) do
      assert.equal(length, #core.random_bytes(length))
    end
  end)

  it("gives others each time, of every value", function()
    local seen, values = {}, 0
    assert.not_equal(core.random_bytes(16), core.random_bytes(16))
    for byte in core.random_bytes(65536):gmatch(".") do
      values = values + (seen[byte] and 0 or 1)
      seen[byte] = true
    end
    assert.is_true(values > 250) -- `.` may miss NUL on 5.1
  end)

  for _, length in ipairs({ -1, 65537, -2 ^ 31, 2 ^ 31 }) do
    it(("throws for %d"):format(length), function()
      assert.error_matches(function() core.random_bytes(length) end, "0 to 65536 bytes", 1, true)
    end)
  end

  it("throws for what is no number", function()
    assert.error_matches(function() core.random_bytes("many") end, "number expected", 1, true)
    assert.error_matches(function() core.random_bytes() end, "number expected", 1, true)
  end)
end)

describe("sha256", function()
  it("is openssl's", function()
    local path = shell.directory() .. "/bytes"
    for _, bytes in ipairs { "", "abc", ("\0\255"):rep(100000) } do
      shell.write(path, bytes)
      local expected = shell.must("openssl dgst -sha256 -r " .. path):match("^%x+")
      assert.equal(expected, core.hex_encode(core.sha256(bytes)))
    end
  end)
end)

describe("time", function()
  it("is the system's, with a fraction", function()
    local before = os.time()
    local now = core.now()
    -- os.time is that of the system's last tick.
    assert.is_true(now >= before and now < os.time() + 1.1)
    core.sleep(2)
    assert.is_true(core.now() % 1 ~= 0 or core.now() % 1 ~= 0)
  end)

  it("runs forward on the monotonic clock", function()
    local last = core.monotonic()
    for _ = 1, 1000 do
      local now = core.monotonic()
      assert.is_true(now >= last)
      last = now
    end
  end)

  it("passes while asleep, about as long as asked for", function()
    local start = core.monotonic()
    local slept
    core.sleep(30)
    slept = core.monotonic() - start
    assert.is_true(slept >= 0.03 and slept < 1)
  end)

  it("passes while asleep no shorter and no longer for a signal", function()
    local said, status = child.run([[
      local core = require "alipayhk.core"
      core.catch_interrupts()
      local start = core.monotonic()
      local signal = io.popen "sleep 0.05; kill -TERM $PPID"
      core.sleep(200)
      local slept = core.monotonic() - start
      signal:close()
      print(core.interrupted() and slept >= 0.2)
    ]], {}, { "--default-signal=TERM", "timeout", "5" })
    assert.same({ "true\n", 0 }, { said, status })
  end)

  it("does not pass for nothing", function()
    local start = core.monotonic()
    for _, ms in ipairs({ 0, -1, -math.huge, 0 / 0 }) do core.sleep(ms) end
    assert.is_true(core.monotonic() - start < 1)
  end)

  it("throws for a span that is no number", function()
    assert.error_matches(function() core.sleep() end, "number expected", 1, true)
  end)
end)

describe("in_c_locale", function()
  it("gives what a function gives first, and throws what it throws", function()
    assert.same({ n = 1, 3 }, pack(core.in_c_locale(select, 2, 1, 3, 5)))
    local thrown = {}
    local ran, failure = pcall(core.in_c_locale, error, thrown)
    assert.is_false(ran)
    assert.equal(thrown, failure)
  end)

  it("throws where there is nothing to call", function()
    assert.error_matches(function() core.in_c_locale() end, "bad argument #1", 1, true)
  end)
end)

describe("text", function()
  local TAKERS = {
    "base64_encode", "base64_decode", "percent_encode", "percent_decode", "parse_pairs", "utf8_length", "sha256",
  }

  it("has to be a string", function()
    for _, name in ipairs(TAKERS) do
      for _, wrong in ipairs({ {}, true, print }) do
        assert.error_matches(function() core[name](wrong) end, "string expected", 1, true)
      end
      assert.error_matches(function() core[name]() end, "string expected", 1, true)
    end
  end)

  it("of more than 64 MiB throws", function()
    local long = ("x"):rep(MESSAGE_MAX + 1)
    for _, name in ipairs({ "base64_encode", "base64_decode", "percent_encode", "percent_decode" }) do
      assert.error_matches(function() core[name](long) end, "longer than 64 MiB", 1, true)
    end
  end)
end)
