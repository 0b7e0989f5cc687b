-- A judgement by the clock, on a machine that has other things to do, too: what fails is tried again, three times in
-- all. What is wrong in itself fails each time.

local ATTEMPTS = 3

return function(check)
  for _ = 2, ATTEMPTS do
    if pcall(check) then return end
  end
  check()
end
