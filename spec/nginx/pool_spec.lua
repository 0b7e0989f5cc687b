-- Connections in a real nginx: which are kept, by whom they are used again, and what becomes of a request whose kept
-- connection dies under it.

local hostile = require "spec.support.servers.hostile"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local fails, succeeds = hostile.fails, hostile.succeeds

local HEAD = "HTTP/1.1 200 OK\r\n{signed}"
local LENGTH = "Content-Length: {length}\r\n\r\n{body}"
local GOOD = HEAD .. LENGTH
local CHUNKED = HEAD .. "Transfer-Encoding: chunked\r\n\r\n{chunks}"

local plan, number_of = hostile.plan()

local good = number_of { answer = GOOD }
local chunked = number_of { answer = CHUNKED }
local slow = number_of { answer = GOOD, wait = 300 }
-- Leaves no connection behind.
local last = number_of { answer = HEAD .. "Connection: close\r\n" .. LENGTH }

-- What the connection's second request meets.
local function then_meets(next_one)
  return number_of { answer = GOOD, next = next_one }
end
local stale = {
  ["that the server closes"] = then_meets { answer = "", ["then"] = "end" },
  ["that the server resets"] = then_meets { answer = "", ["then"] = "reset" },
}
local slow_then_stale = number_of { answer = GOOD, wait = 300, next = { answer = "", ["then"] = "reset" } }
local refusal_when_repeated = number_of {
  answer = GOOD, result = { code = "UN_SUPPORT_BUSINESS", status = "F" }, next = { answer = "", ["then"] = "end" },
}
local begun = {
  ["one byte"] = then_meets { answer = "H", ["then"] = "end" },
  ["one byte and a reset"] = then_meets { answer = "H", ["then"] = "reset" },
  ["an interim answer"] = then_meets { answer = "HTTP/1.1 100 Continue\r\n\r\n", ["then"] = "end" },
  ["half a body"] = then_meets { answer = HEAD .. "Content-Length: 999\r\n\r\nhalf", ["then"] = "end" },
}
local silent_then = then_meets { answer = "" }
local dies_late_then_silent = number_of { answer = "", next = { answer = "", wait = 1500, ["then"] = "end" } }
local dies_with_its_server = number_of { answer = GOOD, next = { answer = "", ["then"] = "leave" } }
local dies_with_its_name = number_of { answer = GOOD, next = { answer = "", wait = 1500, ["then"] = "reset" } }
local dies_before = {
  ["mute"] = number_of { answer = GOOD, next = { answer = "", wait = 1500, ["then"] = "mute" } },
  ["rude"] = number_of { answer = GOOD, next = { answer = "", ["then"] = "rude" } },
}
local wrong_then = then_meets { answer = "HTTP/2.0 200 OK\r\n\r\n" }
local closed_after = number_of { answer = GOOD, ["then"] = "end" }
local breaks = {
  ["closed"] = number_of { answer = "", ["then"] = "end" },
  ["reset"] = number_of { answer = "", ["then"] = "reset" },
}

