-- Lua in a process of its own, by the interpreter that runs the specs.

local shell = require "spec.support.shell"

local child = {}

-- Its path.
function child.interpreter()
  local index = 0
  while arg[index - 1] do index = index - 1 end
  return arg[index]
end

local function quoted(words)
  local list = {}
  for i, word in ipairs(words) do list[i] = shell.quote(word) end
  return table.concat(list, " ")
end

-- The command that runs a chunk. `env` are words for env(1): { "NAME=value" }.
function child.command(chunk, arguments, env)
  local path = shell.directory() .. "/chunk.lua"
  shell.write(path, chunk)
  return ("env %s %s %s %s"):format(
    quoted(env or {}), shell.quote(child.interpreter()), shell.quote(path), quoted(arguments or {}))
end

-- Runs a chunk: its output, and its exit status.
function child.run(...) return shell.run(child.command(...)) end

return child
