-- The manual page in roff, out of what each command says of itself, as its `--help` is.

local cli = require "alipayhk.cli"
local options = require "alipayhk.cli.options"
local version = require "alipayhk.base.version"

local manual = {}

local HEAD = [[
.TH ALIPAYHK 1 "" "alipayhk %s"
.SH NAME
alipayhk \- push the state of your orders into the AlipayHK wallet
.SH SYNOPSIS
.B alipayhk
.I COMMAND
[\fIOPTIONS\fR] [\fIARGUMENTS\fR]
.SH DESCRIPTION
Results go to standard output, with \fB\-\-json\fR as one object a line; talk and progress go to standard error.
.SH COMMANDS]]

local TAIL = [[
.SH CONFIGURATION
What a command works with comes from the file of \fB\-\-config\fR, a Lua file that returns the table for
\fBalipayhk.new\fR with \fBstore\fR beside its keys, or the same as JSON; over it from the environment; over it from
the options.
.SH ENVIRONMENT
.TP
\fBALIPAYHK_CLIENT_ID\fR, \fBALIPAYHK_ENVIRONMENT\fR, \fBALIPAYHK_BASE_URL\fR, \fBALIPAYHK_STORE\fR
As the options of the same names.
.TP
\fBALIPAYHK_PRIVATE_KEY\fR, \fBALIPAYHK_PUBLIC_KEY\fR, \fBALIPAYHK_CA_FILE\fR
Names of files, as the options of the same names.
.TP
\fBNO_COLOR\fR
If it is set, there are no colours.
.SH EXIT STATUS
.TP
.B 0
All good.
.TP
.B 1
A payload, answer or event was refused.
.TP
.B 2
Wrong usage or config.
.TP
.B 3
Something could not be reached, or its outcome is unknown.]]

-- Text as roff shows it unchanged.
local function plain(s)
  return (s:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("\n *", " "):gsub("^([.'])", "\\&%1"))
end

local function add(lines, format, ...)
  lines[#lines + 1] = format:format(...)
end

local BEFORE = { ["?"] = "[", ["*"] = "[" }
local AFTER = { ["?"] = "]", ["*"] = "...]", ["+"] = "..." }

local function synopsis(title, command)
  local words = { "\\fBalipayhk " .. plain(title) .. "\\fR" }
  if #options.of(command) > 0 then words[#words + 1] = "[\\fIOPTIONS\\fR]" end
  for _, argument in ipairs(command.arguments or {}) do
    local count = argument.count
    words[#words + 1] = (BEFORE[count] or "") .. "\\fI" .. plain(argument.name) .. "\\fR" .. (AFTER[count] or "")
  end
  return table.concat(words, " ")
end

local function add_terms(lines, command)
  for _, argument in ipairs(command.arguments or {}) do
    add(lines, ".TP\n\\fI%s\\fR\n%s", plain(argument.name), plain(argument.about))
  end
  for _, option in ipairs(options.of(command)) do
    local value = option.value and " \\fI" .. plain(option.value) .. "\\fR" or ""
    local default = option.default ~= nil and (" (default: %s)"):format(plain(tostring(option.default))) or ""
    add(lines, ".TP\n\\fB%s\\fR%s\n%s%s", plain(option[1]), value, plain(option.about), default)
  end
end

local function add_command(lines, title, command)
  add(lines, ".SS %s\n%s", synopsis(title, command), plain(command.summary))
  for _, paragraph in ipairs(command.about or {}) do add(lines, ".PP\n%s", plain(paragraph)) end
  if not command.commands then add_terms(lines, command) end
  for _, example in ipairs(command.examples or {}) do
    add(lines, ".PP\n.EX\n%s\n.EE\n%s", plain(example[1]), plain(example[2]))
  end
  for _, below in ipairs(command.commands or {}) do add_command(lines, title .. " " .. below.name, below) end
end

-- The whole page.
function manual.page()
  local lines = { HEAD:format(version) }
  for _, name in ipairs(cli.NAMES) do add_command(lines, name, cli.command(name)) end
  lines[#lines + 1] = TAIL
  return table.concat(lines, "\n")
end

return manual
