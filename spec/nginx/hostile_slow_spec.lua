-- A server that takes its time, or all of ours, in a real nginx: no call outlasts its deadline, and the worker serves
-- others meanwhile.

local by_clock = require "spec.support.asserting.by_clock"
local hostile = require "spec.support.servers.hostile"

local TIMEOUT, ENOUGH_MS = 1000, 5000
local DRIP_MS = 300
local SIGNED_LENGTH = "{signed}Content-Length: {length}\r\n\r\n{body}"
local HEAD = "HTTP/1.1 200 OK\r\n"
local CHUNKED = HEAD .. "Transfer-Encoding: chunked\r\n\r\n"
local INTERIM = "HTTP/1.1 100 Continue\r\n\r\n"
local SIXTEEN_MB = 16 * 1024 * 1024

local plan, number_of = hostile.plan()
local slow, floods = {}, {}

-- Over http and TLS both, unless a call says where.
local function waits(title, case, call)
  call = call or {}
  call.title, call.case = title, number_of(case)
  slow[#slow + 1] = call
end

local function drips(title, answer, text)
  waits(title .. ", a bit at a time", { answer = answer, drip = { text = text, ms = DRIP_MS } })
end

drips("a status line", "", "H")
drips("a header", HEAD .. "X-Slow: ", "x")
drips("header lines", HEAD, "X-Slow: 1\r\n")
drips("a body of a length", HEAD .. "Content-Length: 100\r\n\r\n", "x")
drips("a body without length", HEAD .. "\r\n", "x")
drips("a chunk", CHUNKED .. "64\r\n", "x")
drips("chunks", CHUNKED, "1\r\nx\r\n")
drips("a chunk's size", CHUNKED, "0")
drips("trailers", CHUNKED .. "0\r\n", "X-Slow: 1\r\n")
drips("interim answers", "", INTERIM)
waits("nothing", { answer = "" })
waits("a status line and no more", { answer = HEAD })
waits("half a body and no more", { answer = HEAD .. "Content-Length: 100\r\n\r\nhalf" })
waits("a chunk and no more", { answer = CHUNKED .. "4\r\nhalf\r\n" })
waits("no end of the last chunk",
  { answer = HEAD .. "{signed}Transfer-Encoding: chunked\r\n\r\n{hex}\r\n{body}\r\n0\r\n" })
-- Who knows whether that was all of it.
waits("no end of a body without length", { answer = HEAD .. "{signed}\r\n{body}" })
waits("an answer too late", { answer = HEAD .. SIGNED_LENGTH, wait = 3 * TIMEOUT })
waits("a request of which nothing is read", {}, { listener = "deaf", size = SIXTEEN_MB })
waits("a handshake without answer", {}, { scheme = "https", listener = "deaf" })
waits("a handshake, a bit at a time", {}, { scheme = "https", listener = "slow" })
waits("a name that nobody resolves", {},
  { scheme = "https", host = "silent.test", codes = { timeout = true, dns = true } })

-- Neither read nor thrown away at once by who gives others their turn.
local function pours(title, case, config)
  floods[#floods + 1] = { title = title, case = number_of(case), config = config }
end

pours("interim answers", { answer = "", flood = INTERIM })
pours("chunks of a byte", { answer = CHUNKED, flood = "1\r\nx\r\n" }, { max_response_bytes = 32 * 1024 * 1024 })
pours("a body", { answer = HEAD .. "\r\n", flood = "x" }, { max_response_bytes = 32 * 1024 * 1024 })
pours("a body of the length it says", { answer = HEAD .. "Content-Length: 30000000\r\n\r\n", flood = "x" },
  { max_response_bytes = 32 * 1024 * 1024 })

local SIPS = { number_of { sip = 10 }, number_of { sip = 20 }, number_of { sip = 40 } }

local SOON = number_of { answer = HEAD .. SIGNED_LENGTH, wait = 300 }
local ENDS_LATE = number_of { answer = HEAD .. "{signed}Content-Length: {length}\r\n\r\n",
  late = { text = "{body}", ms = 500 } }
local BEGINS_LATE = number_of { answer = HEAD, wait = 1500 }
local BYTEWISE = {
  number_of { answer = HEAD .. SIGNED_LENGTH, bytewise = true },
  number_of { answer = INTERIM .. HEAD .. "{signed}Transfer-Encoding: chunked\r\n\r\n{chunks}", bytewise = true },
  number_of { answer = HEAD .. "{signed}\r\n{body}", bytewise = true, ["then"] = "end" },
}

describe("inside nginx, a server that is slow", function()
  local server, outcomes, calls

  setup(function()
    server = hostile.start { cases = plan, http = "resolver 127.0.0.1:{names} ipv6=off;" }
    local list = {}
    for _, call in ipairs(slow) do
      for _, scheme in ipairs(call.scheme and { call.scheme } or { "http", "https" }) do
        list[#list + 1] = {
          case = call.case, size = call.size, title = scheme .. ": " .. call.title, codes = call.codes,
          config = { timeout_ms = TIMEOUT },
          url = server:url(scheme, call.host or scheme == "https" and "localhost" or nil, call.listener),
        }
      end
    end
    calls = list
    outcomes = server:ask(list, #list)
    for i, outcome in ipairs(outcomes) do
      outcome.title, outcome.codes = list[i].title, list[i].codes or { timeout = true }
    end
  end)
  teardown(function() server:stop() end)

  it("gets no more than its time, whatever it does with it", function()
    assert.is_true(#outcomes > 30)
    local wrong = {}
    for _, outcome in ipairs(outcomes) do
      if outcome.ok or outcome.thrown or outcome.kind ~= "transport" or not outcome.codes[outcome.code]
        or outcome.ms < TIMEOUT - 50 and outcome.code == "timeout" or outcome.ms > ENOUGH_MS then
        wrong[#wrong + 1] = ("%s: %s after %d ms"):format(outcome.title,
          outcome.ok and "success" or outcome.thrown or outcome.kind .. "/" .. tostring(outcome.code), outcome.ms)
      end
    end
    assert.equal("", table.concat(wrong, "\n"))
  end)

  it("is said to be that, and may be asked again", function()
    for _, outcome in ipairs(outcomes) do
      assert.is_true(outcome.retryable, outcome.title)
      assert.is_true(#outcome.message > 8, outcome.title)
    end
  end)

  -- Which limit passed, and what most of it passed with.
  local function passed(outcome, limit, activity)
    assert.equal("timeout", outcome.code, outcome.message)
    local limit_ms, name, found, took_ms =
      outcome.message:match("^[%w.]+:%d+: the (%d+) ms of ([%a_]+) passed (.-) %((%d+) of them%)$")
    assert.same({ limit, activity }, { name, found }, outcome.message)
    assert.is_true(tonumber(took_ms) <= tonumber(limit_ms), outcome.message)
  end

  it("is said which limit passed, and with what", function()
    local activities = {
      ["http: nothing"] = "without an answer",
      ["https: nothing"] = "without an answer",
      ["http: half a body and no more"] = "before the answer was whole",
      ["https: half a body and no more"] = "before the answer was whole",
      ["https: a handshake without answer"] = "during the TLS handshake",
      ["http: a request of which nothing is read"] = "while the request was being sent",
      ["https: a request of which nothing is read"] = "during the TLS handshake",
    }
    local count = 0
    for i, outcome in ipairs(outcomes) do
      local activity = activities[outcome.title]
      if activity then
        count = count + 1
        -- All at once they may wait for each other: one by one then.
        local is_said = pcall(passed, outcome, "timeout_ms", activity)
        if not is_said then
          by_clock(function() passed(server:ask({ calls[i] })[1], "timeout_ms", activity) end)
        end
      end
    end
    assert.equal(7, count)
  end)

  it("has what it was sent as long as it takes, within its time", function()
    for _, scheme in ipairs { "http", "https" } do
      local outcome = server:ask({ { case = SOON, url = server:url(scheme, "localhost") } })[1]
      assert.is_true(outcome.ok, outcome.message)
      assert.is_true(outcome.timing.first_byte_ms >= 290 and outcome.timing.total_ms >= outcome.timing.first_byte_ms)
    end
  end)

  it("is known to have begun before it ended", function()
    for _, scheme in ipairs { "http", "https" } do
      local outcome = server:ask({ { case = ENDS_LATE, url = server:url(scheme, "localhost") } })[1]
      assert.is_true(outcome.ok, outcome.message)
      assert.is_true(outcome.timing.total_ms - outcome.timing.first_byte_ms > 300)
    end
  end)

  it("has no time of its own for what is left of an answer", function()
    for _, scheme in ipairs { "http", "https" } do
      local outcome = server:ask({ { case = BEGINS_LATE, url = server:url(scheme, "localhost"),
        config = { timeout_ms = 2000 } } })[1]
      assert.equal("timeout", outcome.code)
      assert.is_true(outcome.ms < 3000, ("it took %d ms"):format(outcome.ms))
    end
  end)

  it("may send byte by byte", function()
    for _, case in ipairs(BYTEWISE) do
      for _, scheme in ipairs { "http", "https" } do
        local outcome = server:ask({ { case = case, config = { timeout_ms = 20000 },
          url = server:url(scheme, "localhost") } })[1]
        assert.is_true(outcome.ok, outcome.message)
      end
    end
  end)

  it("may not read a large request for ever", function()
    for _, case in ipairs(SIPS) do
      local outcome = server:ask({ { case = case, size = 30 * 1024 * 1024, config = { timeout_ms = 1500 } } })[1]
      assert.equal("timeout", outcome.code)
      assert.is_true(outcome.ms < ENOUGH_MS, ("it took %d ms"):format(outcome.ms))
    end
  end)

  it("takes no more than connect_timeout_ms to connect", function()
    local outcome = server:ask({ { case = SOON, url = server:url("https", "localhost", "deaf"),
      config = { connect_timeout_ms = 1000, timeout_ms = 20000 } } })[1]
    passed(outcome, "connect_timeout_ms", "during the TLS handshake")
    assert.is_true(outcome.ms < ENOUGH_MS, ("it took %d ms"):format(outcome.ms))
  end)

  it("may not take connect_timeout_ms for its name, and then for the handshake", function()
    local outcome = server:ask({ { case = SOON, url = server:url("https", "late.test", "deaf"),
      config = { connect_timeout_ms = 2000, timeout_ms = 20000 } } })[1]
    assert.equal("timeout", outcome.code)
    assert.is_true(outcome.ms < 3000, ("it took %d ms"):format(outcome.ms))
  end)

  it("may not leave a connection waiting for longer than connect_timeout_ms", function()
    local outcome = server:ask({ { case = SOON, url = server:url("http", "127.0.0.1", "full"),
      config = { connect_timeout_ms = 1000, timeout_ms = 20000 } } })[1]
    passed(outcome, "connect_timeout_ms", "while a connection was made")
    assert.is_true(outcome.retryable)
    assert.is_true(outcome.ms < ENOUGH_MS, ("it took %d ms"):format(outcome.ms))
  end)

  for _, flood in ipairs(floods) do
    it("leaves the worker to others: " .. flood.title .. " without end", function()
      local config = { timeout_ms = 3000 }
      for name, value in pairs(flood.config or {}) do config[name] = value end
      by_clock(function()
        local outcome = server:ask({ { case = flood.case, config = config, lag = true } })[1]
        assert.is_nil(outcome.ok or outcome.thrown)
        assert.is_true(outcome.ms < ENOUGH_MS, ("it took %d ms"):format(outcome.ms))
        assert.is_true(outcome.lag_ms < 1500, ("nothing else was done for %d ms"):format(outcome.lag_ms))
      end)
    end)
  end

  it("makes nginx log no alert and no error of Lua", function() assert.is_nil(server:complaint()) end)
end)
