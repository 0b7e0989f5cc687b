-- An SVG of orders a second over requests in flight, made from `BENCH_JSON=1 make bench`:
--
--     lua bench/chart.lua < run.json > docs/performance.svg

local cjson = require "cjson"

local run = cjson.decode(io.read("*a"))

local WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 420, 300, 58, 44, 42, 36
local KINDS = { { kind = "rsa", title = "RSA-2048" }, { kind = "ec", title = "P-224" } }
local COLOURS = { "#0b7285", "#1098ad", "#66d9e8", "#495057", "#e8590c", "#9c36b5", "#2f9e44", "#c2255c" }

-- The lines by kind, each with its points in the order of requests in flight, and the axis' values.
local function read()
  local lines, order, at_once, seen = {}, {}, {}, {}
  for _, row in ipairs(run.rows) do
    local series = row.series
    if series then
      local line = lines[series.who]
      if not line then
        line = {}
        lines[series.who] = line
        order[#order + 1] = series.who
      end
      line[series.kind] = line[series.kind] or {}
      line[series.kind][series.at_once] = row.theirs or row.ours
      if not seen[series.at_once] then
        seen[series.at_once] = true
        at_once[#at_once + 1] = series.at_once
      end
    end
  end
  table.sort(order)
  table.sort(at_once)
  return lines, order, at_once
end

local out = {}

local function add(format, ...)
  out[#out + 1] = format:format(...)
end

local lines, order, at_once = read()

local function most_of(kind)
  local most = 0
  for _, line in pairs(lines) do
    for _, value in pairs(line[kind] or {}) do most = math.max(most, value) end
  end
  return math.ceil(most / 1000) * 1000
end

local function panel(index, kind)
  local left, most = LEFT + (index - 1) * (WIDTH + GAP + LEFT), most_of(kind.kind)
  local height = HEIGHT - TOP - BOTTOM
  local function x(value)
    for i, each in ipairs(at_once) do
      if each == value then return left + (i - 1) / (#at_once - 1) * WIDTH end
    end
  end
  local function y(value) return TOP + height * (1 - value / most) end
  add('<text x="%.0f" y="24" font-size="15" font-weight="bold">%s, orders a second</text>', left, kind.title)
  for step = 0, most, 1000 do
    add('<line x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f" stroke="#dee2e6"/>', left, left + WIDTH, y(step), y(step))
    add('<text x="%.0f" y="%.1f" text-anchor="end">%d</text>', left - 8, y(step) + 4, step)
  end
  for _, value in ipairs(at_once) do
    add('<text x="%.1f" y="%.0f" text-anchor="middle">%d</text>', x(value), TOP + height + 20, value)
  end
  for i, who in ipairs(order) do
    local points = {}
    for _, value in ipairs(at_once) do
      local rate = (lines[who][kind.kind] or {})[value]
      if rate then points[#points + 1] = ("%.1f,%.1f"):format(x(value), y(rate)) end
    end
    local colour = COLOURS[(i - 1) % #COLOURS + 1]
    if #points > 1 then
      add('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>', table.concat(points, " "), colour)
    end
    for _, point in ipairs(points) do
      local px, py = point:match("^(.*),(.*)$")
      add('<circle cx="%s" cy="%s" r="3.5" fill="%s"/>', px, py, colour)
    end
  end
end

local function legend(width)
  local column = width / 4
  for i, who in ipairs(order) do
    local px, py = 20 + (i - 1) % 4 * column, HEIGHT + 24 + math.floor((i - 1) / 4) * 22
    add('<rect x="%.0f" y="%.0f" width="12" height="12" fill="%s"/>', px, py - 10, COLOURS[(i - 1) % #COLOURS + 1])
    add('<text x="%.0f" y="%.0f">%s</text>', px + 18, py, who)
  end
end

local width, height = 2 * (WIDTH + LEFT) + GAP + 24, HEIGHT + 60
add('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">',
  width, height)
add('<rect width="100%%" height="100%%" fill="white"/>')
for i, kind in ipairs(KINDS) do panel(i, kind) end
legend(width)
add('<text x="%.0f" y="%.0f" text-anchor="end" fill="#868e96">requests in flight</text>', width - 20, HEIGHT - 4)
add("</svg>")
print(table.concat(out, "\n"))
