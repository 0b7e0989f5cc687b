-- The journal of `alipayhk send`. Whatever a file holds, it is this owner's journal or is refused. What is noted is
-- found again, beside all that was found before; a line of which the end is torn off counts no more than before.

local failure = require "alipayhk.cli.failure"
local journal = require "alipayhk.cli.journal"
local same = require "fuzz.support.same"
local text = require "alipayhk.base.text"

local PATH = os.tmpname()
os.remove(PATH)
local MARK = ("0123456789abcdef"):rep(2)
local OWNER = { client_id = "4Q5Y8W0WSG45P907917", address = "https://open-na.alipay.com", files = { "/a", "/b" } }

local function write(bytes)
  local file = assert(io.open(PATH, "wb"))
  assert(file:write(bytes))
  file:close()
end

-- The journal; nil where it is refused.
local function open(is_looking)
  local ran, opened = pcall(journal.open, PATH, OWNER, is_looking)
  if ran then return opened end
  assert(failure.is(opened) and not tostring(opened):find("%c"), opened)
end

local function count_of(mark)
  local opened = open(true)
  return opened and opened.marks[mark] or 0
end

local function check_noted(opened)
  local before, count = opened.marks, opened.marks[MARK] or 0
  assert(opened:note(MARK))
  opened:close()
  local after = open(false)
  after:close()
  assert(after.marks[MARK] == count + 1, "what was noted is not found")
  after.marks[MARK] = before[MARK]
  assert(same.is(after.marks, before), "noting changed what was found")
end

-- A line is torn where the disk was full: it counts no more than the whole one.
local function check_torn(input)
  local file = assert(io.open(PATH, "rb"))
  local bytes = file:read("a")
  file:close()
  local marks = count_of(MARK)
  write(bytes:sub(1, #bytes - (input:byte(1) or 0) % 40 - 1))
  assert(count_of(MARK) <= marks, "a torn line counts more than a whole one")
end

local function check_file(bytes, input)
  write(bytes)
  local opened = open(false)
  if not opened then return end
  check_noted(opened)
  check_torn(input)
end

local function owner_of(input)
  local words = {}
  for word in input:gmatch("[^\n]+") do words[#words + 1] = text.shown(word, 200) end
  return { client_id = words[1] or "", address = words[2] or "", files = { table.unpack(words, 3) } }
end

local function check_head(input)
  local owner = owner_of(input)
  local head = journal.head(owner)
  assert(not head:find("%c"), "a head of more than one line")
  local fault = journal.head_fault(head, owner)
  assert(not fault, fault)
  assert(head == journal.head(OWNER) or journal.head_fault(head, OWNER), "another's journal is taken for ours")
end

local function check_path(input)
  local path = journal.full_path("/" .. input, "/folder")
  assert(path:sub(1, 1) == "/" and not (path .. "/"):find("/%.%.?/"), "no full path")
  assert(journal.full_path(path, "/elsewhere") == path, "a full path is made another one")
end

return {
  run = function(input)
    check_head(input)
    check_path(input)
    check_file(input, input)
    check_file(journal.head(OWNER) .. "\n" .. input, input)
    os.remove(PATH)
  end,
}
