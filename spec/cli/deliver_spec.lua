-- Delivers beside processes that put: what is put arrives, and what it is told to do it does.

local alipayhk = require "alipayhk"
local command = require "spec.support.command"
local core = require "alipayhk.core"
local databases = require "spec.support.databases"
local gateway = require "spec.support.servers.gateway"
local json = require "alipayhk.base.json"
local nginx = require "spec.support.servers.nginx"
local outboxes = require "spec.support.outboxes"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

describe("alipayhk deliver", function()
  local server, path, outbox, config, started

  setup(function() server = scripted.start() end)
  teardown(function() server:stop() end)

  before_each(function()
    server:control { codes = "", hold = "0", delay = "0", gone = "0" }
    path, started = databases.path(), {}
    config = command.config(server:config(), ("store = %q"):format("sqlite:" .. path))
    outbox = assert(alipayhk.outbox { store = "sqlite:" .. path, client_id = server:config().client_id })
  end)
  after_each(function()
    for _, one in ipairs(started) do one:signal "KILL" end
    outbox:close()
  end)

  local function start(...)
    local one = command.start { "deliver", "--config", config, ... }
    started[#started + 1] = one
    return one
  end

  local function until_empty(...)
    return command.run { "deliver", "--config", config, "--until-empty", ... }
  end

  local function put(extra)
    local order = samples.order(extra)
    return assert(outbox:put(order)), order.merchantBizNo
  end

  local function await_state(state, count)
    local sql = ("SELECT count(*) FROM event WHERE state = '%s'"):format(state)
    assert.is_truthy(nginx.await(20, function() return databases.judge(path, sql) == tostring(count) end), state)
  end

  local function await_said(one, words)
    assert.is_truthy(nginx.await(20, function() return table.concat({ one:said() }):find(words, 1, true) end), words)
  end

  for signal in pairs { TERM = true, INT = true } do
    it("delivers what another process puts, and what is under way to its end: SIG" .. signal, function()
      local one = start()
      for _ = 1, 5 do put() end
      await_state("accepted", 5)
      server:control { hold = "1" }
      put()
      await_state("sending", 1)
      one:signal(signal)
      await_said(one, "once more ends at once")
      server:control { hold = "0" }
      local status, out, err = one:ended()
      assert.same({ 0, "" }, { status, out })
      assert.matches("\n6 accepted, 0 parked, ", err)
      await_state("accepted", 6)
    end)
  end

  it("ends at once at the second signal, and nothing is lost by that", function()
    local one = start()
    server:control { hold = "1" }
    put()
    await_state("sending", 1)
    one:signal "TERM"
    await_said(one, "once more ends at once")
    one:signal "TERM"
    assert.equal(143, (one:ended()))
    server:control { hold = "0" }
    assert.equal(0, (until_empty()))
    await_state("accepted", 1)
  end)

  it("stands by while another delivers, and takes over when that one is killed", function()
    local one = start()
    put()
    await_state("accepted", 1)
    local other = start()
    await_said(other, "another process delivers: standing by")
    server:control { hold = "1" }
    put()
    await_state("sending", 1)
    one:signal "KILL"
    server:control { hold = "0" }
    await_state("accepted", 2)
    other:signal "TERM"
    local status, _, err = other:ended()
    assert.equal(0, status)
    assert.matches("\n1 accepted, 0 parked, ", err)
  end)

  it("tells what it parks, and of each event where that is asked for", function()
    server:control { codes = "PARAM_ILLEGAL/F" }
    local id, number = put()
    local status, out, err = until_empty()
    assert.equal(1, status)
    assert.matches(("^event %s of %s is parked: PARAM_ILLEGAL: [^\n]+\n$"):format(id, number:gsub("-", "%%-")), out)
    assert.matches("^0 accepted, 1 parked, ", err)

    server:control { codes = "PARAM_ILLEGAL/F" }
    local parked, accepted = put(), put()
    status, out = until_empty("--json", "--concurrency", "1")
    assert.equal(1, status)
    local found = command.objects(out)
    assert.same({ "parked", parked, "PARAM_ILLEGAL", "order" },
      { found[1].event, found[1].id, found[1].code, found[1].api })
    assert.same({ "accepted", accepted, 1 }, { found[2].event, found[2].id, found[2].attempt })
    assert.not_matches(samples.USER_ID, out, 1, true)
  end)

  it("ends with 3 where AlipayHK cannot be reached, and says that events wait", function()
    put()
    local status, out, err = command.run { "deliver", "--until-empty", "--config", command.config(server:config {
      base_url = "https://127.0.0.1:1" }, ("retry = { budget_ms = 300, base_delay_ms = 1 }, store = %q"):format(
        "sqlite:" .. path)) }
    assert.same({ 3, "" }, { status, out })
    assert.matches("\nalipayhk: events wait: AlipayHK could not be reached for %d+ s; the last attempt: connect: .* "
      .. "%-> is the local gateway running%? %(alipayhk gateway%)\n$", err)
    await_state("waiting", 1)
  end)

  it("says why nothing arrives, once, and ends where its signature is refused", function()
    for _ = 1, 3 do put() end
    local own = shell.directory() .. "/own.pem"
    shell.must("openssl genpkey -algorithm RSA -out " .. own)
    local bad = command.config(gateway.config "rsa", ("retry = { budget_ms = 300, base_delay_ms = 1 }, store = %q")
      :format("sqlite:" .. path))
    local words = { "deliver", "--until-empty", "--config", bad, "--client-id", server:config().client_id,
      "--private-key", own }
    local status, out, err = command.run(words)
    assert.same({ 3, "" }, { status, out })
    assert.matches("^event %d+ of %S+ waits, and is tried again in %d+ m?s: INVALID_%u+: AlipayHK answered [^\n]*\n"
      .. "0 accepted, 0 parked, [^\n]*\nalipayhk: events wait: nothing was accepted or parked for %d+ s, though "
      .. "AlipayHK answers: INVALID_%u+; the last attempt: INVALID_%u+: AlipayHK answered [^\n]*\n$", err)
    await_state("waiting", 3)
  end)

  it("says why again when it is another reason, or one has been accepted since", function()
    server:control { codes = "UNKNOWN_EXCEPTION/U,UNKNOWN_EXCEPTION/U,PROCESS_FAIL/U" }
    put()
    local status, _, err = until_empty("--concurrency", "1")
    assert.equal(0, status)
    local told = {}
    for code in err:gmatch("tried again in %d+ m?s: ([%u_]+): ") do told[#told + 1] = code end
    assert.same({ "UNKNOWN_EXCEPTION", "PROCESS_FAIL" }, told)
  end)

  it("ends when nobody reads what it says, as if it were told to", function()
    for _ = 1, 50 do put() end
    local said, status = shell.run(command.words { "deliver", "--config", config, "--json" } .. " 2>&1 > /dev/full")
    assert.equal(3, status)
    assert.matches("%d+ accepted, 0 parked, [^\n]*\nalipayhk: events wait: standard output: No space left on device",
      said)
    await_state("accepted", tonumber(said:match("(%d+) accepted")))
    await_state("sending", 0)
  end)

  it("makes a store's file only where that is asked for", function()
    local missing = shell.directory() .. "/typo.db"
    local status, out, err = until_empty("--store", "sqlite:" .. missing)
    assert.same({ 2, "" }, { status, out })
    assert.matches(missing .. ": no such file; `put` makes it", err, 1, true)
    assert.is_nil(shell.read(missing))
    assert.equal(0, (until_empty("--store", "sqlite:" .. missing, "--create")))
    assert.is_string(shell.read(missing))
  end)

  it("says what is wrong with its store, and with its config", function()
    local folder = shell.directory()
    shell.write(folder .. "/other.db", ("no database "):rep(100))
    for store, case in pairs {
      ["sqlite:" .. folder .. "/other.db"] = { 3, "^alipayhk: store/damaged: " },
      ["mysql:orders"] = { 2, '^alipayhk: config: `store`: expected "sqlite:PATH"' },
    } do
      local status, out, err = command.run { "deliver", "--config", config, "--store", store }
      assert.same({ case[1], "" }, { status, out })
      assert.matches(case[2], err)
      assert.matches("^[^\n]+\n$", err)
    end
    local status, _, err = command.run { "deliver", "--store", "sqlite:" .. path }
    assert.equal(2, status)
    assert.matches("[--client-id, ALIPAYHK_CLIENT_ID]", err, 1, true)
    shell.write(folder .. "/config.lua", "return 1")
    status, _, err = command.run { "deliver", "--config", folder .. "/config.lua" }
    assert.equal(2, status)
    assert.matches("expected `return { ... }` or a JSON object, found a number", err, 1, true)
  end)

  it("shows on a terminal how far it is", function()
    for _ = 1, 100 do put() end
    local said = command.on_terminal({ "deliver", "--config", config, "--until-empty", "--rate", "200" }, 60)
    assert.matches("\27%[K%[#*%-*%]  %s*%d+ %%", said)
    assert.matches("100 accepted, 0 parked", said, 1, true)
  end)

  it("has a unit that systemd takes", function()
    local has_systemd = select(2, shell.run("command -v systemd-analyze")) == 0
    if not has_systemd then return pending("systemd-analyze is not installed") end
    -- Its command is another one on some machines.
    local unit = shell.directory() .. "/alipayhk-deliver.service"
    shell.write(unit, (shell.read("examples/alipayhk-deliver.service"):gsub("/usr/local/bin/alipayhk", "/bin/sh")))
    assert.equal("", shell.must("systemd-analyze verify --man=no " .. unit))
  end)
end)

describe("alipayhk deliver over a Redis", function()
  setup(outboxes.redis.start)
  teardown(outboxes.redis.stop)

  it("sends what put has stored to the local gateway", function()
    local place = outboxes.redis.new()
    local config = command.config(gateway.config "ec", ("store = %q"):format(place.url))
    local path = shell.directory() .. "/orders.jsonl"
    local lines = {}
    for i = 1, 20 do lines[i] = json.encode(samples.order()) end
    shell.write(path, table.concat(lines, "\n"))
    assert.equal(0, (command.run { "put", "--config", config, path }))
    local status, out, err = command.run { "deliver", "--config", config, "--until-empty" }
    assert.same({ 0, "" }, { status, out })
    assert.matches("^20 accepted, 0 parked, ", err)
    assert.equal(20, select(2, place.states():gsub("accepted", "")))
  end)

  it("tells of a store that fails, not each time that it is asked, and goes on when it works again", function()
    local redis, place = outboxes.redis.server, outboxes.redis.new()
    local config = command.config(gateway.config "ec", ("store = %q"):format(place.url))
    local one = command.start { "deliver", "--config", config }
    local input = json.encode(samples.order())
    local function put_and_await(count)
      assert.equal(0, (command.run({ "put", "--config", config, "-" }, { input = input })))
      assert.is_truthy(nginx.await(20, function() return select(2, place.states():gsub("accepted", "")) == count end))
    end
    put_and_await(1)
    redis.kill()
    assert.is_truthy(nginx.await(20, function() return one:said():find("the store fails: ", 1, true) end))
    core.sleep(2000) -- it is asked some five times
    redis.restart()
    put_and_await(2)
    one:signal "TERM"
    local status, out, err = one:ended()
    assert.equal(0, status)
    assert.matches("2 accepted, 0 parked, ", err)
    local told = select(2, out:gsub("the store fails: ", ""))
    assert.is_true(told >= 1 and told <= 2, out)
  end)
end)