describe("inside nginx, a connection", function()
  local server

  setup(function()
    server = hostile.start { cases = plan, http = "resolver 127.0.0.1:{names} ipv6=off;", server = [[
      location = /forgetful {
        resolver 127.0.0.1:{forgetful} ipv6=off;
        content_by_lua_block { require("driver").content() }
      }
      location = /hushed {
        resolver 127.0.0.1:{hushed} ipv6=off;
        content_by_lua_block { require("driver").content() }
      }
    ]] }
  end)
  teardown(function() server:stop() end)

  -- No connection is left of the spec before.
  before_each(function() server:begin_anew(last) end)

  local function ask(...) return server:ask_each(...) end

  local function times(body) return select(2, server:arrived())[('{"id":"request-%d"}'):format(body)] end

  for _, scheme in ipairs { "http", "https" } do
    describe("of " .. scheme, function()
      it("is kept, and used again without a handshake", function()
        local outcomes = ask(scheme, good, chunked, good)
        assert.same({ 1, 2, 3 }, (server:arrived()))
        local connection = succeeds(outcomes[1])
        for i = 2, 3 do
          assert.same({ connection, i }, { succeeds(outcomes[i]) })
          assert.equal(0, outcomes[i].timing.connect_ms)
          assert.equal(0, outcomes[i].timing.tls_ms)
        end
        assert.is_true(outcomes[1].timing.connect_ms > 0)
        assert.equal(scheme == "https", outcomes[1].timing.tls_ms > 0)
      end)

      it("is kept from one request of nginx to the next", function()
        succeeds(ask(scheme, good)[1])
        succeeds(ask(scheme, good)[1])
        assert.same({ 1, 2 }, (server:arrived()))
      end)

      it("is shared by clients of one server", function()
        for timeout = 2000, 2002 do
          succeeds(server:ask({ { case = good, url = server:url_of(scheme), config = { timeout_ms = timeout } } })[1])
        end
        assert.same({ 1, 2, 3 }, (server:arrived()))
      end)

      it("serves one request at a time", function()
        local list = {}
        for i = 1, 12 do list[i] = { case = slow, url = server:url_of(scheme), config = { timeout_ms = 20000 } } end
        for _ = 1, 2 do
          for _, outcome in ipairs(server:ask(list, 6)) do succeeds(outcome) end
        end
        local busy = {}
        for _, entry in ipairs(server:log()) do
          busy[entry.connection] = math.max(busy[entry.connection] or 0, entry.nth)
        end
        local count = 0
        for _ in pairs(busy) do count = count + 1 end
        assert.equal(6, count)
        assert.equal(24, #server:log())
      end)

      for _, title in ipairs(sorted_keys(stale)) do
        local case = stale[title]
        it(title .. " as it is used again costs one more try", function()
          local outcomes = ask(scheme, case, case)
          local first, again = succeeds(outcomes[1]), succeeds(outcomes[2])
          assert.not_equal(first, again)
          assert.equal(1, outcomes[2].attempts)
          assert.same({ 1, 2, 1 }, (server:arrived()))
          assert.equal(1, times(1))
          assert.equal(2, times(2))
        end)
      end

      it("that the server closes as it is used again is not replaced where nothing may be sent twice", function()
        local case = stale["that the server closes"]
        local outcomes = server:ask {
          { case = case, url = server:url_of(scheme), id = "request-1", config = { retry = false } },
          { case = case, url = server:url_of(scheme), id = "request-2", config = { retry = false } },
        }
        succeeds(outcomes[1])
        fails("reset", outcomes[2])
        assert.same({ 1, 2 }, (server:arrived()))
        assert.equal(1, times(2))
      end)

      it("that died is not replaced by another kept one", function()
        local list = {}
        for i = 1, 4 do list[i] = { case = slow_then_stale, url = server:url_of(scheme) } end
        for _, outcome in ipairs(server:ask(list, 4)) do succeeds(outcome) end
        assert.same({ 1, 1, 1, 1 }, (server:arrived()))
        succeeds(ask(scheme, slow_then_stale)[1])
        assert.same({ 1, 1, 1, 1, 2, 1 }, (server:arrived()))
      end)

      for _, title in ipairs(sorted_keys(breaks)) do
        local case = breaks[title]
        it("that is new and " .. title .. " is not tried again", function()
          fails("reset", ask(scheme, case)[1])
          assert.same({ 1 }, (server:arrived()))
        end)

        it("that is new in place of one that died, and " .. title .. ", is not tried again", function()
          local outcomes = ask(scheme, good, case)
          succeeds(outcomes[1])
          fails("reset", outcomes[2])
          assert.same({ 1, 2, 1 }, (server:arrived()))
        end)
      end

      for _, title in ipairs(sorted_keys(begun)) do
        local case = begun[title]
        it("that dies when it has brought " .. title .. " is not tried again", function()
          local outcomes = ask(scheme, case, case)
          succeeds(outcomes[1])
          fails("reset", outcomes[2])
          assert.same({ 1, 2 }, (server:arrived()))
        end)
      end

      it("that died leaves the other try what is left of the time", function()
        local outcomes = server:ask {
          { case = good, url = server:url_of(scheme), config = { timeout_ms = 2000 } },
          { case = dies_late_then_silent, url = server:url_of(scheme), config = { timeout_ms = 2000 } },
        }
        fails("timeout", outcomes[2])
        assert.same({ 1, 2, 1 }, (server:arrived()))
        assert.is_true(outcomes[2].ms < 3000, ("it took %d ms"):format(outcomes[2].ms))
      end)

      -- The request was there: "connect" would say that it never was.
      it("that died with its server may have brought what it was sent", function()
        local outcome = ask(scheme, dies_with_its_server, dies_with_its_server)[2]
        assert.same({ 1, 2 }, (server:arrived()))
        shell.run("sleep 1.5")
        fails("reset", outcome)
        assert.is_true(outcome.retryable)
      end)

      it("that is silent is not tried again", function()
        local outcomes = ask(scheme, silent_then, silent_then)
        succeeds(outcomes[1])
        fails("timeout", outcomes[2])
        assert.same({ 1, 2 }, (server:arrived()))
      end)

      it("that answers with something else than HTTP is not tried again", function()
        fails("protocol", ask(scheme, wrong_then, wrong_then)[2])
        assert.same({ 1, 2 }, (server:arrived()))
      end)

      it("that the server closed behind its answer is nobody's fault", function()
        for _, after_ms in ipairs { 100, 0, 1 } do
          for _, outcome in ipairs(server:ask {
            { case = closed_after, url = server:url_of(scheme), id = "request-1" },
            { case = closed_after, url = server:url_of(scheme), id = "request-2", after_ms = after_ms },
          }) do succeeds(outcome) end
          -- Sooner it may be on its way before we know.
          if after_ms == 100 then assert.same({ 1, 1 }, (server:arrived())) end
        end
      end)
    end)
  end

  -- So does the failure of a handshake, or of a name: neither says anything about the request that was sent before.
  it("that died before one without TLS may have brought what it was sent", function()
    local outcome = ask("https", dies_before.rude, dies_before.rude)[2]
    assert.same({ 1, 2 }, (server:arrived()))
    fails("reset", outcome)
    assert.is_true(outcome.retryable)
  end)

  it("that died with its name may have brought what it was sent", function()
    local call = { case = dies_with_its_name, url = server:url("http", "localhost") }
    local outcome = server:ask({ call, call }, 1, "/forgetful")[2]
    assert.same({ 1, 2 }, (server:arrived()))
    fails("reset", outcome)
    assert.is_true(outcome.retryable)
  end)

  -- The second call needs 1.5 s to meet the death of its connection.
  local function in_time(case, scheme, path)
    local call = { case = case, url = server:url(scheme, "localhost"), config = { timeout_ms = 2000 } }
    local outcome = server:ask({ call, call }, 1, path)[2]
    assert.same({ 1, 2 }, (server:arrived()))
    fails("timeout", outcome)
    assert.is_true(outcome.ms < 3000, ("it took %d ms"):format(outcome.ms))
  end

  it("that died leaves the other one's handshake what is left of the time", function()
    in_time(dies_before.mute, "https")
  end)

  it("that died leaves the search for its name what is left of the time", function()
    in_time(dies_with_its_name, "http", "/hushed")
  end)

  it("that died may have brought an order to AlipayHK, and the error says so", function()
    local url = ("%s/case/%d"):format(server:url(), refusal_when_repeated)
    local card = samples.card { command = "SEND" }
    local outcomes = server:ask { { card = card, url = url }, { card = card, url = url } }
    assert.equal("UN_SUPPORT_BUSINESS", outcomes[1].code)
    assert.equal("UN_SUPPORT_BUSINESS", outcomes[2].code)
    assert.same({ 1, 2, 1 }, (server:arrived()))
    assert.matches("earlier", outcomes[2].message, 1, true)
    assert.is_nil(outcomes[1].message:find("earlier", 1, true))
  end)

  it("is one of many, more than are kept", function()
    local list = {}
    for i = 1, 80 do list[i] = { case = slow, url = server:url(), config = { timeout_ms = 20000 } } end
    for _ = 1, 2 do
      for _, outcome in ipairs(server:ask(list, 80)) do succeeds(outcome) end
    end
    assert.equal(160, #server:log())
  end)

  it("makes nginx log no alert and no error of Lua", function() assert.is_nil(server:complaint()) end)
end)
