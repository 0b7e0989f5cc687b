-- The reference of all that programs may use, from the annotations.

local list = require "alipayhk.base.list"
local table_of = require "docs.generate.table"
local type_text = require "docs.generate.type_text"

local reference = {}

local HEAD = [[
# Reference

Made from the annotations in [`lua/alipayhk/meta`](../lua/alipayhk/meta) by `make docs`; an editor with
lua-language-server shows the same. Times are milliseconds where a name ends in `_ms`. What is `optional` may be `nil`.
The [marks](scenarios/README.md) SEEN and INFERRED say how sure a fact of AlipayHK's is. The fields of payloads are in
[scenarios](scenarios/README.md).
]]

-- Each is about what some files of annotations say, in their order.
local CHAPTERS = {
  { title = "The module", files = { "alipayhk" } },
  { title = "The config", files = { "config" } },
  { title = "A client", files = { "client", "apis" } },
  { title = "An outbox", files = { "outbox" } },
  { title = "Errors", files = { "error" } },
  { title = "Events", files = { "event" } },
  { title = "Transports", files = { "transport" } },
  { title = "In nginx", files = { "nginx" } },
  { title = "Rules of a partner's own", files = { "scenarios" } },
  { title = "The core", files = { "core" } },
}

-- ---- texts -------------------------------------------------------------------------------------------

-- As GitHub makes it from a heading.
local function anchor(heading)
  return "#" .. heading:lower():gsub("[^%w_ -]", ""):gsub(" ", "-")
end

-- Where a class or alias is described; nil where nothing is known of it.
local function target(model, name)
  if model.classes[name] or model.aliases[name] then return anchor(name) end
  return model.payloads[name] and "scenarios/README.md"
end

local function shown_type(model, kind)
  local parts = {}
  for i, piece in ipairs(type_text.pieces(kind)) do
    local where = piece[2] and target(model, piece[1])
    parts[i] = where and ("[`%s`](%s)"):format(piece[1], where) or "`" .. piece[1] .. "`"
  end
  return table.concat(parts)
end

-- A description, the names of ours in it as links.
local function shown_text(model, text)
  return (text:gsub("`(alipayhk%.[%w_.]+)`", function(name)
    local where = target(model, name)
    return where and ("[`%s`](%s)"):format(name, where)
  end))
end

local function fields_table(model, fields)
  local rows = {}
  for i, field in ipairs(fields) do
    local optional = field.is_optional and "optional" or ""
    local text = shown_text(model, field.description)
    rows[i] = { "`" .. field.name .. "`", shown_type(model, field.type), optional, text }
  end
  return table_of({ "field", "type", "", "" }, rows)
end

-- ---- sections ----------------------------------------------------------------------------------------

local function names_of(params)
  return table.concat(list.names(params), ", ")
end

local function func_section(model, class, func)
  local rows = {}
  local function add(what, entry)
    local kind = entry.is_optional and entry.type .. "?" or entry.type
    rows[#rows + 1] = { what, shown_type(model, kind), shown_text(model, entry.description) }
  end
  for _, param in ipairs(func.params) do add("`" .. param.name .. "`", param) end
  for _, result in ipairs(func.returns) do
    add(result.name and ("returns `%s`"):format(result.name) or "returns", result)
  end
  local parts = { ("#### `%s%s%s(%s)`\n"):format(
    class.variable, func.is_method and ":" or ".", func.name, names_of(func.params)) }
  if func.description ~= "" then parts[#parts + 1] = shown_text(model, func.description) .. "\n" end
  if #rows > 0 then parts[#parts + 1] = table_of({ "", "type", "" }, rows) end
  return table.concat(parts, "\n")
end

local function class_section(model, class)
  local parts = { "### " .. class.name .. "\n" }
  if class.description ~= "" then parts[#parts + 1] = shown_text(model, class.description) .. "\n" end
  if class.parent then parts[#parts + 1] = ("All of %s, and:\n"):format(shown_type(model, class.parent)) end
  if #class.fields > 0 then parts[#parts + 1] = fields_table(model, class.fields) end
  for _, func in ipairs(class.functions) do parts[#parts + 1] = func_section(model, class, func) end
  return table.concat(parts, "\n")
end

local function alias_section(model, alias)
  local parts, rows = { "### " .. alias.name .. "\n" }, {}
  if alias.description ~= "" then parts[#parts + 1] = shown_text(model, alias.description) .. "\n" end
  for i, alternative in ipairs(alias.alternatives) do
    rows[i] = { shown_type(model, alternative.type), shown_text(model, alternative.description) }
  end
  parts[#parts + 1] = #rows > 1 and table_of({ "one of", "" }, rows) or rows[1][1] .. "\n"
  return table.concat(parts, "\n")
end

local function chapter_section(model, chapter)
  local parts = { ("## %s\n"):format(chapter.title) }
  for _, name in ipairs(chapter.files) do
    for _, class in ipairs(model.classes) do
      if class.file == name then parts[#parts + 1] = class_section(model, class) end
    end
    for _, alias in ipairs(model.aliases) do
      if alias.file == name then parts[#parts + 1] = alias_section(model, alias) end
    end
  end
  return table.concat(parts, "\n")
end

local function contents(model)
  local lines = {}
  for i, chapter in ipairs(CHAPTERS) do
    local names = {}
    for _, file in ipairs(chapter.files) do
      for _, entries in ipairs { model.classes, model.aliases } do
        for _, entry in ipairs(entries) do
          if entry.file == file then names[#names + 1] = ("[%s](%s)"):format(entry.name, anchor(entry.name)) end
        end
      end
    end
    lines[i] = ("- [%s](%s): %s"):format(chapter.title, anchor(chapter.title), table.concat(names, ", "))
  end
  return table.concat(lines, "\n") .. "\n"
end

-- ---- public ------------------------------------------------------------------------------------------

-- The files of annotations that the reference is made from, without `.lua`, in the order in which to read them: what
-- the data gives of a class comes before what is written by hand.
function reference.files()
  local files = { "apis" }
  for _, chapter in ipairs(CHAPTERS) do
    for _, file in ipairs(chapter.files) do
      if file ~= "apis" then files[#files + 1] = file end
    end
  end
  return files
end

-- The page. `model` is what docs.generate.read_meta makes of the files; its `payloads` are the names of what is
-- described elsewhere, as a set.
function reference.page(model)
  local parts = { HEAD, contents(model) }
  for _, chapter in ipairs(CHAPTERS) do parts[#parts + 1] = chapter_section(model, chapter) end
  return table.concat(parts, "\n")
end

-- A class as the table that stands between marks in another page; its anchors are those of the reference.
function reference.table(model, name)
  local class = assert(model.classes[name], "the annotations have no class " .. name)
  return (fields_table(model, class.fields):gsub("%]%(#", "](reference.md#"))
end

return reference
