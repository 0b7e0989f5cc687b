-- Makes a parser of lua-argparse of what a command says of itself.

local failure = require "alipayhk.cli.failure"
local list = require "alipayhk.base.list"
local options = require "alipayhk.cli.options"
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"

local has_argparse, argparse = pcall(require, "argparse")
if not has_argparse then
  failure.usage("the command needs lua-argparse: apt-get install lua-argparse, or luarocks install argparse")
end

local parser = {}

local WIDTH = 100

-- "--dry-run" is `dry_run` among what was given.
local function target_of(name)
  return (name:match("%-%-(.*)$"):gsub("-", "_"))
end

local function with_default(about, default)
  return default ~= nil and ("%s (default: %s)"):format(about, default) or about
end

-- argparse does not say which option a message is about.
local function naming(name, convert)
  return function(given)
    local value, message = convert(given)
    if value == nil then return nil, ("%s: %s"):format(name, message) end
    return value
  end
end

-- `choices` may be a function that gives them.
local function choices_of(described)
  return type(described.choices) == "function" and described.choices() or described.choices
end

local function one_of(described)
  return function(given)
    local choices = choices_of(described)
    if list.includes(choices, given) then return given end
    return nil, ("expected one of %s, found %s%s"):format(table.concat(choices, ", "), text.quoted(given),
      suggest.name(given, choices))
  end
end

-- What a value has to be. `is_shown`: for completion, which knows choices of argparse's; what it says of a wrong one
-- does not say what was found.
local function restrict(element, described, is_shown)
  local convert = described.convert or described.choices and one_of(described)
  if is_shown and described.choices then return element:choices(choices_of(described)) end
  if convert then element:convert(naming(described[1] or described.name, convert)) end
  return element
end

local function add_option(to, option, is_shown)
  local about = with_default(option.about, option.default)
  if not option.value then
    to:flag(option[1], about):target(target_of(option[1]))
    return
  end
  restrict(to:option(option[1], about), option, is_shown):target(target_of(option[1])):argname(option.value)
    :count(option.many and "*" or "?"):args(1)
end

local function add_argument(to, argument, is_shown)
  restrict(to:argument(argument.name, argument.about), argument, is_shown):target(text.lower(argument.name))
    :args(argument.count or "1")
end

local function fill(made, command, is_shown)
  made:description(command.summary):help_max_width(WIDTH):usage_max_width(WIDTH)
  for _, argument in ipairs(command.arguments or {}) do add_argument(made, argument, is_shown) end
  for _, option in ipairs(options.of(command)) do add_option(made, option, is_shown) end
  if command.commands then
    made:require_command(true):command_target("command")
    for _, below in ipairs(command.commands) do
      fill(made:command(below.name):summary(below.summary), below, is_shown)
    end
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
  for _, command in ipairs(commands) do fill(made:command(command.name):summary(command.summary), command, true) end
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

-- What argparse says, in the words of the rest: names in double quotes.
local function in_our_words(said)
  local words = said:gsub("\nDid you mean '([^'\n]*)'%?", ', did you mean "%1"?'):gsub("'([0-9A-Za-z_.-]+)'", '"%1"')
  return text.one_line(words)
end

-- Reads what follows a command's name: the command, or the one of its own that is meant, and what was given.
function parser.read(command, argv)
  local arguments = {}
  for i = 2, #argv do arguments[i - 1] = argv[i] end
  local ok, given = parser.of(command):pparse(arguments)
  if not ok then
    failure.usage("%s: %s; alipayhk %s --help says how it is used", command.name, in_our_words(given), command.name)
  end
  local meant = named(command, given)
  fill_in(meant, given)
  return meant, given
end

return parser
