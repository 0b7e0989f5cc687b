-- The page of the command, of what each says of itself.

local cli = require "alipayhk.cli"
local options = require "alipayhk.cli.options"
local table_of = require "docs.generate.table"

local HEAD = [[
# The command

`alipayhk` does what is no code: it checks, sends and delivers events, signs and verifies what was captured, makes keys,
finds out what is wrong, and starts a local gateway. `alipayhk COMMAND --help` says how each is used; this page and
`man alipayhk` are made from the same text.

Results go to standard output, with `--json` as one object a line; talk and progress go to standard error. The exit
status says what became of it:

| status | |
| --- | --- |
| 0 | all good |
| 1 | a payload, answer or event was refused |
| 2 | wrong usage or config |
| 3 | something could not be reached, or its outcome is unknown |

What a command works with comes from the file of `--config`, a Lua file that returns the table for `alipayhk.new` with
`store` beside [its keys](configuration.md), or the same as JSON; over it from the environment (`ALIPAYHK_CLIENT_ID`,
`ALIPAYHK_ENVIRONMENT`, `ALIPAYHK_BASE_URL`, `ALIPAYHK_STORE`; `ALIPAYHK_PRIVATE_KEY`, `ALIPAYHK_PUBLIC_KEY` and
`ALIPAYHK_CA_FILE`, which name files); over it from the options of the same names. `NO_COLOR` takes the colours away.
]]

local COUNTS = { ["?"] = "[%s]", ["*"] = "[%s...]", ["+"] = "%s..." }

local function synopsis(title, command)
  local words = { "alipayhk " .. title }
  if #options.of(command) > 0 then words[#words + 1] = "[OPTIONS]" end
  for _, argument in ipairs(command.arguments or {}) do
    words[#words + 1] = (COUNTS[argument.count] or "%s"):format(argument.name)
  end
  return table.concat(words, " ")
end

local function terms(command)
  local rows = {}
  for _, argument in ipairs(command.arguments or {}) do rows[#rows + 1] = { argument.name, argument.about } end
  for _, option in ipairs(options.of(command)) do
    local default = option.default ~= nil and ("; `%s` when absent"):format(tostring(option.default)) or ""
    local name = option.value and option[1] .. " " .. option.value or option[1]
    rows[#rows + 1] = { "`" .. name .. "`", option.about .. default }
  end
  return #rows > 0 and table_of({ "", "" }, rows) or nil
end

local function examples(command)
  local lines = {}
  for i, example in ipairs(command.examples) do lines[i] = ("# %s\n%s"):format(example[2], example[1]) end
  return "```sh\n" .. table.concat(lines, "\n") .. "\n```\n"
end

local function add(sections, level, title, command)
  sections[#sections + 1] = ("%s %s\n"):format(level, title)
  sections[#sections + 1] = ("`%s`: %s.\n"):format(synopsis(title, command), command.summary)
  for _, paragraph in ipairs(command.about or {}) do sections[#sections + 1] = paragraph .. "\n" end
  if command.examples then sections[#sections + 1] = examples(command) end
  if not command.commands then sections[#sections + 1] = terms(command) end
  for _, below in ipairs(command.commands or {}) do add(sections, level .. "#", title .. " " .. below.name, below) end
end

return function()
  local sections = { HEAD }
  for _, name in ipairs(cli.NAMES) do add(sections, "##", name, cli.command(name)) end
  return table.concat(sections, "\n")
end
