-- Runs the command `alipayhk` by the interpreter that runs the specs, in a process of its own.

local background = require "spec.support.background"
local child = require "spec.support.child"
local json = require "alipayhk.base.json"
local shell = require "spec.support.shell"

local ROOT = shell.must("pwd"):match("[^\n]+")

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

-- Runs it on a terminal of so many columns: all that the terminal shows, and its status.
function command.on_terminal(arguments, columns, env)
  local line = ("stty cols %d; %s"):format(columns, command.words(arguments, env))
  return shell.run(("script -qec %s /dev/null < /dev/null"):format(shell.quote(line)))
end

-- Before the words of a shell at a terminal: Ctrl-C ends the command only, and the shell says how (dash would end).
command.OUTLIVES_CTRL_C = "trap : INT; "

-- It has the signals that a shell takes from what it starts in the background.
local SIGNALS = "--default-signal=INT,TERM,PIPE"

-- Starts it in the background. `opts`: `input`.
function command.start(arguments, opts)
  return background.start(command.words(arguments, { SIGNALS }), opts)
end

-- Puts it into `bin` of a folder, for a shell whose path has that.
function command.put_into(directory)
  local path = directory .. "/bin/alipayhk"
  shell.must("mkdir -p " .. directory .. "/bin")
  shell.write(path, ("#!/bin/sh\nexec %s %s/bin/alipayhk \"$@\"\n"):format(child.interpreter(), ROOT))
  shell.must("chmod +x " .. path)
end

-- ---- what it is given, and what it prints ------------------------------------------------------------

-- Payloads as JSON Lines; a string stands as it is.
function command.lines(list)
  local lines = {}
  for i, event in ipairs(list) do lines[i] = type(event) == "string" and event or json.encode(event) end
  return table.concat(lines, "\n") .. "\n"
end

-- What it printed with --json.
function command.objects(out)
  local list = {}
  for line in out:gmatch("[^\n]+") do list[#list + 1] = assert(json.decode_object(line), line) end
  return list
end

local CONFIG = [[return { client_id = %q, base_url = %q, tls = { ca_file = %q }, private_key = { file = %q },
  alipay_public_key = { file = %q }, %s }]]

-- Writes a config file, of a client's config: its path. `more`: further keys, as Lua.
function command.config(config, more)
  local path = shell.directory() .. "/config.lua"
  shell.write(path, CONFIG:format(config.client_id, config.base_url, config.tls.ca_file, config.private_key.file,
    config.alipay_public_key.file, more or ""))
  return path
end

return command
