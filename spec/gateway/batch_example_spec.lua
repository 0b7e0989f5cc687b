-- examples/batch.lua against the local gateway: a file of events, twice.

local gateway = require "spec.support.servers.gateway"
local json = require "alipayhk.base.json"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

local CONFIG = [[return { client_id = %q, base_url = %q, tls = { ca_file = %q }, private_key = { file = %q },
  alipay_public_key = { file = %q }, %s }]]

describe("examples/batch.lua", function()
  local directory, values = shell.directory(), gateway.values()

  local function command(file, config)
    return ('eval "$(make -s env LUA=5.4)"; lua5.4 examples/batch.lua %s/%s %s/%s'):format(
      directory, config or "config.lua", directory, file)
  end

  local function run(file, config)
    return shell.run(command(file or "events.jsonl", config))
  end

  -- A config of the scripted AlipayHK, to which nothing is sent twice.
  local function write_config(name, config, more)
    shell.write(directory .. "/" .. name, CONFIG:format(config.client_id, config.base_url, config.tls.ca_file,
      config.private_key.file, config.alipay_public_key.file, "retry = false, " .. (more or "")))
  end

  local function write(list)
    local lines = {}
    for i, event in ipairs(list) do lines[i] = type(event) == "string" and event or json.encode(event) end
    shell.write(directory .. "/events.jsonl", table.concat(lines, "\n") .. "\n")
  end

  setup(function()
    shell.must("make -s build LUA=5.4")
    shell.write(directory .. "/config.lua", CONFIG:format(values.rsa_client_id, values.base_url, values.ca_file,
      values.rsa_private_key, values.rsa_alipay_public_key, ""))
  end)

  before_each(function() os.remove(directory .. "/events.jsonl.done") end)

  it("sends what it can, names the lines that are refused, and passes over what was accepted", function()
    local list = {}
    for i = 1, 20 do list[i] = samples.order() end
    list[5], list[9], list[12] = "{no JSON", samples.card(), samples.order { orderStatus = "EATEN" }
    write(list)
    local said, status = run()
    assert.equal(1, status)
    assert.matches("line 5: .*item 5: expected a table, found a string", said)
    assert.matches("line 12: .*orderStatus", said)
    assert.matches("\n20 taken, 18 accepted, 2 refused, 0 failed %(0 not sent, 0 unknown%), 0 passed over, ", said)
    list[5], list[12] = samples.order(), samples.order()
    write(list)
    said, status = run()
    assert.equal(0, status)
    assert.matches("^2 taken, 2 accepted, 0 refused, 0 failed %(0 not sent, 0 unknown%), 18 passed over, ", said)
  end)

  it("knows what was accepted by its content, wherever it stands now, and after a torn write", function()
    local list = {}
    for i = 1, 6 do list[i] = samples.order() end
    list[4] = "no JSON"
    write(list)
    assert.matches("5 accepted, 1 refused", (run()))
    local journal = shell.read(directory .. "/events.jsonl.done")
    shell.write(directory .. "/events.jsonl.done", journal:sub(1, -6))
    table.remove(list, 4)
    table.insert(list, 1, "  \r")
    write(list)
    assert.matches("^1 taken, 1 accepted, 0 refused, 0 failed %(0 not sent, 0 unknown%), 5 passed over, ", (run()))
    assert.matches("^0 taken, 0 accepted, .* 6 passed over, ", (run()))
  end)

  describe("with AlipayHK told what to say", function()
    local server

    before_each(function()
      server = scripted.start()
      write_config("scripted.lua", server:config())
    end)
    after_each(function() server:stop() end)

    it("does not send a line again once a later one of its order was accepted", function()
      local order = samples.biz_no()
      local list = { samples.order { merchantBizNo = order },
        samples.order { merchantBizNo = order, orderStatus = "REFUNDED" } }
      write(list)
      server:control { codes = "UNKNOWN_EXCEPTION/U" }
      local said, status = run(nil, "scripted.lua")
      assert.equal(1, status)
      assert.matches("2 taken, 1 accepted, 0 refused, 1 failed (0 not sent, 1 unknown)", said, 1, true)
      said, status = run(nil, "scripted.lua")
      assert.equal(0, status)
      assert.matches("^line 1: passed over: a later state of the order was accepted\n0 taken, ", said)
      assert.matches(", 1 passed over, 1 overtaken, ", said, 1, true)
      assert.equal(2, #server:arrivals())
      list[3] = samples.order { merchantBizNo = order, orderStatus = "USED" }
      write(list)
      assert.matches("\n1 taken, 1 accepted, .* 1 passed over, 1 overtaken, ", (run(nil, "scripted.lua")))
      assert.equal(3, #server:arrivals())
    end)

    it("tells orders apart by long numbers, where the config lets those pass", function()
      write_config("scripted.lua", server:config(), "validate = false")
      local number = 1716338541000123
      local accepted = samples.order { merchantBizNo = number }
      write { accepted }
      assert.matches("^1 taken, 1 accepted, ", (run(nil, "scripted.lua")))
      write { samples.order { merchantBizNo = number + 1 },
        samples.order { merchantBizNo = ("%.0f"):format(number), extInfo = { note = "overtaken" } }, accepted }
      assert.matches("^line 2: passed over: [^\n]*\n1 taken, 1 accepted, ", (run(nil, "scripted.lua")))
    end)

    it("has a summary that adds up, whatever the errors", function()
      write { samples.order(), samples.order(), samples.order(), samples.order(), "no JSON" }
      server:control { codes = "UNKNOWN_EXCEPTION/F,PROCESS_FAIL/F,PROCESS_FAIL/U" }
      local taken, accepted, refused, failed, unsent, unknown = run(nil, "scripted.lua"):match(
        "(%d+) taken, (%d+) accepted, (%d+) refused, (%d+) failed %((%d+) not sent, (%d+) unknown%)")
      assert.same({ "5", "1", "0" }, { taken, accepted, unsent })
      assert.equal(4, refused + failed)
      assert.equal(failed, unknown)

      write_config("away.lua", server:config { base_url = "https://127.0.0.1:1" })
      assert.matches("4 taken, 0 accepted, 1 refused, 3 failed (3 not sent, 0 unknown), 1 passed over",
        (run(nil, "away.lua")), 1, true)
    end)
  end)

  it("goes by the file as it is now, tells orders from notifications, and leaves a time of one's own to AlipayHK",
    function()
      local order, notification = samples.order(), samples.card()
      local a, b = order.merchantBizNo, notification.merchantBizNo
      write { order, notification }
      assert.matches("^2 taken, 2 accepted, ", (run()))
      write {
        samples.card { merchantBizNo = a }, -- of the order's number, but another thing
        samples.order { merchantBizNo = b },
        samples.order(),
        samples.order { merchantBizNo = a, orderModifyTime = 1716338541000 },
        samples.order { merchantBizNo = a, extInfo = { note = "overtaken" } },
        order,
        samples.card { merchantBizNo = b, command = "UPDATE", bizDate = 1716338541000 },
        samples.card { merchantBizNo = b, command = "UPDATE" },
        notification,
        samples.order { merchantBizNo = a, extInfo = { note = "later" } },
      }
      local said, status = run()
      assert.equal(0, status)
      assert.matches("^line 5: passed over: [^\n]*\nline 8: passed over: [^\n]*\n6 taken, 6 accepted, ", said)
      assert.matches(", 2 passed over, 2 overtaken, ", said, 1, true)
    end)

  it("stops where its journal cannot be written", function()
    local orders = {}
    for i = 1, 200 do orders[i] = samples.order() end -- more than are taken before the first is accepted
    write(orders)
    local said, status = shell.run("trap '' XFSZ; ulimit -f 0; " .. command("events.jsonl"))
    assert.equal(1, status)
    assert.matches("not all that was accepted is in the journal: ", said, 1, true)
    assert.matches("not all of the file was taken: the batch was stopped", said, 1, true)
  end)

  it("reads CSV", function()
    local order = samples.order { merchantBizNo = 'CSV "1", with a comma' }
    local names, cells = {}, {}
    for name, value in pairs(order) do
      names[#names + 1] = type(value) == "number" and name .. ":number" or name
      local text = type(value) == "table" and json.encode(value) or tostring(value)
      cells[#cells + 1] = '"' .. text:gsub('"', '""') .. '"'
    end
    names[#names + 1], cells[#cells + 1] = "extInfo.note", "nested"
    -- Spreadsheets begin a file with a byte order mark.
    shell.write(directory .. "/events.csv", "\239\187\191" .. table.concat({
      table.concat(names, ","), table.concat(cells, ","), 'torn "line', "" }, "\r\n"))
    local said, status = run("events.csv")
    assert.equal(1, status)
    assert.matches("line 3: alipayhk: invalid: item 2: expected a table, found a string", said, 1, true)
    assert.matches("2 taken, 1 accepted, 1 refused", said, 1, true)
  end)

  it("takes no notice of a byte order mark before JSON", function()
    shell.write(directory .. "/events.jsonl", "\239\187\191" .. json.encode(samples.order()) .. "\n")
    assert.matches("^1 taken, 1 accepted, ", (run()))
    assert.matches("^0 taken, 0 accepted, .* 1 passed over, ", (run()))
  end)

  it("says which column of a CSV file names no field", function()
    for header, place in pairs {
      ["merchantBizNo,,orderStatus"] = 'column 2, "":', ["merchantBizNo,orderStatus,"] = 'column 3, "":',
      [":number"] = 'column 1, ":number":', ["a,extInfo."] = 'column 2, "extInfo.":', ["a..b"] = 'column 1, "a..b":',
    } do
      shell.write(directory .. "/events.csv", header .. "\n1,2,3\n")
      local said, status = run("events.csv")
      assert.equal(2, status)
      assert.matches("^line 1: " .. place .. " .*extInfo.movieName.*\n$", said)
    end
  end)

  it("shows a bar on a terminal", function()
    write { samples.order() }
    local said = shell.run(('script -qec %s /dev/null'):format(shell.quote(command("events.jsonl"))))
    assert.matches("[##############################] 100 %  ", said, 1, true)
    assert.matches("1 taken, 1 accepted", said, 1, true)
  end)

  it("ends what it has begun when it is interrupted", function()
    local list = {}
    for i = 1, 3000 do list[i] = samples.order() end
    write(list)
    local said = shell.run(([[
      set -m
      eval "$(make -s env LUA=5.4)"
      lua5.4 examples/batch.lua %s/config.lua %s/events.jsonl > %s/said 2>&1 &
      tries=0
      while [ "$(wc -l < %s/events.jsonl.done 2> /dev/null || echo 0)" -lt 50 ] && [ $tries -lt 500 ]; do
        sleep 0.01; tries=$((tries + 1))
      done
      kill -INT $!; wait $!; status=$?
      cat %s/said; echo "ended:$status"
    ]]):format(directory, directory, directory, directory, directory))
    local taken, accepted = said:match("(%d+) taken, (%d+) accepted, 0 refused, 0 failed")
    assert.is_true(tonumber(taken) < 3000, taken)
    assert.equal(taken, accepted)
    assert.matches("not all of the file was taken: the batch was stopped\nended:1", said, 1, true)
    local rest = 3000 - tonumber(taken)
    assert.matches(("^%d taken, %d accepted, "):format(rest, rest), (run()))
  end)

  it("says how it is called", function()
    local said, status = shell.run('eval "$(make -s env LUA=5.4)"; lua5.4 examples/batch.lua 2>&1')
    assert.equal(2, status)
    assert.matches("usage: ", said, 1, true)
  end)

  it("says what is wrong with a config", function()
    write { samples.order() }
    for text, message in pairs {
      ["return {"] = "config: .*wrong.lua:1: ", ["error 'no key'"] = "config: .*wrong.lua:1: no key\n$",
      ["config = {}"] = "wrong.lua: expected `return { ... }`", ["return 'x'"] = "expected .* found string",
      ["return {}"] = "client_id",
    } do
      shell.write(directory .. "/wrong.lua", text)
      local said, status = run(nil, "wrong.lua")
      assert.equal(2, status, said)
      assert.matches(message, said)
      assert.not_matches("traceback", said, 1, true)
    end
    local said, status = run(nil, "absent.lua")
    assert.equal(2, status)
    assert.matches("^config: cannot open .*absent.lua[^\n]*\n$", said)
  end)
end)
