-- What is said on a connection before anything else.

local login = {}

-- The commands; none if the URL has no password and no other database than the first.
function login.commands(target)
  local commands = {}
  if target.password then
    commands[1] = target.user and { "AUTH", target.user, target.password } or { "AUTH", target.password }
  end
  if target.database > 0 then commands[#commands + 1] = { "SELECT", target.database } end
  return commands
end

-- The message and the code of the first result that is an error; nothing if there is none.
function login.fault(results)
  for _, result in ipairs(results) do
    if result[1] == nil then return result[2], result[3] end
  end
end

return login
