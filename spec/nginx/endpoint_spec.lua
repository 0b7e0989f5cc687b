-- An endpoint for AlipayHK's calls in a real nginx: which calls reach the merchant's function, and what AlipayHK is
-- answered. Calls are signed, and replies verified, by the openssl command.

local calls = require "spec.support.doubles.calls"
local endpoint = require "spec.support.servers.endpoint"
local json = require "cjson"
local keys = require "spec.support.data.keys"
local nginx = require "spec.support.servers.nginx"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local SUCCESS = { resultCode = "SUCCESS", resultStatus = "S", resultMessage = "success" }

local LOCATIONS = [[
  location = /alipayhk/notify { content_by_lua_block { plain = plain or merchant.endpoint(); plain() } }
  location = /fresh { content_by_lua_block { fresh = fresh or merchant.endpoint { max_age_ms = 60000 }; fresh() } }
  location /outer/ {
    proxy_set_header X-Path $request_uri;
    rewrite ^/outer/(.*)$ /inner/$1?added=1 break;
    proxy_pass http://127.0.0.1:$server_port;
  }
  location = /inner/string {
    content_by_lua_block { merchant.endpoint { path = "/outer/string?a=1" } () }
  }
  location = /inner/function {
    content_by_lua_block { merchant.endpoint { path = function() return ngx.var.http_x_path end } () }
  }
  location = /inner/none { content_by_lua_block { merchant.endpoint {} () } }
  location = /gone { content_by_lua_block {
    ngx.req.read_body()
    os.remove(ngx.req.get_body_file())
    merchant.endpoint() ()
  } }
  location = /unread { content_by_lua_block {
    local read_body = ngx.req.read_body
    ngx.req.read_body = function()
      ngx.req.read_body = read_body
      error "http2 requests are not supported without content-length header"
    end
    merchant.endpoint() ()
  } }
  location = /closed { content_by_lua_block {
    local client = merchant.new_client()
    client:close()
    merchant.endpoint({}, client)()
  } }
  location = /huge { client_max_body_size 64m; content_by_lua_block { merchant.endpoint() () } }
  location = /huge_in_memory {
    client_max_body_size 64m;
    client_body_buffer_size 64m;
    content_by_lua_block { merchant.endpoint() () }
  }
  location = /rewritten { rewrite ^ /alipayhk/notify last; }
  location = /wrong { content_by_lua_block {
    local nothing, name = {}, ngx.var.arg_name
    local given = {
      handler = { merchant.client, "f" }, no_handler = { merchant.client },
      client = { "client", merchant.handle }, no_client = { nothing, merchant.handle },
      unknown = { merchant.client, merchant.handle, { max_age = 60000 } },
      path = { merchant.client, merchant.handle, { path = 7 } },
      max_age_ms = { merchant.client, merchant.handle, { max_age_ms = "60000" } },
      negative = { merchant.client, merchant.handle, { max_age_ms = -1 } },
      deliveries = { merchant.client, merchant.handle, { deliveries = true } },
      no_dict = { merchant.client, merchant.handle, { deliveries = "nobody_has_it" } },
      opts = { merchant.client, merchant.handle, "opts" },
    }
    local a, b, c = given[name][1], given[name][2], given[name][3]
    if a == nothing then a = nil end
    local ran, message = pcall(function() require("alipayhk.nginx").endpoint(a, b, c) end)
    ngx.print(ran and "made" or message)
  } }
]]

-- AlipayHK's key is here one that nothing can be sealed for.
local UNSEALABLE = [[
  location = /unsealable { content_by_lua_block {
    local client = assert(require("alipayhk").new { client_id = "%s", base_url = "https://gateway.example",
      private_key = { file = "%s" }, alipay_public_key = { file = "%s" } })
    merchant.endpoint({}, client)()
  } }
]]

local server

-- A call with an id of its own, and how often that has been handled.
local number = 0
local function make(act, with)
  number = number + 1
  with = with or {}
  local id = ("call-%d"):format(number)
  local body = { id = id, act = act, requestId = id }
  for name, value in pairs(with.payload or {}) do body[name] = value end
  with.body = json.encode(body)
  with.payload = nil
  return calls.make(with), id
end

