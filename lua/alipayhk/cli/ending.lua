-- The end of a long work before its time: by Ctrl-C or SIGTERM, by results that nobody reads any more, or by its own
-- reasons. What is under way ends, and nothing is lost of what has been done.

local core = require "alipayhk.core"
local failure = require "alipayhk.cli.failure"

local Ending = {}
Ending.__index = Ending

-- From now on signals are only noted. `say(message)` is called once, when one has come.
local function new(say)
  core.catch_interrupts()
  core.ignore_broken_pipes()
  return setmetatable({ say = say, reason = nil }, Ending)
end

function Ending:ask(reason)
  self.reason = self.reason or reason
end

-- Whether it is to end.
function Ending:is_asked()
  if not self.reason and core.interrupted() then
    self.reason = "interrupted"
    self.say("ending when what is under way has ended; once more ends at once")
  end
  return self.reason ~= nil
end

-- Writes results by calling a function of an output. Where that fails nobody reads them.
function Ending:write(method, ...)
  if self.is_unread then return end
  local ran, thrown = pcall(method, ...)
  if ran then return end
  if not failure.is(thrown) then error(thrown, 0) end
  self.is_unread = true
  self:ask(tostring(thrown))
end

return { new = new }
