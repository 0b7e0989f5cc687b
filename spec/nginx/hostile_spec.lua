-- Answers that break HTTP, or would be read in one way by us and in another by somebody between, in a real nginx:
-- each is an error of the documented kind, at once, and its connection serves nobody else.

local hostile = require "spec.support.servers.hostile"

local BODY_SIZE = #('{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"},'
  .. '"connection":"000001","nth":"000001"}')
local SIGNED_LENGTH = "{signed}Content-Length: {length}\r\n\r\n{body}"
local SIGNED_CHUNKS = "{signed}Transfer-Encoding: chunked\r\n\r\n{chunks}"
-- Whatever comes, its connection is closed behind it: the next case begins anew.
local GOOD = { answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n" .. SIGNED_LENGTH }
local ENOUGH_MS = 5000

-- { title, code or kind expected or a list of such, case }, the case's number added below.
local cases, plan = {}, { GOOD }

local function add(title, expected, case, config)
  plan[#plan + 1] = case
  cases[#cases + 1] = { title = title, expected = expected, number = #plan, config = config }
end

local function status_line(line, expected)
  add(("the status line %q"):format(line), expected or "protocol", { answer = line .. "\r\n" .. SIGNED_LENGTH })
end

-- Of an answer that is in order but for these lines.
local function head(title, lines, expected)
  add(title, expected or "protocol", { answer = "HTTP/1.1 200 OK\r\n" .. lines .. SIGNED_LENGTH })
end

local function length(title, line, expected, rest)
  add("the length " .. title, expected or "protocol",
    { answer = "HTTP/1.1 200 OK\r\n{signed}" .. line .. "\r\n\r\n{body}", ["then"] = rest })
end

local function coding(title, lines, expected)
  add("the coding " .. title, expected or "protocol",
    { answer = "HTTP/1.1 200 OK\r\n" .. lines .. "\r\n{signed}\r\n{chunks}" })
end

local function chunks(title, text, expected, rest)
  add("chunks: " .. title, expected or "protocol",
    { answer = "HTTP/1.1 200 OK\r\n{signed}Transfer-Encoding: chunked\r\n\r\n" .. text, ["then"] = rest })
end

local function answer(title, expected, case, config) add(title, expected, case, config) end

for _, line in ipairs {
  "HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 200 OK", "HTTP/1.1 200 a b c",
} do status_line(line, "success") end

for _, line in ipairs {
  "HTTP/2.0 200 OK", "HTTP/2 200", "HTTP/0.9 200 OK", "HTTP/11 200 OK", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20 OK",
  "HTTP/1.1 2000 OK", "HTTP/1.1 200OK", "HTTP/1.1  200 OK", "HTTP/1.1  100",
  "HTTP/1.1 -20 OK", "HTTP/1.1 +200 OK", "HTTP/1.1 2x0 OK",
  "HTTP/1.1 000 OK", "HTTP/1.1 099 OK", "http/1.1 200 OK", "HTTP /1.1 200 OK", "HTTP/1.1\t200 OK", " HTTP/1.1 200 OK",
  "ICY 200 OK", "200 OK", "SSH-2.0-Server", "<html>", "", "HTTP/1.1 200 OK\0", "\0", "HTTP/1.1 200 O\rK",
  "HTTP/1.1 200 O\1K", "ÿþ",
} do status_line(line) end

head("a value between blanks", "X-Padded: \t value \t \r\n", "success")
head("an empty value", "X-Empty:\r\n", "success")
head("a name of every character that one may have", "!#$%&'*+-.^_`|~09azAZ: x\r\n", "success")
head("a folded header", "X-Folded: one\r\n two\r\n")
head("a header folded by a tab", "X-Folded: one\r\n\ttwo\r\n")
head("a header folded to nothing", "X-Folded: one\r\n \r\n")
head("a fold before any header", " X-Folded: one\r\n")
head("a line ended by LF", "X-One: 1\nX-Two: 2\r\n")
head("a line ended by CR", "X-One: 1\rX-Two: 2\r\n")
head("a line ended by CR CR LF", "X-One: 1\r\r\n")
head("a NUL in a value", "X-Nul: a\0b\r\n")
head("a NUL in a name", "X-\0Nul: a\r\n")
head("a name with a space", "X Space: 1\r\n")
head("a space between name and colon", "X-Space : 1\r\n")
head("a tab between name and colon", "X-Space\t: 1\r\n")
head("a name in brackets", "X(Y): 1\r\n")
head("a name that is no ASCII", "Ä: 1\r\n")
head("a line without colon", "garbage\r\n")
head("a line without name", ": 1\r\n")
head("a line of blanks", "   \r\n")
for _, mark in ipairs { "\r", "\n" } do
  add(("a last header with %q in it"):format(mark), "protocol",
    { answer = "HTTP/1.1 200 OK\r\n{signed}Content-Length: {length}\r\nX-Last: a" .. mark .. "b\r\n\r\n{body}" })
end
add("a status line ended by LF", "protocol", { answer = "HTTP/1.1 200 OK\n" .. SIGNED_LENGTH })
add("a head ended by LF LF", { "protocol", "timeout" },
  { answer = "HTTP/1.1 200 OK\nContent-Length: {length}\n\n{body}" })
add("a head ended by CR LF LF", { "protocol", "timeout" },
  { answer = "HTTP/1.1 200 OK\r\n{signed}Content-Length: {length}\r\n\n{body}" })

length("between blanks", "Content-Length:  {length} ", "success")
length("twice", "Content-Length: {length}\r\nContent-Length: {length}")
length("twice, two of them", "Content-Length: {length}\r\nContent-Length: 1")
length("twice, the second in another spelling", "Content-Length: 1\r\ncontent-length: {length}")
length("twice in one line", "Content-Length: {length}, {length}")
length("of zero, too", "Content-Length: 0\r\nContent-Length: {length}")
for _, value in ipairs {
  "+{length}", "-{length}", "-1", "0x{hex}", "{length}.0", "1e3", "", "{length} {length}", "{length};", "{length},",
  ",{length}", "many", "{length}x", "'{length}'",
} do length(("%q"):format(value), "Content-Length: " .. value) end
for _, value in ipairs {
  "99999999999999999999", "18446744073709551616", "18446744073709551700", "9223372036854775808", "4294967296",
  "9007199254740993", ("9"):rep(400),
} do length(value:sub(1, 30), "Content-Length: " .. value, { "protocol", "too_large" }) end
length("less than the body", "Content-Length: 20", "kind signature")
length("of nothing", "Content-Length: 0", "kind signature")
length("more than the body", "Content-Length: 999", "reset", "end")
length("more than the body of a connection that is reset", "Content-Length: 999", "reset", "reset")

coding("chunked", "Transfer-Encoding: chunked", "success")
coding("CHUNKED", "transfer-encoding: CHUNKED", "success")
add("the coding chunked in HTTP/1.0", "protocol", { answer = "HTTP/1.0 200 OK\r\n" .. SIGNED_CHUNKS })
coding("beside a length", "Transfer-Encoding: chunked\r\nContent-Length: {length}")
coding("behind a length", "Content-Length: {length}\r\nTransfer-Encoding: chunked")
coding("beside a length of zero", "Transfer-Encoding: chunked\r\nContent-Length: 0")
coding("twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")
coding("twice, in another spelling", "Transfer-Encoding: chunked\r\ntransfer-encoding: identity")
for _, value in ipairs {
  "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "identity, chunked", "xchunked", "chunkedx",
  "chunked;q=1", "chunked,", ",chunked", "", "\"chunked\"", "\11chunked", "chunked\11", "chun ked",
} do coding(("%q"):format(value), "Transfer-Encoding: " .. value) end

chunks("an extension", "{hex};name=value\r\n{body}\r\n0\r\n\r\n", "success")
chunks("an extension beyond measure", "{hex};" .. ("x"):rep(1000) .. "\r\n{body}\r\n0\r\n\r\n", "too_large")
chunks("a trailer", "{hex}\r\n{body}\r\n0\r\nX-Trailer: 1\r\n\r\n", "success")
chunks("of one byte each", ("1\r\nx\r\n"):rep(50) .. "0\r\n\r\n", "kind signature")
-- What a 32 or 64 bit number would hold of these is the right size.
chunks("2^32 and the size", "1000000{hex}\r\n{body}\r\n0\r\n\r\n", { "protocol", "too_large" })
chunks("2^64 and the size", "100000000000000{hex}\r\n{body}\r\n0\r\n\r\n", { "protocol", "too_large" })
-- Who reads eight digits takes it for nothing.
chunks("a size of nine digits", "0000000{hex}\r\n{body}\r\n0\r\n\r\n")
for _, size in ipairs {
  "FFFFFFFFFFFFFFFF", "8000000000000000", "7FFFFFFFFFFFFFFF", "FFFFFFFF", "80000000", "7FFFFFFF",
  ("F"):rep(200), ("0"):rep(5000) .. "5",
} do chunks("a size of " .. size:sub(1, 20), size .. "\r\n{body}\r\n0\r\n\r\n", { "protocol", "too_large" }) end
for _, size in ipairs {
  "+{hex}", "-{hex}", "-1", "0x{hex}", " {hex}", "{hex} {hex}", "", "g", "{hex}g", "{hex}.0", "many", ";", ";x",
  "\0{hex}", "{hex}\0", "{hex}\r", "{hex}\n{hex}", "{hex}\nx", "{hex};x\ny",
  "{hex};x\ry",
} do chunks(("a size of %q"):format(size), size .. "\r\n{body}\r\n0\r\n\r\n") end
chunks("a size ended by LF", "{hex}\n{body}\r\n0\r\n\r\n", { "protocol", "too_large", "timeout" })
chunks("longer than it says", "{hex}\r\n{body}x\r\n0\r\n\r\n")
chunks("longer than it says, by a line", "{hex}\r\n{body}\r\n\r\n0\r\n\r\n")
chunks("shorter than it says", "ff\r\n{body}\r\n0\r\n\r\n", "reset", "end")
chunks("without CR LF behind", "{hex}\r\n{body}0\r\n\r\n")
chunks("with something else than CR LF behind", "{hex}\r\n{body}xx0\r\n\r\n")
chunks("with CR and something else behind", "{hex}\r\n{body}\rx0\r\n\r\n")
chunks("with LF behind", "{hex}\r\n{body}\n0\r\n\r\n")
chunks("no last one", "{hex}\r\n{body}\r\n", "reset", "end")
chunks("no end behind the last one", "{hex}\r\n{body}\r\n0\r\n", "reset", "end")
chunks("half an end behind the last one", "{hex}\r\n{body}\r\n0\r\n\r", "reset", "end")
chunks("trailers beyond number", "{hex}\r\n{body}\r\n0\r\n" .. ("X: y\r\n"):rep(2000), "too_large")
chunks("a trailer beyond measure", "{hex}\r\n{body}\r\n0\r\nX: " .. ("y"):rep(100000), "too_large")
chunks("a trailer without a colon", "{hex}\r\n{body}\r\n0\r\nno colon\r\n\r\n")
chunks("a trailer ended by LF", "{hex}\r\n{body}\r\n0\r\nX: y\nZ: w\r\n\r\n")
chunks("a signature in the trailers", "2\r\n{}\r\n0\r\n{signed}\r\n", "kind signature")

answer("a body that ends with its connection", "success",
  { answer = "HTTP/1.1 200 OK\r\n{signed}\r\n{body}", ["then"] = "end" })
answer("a body that ends with its connection's reset", "reset",
  { answer = "HTTP/1.1 200 OK\r\n{signed}\r\n{body}", ["then"] = "reset" })
answer("nothing at all", "reset", { answer = "", ["then"] = "end" })
answer("a reset at once", "reset", { answer = "", ["then"] = "reset" })
answer("no headers and no body", "kind protocol", { answer = "HTTP/1.1 200 OK\r\n\r\n", ["then"] = "end" })
answer("an unsigned success", "kind signature",
  { answer = "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}" })
answer("a signature that comes twice", "kind signature", { answer = "HTTP/1.1 200 OK\r\n{signed}" .. SIGNED_LENGTH })
answer("204", "kind http", { answer = "HTTP/1.1 204 No Content\r\n{signed}\r\n" })
answer("204 with a body", "kind http", { answer = "HTTP/1.1 204 No Content\r\n" .. SIGNED_LENGTH })
answer("304 with a length", "kind http",
  { answer = "HTTP/1.1 304 Not Modified\r\n{signed}Content-Length: {length}\r\n\r\n" })
answer("a signed success of 500", "kind http", { answer = "HTTP/1.1 500 Oops\r\n" .. SIGNED_LENGTH })
answer("a signed success of 302", "kind http", { answer = "HTTP/1.1 302 Found\r\nLocation: /\r\n" .. SIGNED_LENGTH })
answer("a status of 999", "kind http", { answer = "HTTP/1.1 999 What\r\n" .. SIGNED_LENGTH })

local INTERIM = "HTTP/1.1 100 Continue\r\n\r\n"
answer("an interim answer", "success", { answer = INTERIM .. "HTTP/1.1 200 OK\r\n" .. SIGNED_LENGTH })
answer("fifty interim answers", "success", { answer = INTERIM:rep(50) .. "HTTP/1.1 200 OK\r\n" .. SIGNED_CHUNKS })
answer("interim answers without end", "protocol", { answer = "", flood = INTERIM })
answer("interim answers with headers of their own", "success", { answer =
  "HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
  .. "HTTP/1.1 200 OK\r\n" .. SIGNED_LENGTH })
answer("a signature in an interim answer", "kind signature", { answer =
  "HTTP/1.1 103 Early Hints\r\n{signed}\r\nHTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}" })
answer("an interim answer with a body", "protocol", { answer =
  "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello" .. "HTTP/1.1 200 OK\r\n" .. SIGNED_LENGTH })
answer("an interim answer that changes the protocol", "protocol", { answer =
  "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n" .. SIGNED_LENGTH })
answer("an interim answer and no other", "reset", { answer = INTERIM, ["then"] = "end" })
answer("an interim answer of another protocol", "protocol", { answer = "HTTP/2.0 100 Continue\r\n\r\n" })

local function with_headers(count)
  return { answer = "HTTP/1.1 200 OK\r\n" .. ("X-N: 1\r\n"):rep(count - 3) .. SIGNED_LENGTH }
end
answer("100 headers", "success", with_headers(100))
answer("101 headers", "too_large", with_headers(101))
answer("5000 headers", "too_large", with_headers(5000))
local function with_header(size)
  return { answer = "HTTP/1.1 200 OK\r\nX: " .. ("x"):rep(size) .. "\r\n" .. SIGNED_LENGTH }
end
answer("a header of 60 KB", "success", with_header(60000))
answer("a header of 70 KB", "too_large", with_header(70000))
answer("a header line without end", "too_large", { answer = "HTTP/1.1 200 OK\r\nX: ", flood = "x" })
answer("header lines without end", "too_large", { answer = "HTTP/1.1 200 OK\r\n", flood = "X-Line: 1\r\n" })
answer("a status line without end", { "too_large", "protocol" }, { answer = "HTTP/1.1 200 ", flood = "x" })
answer("a chunk size without end", { "too_large", "protocol" },
  { answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", flood = "0" })
answer("trailers without end", "too_large",
  { answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", flood = "X: y\r\n" })
answer("noise without end", { "too_large", "protocol" }, { answer = "", flood = "\0ÿ" })

local JUST, LESS = { max_response_bytes = BODY_SIZE }, { max_response_bytes = BODY_SIZE - 1 }
local FORMS = {
  ["by length"] = { answer = "HTTP/1.1 200 OK\r\n" .. SIGNED_LENGTH },
  ["in chunks"] = { answer = "HTTP/1.1 200 OK\r\n" .. SIGNED_CHUNKS },
  ["to the end of its connection"] = { answer = "HTTP/1.1 200 OK\r\n{signed}\r\n{body}", ["then"] = "end" },
}
for _, form in ipairs { "by length", "in chunks", "to the end of its connection" } do
  answer("a body of max_response_bytes " .. form, "success", FORMS[form], JUST)
  answer("a body over max_response_bytes " .. form, "too_large", FORMS[form], LESS)
end
answer("a body that is only said to be too large", "too_large",
  { answer = "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" })
answer("a chunk that is only said to be too large", "too_large",
  { answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" })
answer("a body without end", "too_large", { answer = "HTTP/1.1 200 OK\r\n\r\n", flood = ("x"):rep(1000) })
answer("chunks without end", "too_large", { answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  flood = "1000\r\n" .. ("x"):rep(4096) .. "\r\n" })

local server, outcomes

describe("inside nginx, an answer with", function()
  setup(function()
    server = hostile.start { cases = plan }
    local list = {}
    for _, case in ipairs(cases) do
      list[#list + 1] = { case = case.number, config = case.config }
      list[#list + 1] = { case = 1 }
    end
    outcomes = server:ask(list)
  end)
  teardown(function() server:stop() end)

  local function label(outcome)
    local word = hostile.word(outcome)
    return word:match("^transport/(.*)") or outcome.kind and "kind " .. outcome.kind or word
  end

  for i, case in ipairs(cases) do
    local expected = type(case.expected) == "table" and case.expected or { case.expected }
    it(("%s: %s"):format(case.title, table.concat(expected, " or ")), function()
      local outcome, next_one = outcomes[2 * i - 1], outcomes[2 * i]
      local found = false
      for _, one in ipairs(expected) do found = found or label(outcome) == one end
      assert.is_true(found, label(outcome) .. ": " .. tostring(outcome.message))
      assert.is_true(outcome.ms < ENOUGH_MS, ("it took %d ms"):format(outcome.ms))
      if not outcome.ok then
        assert.is_true(outcome.kind == "transport" or outcome.kind == "signature" or outcome.code == nil)
        if outcome.kind == "transport" then
          assert.equal(outcome.code == "reset" or outcome.code == "timeout", outcome.retryable)
        end
        assert.is_true(#outcome.message > 8 and not outcome.message:find("table: ", 1, true), outcome.message)
      end
      -- On a connection of its own, but for what leaves one behind in good order.
      assert.equal("success", label(next_one))
      if not outcome.ok and outcome.kind == "transport" then assert.equal("000001", next_one.body.nth) end
    end)
  end

  it("anything of that: has its times, as over curl", function()
    for i, case in ipairs(cases) do
      local timing = outcomes[2 * i - 1].timing
      assert.equal("table", type(timing), case.title)
      assert.is_true(timing.total_ms >= 0 and timing.total_ms < ENOUGH_MS, case.title)
    end
  end)

  it("anything of that: nothing was sent twice", function()
    local count = server:counts()
    for _, case in ipairs(cases) do assert.equal(1, count[case.number], case.title) end
  end)

  it("anything of that: nginx logs no alert and no error of Lua", function()
    assert.is_nil(server:complaint())
  end)
end)
