local cjson = require "cjson.safe"
local alipayhk = require "alipayhk"
local command = require "spec.support.command"
local core = require "alipayhk.core"
local samples = require "spec.support.data.samples"
local settings = require "alipayhk.cli.settings"
local shell = require "spec.support.shell"

local AWAIT = "for i in $(seq 300); do %s && exit 0; sleep 0.1; done; exit 1"

local function await(condition)
  local _, status = shell.run("(" .. AWAIT:format(condition) .. ")")
  return status == 0
end

-- Making keys takes longer than all else.
local keys_of_all = shell.directory()

-- The command in the background, once it is up: it writes its config into `config`.
local function start_with(...)
  local made = { directory = shell.directory() }
  made.config, made.out, made.err = made.directory .. "/c.lua", made.directory .. "/out", made.directory .. "/err"
  local words = command.words { "gateway", "--write-config", made.config, ... }
  made.pid = shell.must(("%s > %s 2> %s & echo $!"):format("exec " .. words, made.out, made.err)):match("%d+")
  assert(await("grep -q CA_FILE " .. made.err), shell.read(made.err))
  return made
end

local function start(...)
  return start_with("--keys", keys_of_all, ...)
end

-- Ends it as a service manager would; its status is for a shell that waits.
local function stop(made, signal)
  shell.run(("kill -%s %s"):format(signal or "TERM", made.pid))
  return await(("! kill -0 %s 2> /dev/null"):format(made.pid))
end

local function client_of(made, extra)
  local config = settings.all { config = made.config }
  for name, value in pairs(extra or { retry = false }) do config[name] = value end
  return assert(alipayhk.new(config))
end

-- What `count` orders come to: a count of each result code or kind of error.
local function outcomes(made, count, extra)
  local client, found = client_of(made, extra), {}
  for _ = 1, count do
    local response, err = client:sync_order(samples.order())
    local key = response and response.result.resultCode or err.http_status ~= 200 and err.http_status or err.code
    found[key or err.code] = (found[key or err.code] or 0) + 1
  end
  client:close()
  return found
end

local function running(...)
  local made = start(...)
  finally(function() stop(made) end)
  return made
end

local function folder_of(made)
  return shell.read(made.config):match('private_key = { file = "([^"]*)/merchant%-rsa.pem" }')
end

