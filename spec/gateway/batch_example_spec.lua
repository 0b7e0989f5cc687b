-- examples/batch.lua against the local gateway: a file of events, twice.

local gateway = require "spec.support.servers.gateway"
local json = require "alipayhk.base.json"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local CONFIG = [[return { client_id = %q, base_url = %q, tls = { ca_file = %q }, private_key = { file = %q },
  alipay_public_key = { file = %q } }]]

describe("examples/batch.lua", function()
  local directory, values = shell.directory(), gateway.values()

  local function run()
    local command = 'eval "$(make -s env LUA=5.4)"; lua5.4 examples/batch.lua %s/config.lua %s/events.jsonl 2>&1'
    return shell.run(command:format(directory, directory))
  end

  local function write(list)
    local lines = {}
    for i, event in ipairs(list) do lines[i] = type(event) == "string" and event or json.encode(event) end
    shell.write(directory .. "/events.jsonl", table.concat(lines, "\n") .. "\n")
  end

  setup(function()
    shell.must("make -s build LUA=5.4")
    shell.write(directory .. "/config.lua", CONFIG:format(values.rsa_client_id, values.base_url, values.ca_file,
      values.rsa_private_key, values.rsa_alipay_public_key))
  end)

  it("sends what it can, names the lines that are refused, and passes over what was accepted", function()
    local list = {}
    for i = 1, 20 do list[i] = samples.order() end
    list[5], list[9], list[12] = "{no JSON", samples.card(), samples.order { orderStatus = "EATEN" }
    write(list)
    local said, status = run()
    assert.equal(1, status)
    assert.matches("line 5: .*item 5: expected a table, found a string", said)
    assert.matches("line 12: .*orderStatus", said)
    assert.matches("\n20 taken, 18 accepted, 2 refused, 0 failed, 0 passed over, ", said)
    list[5], list[12] = samples.order(), samples.order()
    write(list)
    said, status = run()
    assert.equal(0, status)
    assert.matches("^2 taken, 2 accepted, 0 refused, 0 failed, 18 passed over, ", said)
  end)

  it("says how it is called", function()
    local said, status = shell.run('eval "$(make -s env LUA=5.4)"; lua5.4 examples/batch.lua 2>&1')
    assert.equal(2, status)
    assert.matches("usage: ", said, 1, true)
  end)
end)
