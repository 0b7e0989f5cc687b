-- The threads that sign and verify: the C alone under the sanitizers, and core.pool.

local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local keys = require "spec.support.data.keys"
local shell = require "spec.support.shell"

local BUILD = "${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=%s -o %s spec/support/programs/pool_threads.c"
  .. " csrc/pool/*.c csrc/base/*.c csrc/crypto/*.c $(pkg-config --cflags --libs libcrypto) -ldl -pthread 2>&1"

for _, sanitizer in ipairs { "thread", "address,undefined" } do
  describe("the pool under -fsanitize=" .. sanitizer, function()
    local program

    setup(function()
      program = shell.directory() .. "/pool_threads"
      shell.must(BUILD:format(sanitizer, shell.quote(program)))
    end)

    for _, algorithm in ipairs { "p224", "rsa" } do
      it("signs and verifies, ends early, and does nothing in a child: " .. algorithm, function()
        local pair = keys.pair("merchant", algorithm)
        local said, status = shell.run(("%s %s %s 1000 2>&1"):format(shell.quote(program), shell.quote(pair.private),
          shell.quote(pair.public)))
        assert.equal("0 complaints\n", said)
        assert.equal(0, status)
      end)
    end
  end)
end

describe("core.pool", function()
  local private, public = {}, {}
  for _, algorithm in ipairs { "rsa", "p224" } do
    local pair = keys.pair("merchant", algorithm)
    private[algorithm] = assert(core.private_key { file = pair.private })
    public[algorithm] = assert(core.public_key { file = pair.public })
  end

  -- What comes of the jobs of a pool, by tag; nil stands as "nil".
  local function results(pool, count)
    local multi, found, left = curl.multi(1), {}, count
    while left > 0 do
      local tag, result, message = pool:finished()
      if tag then
        found[tag], left = { result == nil and "nil" or result, message }, left - 1
      else
        multi:wait(10000, pool:fd())
      end
    end
    return found
  end

  it("signs as the key does, each with its own options", function()
    local pool = assert(core.pool(2, private.rsa, private.p224))
    assert(pool:sign(1, "text", { digest = "sha256" }, "rsa"))
    assert(pool:sign(2, "text", { digest = "sha224", encoding = "p1363" }, "ec"))
    assert(pool:sign(2, "text", nil, "default"))
    local found = results(pool, 3)
    assert.equal(private.rsa:sign("text"), found.rsa[1])
    assert.is_true(public.p224:verify("text", found.ec[1], { digest = "sha224", encoding = "p1363" }))
    assert.is_true(public.p224:verify("text", found.default[1]))
    pool:close()
  end)

  it("verifies as the key does", function()
    local pool, signature = assert(core.pool(1, public.rsa)), private.rsa:sign("text")
    assert(pool:verify(1, "text", signature, nil, "good"))
    assert(pool:verify(1, "tex", signature, nil, "bad"))
    local found = results(pool, 2)
    assert.same({ { true }, { false } }, { found.good, found.bad })
    pool:close()
  end)

  it("says why a job fails: a public key cannot sign", function()
    local pool = assert(core.pool(1, public.rsa))
    assert(pool:sign(1, "text", nil, "tag"))
    local found = results(pool, 1)
    assert.equal("nil", found.tag[1])
    assert.matches("public key cannot sign", found.tag[2], 1, true)
    pool:close()
  end)

  it("goes on with its own copies when a key is closed", function()
    local key = assert(core.private_key { file = keys.pair("merchant").private })
    local pool = assert(core.pool(1, key))
    key:close()
    assert(pool:sign(1, "text", nil, "tag"))
    assert.is_true(public.rsa:verify("text", results(pool, 1).tag[1]))
    pool:close()
  end)

  it("keeps nothing alive, and ends with jobs left, by close and by collection", function()
    local function threads() return tonumber(shell.read("/proc/self/status"):match("Threads:%s*(%d+)")) end
    -- ThreadSanitizer has a thread of its own, too, from the first that there is.
    local first = assert(core.pool(1, private.p224))
    assert(first:sign(1, "text", nil, 1))
    first:close()
    collectgarbage()
    local before = threads()
    for _ = 1, 20 do
      local pool = assert(core.pool(2, private.p224))
      for i = 1, 50 do assert(pool:sign(1, ("text %d"):format(i), nil, i)) end
      if math.random(2) == 1 then pool:close() end
      collectgarbage()
    end
    collectgarbage()
    assert.equal(before, threads())
  end)

  it("has nothing that a command inherits which is started beside it", function()
    local function inherited()
      collectgarbage() -- what others left open
      return shell.run "ls /proc/self/fd | wc -l"
    end
    local before = inherited()
    local pool = assert(core.pool(1, private.p224))
    assert.equal(before, inherited())
    pool:close()
  end)

  it("throws for what is none of its arguments", function()
    local pool = assert(core.pool(1, private.rsa))
    assert.error_matches(function() core.pool(0, private.rsa) end, "1 to 64", 1, true)
    assert.error_matches(function() core.pool(1) end, "keys", 1, true)
    assert.error_matches(function() core.pool(1, {}) end, "alipayhk.key", 1, true)
    assert.error_matches(function() pool:sign(2, "text", nil, 1) end, "no such key", 1, true)
    assert.error_matches(function() pool:sign(1, "text", { digest = "md5" }, 1) end, "unknown value", 1, true)
    pool:close()
    assert.error_matches(function() pool:sign(1, "text", nil, 1) end, "closed", 1, true)
  end)
end)
