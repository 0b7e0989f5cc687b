-- The manual page, of what the commands say of themselves.

local function run(_, out)
  out:line("%s", require("alipayhk.cli.manual").page())
end

return {
  name = "manual",
  summary = "print the manual page, in the form that man reads",
  examples = { { "alipayhk manual | man -l -", "read it where it is not installed" } },
  run = run,
}
