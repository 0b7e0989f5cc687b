-- Redis's protocol without Redis: every cut of every reply, and bytes that are none.

local new_stream = require "alipayhk.transport.stream"
local resp = require "alipayhk.delivery.redis.resp"
local scripted_socket = require "spec.support.doubles.scripted_socket"
local thrown = require "spec.support.asserting.thrown"

-- Of bytes that come in pieces of a size; after them the connection ends.
local function read(bytes, replies, size)
  local pieces = {}
  size = size or 1000
  for at = 1, #bytes, size do pieces[#pieces + 1] = bytes:sub(at, at + size - 1) end
  return resp.read(new_stream(scripted_socket(pieces), 60000), replies or 1)
end

local function fault_of(bytes)
  local ran, fault = pcall(read, bytes)
  assert.is_false(ran)
  return fault
end

describe("commands", function()
  it("have their lengths before them, and any bytes in them", function()
    assert.equal("*2\r\n$4\r\nECHO\r\n$5\r\n\0\r\n$\255\r\n*1\r\n$4\r\nPING\r\n",
      resp.encode { { "ECHO", "\0\r\n$\255" }, { "PING" } })
  end)

  it("have whole numbers in decimal digits", function()
    assert.equal("*5\r\n$1\r\n0\r\n$2\r\n-7\r\n$13\r\n1716338541000\r\n$16\r\n9007199254740992\r\n"
      .. "$17\r\n-9007199254740992\r\n", resp.encode { { 0, -7, 1716338541000, 2 ^ 53, -2 ^ 53 } })
  end)

  it("refuse what is neither, and say which argument it is", function()
    for _, value in ipairs { 1 / 2, 2 ^ 60, 0 / 0, 1 / 0, true, {} } do
      local found = type(value) == "number" and "another number: give it as a string" or type(value)
      assert.equal("argument 3 of a command: a string or a whole number expected, found " .. found,
        thrown(function() resp.encode { { "SET", "key", value } } end))
    end
    assert.equal("a command has at least its name", thrown(function() resp.encode { {} } end))
  end)
end)

describe("replies", function()
  local SAMPLES = {
    { "+OK\r\n", "OK" },
    { ":-42\r\n", -42 },
    { ":9007199254740993\r\n", "9007199254740993" },
    { ":9007199254740992\r\n", "9007199254740992" },
    { ":-9007199254740992\r\n", "-9007199254740992" },
    { ":-9007199254740991\r\n", -9007199254740991 },
    { "$-1\r\n", false },
    { "*-1\r\n", false },
    { "$0\r\n\r\n", "" },
    { "$7\r\n\r\n+OK\r\n\r\n", "\r\n+OK\r\n" },
    { "*0\r\n", {} },
    { "*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n-ERR no\r\n", { 1, { "a", false }, { err = "ERR no" } } },
    { "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", { { { { { { { 1 } } } } } } } },
  }

  it("are read, however their bytes come", function()
    for _, sample in ipairs(SAMPLES) do
      for size = 1, #sample[1] do assert.same({ { sample[2] } }, read(sample[1], 1, size)) end
    end
  end)

  it("are read one after the other", function()
    local bytes, expected = {}, {}
    for i, sample in ipairs(SAMPLES) do bytes[i], expected[i] = sample[1], { sample[2] } end
    for size = 1, 40 do assert.same(expected, read(table.concat(bytes), #expected, size)) end
  end)

  it("that are errors have their first word as a code", function()
    for line, code in pairs {
      ["NOSCRIPT No matching script."] = "NOSCRIPT", ["MOVED 3999 127.0.0.1:6381"] = "MOVED", ["OOM"] = "OOM",
      ["no such"] = "ERR", ["Err x"] = "ERR", ["ABc x"] = "ERR", ["N\0 x"] = "ERR",
    } do
      local result = read("-" .. line .. "\r\n")[1]
      assert.same({ nil, line, code }, { result[1], result[2], result[3] })
    end
  end)

  it("are refused where they are none of Redis's", function()
    for _, bytes in ipairs {
      "HTTP/1.1 400 Bad Request\r\n", "\21\3\3\0\2\2\70\r\n", "\r\n", ":\r\n", ":1x\r\n", "$x\r\n", "$-2\r\n",
      "*-7\r\n", "$1\r\nab\r\n", "%1\r\n", "_\r\n", "$ 1\r\n", "$0x1\r\n",
    } do
      local fault = fault_of(bytes)
      assert.equal("protocol", fault.code)
      assert.matches("does it want TLS (rediss://)?", fault.message, 1, true)
    end
  end)

  it("are refused where they are larger than may be, before room is taken for them", function()
    for _, bytes in ipairs {
      "*1048577\r\n", "$67108865\r\n", "$99999999999999999999\r\n", ("*1\r\n"):rep(8) .. ":1\r\n",
      "*2\r\n*1048575\r\n", "+" .. ("x"):rep(70000) .. "\r\n",
    } do
      assert.equal("too_large", fault_of(bytes).code)
    end
  end)

  it("may be together as large as that, their lines included", function()
    -- What comes before the string takes 19 bytes.
    assert.equal("reset", fault_of("*2\r\n:1\r\n$67108845\r\n").code)
    assert.equal("too_large", fault_of("*2\r\n:1\r\n$67108846\r\n").code)
    assert.equal("reset", fault_of("*1048576\r\n").code)
    assert.equal("reset", fault_of("*2\r\n*1048574\r\n").code)
  end)

  it("that are cut end in a failure", function()
    for _, sample in ipairs(SAMPLES) do
      for length = 0, #sample[1] - 1 do assert.equal("reset", fault_of(sample[1]:sub(1, length)).code) end
    end
  end)

  it("made of random bytes give a reply or a failure, and nothing else", function()
    local ALPHABET = { "*", "$", "+", "-", ":", "\r\n", "\r", "\n", "0", "1", "2", "-1", "9", "a", "\0" }
    local seed, replies = 1, 0
    local function random(most)
      seed = (seed * 16807) % 2147483647
      return seed % most + 1
    end
    for _ = 1, 20000 do
      local bytes = {}
      for i = 1, random(24) do bytes[i] = ALPHABET[random(#ALPHABET)] end
      local ran, result = pcall(read, table.concat(bytes))
      assert.equal("table", type(result), tostring(result))
      if ran then replies = replies + 1 else assert.is_string(result.code) end
    end
    assert.is_true(replies > 100)
  end)
end)
