-- What the other side said, repeated in a message: short, on one line, without a user's ids.

local quote = require "alipayhk.base.quote"

describe("a text from the other side", function()
  it("has *** for each id in it, however that is escaped", function()
    for said, expected in pairs {
      ["user id/1"] = "user ***", ["id/1id/1"] = "******", ["id\\/1, id%2F1"] = "***, ***", [""] = "",
      ["a<b&'\"> <i>"] = "*** <i>", ["a&lt;b&amp;&#39;&quot;&gt;."] = "***.", ["id 1"] = "id 1", ["%%%"] = "%%%",
    } do
      assert.equal(expected, quote.without(said, { "id/1", "a<b&'\">", "" }))
      assert.equal(expected, quote.short(said, { "id/1", "a<b&'\">", "" }))
    end
    assert.equal("user id/1", quote.without("user id/1", nil))
    assert.equal(("***"):rep(50000), quote.without(("id/1"):rep(50000), { "id/1" }))
  end)

  it("is on one line, and has no more than 256 bytes", function()
    assert.equal("one two ???", quote.short("one\r\ntwo \255\254\253"))
    assert.equal(("x"):rep(256), quote.short(("x"):rep(256)))
    assert.equal(("x"):rep(256), quote.short(("x"):rep(257)))
    assert.equal(("x"):rep(255), quote.short(("x"):rep(255) .. "é"))
    assert.equal(("x"):rep(254) .. "**", quote.short(("x"):rep(254) .. "id/1", { "id/1" }))
  end)

  it("that is none is empty", function()
    for _, none in ipairs { 1, true, {} } do assert.equal("", quote.short(none)) end
    assert.equal("", quote.short(nil))
  end)
end)
