-- Messages that something else has captured, for the command: whatever the text is, it gives exchanges or a message,
-- the same twice. A message that is written in HTTP is read as what was written.

local captured = require "alipayhk.cli.captured"
local core = require "alipayhk.core"
local lines = require "fuzz.support.lines"
local same = require "fuzz.support.same"

local function is_status(value)
  return math.type(value) == "integer" and value >= 100 and value <= 999
end

local function check_headers(headers)
  for name, value in pairs(headers) do
    assert(type(name) == "string" and not name:find("%u"), "a name in upper case")
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      assert(type(one) == "string", "a header that is no string")
    end
  end
end

local function check_message(message)
  assert(message.body == nil or type(message.body) == "string", "a body that is no string")
  check_headers(message.headers)
  for _, note in ipairs(message.notes) do assert(core.utf8_length(note), "a note that is no text") end
end

local function check_exchange(exchange)
  local request, answer = exchange.request, exchange.answer
  assert(request or answer, "an exchange of nothing")
  if request then
    assert(type(request.path) == "string" and request.path ~= "", "a request without a path")
    check_message(request)
  end
  if answer then
    assert(is_status(answer.status) or answer.status % 1 == 0, "an answer without a status")
    check_message(answer)
  end
end

local function check_read(input)
  local exchanges, message = captured.read(input)
  local again, message_again = captured.read(input)
  assert(same.is(exchanges, again) and message == message_again, "twice it is read as something else")
  if not exchanges then
    assert(type(message) == "string" and message ~= "", "refused without a word")
    return
  end
  assert(#exchanges > 0, "no exchange")
  for _, exchange in ipairs(exchanges) do check_exchange(exchange) end
end

-- The input as the body of a request and as a header's value, as far as that may be one.
local function check_written(input)
  local value = input:gsub("[^\33-\126]", "")
  local raw = ("POST /a?b=c HTTP/1.1\r\nHost: shop\r\nSignature: %s\r\nContent-Length: %d\r\n\r\n%s"):format(
    value, #input, input)
  local exchanges = assert(captured.read(raw))
  local request = exchanges[1].request
  assert(request.method == "POST" and request.path == "/a?b=c" and request.host == "shop", "another request")
  assert(request.body == input and request.headers.signature == value, "another body or header")
  assert(#exchanges == 1 and not exchanges[1].answer and #request.notes == 0, "more than was written")
end

local KNOWN = {
  "POST /a HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/2 200 \r\n", "HTTP/1.1 100 Continue\r\n\r\n",
  ":method: POST\r\n", ":path: /a\r\n", ":status: 200\r\n", ":authority: h\r\n", "Content-Length: 2\r\n",
  "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n", "0\r\n\r\n", "\r\n", " goes on\r\n", "> POST /a HTTP/1.1\n", "> \n",
  "< HTTP/1.1 200 OK\n", "< \n", "< A: b\n", "* Connection #0 to host h left intact\n", "{ [5 bytes data]\n",
  "  % Total    % Received\n", '{"log":{"entries":[]}}\n', '"request":{"url":"https://h/a","headers":[]}\n',
  '"response":{"status":200,"content":{"text":"e30=","encoding":"base64"}}\n',
}

return {
  run = function(input)
    check_read(input)
    check_written(input)
  end,
  mutate = lines(KNOWN),
}
