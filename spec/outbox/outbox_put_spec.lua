-- What `put` takes, fills in, refuses and says.

local alipayhk = require "alipayhk"
local databases = require "spec.support.databases"
local double = require "spec.support.doubles.alipayhk_double"
local outboxes = require "spec.support.outboxes"
local samples = require "spec.support.data.samples"
local thrown = require "spec.support.asserting.thrown"

local gateway = double.new { algorithm = "p224" }
local UNTIL_EMPTY = outboxes.UNTIL_EMPTY

local function sent() return outboxes.sent(gateway) end

for _, kind in ipairs(outboxes.kinds) do
  describe("outbox:put over " .. kind.name, function()
    setup(kind.start)
    teardown(kind.stop)
    before_each(function() gateway:answers { {} } end)
    after_each(outboxes.close_all)

    local function open(values, config) return outboxes.open(kind, gateway, values, config) end

    it("leaves the payload as it is", function()
      local order = samples.order()
      order.requestId, order.orderModifyTime = nil, nil
      assert(open():put(order))
      assert.is_nil(order.requestId)
      assert.is_nil(order.orderModifyTime)
    end)

    it("fills an absent time in, later than any of that order before", function()
      local outbox = open()
      for field, payload in pairs { orderModifyTime = samples.order(), bizDate = samples.card() } do
        gateway:answers { {} }
        payload[field] = os.time() * 1000 + 3600000 -- the clock of whoever put it was an hour ahead
        local ahead = payload[field]
        assert(outbox:put(payload))
        payload[field], payload.requestId = nil, nil
        assert(outbox:put(payload))
        assert(outbox:put(payload))
        outbox:deliver(UNTIL_EMPTY)
        local times = {}
        for i, request in ipairs(sent()) do times[i] = request[field] end
        assert.same({ ahead, ahead + 1, ahead + 2 }, times)
      end
    end)

    it("takes an explicit time that is as late as the newest", function()
      local outbox = open()
      local order = samples.order()
      order.orderModifyTime = order.orderCreateTime + 5
      assert(outbox:put(order))
      order.requestId = nil
      assert(outbox:put(order))
      assert.equal(2, outbox:stats().waiting)
    end)

    it("tells orders and notifications with the same number apart", function()
      local outbox = open()
      local biz_no = samples.biz_no()
      assert(outbox:put(samples.order { merchantBizNo = biz_no }))
      assert(outbox:put(samples.card { merchantBizNo = biz_no, bizDate = 1716338541000 }))
      assert.equal(2, outbox:deliver(UNTIL_EMPTY).accepted)
    end)

    it("warns of a step from the status that was put before, and stores it all the same", function()
      local outbox = open()
      local biz_no = samples.biz_no()
      assert(outbox:put(samples.order { merchantBizNo = biz_no, orderStatus = "USED" }))
      local id, state, warnings = outbox:put(samples.order { merchantBizNo = biz_no, orderStatus = "TICKETED" })
      assert.is_string(id)
      assert.is_nil(state)
      assert.equal("transition", warnings[1].code)
      assert.equal("orderStatus", warnings[1].path)
      assert.equal(2, outbox:stats().waiting)
    end)

    it("refuses a step from a previous status that is given, as the client does", function()
      local outbox = open()
      local id, err = outbox:put(samples.order { orderStatus = "TICKETED" }, { previous_status = "USED" })
      assert.is_nil(id)
      assert.equal("transition", err.fields[1].code)
      assert.equal(0, outbox:stats().waiting)
    end)

    it("refuses what is no order, has no number, or no time to be kept in order by", function()
      local outbox = open { validate = false, client_id = gateway.client_id }
      for _, case in ipairs {
        { {}, "", "it has neither merchantBizType nor productTemplateCode" },
        { { merchantBizType = "MOVIE_TICKET" }, "merchantBizNo", "an event of no order cannot be kept in order" },
        { { merchantBizType = "MOVIE_TICKET", merchantBizNo = "1", orderModifyTime = "now" }, "orderModifyTime",
          "orderModifyTime has to be a number" },
      } do
        local id, err = outbox:put(case[1])
        assert.is_nil(id)
        assert.equal("invalid", err.kind)
        assert.equal(case[2], err.fields[1].path)
        assert.matches(case[3], err.message, 1, true)
      end
      assert.equal(0, outbox:stats().waiting)
    end)

    it("tells of each event, and of nobody's id", function()
      local heard, on_event = outboxes.hearing()
      local order = samples.order { userId = "2160120012345678" }
      local id = open({ on_event = on_event }):put(order)
      assert.equal(1, #heard)
      assert.same({ "put", id, "order", order.merchantBizNo },
        { heard[1].name, heard[1].id, heard[1].api, heard[1].merchant_biz_no })
      for _, value in pairs(heard[1]) do assert.is_nil(tostring(value):find("2160120012345678", 1, true)) end
    end)

    for _, case in ipairs {
      { "no order", function(o) o:put() end, "put: expected a table, found nothing" },
      { "a key that is too long", function(o) o:put({}, { key = ("x"):rep(129) }) end, "put: opts.key: expected" },
      { "an unknown option", function(o) o:put({}, { kye = "1" }) end, 'opts.kye: no such option' },
      { "an id that is none", function(o) o:list { after = "abc" } end, "opts.after: expected an id" },
      { "a dot for a colon", function(o) o.put {} end, "put: called without its outbox" },
      { "a closed outbox", function(o) o:close(); o:put {} end, "put: the outbox is closed" },
    } do
      it("throws for " .. case[1], function()
        local outbox = open()
        assert.matches(case[3], thrown(function() case[2](outbox) end), 1, true)
      end)
    end
  end)
end

describe("outbox:put over a file", function()
  after_each(outboxes.close_all)

  it("says that a store cannot be written, and half-writes nothing", function()
    local outbox, place = outboxes.open(outboxes.file, gateway)
    assert(outbox:put(samples.order()))
    os.remove(place.path)
    local id, err = outbox:put(samples.order())
    assert.is_nil(id)
    assert.same({ "store", "gone", false }, { err.kind, err.code, err.retryable })
    assert.matches(place.path, err.message, 1, true)
  end)
end)

describe("outbox:put over a file", function()
  after_each(outboxes.close_all)

  it("throws for replicas, before anything is stored", function()
    local outbox = outboxes.open(outboxes.file, gateway)
    local message = thrown(function() outbox:put(samples.order(), { replicas = 1 }) end)
    assert.matches("opts.replicas: only a Redis has replicas", message, 1, true)
    assert.equal(0, outbox:stats().waiting)
  end)
end)

describe("alipayhk.outbox", function()
  after_each(outboxes.close_all)

  local function refused(config)
    local outbox, err = alipayhk.outbox(config)
    assert.is_nil(outbox)
    return err
  end

  for _, case in ipairs {
    { "no store", {}, "store", "required" },
    { "a store of no kind we know", { store = "mysql://root:secret@localhost" }, "store", 'expected "sqlite:PATH"' },
    { "neither client nor client_id", { store = "sqlite:/nowhere/x" }, "client", "give `client`, which delivers" },
    { "a client_id that is not the client's", { client_id = "other", client = true }, "client_id", "leave it out" },
    { "rules that are the client's", { client = true, validate = false }, "validate", "give it to alipayhk.new" },
    { "a lease shorter than an attempt", { client = true, lease_ms = 15000 }, "lease_ms", "which is 20000" },
    { "a key in the place of an id", { client_id = ("-----BEGIN PRIVATE KEY-----"):rep(9) }, "client_id",
      "is it a key?" },
    { "a misspelt key", { clientid = "x" }, "clientid", 'did you mean "client_id"?' },
    { "a client that is none", { client = {} }, "client", "expected what alipayhk.new gave" },
  } do
    it("refuses " .. case[1], function()
      local config = case[2]
      if config.client == true then config.client = gateway:client() end
      if config.client or config.client_id or config.clientid then
        config.store = config.store or "sqlite:" .. databases.path()
      end
      local err = refused(config)
      assert.same({ "config", case[3] }, { err.kind, err.code })
      assert.matches(case[4], err.message, 1, true)
      assert.is_nil(err.message:find("secret", 1, true))
    end)
  end

  it("says what is wrong with a store", function()
    local err = refused { store = "sqlite:/nowhere/orders.db", client_id = "x" }
    assert.same({ "store", "gone", false }, { err.kind, err.code, err.retryable })
    assert.matches("/nowhere/orders.db", err.message, 1, true)
  end)

  it("is closed by the end of its block, and prints what it is", function()
    local outbox = outboxes.open(outboxes.file, gateway)
    assert.equal("alipayhk.outbox (open)", tostring(outbox))
    outbox:close()
    outbox:close()
    assert.equal("alipayhk.outbox (closed)", tostring(outbox))
    assert.is_function(getmetatable(outbox).__close)
    assert.matches("the outbox is closed", thrown(function() outbox:stats() end), 1, true)
  end)

  it("throws for what is no table", function()
    local message = thrown(function() alipayhk.outbox("sqlite:x") end)
    assert.matches("alipayhk.outbox: expected a table, found a string", message, 1, true)
    assert.matches("called with a colon", thrown(function() alipayhk:outbox {} end), 1, true)
  end)
end)
