-- Runs the command `alipayhk` by the interpreter that runs the specs, in a process of its own.

local child = require "spec.support.child"
local shell = require "spec.support.shell"

local command = {}

-- The words that start it, for a shell. `env` are words for env(1): { "NAME=value" }.
function command.words(arguments, env)
  local words = { "env" }
  for _, word in ipairs(env or {}) do words[#words + 1] = shell.quote(word) end
  words[#words + 1] = shell.quote(child.interpreter()) .. " bin/alipayhk"
  for _, word in ipairs(arguments) do words[#words + 1] = shell.quote(word) end
  return table.concat(words, " ")
end

-- Runs it: its status, standard output and standard error. `opts`: `env`, and `input`, for its standard input.
function command.run(arguments, opts)
  opts = opts or {}
  local directory = shell.directory()
  shell.write(directory .. "/in", opts.input or "")
  local _, status = shell.run(("%s < %s/in > %s/out 2> %s/err"):format(command.words(arguments, opts.env), directory,
    directory, directory))
  return status, shell.read(directory .. "/out"), shell.read(directory .. "/err")
end

return command
