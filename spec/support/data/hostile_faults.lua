-- What a gateway, or somebody between it and us, may do wrong: each fault by name, how hostile.js does it, and what is
-- expected of it, once.
--
-- A fault has a `name`, a `group`, and
--
-- case       what hostile.js says
-- listener, host, scheme   where; http://127.0.0.1 and `main` when absent
-- config     of the client, over the usual one
-- before     whether a call of the same client has to succeed first
-- orders     how many a batch has, 2 when absent
-- expects    over both transports, unless `curl` or `cosocket` says otherwise for one, and `because` why. `only`: the
--            transport that can meet it at all
--
-- An expectation: `kind`, `code`, `retryable`, `attempts` of a call that may make two; `outbox`, what is recorded after
-- one attempt: the state, how many attempts were charged, the code; `waits`: whether the attempts take all their time;
-- `arrives`: how many requests reach the server of those attempts, all when absent; false: that depends; `or_code`:
-- another code, where it is a race; `is_free`: a batch makes more attempts, which it does not charge.

local core = require "alipayhk.core"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local faults = {
  -- Of an attempt at what waits, and at the rest.
  TIMEOUT_MS = 200, ENOUGH_MS = 5000,
}

-- ---- what may be expected ----------------------------------------------------------------------------

local function with(expected, more)
  local made = {}
  for _, values in ipairs { expected, more } do
    for name, value in pairs(values) do made[name] = value end
  end
  return made
end

-- It may pass: the second attempt is made, and the outbox makes others.
local function passing(kind, code)
  return { kind = kind, code = code, retryable = true, attempts = 2, outbox = { "waiting", 1, code or kind } }
end

-- It does not pass by itself. Nobody knows what became of the order, so the outbox keeps it all the same.
local function lasting(kind, code)
  return { kind = kind, code = code, retryable = false, attempts = 1, outbox = { "waiting", 1, code or kind } }
end

local RESET, TIMEOUT = passing("transport", "reset"), with(passing("transport", "timeout"), { waits = true })
local CONNECT, DNS = with(passing("transport", "connect"), { arrives = 0 }),
  with(passing("transport", "dns"), { arrives = 0 })
local UNREAD = with(RESET, { arrives = 0 })
-- Whether it was connected, and then reset, is a race.
local EITHER = with(UNREAD, { or_code = "connect" })
local SILENT = with(TIMEOUT, { arrives = 0 })
local BROKEN, LARGE = lasting("transport", "protocol"), lasting("transport", "too_large")
local TLS = with(lasting("transport", "tls"), { arrives = 0 })
local STATUS, BUSY = lasting "http", passing "http"
-- That costs a batch and an outbox no attempt: a batch goes on for its `budget_ms`.
local REFUSING = with(BUSY, { outbox = { "waiting", 0, "http" }, is_free = true })
local PATIENT = { retry = { max_attempts = 2, base_delay_ms = 1, max_delay_ms = 2, budget_ms = 500 } }
local NO_JSON = lasting "protocol"
local ANOTHER = passing("protocol", "another_request")
local UNSIGNED, WRONG = lasting("signature", "unsigned"), lasting("signature", "wrong")
local OTHER_CLIENT, STALE = lasting("signature", "client_id"), lasting("signature", "stale")
local SEALED = lasting "decrypt"

-- An authenticated no: the outbox parks the order.
local function no(code)
  return { kind = "result", code = code, retryable = false, attempts = 1, outbox = { "parked", 1, code } }
end

-- An answer that says neither yes nor no.
local function unknown(code)
  return passing("result", code)
end

-- ---- how it is said ----------------------------------------------------------------------------------

local OK = "HTTP/1.1 200 OK\r\n"
local LENGTH = "Content-Length: {length}\r\n\r\n{body}"
local SIGNED = "{signed}" .. LENGTH
local CHUNKED = "Transfer-Encoding: chunked\r\n\r\n"
local INTERIM = "HTTP/1.1 100 Continue\r\n\r\n"
local RESULT = '{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}'
local SUCCESS = '{"result":' .. RESULT .. "}"

local list = {}
local group

