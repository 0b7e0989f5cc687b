-- Looks into outboxes whose events have met what may happen to them.

local cjson = require "cjson.safe"
local alipayhk = require "alipayhk"
local command = require "spec.support.command"
local double = require "spec.support.doubles.alipayhk_double"
local outboxes = require "spec.support.outboxes"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local gateway = double.new { algorithm = "p224" }

for _, kind in ipairs(outboxes.kinds) do
  describe("alipayhk outbox of " .. kind.name, function()
    local place, outbox, ids, orders

    setup(kind.start)
    teardown(kind.stop)

    -- One accepted, two parked, one that waits.
    before_each(function()
      outbox, place = outboxes.open(kind, gateway)
      ids, orders = {}, {}
      local function put()
        orders[#orders + 1] = samples.order()
        ids[#ids + 1] = assert(outbox:put(orders[#orders]))
      end
      for _ = 1, 3 do put() end
      gateway:answers { {}, { code = "PARAM_ILLEGAL", status = "F" } }
      outbox:deliver { until_empty = true, concurrency = 1 }
      put()
      gateway:answers { {} }
    end)
    after_each(outboxes.close_all)

    local function words(...)
      local list = { "outbox", ... }
      for _, word in ipairs { "--store", place.url, "--client-id", gateway.client_id } do list[#list + 1] = word end
      return list
    end

    local function ask(...) return command.run(words(...)) end

    it("says how many events there are of each state", function()
      local status, out = ask "stats"
      assert.equal(0, status)
      assert.matches("^waiting     1\nsending     0\nparked      2\naccepted    1\nsuperseded  0\ndropped     0\n"
        .. "oldest      %d+ m?s\n$", out)
      local found = command.objects(select(2, ask("stats", "--json")))[1]
      assert.same({ 1, 0, 2, 1 }, { found.waiting, found.sending, found.parked, found.accepted })
      assert.is_number(found.oldest_ms)
    end)

    it("lists them, all or some", function()
      local _, out = ask "list"
      local lines = {}
      for line in out:gmatch("[^\n]+") do lines[#lines + 1] = line end
      assert.equal(5, #lines)
      assert.matches("^ID +STATE +PUT +TRIES +ORDER +CODE +MESSAGE$", lines[1])
      assert.matches(("^%s +accepted +%%d+%%-%%d+%%-%%d+ %%d+:%%d+:%%d+ +1 +%s"):format(ids[1],
        orders[1].merchantBizNo:gsub("-", "%%-")), lines[2])
      assert.matches(" parked .* PARAM_ILLEGAL  +%S", lines[3])

      local function listed(...)
        local found, list = command.objects(select(2, ask("list", "--json", ...))), {}
        for i, event in ipairs(found) do list[i] = event.id end
        return list
      end
      assert.same(ids, listed())
      assert.same({ ids[2], ids[3] }, listed("--state", "parked"))
      assert.same({ ids[3] }, listed("--order", orders[3].merchantBizNo))
      assert.same({ ids[2], ids[3] }, listed("--after", ids[1], "--limit", "2"))
      local _, _, err = ask("list", "--limit", "2")
      assert.equal(("there may be more: --limit, or --after %s\n"):format(ids[2]), err)
    end)

    it("shows one, and what was put only where that is asked for", function()
      local status, out = ask("show", ids[2])
      assert.equal(0, status)
      assert.matches(("^id +%s\napi +order\nmerchantBizNo +%s\nstate +parked\nattempts +1\nput +%%d[^\n]*\ncode +"
        .. "PARAM_ILLEGAL\nmessage +[^\n]+\n$"):format(ids[2], orders[2].merchantBizNo:gsub("-", "%%-")), out)
      assert.not_matches(samples.USER_ID, out, 1, true)
      _, out = ask("show", ids[2], "--body")
      assert.matches(samples.USER_ID, out, 1, true)
      local found = command.objects(select(2, ask("show", ids[4], "--body", "--json")))[1]
      assert.same({ ids[4], "waiting", orders[4].merchantBizNo },
        { found.id, found.state, cjson.decode(found.body).merchantBizNo })
      _, out = ask("show", ids[1], "--body")
      assert.matches("body +none", out)
      local err
      status, out, err = ask("show", ("%.0f"):format(ids[4] + 160))
      assert.same({ 1, "" }, { status, out })
      assert.matches("^alipayhk: outbox: there is no event %d+: [^\n]+\n$", err)
    end)

    it("has what is parked sent again, or dropped, and says so where one was not", function()
      local status, out = ask("retry", ids[2], ids[4])
      assert.equal(1, status)
      assert.equal(("%s  waits again\n%s  not done: no such event is parked\n"):format(ids[2], ids[4]), out)
      status, out = ask("drop", ids[3])
      assert.same({ 0, ids[3] .. "  dropped\n" }, { status, out })
      status, out = ask("drop", ids[3], "--json")
      assert.equal(1, status)
      assert.same({ id = ids[3], done = false, message = "no such event is parked" }, command.objects(out)[1])
      local stats = outbox:stats()
      assert.same({ 2, 0, 1 }, { stats.waiting, stats.parked, stats.dropped })
    end)

    it("has all that are parked sent again, but for what a later event has overtaken", function()
      assert(outbox:put(samples.order { merchantBizNo = orders[2].merchantBizNo, orderStatus = "USED" }))
      outbox:deliver { until_empty = true }
      local status, out = ask("retry", "--all-parked")
      assert.equal(1, status)
      assert.matches(("^%s  not done: a later event of its order [^\n]+\n%s  waits again\n$"):format(ids[2], ids[3]),
        out)
      assert.equal(1, outbox:stats().waiting)
    end)

    it("forgets what has ended for so long", function()
      assert.same({ 0, "0 forgotten\n", "" }, { ask("purge", "--older-than", "1h") })
      assert.same({ 0, '{"purged":1}\n', "" }, { ask("purge", "--older-than", "0s", "--json") })
      local stats = outbox:stats()
      assert.same({ 0, 2, 1 }, { stats.accepted, stats.parked, stats.waiting })
    end)

    it("fits a terminal", function()
      for _, columns in ipairs { 132, 60, 30 } do
        local said = command.on_terminal(words "list", columns, { "NO_COLOR=1" })
        local count = 0
        for line in said:gmatch("[^\r\n]+") do
          assert.is_true(#line <= columns, line)
          count = count + 1
        end
        assert.equal(5, count)
      end
    end)
  end)
end

describe("alipayhk outbox", function()
  it("says what it needs to know", function()
    local place = outboxes.file.new()
    assert(alipayhk.outbox { store = place.url, client_id = "4Q5Y8W0WSG45P907917" }):close()
    for _, case in ipairs {
      { { "outbox" }, "alipayhk outbox --help says how it is used" },
      { { "outbox", "lsit" }, "did you mean \"list\"?" },
      { { "outbox", "list", "--state", "lost" }, "--state" },
      { { "outbox", "list", "--limit", "0" }, "--limit: expected a whole number from 1 to 10000" },
      { { "outbox", "show", "abc" }, "ID: expected an id" },
      { { "outbox", "retry", "12345678901234567" }, "ID: expected an id" },
      { { "outbox", "retry" }, "which events? Give ids, or --all-parked" },
      { { "outbox", "drop" }, "which events? Give ids" },
      { { "outbox", "purge" }, "give --older-than, such as --older-than 30d" },
      { { "outbox", "purge", "--older-than", "30" },
        "--older-than: expected a time such as 200ms, 5s, 10m, 1h or 30d" },
    } do
      local arguments = case[1]
      if #arguments > 1 then
        for _, word in ipairs { "--store", place.url, "--client-id", "4Q5Y8W0WSG45P907917" } do
          arguments[#arguments + 1] = word
        end
      end
      local status, out, err = command.run(arguments)
      assert.same({ 2, "" }, { status, out }, case[2])
      assert.matches(case[2], err, 1, true)
      assert.matches("^alipayhk: [^\n]+\n$", err)
    end
  end)

  it("makes no file where none is: its name is wrong, or nothing was put", function()
    local path = shell.directory() .. "/typo.db"
    for _, arguments in ipairs {
      { "stats" }, { "list" }, { "show", "1" }, { "retry", "1" }, { "drop", "1" }, { "purge", "--older-than", "1d" },
    } do
      table.insert(arguments, 1, "outbox")
      for _, word in ipairs { "--client-id", gateway.client_id, "--store", "SQLite:" .. path } do
        arguments[#arguments + 1] = word
      end
      local status, out, err = command.run(arguments)
      assert.same({ 2, "" }, { status, out })
      assert.equal(("alipayhk: config: `store`: %s: no such file; `put` makes it [--store, ALIPAYHK_STORE]\n"):format(
        path), err)
      assert.is_nil(shell.read(path))
    end
  end)

  it("says that a store is another's", function()
    local place = outboxes.file.new()
    outboxes.open(outboxes.file, gateway, { place = place })
    local status, _, err = command.run { "outbox", "stats", "--store", place.url, "--client-id", "AnotherClient" }
    outboxes.close_all()
    assert.equal(3, status)
    assert.matches("^alipayhk: store/foreign: [^\n]+\n$", err)
  end)
end)
