local captured = require "alipayhk.cli.captured"
local core = require "alipayhk.core"

local BODY = '{"a":"x\r\ny"}\n'

local REQUEST = "POST /gw/api?x=1 HTTP/1.1\r\nHost: h.example\r\nCLIENT-ID: C1\r\nRequest-Time:  T1 \r\n\r\n" .. BODY
local ANSWER = "HTTP/1.1 200 OK\r\nSignature: s\r\n\r\n" .. BODY

local function one(given)
  local exchanges, message = captured.read(given)
  assert.is_nil(message)
  assert.equal(1, #exchanges)
  return exchanges[1].request, exchanges[1].answer
end

local function with_headers(headers, body)
  return ("POST /p HTTP/1.1\r\n%s\r\n\r\n%s"):format(headers, body)
end

describe("a captured raw message", function()
  it("is a request", function()
    local request, answer = one(REQUEST)
    assert.is_nil(answer)
    assert.same({ "POST", "/gw/api?x=1", "h.example", BODY },
      { request.method, request.path, request.host, request.body })
    assert.same({ host = "h.example", ["client-id"] = "C1", ["request-time"] = "T1" }, request.headers)
  end)

  it("is an answer, whatever its version and case", function()
    for _, line in ipairs { "HTTP/1.1 200 OK", "HTTP/1.0 200", "HTTP/2 200 ", "HTTP/2 200" } do
      local request, answer = one((ANSWER:gsub("^[^\r]+", line)))
      assert.is_nil(request)
      assert.same({ 200, "s", BODY }, { answer.status, answer.headers.signature, answer.body })
    end
  end)

  it("has lines that end in LF, blank lines or a mark before it", function()
    for _, before in ipairs { "", "\n\r\n", "\239\187\191" } do
      local request = one(before .. "POST /p HTTP/1.1\nA: b\n\n" .. BODY)
      assert.same({ "/p", "b", BODY }, { request.path, request.headers.a, request.body })
    end
  end)

  it("gives its target as a whole address", function()
    local request = one(REQUEST:gsub("/gw/api%?x=1", "https://user@other.example:8443%0#f"):gsub("Host: .-\r\n", ""))
    assert.same({ "/gw/api?x=1", "other.example:8443" }, { request.path, request.host })
    assert.equal("/", (one("POST http://h HTTP/1.1\n\n").path))
    assert.equal("/", (one(":method: POST\n:path:\n\n").path))
  end)

  it("may have lines in its body that curl would print", function()
    local body = "\n> GET /other HTTP/1.1\n< HTTP/1.1 500\n* Closing connection\n"
    local request = one(with_headers("A: b", body))
    assert.same({ "/p", body }, { request.path, request.body })
    local _, answer = one("HTTP/1.1 200 OK\r\n\r\n" .. body)
    assert.same({ 200, body }, { answer.status, answer.body })
    assert.equal(body, one(":method: POST\n:path: /p\n\n" .. body).body)
  end)

  it("has the pseudo-headers of HTTP/2", function()
    local request = one(":authority: h.example\n:Method: POST\n:path: /p?q\nclient-id: C1\n\n" .. BODY)
    assert.same({ "POST", "/p?q", "h.example", "C1", BODY },
      { request.method, request.path, request.host, request.headers["client-id"], request.body })
    local _, answer = one(":status: 200\nsignature: s\n\n" .. BODY)
    assert.same({ 200, BODY }, { answer.status, answer.body })
  end)

  it("has a header twice, and one that goes on over lines", function()
    local request = one(with_headers("Signature: a\r\nSIGNATURE: b\r\nLong: c\r\n  d\r\n\te", ""))
    assert.same({ "a", "b" }, request.headers.signature)
    assert.equal("c d e", request.headers.long)
  end)

  it("has as much of a body as Content-Length says", function()
    local request = one(with_headers("Content-Length: 4", "abcd\n"))
    assert.same({ "abcd", {} }, { request.body, request.notes })
    request = one(with_headers("Content-Length: 40", "abcd"))
    assert.same({ "abcd", { "the capture is cut, or was changed: Content-Length says 40 bytes, 4 are there" } },
      { request.body, request.notes })
  end)

  it("has a body in chunks", function()
    local chunks = "4\r\nab\r\n\r\n3;x=y\r\ncde\r\n0\r\nTrailer: t\r\n\r\n"
    assert.equal("ab\r\ncde", one(with_headers("Transfer-Encoding: Chunked", chunks)).body)
    local request = one(with_headers("Transfer-Encoding: chunked", '{"a":1}'))
    assert.equal('{"a":1}', request.body)
    assert.matches("and does not", request.notes[1], 1, true)
  end)

  it("has no body where it has no end of its head", function()
    assert.is_nil(one("POST /p HTTP/1.1\nA: b\n").body)
    assert.equal("", one("POST /p HTTP/1.1\nA: b\n\n").body)
  end)

  it("is followed by its answer, and by further exchanges", function()
    local exchanges = captured.read((REQUEST .. "\r\n" .. ANSWER):rep(1))
    assert.equal(1, #exchanges)
    assert.equal(BODY .. "\r\n", exchanges[1].request.body)
    assert.equal(BODY, exchanges[1].answer.body)
    local counted = with_headers("Content-Length: 2", "{}")
    exchanges = captured.read((counted .. "HTTP/1.1 100 Continue\r\n\r\n"
      .. "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx\r\n"):rep(3))
    assert.equal(3, #exchanges)
    assert.same({ "{}", 200, "x" }, { exchanges[3].request.body, exchanges[3].answer.status, exchanges[3].answer.body })
  end)
end)

local LOG = [[
* Trying 127.0.0.1:8443...
* Connected to h.example
> POST /gw/api?x=1 HTTP/1.1\r
> Host: h.example\r
> Client-Id: C1\r
> Content-Length: 7\r
> \r
} [7 bytes data]
* upload completely sent off: 7 bytes
< HTTP/1.1 100 Continue\r
< \r
< HTTP/1.1 200 OK\r
* a word between
< Signature: s\r
< \r
{ [5 bytes data]
]]
LOG = LOG:gsub("\\r", "\r")

-- Its answer with a Content-Length.
local function with_length(length)
  return (LOG:gsub("< Signature", ("< Content-Length: %s\r\n%%0"):format(length)))
end

describe("what curl -v printed", function()
  it("has the request's head and not its body, and the answer", function()
    local request, answer = one(LOG .. '{"r":1}* Connection #0 to host h.example left intact\n')
    assert.same({ "POST", "/gw/api?x=1", "C1" }, { request.method, request.path, request.headers["client-id"] })
    assert.is_nil(request.body)
    assert.same({ 200, "s", '{"r":1}' }, { answer.status, answer.headers.signature, answer.body })
  end)

  it("may have passed on the body with line breaks, and curl's progress", function()
    local progress = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
      .. "                                 Dload  Upload   Total   Spent    Left  Speed\n"
      .. "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\n"
    local _, answer = one(progress .. LOG .. "{\n  > x\n" .. progress .. '"r":1}\n* Closing connection 0\n')
    assert.equal('{\n  > x\n"r":1}\n', answer.body)
  end)

  it("may have no body of the answer, where only standard error was kept", function()
    local _, answer = one(with_length(5) .. "* Connection #0 to host h left intact\n")
    assert.is_nil(answer.body)
  end)

  it("has as much of the answer as Content-Length says", function()
    local _, answer = one(with_length(4) .. "{}\r\n* Connection #0 to host h left\n")
    assert.equal("{}\r\n", answer.body)
    _, answer = one(with_length(50) .. "{}\r\n* Connection #0 to host h left\n")
    assert.same({ "the log has 4 bytes of the body, Content-Length says 50" }, answer.notes)
  end)

  it("has all that there is of the body where Content-Length is no length of anything", function()
    for _, digits in ipairs { "99999999999", ("7"):rep(100), "-1", "0x1" } do
      local _, answer = one(with_length(digits) .. "{}\r\n* Connection #0 to host h left\n")
      assert.same({ "{}\r\n", {} }, { answer.body, answer.notes })
      local request = one(with_headers("Content-Length: " .. digits, "abcd"))
      assert.same({ "abcd", {} }, { request.body, request.notes })
    end
  end)

  it("may be of HTTP/2, and of several transfers", function()
    local second = LOG:gsub("HTTP/1.1", "HTTP/2")
    local exchanges = captured.read(LOG .. "one\n" .. second .. "two\n")
    assert.equal(2, #exchanges)
    assert.same({ "one\n", "two\n" }, { exchanges[1].answer.body, exchanges[2].answer.body })
  end)
end)

describe("HAR", function()
  local ENTRY = '{"request":{"method":"POST","url":"https://h.example/gw/api?x=1","headers":[{"name":"Client-Id",'
    .. '"value":"C1"},{"name":":path","value":"/gw/api?x=1"}],"postData":{"text":"{\\"a\\":1}"}},'
    .. '"response":{"status":200,"headers":[{"name":"Signature","value":"s"}],'
    .. '"content":{"text":"e30K","encoding":"base64"}}}'

  it("has messages, alone, in a list and in a log", function()
    for _, text in ipairs { ENTRY, "[" .. ENTRY .. "]", '{"entries":[' .. ENTRY .. "]}",
      '\239\187\191 {"log":{"entries":[' .. ENTRY .. "]}}" } do
      local request, answer = one(text)
      assert.same({ "POST", "/gw/api?x=1", "h.example", "C1", '{"a":1}' },
        { request.method, request.path, request.host, request.headers["client-id"], request.body })
      assert.same({ 200, "s", "{}\n" }, { answer.status, answer.headers.signature, answer.body })
    end
  end)

  it("may lack bodies and answers", function()
    local request, answer = one('{"request":{"url":"https://h/p"},"response":{"status":0}}')
    assert.same({ "POST", "/p" }, { request.method, request.path })
    assert.is_nil(request.body)
    assert.is_nil(answer)
  end)

  it("says where its text is not what was sent", function()
    local request = one('{"request":{"url":"https://h/p","bodySize":9,"postData":{"text":"{}"}}}')
    assert.matches("9 bytes were sent, and HAR's text has 2", request.notes[1], 1, true)
  end)
end)

describe("what is no capture", function()
  for _, case in ipairs {
    { "", "it is empty" },
    { " \r\n\n", "it is empty" },
    { "hello\n\nworld", "expected a raw HTTP message, what curl -v prints, or HAR; its first line is none of these" },
    { "POST /p\n\n", "expected a raw HTTP message" },
    { "\127ELF\0\0", "expected a raw HTTP message" },
    { '{"a":1}', "this JSON has no entry with a `request` or a `response`" },
    { "[null,1,[],{}]", "this JSON has no entry" },
    { '{"log":{"entries":[{"request":"x","response":7}]}}', "this JSON has no entry" },
    { '{"log":', "not HAR: not JSON: " },
  } do
    it("is refused: " .. ("%q"):format(case[1]), function()
      local exchanges, message = captured.read(case[1])
      assert.is_nil(exchanges)
      assert.matches(case[2], message, 1, true)
    end)
  end

  it("is refused where it is too large", function()
    local _, message = captured.read(("x"):rep(captured.TEXT_MAX + 1))
    assert.matches("longer than 67108864 bytes", message, 1, true)
    _, message = captured.read("POST /p HTTP/1.1\n\n" .. ("x"):rep(33554433))
    assert.matches("a body of 33554433 bytes: at most 33554432 are taken", message, 1, true)
    _, message = captured.read("POST /p HTTP/1.1\n" .. ("a: b\n"):rep(1001) .. "\n")
    assert.matches("more than 1000 headers", message, 1, true)
  end)
end)

describe("a capture that is made to take long", function()
  local MANY, MANY_LINES = 4000000, 200000

  for name, text in pairs {
    ["blanks within a header"] = "POST /p HTTP/1.1\na: b" .. (" "):rep(MANY) .. "c\n\n",
    ["blanks at the begin of a line"] = "POST /p HTTP/1.1\na: b\n" .. (" "):rep(MANY) .. "c\n\n",
    ["a user without end"] = "POST https://" .. ("a"):rep(MANY) .. "@ HTTP/1.1\n\n",
    ["many a line that goes on"] = "POST /p HTTP/1.1\na: b\n" .. (" c\n"):rep(MANY_LINES) .. "\n",
    ["many requests"] = ("POST /p HTTP/1.1\n\n"):rep(MANY_LINES),
    ["many exchanges"] = ("POST /p HTTP/1.1\n\nHTTP/1.1 200\nContent-Length: 0\n\n"):rep(100000),
    ["many chunks"] = "POST /p HTTP/1.1\nTransfer-Encoding: chunked\n\n" .. ("1\na\n"):rep(MANY_LINES),
    ["much that curl says"] = "> POST /p HTTP/1.1\n> \n< HTTP/1.1 200\n< \n"
      .. ("x* Connection #0 to host \n"):rep(MANY_LINES),
  } do
    it("does not: " .. name, function()
      local before = os.clock()
      captured.read(text)
      assert.is_true(os.clock() - before < 10)
    end)
  end
end)

describe("whatever is done to a capture", function()
  -- Cut, with bytes changed, doubled and left out.
  local function damage(text)
    for _ = 1, 1 + core.random_bytes(1):byte() % 4 do
      local a, b, c = core.random_bytes(3):byte(1, 3)
      local at = 1 + (a * 256 + b) % #text
      local kinds = { string.char(c), "", "\n", "\r\n", text:sub(at, at + c), ":", "\n> ", "0\r\n" }
      text = text:sub(1, at - 1) .. kinds[1 + c % #kinds] .. text:sub(at + 1 + (c % 5))
    end
    return text
  end

  it("it is read, or a message says why not", function()
    local seeds = {
      REQUEST .. ANSWER, LOG .. '{"r":1}* Connection #0 to host h left intact\n',
      with_headers("Transfer-Encoding: chunked", "4\r\nabcd\r\n0\r\n\r\n"), ":method: POST\n:path: /p\n\n{}",
      '{"log":{"entries":[{"request":{"url":"https://h/p","headers":[{"name":"a","value":"b"}],'
        .. '"postData":{"text":"{}"}},"response":{"status":200,"content":{"text":"e30K","encoding":"base64"}}}]}}',
    }
    for i = 1, 5000 do
      local text = damage(seeds[1 + i % #seeds])
      local ran, exchanges, message = pcall(captured.read, text)
      assert.is_true(ran, ("%q: %s"):format(text, tostring(exchanges)))
      if exchanges then
        assert.is_true(#exchanges > 0)
      else
        assert.is_string(message)
      end
    end
  end)
end)
