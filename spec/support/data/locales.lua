-- Locales that differ in what Lua asks the C library for, made without root by localedef, once a process.
--
--     local path, missing = locales.path()  -- for LOCPATH; or nil and what is missing on this machine

local shell = require "spec.support.shell"

-- The sources of locales are in Debian's package of that name; localedef itself comes with the C library.
local SOURCES = "/usr/share/i18n/locales"

local locales = {
  -- What is special about each.
  NAMES = {
    ["de_DE.UTF-8"] = "a comma is its decimal point",
    ["de_DE.ISO-8859-1"] = "bytes of UTF-8 are letters and control characters",
    ["tr_TR.UTF-8"] = "I has another small letter",
    ["tr_TR.ISO-8859-9"] = "I has another small letter, of one byte",
    ["ps_AF.UTF-8"] = "its decimal point has two bytes",
    ["fa_IR.UTF-8"] = "its decimal point has two bytes, and its digits are others",
  },
}

local path

local function make(name)
  local language, charmap = name:match("^([^.]+)%.(.+)$")
  shell.must(("localedef -i %s -f %s %s/%s"):format(language, charmap, path, name))
end

function locales.path()
  if not path then
    if select(2, shell.run("command -v localedef && test -e " .. SOURCES)) ~= 0 then
      return nil, "localedef and " .. SOURCES .. " (Debian: locales)"
    end
    path = shell.directory()
    for name in pairs(locales.NAMES) do make(name) end
  end
  return path
end

return locales
