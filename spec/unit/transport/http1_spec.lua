-- HTTP/1.1 as the cosocket transport writes and reads it, without a socket. What a server does with it in a real nginx
-- is spec/nginx/hostile_spec.lua's.

local http1 = require "alipayhk.transport.http1"
local new_stream = require "alipayhk.transport.stream"
local scripted_socket = require "spec.support.doubles.scripted_socket"

local OK = "HTTP/1.1 200 OK\r\n"
local LENGTH = "Content-Length: 5\r\n\r\nhello"
local CHUNKED = "Transfer-Encoding: chunked\r\n\r\n"
local CHUNKS = CHUNKED .. "5\r\nhello\r\n0\r\n\r\n"
local INTERIM = "HTTP/1.1 100 Continue\r\n\r\n"

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
    [OK .. "Connection: keep-alive, Close\r\n" .. CHUNKS] = false,
    ["HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" .. LENGTH] = false,
    [OK .. "Content-Length:0000000005\r\n\r\nhello"] = true,
    [OK .. CHUNKED .. "00000005\r\nhello\r\n00000000\r\n\r\n"] = true,
    [OK .. "transfer-encoding:CHUNKED \r\n\r\n2;a=\"b\tc\"\r\nhe\r\n3 \r\nllo\r\n000\r\nX: y\r\n\r\n"] = true,
    [INTERIM .. "HTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\n" .. OK .. LENGTH] = true,
    ["HTTP/1.1 199 x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" .. OK .. LENGTH] = true,
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

  it("has the status and the body that it came with", function()
    local body = "\0\r\n\r\n\255HTTP/1.1 200 OK\r\n"
    for _, status in ipairs { 200, 201, 299, 302, 404, 500, 600, 999 } do
      for _, sent in ipairs { "", body } do
        for _, framed in ipairs {
          "Content-Length: " .. #sent .. "\r\n\r\n" .. sent,
          CHUNKED .. (sent == "" and "" or ("%x\r\n"):format(#sent) .. sent .. "\r\n") .. "0\r\n\r\n",
          "\r\n" .. sent,
        } do
          local answer = read("HTTP/1.1 " .. status .. " x\r\n" .. framed)
          assert.equal(status, answer.status)
          assert.equal(sent, answer.body, framed)
        end
      end
    end
  end)

  it("has chunk sizes in hexadecimal, in either case", function()
    for _, format in ipairs { "%x", "%X" } do
      for size = 1, 300 do
        local body = ("x"):rep(size)
        local text = OK .. CHUNKED .. format:format(size) .. "\r\n" .. body .. "\r\n0\r\n\r\n"
        assert.equal(body, read(text, nil, size).body)
      end
    end
  end)

  it("has its headers by lower-case name, without blanks around, those that come twice in one", function()
    local answer = read(OK .. "X-One:\t a b \t\r\nx-ONE: c\r\nX-Empty:\r\nX-One:d\r\nX-Blank: \t \r\n" .. LENGTH)
    assert.same({ ["x-one"] = "a b, c, d", ["x-empty"] = "", ["x-blank"] = "", ["content-length"] = "5" },
      answer.headers)
  end)

  it("has no header from a trailer", function()
    local answer = read(OK .. CHUNKED .. "5\r\nhello\r\n0\r\nSignature: x\r\nContent-Length: 9\r\n\r\n")
    assert.same({ ["transfer-encoding"] = "chunked" }, answer.headers)
  end)

  it("has those of its last head, not of an interim one", function()
    local answer = read("HTTP/1.1 103 Early\r\nX-One: 1\r\nSignature: x\r\n\r\n" .. OK .. LENGTH)
    assert.same({ ["content-length"] = "5" }, answer.headers)
  end)

  it("has no body where its status has none, and serves no further request where it says so all the same", function()
    for _, status in ipairs { "204", "304" } do
      local answer = read("HTTP/1.1 " .. status .. " x\r\n\r\n")
      assert.same({ "", true }, { answer.body, answer.persistent })
      for _, body in ipairs { LENGTH, CHUNKS } do
        answer = read("HTTP/1.1 " .. status .. " x\r\n" .. body)
        assert.same({ "", false }, { answer.body, answer.persistent })
      end
    end
  end)

  it("leaves what is behind it", function()
    for _, text in ipairs { OK .. LENGTH, OK .. CHUNKS, INTERIM .. OK .. LENGTH, "HTTP/1.1 204 x\r\n\r\n" } do
      local stream = new_stream(scripted_socket { text .. "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno" }, 60000)
      http1.read_answer(stream, 5)
      assert.is_false(stream:is_drained())
      local behind = http1.read_answer(stream, 5)
      assert.same({ 404, "no" }, { behind.status, behind.body })
      assert.is_true(stream:is_drained())
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
    } do
      refuses("protocol", OK .. line .. "\r\n" .. LENGTH)
      refuses("protocol", OK .. "Content-Length: 5\r\n" .. line .. "\r\n\r\nhello")
    end
  end)

  it("is refused where its last line is no header, however short", function()
    for _, line in ipairs { "X", ":", " " } do refuses("protocol", OK .. line .. "\r\n\r\n") end
  end)

  -- What RFC 9110 calls a token, and what it calls visible characters, blanks and obs-text.
  it("has every byte where it may stand, and is refused where it may not", function()
    for code = 0, 255 do
      local byte = string.char(code)
      local is_token = byte:find("^[!#$%%&'*+.^_`|~0-9A-Za-z-]$") ~= nil
      local is_printed = code == 9 or code >= 32 and code ~= 127
      for text, may_stand in pairs {
        [OK .. "X" .. byte .. ": y\r\n" .. LENGTH] = is_token or byte == ":",
        [OK .. CHUNKED .. "5\r\nhello\r\n0\r\nX" .. byte .. ": y\r\n\r\n"] = is_token or byte == ":",
        ["HTTP/1.1 200 a" .. byte .. "b\r\n" .. LENGTH] = is_printed,
        [OK .. CHUNKED .. "5;a" .. byte .. "b\r\nhello\r\n0\r\n\r\n"] = is_printed,
      } do
        if may_stand then
          assert.equal("hello", read(text).body, ("%q"):format(text))
        else
          refuses("protocol", text)
        end
      end
    end
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
    local head = OK .. CHUNKED
    for _, chunks in ipairs {
      "0x5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5\n\r\nhello\r\n0\r\n\r\n",
      "\r\nhello\r\n0\r\n\r\n", ";a\r\nhello\r\n0\r\n\r\n", "000000005\r\nhello\r\n0\r\n\r\n",
      "5;a\0\r\nhello\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n", "5\0\r\nhello\r\n0\r\n\r\n",
      "5\r\nhello!\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n",
      "5\r\nhello\r\n0\r\nX\r\n\r\n", "5\r\nhello\r\n0\r\n X: y\r\n\r\n", "5\r\nhello\r\n0\r\nX: y\nZ: w\r\n\r\n",
    } do refuses("protocol", head .. chunks) end
  end)

  -- Each text is of a size: one more is refused.
  local LIMITS = {
    { "headers", 100, function(n) return OK .. ("X: y\r\n"):rep(n - 1) .. LENGTH end },
    { "bytes of a head", 65536, function(n)
      local head = OK .. "Content-Length: 5\r\nX: "
      return head .. ("y"):rep(n - #head) .. "\r\n\r\nhello"
    end },
    { "bytes of a chunk's line", 256, function(n)
      return OK .. CHUNKED .. "5;" .. ("a"):rep(n - 2) .. "\r\nhello\r\n0\r\n\r\n"
    end },
    { "trailers", 100, function(n)
      return OK .. CHUNKED .. "5\r\nhello\r\n0\r\n" .. ("X: y\r\n"):rep(n) .. "\r\n"
    end },
    { "bytes of a trailer", 65536, function(n)
      return OK .. CHUNKED .. "5\r\nhello\r\n0\r\nX:" .. ("y"):rep(n - 2) .. "\r\n\r\n"
    end },
    { "interim answers", 99, function(n) return INTERIM:rep(n) .. OK .. LENGTH end, "protocol" },
  }

  for _, limit in ipairs(LIMITS) do
    local name, most, text_of, code = limit[1], limit[2], limit[3], limit[4] or "too_large"
    it(("may have %d %s, and no more"):format(most, name), function()
      assert.equal("hello", read(text_of(most)).body)
      refuses(code, text_of(most + 1))
    end)
  end

  it("may have a body of the limit, and no more", function()
    for _, text in ipairs { OK .. LENGTH, OK .. CHUNKS, OK .. "\r\nhello",
      OK .. CHUNKED .. "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n" } do
      assert.equal("hello", read(text, nil, 5).body)
      refuses("too_large", text, 4)
    end
  end)

  it("is refused for a body that is too large before that body comes", function()
    for _, head in ipairs { "Content-Length: 101\r\n\r\n", "Content-Length: 9999999999\r\n\r\n", CHUNKED .. "65\r\n",
      CHUNKED .. "FFFFFFFF\r\n", CHUNKED .. "5\r\nhello\r\n60\r\n" } do
      refuses("too_large", OK .. head, 100)
    end
  end)

  it("is refused where the server changes to another protocol", function()
    refuses("protocol", "HTTP/1.1 101 Switching\r\n\r\n" .. OK .. LENGTH)
    refuses("protocol", INTERIM .. "HTTP/1.1 101 Switching\r\n\r\n" .. OK .. LENGTH)
  end)

  it("is cut short wherever it is cut, and never taken for whole", function()
    for _, text in ipairs { OK .. LENGTH, OK .. CHUNKS, INTERIM .. OK .. LENGTH,
      OK .. CHUNKED .. "3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\nZ: w\r\n\r\n" } do
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

  it("has its body as it is, and says how long it is", function()
    for _, body in ipairs { "", "\0\r\n\r\n\255" } do
      assert.equal("PUT / HTTP/1.1\r\nHost: one.example\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body,
        (bytes { method = "PUT", url = "http://one.example/", headers = {}, body = body }))
    end
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
    for _, url in ipairs { "ftp://one.example/", "https://one.example", "https:///a", "one.example/a",
      "https://one.example:a/", "https://one.example:1:2/", "https://one.example:-1/", "https://[::1/" } do
      assert.equal("protocol", code_of(http1.parse_url, url))
    end
  end)

  it("has no header that brings another one along", function()
    for _, mark in ipairs { "\r\n", "\n", "\r", "\0" } do
      for _, headers in ipairs { { X = "a" .. mark .. "b" }, { X = mark }, { X = "a" .. mark },
        { ["X" .. mark] = "a" }, { [mark .. "X"] = "a" }, { [mark] = "a" } } do
        assert.equal("protocol",
          code_of(bytes, { method = "POST", url = "http://one.example/", headers = headers, body = "" }))
      end
    end
  end)
end)
