-- Mutants that no spec can kill, by file: { the line, the change, why it makes no difference }.

return {
  ["csrc/json/number.c"] = {
    { "enum { DIGITS_ENOUGH_FOR_MOST = 15, DIGITS_ENOUGH = 17 };", "15 -> 14",
      "%g leaves zeros at the end away: whatever 14 digits tell, 15 tell in the same characters" },
  },
  ["lua/alipayhk/base/quote.lua"] = {
    { 'if value == "" or not said:find(value, 1, true) then return said end', "1 -> 0",
      "from 0 on, string.find searches from the first byte on, too" },
    { "local pieces, at = {}, 1", "1 -> 0", "from 0 on, string.find and string.sub begin with the first byte, too" },
  },
  ["lua/alipayhk/base/suggest.lua"] = {
    { "for i = 1, #a do", "1 -> 0", "the row before the first is made once more, and is the same" },
    { "local near = other and math.abs(#other - #folded) < least", "< -> <=",
      "it saves time alone: the distance is never less than the difference of the lengths" },
    { [[if not ("_" .. other .. "_"):find("_" .. word .. "_", 1, true) then return false end]], "1 -> 0",
      "from 0 on, string.find searches from the first byte on, too" },
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
}
