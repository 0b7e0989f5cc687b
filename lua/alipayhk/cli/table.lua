-- Rows below each other, in columns that fit a terminal.

local columns = {}

local GAP = "  "
local LAST_MIN = 8
local CUT = ".."

local CHARACTER = "[%z\1-\127\192-\255][\128-\191]*"
-- From U+3000 on, in UTF-8: Chinese characters, and what else takes two columns.
local WIDE = "^[\227-\255]"

local function width_of(character)
  return character:find(WIDE) and 2 or 1
end

-- How many columns of a terminal a text takes.
function columns.width(s)
  local width = 0
  for character in s:gmatch(CHARACTER) do width = width + width_of(character) end
  return width
end

-- A text that takes at most so many.
function columns.cut(s, width)
  if columns.width(s) <= width then return s end
  local parts, left = {}, width - #CUT
  for character in s:gmatch(CHARACTER) do
    left = left - width_of(character)
    if left < 0 then break end
    parts[#parts + 1] = character
  end
  return table.concat(parts) .. CUT:sub(1, math.max(width, 0))
end

local function widths_of(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, columns.width(cell)) end
  end
  return widths
end

local function line_of(row, widths)
  local cells = {}
  for i, cell in ipairs(row) do
    cells[i] = i < #row and cell .. (" "):rep(widths[i] - columns.width(cell)) or cell
  end
  return (table.concat(cells, GAP):gsub(" +$", ""))
end

-- A line for each row, the first of which has the titles. The last column has the long texts: with a `width` they are
-- cut to fit it, and then the line.
function columns.lines(rows, width)
  local widths, lines = widths_of(rows), {}
  local before = #GAP * (#rows[1] - 1)
  for i = 1, #rows[1] - 1 do before = before + widths[i] end
  local room = width and math.max(LAST_MIN, width - before)
  for i, row in ipairs(rows) do
    local shown = {}
    for j, cell in ipairs(row) do shown[j] = room and j == #row and columns.cut(cell, room) or cell end
    local line = line_of(shown, widths)
    lines[i] = width and columns.cut(line, width) or line
  end
  return lines
end

return columns
