-- What valgrind says of a program, and what of that is ours.

local shell = require "spec.support.shell"

local valgrind = {}

-- `keep-debuginfo`: some close their modules at their end, before the leaks are looked for.
local LAUNCHER = "valgrind --leak-check=full --show-leak-kinds=definite,possible --keep-debuginfo=yes"
  .. " --num-callers=50 --fullpath-after= --log-file=%s"

local root = shell.must("pwd"):match("[^\n]+")

function valgrind.is_there() return select(2, shell.run("valgrind true")) == 0 end

-- What stands before the command whose report is to be in that file.
function valgrind.launcher(path) return LAUNCHER:format(path) end

-- By our sources, or by a module where it has no line numbers. What others do is not ours to judge: nginx, for one,
-- never frees its environment.
local function is_ours(paragraph)
  return paragraph:find(root .. "/csrc/", 1, true) or paragraph:find(root .. "/spec/", 1, true)
    or paragraph:find("alipayhk/%l+%.so")
end

-- The paragraphs of a report that are ours.
function valgrind.complaints(path)
  local report, list = shell.read(path), {}
  assert(report:find("ERROR SUMMARY", 1, true), report)
  for paragraph in (report:gsub("==%d+== ?", "") .. "\n\n"):gmatch("(.-)\n%s*\n") do
    if is_ours(paragraph) then list[#list + 1] = paragraph end
  end
  return list
end

return valgrind
