-- A mutator for texts of lines: lines come twice, go, change places, get other ends; and now and then libFuzzer's own.

local random = math.random

local function pick(list)
  return list[random(#list)]
end

local function split(text)
  local lines = {}
  for line in text:gmatch("[^\n]*\n?") do
    if line ~= "" then lines[#lines + 1] = line end
  end
  return lines
end

local ENDS = { "\n", "\r\n", "\r", "\r\r\n", "", "\n\n", " \r\n", "\t\r\n", "\0\r\n" }
local BITS = { " ", "\t", "0", "1", "+", "-", ",", ";", ":", "=", "\0", "\r", "\n", "\11", "\127", "\255" }

-- Each changes a list of lines, in place, at one of them.
local CHANGES = {
  function(lines, at) table.remove(lines, at) end,
  function(lines, at) table.insert(lines, random(#lines + 1), lines[at]) end,
  function(lines, at)
    local other = random(#lines)
    lines[at], lines[other] = lines[other], lines[at]
  end,
  function(lines, at) lines[at] = lines[at]:gsub("[\r\n]*$", "") .. pick(ENDS) end,
  function(lines, at)
    local into = random(0, #lines[at])
    lines[at] = lines[at]:sub(1, into) .. pick(BITS) .. lines[at]:sub(into + 1)
  end,
  function(lines, at)
    local from = random(#lines[at])
    lines[at] = lines[at]:sub(1, from - 1) .. lines[at]:sub(from + 1)
  end,
  function(lines, at)
    lines[at] = lines[at]:gsub("%d+", function(n) return pick { n + 1, n - 1, "0", n .. n } end, 1)
  end,
  function(lines, at) lines[at] = pick { lines[at]:upper(), lines[at]:lower() } end,
  function(lines, at) lines[at] = mutate(lines[at], #lines[at] + 32) end,
}

-- `known`: lines that may be put in anywhere.
return function(known)
  return function(input, max_length, seed)
    math.randomseed(seed)
    if random(3) == 1 then return mutate(input, max_length) end
    local lines = split(input)
    for _ = 1, random(4) do
      if #lines == 0 or random(4) == 1 then
        table.insert(lines, random(#lines + 1), pick(known))
      else
        pick(CHANGES)(lines, random(#lines))
      end
    end
    return table.concat(lines)
  end
end
