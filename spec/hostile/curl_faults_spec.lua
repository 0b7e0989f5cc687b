-- Every fault of spec/support/data/hostile_faults.lua over curl: by a single call, by a batch, and through an
-- outbox. Each has what is expected of it once; spec/hostile/cosocket_faults_spec.lua has the same over cosockets.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"
local faults = require "spec.support.asserting.hostile_faults"
local hostile = require "spec.support.servers.hostile"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local server, stores
-- Where each commit costs nothing: an outbox per fault, and no power is cut.
local STORES = "mktemp -d /dev/shm/alipayhk-faults.XXXXXX"

local function outcome_of(response, err, ms)
  if response then return { ok = true, attempts = response.attempts, ms = ms } end
  return { kind = err.kind, code = err.code, retryable = err.retryable, attempts = err.attempts, message = err.message,
    ms = ms }
end

local function since_ms(started) return (core.monotonic() - started) * 1000 end

-- A client of a fault, which has met what comes before that.
local function client_of(fault, extra)
  local config = faults.whole_config(server, fault)
  for name, value in pairs(extra or {}) do config[name] = value end
  local client = assert(alipayhk.new(config))
  if fault.before then
    assert(client:sync_order(samples.order()))
    core.sleep(100) -- the end of that connection has come by then
  end
  return client
end

-- ---- the ways: each gives what is wrong, nil for nothing -----------------------------------------------

local WAYS = {}

function WAYS.single(fault)
  local client = client_of(fault)
  local started = core.monotonic()
  local response, err = client:sync_order(samples.order())
  client:close()
  return faults.call_fault(fault, "curl", outcome_of(response, err, since_ms(started)))
end

function WAYS.batch(fault)
  local client, orders, wrong, count = client_of(fault), faults.orders(fault), nil, 0
  local started = core.monotonic()
  local totals = client:sync_many(orders, { signers = 0, on_result = function(result)
    count = count + 1
    wrong = wrong or faults.call_fault(fault, "curl", outcome_of(result.response, result.err, since_ms(started)),
      "batch")
  end })
  client:close()
  if count ~= #orders or totals.taken ~= #orders then return fault.name .. ": not one result for each order" end
  return wrong
end

-- So long that there is no second attempt.
local SLOW = { retry = { base_delay_ms = 300000 } }

-- One attempt, and what is recorded then.
function WAYS.outbox(fault)
  local told
  local client = client_of(fault, SLOW)
  local outbox = assert(alipayhk.outbox { store = ("sqlite:%s/%d.db"):format(stores, fault.number), client = client,
    on_event = function(event) told = told or event.name == "later" or event.name == "parked" end })
  assert(outbox:put(samples.order()))
  assert(outbox:deliver { signers = 0, until_empty = true, stop = function() return told end })
  local record = outbox:list()[1]
  outbox:close()
  client:close()
  return faults.record_fault(fault, "curl", record)
end

describe("the faults", function()
  local GROUPS = {
    "connection", "sizes", "compression", "lengths", "smuggling", "redirects", "statuses", "interim answers",
    "HTTP/0.9", "HTTP/2", "TLS", "JSON", "signature", "encryption",
  }

  it("are more than eighty over each transport, of every group, and each has a name of its own", function()
    for _, transport in ipairs { "curl", "cosocket" } do
      local groups, names, count = {}, {}, 0
      for _, fault in ipairs(faults.of(transport)) do
        assert.is_nil(names[fault.name], fault.name)
        names[fault.name] = true
        if fault.group then count, groups[fault.group] = count + 1, true end
      end
      assert.is_true(count >= 80, ("%d over %s"):format(count, transport))
      for _, group in ipairs(GROUPS) do assert.is_true(groups[group], transport .. " has none of " .. group) end
    end
  end)

  it("are never to be taken for success, and each difference between the transports has its reason", function()
    for _, fault in ipairs(faults.list) do
      for _, transport in ipairs { "curl", "cosocket" } do
        local expected = faults.expected(fault, transport)
        assert.equal(fault.group ~= nil, expected.kind ~= nil, fault.name)
        assert.equal(fault.group == nil, expected.outbox[1] == "accepted", fault.name)
      end
      assert.equal((fault.only or fault.curl or fault.cosocket) ~= nil, fault.because ~= nil, fault.name)
    end
  end)
end)

describe("over curl", function()
  setup(function()
    server = hostile.serve(faults.cases())
    stores = shell.must(STORES):match("[^\n]+")
  end)
  teardown(function()
    server:stop()
    shell.must("rm -r " .. shell.quote(stores))
  end)

  for _, fault in ipairs(faults.of "curl") do
    for _, way in ipairs { "single", "batch", "outbox" } do
      it(("%s: %s, %s"):format(fault.group or "none", fault.name, way), function()
        server:forget()
        local wrong = WAYS[way](fault)
        local is_counted = way == "single" or way == "batch" and not fault.expects.is_free
        local orders = way == "batch" and (fault.orders or 2) or 1
        if not wrong and is_counted then wrong = faults.arrival_fault(fault, "curl", server:counts(), orders) end
        assert.is_nil(wrong)
      end)
    end
  end

  -- The last byte behind the last chunk says nothing: without it the answer is whole to libcurl, as it is.
  for form, case in pairs(faults.WHOLE) do
    it(("an answer %s that is cut off behind each of its bytes: never a success"):format(form), function()
      local client = assert(alipayhk.new(faults.whole_config(server, case)))
      local function call(cut)
        return client:call(cut and ("/cut/%d"):format(cut) or "/", { id = 1 }, { retry = false })
      end
      server:forget()
      assert(call())
      local length = server:log()[1].length
      for cut = 0, length - (form == "in chunks" and 2 or 1) do
        local response, err = call(cut)
        assert.is_nil(response, cut)
        local word = err.kind == "transport" and err.code or err.kind
        local is_expected = word == "reset" or form == "without length" and word == "signature"
        assert.is_true(is_expected, cut .. ": " .. tostring(err))
      end
      client:close()
      assert.is_true(length > 400)
    end)
  end
end)
