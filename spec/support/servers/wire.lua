-- Paths for the listeners `wire` and `wires` (wire.js): what the server does once the request is there.
--
--     gateway:url(wire.path { wire.say(wire.answer("S")), wire.wait(50), wire.say("HTTP/1.1 408 ...") }, "wires")

local wire = {}

local function hex(text)
  return (text:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- These bytes, at once.
function wire.say(text) return "say-" .. hex(text) end

-- These bytes, as soon as the connection's next request has begun to arrive.
function wire.greet(text) return "greet-" .. hex(text) end

function wire.wait(milliseconds) return ("wait-%d"):format(milliseconds) end

-- Waits until a request on another connection does `wire.poke`, which goes on when they have taken their last step.
wire.hold = "hold"
wire.poke = "poke"

wire.finish = "end"
wire.reset = "reset"

function wire.path(steps) return "/" .. table.concat(steps, "/") end

-- An answer that keeps the connection. `status` is 200 when absent.
function wire.answer(body, status)
  return ("HTTP/1.1 %d Word\r\nContent-Length: %d\r\n\r\n%s"):format(status or 200, #body, body)
end

-- The same in one chunk.
function wire.chunked(body)
  return ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"):format(#body, body)
end

return wire
