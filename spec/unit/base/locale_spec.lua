-- Under any locale, at any time, the library does and says what it does and says in C.

local child = require "spec.support.child"
local locales = require "spec.support.data.locales"
local server = require "spec.support.servers.server"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local FLOW = [[dofile "spec/support/programs/locale_flow.lua"]]

-- A user's own lua-cjson, loaded under one locale, the library (or nothing) under another, used under a third.
local OWN = [[
  local cjson = require "cjson"
  assert(os.setlocale(arg[1]))
  if arg[3] == "with" then require "alipayhk" end
  assert(os.setlocale(arg[2]))
  local ok, value = pcall(cjson.decode, "[0.5]")
  print(ok and ("%q"):format(value[1]), pcall(cjson.encode, { 1 / 2 }))
]]

-- What libcurl says of connections that break, with the system's words.
local BROKEN = [[
  local curl = require "alipayhk.curl"
  assert(os.setlocale(arg[1]))
  local transport = assert(curl.new())
  for i = 2, #arg do
    local answer, err = transport:send { method = "POST", url = arg[i], headers = {}, body = "x", timeout_ms = 5000,
      connect_timeout_ms = 5000, max_response_bytes = 1000, tls = { ca_file = "/no such file" } }
    print(answer, err.code, err.message)
  end
]]

local path, missing = locales.path()

local function run(chunk, ...)
  -- libp11-kit, which comes with libcurl, calls newlocale as it is loaded; with LOCPATH glibc's leaks a few bytes.
  local output, status = child.run(chunk, { ... }, { "LOCPATH=" .. tostring(path), "ASAN_OPTIONS=detect_leaks=0" })
  assert.equal(0, status, output)
  return output
end

if not path then
  pending("under other locales than C: " .. missing)
  return
end

describe("orders, calls, messages and JSON are as in C", function()
  local wanted

  setup(function()
    wanted = run(FLOW, "C", "C")
    assert.matches("encoded\t[0.5,[1,2]]", wanted, 1, true)
    assert.matches("decoded [10,25]\t{1=10 2=25}", wanted, 1, true)
  end)

  for _, name in ipairs(sorted_keys(locales.NAMES)) do
    it(("in %s: %s"):format(name, locales.NAMES[name]), function()
      assert.equal(wanted, run(FLOW, name, name))
    end)
    it(("in %s, loaded in C"):format(name), function() assert.equal(wanted, run(FLOW, "C", name)) end)
    it(("in C, loaded in %s"):format(name), function() assert.equal(wanted, run(FLOW, name, "C")) end)
  end
end)

describe("the lua-cjson that everybody shares reads and writes as before", function()
  for _, names in ipairs { { "C", "C" }, { "C", "de_DE.UTF-8" }, { "de_DE.UTF-8", "C" },
    { "de_DE.UTF-8", "de_DE.UTF-8" }, { "ps_AF.UTF-8", "C" }, { "ps_AF.UTF-8", "de_DE.UTF-8" } } do
    it(("in %s, the library loaded in %s"):format(names[2], names[1]), function()
      assert.equal(run(OWN, names[1], names[2], "without"), run(OWN, names[1], names[2], "with"))
    end)
  end
end)

describe("a connection that breaks is told of in English", function()
  local peer, urls

  setup(function()
    peer = server.start()
    urls = { peer:url("/reset"), peer:url("/", "https") }
  end)

  teardown(function() peer:stop() end)

  for _, name in ipairs { "de_DE.UTF-8", "tr_TR.ISO-8859-9", "ps_AF.UTF-8" } do
    it("in " .. name, function()
      local wanted = run(BROKEN, "C", urls[1], urls[2])
      assert.matches("Connection reset by peer", wanted, 1, true)
      assert.equal(wanted, run(BROKEN, name, urls[1], urls[2]))
    end)
  end
end)
