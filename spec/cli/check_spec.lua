local cjson = require "cjson.safe"
local command = require "spec.support.command"
local shell = require "spec.support.shell"

local ORDER = '{"merchantBizNo":"1","merchantBizType":"MOVIE_TICKET","orderStatus":"TICKETED",'
  .. '"userId":"2160120012345678","orderCreateTime":1716338541000,"extInfo":{}}'

local function check(input, ...)
  return command.run({ "check", "-", ... }, { input = input })
end

describe("alipayhk check", function()
  it("takes each scenario's own sample", function()
    local _, names = command.run { "scenarios", "--json" }
    local count = 0
    for line in names:gmatch("[^\n]+") do
      local _, sample = command.run { "scenarios", cjson.decode(line).name, "--sample", "json" }
      local status, out, err = check(sample)
      assert.equal(0, status, line .. out .. err)
      count = count + 1
    end
    assert.equal(15, count)
  end)

  it("names the line, the path, the code and what was expected", function()
    local status, out, err = check(ORDER .. "\n" .. ORDER:gsub("TICKETED", "TICKTED") .. "\n")
    assert.equal(1, status)
    assert.equal("-:2: orderStatus  enum  expected one of TICKETED, REFUNDED, USED, found \"TICKTED\", did you mean "
      .. "\"TICKETED\"?\n", out)
    assert.equal("2 checked: 1 good, 1 wrong, 0 with warnings\n", err)
  end)

  it("gives each fault as an object", function()
    local status, out = check(ORDER:gsub('"userId":"%d+",', ""), "--json")
    assert.equal(1, status)
    local fault = cjson.decode(out)
    assert.same({ file = "-", line = 1, path = "userId", code = "missing", warning = false }, {
      file = fault.file, line = fault.line, path = fault.path, code = fault.code, warning = fault.warning,
    })
  end)

  it("reads objects on several lines, lists, and both after one another", function()
    local pretty = ORDER:gsub(",", ",\n  ")
    local status, _, err = check(("%s\n[%s,%s]\n[\n  %s,\n%s\n]\n"):format(pretty, ORDER, ORDER, ORDER, pretty))
    assert.equal("5 checked: 5 good, 0 wrong, 0 with warnings\n", err)
    assert.equal(0, status)
  end)

  it("goes on after a line that is broken", function()
    local _, out, err = check(ORDER .. "\n" .. ORDER:sub(1, -9) .. "\n" .. ORDER .. "\nzzz\n" .. ORDER)
    assert.matches("^%-:2: json  not JSON: [^\n]+\n%-:4: json  not JSON: [^\n]+\n$", out)
    assert.equal("5 checked: 3 good, 2 wrong, 0 with warnings\n", err)
  end)

  it("takes a file that holds nothing for a fault: whatever was to write it did not", function()
    for _, input in ipairs { "", "\n\n", "[]", "[\n]\n" } do
      local status, out, err = check(input)
      assert.same({ 1, "-: json  holds nothing\n" }, { status, out })
      assert.equal("1 checked: 0 good, 1 wrong, 0 with warnings\n", err)
    end
    local path = shell.directory() .. "/empty"
    shell.write(path, "")
    local status, out = command.run({ "check", "-", path, "--json" }, { input = ORDER })
    assert.equal(1, status)
    local fault = cjson.decode(out)
    assert.same({ path, nil, "holds nothing" }, { fault.file, fault.line, fault.message })
  end)

  it("says where JSON is broken as an editor counts, and a comma too many", function()
    local said = {
      ['{\n "a": 1,\n "b": tru\n}'] = "a value expected at line 3, column 7\n",
      ['{\n "a": 1\n "b": 2\n}'] = "a comma or } expected at line 3, column 2\n",
      ['{"a": 1,}'] = "a key in double quotes expected at column 9: is there a comma too many before it?\n",
      ['{\n "a": [1,\n ]\n}'] = "a value expected at line 3, column 2: is there a comma too many before it?\n",
      ['{"a": }'] = "a value expected at column 7\n",
    }
    for input, words in pairs(said) do assert.equal("-:1: json  not JSON: " .. words, (select(2, check(input)))) end
    -- Lines are those of the file.
    local _, out = check(ORDER .. '\n{\n"b": ?\n}')
    assert.equal("-:2: json  not JSON: a value expected at line 3, column 6\n", out)
  end)

  it("has one fault for an object that has lost its first brace, and goes on with the next", function()
    local pretty = ORDER:gsub(",", ",\n  "):gsub("}$", "\n}")
    for input, line in pairs { [pretty:sub(2) .. "\n" .. ORDER] = 1, [ORDER .. "\n" .. pretty:sub(2)] = 2,
      [ORDER:sub(2) .. "\n" .. ORDER] = 1, [pretty:sub(2, -2) .. "\n" .. ORDER] = 1 } do
      local _, out, err = check(input)
      assert.equal(("-:%d: json  not JSON: it begins with a member of an object: is the { before it missing?\n"):format(
        line), out)
      assert.equal("2 checked: 1 good, 1 wrong, 0 with warnings\n", err)
    end
  end)

  it("checks the step from a status before", function()
    local status, out = check(ORDER, "--previous-status", "USED")
    assert.equal(1, status)
    assert.matches("orderStatus  transition", out, 1, true)
  end)

  it("makes of a warning a fault under --strict", function()
    local order = ORDER:gsub('"extInfo"', '"payAmount":{},%0')
    local status, out = check(order)
    assert.equal(0, status)
    assert.matches("warning  payAmount.value  missing", out, 1, true)
    status, out = check(order, "--strict")
    assert.equal(1, status)
    assert.matches("-:1: payAmount.value  missing", out, 1, true)
  end)

  it("takes a partner's rules from a file", function()
    local file = shell.directory() .. "/rules.lua"
    shell.write(file, 'return { order = { MOVIE_TICKET = { fields = { { path = "extInfo.seat", type = "string", '
      .. 'required = true } } } } }')
    local status, out = check(ORDER, "--scenarios", file)
    assert.equal(1, status)
    assert.matches("extInfo.seat  missing", out, 1, true)
  end)

  it("says in one line what is wrong with its input", function()
    local directory = shell.directory()
    for _, case in ipairs {
      { { "check", directory .. "/none" }, "No such file or directory" },
      { { "check", directory }, "Is a directory" },
      { { "check" }, "alipayhk check --help says how it is used" },
      { { "check", "-", "--strikt" }, "did you mean \"--strict\"?" },
      { { "check", "-", "--scenarios", directory .. "/none" }, "--scenarios: " },
      { { "chek" }, "did you mean \"check\"?" },
      { { "chekc" }, "did you mean \"check\"?" },
      { { "sned" }, "did you mean \"send\"?" },
      { { "scenarios", "MOIVE_TICKET" }, "found \"MOIVE_TICKET\", did you mean \"MOVIE_TICKET\"?" },
      { { "doctor", "--environment", "prod" }, "--environment: expected one of production, testing, found \"prod\"" },
    } do
      local status, out, err = command.run(case[1])
      assert.equal(2, status)
      assert.equal("", out)
      assert.matches(case[2], err, 1, true)
      assert.matches("^alipayhk: [^\n]+\n$", err)
    end
  end)

  it("does not make cents of what may be dollars", function()
    for _, value in ipairs { "180.00", "180", "180.5" } do
      local _, out = check((ORDER:gsub('"extInfo"', ('"payAmount":{"value":%s,"currency":"HKD"},%%0'):format(value))))
      assert.matches("payAmount.value  type  expected a string of cents[^\n]*: if these are dollars multiply by 100, "
        .. 'then write it with string%.format%("%%%.0f", n%)\n$', out)
    end
  end)

  it("says that a binary file is none of its own", function()
    local status, out = check("\127ELF\2\1\1\0\0\n\0\n\0\n")
    assert.equal(1, status)
    assert.equal("-:1: json  expected JSON, found a binary file\n", out)
  end)

  it("reads no more of an endless line than a payload may have", function()
    local _, status = shell.run(("(ulimit -v 400000; head -c 100000000 /dev/zero | tr '\\0' x | %s) > /dev/null")
      :format(command.words { "check", "-" }))
    assert.equal(1, status)
  end)

  it("ends quietly when nobody reads on", function()
    local output = shell.run(("yes '%s' | head -n 20000 | sed 's/TICKETED/X/' | %s 2>&1 | head -n 1"):format(ORDER,
      command.words { "check", "-" }))
    assert.matches("^%-:1: orderStatus  enum [^\n]+\n$", output)
  end)
end)
