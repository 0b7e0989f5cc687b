-- Puts into stores that nobody has used yet; judges that share no code with them say what is there.

local cjson = require "cjson.safe"
local command = require "spec.support.command"
local databases = require "spec.support.databases"
local nginx = require "spec.support.servers.nginx"
local outboxes = require "spec.support.outboxes"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local CLIENT_ID = "4Q5Y8W0WSG45P907917"

local function lines_of(...)
  return command.lines { ... }
end

local function put(url, input, ...)
  return command.run({ "put", "--store", url, "--client-id", CLIENT_ID, "-", ... }, { input = input })
end

for _, kind in ipairs(outboxes.kinds) do
  describe("alipayhk put into " .. kind.name, function()
    local place

    setup(kind.start)
    teardown(kind.stop)
    before_each(function() place = kind.new() end)

    it("prints the id of each that is stored, and on standard error what is wrong with the others", function()
      local order = samples.order()
      local status, out, err = put(place.url, lines_of(order, "{no JSON", samples.order { orderStatus = "EATEN" }, {},
        samples.card()))
      assert.equal(1, status)
      assert.matches("^%d+\n%d+\n$", out)
      assert.equal("waiting\nwaiting", place.states():gsub("\n$", ""))
      assert.matches("^%-:2: invalid: not JSON: [^\n]*\n%-:3: invalid: [^\n]*orderStatus[^\n]*\n%-:4: invalid/type: it "
        .. "has neither [^\n]*\n2 put, 0 there already, 3 refused\n$", err)
      assert.not_matches(samples.USER_ID, err, 1, true)
      assert.equal(order.merchantBizNo, cjson.decode(place.body(out:match("^%d+"))).merchantBizNo)
    end)

    it("stores the same content once, with --keyed, whatever ended the run before", function()
      local first, second = samples.order(), samples.order()
      local status, ids = put(place.url, lines_of(first), "--keyed")
      assert.equal(0, status)
      local out, err
      status, out, err = put(place.url, lines_of(first, second, first), "--keyed")
      assert.equal(0, status)
      local id = ids:match("%d+")
      assert.matches(("^%s  exists\n%%d+\n%s  exists\n$"):format(id, id), out)
      assert.equal("1 put, 2 there already, 0 refused\n", err)
      assert.equal(2, select(2, (place.states() .. "\n"):gsub("waiting", "")))
      put(place.url, lines_of(first))
      assert.equal(3, select(2, (place.states() .. "\n"):gsub("waiting", "")))
    end)

    it("gives objects", function()
      local order = samples.order()
      local _, out = put(place.url, lines_of(order, order, "[1]"), "--keyed", "--json")
      local found = command.objects(out)
      assert.same({ file = "-", line = 1, api = "order", merchantBizNo = order.merchantBizNo, id = found[1].id },
        found[1])
      assert.same({ found[1].id, true }, { found[2].id, found[2].exists })
      assert.same({ file = "-", line = 3, kind = "invalid", code = "json",
        message = "expected a JSON object, found a number" }, found[3])
    end)

    it("warns of a step that looks wrong, and refuses what is older than what was put before", function()
      local biz_no = samples.biz_no()
      local status, out, err = put(place.url, lines_of(
        samples.order { merchantBizNo = biz_no, orderStatus = "USED" },
        samples.order { merchantBizNo = biz_no, orderStatus = "TICKETED" },
        samples.order { merchantBizNo = biz_no, orderModifyTime = 1716338541000 }))
      assert.equal(1, status)
      assert.matches("^%d+\n%d+\n$", out)
      assert.matches("-:2: warning  orderStatus  transition  after USED ", err, 1, true)
      assert.matches("-:3: invalid/stale: ", err, 1, true)
    end)
  end)
end

