-- The README's nginx handler in a real nginx, and what holds for the client inside it.

local curl = require "alipayhk.curl"
local gateway = require "spec.support.servers.gateway"
local json = require "cjson"
local nginx = require "spec.support.servers.nginx"
local readme = require "spec.support.sources.readme"
local recipe = require "spec.support.servers.recipe"
local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local HTTP = [[
  lua_ssl_trusted_certificate %s;
  lua_ssl_verify_depth 3;
  init_by_lua_block {
    alipayhk = require "alipayhk"
    function config(extra)
      local made = { client_id = "%s", base_url = "%s", private_key = { file = "%s" },
        alipay_public_key = { file = "%s" } }
      for key, value in pairs(extra or {}) do made[key] = value end
      return made
    end
    made_in_master = assert(alipayhk.new(config { retry = false }))
    order = { merchantBizNo = "NGINX-1", merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", userId = "1",
      orderCreateTime = 1716338541000, extInfo = {} }
    function say(response, err) ngx.say(response and response.result.resultCode or tostring(err)) end
  }
]]

local SERVER = [[
  location = /master { content_by_lua_block { say(made_in_master:sync_order(order)) } }
  location = /encrypted { content_by_lua_block { say(made_in_master:sync_order(order, { encrypt = true })) } }
  location = /reuse { content_by_lua_block {
    say(made_in_master:sync_order(order))
    ngx.say(made_in_master:sync_order(order).timing.tls_ms)
  } }
  location = /retry { content_by_lua_block {
    local client = assert(alipayhk.new(config { base_url = "https://127.0.0.1:1",
      retry = { max_attempts = 2, base_delay_ms = 10 } }))
    say(client:sync_order(order))
  } }
  location = /phase {
    set $answer "";
    content_by_lua_block { ngx.say("") }
    header_filter_by_lua_block {
      local _, err = made_in_master:sync_order(order)
      ngx.header["X-Error"] = err.code .. ": " .. err.message
    }
  }
  location = /curl { content_by_lua_block { say(alipayhk.new(config { transport = "curl" })) } }
  location = /ca { content_by_lua_block { say(alipayhk.new(config { tls = { ca_file = "x" } })) } }
  location = /settings { content_by_lua_block {
    ngx.req.read_body()
    local client, err = alipayhk.new(config(require("cjson").decode(ngx.req.get_body_data())))
    ngx.print(client and "made" or err.code .. ": " .. err.message)
  } }
  location = /header { content_by_lua_block {
    local request = assert(made_in_master:prepare("order", order))
    request.headers["X-Trace"] = ngx.unescape_uri(ngx.var.arg_value)
    say(made_in_master:send(request))
  } }
  location = /elsewhere { content_by_lua_block {
    local request = assert(made_in_master:prepare("order", order))
    local path = ngx.unescape_uri(ngx.var.arg_path)
    request.url, request.path = request.url:sub(1, -#request.path - 1) .. path, path
    ngx.print(select(2, pcall(made_in_master.send, made_in_master, request)))
  } }
]]

local server, handle

local function http_lines()
  local values = gateway.values()
  return HTTP:format(values.ca_file, values.rsa_client_id, values.base_url, values.rsa_private_key,
    values.rsa_alipay_public_key)
end

local function post(path, body)
  return assert(handle:send {
    method = "POST", url = server.url .. path, headers = {}, body = body or "",
    connect_timeout_ms = 5000, timeout_ms = 10000, max_response_bytes = 65536,
  })
end

-- What an nginx.conf has around the README's lines.
local AROUND = [[
load_module modules/ndk_http_module.so;
load_module modules/ngx_http_lua_module.so;
events { worker_connections 64; }
%s]]

-- The README's block of a language that has a text in it.
local function block_with(language, text)
  local n = 1
  while not readme.block(language, n):find(text, 1, true) do n = n + 1 end
  return readme.block(language, n)
end

describe("the README's handler inside the README's nginx", function()
  local shop

  setup(function()
    local values = gateway.values()
    shop = recipe.start({
      ["handler.lua"] = block_with("lua", "ngx.req.get_body_data"),
      ["nginx.conf"] = AROUND:format(block_with("nginx", 'require("handler")')),
    }, {
      client_id = values.rsa_client_id, base_url = values.base_url, ca_file = values.ca_file,
      files = { ["merchant.pem"] = values.rsa_private_key, ["alipayhk.pem"] = values.rsa_alipay_public_key },
    })
  end)
  teardown(function() shop:stop() end)

  it("syncs an order and answers its caller", function()
    local raw = shop:post_order()
    assert.equal(200, raw.status)
    assert.equal("SUCCESS", json.decode(raw.body).resultCode)
  end)

  it("reads the key as root, so that no worker has to be able to", function()
    local own_uid = shell.run("id -u"):match("%d+")
    for pid in pairs(shop:workers()) do
      local uid = shell.read("/proc/" .. pid .. "/status"):match("\nUid:%s+(%d+)")
      -- Who is no root has no workers of another user.
      assert.equal(own_uid == "0", uid ~= own_uid)
    end
    assert.is_not_nil(next(shop:workers()))
    assert.matches("^%-rw%-%-%-%-%-%-%-", shell.must("ls -l " .. shop.directory .. "/merchant.pem"))
  end)

  it("takes an order of 30 KB, and of a megabyte", function()
    for _, size in ipairs { 30000, 500000, 1000000 } do
      assert.equal(200, shop:post_order({ extInfo = { note = ("x"):rep(size) } }).status)
    end
  end)

  it("names the faults of a payload", function()
    local raw = shop:post("/orders", '{"merchantBizNo":"1"}')
    assert.equal(422, raw.status)
    assert.equal("orderStatus", json.decode(raw.body).fields[1].path)
  end)

  it("refuses what is no order", function()
    assert.equal(400, shop:post("/orders", "[").status)
    assert.equal(400, shop:post("/orders").status)
  end)

  it("has at most fifteen lines", function()
    local _, lines = block_with("lua", "ngx.req.get_body_data"):gsub("\n", "")
    assert.is_true(lines <= 15)
  end)
end)

describe("inside nginx", function()
  setup(function()
    handle = curl.new()
    server = nginx.start { http = http_lines(), server = SERVER }
  end)
  teardown(function()
    server.stop()
    handle:close()
  end)

  it("a client made in the master works in the worker, encrypted too", function()
    assert.equal("SUCCESS\n", post("/master").body)
    assert.equal("SUCCESS\n", post("/encrypted").body)
  end)

  it("connections are kept", function()
    assert.equal("SUCCESS\n0\n", post("/reuse").body)
  end)

  it("a refused connection is an error after its retries", function()
    local body = post("/retry").body
    assert.truthy(body:find("transport/connect", 1, true))
    assert.truthy(body:find("attempts=2", 1, true))
  end)

  it("a phase without cosockets is told so, with the cure", function()
    local raw = post("/phase")
    assert.truthy(raw.headers["x-error"]:find("^phase: "))
    assert.truthy(raw.headers["x-error"]:find("ngx.timer.at", 1, true))
  end)

  it("libcurl and its settings are refused", function()
    assert.truthy(post("/curl").body:find("would block", 1, true))
    assert.truthy(post("/ca").body:find("lua_ssl_trusted_certificate", 1, true))
  end)

  -- Nothing of it may be passed over: who set it relies on it.
  local REFUSED = {
    ["tls.client_cert"] = { tls = { client_cert = "c.pem" } },
    ["tls.client_key"] = { tls = { client_key = "k.pem" } },
    ["tls.pinned_public_key"] = { tls = { pinned_public_key = "sha256//x" } },
    ["tls.min_version"] = { tls = { min_version = "1.3" } },
    ["proxy"] = { proxy = "http://127.0.0.1:3128" },
  }
  for _, path in ipairs(sorted_keys(REFUSED)) do
    it("a setting that cannot be followed is refused: " .. path, function()
      assert.matches("^" .. path .. ": .*inside nginx", post("/settings", json.encode(REFUSED[path])).body)
    end)
  end

  it("a header cannot bring another one along", function()
    assert.equal("SUCCESS\n", post("/header?value=x").body)
    for _, value in ipairs { "x%0D%0AX-Other:y", "x%0Ay", "x%0Dy", "x%00y" } do
      assert.matches("transport/protocol", post("/header?value=" .. value).body, 1, true)
    end
  end)

  it("a path cannot bring a header, another port or another host along", function()
    for _, path in ipairs {
      "/a%20HTTP/1.1%0D%0AX-Other:%20y%0D%0AY:", "1/a", ".other.example/a", "/a%23b", "%3Fx/y", "",
    } do
      assert.matches("its path: expected a path", post("/elsewhere?path=" .. path).body, 1, true)
    end
  end)

  it("nothing of that is an error in nginx's log", function()
    assert.is_nil(server.log():match("%[crit%][^\n]*"))
    assert.is_nil(server.log():match("%[alert%][^\n]*"))
  end)
end)

describe("inside nginx without trusted certificates", function()
  it("the error names the directive", function()
    server = nginx.start {
      http = http_lines():gsub("lua_ssl_trusted_certificate [^;]*;", ""),
      server = SERVER,
    }
    handle = curl.new()
    local body = post("/master").body
    server.stop()
    handle:close()
    assert.truthy(body:find("transport/tls", 1, true))
    assert.truthy(body:find("lua_ssl_trusted_certificate", 1, true))
  end)
end)
