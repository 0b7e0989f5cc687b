-- "Did you mean": what is near enough to be meant.

local suggest = require "alipayhk.base.suggest"

describe("the name that was meant", function()
  local KNOWN = { "orderStatus", "orderId", "ttl", "ab", "tls.ca_file", 7, "max_attempts" }

  for given, meant in pairs {
    orderStatus = "orderStatus", order_status = "orderStatus", ["ORDER-STATUS"] = "orderStatus",
    orderStatu = "orderStatus", orderStats = "orderStatus", rderStatus = "orderStatus", orderXtatus = "orderStatus",
    xxorderStatus = "orderStatus", orderStaXXs = "orderStatus", orderStaXXX = false, xxxorderStatus = false,
    orderXd = "orderId", -- nearer than another one
    tt = "ttl", txl = "ttl", xxl = false, -- less than half of it may be wrong
    ac = false, AB = "ab", [""] = false,
    maxattempt = "max_attempts",
  } do
    it(("is %s for %q"):format(tostring(meant), given), function()
      assert.equal(meant or nil, suggest.nearest(given, KNOWN))
      assert.equal(meant and (', did you mean "%s"?'):format(meant) or "", suggest.name(given, KNOWN))
    end)
  end

  -- Two changes at most: a character too many, too few or another one, or two neighbours that have changed places.
  for given, is_meant in pairs {
    bacdefgh = true, abcdefhg = true, bacdefhg = true, badcefgh = true, badcfegh = false,
    bacdefgx = true, bacdefxx = false, bacdefg = true, bacdef = false, xbacdefgh = true, xbacdefg = false,
    axdcefgh = true, acbxefgh = true, abdcefxx = false, cbadefgh = true, cbadefgx = false,
    xabcdefg = true, xabcyefg = false, bcdefghx = true, bcdyfghx = false, cabdefgh = true, cabdefgx = false,
    bacdefghx = true, aabcdefgh = true, abcdefghh = true, abcdefgxy = true, abcdefxyz = false,
  } do
    it(("is %sabcdefgh for %s"):format(is_meant and "" or "not ", given), function()
      assert.equal(is_meant and "abcdefgh" or nil, suggest.nearest(given, { "abcdefgh" }))
    end)
  end

  it("is the first of two that are as near", function()
    assert.equal("cart", suggest.nearest("card", { "cart", "care", "yard" }))
    assert.equal("card", suggest.nearest("card", { "cart", "card" }))
  end)

  it("has 64 characters at most, and is a text", function()
    local longest = ("n"):rep(64)
    assert.equal(longest, suggest.nearest(longest, { longest }))
    assert.is_nil(suggest.nearest(longest .. "n", { longest .. "n" }))
    assert.equal("", suggest.path(longest .. "n", { longest .. "n" }))
    assert.is_nil(suggest.nearest(7, KNOWN))
    assert.is_nil(suggest.nearest(nil, KNOWN))
  end)
end)

describe("the path that was meant", function()
  local PATHS = { "proxy", "retry.codes", "retry.max_attempts", "tls.ca_file", "tls.key_file", "outbox.codes" }

  for given, meant in pairs {
    ca_file = "tls.ca_file", -- the same name at another level
    ["retry.ca_file"] = "tls.ca_file",
    max_attempt = "", -- similar, and at another level
    ["retry.max_attempt"] = "max_attempts", -- similar, at its own: its last name
    prxy = "proxy",
    attempts = "retry.max_attempts", -- all its words
    ca = "tls.ca_file",
    ["file"] = "", codes = "", -- of two
    a_file = "", -- a part of a word
    ["ca?"] = "", ["["] = "", -- no pattern
    ["tls.max_attempt"] = "", -- similar, and at another level
    [""] = "",
  } do
    it(("is %q for %q"):format(meant, given), function()
      assert.equal(meant ~= "" and (', did you mean "%s"?'):format(meant) or "", suggest.path(given, PATHS))
    end)
  end

  it("is the same name at another level before one that has its words", function()
    assert.equal(', did you mean "a.file"?', suggest.path("file", { "tls.ca_file", "a.file", "tls.key_file" }))
    assert.equal(', did you mean "a.file"?', suggest.path("b.file", { "b.fire", "a.file" }))
  end)

  it("is none where the name is empty", function()
    for _, given in ipairs { "", "tls.", "_" } do assert.equal("", suggest.path(given, { "tls.ca_file" })) end
  end)

  it("has 64 characters at most", function()
    local longest = ("n"):rep(64)
    assert.equal((', did you mean "a.%s"?'):format(longest), suggest.path(longest, { "a." .. longest }))
    assert.equal("", suggest.path(longest .. "n", { "a." .. longest .. "n" }))
  end)
end)