describe("an endpoint", function()
  setup(function()
    server = endpoint.start(LOCATIONS .. UNSEALABLE:format(calls.CLIENT_ID, calls.merchant("rsa").private,
      calls.alipayhk("p224").public))
  end)
  teardown(function() server:stop() end)

  it("hands a call over, and answers with a success that is signed", function()
    local call, id = make("true", { path = "/alipayhk/notify?a=1&b=%20x" })
    local reply = server:call(call)
    assert.same(SUCCESS, endpoint.result(call, reply))
    assert.equal(1, server:handled(id))
    assert.equal(calls.CLIENT_ID, reply.headers["client-id"])
    assert.equal("application/json; charset=UTF-8", reply.headers["content-type"])
    assert.equal(tostring(#reply.body), reply.headers["content-length"])
    assert.same(json.decode(call.body), server:handled("payload"))
    assert.same({ method = "POST", path = call.path, body = call.body, signature = call.headers["Signature"] },
      server:handled("request"))
  end)

  it("takes calls of every size, in memory or in a file", function()
    for _, size in ipairs { 200, 1023, 1024, 1025, 5000, 70000, 300 * 1024 } do
      local call, id = make("true", { payload = { filler = "" } })
      call = calls.make { body = (call.body:gsub('"filler":""', '"filler":"' .. ("x"):rep(size - #call.body) .. '"')) }
      assert.equal(size, #call.body)
      assert.same(SUCCESS, server:ask(call))
      assert.equal(1, server:handled(id))
      assert.is_true(call.body == server:handled("request").body)
    end
  end)

  it("says that nginx failed where the body's file is gone", function()
    local call, id = make("true", { path = "/gone", payload = { filler = ("x"):rep(3000) } })
    assert.equal(500, server:call(call).status)
    assert.equal(0, server:handled(id))
    assert.matches("%[error%][^\n]*alipayhk.nginx: the body's file cannot be read", server.nginx.log())
  end)

  it("says that nginx failed where it throws instead of reading the body", function()
    local call, id = make("true", { path = "/unread" })
    assert.equal(500, server:call(call).status)
    assert.equal(0, server:handled(id))
    assert.matches("%[error%][^\n]*alipayhk.nginx: the call's body cannot be read: [^\n]*content%-length",
      server.nginx.log())
  end)

  it("says that nginx failed where the reply cannot be encrypted", function()
    local call, id = make("true", { path = "/unsealable", key = "p224", encrypt = {} })
    assert.equal(500, server:call(call).status)
    assert.equal(1, server:handled(id))
    assert.matches("%[error%][^\n]*alipayhk: crypto", server.nginx.log())
  end)

  it("takes a call in chunks", function()
    local call, id = make("true", { payload = { filler = ("x"):rep(3000) } })
    local chunks = ("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n"):format(10, call.body:sub(1, 10), #call.body - 10,
      call.body:sub(11))
    local reply = server:exchange({ endpoint.bytes(call, { "Transfer-Encoding: chunked", chunked = chunks }) })[1]
    assert.same(SUCCESS, endpoint.result(call, { status = reply.status, headers = reply.headers,
      body = reply.body }))
    assert.equal(1, server:handled(id))
  end)

  it("does not mind other headers that come twice", function()
    local call, id = make("true")
    local reply = server:exchange({ endpoint.bytes(call, { "Via: 1.1 one", "Via: 1.1 two" }) })
    assert.same(SUCCESS, endpoint.result(call, reply[1]))
    assert.equal(1, server:handled(id))
  end)

  -- What stands before the call's own.
  local function after_headers(call, count)
    local lines = {}
    for i = 1, count do lines[i] = ("x-%d: y"):format(i) end
    local bytes = endpoint.bytes(call)
    return bytes:gsub("\r\n", "\r\n" .. table.concat(lines, "\r\n") .. "\r\n", 1)
  end

  it("sees the signature behind a hundred other headers", function()
    for _, count in ipairs { 90, 100, 101, 300, 480 } do
      local call, id = make("true")
      assert.same(SUCCESS, endpoint.result(call, server:exchange({ (after_headers(call, count)) })[1]))
      assert.equal(1, server:handled(id))
    end
  end)

  it("refuses a call that has headers beyond measure, and logs why", function()
    local call, id = make("true")
    assert.equal(400, server:exchange({ (after_headers(call, 501)) })[1].status)
    assert.equal(0, server:handled(id))
    assert.matches("%[error%][^\n]*it has more than 500 headers", server.nginx.log())
  end)

  it("answers an encrypted call with an encrypted reply", function()
    local call, id = make("result", { encrypt = {},
      payload = { result = { resultCode = "A", resultStatus = "S", resultMessage = "電" } } })
    local reply = server:call(call)
    assert.same({ resultCode = "A", resultStatus = "S", resultMessage = "電" }, endpoint.result(call, reply))
    assert.is_string(reply.headers["encrypt"])
    assert.equal(1, server:handled(id))
  end)

  -- ---- refusals --------------------------------------------------------------------------------

  local function spoilt(change)
    return function(call)
      change(call)
      return call
    end
  end

  local REFUSED = {
    ["unsigned"] = spoilt(function(call) call.headers["Signature"] = nil end),
    ["without a time"] = spoilt(function(call) call.headers["Request-Time"] = nil end),
    ["for another client"] = spoilt(function(call) call.headers["Client-Id"] = "ANOTHER" end),
    ["changed"] = spoilt(function(call) call.body = call.body:gsub('"true"', '"none"') end),
    ["with another query string"] = spoilt(function(call) call.path = call.path .. "?a=1" end),
    ["of a stranger"] = function(call) return calls.make { body = call.body, key = keys.pair("stranger").private } end,
  }
  for _, title in ipairs(sorted_keys(REFUSED)) do
    it("refuses a call that is " .. title .. ", and tells the merchant nothing", function()
      local call, id = make("true")
      call = REFUSED[title](call)
      local result = server:refused(call)
      assert.equal("INVALID_SIGNATURE", result.resultCode)
      assert.equal("F", result.resultStatus)
      assert.equal(0, server:handled(id))
    end)
  end

  it("says of a call that was compressed on its way that this is so, instead of blaming the key", function()
    local call, id = make("true")
    call.headers["Content-Encoding"] = "gzip"
    call.body = "\31\139\8 not what was signed"
    assert.equal("INVALID_SIGNATURE", server:refused(call).resultCode)
    assert.equal(0, server:handled(id))
    assert.matches("Content-Encoding gzip, which nobody asked for", server.nginx.log(), 1, true)
  end)

  it("refuses a call by another method", function()
    local call, id = make("true")
    call.method = "PUT"
    local reply = server:exchange({ endpoint.bytes(call) })[1]
    assert.equal("INVALID_SIGNATURE", endpoint.refusal(reply).resultCode)
    assert.equal(0, server:handled(id))
  end)

  it("refuses a call with two signatures", function()
    local call, id = make("true")
    local reply = server:exchange({ endpoint.bytes(call, { "Signature: " .. call.headers["Signature"] }) })[1]
    assert.equal("INVALID_SIGNATURE", endpoint.refusal(reply).resultCode)
    assert.equal(0, server:handled(id))
  end)

  it("refuses what is stale, where it is told to", function()
    for _, seconds in ipairs { -3600, -90, 90, 3600 } do
      local time = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + seconds)
      local call, id = make("true", { path = "/fresh", time = time })
      assert.equal("INVALID_SIGNATURE", server:refused(call).resultCode)
      assert.equal(0, server:handled(id))
      assert.same(SUCCESS, server:ask((make("true", { time = time }))))
    end
    local call, id = make("true", { path = "/fresh" })
    assert.same(SUCCESS, server:ask(call))
    assert.equal(1, server:handled(id))
  end)

  for _, body in ipairs { "", "[1]", "x", '"x"', "null" } do
    it(("refuses the body %q"):format(body), function()
      local result = server:ask(calls.make { body = body })
      assert.equal("PARAM_ILLEGAL", result.resultCode)
      assert.equal("F", result.resultStatus)
    end)
  end

  it("refuses what it cannot open", function()
    local result = server:ask(calls.make { headers = { ["Encrypt"] = "algorithm=RSA_AES,symmetricKey=AAAA" } })
    assert.equal("PARAM_ILLEGAL", result.resultCode)
  end)

  -- ---- what the merchant's function says -------------------------------------------------------

  for _, act in ipairs { "true", "nothing", "sleep" } do
    it("answers S where the function succeeds: " .. act, function()
      local call, id = make(act)
      assert.same(SUCCESS, server:ask(call))
      assert.equal(1, server:handled(id))
    end)
  end

  for _, status in ipairs { "S", "F", "U" } do
    it("answers with the function's own result: " .. status, function()
      local result = { resultCode = "CODE_" .. status, resultStatus = status, resultMessage = 'a "message"' }
      assert.same(result, server:ask((make("result", { payload = { result = result } }))))
    end)
  end

  for _, act in ipairs {
    "false", "false and why", "nil alone", "nil and why", "throw", "throw a table", "throw what gives no text",
    "throw what gives a table", "throw nothing", "trip", "sleep and throw",
    "unwritable", "no code", "no status", "a number as status",
  } do
    it("answers U where the function fails, to be called again: " .. act, function()
      local call, id = make(act)
      local reply = server:call(call)
      local result = endpoint.result(call, reply)
      assert.equal("UNKNOWN_EXCEPTION", result.resultCode)
      assert.equal("U", result.resultStatus)
      assert.is_nil(reply.body:find("secret", 1, true))
      assert.equal(1, server:handled(id))
    end)
  end

  it("answers with all of a result that JSON can carry", function()
    local result = { resultCode = "A", resultStatus = "S", ratio = 0.5, nothing = json.null }
    assert.same(result, server:ask((make("result", { payload = { result = result } }))))
  end)

  it("says that nginx failed once its client is closed, and hands nothing over", function()
    local call, id = make("true", { path = "/closed" })
    assert.equal(500, server:call(call).status)
    assert.equal(0, server:handled(id))
    assert.matches("%[error%][^\n]*alipayhk.nginx: the client is closed", server.nginx.log())
  end)

  it("logs why the function failed", function()
    server:ask((make("nil and why")))
    assert.matches("%[error%][^\n]*secret reason", server.nginx.log())
  end)

  it("logs what the function says in one line", function()
    server:ask((make("nil and lines")))
    assert.matches("\n[^\n]*%[error%][^\n]*first line second line third line", server.nginx.log())
  end)

  it("logs a long text up to the end of one of its characters", function()
    for offset = 0, 2 do
      server:ask((make("nil and a long text", { payload = { offset = offset } })))
      local shown, behind = server.nginx.log():match("again: " .. ("x"):rep(offset) .. "(電[^,\n]*),([^\n]*)")
      assert.equal(0, #shown % 3)
      assert.is_true(#shown > 1000)
      -- What nginx adds is there, too.
      assert.matches("request: ", behind, 1, true)
    end
  end)

  -- ---- where AlipayHK calls ----------------------------------------------------------------------

  for _, way in ipairs { "string", "function" } do
    it("knows the path that AlipayHK called by a " .. way, function()
      local call, id = make("true", { path = "/outer/" .. way .. "?a=1" })
      assert.same(SUCCESS, server:ask(call))
      assert.equal(1, server:handled(id))
      assert.equal(call.path, server:handled("request").path)
      call = make("true", { path = "/outer/" .. way .. "?a=2" })
      if way == "string" then
        assert.equal("INVALID_SIGNATURE", server:refused(call).resultCode)
      else
        assert.same(SUCCESS, server:ask(call))
      end
    end)
  end

  it("cannot know it by itself behind a proxy that rewrites it", function()
    local call, id = make("true", { path = "/outer/none?a=1" })
    assert.equal("INVALID_SIGNATURE", server:refused(call).resultCode)
    assert.equal(0, server:handled(id))
    assert.matches("path", server.nginx.log():match("[^\n]*the call is refused[^\n]*"), 1, true)
  end)

  it("knows it by itself where nginx rewrites within", function()
    assert.same(SUCCESS, server:ask((make("true", { path = "/rewritten?a=1" }))))
  end)

  for _, path in ipairs { "/huge", "/huge_in_memory" } do
    it("takes no call beyond measure, whatever nginx takes: " .. path, function()
      local call = { method = "POST", path = path, headers = {}, body = ("x"):rep(32 * 1024 * 1024) }
      assert.equal("INVALID_SIGNATURE", server:refused(call).resultCode)
      call.body = call.body .. "x"
      assert.equal(413, server:call(call).status)
    end)
  end

  -- ---- mistakes ----------------------------------------------------------------------------------

  local WRONG = {
    handler = "handler", no_handler = "handler", client = "client", no_client = "client", unknown = "max_age",
    path = "path", max_age_ms = "max_age_ms", negative = "max_age_ms", deliveries = "deliveries",
    no_dict = "lua_shared_dict nobody_has_it", opts = "opts",
  }
  for _, name in ipairs(sorted_keys(WRONG)) do
    it("is not made with wrong arguments: " .. name, function()
      local message = server:post("/wrong?name=" .. name)
      assert.matches("^content_by_lua.-:%d+: ", message)
      assert.matches(WRONG[name], message, 1, true)
    end)
  end

  it("makes nginx log no alert and no handler that died", function() assert.is_nil(server:complaint()) end)
end)

describe("an endpoint whose shared dictionary is missing", function()
  it("keeps nginx from starting, and says what is missing", function()
    local ran, message = pcall(nginx.start, {
      http = [[init_by_lua_block {
        local client = assert(require("alipayhk").new { client_id = "x", base_url = "https://gateway.example",
          private_key = { file = "]] .. calls.merchant("rsa").private .. [[" }, verify_response = false })
        require("alipayhk.nginx").endpoint(client, print, { deliveries = "nobody_has_it" })
      }]],
    })
    assert.is_false(ran)
    assert.matches("lua_shared_dict nobody_has_it", message, 1, true)
  end)
end)
