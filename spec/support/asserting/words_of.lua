-- The words of a message as a set: SERVING is none of "SERVING_LITE".

return function(message)
  local words = {}
  for word in message:gmatch("[%w_]+") do words[word] = true end
  return words
end
