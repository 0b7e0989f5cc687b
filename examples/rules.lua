-- Rules of a partner's own, over those of AlipayHK's pages: for `scenarios` of `alipayhk.new` and of `alipayhk.outbox`,
-- and for `alipayhk check --scenarios examples/rules.lua`.
--
-- The keys in `extInfo` here are examples. AlipayHK tells you those of your scenarios: no page shows them.

-- What AlipayHK has asked this shop for, with a word on where that stands.
local SHOWN_IN_WALLET = { "TICKETED" }

return {
  order = {
    MOVIE_TICKET = {
      fields = {
        { path = "extInfo.seat", type = "string", max_length = 32, required_when = SHOWN_IN_WALLET,
          note = "where AlipayHK asked for it, and when: whoever comes after you will want to know" },
        { path = "extInfo.cinema", type = "object", required_when = SHOWN_IN_WALLET },
        { path = "extInfo.cinema.name", type = "string", required = true },
        -- What AlipayHK leaves open and this shop always has: a check against our own mistakes.
        { path = "tradeNo", required = true },
      },
    },
  },
}
