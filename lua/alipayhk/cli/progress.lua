-- How far a long work is: on a terminal a line that is written over, with a bar; elsewhere a line now and then.

local progress = {}

local BAR_MIN, BAR_MAX = 10, 30
local EVERY_S = 10
local ERASE = "\r\27[K"

-- ---- the line ----------------------------------------------------------------------------------------

local function duration(seconds)
  if seconds < 100 then return ("%.0f s"):format(seconds) end
  if seconds < 6000 then return ("%.0f min"):format(seconds / 60) end
  return ("%.0f h"):format(seconds / 3600)
end

-- The parts of a line, in their order, the less needed ones with a higher `rank`. `share`: of what is to be done, 0 to
-- 1, how much is; nil where nobody knows.
local function parts_of(now, share)
  local done = now.accepted + now.refused + now.failed
  local parts = {}
  local function add(rank, is_there, format, ...)
    if is_there then parts[#parts + 1] = { rank = rank, text = format:format(...) } end
  end
  add(1, share, "%3.0f %%", (share or 0) * 100)
  add(share and 6 or 1, true, "%d done", done)
  add(3, true, "%.0f a second", now.per_second)
  add(2, share and share > 0, "%s left", share and share > 0 and duration(now.seconds / share - now.seconds))
  add(4, now.refused > 0, "%d refused", now.refused)
  add(4, now.failed > 0, "%d failed", now.failed)
  add(5, now.unreachable_seconds, "AlipayHK cannot be reached for %s", duration(now.unreachable_seconds or 0))
  add(5, not now.unreachable_seconds and now.window < 1, "AlipayHK asks for less")
  return parts
end

local function joined(parts, rank_max)
  local texts = {}
  for _, part in ipairs(parts) do
    if part.rank <= rank_max then texts[#texts + 1] = part.text end
  end
  return table.concat(texts, "  ")
end

local function bar(share, columns)
  local filled = math.floor(share * columns + 1 / 2)
  return "[" .. ("#"):rep(filled) .. ("-"):rep(columns - filled) .. "]  "
end

local LEAST, ALL = 1, 6

-- What fits into `width` columns: always the share, or how much is done, then the time left, the rate and so on, and a
-- bar where there is room. Without a width all of it, and no bar.
function progress.text(now, share, width)
  local parts = parts_of(now, share)
  local rank, line = ALL, joined(parts, ALL)
  if not width then return line end
  while #line > width and rank > LEAST do
    rank = rank - 1
    line = joined(parts, rank)
  end
  local room = width - #line - #bar(0, 0)
  if share and room >= BAR_MIN then line = bar(share, math.min(room, BAR_MAX)) .. line end
  return line:sub(1, width)
end

-- ---- showing it --------------------------------------------------------------------------------------

local Progress = {}
Progress.__index = Progress

-- `write(text)` writes as it is; `width`: the columns of a terminal, nil where there is none.
function progress.new(write, width)
  return setmetatable({ write = write, width = width, due_s = EVERY_S, is_shown = false }, Progress)
end

-- `now`: what `on_progress` gets.
function Progress:show(now, share)
  if self.width then
    -- The last column stays free: a terminal may go on to the next line there.
    self.write(ERASE .. progress.text(now, share, self.width - 1))
    self.is_shown = true
  elseif now.seconds >= self.due_s then
    self.due_s = now.seconds + EVERY_S
    self.write(progress.text(now, share) .. "\n")
  end
end

-- Before anything else is written.
function Progress:clear()
  if self.is_shown then self.write(ERASE) end
  self.is_shown = false
end

return progress
