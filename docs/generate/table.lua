-- A Markdown table.

local function cell(text)
  return (text:gsub("|", "\\|"):gsub("\n", " "))
end

-- `rows`: lists of strings.
return function(header, rows)
  local lines = { "| " .. table.concat(header, " | ") .. " |", "|" .. (" --- |"):rep(#header) }
  for _, row in ipairs(rows) do
    local cells = {}
    for i = 1, #header do cells[i] = cell(row[i]) end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  return table.concat(lines, "\n") .. "\n"
end
