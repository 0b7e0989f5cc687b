-- What a program has printed by descriptors.print_refusals: each line is as the pattern says, and there are so many at
-- least.

local assert = require "luassert"

return function(said, pattern, least)
  local count = 0
  for line in said:gmatch "[^\n]+" do
    count = count + 1
    assert.matches(pattern, line)
  end
  assert.is_true(count >= least, said)
end