describe("alipayhk gateway", function()
  it("writes a config that works, shows each request, and leaves nothing behind", function()
    local made = start_with()
    local client = client_of(made)
    assert(client:sync_order(samples.order { merchantBizNo = "SHOWN-1" }))
    assert(client:sync_order(samples.order { merchantBizNo = "SHOWN-2" }, { encrypt = true }))
    local _, err = client_of(made, { retry = false, validate = false }):sync_order { merchantBizNo = "SHOWN-3" }
    assert.equal("PARAM_ILLEGAL", err.code)
    assert.is_true(await("grep -q SHOWN-3 " .. made.out))
    local folder = folder_of(made)
    assert.is_true(stop(made))
    assert.is_nil(shell.read(folder .. "/ca.pem"))
    local lines = {}
    for line in shell.read(made.out):gmatch("[^\n]+") do lines[#lines + 1] = line end
    assert.equal(3, #lines)
    assert.matches("^%d%d:%d%d:%d%d  order +SHOWN%-1 +%u+ +SUCCESS +%d+ ms$", lines[1])
    assert.matches("^%d%d:%d%d:%d%d  order +SHOWN%-2 +%u+ +SUCCESS +%d+ ms$", lines[2])
    assert.matches("SHOWN%-3 +%- +PARAM_ILLEGAL +%d+ ms  .*orderStatus: required", lines[3])
  end)

  it("gives each request as an object", function()
    local made = running "--json"
    assert(client_of(made):sync_order(samples.order { merchantBizNo = "OBJECT" }))
    assert.is_true(await("grep -q OBJECT " .. made.out))
    local entry = cjson.decode(shell.read(made.out))
    assert.same({ "order", "OBJECT", 200, "SUCCESS", "S" },
      { entry.api, entry.merchant_biz_no, entry.http_status, entry.result_code, entry.result_status })
  end)

  it("shows nothing of a request that a terminal would obey", function()
    local made = running()
    client_of(made, { retry = false, validate = false }):sync_order { merchantBizNo = "A\27[2J\nB" }
    assert.is_true(await("grep -q PARAM_ILLEGAL " .. made.out))
    assert.is_nil(shell.read(made.out):find("\27", 1, true))
    assert.matches("A?[2J?B", shell.read(made.out), 1, true)
  end)

  it("prints a config for eval, of the one that runs over --keys", function()
    local keys = shell.directory() .. "/keys"
    local made = start_with("--keys", keys)
    local said = shell.must(('eval "$(%s)" && echo "$ALIPAYHK_BASE_URL $ALIPAYHK_PRIVATE_KEY"'):format(
      command.words { "gateway", "--keys", keys, "--env" }))
    assert.equal(("%s %s/merchant-rsa.pem\n"):format(shell.read(made.config):match("https[^\"]*"), keys), said)
    stop(made)
    local ended, out, err = command.run { "gateway", "--keys", keys, "--env" }
    assert.same({ 3, "" }, { ended, out })
    assert.matches("none runs over .*/keys; start it in another terminal: alipayhk gateway %-%-keys", err)
  end)

  it("runs once over --keys, so that --env tells of the one that runs", function()
    local keys = shell.directory() .. "/keys"
    local made = start_with("--keys", keys)
    local address = shell.read(made.config):match("https[^\"]*")
    local status, out, err = command.run { "gateway", "--keys", keys }
    assert.same({ 2, "" }, { status, out })
    assert.equal(("alipayhk: gateway: --keys: one over %s runs already, at %s: end that first, or give another "
      .. "folder\n"):format(keys, address), err)
    assert.matches(address, shell.must(command.words { "gateway", "--keys", keys, "--env" }), 1, true)
    -- Nor is another started beside the command.
    assert.matches("one over .*/keys runs already, at " .. address:gsub("%p", "%%%0"),
      (shell.run(("GATEWAY_KEYS=%s gateway/start 2>&1"):format(keys))))
    -- The number of one that has ended may be another process's.
    stop(made, "KILL")
    local values = keys .. "/values"
    assert.is_true(await("! test -e " .. shell.read(values):match("log=([^\n]*)")))
    shell.write(values, (shell.read(values):gsub("pid=%d+", "pid=" .. shell.must("echo $PPID"):match("%d+"))))
    assert.equal(3, (command.run { "gateway", "--keys", keys, "--env" }))
    stop(start_with("--keys", keys))
  end)

  it("keeps keys and CA, so that a config stays valid, the private ones for their owner alone", function()
    local keys = shell.directory() .. "/the keys"
    local port = tostring(20000 + core.random_bytes(2):byte() * 40)
    local first = start_with("--keys", keys, "--port", port)
    local config = shell.read(first.config)
    assert.is_true(stop(first))
    local second = start_with("--keys", keys, "--port", port, "--type", "rsa")
    finally(function() stop(second) end)
    assert.equal(config, shell.read(second.config))
    assert.same({ SUCCESS = 1 }, outcomes(first, 1))
    local count = 0
    for line in shell.must(("cd '%s' && ls -l *.pem *.key"):format(keys)):gmatch("[^\n]+") do
      assert.matches("^%-rw%-%-%-%-%-%-%-", line)
      count = count + 1
    end
    assert.equal(6, count)
  end)

  it("has keys for ECC224, too", function()
    assert.same({ SUCCESS = 1 }, outcomes(running("--type", "ec"), 1))
  end)

  it("ends at Ctrl-C with status 0", function()
    local made = shell.directory()
    local output = shell.run(("(for i in $(seq 100); do grep -q CA_FILE %s/typed && break; sleep 0.1; done; "
      .. "printf '\\003'; sleep 2) | script -qefc %s %s/typed"):format(made,
      shell.quote(command.OUTLIVES_CTRL_C .. command.words({ "gateway" }) .. "; echo status $?"), made))
    assert.matches("Ctrl-C ends it", output, 1, true)
    assert.matches("status 0", output, 1, true)
    assert.is_nil(output:find("traceback", 1, true))
  end)

  it("takes its nginx with it when it is killed", function()
    local made = start_with()
    local folder = folder_of(made)
    stop(made, "KILL")
    assert.is_true(await(("! test -e %s"):format(folder)))
  end)
end)

describe("alipayhk gateway, with a fault", function()
  it("--answer: each gets that code", function()
    assert.same({ ORDER_STATUS_INVALID = 3 }, outcomes(running("--answer", "ORDER_STATUS_INVALID"), 3))
  end)

  it("--fail: some are not taken, half by HTTP 503 and half by a result of status U", function()
    local found = outcomes(running("--fail", "50%"), 80)
    assert.is_true(found.SUCCESS > 15 and found[503] > 3 and found.UNKNOWN_EXCEPTION > 3, cjson.encode(found))
  end)

  it("--fail: a client that tries again gets all of them through", function()
    assert.same({ SUCCESS = 20 }, outcomes(running("--fail", "30%"), 20,
      { retry = { max_attempts = 20, base_delay_ms = 1 } }))
  end)

  it("--drop: there is no answer, and the event was taken", function()
    local made = running("--drop", "100%")
    assert.same({ reset = 2 }, outcomes(made, 2))
    assert.is_true(await("grep -q 'no answer .*dropped on purpose' " .. made.out))
  end)

  it("--unsigned: a success without a signature is not believed", function()
    assert.same({ unsigned = 1 }, outcomes(running "--unsigned", 1))
  end)

  it("--delay: each waits", function()
    local made = running("--delay", "300ms")
    local before = core.monotonic()
    outcomes(made, 2)
    assert.is_true(core.monotonic() - before >= 3 / 5)
  end)

  it("--skew: its clock, and that of its answers, is another", function()
    for skew, ms in pairs { ["10m"] = 600000, ["-10m"] = -600000 } do
      local made = start("--skew=" .. skew)
      local response = assert(client_of(made):sync_order(samples.order()))
      stop(made)
      assert.is_true(math.abs(response.clock_skew_ms - ms) < 2000, response.clock_skew_ms)
    end
  end)
end)

describe("alipayhk gateway says in one line", function()
  -- What it says instead of running.
  local function refusal(env, ...)
    local status, out, err = command.run({ "gateway", ... }, { env = env })
    assert.equal(2, status, out .. err)
    assert.equal("", out)
    assert.matches("^alipayhk: [^\n]+\n$", err)
    return err
  end

  it("that a port is in use", function()
    local made = running()
    local port = shell.read(made.config):match(":(%d+)\"")
    assert.matches("the port is in use by another process: give another --port", refusal(nil, "--port", port), 1, true)
  end)

  it("how nginx is installed where it is not", function()
    assert.matches("no nginx at /nowhere: install nginx with its Lua module (Debian, Ubuntu: apt-get install nginx ",
      refusal { "NGINX_BIN=/nowhere" }, 1, true)
  end)

  it("what is wrong with an option", function()
    local directory = shell.directory()
    shell.write(directory .. "/mine", "mine\n")
    for _, case in ipairs {
      { "--port: expected a whole number from 1 to 65535, found \"0\"", "--port", "0" },
      { "--port: expected a whole number from 1 to 65535, found \"x\"", "--port", "x" },
      { "--fail: expected a percentage up to 100%, such as 10%, found \"10\"", "--fail", "10" },
      { "--drop: expected a percentage up to 100%, such as 10%, found \"101%\"", "--drop", "101%" },
      { "--delay: expected a time such as 200ms, 5s, 10m, 1h or 30d, found \"200\"", "--delay", "200" },
      { "--delay: expected a time", "--delay=-1s" },
      { "found \"PARAM_ILEGAL\", did you mean \"PARAM_ILLEGAL\"?", "--answer", "PARAM_ILEGAL" },
      { "--answer: expected one of ACCESS_DENIED, INVALID_API, ", "--answer", "NOPE" },
      { "--keys: " .. directory .. "/mine is no folder", "--keys", directory .. "/mine" },
      { "was not written by this command", "--write-config", directory .. "/mine" },
      { "--write-config: ", "--write-config", directory .. "/none/c.lua" },
      { "--write-config: ", "--write-config", "/dev/full" },
      { "Give the --keys of the one that runs", "--env" },
    } do
      assert.matches(case[1], refusal(nil, (table.unpack or unpack)(case, 2)), 1, true) -- luacheck: ignore 113 143
    end
    assert.equal("mine\n", shell.read(directory .. "/mine"))
  end)

  it("that its output cannot be written, and ends its nginx", function()
    local made = { config = shell.directory() .. "/c.lua", err = shell.directory() .. "/err" }
    local words = command.words { "gateway", "--write-config", made.config }
    local pid = shell.must(("%s > /dev/full 2> %s & echo $!"):format("exec " .. words, made.err)):match("%d+")
    assert.is_true(await("grep -q CA_FILE " .. made.err))
    local folder = folder_of(made)
    outcomes(made, 1)
    assert.is_true(await(("! kill -0 %s 2> /dev/null"):format(pid)))
    assert.matches("\nalipayhk: standard output: No space left on device\n$", shell.read(made.err))
    assert.is_nil(shell.read(folder .. "/ca.pem"))
  end)
end)
