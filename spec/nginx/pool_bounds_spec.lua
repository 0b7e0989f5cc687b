-- Where a connection ends, in a real nginx: after which answers it is not kept, and whom it never serves.

local hostile = require "spec.support.servers.hostile"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local fails, succeeds = hostile.fails, hostile.succeeds

local HEAD = "HTTP/1.1 200 OK\r\n{signed}"
local LENGTH = "Content-Length: {length}\r\n\r\n{body}"
local GOOD = HEAD .. LENGTH
local CHUNKED = HEAD .. "Transfer-Encoding: chunked\r\n\r\n{chunks}"

local plan, number_of = hostile.plan()

local good = number_of { answer = GOOD }
-- Leaves no connection behind.
local last = number_of { answer = HEAD .. "Connection: close\r\n" .. LENGTH }

local NOT_KEPT = {
  ["Connection: close"] = number_of { answer = HEAD .. "Connection: close\r\n" .. LENGTH },
  ["connection: Close"] = number_of { answer = HEAD .. "connection: Close\r\n" .. LENGTH },
  ["Connection: close among others"] = number_of { answer = HEAD .. "Connection: x-y , CLOSE\r\n" .. LENGTH },
  ["Connection twice, once close"] = number_of {
    answer = HEAD .. "Connection: keep-alive\r\nConnection: close\r\n" .. LENGTH,
  },
  ["Connection: close and chunks"] = number_of {
    answer = HEAD .. "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}",
  },
  ["HTTP/1.0"] = number_of { answer = "HTTP/1.0 200 OK\r\n{signed}" .. LENGTH },
  ["no length"] = number_of { answer = HEAD .. "\r\n{body}", ["then"] = "end" },
}

local empty_with_length = number_of { answer = "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n" }
local wrong = number_of { answer = "HTTP/2.0 200 OK\r\n\r\n" }

local EXTRA = {}
for title, case in pairs {
  ["behind a length"] = { answer = GOOD .. "{forged}" },
  ["behind chunks"] = { answer = CHUNKED .. "{forged}" },
  ["behind 204"] = { answer = "HTTP/1.1 204 No Content\r\n\r\n{forged}" },
  ["behind a length, a line"] = { answer = GOOD .. "\r\n" },
  ["a moment later"] = { answer = GOOD, late = { text = "{forged}", ms = 30 } },
  ["a moment later, one byte"] = { answer = GOOD, late = { text = "H", ms = 30 } },
} do EXTRA[title] = number_of(case) end
-- Where a read of a round size would end with the answer.
for _, size in ipairs { 1024, 2048, 4096, 8192, 12288, 16384 } do
  EXTRA[("behind an answer of %d bytes"):format(size)] =
    number_of { answer = HEAD .. "X-Pad: {pad}\r\n" .. LENGTH .. "{forged}", pad = size }
end

