-- Calls that AlipayHK sends again, to an endpoint in a real nginx that keeps account of them in a shared dictionary:
-- each is handled once.

local calls = require "spec.support.doubles.calls"
local endpoint = require "spec.support.servers.endpoint"
local json = require "cjson"
local keys = require "spec.support.data.keys"

local LOCATIONS = [[
  location = /once { content_by_lua_block {
    once = once or merchant.endpoint { deliveries = "deliveries" }
    once()
  } }
  location = /other { content_by_lua_block { merchant.endpoint { deliveries = "deliveries" } () } }
  location = /tiny { content_by_lua_block { merchant.endpoint { deliveries = "tiny" } () } }
  location = /full { content_by_lua_block {
    local dict, i, forgot = ngx.shared.small, 0, false
    while not forgot do
      i = i + 1
      forgot = select(3, dict:set("call-" .. i, ("x"):rep(50), 1000))
    end
    merchant.endpoint { deliveries = "small" } ()
  } }
  location = /nearly_full { content_by_lua_block {
    -- Of the length of a mark and its key: there is room for some of those, and for nothing else.
    local dict, i, forgot = ngx.shared.nearly, 0, false
    while not forgot do
      i = i + 1
      forgot = select(3, dict:set(("call-%044d"):format(i), ("x"):rep(25), 1000))
    end
    for k = i - 5, i do dict:delete(("call-%044d"):format(k)) end
    merchant.endpoint { deliveries = "nearly" } ()
  } }
  location = /delayed { content_by_lua_block {
    ngx.sleep(tonumber(ngx.var.http_x_delay))
    merchant.endpoint { deliveries = "deliveries" } ()
  } }
  location = /two { content_by_lua_block {
    local client = ngx.var.http_client_id == "ANOTHER" and merchant.another or merchant.client
    merchant.endpoint({ deliveries = "deliveries" }, client)()
  } }
  location = /remembered { content_by_lua_block { merchant.remembered() } }
  location = /always { content_by_lua_block { merchant.endpoint() () } }
]]

local server

local number = 0

-- A body for a call: `id` is what the merchant counts by, `requestId` AlipayHK's own.
local function body_of(act, fields)
  number = number + 1
  local id = ("delivery-%d"):format(number)
  local body = { id = id, act = act, requestId = "request-" .. id }
  for name, value in pairs(fields or {}) do body[name] = value or nil end
  return json.encode(body), id
end

local function send(body, with)
  local made = { body = body, path = "/once" }
  for name, value in pairs(with or {}) do made[name] = value end
  local call = calls.make(made)
  return server:ask(call), call
end

local function refused(body, with)
  with.body, with.path = body, "/once"
  return server:refused(calls.make(with)).resultCode
end

local function again(result)
  assert.equal("UNKNOWN_EXCEPTION", result.resultCode)
  assert.equal("U", result.resultStatus)
end

local function counted(message, result)
  assert.same({ resultCode = "COUNTED", resultStatus = "S", resultMessage = message }, result)
end

