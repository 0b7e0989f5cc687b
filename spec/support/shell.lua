-- Files and commands for the specs.

local shell = {}

-- The content of a file, or nil.
function shell.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local content = file:read("*a")
  file:close()
  return content
end

function shell.write(path, content)
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
end

-- Quotes a word for the shell.
function shell.quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

-- A new directory under build/test, which `make clean` removes.
function shell.directory()
  local pipe = assert(io.popen("mkdir -p build/test && mktemp -d \"$PWD/build/test/XXXXXX\""))
  local path = pipe:read("*l")
  pipe:close()
  return path
end

-- Runs a command: its standard output and error together, and its exit status.
function shell.run(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1; echo \"status:$?\""))
  local output = pipe:read("*a")
  pipe:close()
  local text, status = output:match("^(.*)status:(%d+)\n$")
  return text, tonumber(status)
end

-- The same, for a command that has to succeed.
function shell.must(command)
  local output, status = shell.run(command)
  if status ~= 0 then error(("command failed (%s): %s\n%s"):format(tostring(status), command, output), 2) end
  return output
end

return shell
