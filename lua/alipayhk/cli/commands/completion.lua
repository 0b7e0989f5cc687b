-- What a shell needs to complete the command's names and options.

local METHODS = { bash = "get_bash_complete", zsh = "get_zsh_complete", fish = "get_fish_complete" }

local function run(given, out)
  local cli = require "alipayhk.cli"
  local parser = require "alipayhk.cli.parser"
  local commands = {}
  for i, name in ipairs(cli.NAMES) do commands[i] = cli.command(name) end
  local whole = parser.whole(commands)
  out:line("%s", (whole[METHODS[given.shell]](whole):gsub("\n$", "")))
end

return {
  name = "completion",
  summary = "print what a shell needs to complete names and options",
  examples = {
    { 'eval "$(alipayhk completion bash)"', "in ~/.bashrc" },
    { "alipayhk completion fish > ~/.config/fish/completions/alipayhk.fish", "for fish" },
    { "alipayhk completion zsh > \"${fpath[1]}/_alipayhk\"", "for zsh" },
  },
  arguments = { { name = "SHELL", choices = { "bash", "zsh", "fish" }, about = "bash, zsh or fish" } },
  run = run,
}
