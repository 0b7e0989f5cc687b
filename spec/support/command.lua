-- Runs the command `alipayhk` by the interpreter that runs the specs, in a process of its own.

local child = require "spec.support.child"
local json = require "alipayhk.base.json"
local nginx = require "spec.support.servers.nginx"
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

-- Runs it on a terminal of so many columns: all that the terminal shows, and its status.
function command.on_terminal(arguments, columns, env)
  local line = ("stty cols %d; %s"):format(columns, command.words(arguments, env))
  return shell.run(("script -qec %s /dev/null < /dev/null"):format(shell.quote(line)))
end

-- ---- in the background -------------------------------------------------------------------------------

-- It has the signals that a shell takes from what it starts there, and ends with this process.
local START = [[
(@command@ < @log@.in > @log@.out 2> @log@.err &
echo $! > @log@.pid; wait $!; echo $? > @log@.status) > /dev/null 2>&1 &
(while kill -0 @own_pid@ && ! test -s @log@.status; do sleep 1; done
  test -s @log@.status || kill -9 $(cat @log@.pid)) > /dev/null 2>&1 &]]

local SIGNALS = "--default-signal=INT,TERM,PIPE"

local Started = {}
Started.__index = Started

-- Starts it. `opts`: `input`.
function command.start(arguments, opts)
  local log = shell.directory() .. "/log"
  shell.write(log .. ".in", opts and opts.input or "")
  shell.run((START:gsub("@([%w_]+)@", {
    command = command.words(arguments, { SIGNALS }), log = log, own_pid = shell.read("/proc/self/stat"):match("^%d+"),
  })))
  local pid = nginx.await(20, function() return (shell.read(log .. ".pid") or ""):match("%d+") end)
  return setmetatable({ log = log, pid = pid }, Started)
end

-- What it has said so far, on standard output and on standard error.
function Started:said()
  return shell.read(self.log .. ".out") or "", shell.read(self.log .. ".err") or ""
end

function Started:signal(name)
  shell.run(("kill -%s %s"):format(name, self.pid))
end

-- Waits until it has ended: its status, standard output and standard error.
function Started:ended()
  local status = nginx.await(30, function() return (shell.read(self.log .. ".status") or ""):match("^%d+") end)
  return tonumber(status), self:said()
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
