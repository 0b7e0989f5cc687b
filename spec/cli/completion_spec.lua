-- What shells are given to complete by.

local command = require "spec.support.command"
local shell = require "spec.support.shell"

describe("alipayhk completion", function()
  for name, words in pairs {
    bash = { "deliver", "--until-empty", "PARAM_ILLEGAL" },
    fish = { "deliver", "until-empty", "PARAM_ILLEGAL" },
    zsh = { "deliver", "--until-empty", "PARAM_ILLEGAL", "MOVIE_TICKET_DEFAULT" },
  } do
    it("has commands, options and their values: " .. name, function()
      local status, out = command.run { "completion", name }
      assert.equal(0, status)
      for _, word in ipairs(words) do assert.matches(word, out, 1, true) end
      if select(2, shell.run("command -v " .. name)) ~= 0 then return end
      local script = shell.directory() .. "/script"
      shell.write(script, out)
      shell.must(("%s -n %s"):format(name, script))
    end)
  end

  it("completes the codes of --answer in bash", function()
    local script = shell.directory() .. "/script"
    shell.write(script, (select(2, command.run { "completion", "bash" })))
    shell.write(script .. ".try", ([[
      . %s
      COMP_WORDS=(alipayhk gateway --answer PARAM) COMP_CWORD=3
      _alipayhk; echo "${COMPREPLY[@]}"]]):format(script))
    assert.equal("PARAM_ILLEGAL\n", shell.must("bash " .. script .. ".try"))
  end)
end)
