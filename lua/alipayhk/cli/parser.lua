-- Makes a parser of lua-argparse of what a command says of itself.

local argparse = require "argparse"
local failure = require "alipayhk.cli.failure"
local options = require "alipayhk.cli.options"
local text = require "alipayhk.base.text"

local parser = {}

local WIDTH = 100

-- "--dry-run" is `dry_run` among what was given.
local function target_of(name)
  return (name:match("%-%-(.*)$"):gsub("-", "_"))
end

local function with_default(about, default)
  return default ~= nil and ("%s (default: %s)"):format(about, default) or about
end

-- `convert`, with a message that names what the value is of.
local function converter(described)
  local name = described[1] or described.name
  return function(given)
    local value, message = described.convert(given)
    return value, message and ("%s: %s"):format(name, message)
  end
end

-- What a value has to be.
local function restrict(element, described)
  if described.convert then element:convert(converter(described)) end
  if described.choices then element:choices(described.choices) end
  return element
end

local function add_option(to, option)
  local about = with_default(option.about, option.default)
  if not option.value then
    to:flag(option[1], about):target(target_of(option[1]))
    return
  end
  restrict(to:option(option[1], about), option):target(target_of(option[1])):argname(option.value)
    :count(option.many and "*" or "?"):args(1)
end

local function add_argument(to, argument)
  restrict(to:argument(argument.name, argument.about), argument):target(text.lower(argument.name))
    :args(argument.count or "1")
end

local function fill(made, command)
  made:description(command.summary):help_max_width(WIDTH):usage_max_width(WIDTH)
  for _, argument in ipairs(command.arguments or {}) do add_argument(made, argument) end
  for _, option in ipairs(options.of(command)) do add_option(made, option) end
  if command.commands then
    made:require_command(true):command_target("command")
    for _, below in ipairs(command.commands) do fill(made:command(below.name):summary(below.summary), below) end
  end
  return made
end

-- The parser of one command.
function parser.of(command)
  return fill(argparse("alipayhk " .. command.name), command)
end

-- That of all of them, for completion in a shell.
function parser.whole(commands)
  local made = argparse("alipayhk")
  made:flag("--version", "the version")
  for _, command in ipairs(commands) do fill(made:command(command.name):summary(command.summary), command) end
  return made
end

-- Defaults are filled in here: argparse has them for strings alone.
local function fill_in(command, given)
  for _, option in ipairs(options.of(command)) do
    local name = target_of(option[1])
    if given[name] == nil then given[name] = option.default end
  end
end

-- Of a command that has its own commands, the one that was named.
local function named(command, given)
  for _, below in ipairs(command.commands or {}) do
    if below.name == given.command then return below end
  end
  return command
end

-- Reads what follows a command's name: the command, or the one of its own that is meant, and what was given.
function parser.read(command, argv)
  local arguments = {}
  for i = 2, #argv do arguments[i - 1] = argv[i] end
  local ok, given = parser.of(command):pparse(arguments)
  if not ok then
    failure.usage("%s: %s; alipayhk %s --help says how it is used", command.name, text.one_line(given), command.name)
  end
  local meant = named(command, given)
  fill_in(meant, given)
  return meant, given
end

return parser
