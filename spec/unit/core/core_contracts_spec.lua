-- What the core's functions ask of each other (csrc/base/contract.h). Builds with asserts stop a caller that breaks a
-- contract, builds for use do not check. The program under test is linked from the objects of each build, without Lua
-- and without libcurl.

local shell = require "spec.support.shell"
local sorted_keys = require "spec.support.asserting.sorted_keys"

-- What the failed assertion says, by case of spec/support/programs/contracts.c.
local BROKEN = {
  utf8_without_bytes = "left > 0", slice_behind_its_end = "at <= s.length",
  base64_without_bytes = "ahk_slice_is_valid(in)", base64_too_long = "in.length <= ",
  der_without_bytes = "ahk_slice_is_valid(*rest)", signature_without_room = "out != NULL",
  key_without_half = "half != AHK_HALF_NONE", key_text_without_bytes = "input.length > 0",
  key_of_another_type = "numbers->type == AHK_KEY_RSA", sign_without_digest = "options.digest < AHK_DIGESTS",
  seal_without_room = "sealed->body != NULL", buffer_over_its_maximum = "buffer->length <= buffer->max",
  head_not_begun = "head->lines.max == ", head_after_refusal = "head->malformed",
  json_without_bytes = "text.data != NULL", number_without_bytes = "p < end",
}

-- LeakSanitizer would look at what a stopped caller could not free.
local function run(build, case)
  return shell.run(("(ulimit -c 0; ASAN_OPTIONS=detect_leaks=0 build/%s/contracts %s; exit $?)"):format(build, case))
end

describe("a build with asserts", function()
  setup(function() shell.must("make -s build-asan") end)

  for _, case in ipairs(sorted_keys(BROKEN)) do
    it("stops a caller that breaks a contract: " .. case, function()
      local said, status = run("asan", case)
      assert.equal(134, status, said) -- SIGABRT
      assert.matches("Assertion `.*" .. BROKEN[case]:gsub("%p", "%%%0"), said)
    end)
  end

  it("lets a caller pass that keeps to them", function()
    local said, status = run("asan", "kept")
    assert.equal(0, status, said)
    assert.equal("", said)
  end)

  it("is what the sanitizers and the specs of memory run on", function()
    for _, module in ipairs { "core", "curl", "sqlite" } do
      local names = shell.must("nm -D --undefined-only build/asan/alipayhk/" .. module .. ".so")
      assert.matches("__assert_fail", names, 1, true)
    end
  end)
end)

describe("a build for use", function()
  setup(function() shell.must("make -s build build-contracts LUA=5.4") end)

  it("does not check contracts", function()
    local said, status = run("5.4", "head_after_refusal")
    assert.equal(1, status, said)
    assert.equal("", said)
    for _, module in ipairs { "core", "curl", "sqlite" } do
      local names = shell.must("nm -D --undefined-only build/5.4/alipayhk/" .. module .. ".so")
      assert.is_nil(names:find("__assert_fail", 1, true))
    end
  end)
end)

describe("a result that says whether it was done", function()
  it("must not be dropped: the compiler says so", function()
    local source = shell.directory() .. "/dropped.c"
    shell.write(source, '#include "csrc/crypto/random.h"\nvoid drop(void);\n'
      .. "void drop(void) { unsigned char byte; ahk_error err; ahk_random(&byte, 1, &err); }\n")
    local said, status = shell.run("cc -std=c11 -Werror -I. -c -o /dev/null " .. shell.quote(source))
    assert.is_true(status ~= 0)
    assert.matches("ahk_random", said, 1, true)
    assert.matches("unused-result", said, 1, true)
  end)

  -- Those that only set a text are called for its sake, as in `return ahk_fail(err, ...)`.
  local SET_A_TEXT = {
    ahk_fail = true, ahk_fail_openssl = true, ahk_fail_to_decrypt = true, ahk_store_fail = true,
    ahk_store_fail_errno = true, ahk_store_fail_sqlite = true, ahk_database_fail = true,
  }

  it("is marked in every header: whatever sets an error", function()
    local headers = shell.must("cat csrc/base/*.h csrc/crypto/*.h csrc/json/*.h csrc/http/*.h csrc/store/*.h")
    local marked, unmarked = 0, {}
    for line in headers:gsub("/%*.-%*/", ""):gsub("[,{]\n%s+", ", "):gmatch("[^\n]+") do
      local name = line:match("^[%w_ *]+[ *](ahk_[%w_]+)%(.*ahk_error %*err[,)]")
        or line:match("^[%w_ *]+[ *](ahk_[%w_]+)%(.*ahk_store_fault %*fault[,)]")
      if name and line:find("^AHK_MUST_USE ") then
        marked = marked + 1
      elseif name and not SET_A_TEXT[name] then
        unmarked[#unmarked + 1] = name
      end
    end
    assert.same({}, unmarked)
    assert.is_true(marked >= 20)
  end)
end)
