-- The pages of prose, and their code, to be run as it stands but for what names the world outside.

local gateway = require "spec.support.servers.gateway"
local shell = require "spec.support.shell"

local readme = {}

local README = "README.md"

-- Every page, the README first: paths from the root of the checkout.
function readme.pages()
  local pages = { README }
  for path in shell.must("find . -name '*.md' -not -path './build/*' | sort"):gmatch("%./([^\n]+)") do
    if path ~= README then pages[#pages + 1] = path end
  end
  return pages
end

-- The pages that are written by hand.
function readme.written_pages()
  local pages = {}
  for _, path in ipairs(readme.pages()) do
    if not path:find("^docs/scenarios/") and path ~= "docs/reference.md" then pages[#pages + 1] = path end
  end
  return pages
end

-- The fenced blocks of a page: `{ language, text, line, last }`, the lines of its fences.
function readme.blocks(path)
  local blocks, open, number = {}, nil, 0
  for line in (shell.read(path) .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local language = line:match("^```(%a*)$")
    if open and language then
      blocks[#blocks + 1] = {
        language = open.language, text = table.concat(open.lines), line = open.line, last = number,
      }
      open = nil
    elseif language then
      open = { language = language, lines = {}, line = number }
    elseif open then
      open.lines[#open.lines + 1] = line .. "\n"
    end
  end
  assert(not open, path .. ": a block does not end")
  return blocks
end

-- A page without its fenced blocks; the lines keep their numbers.
function readme.prose(path)
  local lines, is_code = {}, false
  for line in (shell.read(path) .. "\n"):gmatch("([^\n]*)\n") do
    local is_fence = line:find("^```") ~= nil
    if is_fence then is_code = not is_code end
    lines[#lines + 1] = (is_fence or is_code) and "" or line
  end
  return table.concat(lines, "\n") .. "\n"
end

local function cells_of(line)
  local cells = {}
  -- An escaped bar is no border.
  for cell in line:sub(2):gsub("\\|", "\1"):gmatch("%s*([^|]-)%s*|") do cells[#cells + 1] = (cell:gsub("\1", "|")) end
  return cells
end

-- The tables of a page: `{ heading, header, rows }`, the heading that they stand under, lists of cells.
function readme.tables(path)
  local tables, heading, open = {}, nil, nil
  for line in readme.prose(path):gmatch("([^\n]*)\n") do
    heading = line:match("^#+ (.*)$") or heading
    if not line:find("^|") then
      open = nil
    elseif not open then
      open = { heading = heading, header = cells_of(line), rows = {} }
      tables[#tables + 1] = open
    elseif not line:find("^|[-|: ]+$") then
      open.rows[#open.rows + 1] = cells_of(line)
    end
  end
  return tables
end

-- The rows of the one table whose first column is headed so, under a heading where one is given.
function readme.rows(path, first, heading)
  local rows
  for _, found in ipairs(readme.tables(path)) do
    if found.header[1] == first and (not heading or found.heading == heading) then
      assert(not rows, ("%s: two tables headed %s"):format(path, first))
      rows = found.rows
    end
  end
  return assert(rows, ("%s: no table headed %s"):format(path, first))
end

-- The names in backticks of a text.
function readme.names(text)
  local names = {}
  for name in text:gmatch("`([^`]+)`") do names[#names + 1] = name end
  return names
end

-- The blocks of Lua of a page; `output`, where a block without a language follows at once: what it prints.
function readme.programs(path)
  local programs, last = {}, nil
  for _, block in ipairs(readme.blocks(path)) do
    if last and block.language == "" and block.line - last.last <= 2 then last.output = block.text end
    last = block.language == "lua" and block or nil
    programs[#programs + 1] = last
  end
  return programs
end

-- ---- the README's own blocks -------------------------------------------------------------------

-- The n-th block of a language; "" is one.
function readme.block(language, n)
  local found = {}
  for _, block in ipairs(readme.blocks(README)) do
    if block.language == language then found[#found + 1] = block.text end
  end
  return assert(found[n], "the README has no such block")
end

-- The first block that has the text, of the README or of the page on installing.
function readme.block_with(needle)
  for _, path in ipairs { README, "docs/install.md" } do
    for _, block in ipairs(readme.blocks(path)) do
      if block.text:find(needle, 1, true) then return block.text end
    end
  end
  error("no block with: " .. needle)
end

-- The command in the text of a page that begins so.
function readme.inline(path, start)
  for command in readme.prose(path):gmatch("`([^`]+)`") do
    if command:sub(1, #start) == start then return (command:gsub("\n", " ")) end
  end
  error(path .. " has no such command: " .. start)
end

-- ---- running -----------------------------------------------------------------------------------

-- Puts `to` for the text `from`, which has to be there.
local function put(text, from, to)
  local first, last = text:find(from, 1, true)
  assert(first, "the README no longer has: " .. from)
  return text:sub(1, first - 1) .. to .. text:sub(last + 1)
end

-- The block pointed at the local gateway.
-- `tls`: further config, such as a CA file
function readme.at_gateway(code, tls)
  local values = gateway.values()
  code = put(code, '"4Q5Y8W0WSG45P907917"', ("%q"):format(values.rsa_client_id))
  code = put(code, 'environment = "testing"', ("base_url = %q%s"):format(values.base_url, tls))
  code = put(code, '"merchant.pem"', ("%q"):format(values.rsa_private_key))
  return put(code, '"alipayhk.pem"', ("%q"):format(values.rsa_alipay_public_key))
end

return readme
