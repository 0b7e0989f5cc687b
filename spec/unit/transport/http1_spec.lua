-- HTTP/1.1 as the cosocket transport writes and reads it, without a socket. What a server does with it in a real nginx
-- is spec/nginx/hostile_spec.lua's.

local http1 = require "alipayhk.transport.http1"
local new_stream = require "alipayhk.transport.stream"
local scripted_socket = require "spec.support.doubles.scripted_socket"

local OK = "HTTP/1.1 200 OK\r\n"
local LENGTH = "Content-Length: 5\r\n\r\nhello"
local CHUNKS = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

local function read(text, size, max)
  local pieces = {}
  size = size or #text
  for at = 1, #text, size do pieces[#pieces + 1] = text:sub(at, at + size - 1) end
  return http1.read_answer(new_stream(scripted_socket(pieces, "closed"), 60000), max or 100)
end

local function code_of(...)
  local ran, fault = pcall(...)
  assert.is_false(ran, "it was read")
  assert.equal("table", type(fault), tostring(fault))
  assert.is_true(#fault.message > 8)
  return fault.code
end

local function refuses(code, text, max)
  assert.equal(code, code_of(read, text, nil, max), ("%q"):format(text))
end

describe("HTTP/1.1, an answer", function()
  local READ = {
    [OK .. LENGTH] = true,
    [OK .. CHUNKS] = true,
    [OK .. "\r\nhello"] = false,
    ["HTTP/1.1 200\r\n" .. LENGTH] = true,
    ["HTTP/1.1 200 \r\n" .. LENGTH] = true,
    ["HTTP/1.0 200 OK\r\n" .. LENGTH] = false,
    [OK .. "Connection: Close\r\n" .. LENGTH] = false,
    [OK .. "Connection: keep-alive\r\n" .. LENGTH] = true,
    [OK .. "transfer-encoding:CHUNKED \r\n\r\n2;a=\"b\tc\"\r\nhe\r\n3 \r\nllo\r\n000\r\nX: y\r\n\r\n"] = true,
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\n" .. OK .. LENGTH] = true,
  }

  it("is the same however its bytes come", function()
    for text, persistent in pairs(READ) do
      for size = 1, #text do
        local answer = read(text, size)
        assert.equal(200, answer.status)
        assert.equal("hello", answer.body, ("%q by %d"):format(text, size))
        assert.equal(persistent, answer.persistent, text)
      end
    end
  end)

  it("has its headers by lower-case name, without blanks around, those that come twice in one", function()
    local answer = read(OK .. "X-One:\t a b \t\r\nx-ONE: c\r\nX-Empty:\r\n" .. LENGTH)
    assert.same({ ["x-one"] = "a b, c", ["x-empty"] = "", ["content-length"] = "5" }, answer.headers)
  end)

  it("has those of its last head, not of an interim one", function()
    local answer = read("HTTP/1.1 103 Early\r\nX-One: 1\r\nSignature: x\r\n\r\n" .. OK .. LENGTH)
    assert.same({ ["content-length"] = "5" }, answer.headers)
  end)

  it("has no body where its status has none, and serves no further request where it says so all the same", function()
    for _, status in ipairs { "204", "304" } do
      local answer = read("HTTP/1.1 " .. status .. " x\r\n\r\n")
      assert.same({ "", true }, { answer.body, answer.persistent })
      answer = read("HTTP/1.1 " .. status .. " x\r\n" .. LENGTH)
      assert.same({ "", false }, { answer.body, answer.persistent })
    end
  end)

  it("leaves what is behind it", function()
    for _, text in ipairs { OK .. LENGTH, OK .. CHUNKS } do
      local stream = new_stream(scripted_socket { text .. OK .. LENGTH }, 60000)
      assert.equal("hello", http1.read_answer(stream, 5).body)
      assert.is_false(stream:is_drained())
    end
  end)

  it("is refused where its first line could be read in two ways", function()
    for _, line in ipairs {
      "HTTP/1.1  200 OK", "HTTP/1.1  100", "HTTP/1.1  100 Continue", "HTTP/1.1\t200 OK", "HTTP/1.1 100\t",
      " HTTP/1.1 200",
      "HTTP/1.1 200 O\rK", "HTTP/1.1 2000", "HTTP/1.1 20", "HTTP/1.1 020", "HTTP/1.10 200", "HTTP/2 200",
      "http/1.1 200",
      "HTTP/1.1 200\127", "HTTP/1.1 200 \1", "", "\r\nHTTP/1.1 200 OK",
    } do refuses("protocol", line .. "\r\n" .. LENGTH) end
  end)

  it("is refused where a header could be read in two ways", function()
    for _, line in ipairs {
      " X: y", "\tX: y", "X : y", "X\t: y", "X", ": y", "X: a\n b", "X: a\r b", "X: a\r\n b", "X: a\0b", "(X): y",
      "\195\132: y", "X: y\nContent-Length: 9",
    } do refuses("protocol", OK .. line .. "\r\n" .. LENGTH) end
  end)

  it("is refused where its length could be read in two ways", function()
    for _, value in ipairs { "+5", "-5", "5 5", "5, 5", "5,", "0x5", "5.0", "5e0", "", "5;", "99999999999" } do
      refuses("protocol", OK .. "Content-Length: " .. value .. "\r\n\r\nhello")
    end
    for _, lines in ipairs {
      "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: \11chunked",
    } do refuses("protocol", OK .. lines .. "\r\n\r\n5\r\nhello\r\n0\r\n\r\n") end
    refuses("protocol", "HTTP/1.0 200 OK\r\n" .. CHUNKS)
  end)

  it("is refused where a chunk could be read in two ways", function()
    local head = OK .. "Transfer-Encoding: chunked\r\n\r\n"
    for _, chunks in ipairs {
      "0x5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5\n\r\nhello\r\n0\r\n\r\n",
      "\r\nhello\r\n0\r\n\r\n", ";a\r\nhello\r\n0\r\n\r\n", "000000005\r\nhello\r\n0\r\n\r\n",
      "5;a\0\r\nhello\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n", "5\0\r\nhello\r\n0\r\n\r\n",
      "5\r\nhello!\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n",
      "5\r\nhello\r\n0\r\nX\r\n\r\n", "5\r\nhello\r\n0\r\n X: y\r\n\r\n", "5\r\nhello\r\n0\r\nX: y\nZ: w\r\n\r\n",
    } do refuses("protocol", head .. chunks) end
  end)

  it("is refused where it is too large, or never ends", function()
    refuses("too_large", OK .. LENGTH, 4)
    refuses("too_large", OK .. CHUNKS, 4)
    refuses("too_large", OK .. "\r\nhello", 4)
    refuses("too_large", OK .. ("X: y\r\n"):rep(101) .. LENGTH)
    refuses("too_large", OK .. "X: " .. ("y"):rep(70000) .. "\r\n" .. LENGTH)
    refuses("too_large", OK .. "Transfer-Encoding: chunked\r\n\r\n0\r\n" .. ("X: y\r\n"):rep(101) .. "\r\n")
    refuses("protocol", ("HTTP/1.1 100 Continue\r\n\r\n"):rep(100) .. OK .. LENGTH)
    refuses("protocol", "HTTP/1.1 101 Switching\r\n\r\n" .. OK .. LENGTH)
  end)

  it("is cut short wherever it is cut, and never taken for whole", function()
    for _, text in ipairs { OK .. LENGTH, OK .. CHUNKS } do
      for last = 0, #text - 1 do assert.equal("reset", code_of(read, text:sub(1, last), #text), text:sub(1, last)) end
    end
  end)
end)

describe("HTTP/1.1, a request", function()
  local function bytes(request)
    local url = http1.parse_url(request.url)
    return table.concat(http1.request_pieces(request, url)), url
  end

  it("goes out as one would write it", function()
    local text = bytes {
      method = "POST", url = "https://gateway.example:8443/a/b?c=d", headers = { ["Client-Id"] = "1" }, body = "hello",
    }
    assert.equal("POST /a/b?c=d HTTP/1.1\r\nHost: gateway.example:8443\r\nClient-Id: 1\r\n"
      .. "Content-Length: 5\r\n\r\nhello", text)
  end)

  it("goes to the host and port of its URL", function()
    for url, expected in pairs {
      ["http://one.example/"] = { "http", "one.example", 80, "/" },
      ["https://one.example/a"] = { "https", "one.example", 443, "/a" },
      ["https://10.0.0.5/x"] = { "https", "10.0.0.5", 443, "/x" },
      ["https://gw1/x"] = { "https", "gw1", 443, "/x" },
      ["https://proxy8443/"] = { "https", "proxy8443", 443, "/" },
      ["https://gw1:/"] = { "https", "gw1", 443, "/" },
      ["https://127.0.0.1:81/"] = { "https", "127.0.0.1", 81, "/" },
      ["http://[::1]:82/"] = { "http", "[::1]", 82, "/" },
      ["http://[::1]/"] = { "http", "[::1]", 80, "/" },
    } do
      local parsed = http1.parse_url(url)
      assert.same(expected, { parsed.scheme, parsed.host, parsed.port, parsed.target })
    end
    for _, url in ipairs { "ftp://one.example/", "https://one.example", "https:///a", "one.example/a" } do
      assert.equal("protocol", code_of(http1.parse_url, url))
    end
  end)

  it("has no header that brings another one along", function()
    for _, mark in ipairs { "\r\n", "\n", "\r", "\0" } do
      for _, headers in ipairs { { X = "a" .. mark .. "b" }, { ["X" .. mark] = "a" } } do
        assert.equal("protocol",
          code_of(bytes, { method = "POST", url = "http://one.example/", headers = headers, body = "" }))
      end
    end
  end)
end)
