-- The keys, by version. One file names them all, so that no reload sees the version of one key and the
-- content of another: write a new file beside it, then `mv` it here.
return {
  -- Ours: the version under which AlipayHK knows the public half.
  key_version = 1,
  private_key = { file = "/etc/alipayhk/merchant-1.pem" },
  -- AlipayHK's: every version that an answer may be signed with.
  alipay_public_key = {
    [1] = { file = "/etc/alipayhk/alipayhk-1.pem" },
  },
}
