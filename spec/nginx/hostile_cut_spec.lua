-- A valid answer, cut off behind each of its bytes, in a real nginx: a success only when all of it came. And what
-- thousands of such answers leave behind in the worker: nothing.

local hostile = require "spec.support.servers.hostile"

local HEAD = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json; charset=UTF-8\r\n{signed}"
local CHUNKED = HEAD .. "Transfer-Encoding: chunked\r\n\r\n"
local FORMS = {
  { name = "by length", answer = HEAD .. "Content-Length: {length}\r\n\r\n{body}" },
  { name = "in chunks", answer = CHUNKED .. "{chunks}" },
  { name = "to the end of its connection", answer = HEAD .. "\r\n{body}" },
}
local WAYS = {
  { title = "over http", scheme = "http", every = 1 },
  { title = "over http, by a reset", scheme = "http", every = 7, query = "&reset=1" },
  { title = "over TLS", scheme = "https", every = 11 },
  { title = "over TLS, by a reset", scheme = "https", every = 23, query = "&reset=1" },
}
local THREADS = 8
local TIMEOUT = { timeout_ms = 20000 }

-- For the worker's memory: of each kind some.
local MISCHIEF = {
  { answer = "HTTP/2.0 200 OK\r\n\r\n" },
  { answer = HEAD .. "Content-Length: 1, 2\r\n\r\n{body}" },
  { answer = HEAD .. "X-Folded: 1\r\n 2\r\n\r\n" },
  { answer = CHUNKED .. "FFFFFFFFFFFFFFFF\r\n{body}" },
  { answer = CHUNKED .. "{hex}\r\n{body}x\r\n" },
  { answer = CHUNKED .. "40\r\n{body}", ["then"] = "reset" },
  { answer = HEAD .. "Content-Length: 999\r\n\r\n{body}", ["then"] = "end" },
  { answer = "HTTP/1.1 200 OK\r\n", flood = "X-Line: 1\r\n" },
  { answer = "HTTP/1.1 200 OK\r\nX: ", flood = "x" },
  { answer = "HTTP/1.1 200 OK\r\n\r\n", flood = "x" },
  { answer = CHUNKED, flood = "100\r\n" .. ("x"):rep(256) .. "\r\n" },
  { answer = CHUNKED .. "0\r\n", flood = "X: y\r\n" },
  { answer = "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}" },
  { answer = "", ["then"] = "end" },
  { answer = "", ["then"] = "reset" },
  { answer = "HTTP/1.1 100 Continue\r\n\r\n", ["then"] = "end" },
}
local BATCH, WARM_UP, MANY, ALLOWED = 200, 3, 10, 4 * 1024 * 1024

local server

local function plan()
  local cases = {}
  for _, list in ipairs { FORMS, MISCHIEF } do
    for _, case in ipairs(list) do
      cases[#cases + 1] = case
      case.number = #cases
    end
  end
  return cases
end

describe("inside nginx, a valid answer that is cut off", function()
  setup(function()
    server = hostile.start { cases = plan(), http = "resolver 127.0.0.1:{names} ipv6=off;" }
  end)
  teardown(function() server:stop() end)

  -- Of the whole answer: it is always the same.
  local function length_of(form)
    server:forget()
    server:ask { { case = form.number, query = "?cut=99999" } }
    return server:log()[1].length
  end

  local function offsets(length, every)
    local list = {}
    for offset = 0, length - 1 do
      if offset % every == 0 or offset >= length - 5 then list[#list + 1] = offset end
    end
    return list
  end

  -- Where there is no other mark of its end, a body cut off is whole to HTTP: its signature tells.
  local function expected(form, outcome)
    if outcome.kind == "transport" then return outcome.code == "reset" end
    return form == FORMS[3] and (outcome.kind == "signature" or outcome.kind == "protocol")
  end

  for _, form in ipairs(FORMS) do
    for _, way in ipairs(WAYS) do
      it(("%s, %s"):format(form.name, way.title), function()
        local length = length_of(form)
        local url = server:url_of(way.scheme)
        local list, wrong = {}, {}
        for _, offset in ipairs(offsets(length, way.every)) do
          list[#list + 1] = { case = form.number, url = url, offset = offset, config = TIMEOUT,
            query = ("?cut=%d%s"):format(offset, way.query or "") }
        end
        server:forget()
        for i, outcome in ipairs(server:ask(list, THREADS)) do
          if outcome.ok or outcome.thrown or not expected(form, outcome) then
            wrong[#wrong + 1] = ("behind %d bytes of %d: %s"):format(list[i].offset, length, hostile.word(outcome))
          end
        end
        assert.equal("", table.concat(wrong, "\n"))
        assert.equal(#list, #server:log())
        assert.is_true(#list >= 20)
      end)
    end

    it(form.name .. " is a success when nothing is", function()
      for _, scheme in ipairs { "http", "https" } do
        local url = server:url_of(scheme)
        local outcomes = server:ask {
          { case = form.number, query = "?cut=" .. length_of(form), url = url, config = TIMEOUT },
          { case = form.number, query = "?cut=" .. length_of(form) - 1, url = url, config = TIMEOUT },
        }
        assert.equal("success", hostile.word(outcomes[1]))
        assert.not_equal("success", hostile.word(outcomes[2]))
      end
    end)
  end

  it("and everything else that is hostile leaves no memory behind in the worker", function()
    local list = {}
    for i = 1, BATCH do
      list[i] = { case = MISCHIEF[i % #MISCHIEF + 1].number,
        config = { max_response_bytes = 65536, timeout_ms = 20000 } }
    end
    local function mischief()
      for i, outcome in ipairs(server:ask(list, THREADS)) do
        assert(not outcome.ok and not outcome.thrown, ("case %d: %s"):format(list[i].case, hostile.word(outcome)))
        assert(outcome.code ~= "timeout", ("case %d: timeout"):format(list[i].case))
      end
    end
    for _ = 1, WARM_UP do mischief() end
    local before = tonumber((server:get("/memory")))
    for _ = 1, MANY do mischief() end
    local grown = tonumber((server:get("/memory"))) - before
    assert.is_true(grown < ALLOWED, ("it grew by %d bytes"):format(grown))
  end)

  it("makes nginx log no alert and no error of Lua", function() assert.is_nil(server:complaint()) end)
end)