-- What comes when the answer was read and the connection is in the pool.
local LATE = {
  ["the answer once more"] = { text = GOOD },
  ["another answer"] = { text = "{forged}" },
  ["half an answer"] = { text = HEAD .. "Content-Length: {length}\r\n\r\n{" },
  ["408"] = { text = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" },
  ["408 and its end"] = {
    text = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ["then"] = "end",
  },
  ["400"] = { text = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" },
  ["an interim answer"] = { text = "HTTP/1.1 100 Continue\r\n\r\n" },
  ["a line"] = { text = "\r\n" },
  ["one byte"] = { text = "H" },
  ["its end"] = { ["then"] = "end" },
  ["a reset"] = { ["then"] = "reset" },
}
local function answers_late(title)
  local late = { ms = 30, marked = true }
  for name, value in pairs(LATE[title]) do late[name] = value end
  return number_of { answer = GOOD, late = late, next = { answer = GOOD } }
end
local late_cases = {}
for _, title in ipairs(sorted_keys(LATE)) do
  for _, way in ipairs { "asleep", "busy" } do
    for _, scheme in ipairs { "http", "https" } do
      for _, retry in ipairs { { max_attempts = 1 }, false } do
        late_cases[#late_cases + 1] = {
          title = title, way = way, scheme = scheme, config = { retry = retry }, number = answers_late(title),
        }
      end
    end
  end
end

local held_back_cases = {}
for _, scheme in ipairs { "http", "https" } do
  for _, way in ipairs { "asleep", "busy" } do
    held_back_cases[#held_back_cases + 1] = {
      scheme = scheme, way = way,
      number = number_of { answer = GOOD, late = { text = "{forged}", ms = 5, marked = true } },
    }
  end
end

describe("inside nginx, a connection", function()
  local server

  setup(function()
    server = hostile.start { cases = plan, http = "resolver 127.0.0.1:{names} ipv6=off;" }
  end)
  teardown(function() server:stop() end)

  -- No connection is left of the spec before.
  before_each(function() server:begin_anew(last) end)

  local function ask(...) return server:ask_each(...) end

  for _, scheme in ipairs { "http", "https" } do
    describe("of " .. scheme, function()
      for _, title in ipairs(sorted_keys(NOT_KEPT)) do
        local case = NOT_KEPT[title]
        it("is not kept after " .. title, function()
          for _, outcome in ipairs(ask(scheme, case, case)) do succeeds(outcome) end
          assert.same({ 1, 1 }, (server:arrived()))
        end)
      end

      it("whose answer has no body, but speaks of one, is not kept", function()
        server:forget()
        local url = server:url_of(scheme)
        server:ask { { case = empty_with_length, url = url }, { case = last, url = url } }
        assert.same({ 1, 1 }, (server:arrived()))
      end)

      it("that is not kept is closed at once", function()
        local list = {}
        for i, case in ipairs { last, last, wrong, wrong, last } do
          list[i] = { case = case, url = server:url_of(scheme), after_ms = 50 }
        end
        server:ask(list)
        for i, entry in ipairs(server:log()) do assert.equal(1, entry.open, ("request %d"):format(i)) end
        assert.same({ 1, 1, 1, 1, 1 }, (server:arrived()))
      end)

      for _, title in ipairs(sorted_keys(EXTRA)) do
        local case = EXTRA[title]
        it("with more than the answer on it serves nobody else: " .. title, function()
          local outcomes = server:ask {
            { case = case, url = server:url_of(scheme), config = { timeout_ms = 5000 } },
            { case = last, url = server:url_of(scheme), config = { timeout_ms = 5000 }, after_ms = 200 },
          }
          assert.is_nil(outcomes[1].thrown)
          assert.is_true(outcomes[1].ok or outcomes[1].kind == "http")
          assert.equal(1, (select(2, succeeds(outcomes[2]))))
          assert.same({ 1, 1 }, (server:arrived()))
        end)
      end
    end)
  end

  -- nginx itself closes such a connection, but not before its event loop runs.
  for _, case in ipairs(late_cases) do
    local title = ("of %s with %s on it, after its answer and before another request, serves nobody else: worker %s%s")
      :format(case.scheme, case.title, case.way, case.config.retry and "" or ", retry = false")
    it(title, function()
      local url = server:url_of(case.scheme)
      local outcomes = server:ask {
        { case = case.number, url = url, config = case.config },
        { case = case.number, url = url, config = case.config, after_late = case.way },
      }
      local first, second = succeeds(outcomes[1]), succeeds(outcomes[2])
      assert.equal(first + 1, second)
      -- Nothing was sent on the connection that was passed over.
      assert.same({ 1, 1 }, (server:arrived()))
      assert.equal(1, outcomes[2].attempts)
    end)
  end

  -- After some answers Linux no longer acknowledges at once, and the server's kernel holds back what it writes late.
  for _, case in ipairs(held_back_cases) do
    it(("of %s that has served four serves nobody else after something late: worker %s"):format(case.scheme, case.way),
      function()
        local url, list = server:url_of(case.scheme), {}
        for i = 1, 4 do list[i] = { case = good, url = url } end
        list[5] = { case = case.number, url = url }
        list[6] = { case = case.number, url = url, after_late = case.way }
        list[7] = { case = good, url = url }
        local outcomes = server:ask(list)
        for i, outcome in ipairs(outcomes) do
          local connection = succeeds(outcome)
          assert.is_true(connection < 1000, ("answer %d is the forged one"):format(i))
        end
        local arrived = server:arrived()
        assert.equal(5, arrived[5])
        assert.is_true(arrived[6] < 6)
      end)
  end

  it("of http is none of https, and the other way round", function()
    local http, https = server:url("http", "localhost"), server:url("https", "localhost")
    for _, outcome in ipairs(server:ask {
      { case = good, url = http }, { case = good, url = https },
      { case = good, url = http }, { case = good, url = https },
    }) do succeeds(outcome) end
    local log = server:log()
    assert.same({ 1, 1, 2, 2 }, (server:arrived()))
    for i = 1, 4 do assert.equal(i % 2 == 0, log[i].tls) end
    assert.equal(log[1].connection, log[3].connection)
    assert.equal(log[2].connection, log[4].connection)
  end)

  it("to one host is none to another", function()
    local list = {}
    for _, host in ipairs { "127.0.0.1", "127.0.0.2", "localhost" } do
      list[#list + 1] = { case = good, url = server:url("http", host) }
    end
    for _, outcome in ipairs(server:ask(list)) do succeeds(outcome) end
    assert.same({ 1, 1, 1 }, (server:arrived()))
    assert.equal("127.0.0.2", server:log()[2].host)
    for _, outcome in ipairs(server:ask(list)) do succeeds(outcome) end
    assert.same({ 1, 1, 1, 2, 2, 2 }, (server:arrived()))
  end)

  it("to one port is none to another", function()
    for _, scheme in ipairs { "http", "https" } do
      server:forget()
      local one, other = server:url(scheme, "localhost"), server:url(scheme, "localhost", "other")
      for _, outcome in ipairs(server:ask {
        { case = good, url = one }, { case = good, url = other },
        { case = good, url = one }, { case = last, url = other },
      }) do succeeds(outcome) end
      assert.same({ 1, 1, 2, 2 }, (server:arrived()))
    end
  end)

  it("that was verified for one host serves no other at the same address", function()
    local outcomes = server:ask {
      { case = good, url = server:url("https", "localhost") },
      { case = good, url = server:url("https", "elsewhere.test") },
      { case = good, url = server:url("https", "localhost") },
    }
    succeeds(outcomes[1])
    fails("tls", outcomes[2])
    succeeds(outcomes[3])
    assert.same({ 1, 2 }, (server:arrived()))
  end)

  it("of TLS names the host it is for", function()
    ask("https", good)
    assert.equal("localhost", server:log()[1].server_name)
  end)

  it("makes nginx log no alert and no error of Lua", function() assert.is_nil(server:complaint()) end)
end)
