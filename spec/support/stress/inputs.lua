-- What a spec gives a driver on its command line, NAME=VALUE each: files of keys, addresses. `names` has the names in
-- their order.

local inputs = { names = {} }

for _, word in ipairs(arg) do
  local name, value = word:match("^([^=]+)=(.*)$")
  inputs[name], inputs.names[#inputs.names + 1] = value, name
end

return inputs
