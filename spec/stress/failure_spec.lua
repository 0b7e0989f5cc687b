-- The N-th allocation of Lua, OpenSSL, libcurl, SQLite, libhiredis or our C fails, or the N-th system call of them all,
-- for every N: see spec/support/stress/failures.lua.

local key_inputs = require "spec.support.stress.key_inputs"
local order_inputs = require "spec.support.stress.order_inputs"
local redis_server = require "spec.support.servers.redis"
local run = require "spec.support.stress.run"
local server = require "spec.support.servers.server"
local shell = require "spec.support.shell"

-- How many points of each call fail: so many at either end, so many in between, or all of them. What OpenSSL and
-- libcurl do is the same in every Lua, so one of them has more. An order's whole way takes a second where it has to
-- wait, so it has less: others of its points each time.
local ALL, MANY, FEW = {}, { edge = "15", points = "20" }, { edge = "8", points = "5" }
-- A delivery goes on for five seconds over a store that is gone: of that few points.
local ORDERS = { { except = "deliver" }, { only = "deliver", skipped = "all system" } }
if run.is_long then ORDERS[3] = { only = "deliver", sweeps = "all system", edge = "5", points = "20", least = 20 } end
local SOME, WHOLE_WAY = { edge = "20", points = "200" }, { edge = "1", points = "3" }

-- The calls that send, as one run of the driver each: a server of the specs lives two minutes.
local SENDS = { { only = "^send" } }
if run.is_long then
  SENDS = { { only = "^send http$" }, { only = "^send again" }, { only = "^send for" }, { only = "^send to" } }
  for _, mode in ipairs { "one", "all" } do SENDS[#SENDS + 1] = { only = "^send https$", sweeps = mode } end
end

local function inputs(lua, more, gateway)
  local given = key_inputs(gateway)
  local is_first = lua == run.luas[1]
  local some = run.is_long and (is_first and ALL or MANY) or is_first and MANY or FEW
  given.edge, given.points = some.edge, some.points
  for name, value in pairs(more) do given[name] = value end
  return given
end

describe("an allocation or a system call that fails", function()
  for _, lua in ipairs(run.luas) do
    local in_lua = " (Lua " .. lua .. ")"

    it("ends in a clean error: keys, signatures, RSA_AES, codecs, databases" .. in_lua, function()
      local result = run.driver(lua, "failures", inputs(lua, { except = "^send" }))
      assert.same({}, result.faults)
      assert.is_true(result.points > 1000)
    end)

    it("ends in a clean error: sending" .. in_lua, function()
      for _, send in ipairs(SENDS) do
        local gateway = server.start()
        local result = run.driver(lua, "failures", inputs(lua, send, gateway))
        gateway:stop()
        assert.same({}, result.faults)
        assert.is_true(result.points > 0)
      end
    end)

    it("ends in a clean error, and no yes is lost: calls, batches, outboxes" .. in_lua, function()
      if lua ~= run.luas[1] and not run.is_long then return end
      local store, wanted = redis_server.start { tls = true }, run.is_long and SOME or WHOLE_WAY
      local given = order_inputs(store)
      given.offset = os.time()
      for _, part in ipairs(ORDERS) do
        given.only, given.except, given.skipped, given.sweeps = part.only, part.except, part.skipped, part.sweeps
        given.edge, given.points = part.edge or wanted.edge, part.points or wanted.points
        local result = run.driver(lua, "failures", given)
        assert.same({}, result.faults)
        assert.is_true(result.points > (part.least or 50))
      end
      store.stop()
    end)

    -- What the driver says of a mistake that was planted.
    local function said_of(name)
      local driven = { cases = "spec.support.stress.planted_failures", only = "^" .. name .. "$" }
      return table.concat(run.driver(lua, "failures", driven).faults, "\n")
    end

    it("would be seen to crash, leak, lie or show what nobody wrote" .. in_lua, function()
      local unset = said_of("unset_error")
      assert.truthy(unset:find("stack-buffer-overflow", 1, true) or unset:find("nobody wrote", 1, true), unset)
      assert.truthy(said_of("leak"):find("leaves 1 blocks of C each time", 1, true))
      assert.truthy(said_of("leak_by_longjmp"):find("leaves 1 blocks of C each time", 1, true))
      if run.is_sanitized then assert.truthy(said_of("leak_uncounted"):find("in planted_leak_uncounted", 1, true)) end
      assert.truthy(said_of("verify"):find("gives false", 1, true))
      assert.truthy(said_of("unchecked"):find("died", 1, true))
      assert.truthy(said_of("throw"):find("throws out of memory", 1, true))
      assert.truthy(said_of("leak_descriptor"):find("leaves 1 descriptors each time", 1, true))
      assert.truthy(said_of("unsynced"):find("(fsync): says yes", 1, true))
      assert.truthy(said_of("unread"):find("(read): gives false", 1, true))
    end)
  end

  -- Calls that our own code makes, and that do not fail where they are used as they should be.
  local SAFE = {
    "clock_gettime", "dladdr", "dladdr1", "dlopen", "dlsym", "freeaddrinfo", "freelocale", "gai_strerror", "getenv",
    "geteuid", "getpid", "localeconv", "pthread_cond_broadcast", "pthread_cond_destroy", "pthread_cond_init",
    "pthread_cond_signal", "pthread_cond_wait", "pthread_join", "pthread_mutex_destroy", "pthread_mutex_init",
    "pthread_mutex_lock", "pthread_mutex_unlock", "pthread_once", "pthread_sigmask", "shutdown", "sigaction",
    "sigaddset", "sigemptyset", "sigfillset", "sigismember", "signal", "sigpending", "sigtimedwait", "strerror",
    "sysconf", "timegm", "uselocale",
  }
  -- What only computes, and what is other libraries' than the system's; allocations are faults.c's.
  local OTHERS = {
    "^lua", "^SSL", "^EVP_", "^BIO_", "^BN_", "^ERR_", "^OPENSSL_", "^CRYPTO_", "^curl_", "^sqlite3_", "^EC", "^RSA",
    "^X509", "^PEM_", "^ASN1", "^d2i_", "^i2d_", "^OSSL", "^PKCS", "^redis", "^_", "^OBJ_", "^OpenSSL", "^RAND_",
    "^TLS_", "^freeReply", "^mem", "^str", "^[v]?snprintf$", "^[mc]alloc$", "^realloc$", "^free$",
  }

  it("has every system call that we make", function()
    local known, unknown = {}, {}
    for _, name in ipairs(SAFE) do known[name] = true end
    for name in shell.read("spec/support/stress/calls.c"):gmatch("[%w_]+") do known[name] = true end
    shell.must("make -s build LUA=5.4")
    for name in shell.must("nm -D -u build/5.4/alipayhk/*.so"):gmatch(" [Uw] ([%w_]+)") do
      local is_other = known[name]
      for _, pattern in ipairs(OTHERS) do is_other = is_other or name:find(pattern) end
      if not is_other then unknown[#unknown + 1] = name end
    end
    assert.same({}, unknown)
  end)
end)
