-- For tests that need what this machine or this Lua may not have: skipped by name, with the reason.
--
--     local it_forks = only_with(has_posix, "needs luaposix", it, pending)

return function(has, reason, it, pending)
  if has then return it end
  return function(name) pending(("%s (%s)"):format(name, reason)) end
end
