-- examples/deliver.lua beside a process that puts: what is put arrives, and what it is told to do it does.

local alipayhk = require "alipayhk"
local databases = require "spec.support.databases"
local nginx = require "spec.support.servers.nginx"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

local CONFIG = [[return { store = %q, client_id = %q, base_url = %q, tls = { ca_file = %q },
  private_key = { file = %q }, alipay_public_key = { file = %q } }]]
-- Its status when it ends; and its end when this process has ended, however that comes about.
local START = [[eval "$(make -s env LUA=5.4)"
(lua5.4 examples/deliver.lua @directory@/config.lua > @log@ 2>&1 &
echo $! > @log@.pid; wait $!; echo $? > @log@.status) > /dev/null 2>&1 &
(while kill -0 @own_pid@; do sleep 1; done; kill -9 $(cat @log@.pid)) > /dev/null 2>&1 &]]

describe("examples/deliver.lua", function()
  local server, directory, path, outbox, started

  setup(function()
    shell.must("make -s build LUA=5.4")
    server = scripted.start()
  end)
  teardown(function() server:stop() end)

  local function write_config(store)
    local config = server:config()
    shell.write(directory .. "/config.lua", CONFIG:format(store, config.client_id, config.base_url, config.tls.ca_file,
      config.private_key.file, config.alipay_public_key.file))
  end

  before_each(function()
    server:control { codes = "", hold = "0", delay = "0" }
    directory, path, started = shell.directory(), databases.path(), {}
    write_config("sqlite:" .. path)
    outbox = assert(alipayhk.outbox { store = "sqlite:" .. path, client_id = server:config().client_id })
  end)
  after_each(function()
    for _, one in ipairs(started) do shell.run("kill -9 " .. one.pid) end
    outbox:close()
  end)

  local function start()
    local log = ("%s/log.%d"):format(directory, #started)
    shell.run((START:gsub("@([%w_]+)@", {
      log = log, directory = directory, own_pid = shell.read("/proc/self/stat"):match("^%d+"),
    })))
    local pid = nginx.await(20, function() return (shell.read(log .. ".pid") or ""):match("%d+") end)
    local one = { log = log, pid = pid }
    started[#started + 1] = one
    return one
  end

  -- What it said, and its exit status.
  local function ended(one)
    local status = nginx.await(20, function() return (shell.read(one.log .. ".status") or ""):match("^%d+") end)
    return shell.read(one.log), tonumber(status)
  end

  local function put(extra)
    local order = samples.order(extra)
    return assert(outbox:put(order)), order.merchantBizNo
  end

  local function await_state(state, count)
    local sql = ("SELECT count(*) FROM event WHERE state = '%s'"):format(state)
    assert.is_truthy(nginx.await(20, function() return databases.judge(path, sql) == tostring(count) end), state)
  end

  it("delivers what another process puts, until SIGTERM, and what is under way to its end", function()
    local one = start()
    for _ = 1, 5 do put() end
    await_state("accepted", 5)
    server:control { hold = "1" }
    put()
    await_state("sending", 1)
    shell.must("kill " .. one.pid)
    server:control { hold = "0" }
    local said, status = ended(one)
    assert.equal(0, status)
    assert.matches("^6 accepted, 0 parked, ", said)
    await_state("accepted", 6)
  end)

  it("stands by while another delivers, and takes over when that one is killed", function()
    local one = start()
    put()
    await_state("accepted", 1)
    local other = start()
    server:control { hold = "1" }
    put()
    await_state("sending", 1)
    shell.must("kill -9 " .. one.pid)
    server:control { hold = "0" }
    await_state("accepted", 2)
    shell.must("kill " .. other.pid)
    local said, status = ended(other)
    assert.equal(0, status)
    assert.matches("^1 accepted, 0 parked, ", said)
  end)

  it("tells what it parks", function()
    server:control { codes = "PARAM_ILLEGAL/F" }
    local id, number = put()
    local one = start()
    await_state("parked", 1)
    shell.must("kill " .. one.pid)
    assert.matches(("event %s of %s is parked: alipayhk: result/PARAM_ILLEGAL"):format(id, number), ended(one), 1, true)
  end)

  it("ends with 1 where the store is not one, and with 2 where the config is wrong", function()
    shell.write(directory .. "/config.db", ("no database "):rep(100))
    write_config("sqlite:" .. directory .. "/config.db")
    local said, status = ended(start())
    assert.equal(1, status)
    assert.matches("^alipayhk: store/damaged: ", said)
    write_config("mysql:orders")
    said, status = ended(start())
    assert.equal(2, status)
    assert.matches('^alipayhk: config/store: `store`: expected "sqlite:PATH"', said)
    shell.write(directory .. "/config.lua", "return 1")
    assert.equal(2, select(2, ended(start())))
  end)

  it("has a unit that systemd takes", function()
    local has_systemd = select(2, shell.run("command -v systemd-analyze")) == 0
    if not has_systemd then return pending("systemd-analyze is not installed") end
    -- Its interpreter is another one on some machines.
    local unit = directory .. "/alipayhk-deliver.service"
    shell.write(unit, (shell.read("examples/alipayhk-deliver.service"):gsub("/usr/bin/lua5.4", "/bin/sh")))
    assert.equal("", shell.must("systemd-analyze verify --man=no " .. unit))
  end)
end)
