-- Sends the orders and notifications of a file as fast as the machine signs:
--
--     lua examples/batch.lua CONFIG.lua EVENTS
--
-- CONFIG.lua returns the table for `alipayhk.new`. EVENTS has one JSON object a line; or, where its name ends in .csv,
-- a line of names and one line for each event. In CSV `extInfo.movieName` names a field within another,
-- `orderCreateTime:number` a number; a value in brackets is JSON; an empty one is left out.
--
-- EVENTS.done notes each line that AlipayHK has accepted, by its digest: a second run passes those over, whatever else
-- was changed in the file. A line without a time (orderModifyTime, bizDate) gets that of its sending. Where a line of
-- the same order further down was accepted, it has been overtaken and is passed over, too: AlipayHK would take it for
-- the newest.
--
-- Ctrl-C ends it when what is under way has ended; a second one at once. Exit status: 0 where everything was accepted
-- or overtaken, 1 otherwise, 2 for wrong usage.

local alipayhk = require "alipayhk"
local cjson = require "cjson.safe"
local core = require "alipayhk.core"

local config_file, events_file = arg[1], arg[2]
if not events_file then
  io.stderr:write("usage: lua batch.lua CONFIG.lua EVENTS\n")
  os.exit(2)
end

local function must(value, message)
  if value then return value end
  io.stderr:write(tostring(message), "\n")
  os.exit(2)
end

-- ---- the journal -------------------------------------------------------------------------------------

-- Enough of a digest to tell lines apart.
local function mark_of(line)
  return core.hex_encode(core.sha256(line)):sub(1, 16)
end

-- The marks that a file has, and the file to append to. A last line that was torn is no mark.
local function open_journal(name)
  local marks, text = {}, ""
  local old = io.open(name, "rb")
  if old then
    text = old:read("*a")
    old:close()
    for line in text:gmatch("([^\n]*)\n") do marks[line] = true end
  end
  local file = must(io.open(name, "ab"))
  file:setvbuf("no") -- what was accepted is on record at once, whatever ends this process
  if text ~= "" and text:sub(-1) ~= "\n" then must(file:write("\n")) end
  return marks, file
end

-- ---- reading events ----------------------------------------------------------------------------------

local function json_reader(line)
  return cjson.decode(line) or line -- what is no JSON is refused with its place
end

