-- Arguments of the wrong type throw, at the position of the caller.

local double = require "spec.support.doubles.alipayhk_double"
local samples = require "spec.support.data.samples"
local thrown = require "spec.support.asserting.thrown"

local HERE = "client_arguments_spec%.lua:%d+: "

local gateway = double.new { algorithm = "p224" }
local client = gateway:client()
local order, card = samples.order(), samples.card()

-- Each call is on a line of this file, and no tail call: the position is that line.
local THROWS = {
  { "sync_order of nothing", function() local _ = client:sync_order() end, "expected a table" },
  { "a retry of true", function() local _ = client:sync_order({}, { retry = true }) end,
    "opts.retry: expected a table or false, found a boolean" },
  { "sync_order of a string", function() local _ = client:sync_order("{}") end, "expected a table, found a string" },
  { "sync_contract_card of nothing", function() local _ = client:sync_contract_card() end, "expected a table" },
  { "sync_contract_card of a number", function() local _ = client:sync_contract_card(5) end, "found a number" },
  { "call without a payload", function() local _ = client:call("/any") end, "expected a table" },
  { "call of a table", function() local _ = client:call({}, {}) end, "path" },
  { "prepare of nothing", function() local _ = client:prepare() end, "path" },
  { "prepare without a payload", function() local _ = client:prepare("order") end, "expected a table" },
  { "prepare of a misspelt API", function() local _ = client:prepare("ordr", order) end, 'did you mean "order"' },
  { "prepare of another misspelt API", function() local _ = client:prepare("contract-card", card) end,
    'did you mean "contract_card"' },
  { "prepare of a path with another mistake", function() local _ = client:prepare("/order", order, { encrypt = 1 }) end,
    "opts.encrypt: expected a boolean, found a number" },
  { "opts.timeout_ms of infinity", function() local _ = client:sync_order(order, { timeout_ms = 1 / 0 }) end,
    "found infinity" },
  { "send of nothing", function() local _ = client:send() end, "prepare" },
  { "send of an order", function() local _ = client:send(order) end, "prepare" },
  { "send of half a request", function() local _ = client:send({ headers = {}, method = "POST" }) end, "`url`" },
  { "opts that are no table", function() local _ = client:sync_order(order, 5) end, "opts: expected a table" },
  { "an unknown option", function() local _ = client:sync_order(order, { timeout = 5 }) end,
    'opts.timeout: no such option, did you mean "timeout_ms"' },
  { "opts.timeout_ms that is no number", function() local _ = client:sync_order(order, { timeout_ms = "5" }) end,
    "opts.timeout_ms" },
  { "opts.timeout_ms of 0", function() local _ = client:sync_order(order, { timeout_ms = 0 }) end, "opts.timeout_ms" },
  { "opts.timeout_ms of NaN", function() local _ = client:sync_order(order, { timeout_ms = 0 / 0 }) end,
    "opts.timeout_ms" },
  { "opts.encrypt that is no boolean", function() local _ = client:sync_order(order, { encrypt = "yes" }) end,
    "opts.encrypt" },
  { "opts.retry that is no table", function() local _ = client:sync_order(order, { retry = 3 }) end, "opts.retry" },
}

local BAD_PATHS = {
  "", "any", "order/", "https://gateway.example/any", "/a b", "/a\nb", "/a\r\nX: y", "/a\0", "/a#fragment", "/漢",
  "/a\"b", "/a\\b", "/a{b}",
}

describe("it throws at the caller's position:", function()
  before_each(function() gateway:answers { {} } end)

  for _, case in ipairs(THROWS) do
    it(case[1], function()
      local message = thrown(case[2])
      assert.matches("^[^\n]*" .. HERE, message)
      assert.matches(case[3], message, 1, true)
      if not case[3]:find("did you mean", 1, true) then assert.is_nil(message:find("did you mean", 1, true)) end
      assert.equal(0, #gateway.requests)
    end)
  end

  for _, path in ipairs(BAD_PATHS) do
    it(("the path %q"):format(path):gsub("%c", "?"), function()
      assert.matches(HERE .. "call: path: ", thrown(function() local _ = client:call(path, {}) end))
      assert.matches(HERE .. "prepare: path: ", thrown(function() local _ = client:prepare(path, {}) end))
      assert.equal(0, #gateway.requests)
    end)
  end

  it("a wrong value of opts.retry is refused before anything is sent", function()
    for _, retry in ipairs { { max_attempts = 0 }, { attempts = 3 }, { budget_ms = "1" }, { budget_ms = 0 },
      { codes = "X" }, { codes = { X = 1 } }, { codes = { true } }, true } do
      local ok, response, err = pcall(client.sync_order, client, order, { retry = retry })
      if ok then
        assert.is_nil(response)
        assert.equal("config", err.kind)
        assert.matches("retry", err.message, 1, true)
      else
        assert.matches("retry", response, 1, true)
      end
      assert.equal(0, #gateway.requests)
    end
  end)
end)

describe("a closed client", function()
  it("throws for every call, and may be closed again", function()
    local closed = gateway:client()
    local request = assert(closed:prepare("order", order))
    closed:close()
    closed:close()
    assert.matches("closed", tostring(closed), 1, true)
    for _, call in ipairs {
      function() local _ = closed:sync_order(order) end,
      function() local _ = closed:sync_contract_card(card) end,
      function() local _ = closed:call("/any", {}) end,
      function() local _ = closed:prepare("order", order) end,
      function() local _ = closed:send(request) end,
    } do
      assert.matches(HERE .. ".*the client is closed", thrown(call))
    end
  end)
end)
