-- The sources of a fact: a link for each tag of `alipayhk.api.pages`.

local pages = require "alipayhk.api.pages"

return function(tags)
  local links = {}
  for i, tag in ipairs(tags) do links[i] = ("[%s](%s)"):format(tag, pages[tag]) end
  return table.concat(links, ", ")
end
