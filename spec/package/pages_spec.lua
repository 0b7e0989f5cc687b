-- The pages lead where they say, and name only what there is.

local readme = require "spec.support.sources.readme"
local shell = require "spec.support.shell"

local ROOT = "README.md"

local function exists(path)
  return select(2, shell.run("test -e " .. shell.quote(path))) == 0
end

-- ---- links ---------------------------------------------------------------------------------------

-- A heading's anchor, as GitHub makes it.
local function anchor_of(heading)
  local text = heading:gsub("%[([^%]]*)%]%b()", "%1"):gsub("`", "")
  return (text:lower():gsub("[^%w%s_\128-\255-]", ""):gsub(" ", "-"))
end

local anchors_of = {}

-- The anchors of a page, as a set.
local function anchors(path)
  local set, times = anchors_of[path] or {}, {}
  if anchors_of[path] then return set end
  for heading in ("\n" .. readme.prose(path)):gmatch("\n#+ ([^\n]+)") do
    local anchor = anchor_of(heading)
    set[times[anchor] and ("%s-%d"):format(anchor, times[anchor]) or anchor] = true
    times[anchor] = (times[anchor] or 0) + 1
  end
  anchors_of[path] = set
  return set
end

-- Where a link of a page leads: a path from the root of the checkout.
local function resolve(page, target)
  local path = (page:match("^(.*/)") or "") .. target
  local count
  repeat path, count = path:gsub("[^/]+/%.%./", "", 1) until count == 0
  return (path:gsub("/$", ""))
end

-- Each relative link of a page: the path, the anchor (perhaps nil), as it is written.
local function links(page)
  local text, found = readme.prose(page):gsub("`[^`\n]*`", ""), {}
  local function add(target)
    if target:find("^%a[%w+.-]*:") then return end
    local path, anchor = target:match("^([^#]*)#?(.*)$")
    found[#found + 1] = {
      path = path == "" and page or resolve(page, path), anchor = anchor ~= "" and anchor or nil, written = target,
    }
  end
  for target in text:gmatch("%]%(([^)%s]+)%)") do add(target) end
  for target in text:gmatch("\n%[[^%]\n]+%]: (%S+)") do add(target) end
  return found
end