local function fault(name, expects, case, more)
  local made = with({ name = name, group = group, expects = expects, case = case }, more or {})
  list[#list + 1] = made
end

-- An answer that is in order but for the head's first lines.
local function head(name, expects, lines, more)
  fault(name, expects, { answer = OK .. lines .. SIGNED }, more)
end

-- Bytes as text in which each character is one.
local function bytes(text)
  return (text:gsub("[\128-\255]", function(byte)
    local code = byte:byte()
    return string.char(192 + math.floor(code / 64), 128 + code % 64)
  end))
end

-- ---- connection --------------------------------------------------------------------------------------

group = "connection"

fault("nobody listens", CONNECT, {}, { listener = "closed" })
fault("a name that does not exist", DNS, {}, { host = "gateway.invalid", scheme = "https" })
fault("a black hole: no answer to SYN", SILENT, {}, { listener = "full" })
fault("a black hole: connected, and nothing more", SILENT, {}, { listener = "deaf" })
fault("a black hole: no answer to a handshake", SILENT, {}, { listener = "deaf", scheme = "https" })
fault("a black hole: the request is read, and nothing more", TIMEOUT, { answer = "" })
fault("reset as soon as it is connected", EITHER, {}, { listener = "slams" })
fault("ended as soon as it is connected", UNREAD, {}, { listener = "leaves" })
fault("reset in the handshake", CONNECT, {}, { listener = "resets", scheme = "https" })
fault("ended in the handshake", CONNECT, {}, { listener = "ends", scheme = "https" })
fault("reset in place of an answer", RESET, { answer = "", ["then"] = "reset" })
fault("ended in place of an answer", RESET, { answer = "", ["then"] = "end" })
fault("reset in the status line", RESET, { answer = "HTTP/1.1 2", ["then"] = "reset" })
fault("reset between two headers", RESET, { answer = OK .. "{signed}", ["then"] = "reset" })
fault("reset before the body", RESET, { answer = OK .. "{signed}Content-Length: {length}\r\n\r\n", ["then"] = "reset" })
fault("reset in the body", RESET, { answer = OK .. SIGNED, cut = -20, ["then"] = "reset" })
fault("reset in a body that ends with its connection", RESET,
  { answer = OK .. "{signed}\r\n{body}", ["then"] = "reset" })
fault("reset over TLS, in the body", RESET, { answer = OK .. SIGNED, cut = -20, ["then"] = "reset" },
  { scheme = "https" })
fault("ended in the status line", RESET, { answer = "HTTP/1.1 2", ["then"] = "end" })
fault("ended between two headers", RESET, { answer = OK .. "{signed}", ["then"] = "end" })
fault("ended one byte before its end", RESET, { answer = OK .. SIGNED, cut = -1 })
fault("ended in a chunk", RESET, { answer = OK .. "{signed}" .. CHUNKED .. "{chunks}", cut = -30 })
fault("ended before the last chunk", RESET, { answer = OK .. "{signed}" .. CHUNKED .. "{chunks}", cut = -5 })
fault("ended before the end of the last chunk", RESET,
  { answer = OK .. "{signed}" .. CHUNKED .. "{chunks}", cut = -2 })
fault("ended in a body without length", WRONG, { answer = OK .. "{signed}\r\n{body}", cut = -1 })
fault("ended over TLS, in the body", RESET, { answer = OK .. SIGNED, cut = -20 }, { scheme = "https" })
fault("a drip: the status line", TIMEOUT, { answer = "HTTP/1.1 200 ", drip = { text = "x", ms = 50 } })
fault("a drip: a header", TIMEOUT, { answer = OK .. "X-Slow: ", drip = { text = "x", ms = 50 } })
fault("a drip: header lines", TIMEOUT, { answer = OK, drip = { text = "X-Slow: 1\r\n", ms = 50 } })
fault("a drip: a body", TIMEOUT, { answer = OK .. "Content-Length: 100\r\n\r\n", drip = { text = "x", ms = 50 } })
fault("a drip: chunks", TIMEOUT, { answer = OK .. CHUNKED, drip = { text = "1\r\nx\r\n", ms = 50 } })
fault("a drip: interim answers", TIMEOUT, { answer = "", drip = { text = INTERIM, ms = 50 } })
fault("a drip: a handshake", SILENT, {}, { listener = "slow", scheme = "https" })
fault("half a body and no more", TIMEOUT, { answer = OK .. SIGNED, cut = -20, ["then"] = "keep" })
fault("an answer that is late", TIMEOUT, { answer = OK .. SIGNED, wait = 1000 })
fault("bytes that are no HTTP, and nothing more", with(BROKEN, { arrives = 0 }), {}, { listener = "rude" })

-- ---- sizes -------------------------------------------------------------------------------------------

group = "sizes"

head("a header of 70 KB", LARGE, "X: " .. ("x"):rep(70000) .. "\r\n")
head("101 headers", LARGE, ("X-N: 1\r\n"):rep(98))
head("5000 headers", LARGE, ("X-N: 1\r\n"):rep(5000))
fault("a status line without end", LARGE, { answer = "HTTP/1.1 200 ", flood = "x" })
fault("a header without end", LARGE, { answer = OK .. "X: ", flood = "x" })
fault("headers without end", LARGE, { answer = OK, flood = "X-Line: 1\r\n" })
fault("trailers without end", LARGE, { answer = OK .. CHUNKED .. "0\r\n", flood = "X: y\r\n" })
fault("a body that says to be too large", LARGE, { answer = OK .. "Content-Length: 1048577\r\n\r\n" })
fault("a chunk that says to be too large", LARGE, { answer = OK .. CHUNKED .. "100001\r\n" },
  { curl = TIMEOUT, because = "libcurl does not tell a chunk's size before its bytes" })
fault("a body without end", LARGE, { answer = OK .. "\r\n", flood = ("x"):rep(1000) })
fault("chunks without end", LARGE, { answer = OK .. CHUNKED, flood = "1000\r\n" .. ("x"):rep(4096) .. "\r\n" })
fault("a body one byte over max_response_bytes", LARGE, { answer = OK .. SIGNED, body = SUCCESS },
  { config = { max_response_bytes = #SUCCESS - 1 } })
fault("noise without end", BROKEN, { answer = "", flood = "\0\1" })

-- ---- compression -------------------------------------------------------------------------------------

group = "compression"

-- What gzip makes of a success; and of ten million blanks.
local GZIPPED = shell.must("printf %s " .. shell.quote(SUCCESS) .. " | gzip -nc")
local BOMB = shell.must "head -c 10000000 /dev/zero | tr '\\0' ' ' | gzip -nc"

fault("gzip, signed before", WRONG, { answer = OK .. "Content-Encoding: gzip\r\n" .. SIGNED, body = bytes(GZIPPED),
  signing = { over = { body = SUCCESS } } })
fault("gzip, signed behind", NO_JSON,
  { answer = OK .. "Content-Encoding: gzip\r\n" .. SIGNED, body = bytes(GZIPPED) })
fault("gzip that nothing names", WRONG, { answer = OK .. SIGNED, body = bytes(GZIPPED),
  signing = { over = { body = SUCCESS } } })
fault("gzip that swells a thousandfold", NO_JSON,
  { answer = OK .. "Content-Encoding: gzip\r\n" .. SIGNED, body = bytes(BOMB) })
fault("a coding that nobody knows", WRONG, { answer = OK .. "Content-Encoding: snow\r\n" .. SIGNED, body = "snow",
  signing = { over = { body = SUCCESS } } })
fault("gzip as a Transfer-Encoding", BROKEN,
  { answer = OK .. "{signed}Transfer-Encoding: gzip, chunked\r\n\r\n{chunks}", body = bytes(GZIPPED) })

-- ---- lengths -----------------------------------------------------------------------------------------

group = "lengths"

local function length(name, expects, value, more)
  fault("a length " .. name, expects,
    { answer = OK .. "{signed}" .. value .. "\r\n\r\n{body}", ["then"] = "end" }, more)
end

length("of less than the body", WRONG, "Content-Length: 20")
length("of nothing", WRONG, "Content-Length: 0", { orders = 1 })
length("of more than the body", RESET, "Content-Length: 999")
length("below zero", BROKEN, "Content-Length: -1")
length("with a plus", BROKEN, "Content-Length: +{length}")
length("in hex", BROKEN, "Content-Length: 0x{hex}")
length("in words", BROKEN, "Content-Length: many")
length("without a value", BROKEN, "Content-Length: ")
length("that is a list", BROKEN, "Content-Length: {length}, {length}")
length("beyond 64 bits", BROKEN, "Content-Length: 18446744073709551700")

-- ---- smuggling ---------------------------------------------------------------------------------------

group = "smuggling"

local function smuggled(name, lines, more)
  fault(name, BROKEN, { answer = OK .. "{signed}" .. lines .. "\r\n\r\n{chunks}" }, more)
end

local ONE_CODE = {
  curl = with(RESET, { or_code = "protocol" }),
  because = "libcurl has one code for chunks that it cannot read and for a connection that broke",
}
local function chunk(name, text, more)
  fault(name, BROKEN, { answer = OK .. "{signed}" .. CHUNKED .. text, ["then"] = "end" }, more or ONE_CODE)
end

length("twice, two of them", BROKEN, "Content-Length: 1\r\nContent-Length: {length}")
smuggled("chunks beside a length", "Content-Length: {length}\r\nTransfer-Encoding: chunked")
smuggled("chunks before a length of nothing", "Transfer-Encoding: chunked\r\nContent-Length: 0")
smuggled("two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")
smuggled("a coding that is nearly chunked", "Transfer-Encoding: xchunked")
smuggled("a coding behind a vertical tab", "Transfer-Encoding: \11chunked")
fault("chunks in HTTP/1.0", BROKEN, { answer = "HTTP/1.0 200 OK\r\n{signed}" .. CHUNKED .. "{chunks}" })
head("a blank before the colon", BROKEN, "X-Space : 1\r\n")
head("a folded header", BROKEN, "X-Folded: one\r\n two\r\n")
head("a header line ended by LF alone", BROKEN, "X-One: 1\nX-Two: 2\r\n")
head("a header line ended by CR alone", BROKEN, "X-One: 1\rX-Two: 2\r\n")
head("a NUL in a header", BROKEN, "X-Nul: a\0b\r\n")
head("a header without a colon", BROKEN, "garbage\r\n")
chunk("a chunk size with 0x", "0x{hex}\r\n{body}\r\n0\r\n\r\n", {})
chunk("a chunk size with a minus", "-{hex}\r\n{body}\r\n0\r\n\r\n")
chunk("a chunk size that is none", "\r\n{body}\r\n0\r\n\r\n")
chunk("a chunk size beyond 64 bits", "100000000000000{hex}\r\n{body}\r\n0\r\n\r\n")
chunk("a chunk longer than it says", "{hex}\r\n{body}x\r\n0\r\n\r\n")
chunk("something else than CR LF behind a chunk", "{hex}\r\n{body}xx0\r\n\r\n")
fault("two answers to one request", UNSIGNED, { answer = OK .. LENGTH .. "{forged}" })

-- ---- redirects and statuses --------------------------------------------------------------------------

group = "redirects"

for _, status in ipairs { 301, 302, 303, 307, 308 } do
  fault(("%d to another host"):format(status), STATUS, { answer = ("HTTP/1.1 %d Moved\r\n"):format(status)
    .. "Location: https://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n" })
end
fault("302 to a file, with a signed success", STATUS,
  { answer = "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n" .. SIGNED })
fault("302 to itself", STATUS, { answer = "HTTP/1.1 302 Found\r\nLocation: ?\r\nContent-Length: 0\r\n\r\n" })
fault("300 choices", STATUS, { answer = "HTTP/1.1 300 Choose\r\n" .. SIGNED })

group = "statuses"

fault("a signed success of 500", BUSY, { answer = "HTTP/1.1 500 Oops\r\n" .. SIGNED })
fault("503", BUSY, { answer = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" })
fault("429", REFUSING, { answer = "HTTP/1.1 429 Slow Down\r\nContent-Length: 0\r\n\r\n" }, { config = PATIENT })
fault("404", STATUS, { answer = "HTTP/1.1 404 Nowhere\r\nContent-Length: 0\r\n\r\n" })
fault("204", STATUS, { answer = "HTTP/1.1 204 Nothing\r\n{signed}\r\n" })
fault("206 of a signed success", STATUS, { answer = "HTTP/1.1 206 Part\r\n" .. SIGNED })
fault("304", STATUS, { answer = "HTTP/1.1 304 Same\r\n{signed}Content-Length: {length}\r\n\r\n" })
fault("a status of 999", STATUS, { answer = "HTTP/1.1 999 What\r\n" .. SIGNED })
fault("a status of 000", BROKEN, { answer = "HTTP/1.1 000 What\r\n" .. SIGNED })

-- ---- interim answers ---------------------------------------------------------------------------------

group = "interim answers"

fault("interim answers without end", BROKEN, { answer = "", flood = INTERIM })
fault("an interim answer and no other", RESET, { answer = INTERIM, ["then"] = "end" })
fault("an interim answer with a body", BROKEN,
  { answer = "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello" .. OK .. SIGNED })
fault("another protocol that nobody asked for", BROKEN,
  { answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" .. OK .. SIGNED })
fault("a signature in an interim answer", UNSIGNED, { answer = "HTTP/1.1 103 Hints\r\n{signed}\r\n" .. OK .. LENGTH })
fault("a signature in the trailers", UNSIGNED,
  { answer = OK .. CHUNKED .. "{hex}\r\n{body}\r\n0\r\n{signed}\r\n" })

-- ---- other versions of HTTP --------------------------------------------------------------------------

group = "HTTP/0.9"

fault("HTTP/0.9: a body and no head", BROKEN, { answer = "{body}", ["then"] = "end" })
fault("HTTP/0.9 that says so", BROKEN, { answer = "HTTP/0.9 200 OK\r\n" .. SIGNED })
fault("HTTP/2.0 in text", BROKEN, { answer = "HTTP/2.0 200 OK\r\n" .. SIGNED })
fault("HTTP/3 in text", BROKEN, { answer = "HTTP/3 200 OK\r\n" .. SIGNED })
fault("ICY", BROKEN, { answer = "ICY 200 OK\r\n" .. SIGNED })
fault("a page without HTTP", BROKEN, { answer = "<html>\r\n\r\n</html>\r\n\r\n", ["then"] = "end" })
fault("SSH", BROKEN, { answer = "SSH-2.0-Server\r\n\r\n", ["then"] = "end" })

-- ---- HTTP/2 ------------------------------------------------------------------------------------------

group = "HTTP/2"

local ONLY_CURL = { only = "curl", because = "nginx's cosockets speak HTTP/1.1, and do not offer HTTP/2" }
local LAST = "\0\0\0\1" -- the first stream
local HEADERS = { type = "HEADERS", flags = 4, lines = ":status: 200\r\n{signed}content-length: {length}\r\n" }
local BODY = { type = "DATA", flags = 1, payload = "{body}" }
local HALF = { type = "DATA", payload = "half" }
local function rst(code) return { type = "RST_STREAM", payload = "\0\0\0" .. string.char(code) } end
local function goaway(last, code)
  return { type = "GOAWAY", stream = 0, payload = last .. "\0\0\0" .. string.char(code) }
end

local function frames(name, expects, said, case, more)
  local place = with({ scheme = "https", has_port = true }, ONLY_CURL)
  fault("HTTP/2: " .. name, expects, with({ frames = said }, case or {}), with(place, more or {}))
end

-- nghttp2 gives up such a session, and libcurl 7.88 does not always notice before the time is over.
local DEAD, SOON = with(RESET, { or_code = "timeout" }), { config = { timeout_ms = faults.TIMEOUT_MS } }

frames("GOAWAY that did nothing", RESET, { goaway("\0\0\0\0", 0) }, { ["then"] = "end" })
frames("GOAWAY, and no answer", RESET, { goaway(LAST, 0) }, { ["then"] = "end" })
frames("GOAWAY that tells to be calm", RESET, { goaway(LAST, 11) }, { ["then"] = "end" })
frames("GOAWAY in the middle of an answer", RESET, { HEADERS, HALF, goaway("\0\0\0\0", 2) }, { ["then"] = "end" })
frames("RST_STREAM that refuses", RESET, { rst(7) })
frames("RST_STREAM that cancels", RESET, { rst(8) })
frames("RST_STREAM for an error of its own", RESET, { rst(2) })
frames("RST_STREAM without error, and without answer", RESET, { rst(0) })
frames("RST_STREAM in the middle of an answer", RESET, { HEADERS, HALF, rst(2) })
frames("RST_STREAM without error, in the middle of an answer", RESET, { HEADERS, HALF, rst(0) })
frames("an end in the middle of an answer", RESET, { HEADERS, HALF }, { ["then"] = "end" })
frames("a window that lets no body through", with(TIMEOUT, { arrives = false }), {}, { settings = "\0\4\0\0\0\0" })
frames("an answer that never ends", TIMEOUT, { HEADERS, HALF })
frames("no SETTINGS", TIMEOUT, {}, { settings = false })
frames("a flood of empty frames", TIMEOUT, { HEADERS, { type = "DATA", flood = true } })
frames("a flood of SETTINGS", RESET, { { type = "SETTINGS", stream = 0, flood = true } })
frames("a flood of PING", DEAD, { { type = "PING", stream = 0, payload = "12345678", flood = true } }, {}, SOON)
frames("a flood of CONTINUATION", RESET, {
  { type = "HEADERS", lines = ":status: 200\r\n" },
  { type = "CONTINUATION", lines = "x: " .. ("x"):rep(8000) .. "\r\n", flood = true },
})
frames("a header bomb", DEAD, {
  { type = "HEADERS", payload = bytes("\136\64\1x\127\129\30" .. ("x"):rep(4000)) },
  { type = "CONTINUATION", flags = 4, payload = bytes(("\190"):rep(16000)) },
}, {}, SOON)
frames("1000 headers", LARGE, { { type = "HEADERS", flags = 4, lines = ":status: 200\r\n" .. ("x: y\r\n"):rep(1000) } })
frames("a body beyond measure", LARGE, { { type = "HEADERS", flags = 4, lines = ":status: 200\r\n" },
  { type = "DATA", payload = ("x"):rep(16000), flood = true } })
frames("a flood of interim answers", BROKEN,
  { { type = "HEADERS", flags = 4, lines = ":status: 100\r\n", flood = true } })
frames("a body before its head", DEAD, { BODY }, {}, SOON)
frames("a head without status", RESET, { { type = "HEADERS", flags = 4, lines = "{signed}" }, BODY })
frames("a frame beyond its size", RESET, { HEADERS, { type = "DATA", flags = 1, payload = ("x"):rep(20000) } })
frames("a length that is not the body's", RESET, {
  { type = "HEADERS", flags = 4, lines = ":status: 200\r\n{signed}content-length: 7\r\n" }, BODY,
})
frames("a push that nobody asked for", DEAD, {
  { type = "PUSH_PROMISE", flags = 4, payload = bytes "\0\0\0\2\130\134\132\65\1x" }, HEADERS, BODY,
}, {}, SOON)
frames("a signature in the trailers", UNSIGNED, {
  { type = "HEADERS", flags = 4, lines = ":status: 200\r\n" }, { type = "DATA", payload = "{body}" },
  { type = "HEADERS", flags = 5, lines = "{signed}" },
})
frames("a signature of another body", WRONG, { HEADERS, BODY }, { signing = { over = { body = SUCCESS } } })

fault("HTTP/2 to who speaks none", with(BROKEN, { arrives = 0 }), { frames = {} },
  { scheme = "https", has_port = true, only = "cosocket", because = "curl speaks it" })

-- ---- TLS ---------------------------------------------------------------------------------------------

group = "TLS"

local function tls(name, expects, case, more)
  fault(name, expects, case, with({ scheme = "https" }, more or {}))
end

local GOOD = { answer = OK .. SIGNED }
local OLD = { cosocket = CONNECT, because = "nginx does not tell why a handshake failed, so it may be a broken one" }

tls("an expired certificate", TLS, GOOD, { listener = "expired" })
tls("a self-signed certificate", TLS, GOOD, { listener = "self_signed" })
tls("a certificate for another host", TLS, GOOD, { listener = "wrong_host" })
tls("a certificate of an unknown CA", TLS, GOOD, { listener = "unknown_ca" })
tls("TLS 1.0", TLS, GOOD, with({ listener = "tls10" }, OLD))
tls("TLS 1.1", TLS, GOOD, with({ listener = "tls11" }, OLD))
tls("http where TLS is expected", TLS, {}, with({ listener = "rude" }, OLD))
fault("TLS where http is expected", UNREAD, { frames = {} }, { has_port = true })
tls("a drip: a record", TIMEOUT, { answer = "", drip = { record = true, text = "x", ms = 50 } })
tls("renegotiation without end", TIMEOUT, { renegotiate = "for ever" }, { listener = "tls12" })
tls("no close notify in a body without length", WRONG,
  { answer = OK .. "{signed}\r\n{body}", cut = -1, ["then"] = "break" })
tls("no close notify in the head", RESET, { answer = OK .. "{signed}", ["then"] = "break" })
tls("a certificate renewed by another CA while the connection was kept", with(TLS, { arrives = 1 }),
  { answer = OK .. SIGNED, ["then"] = "renew" },
  { listener = "renewing", before = true, orders = 1 })

-- ---- JSON --------------------------------------------------------------------------------------------

group = "JSON"

-- Signed as it should be.
local function body(name, expects, text, more)
  fault(name, expects, with({ answer = OK .. SIGNED, body = bytes(text) }, more or {}))
end

local function result(name, expects, text) body(name, expects, '{"result":' .. text .. "}") end

body("nothing", NO_JSON, "")
body("null", NO_JSON, "null")
body("a string", NO_JSON, '"SUCCESS"')
body("a number", NO_JSON, "1")
body("a list", NO_JSON, "[" .. SUCCESS .. "]")
body("an object without result", NO_JSON, "{}")
body("HTML", NO_JSON, "<html><title>Log in</title></html>")
body("half of it", NO_JSON, SUCCESS:sub(1, 40))
body("something behind it", NO_JSON, SUCCESS .. "x")
body("another object behind it", NO_JSON, SUCCESS .. SUCCESS)
body("a comment", NO_JSON, "/* */" .. SUCCESS)
body("single quotes", NO_JSON, (SUCCESS:gsub('"', "'")))
body("a comma too many", NO_JSON, (SUCCESS:gsub("}$", ",}")))
body("UTF-16", NO_JSON, (SUCCESS:gsub(".", "%0\0")))
body("a NUL in front", NO_JSON, "\0" .. SUCCESS)
body("nested a hundred thousand times", NO_JSON, '{"a":' .. ("["):rep(100000) .. ("]"):rep(100000) .. "}")
body("NaN", NO_JSON, '{"a":NaN,"result":' .. RESULT .. "}")
body("Infinity", NO_JSON, '{"a":-Infinity,"result":' .. RESULT .. "}")
body("a number in hex", NO_JSON, '{"a":0x10,"result":' .. RESULT .. "}")
body("a key twice, result", NO_JSON, '{"result":{"resultStatus":"F","resultCode":"NO"},"result":' .. RESULT .. "}")
result("a key twice, resultStatus", NO_JSON, '{"resultStatus":"F","resultCode":"NO","resultStatus":"S"}')
result("a result that is a string", NO_JSON, '"S"')
result("a result that is null", NO_JSON, "null")
result("no status", unknown "SUCCESS", '{"resultCode":"SUCCESS"}')
result("a status in lower case", unknown "SUCCESS", '{"resultCode":"SUCCESS","resultStatus":"s"}')
result("a status with a NUL behind", unknown "SUCCESS", '{"resultCode":"SUCCESS","resultStatus":"S\\u0000"}')
result("a status that is true", unknown "SUCCESS", '{"resultCode":"SUCCESS","resultStatus":true}')
result("a status in a list", unknown "SUCCESS", '{"resultCode":"SUCCESS","resultStatus":["S"]}')
result("a status that is half a surrogate pair", unknown "SUCCESS",
  '{"resultCode":"SUCCESS","resultStatus":"\\ud800"}')
result("U, and the code of a success", unknown "SUCCESS", '{"resultCode":"SUCCESS","resultStatus":"U"}')
result("F, and the code of a success", no "SUCCESS", '{"resultCode":"SUCCESS","resultStatus":"F"}')
result("F, and no code", no "", '{"resultStatus":"F"}')
body("a BOM before a no", no "PARAM_ILLEGAL",
  '\239\187\191{"result":{"resultCode":"PARAM_ILLEGAL","resultStatus":"F","resultMessage":"no"}}')
body("huge numbers in a no", no "PARAM_ILLEGAL", '{"a":1e999,"b":-1e-999,"c":' .. ("9"):rep(1000)
  .. ',"result":{"resultCode":"PARAM_ILLEGAL","resultStatus":"F","resultMessage":"no"}}')
body("the id of another request", ANOTHER, '{"requestId":"another","result":' .. RESULT .. "}")
body("the number of another order", ANOTHER, '{"merchantBizNo":"another","result":' .. RESULT .. "}")

-- ---- signatures --------------------------------------------------------------------------------------

group = "signature"

local function signed(name, expects, signing, more)
  fault(name, expects, { answer = OK .. SIGNED, signing = signing }, more)
end

fault("no signature", UNSIGNED, { answer = OK .. LENGTH })
fault("a Response-Time and no Signature", UNSIGNED, { answer = OK .. "{time}" .. LENGTH })
fault("a Signature and no Response-Time", UNSIGNED, { answer = OK .. "{signature}" .. LENGTH })
fault("an empty Signature", UNSIGNED, { answer = OK .. "{time}Signature:\r\n" .. LENGTH })
fault("an empty Response-Time", UNSIGNED, { answer = OK .. "{signature}Response-Time: \r\n" .. LENGTH })
fault("a Signature that is no list of pairs", WRONG, { answer = OK .. "{time}Signature: trust me\r\n" .. LENGTH })
fault("two Signatures", WRONG, { answer = OK .. "{signature}" .. SIGNED })
signed("a signature of nothing", WRONG, { value = "" })
signed("a signature that is no base64", WRONG, { value = "!!!!" })
signed("half of a signature", WRONG, { length = 172 })
signed("a signature of zeros", WRONG, { value = ("A"):rep(342) .. "==" })
signed("the signature of another key", WRONG, { key = "another" })
signed("an algorithm of another key", WRONG, { algorithm = "ECC224" })
signed("an algorithm that nobody knows", WRONG, { algorithm = "none" })
signed("an old key version", WRONG, { key = "another", version = "1" },
  { config = { alipay_public_key = { ["2"] = { file = keys.pair("alipayhk").public } } } })
signed("the version of a new key, by the old one", WRONG, { key = "another", version = "2" },
  { config = { alipay_public_key = {
    ["1"] = { file = keys.pair("merchant2").public }, ["2"] = { file = keys.pair("alipayhk").public },
  } } })
signed("another Response-Time", WRONG, { over = { time = "2024-05-22T06:42:22Z" } })
signed("the signature of another answer", WRONG, { over = { body = SUCCESS } })
signed("the signature of another path", WRONG, { over = { path = "/api/open/alipay/v1/merchant/contract/card" } })
signed("the signature of another method", WRONG, { over = { method = "GET" } })
signed("the signature for another client", WRONG, { over = { client = "ANOTHER" } })
fault("an answer to another client", OTHER_CLIENT, { answer = OK .. "Client-Id: ANOTHER\r\n" .. SIGNED })
fault("an answer to another client, signed for it", OTHER_CLIENT,
  { answer = OK .. "Client-Id: ANOTHER\r\n" .. SIGNED, signing = { over = { client = "ANOTHER" } } })
fault("an earlier answer to the same order, again", STALE, { answer = OK .. SIGNED },
  { config = { max_response_age_ms = 300000 } })
fault("an earlier answer to the same order, by its request's id", ANOTHER, { answer = OK .. SIGNED,
  body = '{"requestId":"earlier","merchantBizNo":"{merchantBizNo}","result":' .. RESULT .. "}" })
signed("a Response-Time that cannot be read", STALE, { time = "yesterday" },
  { config = { max_response_age_ms = 300000 } })
fault("an unsigned no", lasting("result", "PARAM_ILLEGAL"), { answer = OK .. LENGTH,
  result = { code = "PARAM_ILLEGAL", status = "F" } })

-- ---- encryption --------------------------------------------------------------------------------------

group = "encryption"

local merchant = keys.pair("merchant")
local ENCRYPTING = { encrypt = true }
local sealed, wrapped = core.seal(SUCCESS, assert(core.public_key { file = merchant.public }))
local sealed_bytes = core.base64_decode(sealed)

local function header(key, algorithm)
  return ("Encrypt: algorithm=%s,symmetricKey=%s\r\n"):format(algorithm or "RSA_AES", core.percent_encode(key))
end

local function encrypted(name, expects, line, text, more)
  fault(name, expects, with({ answer = OK .. line .. SIGNED, body = text }, more or {}), { config = ENCRYPTING })
end

-- The wrapped form of a key that is no AES key.
local function wrap(file, size)
  return (shell.must(("head -c %d /dev/zero | openssl pkeyutl -encrypt -pubin -inkey %s | openssl base64 -A"):format(
    size, shell.quote(file))):gsub("%s", ""))
end

encrypted("a body in plain that says to be encrypted", SEALED, header(wrapped), SUCCESS)
encrypted("a body that is no base64", SEALED, header(wrapped), "!!!!")
encrypted("no body", SEALED, header(wrapped), "")
encrypted("wrong padding", SEALED, header(wrapped),
  core.base64_encode(sealed_bytes:sub(1, -2) .. string.char((sealed_bytes:byte(-1) + 1) % 256)))
encrypted("a body of no whole blocks", SEALED, header(wrapped), core.base64_encode(sealed_bytes:sub(1, -2)))
encrypted("a body without its last block", SEALED, header(wrapped), core.base64_encode(sealed_bytes:sub(1, -17)))
encrypted("a key for somebody else", SEALED, header(wrap(keys.pair("merchant2").public, 32)), sealed)
encrypted("a key of another size", SEALED, header(wrap(merchant.public, 5)), sealed)
encrypted("another key", SEALED, header(wrap(merchant.public, 32)), sealed)
encrypted("half of a wrapped key", SEALED, header(core.base64_encode(("x"):rep(128))), sealed)
encrypted("no wrapped key", SEALED, header "", sealed)
encrypted("another algorithm", SEALED, header(wrapped, "RSA_DES"), sealed)
encrypted("encrypted in OAEP where PKCS#1 is agreed on", SEALED, header((select(2, core.seal(SUCCESS,
  assert(core.public_key { file = merchant.public }), { key_padding = "oaep" })))), sealed)
fault("encrypted and unsigned", UNSIGNED, { answer = OK .. header(wrapped) .. LENGTH, body = sealed },
  { config = ENCRYPTING })
encrypted("encrypted and signed before", WRONG, header(wrapped), sealed, { signing = { over = { body = SUCCESS } } })

-- ---- what is no fault: successes by the same ways ------------------------------------------------------

group = nil

local FINE = { outbox = { "accepted", 1 }, attempts = 1 }

local function fine(name, case, more) fault("no fault: " .. name, FINE, case, more) end

fine("an answer", GOOD)
fine("an answer over TLS", GOOD, { scheme = "https" })
fine("TLS that is renegotiated: with the same server, and the signature holds",
  { answer = OK .. SIGNED, renegotiate = "once" }, { scheme = "https", listener = "tls12" })
fine("chunks", { answer = OK .. "{signed}" .. CHUNKED .. "{chunks}" })
fine("a body without length", { answer = OK .. "{signed}\r\n{body}", ["then"] = "end" })
fine("an answer of this moment", { answer = OK .. SIGNED, signing = { time = "now" } },
  { config = { max_response_age_ms = 300000 } })
fine("the ids of its request", { answer = OK .. SIGNED,
  body = '{"requestId":"{requestId}","merchantBizNo":"{merchantBizNo}","result":' .. RESULT .. "}" })
fine("an encrypted answer", { answer = OK .. header(wrapped) .. SIGNED, body = sealed }, { config = ENCRYPTING })
fine("a signed answer in plain to an encrypted request: it is AlipayHK's word", GOOD, { config = ENCRYPTING })
fine("HTTP/2", { frames = { HEADERS, BODY } }, with({ scheme = "https", has_port = true }, ONLY_CURL))

faults.list = list
return faults
