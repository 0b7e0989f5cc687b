-- The analyzers of `make analyze` find what is planted, and let a file pass that has nothing.

local shell = require "spec.support.shell"

local FAULTY = [[
#include <stdlib.h>
int twice(int n);
int twice(int n)
{
    char *block = malloc(10);
    if (block != NULL && n > 0) {
        free(block);
    }
    free(block);
    return 0;
}
]]

describe("make analyze", function()
  for tool, command in pairs { cppcheck = "cppcheck", gcc = "gcc", clang = "clang" } do
    it("finds a planted fault by " .. command, function()
      if select(2, shell.run("command -v " .. command)) ~= 0 then return pending(command .. " is not installed") end
      local directory = shell.directory()
      shell.write(directory .. "/faulty.c", FAULTY)
      shell.write(directory .. "/good.c", (FAULTY:gsub("        free", "        (void)")))
      local analyze = ("make -s analyze-%s LUA=5.4 ANALYZED=%s"):format(tool, directory)
      assert.equal("", shell.must(analyze .. "/good.c"))
      local said, status = shell.run(analyze .. "/faulty.c")
      assert.is_true(status ~= 0)
      assert.matches("faulty.c:9:", said, 1, true)
    end)
  end
end)