-- What is wrong with the links of a page.
local function broken(page)
  local faults = {}
  for _, link in ipairs(links(page)) do
    if not exists(link.path) then
      faults[#faults + 1] = link.written .. ": no such file"
    elseif link.anchor and not (link.path:find("%.md$") and anchors(link.path)[link.anchor]) then
      faults[#faults + 1] = link.written .. ": no such heading"
    end
  end
  return faults
end

describe("the links", function()
  for _, page in ipairs(readme.pages()) do
    it("lead somewhere: " .. page, function() assert.same({}, broken(page)) end)
  end

  it("are found, and so is what is wrong with them", function()
    local directory = shell.directory():match("build/.*$")
    local page = directory .. "/page.md"
    shell.write(page, "# A `b` & c\n\n## Same\n## Same\n\n[one](#a-b--c) [two](#same-1) [three](page.md#same)\n"
      .. "[four](#nowhere) [five](absent.md) [six](https://example.com) `[seven](x.md)`\n[eight]: ../nothing.md\n"
      .. "```\n[nine](y.md)\n```\n")
    assert.same({ "#nowhere: no such heading", "absent.md: no such file", "../nothing.md: no such file" }, broken(page))
  end)

  it("lead from the README to every page", function()
    local seen, waiting = { [ROOT] = true }, { ROOT }
    while #waiting > 0 do
      for _, link in ipairs(links(table.remove(waiting))) do
        if link.path:find("%.md$") and not seen[link.path] then
          seen[link.path] = true
          waiting[#waiting + 1] = link.path
        end
      end
    end
    for _, page in ipairs(readme.pages()) do assert.is_true(seen[page], page) end
  end)
end)

-- ---- tables --------------------------------------------------------------------------------------

describe("the tables", function()
  for _, page in ipairs(readme.pages()) do
    it("have as many cells in each row as in their first: " .. page, function()
      for _, found in ipairs(readme.tables(page)) do
        for _, row in ipairs(found.rows) do assert.equal(#found.header, #row, row[1]) end
      end
    end)
  end
end)

-- ---- commands and names --------------------------------------------------------------------------

-- The targets of make that a text names in its commands.
local function targets(text)
  local found = {}
  text = text:gsub("\\\n", " "):gsub("#[^\n]*", ""):gsub("%$%(", "\n"):gsub("&&", "\n")
  for command in text:gmatch("[^\n;|)]+") do
    local words = command:gsub("^%s*", ""):gsub("^sudo ", ""):gsub("^[%u_]+=%S+ ", ""):match("^make (.*)$")
    for word in (words or ""):gmatch("%S+") do
      if word:find("^%l[%l-]*$") then found[#found + 1] = word end
    end
  end
  return found
end

-- The code of a page: its blocks, and what stands in backticks.
local function code(page)
  local parts = readme.names(readme.prose(page))
  for _, block in ipairs(readme.blocks(page)) do
    if block.language == "sh" then parts[#parts + 1] = block.text end
  end
  return parts
end

describe("the commands", function()
  local makefile = shell.read("Makefile")

  it("are told from names of packages", function()
    local text = 'apt-get install gcc \\\n make one\nluarocks make two\nGATEWAY_PORT=1 make three # make four\n'
      .. 'make -s five LUA=5.4 && eval "$(make -s six)"; sudo make \\\n  seven'
    assert.same({ "three", "five", "six", "seven" }, targets(text))
  end)

  for _, page in ipairs(readme.written_pages()) do
    it("name only targets that the Makefile has: " .. page, function()
      for _, part in ipairs(code(page)) do
        for _, target in ipairs(targets(part)) do
          assert.truthy(makefile:find("\n" .. target:gsub("%-", "%%-") .. "[%w -]*:"), target)
        end
      end
    end)

    it("are understood by the shell: " .. page, function()
      for _, block in ipairs(readme.blocks(page)) do
        if block.language == "sh" then
          local path = shell.directory() .. "/block.sh"
          shell.write(path, block.text)
          assert.equal("", (shell.run("sh -n " .. path)), page .. ":" .. block.line)
        end
      end
    end)
  end
end)

describe("the files and folders", function()
  local TOP = { lua = true, csrc = true, gateway = true, spec = true, bench = true, examples = true, docs = true }
  local LAYER = "lua/alipayhk/"

  -- Whether a name in code is a file or folder of the checkout that is not there; files of the Lua layer may be named
  -- by the end of their path.
  local function is_missing(name)
    local top = name:match("^(%l+)/[%w_./-]*$")
    if name:find("%u%u") or not (top or name:find("^[%l%d_]+%.lua$")) then return false end
    if TOP[top] then return not exists(name) end
    return name:find("%.lua$") ~= nil and shell.run(("find %s -path '*/%s'"):format(LAYER, name)) == ""
  end

  it("that are missing are found", function()
    for _, name in ipairs { "lua/alipayhk/no.lua", "csrc/no", "exchange/no.lua", "no.lua", "spec/unit/no_spec.lua" } do
      assert.is_true(is_missing(name), name)
    end
    for _, name in ipairs { "retry.lua", "exchange/retry.lua", "csrc/crypto", "/tmp/x.lua", "x/y", "a b.lua" } do
      assert.is_false(is_missing(name), name)
    end
  end)

  for _, page in ipairs { ROOT, "CONTRIBUTING.md", "SECURITY.md" } do
    it("that stand in code are there: " .. page, function()
      for _, name in ipairs(readme.names(readme.prose(page))) do assert.is_false(is_missing(name), name) end
    end)
  end

  -- ---- the floors

  local function floors()
    local found = {}
    for name in shell.must("ls -d lua/alipayhk/*/"):gmatch("lua/alipayhk/([%l_]+)/\n") do found[#found + 1] = name end
    return found
  end

  it("of the floors are those that CONTRIBUTING.md shows, each with files of its own", function()
    local shown = { "meta" } -- beside them
    for _, row in ipairs(readme.rows("CONTRIBUTING.md", "floor")) do
      local floor = row[1]:match("^`(%l+)`$")
      shown[#shown + 1] = floor
      for _, name in ipairs(readme.names(row[3])) do
        assert.is_true(exists(LAYER .. (floor and floor .. "/" or "") .. name), name)
      end
    end
    table.sort(shown)
    assert.same(floors(), shown)
  end)
end)
