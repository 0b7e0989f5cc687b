-- The examples that use the command: examples/cron.sh and examples/rules.lua.

local command = require "spec.support.command"
local gateway = require "spec.support.servers.gateway"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local ROOT = shell.must("pwd"):match("[^\n]+")

local function order(changes)
  local _, sample = command.run { "scenarios", "MOVIE_TICKET", "--sample", "json" }
  sample = sample:gsub("\n", ""):gsub("20240522000001", samples.biz_no())
  for from, into in pairs(changes or {}) do sample = sample:gsub(from, into) end
  return sample .. "\n"
end

describe("examples/cron.sh", function()
  local directory, folder

  before_each(function()
    directory = shell.directory()
    folder = directory .. "/spool"
    shell.must("mkdir " .. folder)
    command.put_into(directory)
    local values = gateway.values()
    shell.write(directory .. "/config.lua", ("return { client_id = %q, base_url = %q, private_key = { file = %q },\n"
      .. "alipay_public_key = { file = %q }, tls = { ca_file = %q }, retry = false }\n"):format(values.rsa_client_id,
      values.base_url, values.rsa_private_key, values.rsa_alipay_public_key, values.ca_file))
  end)

  local function run(config)
    return shell.run(("PATH=%s/bin:$PATH sh %s/examples/cron.sh %s %s"):format(directory, ROOT,
      config or directory .. "/config.lua", folder))
  end

  local function listed(where)
    return shell.must(("cd %s && ls %s"):format(folder, where or ""))
  end

  it("sends each file once, and tells those apart in which something was refused", function()
    shell.write(folder .. "/1.jsonl", order() .. order())
    shell.write(folder .. "/2.jsonl", order { TICKETED = "TICKTED" } .. order())
    local output, status = run()
    assert.equal(0, status, output)
    assert.equal("done\nrefused\n", listed())
    assert.equal("1.journal\n1.jsonl\n1.log\n", listed "done")
    assert.equal("2.journal\n2.jsonl\n2.log\n", listed "refused")
    assert.matches("expected one of", shell.read(folder .. "/refused/2.log"), 1, true)
    assert.equal(0, select(2, run()))
  end)

  it("leaves all for the next time where AlipayHK cannot be reached, and sends it then", function()
    shell.write(folder .. "/1.jsonl", order())
    shell.write(folder .. "/2.jsonl", order())
    local away = directory .. "/away.lua"
    shell.write(away, (shell.read(directory .. "/config.lua"):gsub('base_url = "[^"]*"',
      'base_url = "https://127.0.0.1:1"')))
    local output, status = run(away)
    assert.equal(3, status)
    assert.matches("not sent", output, 1, true)
    assert.matches("1.jsonl\n", listed(), 1, true)
    os.remove(folder .. "/1.journal") -- which is of the other address
    output, status = run()
    assert.equal(0, status, output)
    assert.equal("1.journal\n1.jsonl\n1.log\n2.journal\n2.jsonl\n2.log\n", listed "done")
  end)

  it("does nothing while another one runs", function()
    shell.write(folder .. "/1.jsonl", order())
    local output, status = shell.run(("flock %s/.lock env PATH=%s/bin:$PATH sh %s/examples/cron.sh %s/config.lua %s")
      :format(folder, directory, ROOT, directory, folder))
    assert.equal(0, status, output)
    assert.equal("1.jsonl\n", listed())
  end)
end)

describe("examples/rules.lua", function()
  local function check(payload)
    return command.run({ "check", "--scenarios", "examples/rules.lua", "-" }, { input = payload })
  end

  it("asks for more than AlipayHK's pages do", function()
    local status, out = check(order())
    assert.equal(1, status)
    for _, path in ipairs { "extInfo.seat", "extInfo.cinema" } do
      assert.matches("-:1: " .. path .. "  missing", out, 1, true)
    end
  end)

  it("takes what has it", function()
    local status, out = check(order { ['"extInfo": {}'] = '"extInfo": {"seat":"A1","cinema":{"name":"One"}}' })
    assert.equal(0, status, out)
  end)
end)