describe("alipayhk put", function()
  local function interrupted(...)
    local path = databases.path()
    local list = {}
    for i = 1, 4000 do list[i] = samples.order() end
    local one = command.start({ "put", "--store", "sqlite:" .. path, "--client-id", CLIENT_ID, "-", ... },
      { input = command.lines(list) })
    assert.is_truthy(nginx.await(20, function() return #one:said() > 100 end))
    one:signal "INT"
    local status, out, err = one:ended()
    assert.equal(3, status)
    local count = select(2, out:gsub("\n", ""))
    assert.is_true(count < 4000)
    assert.equal(tostring(count), databases.judge(path, "SELECT count(*) FROM event"))
    assert.matches(("\n%d put, 0 there already, 0 refused\n"):format(count), err, 1, true)
    return err
  end

  it("ends at Ctrl-C, says how many it has put, and how to go on", function()
    assert.matches("not all was put: interrupted; put the rest; with --keyed from the first run on, the same file may "
      .. "be put again\n", interrupted(), 1, true)
    assert.matches("not all was put: interrupted; run it again\n", interrupted "--keyed", 1, true)
  end)

  it("ends where nobody reads the ids, and has stored what it said", function()
    local path = databases.path()
    local folder = shell.directory()
    shell.write(folder .. "/in", command.lines { samples.order(), samples.order() })
    local said, status = shell.run(command.words { "put", "--store", "sqlite:" .. path, "--client-id", CLIENT_ID,
      folder .. "/in" } .. " 2>&1 > /dev/full")
    assert.equal(3, status)
    assert.matches("^1 put, [^\n]*\nalipayhk: not all was put: standard output: No space left on device; ", said)
    assert.equal("1", databases.judge(path, "SELECT count(*) FROM event"))
  end)

  it("takes nothing at all for a fault, and tells every warning", function()
    local path = databases.path()
    local status, out, err = put("sqlite:" .. path, "[]")
    assert.same({ 1, "", "-: invalid: holds nothing\n0 put, 0 there already, 1 refused\n" }, { status, out, err })
    local order = samples.order { payAmount = { value = "180.00", currency = "HKD" } }
    status, out, err = put("sqlite:" .. path, lines_of(order))
    assert.equal(0, status)
    assert.matches("^%d+\n$", out)
    assert.matches("^%-:1: warning  payAmount.value  format  cents have no decimal point[^\n]*\n1 put, ", err)
  end)

  it("says how many have it, where replicas are wanted of a Redis that has none", function()
    outboxes.redis.start()
    local url = outboxes.redis.new().url
    local status, out, err = put(url, lines_of(samples.order()), "--replicas", "1")
    outboxes.redis.stop()
    assert.equal(3, status)
    assert.matches("^%d+\n$", out)
    assert.matches("-:1: store/replicas: it was stored, but 0 of 1 replicas have it", err, 1, true)
    assert.matches("1 put on too few replicas\n$", err)
  end)

  it("ends at the first line that a store cannot take, and says how many it took", function()
    local folder = shell.directory()
    shell.write(folder .. "/other.db", ("no database "):rep(100))
    for url, message in pairs {
      ["sqlite:" .. folder .. "/other.db"] = "store/damaged: ", ["sqlite:" .. folder .. "/none/o.db"] = "store/gone: ",
      ["redis://127.0.0.1:1"] = "store/unreachable: ",
    } do
      local status, out, err = put(url, lines_of(samples.order()))
      assert.same({ 3, "" }, { status, out }, url)
      assert.matches(message, err, 1, true)
      assert.matches("^alipayhk: [^\n]+\n$", err)
    end
  end)

  it("leaves what was stored where the disk takes no more then", function()
    local path = databases.path()
    put("sqlite:" .. path, lines_of(samples.order()), "--keyed")
    local many = {}
    for i = 1, 300 do many[i] = lines_of(samples.order { extInfo = { note = ("x"):rep(1000) } }) end
    local input = table.concat(many)
    -- The file must not grow, and standard output is elsewhere.
    local folder = shell.directory()
    shell.write(folder .. "/in", input)
    local words = command.words { "put", "--store", "sqlite:" .. path, "--client-id", CLIENT_ID, "--keyed", "-" }
    local said = shell.run(("trap '' XFSZ; (ulimit -f 250; %s < %s/in 2>&1 > /dev/null; echo status:$?)"):format(words,
      folder))
    assert.matches("^alipayhk: %-:%d+: store/%l+: [^\n]*; %d+ were put before it: run it again\nstatus:3\n$", said)
    local count = tonumber(said:match("(%d+) were put"))
    assert.equal(count + 1, tonumber(databases.judge(path, "SELECT count(*) FROM event")))
    local status, _, err = put("sqlite:" .. path, input, "--keyed")
    assert.equal(0, status)
    assert.matches(("^%d put, %d there already"):format(300 - count, count), err)
  end)

  it("says what it needs to know", function()
    for _, case in ipairs {
      { { "put", "-", "--client-id", CLIENT_ID }, "which store? Give --store" },
      { { "put", "-", "--store", "sqlite:" .. databases.path() }, "whose outbox? Give --client-id" },
      { { "put", "-", "--client-id", CLIENT_ID, "--store", "mysql:x" }, '`store`: expected "sqlite:PATH"' },
      { { "put", "-", "--client-id", CLIENT_ID, "--store", "sqlite:" .. databases.path(), "--replicas", "1" },
        "--replicas: only a Redis has replicas" },
      { { "put", "-", "--client-id", CLIENT_ID, "--replicas", "0" }, "--replicas: expected a whole number" },
      { { "put", "/none" }, "/none" },
    } do
      local status, out, err = command.run(case[1])
      assert.same({ 2, "" }, { status, out }, case[2])
      assert.matches(case[2], err, 1, true)
      assert.matches("^alipayhk: [^\n]+\n$", err)
    end
  end)
end)
