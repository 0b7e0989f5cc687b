-- make mutants: changes a source in one place, in a copy of the checkout, and runs the specs that belong to it. Where
-- they still pass, the mutant has survived: they miss something, or the change makes no difference.
--
-- MUTANTS  how many, spread over the files; 20
-- SEED     which; the same seed picks the same ones
-- FILES    of which files or folders; all that spec/mutation/judges.lua names
-- SPECS    judged by these specs instead
--
-- What became of each is in build/mutants.txt. It ends well if none survived that explained.lua does not explain.

local explained = require "spec.mutation.explained"
local judges = require "spec.mutation.judges"
local points_of = require "spec.mutation.points"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local COPY = "build/mutants"
local HUNG = 124 -- the status of `timeout`

local seed = tonumber(os.getenv "SEED") or os.time() % 1000000
local wanted = tonumber(os.getenv "MUTANTS") or 20

-- Of Park and Miller: the same numbers in each Lua.
local state = seed % 2147483646 + 1
local function random(n)
  state = state * 16807 % 2147483647
  return state % n + 1
end

local function shuffle(list)
  for i = #list, 2, -1 do
    local j = random(i)
    list[i], list[j] = list[j], list[i]
  end
end

-- ---- which ---------------------------------------------------------------------------------------

local function specs_of(file)
  if os.getenv "SPECS" then return os.getenv "SPECS" end
  for _, judge in ipairs(judges) do
    if file:sub(1, #judge[1]) == judge[1] then return judge[2] end
  end
end

local function read_files()
  local files = {}
  for name in shell.must("git ls-files " .. (os.getenv "FILES" or "csrc lua")):gmatch("[^\n]+") do
    local language, specs = name:match("%.(%l+)$"), specs_of(name)
    if specs and (language == "lua" or language == "c") then
      local source = shell.read(name)
      local file = { name = name, language = language, source = source, specs = specs }
      file.points = points_of(source, language)
      shuffle(file.points)
      files[#files + 1] = file
    end
  end
  assert(#files > 0, "no file of FILES is one that spec/mutation/judges.lua names")
  shuffle(files)
  return files
end

-- One of each file, then a second one of each.
local function choose(files)
  local chosen, round, has_more = {}, 1, true
  while has_more and #chosen < wanted do
    has_more = false
    for _, file in ipairs(files) do
      local point = file.points[round]
      has_more = has_more or point ~= nil
      if point and #chosen < wanted then chosen[#chosen + 1] = { file = file, point = point } end
    end
    round = round + 1
  end
  return chosen
end

-- Why a mutant makes no difference, if somebody has found out.
local function explanation(file, point)
  for _, entry in ipairs(explained[file.name] or {}) do
    if entry[1] == point.text and entry[2] == point.what then return entry[3] end
  end
end

-- ---- the copy ------------------------------------------------------------------------------------

local MAKE = "make -s build LUA=5.4"
local environment

-- With the objects, so that make compiles one file.
local function copy_checkout()
  shell.must(("rm -rf %s && mkdir -p %s/build && git ls-files -z | tar --null -T - -c | tar -x -C %s && "
    .. "cp -a build/5.4 build/luajit %s/build/"):format(COPY, COPY, COPY, COPY))
  environment = shell.must(("cd %s && %s && make -s env LUA=5.4"):format(COPY, MAKE))
end

-- Their status. A mutant that fills memory or the disk must not take the machine's.
local function run_specs(specs, seconds)
  local _, status = shell.run(([[cd %s
    %s
    ulimit -d 4000000 -f 4000000
    timeout -k 2 %d lua5.4 "$(command -v busted)" --no-keep-going --helper=spec.support.once \
        --pattern=_spec -o TAP %s > ../mutant.tap]]):format(
    COPY, environment, seconds, specs))
  return status
end

local limits = {} -- by specs: a mutant that takes longer hangs

local function limit_of(specs)
  if not limits[specs] then
    local began = os.time()
    assert(run_specs(specs, 600) == 0, "they fail without any mutant: " .. specs .. ": see build/mutant.tap")
    limits[specs] = 10 + 2 * (os.time() - began)
  end
  return limits[specs]
end

local function builds(file, source)
  if file.language == "lua" then return process.compile(source) ~= nil end
  local _, status = shell.run(("cd %s && %s"):format(COPY, MAKE))
  return status == 0
end

local function judge(file, point)
  local limit = limit_of(file.specs)
  local mutant = file.source:sub(1, point.from - 1) .. point.new .. file.source:sub(point.to + 1)
  local path, verdict = COPY .. "/" .. file.name, "not compiled"
  shell.write(path, mutant)
  if builds(file, mutant) then
    local status = run_specs(file.specs, limit)
    verdict = status == 0 and "survived" or status == HUNG and "killed, hung" or "killed"
  end
  shell.write(path, file.source)
  assert(builds(file, file.source))
  return verdict
end

-- ---- all of it -----------------------------------------------------------------------------------

print(("%d mutants, SEED=%d"):format(wanted, seed))
local chosen = choose(read_files())
copy_checkout()
local results, counts = assert(io.open("build/mutants.txt", "w")), {}
for _, mutant in ipairs(chosen) do
  local file, point = mutant.file, mutant.point
  local reason = explanation(file, point)
  local verdict = reason and "explained" or judge(file, point)
  local line = ("%-12s %s:%d: %s: %s"):format(verdict, file.name, point.line, point.what,
    reason or point.text)
  print(line)
  results:write(line, "\n")
  results:flush()
  local kind = verdict:match("^[%a ]+")
  counts[kind] = (counts[kind] or 0) + 1
end
local summary = ("%d mutants: %d killed, %d survived, %d explained, %d not compiled (SEED=%d)"):format(#chosen,
  counts.killed or 0, counts.survived or 0, counts.explained or 0, counts["not compiled"] or 0, seed)
print(summary)
results:write(summary, "\n")
results:close()
os.exit(counts.survived and 1 or 0)
