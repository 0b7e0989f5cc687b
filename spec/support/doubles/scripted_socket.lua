-- A cosocket that gives what a script says: strings as they come, then what ends it.
--
--     local socket = scripted_socket({ "HTTP/1.1 ", "200 OK\r\n" }, "closed")
--
-- `socket.reads` counts, `socket.timeouts` are those that were set.

-- What comes after the last string: "closed", "timeout" or another error.
return function(pieces, ending)
  local waiting, next_one = "", 1
  local socket = { reads = 0, timeouts = {} }

  function socket:settimeout(ms) self.timeouts[#self.timeouts + 1] = ms end

  function socket:receiveany(max)
    self.reads = self.reads + 1
    if waiting == "" then
      waiting = pieces[next_one]
      next_one = next_one + 1
    end
    if not waiting then
      waiting = ""
      return nil, ending or "closed"
    end
    local data = waiting:sub(1, max)
    waiting = waiting:sub(max + 1)
    return data
  end

  return socket
end
