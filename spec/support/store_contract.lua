-- What every store of an outbox promises (lua/alipayhk/delivery/store/init.lua), as specs. A spec of a store calls
--
--     contract.declare(new_place, busted, kind)
--
-- within a `describe`, with the functions { describe, it, before_each, after_each } that busted gives to a spec alone,
-- and a function that gives a new place for each test:
--
--     place.open(opts)     opens a store there; `opts` as of store.open, client_id by default "CLIENT"
--     place.forsake(store) what a store leaves when its process dies; when this returns, others may have its events
--
-- `kind.is_one_clients`: a place is for one client_id.

local assert = require "luassert"
local core = require "alipayhk.core"

local unpack = table.unpack or unpack -- luacheck: ignore 113 143 (5.1's name)

local contract = {}

local ORDER, CARD = "order", "contract_card"

-- A record of a lane, by default with a time that we made up.
function contract.record(merchant_biz_no, fields)
  local record = {
    api = ORDER, merchant_biz_no = merchant_biz_no, request_id = "request-" .. merchant_biz_no, status = "TICKETED",
    body = '{"merchantBizNo":"' .. merchant_biz_no .. '"}',
  }
  for name, value in pairs(fields or {}) do record[name] = value end
  return record
end

local record = contract.record

function contract.put(store, ...)
  local results = assert(store:put { ... })
  assert.equal(select("#", ...), #results)
  local ids = {}
  for i, result in ipairs(results) do ids[i] = result.id end
  return unpack(ids)
end

local put = contract.put

-- Ends each event in the same way, and claims no others.
function contract.finish(store, events, fields)
  local outcomes = {}
  for i, event in ipairs(events) do
    local outcome = { event = event, state = "accepted" }
    for name, value in pairs(fields or {}) do outcome[name] = value end
    outcomes[i] = outcome
  end
  return assert(store:turn(outcomes, 0))
end

local finish = contract.finish

-- Claims up to `limit` that are due.
function contract.claim(store, limit)
  return assert(store:turn({}, limit or 100)).events
end

local claim = contract.claim

-- The one that is due, after waiting until one is.
local function claim_next(store)
  for _ = 1, 200 do
    local turn = assert(store:turn({}, 1))
    if turn.events[1] then return turn.events[1] end
    core.sleep(math.min(turn.due_ms or 10, 10) + 1)
  end
  error "none came"
end

local function values_of(events, name)
  local values = {}
  for i, event in ipairs(events) do values[i] = event[name] end
  return values
end

local function park(store, fields)
  fields = fields or {}
  fields.state = "parked"
  finish(store, claim(store, 1), fields)
end

-- Declares the specs.
function contract.declare(new_place, busted, kind)
  local describe, it, before_each, after_each = busted.describe, busted.it, busted.before_each, busted.after_each
  local place, store
  before_each(function()
    place = new_place()
    store = place.open {}
  end)
  after_each(function() store:close() end)

  local function deliver() assert.is_true(store:begin_delivery()) end

  describe("put", function()
    it("gives an id that is a string, and the status before it", function()
      local results = store:put {
        record("A", { status = "TICKETED", sequence_ms = 1 }), record("A", { status = "USED", sequence_ms = 2 }),
        record("B"), record("A", { api = CARD }),
      }
      assert.equal(4, #results)
      for _, result in ipairs(results) do assert.is_string(result.id) end
      assert.same({ nil, "TICKETED" }, { results[1].previous_status, results[2].previous_status })
      assert.is_nil(results[3].previous_status)
      assert.is_nil(results[4].previous_status)
      assert.equal("USED", store:put({ record("A", { sequence_ms = 3 }) })[1].previous_status)
    end)

    it("stores nothing for nothing", function()
      assert.same({}, store:put {})
      assert.equal(0, store:stats().waiting)
    end)

    it("gives all that was put, byte for byte, to who delivers", function()
      local body = '{"a":"' .. ("\0\255\1"):rep(3) .. '"}'
      local id = put(store, record("A\195\169'%s", { body = body, request_id = "r\0x", status = "S" }))
      deliver()
      local event = claim(store)[1]
      assert.equal(id, event.id)
      assert.same({ ORDER, "A\195\169'%s", "r\0x", "S", body },
        { event.api, event.merchant_biz_no, event.request_id, event.status, event.body })
      assert.same({ 1, false, false }, { event.attempts, event.lost_answer, event.is_settling })
      assert.is_true(math.abs(event.put_ms - core.now() * 1000) < 60000)
    end)

    it("knows a key in its lane, and gives the first id", function()
      local first = put(store, record("A", { key = "k", sequence_ms = 5 }))
      assert.same({ { id = first, exists = true } }, store:put { record("A", { key = "k", sequence_ms = 1 }) })
      local others = store:put { record("B", { key = "k" }), record("A", { key = "K", sequence_ms = 6 }),
        record("A", { api = CARD, key = "k" }), record("B", { key = "k" }) }
      assert.same({ nil, nil, nil, true },
        { others[1].exists, others[2].exists, others[3].exists, others[4].exists })
      assert.equal(others[1].id, others[4].id)
      assert.equal(4, store:stats().waiting)
    end)

    it("refuses a time before the lane's newest, and one that was made up if it is equal", function()
      put(store, record("A", { sequence_ms = 1716543000000 }))
      local stale = { newest_ms = 1716543000000 }
      local results = store:put {
        record("A", { sequence_ms = 1716542999999 }), record("A", { sequence_ms = 1716543000000 }),
        record("A", { sequence_ms = 1716543000000, is_filled = true }), record("B", { sequence_ms = 1 }),
        record("A", { sequence_ms = 1716543000001, is_filled = true }), record("A", { sequence_ms = 1716543000000 }),
      }
      assert.same({ stale, stale, { newest_ms = 1716543000001 } }, { results[1], results[3], results[6] })
      assert.is_string(results[2].id)
      assert.is_string(results[5].id)
      assert.equal(4, store:stats().waiting)
    end)

    it("remembers the newest time when the event has gone", function()
      put(store, record("A", { sequence_ms = 7 }))
      deliver()
      finish(store, claim(store))
      assert.same({ { newest_ms = 7 } }, store:put { record("A", { sequence_ms = 6 }) })
    end)
  end)

  describe("a turn", function()
    before_each(deliver)

    it("claims one event of a lane, the oldest first", function()
      local first, second = put(store, record "A", record "A", record "B")
      local turn = store:turn({}, 10)
      assert.same({ "A", "B" }, values_of(turn.events, "merchant_biz_no"))
      assert.equal(first, turn.events[1].id)
      assert.is_true(turn.events[1].lane ~= turn.events[2].lane)
      assert.same({ {}, {}, 1 }, { turn.lost, turn.superseded, turn.waiting })
      assert.same({}, claim(store))
      turn = store:turn({ { event = turn.events[1], state = "accepted" } }, 10)
      assert.same({ second }, values_of(turn.events, "id"))
      assert.equal(0, turn.waiting)
      assert.is_nil(turn.due_ms)
    end)

    it("claims none of a lane that has one under way, though another is put", function()
      local first = put(store, record "A")
      local events = claim(store)
      local second = put(store, record "A")
      assert.same({}, claim(store))
      assert.same({ id = first, state = "sending" }, { id = store:list()[1].id, state = store:list()[1].state })
      finish(store, events)
      assert.same({ second }, values_of(claim(store), "id"))
    end)

    it("claims no more than it is asked for", function()
      for i = 1, 5 do put(store, record("A" .. i)) end
      local turn = store:turn({}, 2)
      assert.equal(2, #turn.events)
      assert.same({ 3, 0 }, { turn.waiting, turn.due_ms })
      assert.equal(0, #claim(store, 0))
      assert.equal(3, #claim(store, 10))
    end)

    it("has a served lane go behind the others", function()
      put(store, record "A", record "A", record "A", record "B", record "C")
      local order = {}
      for i = 1, 5 do
        core.sleep(2) -- so that the times differ
        local event = claim_next(store)
        order[i] = event.merchant_biz_no
        finish(store, { event })
      end
      assert.same({ "A", "B", "C", "A", "A" }, order)
    end)

    it("has an event wait again, for so long", function()
      put(store, record "A", record "A")
      local event = claim(store)[1]
      local turn = finish(store, { event }, { state = "waiting", delay_ms = 60000, code = "timeout", message = "slow" })
      assert.equal(2, turn.waiting)
      assert.is_true(turn.due_ms > 55000 and turn.due_ms <= 60000, turn.due_ms)
      assert.same({}, claim(store))
      local listed = store:list()[1]
      assert.same({ "waiting", 1, "timeout", "slow" }, { listed.state, listed.attempts, listed.code, listed.message })
      assert.is_true(math.abs(listed.due_ms - 60000 - core.now() * 1000) < 10000)
    end)

    it("gives the same event again when it is due, with what happened to it", function()
      local id = put(store, record "A", record "A")
      finish(store, claim(store), { state = "waiting", delay_ms = 20, lost_answer = true })
      local event = claim_next(store)
      assert.same({ id, 2, true, false }, { event.id, event.attempts, event.lost_answer, event.is_settling })
      finish(store, { event }, { state = "waiting", is_settling = true, is_free = true })
      event = claim_next(store)
      assert.same({ id, 2, true, true }, { event.id, event.attempts, event.lost_answer, event.is_settling })
    end)

    it("says how old an event is", function()
      put(store, record "A")
      core.sleep(20)
      local age_ms = claim(store)[1].age_ms
      assert.is_true(age_ms >= 20 and age_ms < 60000, age_ms)
    end)

    it("gives one that waits as a probe, due or not, and no more", function()
      put(store, record "A", record "B")
      finish(store, claim(store), { state = "waiting", delay_ms = 60000 })
      assert.same({}, claim(store))
      assert.same({ "A" }, values_of(store:turn({}, 1, { is_probe = true }).events, "merchant_biz_no"))
    end)

    it("parks an event, which holds back none", function()
      local id, second = put(store, record "A", record "A")
      park(store, { code = "PARAM_ILLEGAL", message = "no" })
      assert.equal(second, claim(store)[1].id)
      assert.same({ id = id, state = "parked", code = "PARAM_ILLEGAL", message = "no", api = ORDER,
        merchant_biz_no = "A", attempts = 1, put_ms = store:list()[1].put_ms }, store:list({ state = "parked" })[1])
    end)

    it("keeps what AlipayHK holds instead", function()
      put(store, record "A")
      finish(store, claim(store), { held_status = "USED" })
      local event = store:list()[1]
      assert.same({ "accepted", "USED" }, { event.state, event.held_status })
    end)

    it("changes nothing for an event that another has", function()
      put(store, record "A")
      local event = claim(store)[1]
      place.forsake(store)
      local other = place.open {}
      assert.is_true(other:begin_delivery())
      local again = claim(other)[1]
      assert.same({ event.id, 2, true }, { again.id, again.attempts, again.lost_answer })
      store = other
      local turn = finish(store, { event })
      assert.same({ event.id }, values_of(turn.lost, "id"))
      assert.equal(1, store:stats().sending)
      assert.same({}, finish(store, { again }).lost)
      assert.equal(1, store:stats().accepted)
    end)
  end)

  describe("its numbers", function()
    it("are right in each state", function()
      assert.same({ waiting = 0, sending = 0, parked = 0, accepted = 0, superseded = 0, dropped = 0 }, store:stats())
      put(store, record "A", record "A", record "B", record "C")
      deliver()
      local events = claim(store)
      finish(store, { events[1] })
      finish(store, { events[2] }, { state = "parked" })
      local stats = store:stats()
      assert.is_true(stats.oldest_ms >= 0 and stats.oldest_ms < 60000)
      stats.oldest_ms = nil
      assert.same({ waiting = 1, sending = 1, parked = 1, accepted = 1, superseded = 0, dropped = 0 }, stats)
      finish(store, { events[3] })
      finish(store, claim(store))
      assert.same({ waiting = 0, sending = 0, parked = 1, accepted = 3, superseded = 0, dropped = 0 }, store:stats())
    end)
  end)

  describe("a list", function()
    it("has the newest last, and goes on after an id", function()
      local ids = { put(store, record "A", record "B", record "A", record "C") }
      assert.same(ids, values_of(store:list(), "id"))
      assert.same({ ids[1], ids[2] }, values_of(store:list { limit = 2 }, "id"))
      assert.same({ ids[3] }, values_of(store:list { limit = 1, after = ids[2] }, "id"))
      assert.same({}, store:list { after = ids[4] })
    end)

    it("has as many as are asked for, however many that is", function()
      local records = {}
      for i = 1, 1201 do records[i] = record "A" end
      local ids = values_of(assert(store:put(records)), "id")
      assert.same(ids, values_of(store:list { limit = 5000 }, "id"))
      assert.same({ unpack(ids, 201, 1200) }, values_of(store:list { limit = 1000, after = ids[200] }, "id"))
      assert.same({ unpack(ids, 1, 100) }, values_of(store:list { merchant_biz_no = "A" }, "id"))
    end)

    it("is of a state, of an order, or of both", function()
      local ids = { put(store, record "A", record "B", record "A", record("A", { api = CARD })) }
      deliver()
      finish(store, claim(store, 1))
      assert.same({ ids[1] }, values_of(store:list { state = "accepted" }, "id"))
      assert.same({ ids[2], ids[3], ids[4] }, values_of(store:list { state = "waiting" }, "id"))
      assert.same({ ids[1], ids[3], ids[4] }, values_of(store:list { merchant_biz_no = "A" }, "id"))
      assert.same({ ids[3], ids[4] }, values_of(store:list { merchant_biz_no = "A", state = "waiting" }, "id"))
      assert.same({ ids[4] }, values_of(store:list { merchant_biz_no = "A", state = "waiting", after = ids[3] }, "id"))
      assert.same({}, store:list { state = "dropped" })
      assert.same({}, store:list { merchant_biz_no = "X" })
    end)
  end)

  describe("a body", function()
    it("is that of an event which has not ended, as it was put", function()
      local first, second = put(store, record("A", { body = '{"a":1}' }), record("B", { body = '{"b":2}' }))
      assert.same({ '{"a":1}', '{"b":2}' }, { store:body(first), store:body(second) })
      for _, id in ipairs { "x", "", "1234567890123456", "99" } do assert.is_false(store:body(id)) end
      deliver()
      finish(store, { claim_next(store) })
      assert.is_false(store:body(first))
      assert.equal('{"b":2}', store:body(second))
    end)
  end)

  describe("retry", function()
    before_each(deliver)

    it("has a parked one wait again, before those that were put after it", function()
      local id = put(store, record "A", record "A")
      park(store, { code = "PARAM_ILLEGAL" })
      assert.is_true(store:retry(id))
      assert.same({ 2, 0 }, { store:stats().waiting, store:stats().parked })
      local event = claim_next(store)
      assert.same({ id, 2 }, { event.id, event.attempts })
      finish(store, { event })
      assert.is_true(claim_next(store).id ~= id)
    end)

    it("is for those that are parked", function()
      local id = put(store, record "A")
      assert.is_false(store:retry(id))
      finish(store, claim(store))
      for _, other in ipairs { id, "99999", "x", "", "1e3", "-1" } do assert.is_false(store:retry(other)) end
      assert.equal(1, store:stats().accepted)
    end)

    local function is_stale(id)
      local result, fault = store:retry(id)
      assert.is_nil(result)
      assert.same({ "stale", false }, { fault.code, fault.is_retryable })
      assert.equal(1, store:stats().parked)
    end

    it("is stale once a later one of its lane is under way or was accepted", function()
      local id = put(store, record "A", record "A")
      park(store)
      local later = claim_next(store)
      is_stale(id)
      finish(store, { later })
      is_stale(id)
      assert.equal(1, store:purge(0))
      is_stale(id)
    end)

    it("is stale where a later one of its lane waits that may have arrived", function()
      for number, fields in ipairs { {}, { is_free = true, lost_answer = true } } do
        local biz_no = "A" .. number
        local id = put(store, record(biz_no), record(biz_no))
        park(store)
        fields.state, fields.delay_ms = "waiting", 20
        finish(store, { claim_next(store) }, fields)
        is_stale(id)
        finish(store, { claim_next(store) })
        assert.is_true(store:drop(id))
      end
    end)

    it("is fine where later ones were parked, were never sent, or surely did not arrive", function()
      local first, second, third = put(store, record "A", record "A", record "A")
      park(store)
      park(store)
      finish(store, { claim_next(store) }, { state = "waiting", is_free = true })
      assert.is_true(store:retry(first))
      assert.is_true(store:retry(second))
      for _, id in ipairs { first, second, third } do
        local event = claim_next(store)
        assert.equal(id, event.id)
        finish(store, { event })
      end
    end)

    it("forgets what had become of it: it goes as it was put", function()
      local id = put(store, record "A")
      finish(store, { claim_next(store) }, { state = "waiting", is_settling = true, lost_answer = true })
      local event = claim_next(store)
      assert.same({ true, true }, { event.is_settling, event.lost_answer })
      finish(store, { event }, { state = "parked" })
      assert.is_true(store:retry(id))
      event = claim_next(store)
      assert.same({ id, false, false }, { event.id, event.is_settling, event.lost_answer })
    end)
  end)

  describe("drop", function()
    it("is for those that are parked, and is final", function()
      local id, second = put(store, record "A", record "A")
      assert.is_false(store:drop(id))
      deliver()
      park(store)
      assert.is_true(store:drop(id))
      assert.is_false(store:drop(id))
      assert.is_false(store:drop "x")
      assert.is_false(store:retry(id))
      assert.same({ "dropped", "waiting" }, values_of(store:list(), "state"))
      assert.same({ 0, 1 }, { store:stats().parked, store:stats().dropped })
      assert.equal(second, claim_next(store).id)
    end)
  end)

  describe("purge", function()
    before_each(deliver)

    it("forgets what has ended, and its keys", function()
      local ids = { put(store, record("A", { key = "a" }), record("B", { key = "b" }), record("C", { key = "c" })) }
      local events = claim(store)
      finish(store, { events[1] })
      finish(store, { events[2], events[3] }, { state = "parked" })
      assert.is_true(store:drop(ids[2]))
      assert.equal(0, store:purge(60000))
      core.sleep(2)
      assert.equal(2, store:purge(1))
      assert.equal(0, store:purge(0))
      assert.same({ ids[3] }, values_of(store:list(), "id"))
      assert.same({ waiting = 0, sending = 0, parked = 1, accepted = 0, superseded = 0, dropped = 0 }, store:stats())
      local results = store:put { record("A", { key = "a" }), record("C", { key = "c" }) }
      assert.is_nil(results[1].exists)
      assert.is_true(results[2].exists)
      for _, id in ipairs(ids) do assert.is_true(results[1].id ~= id) end
    end)

    it("forgets a lane with its last event", function()
      put(store, record("A", { sequence_ms = 5 }))
      finish(store, claim(store))
      assert.equal(1, store:purge(0))
      local result = store:put({ record("A", { sequence_ms = 1 }) })[1]
      assert.is_string(result.id)
      assert.is_nil(result.previous_status)
    end)

    it("leaves what waits, what is under way, and their lanes", function()
      put(store, record("A", { sequence_ms = 5 }), record "A", record("B", { sequence_ms = 5 }))
      finish(store, { claim(store)[1] })
      assert.equal(1, store:purge(0))
      assert.same({ { newest_ms = 5 }, { newest_ms = 5 } },
        store:put { record("A", { sequence_ms = 1 }), record("B", { sequence_ms = 1 }) })
      assert.same({ "waiting", "sending" }, values_of(store:list(), "state"))
    end)

    it("gives no id twice", function()
      local first = put(store, record "A")
      finish(store, claim(store))
      assert.equal(1, store:purge(0))
      assert.is_true(put(store, record "A") ~= first)
    end)
  end)

  describe("coalesce", function()
    before_each(function()
      store:close()
      store = place.open { coalesce = true }
      deliver()
    end)

    local function alike(status, merchant_biz_no)
      return record(merchant_biz_no or "A", { status = status, alike = status })
    end

    it("sends of those that are alike, next to each other, the last", function()
      local ids = { put(store, alike "X", alike "X", alike "X", alike "Y", alike "X", alike("X", "B")) }
      local turn = store:turn({}, 10)
      assert.same({ ids[3], ids[6] }, values_of(turn.events, "id"))
      assert.same({ ids[1], ids[2] }, values_of(turn.superseded, "id"))
      assert.same({ ORDER, "A", "X" },
        { turn.superseded[1].api, turn.superseded[1].merchant_biz_no, turn.superseded[1].status })
      assert.equal(2, turn.waiting)
      assert.same({ 2, 2, 2 }, { store:stats().superseded, store:stats().sending, store:stats().waiting })
      turn = store:turn({ { event = turn.events[1], state = "accepted" } }, 10)
      assert.same({ ids[4] }, values_of(turn.events, "id"))
      turn = store:turn({ { event = turn.events[1], state = "accepted" } }, 10)
      assert.same({ ids[5] }, values_of(turn.events, "id"))
      assert.same({ "superseded", "superseded" }, values_of(store:list { state = "superseded" }, "state"))
    end)

    it("passes over none that was sent, whether or not that counted", function()
      for _, fields in ipairs { {}, { is_free = true, lost_answer = true } } do
        local first = put(store, alike "X")
        fields.state = "waiting"
        finish(store, claim(store), fields)
        local second, third = put(store, alike "X", alike "X")
        local event = claim_next(store)
        assert.equal(first, event.id)
        finish(store, { event })
        local turn = store:turn({}, 10)
        assert.same({ third }, values_of(turn.events, "id"))
        assert.same({ second }, values_of(turn.superseded, "id"))
        finish(store, turn.events)
      end
    end)

    it("passes over none that is like none", function()
      put(store, record "A", record "A")
      assert.same({}, store:turn({}, 10).superseded)
    end)

    it("goes through thousands of them", function()
      local records = {}
      for i = 1, 2500 do records[i] = alike "X" end
      local last = assert(store:put(records))[2500].id
      local superseded, events = 0, {}
      for _ = 1, 2500 do
        local turn = assert(store:turn({}, 10))
        superseded, events = superseded + #turn.superseded, turn.events
        if #events > 0 then break end
      end
      assert.same({ last }, values_of(events, "id"))
      assert.same({ 2499, 2499 }, { superseded, store:stats().superseded })
    end)

    it("is asked for", function()
      local plain = place.open {}
      store:close()
      store = plain
      deliver()
      local first = put(store, alike "X", alike "X")
      local turn = store:turn({}, 10)
      assert.same({ first }, values_of(turn.events, "id"))
      assert.same({}, turn.superseded)
    end)
  end)

  if not (kind and kind.is_one_clients) then
    describe("a client", function()
      it("sees nothing of another's", function()
        local other = place.open { client_id = "OTHER" }
        put(store, record("A", { key = "k", sequence_ms = 5 }))
        local result = other:put({ record("A", { key = "k", sequence_ms = 1 }) })[1]
        assert.is_nil(result.exists)
        assert.is_nil(result.previous_status)
        assert.equal(1, store:stats().waiting)
        assert.same({ result.id }, values_of(other:list(), "id"))
        assert.is_true(other:begin_delivery())
        assert.same({ result.id }, values_of(claim(other), "id"))
        assert.equal(0, store:stats().sending)
        other:close()
      end)
    end)
  end
end

return contract
