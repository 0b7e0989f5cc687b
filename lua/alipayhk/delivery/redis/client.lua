-- A client of Redis, over cosockets inside nginx and libhiredis elsewhere.
--
-- What fails gives nil, a message, a code, and whether it may have been executed all the same. The code is that of
-- Redis's error ("NOAUTH", "READONLY", "OOM", ...), or CONNECTION, TIMEOUT, TLS, PROTOCOL or PHASE.

local runtime = require "alipayhk.base.runtime"
local text = require "alipayhk.base.text"

local Client = {}
Client.__index = Client

local client = {}

local SAID_MAX = 256

-- What to do about an error, by its code.
local CURES = {
  NOAUTH = "give a user and a password in the URL, redis://user:password@host",
  WRONGPASS = "the user or the password in the URL is wrong, or that user is off",
  NOPERM = "the ACL of the URL's user does not allow it",
  READONLY = "this is a replica: name the primary in the URL",
  OOM = "its maxmemory is reached: raise it, or remove what is not needed",
  LOADING = "it is reading its data after a start: try again",
  MASTERDOWN = "this replica has lost its primary: name the primary in the URL",
  MISCONF = "it cannot write to its disk: its log says why",
  NOREPLICAS = "too few replicas are connected to it",
  MOVED = "this is a node of a Redis Cluster, and another one has the keys",
  ASK = "this is a node of a Redis Cluster, and another one is about to have the keys",
  CROSSSLOT = "this is a node of a Redis Cluster, and this client knows one node",
  CLUSTERDOWN = "the Redis Cluster does not serve all its slots",
}

local UNKNOWN = "whether it was executed is not known"

-- Redis repeats the arguments of a command that it does not know, and they may be anybody's.
local function shown(message)
  return text.shown(message:gsub(", with args beginning with:.*$", ""), SAID_MAX)
end

local function failure(self, message, code, is_unknown)
  if message:sub(1, #self.peer) ~= self.peer then message = self.peer .. ": " .. shown(message) end
  local advice = is_unknown and UNKNOWN or CURES[code]
  return advice and ("%s (%s)"):format(message, advice) or message, code, is_unknown or nil
end

-- Makes one. `target`: what `url.parse` gives, with `connect_timeout_ms` and `timeout_ms`, which limits each call.
-- Nothing is connected yet. Gives nil and a message if that cannot be here.
function client.new(target)
  local module = runtime.in_nginx() and "cosocket" or "blocking"
  local link, message = require("alipayhk.delivery.redis." .. module).new(target)
  if not link then return nil, message end
  return setmetatable({ link = link, peer = target.peer }, Client)
end

-- Sends a list of commands, each a list of strings and whole numbers, in one go. Gives a list with `{ reply }` or
-- `{ nil, message, code }` for each. A reply is a string, a number, a list, or false for none.
function Client:pipeline(commands)
  if #commands == 0 then return {} end
  local results, message, code, is_unknown = self.link.run(commands)
  if not results then return nil, failure(self, message, code, is_unknown) end
  for _, result in ipairs(results) do
    if result[1] == nil then result[2], result[3] = failure(self, result[2], result[3]) end
  end
  return results
end

-- What `call` gives of what `pipeline` gave: of its first command.
local function first(results, message, code, is_unknown)
  if not results then return nil, message, code, is_unknown end
  return results[1][1], results[1][2], results[1][3]
end

-- Sends one command; its reply.
function Client:call(...)
  return first(self:pipeline { { ... } })
end

-- A script, for `eval`. It has to be written so that it may run twice: after a failure nobody may know whether it ran.
function client.script(source)
  return { source = source }
end

local function command(name, script, keys, arguments)
  local words = { name, script, #keys }
  for i = 1, #keys do words[#words + 1] = keys[i] end
  for i = 1, #arguments do words[#words + 1] = arguments[i] end
  return words
end

-- A server names a script by a digest of its text, each server the same: it is asked for once. (SCRIPT LOAD would say
-- it as well, but not every user may use that.)
local DIGEST = "return redis.sha1hex(ARGV[1])"

-- The commands that run scripts. `by_text`: a set of those whose text has to be sent, since the server may not have it.
local function commands_of(calls, by_text, last)
  local commands, unnamed = {}, {}
  for i, call in ipairs(calls) do
    local script = call.script
    local name, word = "EVALSHA", script.digest
    if by_text[script] or not script.digest then name, word = "EVAL", script.source end
    commands[i] = command(name, word, call.keys, call.arguments)
    if script.digest then by_text[script] = nil else unnamed[script] = true end
  end
  commands[#commands + 1] = last
  local digests = {}
  for script in pairs(unnamed) do
    commands[#commands + 1] = { "EVAL", DIGEST, 0, script.source }
    digests[#commands] = script
  end
  return commands, digests
end

local function run(self, calls, by_text, last)
  local commands, digests = commands_of(calls, by_text, last)
  local results, message, code, is_unknown = self:pipeline(commands)
  if not results then return nil, message, code, is_unknown end
  for i, script in pairs(digests) do
    script.digest = results[i][1]
    results[i] = nil
  end
  return results
end

-- Runs several scripts in one go, each `{ script, keys, arguments }`, and `last` after them, a command. Gives what
-- `pipeline` gives. Scripts that the server does not have are sent to it, and `last` again.
function Client:eval_all(calls, last)
  local results, message, code, is_unknown = run(self, calls, {}, last)
  if not results then return nil, message, code, is_unknown end
  local missing, positions, by_text = {}, {}, {}
  for i, call in ipairs(calls) do
    if results[i][3] == "NOSCRIPT" then
      missing[#missing + 1], positions[#positions + 1], by_text[call.script] = call, i, true
    end
  end
  if #missing == 0 then return results end
  local others
  others, message, code, is_unknown = run(self, missing, by_text, last)
  if not others then return nil, message, code, is_unknown or #missing < #calls or nil end
  for i, position in ipairs(positions) do results[position] = others[i] end
  results[#calls + 1] = others[#missing + 1]
  return results
end

-- Runs a script; its reply. Its text is sent to a server that does not have it.
function Client:eval(script, keys, arguments)
  return first(self:eval_all { { script = script, keys = keys, arguments = arguments } })
end

-- Runs a script, by its text, in a node of a Redis Cluster that is about to have its keys, and `last` after it. Gives
-- what `pipeline` gives.
function Client:eval_asking(call, last)
  local results, message, code, is_unknown = self:pipeline {
    { "ASKING" }, command("EVAL", call.script.source, call.keys, call.arguments), last,
  }
  if not results then return nil, message, code, is_unknown end
  return { results[2], results[3] }
end

-- Closes its connection; a call after that makes a new one.
function Client:close()
  self.link.close()
end

return client