describe("a call that is sent again", function()
  setup(function()
    server = endpoint.start(LOCATIONS,
      "lua_shared_dict tiny 12k; lua_shared_dict small 64k; lua_shared_dict nearly 64k;")
  end)
  teardown(function() server:stop() end)

  it("is handled once, and answered with the first result each time", function()
    local body, id = body_of("count")
    local result, call = send(body)
    counted("1", result)
    for _ = 1, 3 do
      local reply = server:call(call)
      counted("1", endpoint.result(call, reply))
    end
    assert.equal(1, server:handled(id))
  end)

  it("is the same call with a new time and signature", function()
    local body, id = body_of("count")
    for i, time in ipairs { "2024-05-22T06:42:21Z", "2024-05-22T06:44:21Z", "2024-05-22T14:54:21+08:00" } do
      local result, call = send(body, { time = time, encode = i == 2 and "raw" or nil })
      counted("1", result)
      assert.equal(time, call.headers["Request-Time"])
    end
    assert.equal(1, server:handled(id))
  end)

  it("is the same call when it has no requestId, by its body", function()
    local body, id = body_of("count", { requestId = false })
    for _ = 1, 2 do counted("1", (send(body))) end
    assert.equal(1, server:handled(id))
  end)

  it("is the same call encrypted anew", function()
    local body, id = body_of("count")
    for _ = 1, 2 do counted("1", (send(body, { encrypt = {} }))) end
    assert.equal(1, server:handled(id))
  end)

  it("is the same call encrypted anew, when it has no requestId", function()
    local body, id = body_of("count", { requestId = false })
    for _ = 1, 2 do counted("1", (send(body, { encrypt = {} }))) end
    assert.equal(1, server:handled(id))
  end)

  it("is handled each time where nobody keeps account", function()
    local body, id = body_of("count")
    for i = 1, 3 do counted(tostring(i), (send(body, { path = "/always" }))) end
    assert.equal(3, server:handled(id))
  end)

  it("while it is handled is to come again, and then gets the first result", function()
    local body, id = body_of("sleep and count")
    local call = calls.make { body = body, path = "/once" }
    local bytes = endpoint.bytes(call)
    local replies = server:exchange { bytes, bytes, bytes }
    local successes = 0
    for _, reply in ipairs(replies) do
      local result = endpoint.result(call, reply)
      if result.resultStatus == "S" then
        counted("1", result)
        successes = successes + 1
      else
        again(result)
      end
    end
    assert.equal(1, successes)
    assert.equal(1, server:handled(id))
    counted("1", (send(body)))
    assert.equal(1, server:handled(id))
  end)

  for _, act in ipairs { "nil and why", "throw", "sleep and throw", "false" } do
    it("is handled again after it failed: " .. act, function()
      local body, id = body_of(act)
      for i = 1, 3 do
        again((send(body)))
        assert.equal(i, server:handled(id))
      end
    end)
  end

  it("is handled again after the merchant asked for that", function()
    local body, id = body_of("again")
    for i = 1, 2 do
      assert.same({ resultCode = "BUSY", resultStatus = "U", resultMessage = "busy" }, (send(body)))
      assert.equal(i, server:handled(id))
    end
  end)

  it("is handled no more once it succeeded", function()
    local body, id = body_of("recover")
    local recovered = { resultCode = "RECOVERED", resultStatus = "S", resultMessage = "the second time" }
    again((send(body)))
    for _ = 1, 3 do assert.same(recovered, (send(body))) end
    assert.equal(2, server:handled(id))
  end)

  it("stays with whoever handles it now, when the one before fails late", function()
    local body, id = body_of("outlive its mark and throw")
    again((send(body)))
    assert.equal(1, server:handled(id))
    again((send(body)))
    assert.equal(1, server:handled(id))
  end)

  it("stays with whoever handles it now, of whom the one before knows nothing", function()
    local body, id = body_of("be overtaken")
    local call, list = calls.make { body = body, path = "/delayed" }, {}
    for i, delay in ipairs { "0", "0.3", "1" } do list[i] = endpoint.bytes(call, { "X-Delay: " .. delay }) end
    local replies = server:exchange(list)
    again(endpoint.result(call, replies[1]))
    assert.equal("S", endpoint.result(call, replies[2]).resultStatus)
    again(endpoint.result(call, replies[3]))
    assert.equal(2, server:handled(id))
  end)

  it("is handled when it comes again, though who handled it died and left its mark there", function()
    local seconds = tonumber((send((body_of("time its mark")))).resultMessage)
    -- AlipayHK comes again after 120.
    assert.is_true(seconds >= 60 and seconds < 120, seconds)
  end)

  it("is known for as long as AlipayHK sends it", function()
    local message = "unforgotten"
    send((body_of("result", { result = { resultCode = "A", resultStatus = "S", resultMessage = message } })))
    local seconds = tonumber(server:post("/remembered?message=" .. message))
    local last = 120 + 600 + 600 + 3600 + 7200 + 21600 + 54000
    assert.is_true(seconds > last and seconds < 2 * last, seconds)
  end)

  it("is handled again after the merchant refused it", function()
    local result = { resultCode = "NO", resultStatus = "F", resultMessage = "no" }
    local body, id = body_of("result", { result = result })
    for i = 1, 2 do
      assert.same(result, (send(body)))
      assert.equal(i, server:handled(id))
    end
  end)

  it("is handled again after a result that cannot be written", function()
    local body, id = body_of("unwritable")
    for i = 1, 2 do
      again((send(body)))
      assert.equal(i, server:handled(id))
    end
  end)

  it("is not the same as another", function()
    local first, one = body_of("count")
    local second, two = body_of("count")
    local third, three = body_of("count", { requestId = false })
    local fourth, four = body_of("count", { requestId = false })
    for _, body in ipairs { first, second, third, fourth, first, third } do counted("1", (send(body))) end
    for _, id in ipairs { one, two, three, four } do assert.equal(1, server:handled(id)) end
  end)

  it("is not the same at another endpoint", function()
    local body, id = body_of("count")
    counted("1", (send(body)))
    counted("2", (send(body, { path = "/other" })))
    counted("2", (send(body, { path = "/other" })))
    counted("1", (send(body)))
    assert.equal(2, server:handled(id))
  end)

  it("is not the same for another client", function()
    local body, id = body_of("count")
    for _ = 1, 2 do
      counted("1", (send(body, { path = "/two" })))
      local call = calls.make { body = body, path = "/two", client_id = "ANOTHER" }
      local reply = server:call(call)
      assert.is_true(calls.verifies(call, reply, { client_id = "ANOTHER" }))
      counted("2", json.decode(reply.body).result)
    end
    assert.equal(2, server:handled(id))
  end)

  it("is no license for somebody else to send it", function()
    local body, id = body_of("count")
    local forged = { key = keys.pair("stranger").private }
    -- Not before, in its place.
    assert.equal("INVALID_SIGNATURE", refused(body, forged))
    assert.equal(0, server:handled(id))
    counted("1", (send(body)))
    -- And not after, to be told what it was.
    assert.equal("INVALID_SIGNATURE", refused(body, forged))
    assert.equal("INVALID_SIGNATURE", refused(body, { headers = { ["Signature"] = false } }))
    assert.equal(1, server:handled(id))
  end)

  it("is handled, even where the dictionary has no room", function()
    for _ = 1, 60 do
      local body, id = body_of("result", {
        requestId = ("x"):rep(400), result = { resultCode = "S", resultStatus = "S", resultMessage = ("x"):rep(900) },
      })
      body = body:gsub('"requestId":"x', '"requestId":"' .. id)
      assert.equal("S", (send(body, { path = "/tiny" })).resultStatus)
      assert.equal(1, server:handled(id))
    end
    assert.matches("%[error%][^\n]*the shared dictionary does not remember a call: no memory", server.nginx.log())
  end)

  it("is handled where the dictionary has to forget another one, and the log says so", function()
    local body, id = body_of("count")
    counted("1", (send(body, { path = "/full" })))
    assert.equal(1, server:handled(id))
    assert.matches("%[error%][^\n]*the shared dictionary is too small: it forgot an earlier call", server.nginx.log())
  end)

  -- What the dictionary said of the mark, and what of the result: the log has either.
  local function reports(body, path)
    local _, before = server.nginx.log():gsub("the shared dictionary", "")
    local result = send(body, { path = path })
    local _, after = server.nginx.log():gsub("the shared dictionary", "")
    return after - before, result
  end

  it("is in the log when there was no room for its mark", function()
    local count, result = reports((body_of("nil and why")), "/full")
    again(result)
    assert.is_true(count > 0)
  end)

  it("is in the log when there was no room for its result", function()
    local result = { resultCode = "A", resultStatus = "S", resultMessage = ("x"):rep(900) }
    local count, given = reports((body_of("result", { result = result })), "/nearly_full")
    assert.same(result, given)
    assert.is_true(count > 0)
  end)

  it("makes nginx log no alert and no handler that died", function() assert.is_nil(server:complaint()) end)
end)
