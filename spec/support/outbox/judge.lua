-- What an outbox promises, judged by the log of AlipayHK's side, by what producers had been told, and by what workers
-- wrote down when they sent and when they had recorded: a list of sentences, empty where nothing is wrong.
--
-- `arrivals`: as the scripted AlipayHK gives them, in their order; `acknowledged`, `told`, `killed` (a set of workers),
-- `listed` and `count`: as the storm gives them. A request's id begins with the change that it tells of.

local function change_of(request_id) return request_id:match("^(%w+%-%d+)%-") or request_id end

local judge = {}

-- Lanes go forward: a later request is of a later time, or the same request again.
local function judge_order(given, complain)
  local newest = {}
  for _, arrival in ipairs(given.arrivals) do
    local before = newest[arrival.number]
    if before and arrival.modified_ms < before.modified_ms then
      complain("%s went backwards: %s after %s", arrival.number, arrival.request_id, before.request_id)
    elseif before and arrival.modified_ms == before.modified_ms and arrival.request_id ~= before.request_id then
      complain("%s has two events of one time: %s and %s", arrival.number, before.request_id, arrival.request_id)
    end
    newest[arrival.number] = arrival
  end
end

-- A change is one request, whose body stays as it is.
local function judge_bodies(given, complain)
  local by_change = {}
  for _, arrival in ipairs(given.arrivals) do
    local change = change_of(arrival.request_id)
    local first = by_change[change] or arrival
    by_change[change] = first
    if arrival.request_id ~= first.request_id then
      complain("%s arrived as two requests, %s and %s", change, first.request_id, arrival.request_id)
    elseif arrival.digest ~= first.digest then
      complain("%s was sent again with another body", change)
    end
  end
  return by_change
end

local function judge_loss(given, by_change, complain)
  for _, put in ipairs(given.acknowledged) do
    local event = given.listed[put.id]
    if not by_change[put.change] then complain("%s was acknowledged and never arrived", put.change) end
    if not event then
      complain("%s was acknowledged as %s, which the store does not list", put.change, put.id)
    elseif event.state ~= "accepted" or event.merchant_biz_no ~= put.lane then
      complain("%s is %s, of %s", put.change, event.state, event.merchant_biz_no)
    end
  end
  if given.count ~= #given.acknowledged then
    complain("%d changes became %d events", #given.acknowledged, given.count)
  end
end

-- By request: its event; when it was recorded as accepted; and `reasons`, how often it may be sent again: since it was
-- recorded as one to be sent later, or was under way when its worker was killed.
local function read_told(told, killed)
  local requests, under_way = {}, {}
  for _, line in ipairs(told) do
    local request = requests[line.request_id] or { reasons = 0 }
    requests[line.request_id] = request
    local key = line.worker .. " " .. line.request_id
    if line.name == "sending" then
      request.id = line.id
      under_way[key] = request
    else
      under_way[key] = nil
      if line.name == "later" then request.reasons = request.reasons + 1 end
      if line.name == "accepted" then request.accepted_at = math.min(request.accepted_at or math.huge, line.at) end
    end
  end
  for key, request in pairs(under_way) do
    if killed[key:match("^%S+")] then request.reasons = request.reasons + 1 end
  end
  return requests
end

-- What was recorded as accepted is not sent again, nor anything else without a reason; and the store knows of each
-- time.
local function judge_repeats(given, complain)
  local requests, times = read_told(given.told, given.killed), {}
  for _, arrival in ipairs(given.arrivals) do
    local id = arrival.request_id
    local request = requests[id]
    times[id] = (times[id] or 0) + 1
    if not request or not request.id then
      complain("%s arrived, and no worker wrote down that it sends it", id)
    elseif arrival.at > (request.accepted_at or math.huge) then
      complain("%s was sent again after it had been recorded as accepted", id)
    end
  end
  for id, count in pairs(times) do
    local request = requests[id]
    local event = request and given.listed[request.id]
    if request and count - 1 > request.reasons then
      complain("%s arrived %d times, with %d reasons to send it again", id, count, request.reasons)
    end
    if event and event.attempts < count then
      complain("%s arrived %d times, and the store knows of %d", id, count, event.attempts)
    end
  end
end

function judge.complaints(given)
  local list = {}
  local function complain(...) list[#list + 1] = (...):format(select(2, ...)) end
  judge_order(given, complain)
  judge_loss(given, judge_bodies(given, complain), complain)
  judge_repeats(given, complain)
  return list
end

return judge