-- The fields of a line of CSV: quoted where they hold commas or quotes, which are then doubled.
local function csv_fields(line)
  local fields, at = {}, 1
  while at <= #line + 1 do
    local quoted, after = line:match('^"([^"]*)"()', at)
    if quoted then
      while line:sub(after, after) == '"' do
        local more
        more, after = line:match('^"([^"]*)"()', after)
        if not more then return nil end
        quoted = quoted .. '"' .. more
      end
    else
      quoted, after = line:match('^([^,"]*)()', at)
    end
    fields[#fields + 1] = quoted
    local comma = line:sub(after, after)
    if comma ~= "," and comma ~= "" then return nil end
    at = after + 1
  end
  return fields
end

-- Puts a value where a dotted path says.
local function put(event, path, value)
  local parent, last = event, path:match("[^.]+$")
  for name in path:gmatch("([^.]+)%.") do
    if type(parent[name]) ~= "table" then parent[name] = {} end
    parent = parent[name]
  end
  parent[last] = value
end

local function csv_value(text, is_number)
  if is_number then return tonumber(text) or text end
  return text:find("^[%[{]") and cjson.decode(text) or text
end

local function csv_columns(first_line)
  local columns = must(csv_fields(first_line), "line 1: no line of CSV")
  for i, name in ipairs(columns) do
    local path, kind = name:match("^([^:]*):?(.*)$")
    must(not ("." .. path .. "."):find("..", 1, true), ('line 1: column %d, "%s": name it after a field, such as '
      .. "orderStatus or extInfo.movieName, or remove the column"):format(i, name))
    columns[i] = { path = path, is_number = kind == "number" }
  end
  return columns
end

local function csv_reader(first_line)
  local columns = csv_columns(first_line)
  return function(line)
    local fields = csv_fields(line)
    if not fields or #fields ~= #columns then return line end -- it is refused with its place
    local event = {}
    for i, text in ipairs(fields) do
      if text ~= "" then put(event, columns[i].path, csv_value(text, columns[i].is_number)) end
    end
    return event
  end
end

-- What an event is about, and its time, nil where it gets that when it is sent.
local function order_of(event)
  local id = type(event) == "table" and event.merchantBizNo
  if type(id) == "number" then id = ("%.17g"):format(id) end
  if type(id) ~= "string" then return nil end
  if event.merchantBizType ~= nil then return "order " .. id, event.orderModifyTime end
  return "notification " .. id, event.bizDate
end

-- ---- the screen --------------------------------------------------------------------------------------

local answer = os.execute("test -t 2")
local is_terminal = answer == true or answer == 0 -- 0 in Lua 5.1

local BAR = 30

local function show_progress(now, share)
  local left = share > 0 and now.seconds / share - now.seconds or 0
  local filled = math.floor(share * BAR)
  local state = now.unreachable_seconds and (", AlipayHK cannot be reached for %.0f s"):format(now.unreachable_seconds)
    or now.window < 1 and ", AlipayHK asks for less" or ""
  io.stderr:write(("\r\27[K[%s%s] %3.0f %%  %.0f a second, %.0f s left, %d refused, %d failed%s"):format(
    ("#"):rep(filled), ("-"):rep(BAR - filled), share * 100, now.per_second, left, now.refused, now.failed, state))
end

local function say(line_number, text)
  io.stderr:write(("%sline %d: %s\n"):format(is_terminal and "\r\27[K" or "", line_number, text))
end

-- ---- sending -----------------------------------------------------------------------------------------

local ran, config = pcall(dofile, config_file)
must(ran, "config: " .. tostring(config))
must(type(config) == "table", ("%s: expected `return { ... }`, the table for alipayhk.new, found %s"):format(
  config_file, type(config)))
local client = must(alipayhk.new(config))
local file = must(io.open(events_file, "rb"))
local size = must(file:seek("end"))
local is_accepted, journal = open_journal(events_file .. ".done")
local read
local number, bytes, skipped, overtaken, unsent = 0, 0, 0, 0, 0
local last_accepted = {} -- by order: the number of the last line that was accepted
local under_way = {} -- by its place in the source: the number and the mark of a line
local taken, journal_fault = 0, nil

local function next_line()
  local line = file:read("*l")
  if not line then return nil end
  number, bytes = number + 1, bytes + #line + 1
  if number == 1 then line = line:gsub("^\239\187\191", "") end -- the byte order mark of a spreadsheet
  return (line:gsub("\r$", ""))
end

local function rewind()
  must(file:seek("set"))
  number, bytes = 0, 0
  read = events_file:find("%.csv$") and csv_reader(next_line() or "") or json_reader
end

-- By the file as it is now: lines may have come, gone or moved since the last run.
local function find_last_accepted()
  for line in next_line do
    local order = is_accepted[mark_of(line)] and order_of(read(line))
    if order then last_accepted[order] = number end
  end
end

local function is_overtaken(event)
  local order, own_time = order_of(event)
  return order and own_time == nil and number < (last_accepted[order] or 0)
end

local function next_event()
  for line in next_line do
    local mark = line:find("%S") and mark_of(line)
    local event = mark and not is_accepted[mark] and read(line)
    if not event then
      skipped = skipped + 1
    elseif is_overtaken(event) then
      overtaken = overtaken + 1
      say(number, "passed over: a later state of the order was accepted")
    else
      taken = taken + 1
      under_way[taken] = { number = number, mark = mark }
      return event
    end
  end
end

-- Whether nothing can have arrived: see docs/errors.md, "Which outcome is unknown".
local NOT_SENT = { dns = true, connect = true, tls = true, proxy = true, phase = true }

local function on_result(result)
  local line = under_way[result.index]
  under_way[result.index] = nil
  if result.response then
    local written, message = journal:write(line.mark .. "\n")
    if not written then journal_fault = message end
    return journal_fault == nil
  end
  local err = result.err
  if err.kind == "crypto" or err.kind == "transport" and NOT_SENT[err.code] then unsent = unsent + 1 end
  say(line.number, tostring(err))
end

local function on_progress(now)
  if is_terminal then show_progress(now, size > 0 and math.min(1, bytes / size) or 1) end
  return not core.interrupted()
end

rewind()
if next(is_accepted) then
  find_last_accepted()
  rewind()
end
core.catch_interrupts()
local totals = client:sync_many(next_event, { concurrency = 64, on_result = on_result, on_progress = on_progress })
local closed, message = journal:close()
if not closed then journal_fault = journal_fault or message end
client:close()
if is_terminal then io.stderr:write("\n") end
print(("%d taken, %d accepted, %d refused, %d failed (%d not sent, %d unknown), %d passed over, %d overtaken, %.1f s")
  :format(totals.taken, totals.accepted, totals.refused, totals.failed, unsent, totals.failed - unsent, skipped,
    overtaken, totals.seconds))
if totals.stopped then print("not all of the file was taken: " .. totals.stopped) end
if journal_fault then print("not all that was accepted is in the journal: " .. journal_fault) end
os.exit(totals.accepted == totals.taken and not totals.stopped and not journal_fault and 0 or 1)
