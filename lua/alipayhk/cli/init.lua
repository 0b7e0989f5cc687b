-- The command `alipayhk`: finds the command that is meant, reads its arguments, runs it, and gives its exit status.
--
-- A command is a file in `commands`: a table with
--
--   name, summary        what it is called, and what it is for, in a line
--   about                paragraphs of its manual page; `examples`: lines for a shell, each with what it does
--   arguments            `{ name, about, count }`: "1" where there is no count, "?", "*", "+"
--   options              `{ "--name", value = "NAME", about, many, choices, default, convert }`: no `value`, a flag;
--                        `choices`: a list, or a function that gives it
--   groups               names of options that several commands have: see `alipayhk.cli.options`
--   commands             its own commands, in place of `run`
--   run(given, out)      does it: `given` has the options and arguments by name (`dry_run` of --dry-run), `out` is an
--                        `alipayhk.cli.output`; gives an exit status, nil for 0
--
-- It loads what it needs when it runs, for the others' sake.

local failure = require "alipayhk.cli.failure"
local new_output = require("alipayhk.cli.output").new
local suggest = require "alipayhk.base.suggest"
local text = require "alipayhk.base.text"
local version = require "alipayhk.base.version"

local cli = {
  -- In the order in which a user may need them.
  NAMES = {
    "check",
    "send",
    "put",
    "deliver",
    "outbox",
    "sign",
    "verify",
    "keygen",
    "key",
    "doctor",
    "scenarios",
    "gateway",
    "trigger",
    "completion",
    "manual",
  },
}

local SUMMARY = "pushes the state of your orders into the AlipayHK wallet"

function cli.command(name)
  return (require("alipayhk.cli.commands." .. name))
end

-- ---- without a command -------------------------------------------------------------------------------

local function help()
  local out = new_output()
  out:line("alipayhk %s", SUMMARY)
  out:line("")
  out:line("Usage: alipayhk COMMAND [OPTIONS] [ARGUMENTS]")
  out:line("")
  for _, name in ipairs(cli.NAMES) do out:line("  %-12s %s", name, cli.command(name).summary) end
  out:line("")
  out:line("alipayhk COMMAND --help says how each is used, man alipayhk all of it.")
  out:line("Exit status: 0 all good; 1 a payload, answer or event was refused; 2 wrong usage or config; 3 something")
  out:line("could not be reached, or its outcome is unknown.")
end

local ALONE = {
  ["--version"] = function() new_output():line("alipayhk %s", version) end,
  ["--help"] = help, ["-h"] = help, help = help,
}

local function find(name)
  for _, known in ipairs(cli.NAMES) do
    if known == name then return cli.command(name) end
  end
  failure.usage("there is no command %s%s; alipayhk --help lists them", text.quoted(name),
    suggest.name(name, cli.NAMES))
end

-- ---- running -----------------------------------------------------------------------------------------

local function run(argv)
  local name = argv[1]
  if not name then
    help()
    return failure.STATUS.usage
  end
  -- `help send` is `send --help`.
  if name == "help" and argv[2] then return run { argv[2], "--help" } end
  if ALONE[name] then return ALONE[name]() end
  if name:find("^%-") then failure.usage("%s: expected a command first; alipayhk --help lists them", name) end
  local command, given = require("alipayhk.cli.parser").read(find(name), argv)
  return command.run(given, new_output(given.json))
end

-- What was thrown, as a line and a status. What is no failure of ours is a defect, and does not show a stack.
local function explain(thrown)
  if failure.is(thrown) then return thrown.status, tostring(thrown) end
  if type(thrown) == "string" and thrown:find("interrupted!", 1, true) then return 130, "interrupted" end
  return failure.STATUS.unknown, "a defect of alipayhk, please report it: " .. text.one_line(tostring(thrown))
end

-- Runs the command that the arguments of a process name: its exit status.
function cli.main(argv)
  local ran, status = pcall(run, argv)
  if ran then return status or failure.STATUS.ok end
  local message
  status, message = explain(status)
  io.stderr:write("alipayhk: ", message, "\n")
  return status
end

return cli
