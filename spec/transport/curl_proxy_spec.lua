local child = require "spec.support.child"
local curl_session = require "spec.support.servers.curl_session"
local request = require "spec.support.servers.request"
local shell = require "spec.support.shell"

-- url, CA file, proxy ("" for none)
local PROGRAM = [[
local url, ca_file, proxy = ...
local given = require "spec.support.servers.request"(url, {
  tls = { ca_file = ca_file },
  proxy = proxy ~= "" and proxy or nil,
})
local curl = require "alipayhk.curl"
local response, failure
%s
print(response and response.status or failure.message)
]]

local SEND = PROGRAM:format("response, failure = curl.new():send(given)")

-- The same, as one of many.
local SEND_AMONG_MANY = PROGRAM:format [[
local multi, tag = curl.multi(1), nil
multi:start(given, "tag")
repeat
  multi:wait(100)
  tag, response, failure = multi:finished()
until tag]]

describe("the environment of curl", function()
  local session = curl_session()

  -- The listeners that requests came through, in order.
  local function hops()
    local listeners = {}
    for i, entry in ipairs(session.gateway:log()) do listeners[i] = entry.listener end
    return listeners
  end

  -- Sends from a process with this environment.
  local function send_with(env, listener, proxy)
    local gateway = session.gateway
    local output, status = child.run(SEND, { gateway:url("/ok", listener), gateway.ca_file, proxy or "" }, env)
    assert.equal("200\n", output)
    assert.equal(0, status)
  end

  for _, listener in ipairs{ "http", "https", "h2" } do
    it("has a proxy when one is given, over " .. listener, function()
      for _ = 1, 2 do session:must_send("/ok", listener, { proxy = session.gateway:url("", "proxy") }) end
      local through_tunnel = { "proxy", listener, listener }
      local forwarded = { "proxy", "http", "proxy", "http" }
      assert.same(listener == "http" and forwarded or through_tunnel, hops())
    end)
  end

  it("keeps a proxy's answer out of the gateway's", function()
    local response = session:must_send("/ok", "https", { proxy = session.gateway:url("", "proxy") })
    assert.equal(200, response.status)
    assert.is_nil(response.headers["x-proxy"])
  end)

  it("does not reach the gateway when the proxy cannot", function()
    local closed = session.gateway:url("/ok", "closed"):gsub("^http:", "https:")
    local response, failure = session.transport:send(request(closed, { proxy = session.gateway:url("", "proxy") }))
    assert.is_nil(response)
    assert.is_string(failure.code)
    assert.same({ "proxy" }, hops())
  end)

  -- Every case: the variable, the URL that it is for, whether send() has to ask for it.
  local VARIABLES = {
    { name = "http_proxy", listener = "http" },
    { name = "https_proxy", listener = "https" },
    { name = "HTTPS_PROXY", listener = "https" },
    { name = "all_proxy", listener = "https" },
    { name = "ALL_PROXY", listener = "http" },
  }

  for _, variable in ipairs(VARIABLES) do
    local function env()
      return { "-u", "no_proxy", "-u", "NO_PROXY", variable.name .. "=" .. session.gateway:url("", "proxy") }
    end

    it(("has no proxy because of %s over %s"):format(variable.name, variable.listener), function()
      send_with(env(), variable.listener)
      assert.same({ variable.listener }, hops())
    end)

    it(("has the proxy of %s over %s when that is asked for"):format(variable.name, variable.listener), function()
      send_with(env(), variable.listener, "environment")
      assert.same({ "proxy", variable.listener }, hops())
    end)
  end

  it("has no proxy for what no_proxy names when the environment is asked for", function()
    send_with({ "http_proxy=" .. session.gateway:url("", "proxy"), "no_proxy=127.0.0.1" }, "http", "environment")
    assert.same({ "http" }, hops())
  end)

  it("has the given proxy whatever no_proxy names", function()
    send_with({ "no_proxy=127.0.0.1", "NO_PROXY=*" }, "http", session.gateway:url("", "proxy"))
    assert.same({ "proxy", "http" }, hops())
  end)

  it("has no password out of .netrc", function()
    local home = shell.directory()
    shell.write(home .. "/.netrc", "machine 127.0.0.1 login merchant password secret\n")
    shell.must("chmod 600 " .. shell.quote(home .. "/.netrc"))
    send_with({ "HOME=" .. home }, "http")
    assert.is_nil(session.gateway:log()[1].headers.authorization)
  end)
end)

describe("a proxy whose credentials hold a control character", function()
  local session = curl_session()

  for _, byte in ipairs { "%00", "%0a", "%0D", "%1f", "%7F" } do
    it("is no reason to go without it: " .. byte, function()
      local gateway = session.gateway
      local proxy = gateway:url("", "proxy"):gsub("^http://", function() return "http://user:pw" .. byte .. "@" end)
      for _, case in ipairs { { {}, proxy }, { { "https_proxy=" .. proxy }, "environment" } } do
        for _, program in ipairs { SEND, SEND_AMONG_MANY } do
          local arguments = { gateway:url("/ok", "https"), gateway.ca_file, case[2] }
          local output, status = child.run(program, arguments, case[1])
          assert.equal(0, status)
          assert.matches("Nothing was sent", output, 1, true)
          assert.is_nil(output:find("pw", 1, true))
        end
      end
      assert.same({}, gateway:log())
    end)
  end

  it("nor does one that cannot be read show its password", function()
    for _, proxy in ipairs { "us:hunter2", "http://us:hunter2" } do
      local arguments = { session.gateway:url("/ok", "https"), session.gateway.ca_file, "environment" }
      local output = child.run(SEND, arguments, { "https_proxy=" .. proxy })
      assert.is_nil(output:find("hunter2", 1, true), output)
      assert.matches("cannot be read", output, 1, true)
    end
  end)
end)
