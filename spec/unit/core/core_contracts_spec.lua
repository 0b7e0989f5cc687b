-- Debug builds of the core stop a caller that does not keep to a header's word (csrc/base/contract.h). The same program
-- shows that crypto, json and the head of an answer link without Lua and without libcurl.

local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

local BUILD = "${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -g %s -o %s/contracts spec/support/programs/contracts.c"
  .. " csrc/base/*.c csrc/crypto/*.c csrc/json/*.c csrc/http/buffer.c csrc/http/head.c"
  .. " $(pkg-config --cflags --libs libcrypto) -ldl 2>&1"

local BROKEN = {
  nothing_left = "left > 0", no_data = "in.data", too_long = "64 * 1024", no_half = "AHK_HALF_NONE",
  no_digest = "AHK_DIGESTS", no_room = "sealed->body", over_its_cap = "buffer->max", no_text = "text.data",
  after_the_end = "malformed",
}

describe("a debug build of the core", function()
  local directory

  setup(function()
    directory = shell.directory()
    shell.must(BUILD:format("", shell.quote(directory)))
  end)

  local function run(case)
    return shell.run(("{ (ulimit -c 0; %s/contracts %s); } 2>&1"):format(shell.quote(directory), case))
  end

  for _, case in ipairs(sorted_keys(BROKEN)) do
    it("stops a caller that breaks its contract: " .. case, function()
      local said, status = run(case)
      assert.equal(134, status, said) -- SIGABRT
      assert.matches("Assertion", said, 1, true)
      assert.matches(BROKEN[case], said, 1, true)
    end)
  end

  it("lets others pass", function()
    local said, status = run("kept")
    assert.equal(0, status, said)
  end)
end)

describe("the builds of the Makefile", function()
  local function flags(words)
    local build = shell.quote(shell.directory())
    local command = "make -n build CC=cc BUILD=%s %s 2>/dev/null | grep -m 1 csrc/base/clock.c"
    return shell.must(command:format(build, words))
  end

  it("do not check contracts, unless DEBUG says so", function()
    assert.matches("-DNDEBUG", flags(""), 1, true)
    assert.is_nil(flags("DEBUG=1"):find("-DNDEBUG", 1, true))
  end)

  it("check them under the sanitizers", function()
    local commands = shell.must("make -n build-asan 2>/dev/null")
    assert.matches("DEBUG=1", commands, 1, true)
  end)
end)
