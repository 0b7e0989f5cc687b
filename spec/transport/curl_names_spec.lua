-- A resolver that says nothing: what was given in time is kept all the same.

local child = require "spec.support.child"
local only_with = require "spec.support.asserting.only_with"
local shell = require "spec.support.shell"

local BUILD = "${CC:-cc} -std=c11 -D_GNU_SOURCE -shared -fPIC -o %s spec/support/programs/slow_names.c -ldl"
local RESOLVER_SECONDS = 5

-- libcurl before 7.87 waits for its resolver's thread.
local has_quick_exit = select(2, shell.run("${PKG_CONFIG:-pkg-config} --atleast-version=7.87.0 libcurl")) == 0

-- Prints, for each of three sends: code, milliseconds, message.
local CHUNK = [[
local core = require "alipayhk.core"
local request = require "spec.support.servers.request"
local transport = require "alipayhk.curl".new()
local cases = {
  { timeout_ms = 300 },
  { connect_timeout_ms = 200 },
  { timeout_ms = 300, proxy = "http://proxy.invalid:1" },
}
for _, fields in ipairs(cases) do
  local before = core.monotonic()
  local _, failure = transport:send(request("https://silent.invalid/", fields))
  print(("%s %.0f %s"):format(failure.code, (core.monotonic() - before) * 1000, failure.message))
end
transport:close()
]]

describe("a silent resolver under curl", function()
  local it_quick = only_with(has_quick_exit, "needs libcurl 7.87", it, pending)

  it_quick("costs no more time than was given", function()
    local library = shell.directory() .. "/slow_names.so"
    shell.must(BUILD:format(shell.quote(library)))
    local output, status = child.run(CHUNK, {}, {
      "LD_PRELOAD=" .. library,
      "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0",
      "SLOW_NAMES_SECONDS=" .. RESOLVER_SECONDS,
    })
    assert.equal(0, status, output)
    local count = 0
    for code, elapsed, message in output:gmatch("([a-z]+) ([0-9]+) ([^\n]+)\n") do
      count = count + 1
      assert.equal("timeout", code)
      assert.is_true(tonumber(elapsed) < RESOLVER_SECONDS * 1000 / 2, output)
      assert.matches("while a name was looked up", message, 1, true)
      assert.matches(count == 2 and "`connect_timeout_ms`" or "`timeout_ms`", message, 1, true)
    end
    assert.equal(3, count, output)
  end)
end)
