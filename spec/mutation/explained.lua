-- Mutants that no spec can kill, by file: { the line, the change, why it makes no difference }.

return {
  ["csrc/base/c_locale.c"] = {
    { "if (fresh == (locale_t)0 || atomic_compare_exchange_strong(&made, &known, fresh)) {", "== -> !=",
      "it asks newlocale anew each time, and glibc and musl have one and the same object for C" },
    { "freelocale(fresh); /* another thread was first */", "dropped",
      "it takes two threads that are the first at once, and glibc and musl free nothing here" },
  },
  ["csrc/base/clock.c"] = {
    { "enum { MS_PER_DAY = 24 * 60 * 60 * 1000 };", "60 -> 61", "it takes a sleep of a day to see that it is longer" },
  },
  ["csrc/bind/core_pool.c"] = {
    { "lua_pushinteger(L, count < 1 ? 1 : count > AHK_POOL_THREADS_MAX ? AHK_POOL_THREADS_MAX : count);", "1 -> 0 (2)",
      "where sysconf has no answer, which it has on Linux, on macOS and in the BSDs" },
  },
  ["csrc/bind/curl.c"] = {
    { "enum { TRANSPORT_WEIGHT = 256 * 1024 };", "256 -> 255",
      "about so much; curl_descriptor_spec.lua tells where it is far too little" },
  },
  ["csrc/crypto/digest.c"] = {
    { [[return ahk_fail_openssl(err, "sha256: EVP_Digest");]], "returns 0",
      "only where memory is short, and there spec/stress/failure_spec.lua (sha256) sees OpenSSL's error left behind" },
  },
  ["csrc/crypto/key_ec.c"] = {
    { "if (!made || (!same && ahk_openssl_lacked_memory())) {", "|| -> &&",
      "only where memory is short, and there spec/stress/failure_spec.lua (key private.ec) sees a sound key blamed" },
  },
  ["csrc/crypto/library.c"] = {
    { "return version >> 12 == mine >> 12;", "12 -> 11 (2)",
      "runs in a build for OpenSSL 1.1.1 alone, which would then refuse its own: every spec there fails" },
  },
  ["csrc/crypto/openssl_error.c"] = {
    { "found = found || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;", "dropped",
      "only where memory is short, and there spec/stress/failure_spec.lua (key private.ec) sees P-224 blamed" },
    { [[return ahk_fail(err, "out of memory");]], "returns 0",
      "only where memory is short, and there spec/stress/failure_spec.lua (sha256) sees an error without a word" },
  },
  ["csrc/http/callbacks.c"] = {
    { "return x->body.overflowed ? 0 : line.length;", "0 -> 1", "any number but the line's own ends the transfer" },
    { "AHK_SETOPT(CURLOPT_SEEKFUNCTION, on_seek);", "dropped",
      "on_seek refuses to rewind a body that was sent in part; without it libcurl has no way to, and fails the same" },
  },
  ["csrc/http/links.c"] = {
    { "free(left);", "dropped",
      "libcurl has closed its sockets by then, and with each went its link; a forked child has a few bytes left" },
  },
  ["csrc/http/proxy.c"] = {
    { "if (c > ' ' && c < 0x7F) {", "> -> >=", "libcurl takes no URL with a blank in its name, and we none at all" },
  },
  ["csrc/http/sigpipe.c"] = {
    { "const struct timespec at_once = {0, 0}; /* another thread may have taken it meanwhile */", "0 -> 1 (2)",
      "a nanosecond" },
  },
  ["csrc/http/verdict.c"] = {
    { "return AHK_SENT;", "returns 0", "AHK_SENT is 0" },
  },
  ["csrc/json/number.c"] = {
    { "if (floor(number) == number && fabs(number) <= DOUBLE_INTEGER_MAX) {", "<= -> <",
      "2^53 has 16 digits, and %.16g writes them all, too" },
    { "enum { DIGITS_ENOUGH_FOR_MOST = 15, DIGITS_ENOUGH = 17 };", "15 -> 14",
      "%g leaves zeros at the end away: whatever 14 digits tell, 15 tell in the same characters" },
  },
  ["csrc/pool/pool.c"] = {
    { [[(void)ahk_fail(err, "out of memory");]], "dropped",
      "only where memory is short, and there spec/stress/failure_spec.lua (pool) sees an error without a word" },
  },
  ["csrc/redis/stream.c"] = {
    { "code = errno;", "dropped",
      "getsockopt does not fail for an open socket; if it did, the first write would say that there is no connection" },
    { "return -1;", "1 -> 2", "whoever calls asks whether it is less than 0" },
  },
  ["csrc/redis/stream_tls.c"] = {
    { "return AHK_STREAM_OPEN;", "returns 0", "AHK_STREAM_OPEN is 0" },
    { "size_t n = 0;", "0 -> 1", "it is looked at only where OpenSSL has set it" },
  },
  ["csrc/store/rows.c"] = {
    { "rows->columns = 0;", "dropped", "nobody reads rows that were freed" },
    { "rows->count = 0;", "dropped", "nobody reads rows that were freed" },
  },
  ["lua/alipayhk/base/quote.lua"] = {
    { 'if value == "" or not said:find(value, 1, true) then return said end', "1 -> 0",
      "from 0 on, string.find searches from the first byte on, too" },
    { "local pieces, at = {}, 1", "1 -> 0", "from 0 on, string.find and string.sub begin with the first byte, too" },
  },
  ["lua/alipayhk/base/sequence.lua"] = {
    { "local greatest_ms, last_ms = 0, 0", "0 -> 1", "every time of a clock is later than the first of 1970" },
    { "local greatest_ms, last_ms = 0, 0", "0 -> 1 (2)", "every time of a clock is later than the first of 1970" },
    { "if now_ms < greatest_ms - SET_BACK_MAX_MS then greatest_ms, last_ms = 0, 0 end", "0 -> 1",
      "every time of a clock is later than the first of 1970" },
    { "if now_ms < greatest_ms - SET_BACK_MAX_MS then greatest_ms, last_ms = 0, 0 end", "0 -> 1 (2)",
      "every time of a clock is later than the first of 1970" },
  },
  ["lua/alipayhk/base/suggest.lua"] = {
    { "local near = other and math.abs(#other - #folded) < least", "< -> <=",
      "it saves time alone: the distance is never less than the difference of the lengths" },
    { [[if not ("_" .. other .. "_"):find("_" .. word .. "_", 1, true) then return false end]], "1 -> 0",
      "from 0 on, string.find searches from the first byte on, too" },
  },
  ["lua/alipayhk/base/text.lua"] = {
    { "for byte = 65, 90 do", "65 -> 64", "no pattern asks for anything but a letter" },
    { "for byte = 65, 90 do", "90 -> 91", "no pattern asks for anything but a letter" },
    { "for length = math.min(#run, 4), 1, -1 do", "4 -> 5", "no five bytes are one character" },
    { "for length = math.min(#run, 4), 1, -1 do", "1 -> 2", "no single byte of such a run is a character" },
    { "for length = math.min(#run, 4), 1, -1 do", "1 -> 0", "no bytes at all are no character" },
    { 'if core.utf8_length(run:sub(1, length)) == 1 then return run:sub(1, length) .. ("?"):rep(#run - length) end',
      "1 -> 0", "from 0 on, string.sub begins with the first byte, too" },
    { 'if core.utf8_length(run:sub(1, length)) == 1 then return run:sub(1, length) .. ("?"):rep(#run - length) end',
      "1 -> 0 (3)", "from 0 on, string.sub begins with the first byte, too" },
    { "if #s <= max then return s end", "<= -> <", "it saves time alone: such a text is cut at its end" },
    { "return s:sub(1, last)", "1 -> 0", "from 0 on, string.sub begins with the first byte, too" },
  },
  ["lua/alipayhk/delivery/event.lua"] = {
    { "delay_ms = delay_ms or retry.delay_ms(taken.policy, { attempt = taken.attempts, rule = true, spent_ms = 0 },",
      "0 -> 1", "the policy of an outbox's events has no budget to spend it of" },
  },
  ["lua/alipayhk/delivery/redis/resp.lua"] = {
    { "local kind = READ[line:sub(1, 1)]", "1 -> 0", "from 0 on, string.sub begins with the first byte, too" },
  },
  ["lua/alipayhk/delivery/retries.lua"] = {
    { "item.probes = item.probes or 0", "0 -> 1", "what counts is who was a probe less often than another" },
    { "if item then item.probes = item.probes + 1 end", "1 -> 2", "counted in twos, they compare as they do in ones" },
    { "return a.index < b.index", "< -> <=", "no two items have the same index" },
  },
  ["lua/alipayhk/delivery/window.lua"] = {
    { "if self.limit >= 1 then return end", ">= -> >", "at a limit of one the pause is 0 ms" },
    { "if self.limit >= 1 then return end", "1 -> 2", "above a limit of one the pause would be less than 0 ms: none" },
  },
  ["lua/alipayhk/exchange/request.lua"] = {
    { [[local variant = ("89ab"):sub(tonumber(digits:sub(17, 17), 16) % 4 + 1):sub(1, 1)]], "17 -> 18 (2)",
      "any of the digits will do, all of them are random" },
  },
  ["lua/alipayhk/exchange/retry.lua"] = {
    { "local NEVER = { once = true, max_attempts = 1, base_delay_ms = 0, max_delay_ms = 0, budget_ms = math.huge }",
      "1 -> 0", "after the first attempt as many have been made as may be, either way" },
    { "local NEVER = { once = true, max_attempts = 1, base_delay_ms = 0, max_delay_ms = 0, budget_ms = math.huge }",
      "0 -> 1 (2)", "who makes a single attempt waits for none; an outbox has a longest delay of its own" },
    { "if seconds then return #seconds < 10 and tonumber(seconds) * 1000 or math.huge end", "10 -> 9",
      "years are more than any longest delay allows" },
    { "if seconds then return #seconds < 10 and tonumber(seconds) * 1000 or math.huge end", "10 -> 11",
      "decades are more than any longest delay allows" },
    { "if seconds then return #seconds < 10 and tonumber(seconds) * 1000 or math.huge end", "< -> <=",
      "decades are more than any longest delay allows" },
    { "return at and from and at > from and (at - from) * 1000 or nil", "> -> >=",
      "0 ms are no pause, as nil is none" },
    { "local a, b, c = bytes:byte(1, 3)", "1 -> 0", "from 0 on, string.byte begins with the first byte, too" },
    { "local bytes = core.random_bytes(3)", "3 -> 4", "the fourth byte is not looked at" },
    { "local a, b, c = bytes:byte(1, 3)", "3 -> 4", "there is no fourth byte" },
  },
}
