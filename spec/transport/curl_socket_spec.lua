-- What the C code asks of sockets and signals. libcurl looks and guards as well, in some versions: so this is without
-- libcurl, by case of spec/support/programs/sockets.c.

local shell = require "spec.support.shell"

local BUILD = "${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -o %s spec/support/programs/sockets.c csrc/http/descriptors.c "
  .. "csrc/http/sigpipe.c"

local CASES = {
  { "open_and_silent", "that is open and silent is quiet" },
  { "spoken_on", "that was spoken on is quiet only where it may be" },
  { "ended", "that has ended is not quiet" },
  { "no_socket", "that cannot be asked is not quiet" },
  { "signal_of_ours", "written to when nobody reads ends no process, and leaves no signal" },
  { "signal_of_ours_where_it_is_blocked", "written to when nobody reads leaves no signal to a host that blocks it" },
  { "signal_of_the_host", "written to when nobody reads takes no signal that was the host's" },
}

describe("a socket", function()
  local program

  setup(function()
    program = shell.quote(shell.directory() .. "/sockets")
    shell.must(BUILD:format(program))
  end)

  for _, case in ipairs(CASES) do
    local name, title = case[1], case[2]
    it(title, function()
      local said, status = shell.run(program .. " " .. name)
      assert.equal(0, status, said)
    end)
  end
end)
