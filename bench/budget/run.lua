-- `make budget`: how many instructions the library's own work takes, counted by callgrind, without those of libcrypto
-- and libc.
-- Unlike a time, a count has hardly any noise. One that is more than 5 % over what bench/budget/budget.json allows has
-- failed; or is skipped, where the budget is for other builds. With `update`, the counts become what is allowed.

package.path = package.path .. ";./?.lua"

local json = require "alipayhk.base.json"
local shell = require "spec.support.shell"

local FILE = "bench/budget/budget.json"
local OVER = 1.05
-- By so much a count differs from machine to machine, for a hash table's order goes by addresses.
local NOISE = 500
-- The work is the difference of two runs, which start alike.
local FEW, MANY = 50, 450

-- What the interpreter and the library themselves do. What libc does is mostly malloc, whose way depends on what lay
-- where before.
local function is_ours(object)
  return not object:find("libcrypto", 1, true) and not object:find("libc.so", 1, true)
end

-- The instructions of ours, from callgrind's file. Costs stand in lines of numbers; the line after `calls=` has what
-- the function called has spent, which has lines of its own. A name is written once, with a number.
local function count(path)
  local objects, object, total, is_call = {}, nil, 0, false
  for line in io.lines(path) do
    local called, id, name = line:match("^(c?)ob=(%(%d+%))%s*(.*)$")
    if id then
      if name ~= "" then objects[id] = name end
      if called == "" then object = objects[id] end
    elseif line:find("^calls=") then
      is_call = true
    elseif line:find("^[%d+*-]") then
      local cost = not is_call and line:match("^%S+ (%d+)$")
      if cost and is_ours(object) then total = total + tonumber(cost) end
      is_call = false
    end
  end
  return total
end

local interpreter = arg[-1]
-- Relative, as every path here: see the Makefile.
local directory = shell.directory():match("build/test/[^/]+$")
for _, side in ipairs { "merchant", "alipayhk" } do
  local file = directory .. "/" .. side
  shell.must(("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp224r1 -out %s.pem 2> /dev/null && "
    .. "openssl pkey -in %s.pem -pubout -out %s.pub"):format(file, file, file))
end

local function instructions(name, times)
  local output = directory .. "/callgrind.out"
  shell.must(("valgrind --tool=callgrind --callgrind-out-file=%s %s bench/budget/work.lua %s %d %s"):format(
    output, interpreter, shell.quote(name), times, directory))
  return count(output)
end

local function measure()
  local found, names = {}, {}
  for name in shell.must(("%s bench/budget/work.lua '' 0 %s"):format(interpreter, directory)):gmatch("[^\n]+") do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    found[name] = math.floor((instructions(name, MANY) - instructions(name, FEW)) / (MANY - FEW))
  end
  return names, found
end

-- Counts depend on the builds of Lua and of the C library.
local function builds()
  return shell.must(interpreter .. " -v"):match("^Lua [%d.]+") .. ", "
    .. shell.must("getconf GNU_LIBC_VERSION"):match("[^\n]+")
end

local function update(names, found)
  local lines = {}
  for i, name in ipairs(names) do lines[i] = ('    "%s": %d'):format(name, found[name]) end
  shell.write(FILE, ('{\n  "builds": "%s",\n  "instructions": {\n%s\n  }\n}\n'):format(
    builds(), table.concat(lines, ",\n")))
end

local function compare(names, found)
  local allowed = json.decode(shell.read(FILE))
  local here = builds()
  local counts, about = { passed = 0, failed = 0, skipped = 0 }, {
    passed = "",
    failed = "  OVER: make budget-update, if that is meant",
    skipped = ("  over, but the budget is for %s, and this is %s"):format(allowed.builds, here),
  }
  for _, name in ipairs(names) do
    local most = allowed.instructions[name] or 0
    local outcome = found[name] <= most * OVER + NOISE and "passed" or allowed.builds == here and "failed" or "skipped"
    counts[outcome] = counts[outcome] + 1
    print(("%9d of %9d  %+5.1f %%  %s%s"):format(found[name], most, (found[name] / most - 1) * 100, name,
      about[outcome]))
  end
  print(("%d passed, %d failed, %d skipped"):format(counts.passed, counts.failed, counts.skipped))
  return counts.failed > 0 and 1 or 0
end

local names, found = measure()
if arg[1] == "update" then update(names, found) else os.exit(compare(names, found)) end
