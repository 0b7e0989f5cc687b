-- Where a command's words go: results to standard output, as text or as one JSON object a line; talk to standard error.

local failure = require "alipayhk.cli.failure"

local Output = {}
Output.__index = Output

local COLOURS = { red = 31, green = 32, yellow = 33, blue = 34, bold = 1, dim = 2 }

-- Whether a descriptor is a terminal.
local function is_terminal(descriptor)
  local answer = os.execute("test -t " .. descriptor)
  return answer == true or answer == 0 -- 0 in Lua 5.1
end

-- `is_json`: results are objects.
local function new(is_json)
  io.stdout:setvbuf("no") -- see `write`
  return setmetatable({ is_json = is_json or false, terminals = {} }, Output)
end

-- Whether standard output (1) or standard error (2) is a terminal; asked for once.
function Output:is_terminal(descriptor)
  if self.terminals[descriptor] == nil then self.terminals[descriptor] = is_terminal(descriptor) end
  return self.terminals[descriptor]
end

-- Whether it is a terminal that does more than write one line below the other.
function Output:is_screen(descriptor)
  return os.getenv("TERM") ~= "dumb" and self:is_terminal(descriptor)
end

local COLUMNS = 80

local function ask_width()
  local pipe = io.popen("{ stty size < /dev/tty; } 2> /dev/null")
  local answer = pipe and pipe:read("*l") or ""
  if pipe then pipe:close() end
  return tonumber(answer:match("^%d+ (%d+)$"))
end

-- How many columns a terminal has; nil where the descriptor is none.
function Output:width(descriptor)
  if not self:is_terminal(descriptor) then return nil end
  local width = tonumber(os.getenv("COLUMNS") or "") or ask_width()
  return width and width >= 1 and width or COLUMNS
end

local function has_colours(self, descriptor)
  local refused = os.getenv("NO_COLOR")
  return (refused == nil or refused == "") and self:is_screen(descriptor)
end

-- A text in a colour where standard output (1, which is meant if none is named) or standard error (2) shows colours.
function Output:paint(colour, s, descriptor)
  if not has_colours(self, descriptor or 1) then return s end
  return ("\27[%dm%s\27[0m"):format(COLOURS[colour], s)
end

-- In one go, and past any buffer: who reads gets whole lines at once, and a write that fails says so. (After LuaJIT has
-- compiled it, a flush that fails may not.)
local function write(file, name, s)
  local written, message = file:write(s .. "\n")
  if not written then failure.unknown("%s: %s", name, message) end
end

-- A line of a result.
function Output.line(_, format, ...)
  write(io.stdout, "standard output", select("#", ...) > 0 and format:format(...) or format)
end

-- A line about what is going on.
function Output.say(_, format, ...)
  io.stderr:write(select("#", ...) > 0 and format:format(...) or format, "\n")
end

-- A value as JSON. What needs no escapes is most of it, and written as it is.
local function encoded(json, value)
  if type(value) == "string" and value:find("^[ !#-%[%]-~]*$") then return '"' .. value .. '"' end
  if type(value) == "number" then return json.id_text(value) end
  -- As a list: a plain value cannot be encoded on its own.
  return json.encode({ value }):sub(2, -2)
end

-- A result as one JSON object on a line. `pairs_of`: `{ { name, value }, ... }`, in the order in which they are to
-- stand; one whose value is nil is left out.
function Output:object(pairs_of)
  local json = require "alipayhk.base.json"
  local members = {}
  for _, pair in ipairs(pairs_of) do
    if pair[2] ~= nil then members[#members + 1] = ('"%s":%s'):format(pair[1], encoded(json, pair[2])) end
  end
  self:line("%s", "{" .. table.concat(members, ",") .. "}")
end

-- A result: as an object where `--json` was given, else as a line.
function Output:result(pairs_of, line)
  if self.is_json then return self:object(pairs_of) end
  self:line("%s", line)
end

return { new = new }
