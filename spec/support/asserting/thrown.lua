-- What a call throws, the position that luassert's `error_matches` cuts off included; nil if nothing.

return function(call)
  local ok, message = pcall(call)
  if ok then return nil end
  return message
end
