-- A process that may open few files: how it is started, and what it does without any left.

local descriptors = {}

-- Words for env(1): what is run may have this many files open.
function descriptors.limit(count) return { "sh", "-c", ("ulimit -n %d; exec \"$@\""):format(count), "sh" } end

-- Opens files until there is no descriptor left: the files.
function descriptors.take_all()
  local files = {}
  repeat
    local file = io.open "/dev/null"
    files[#files + 1] = file
  until not file
  return files
end

-- Calls `attempt` with no descriptor left, then with one, and so on, until it gives something. Prints what came instead
-- of each: its code and its message.
function descriptors.print_refusals(attempt)
  local files = descriptors.take_all()
  repeat
    local made, message, code = attempt()
    if not made then print(code, message) end
    table.remove(files):close()
  until made
end

return descriptors
