-- Answers that do not come from AlipayHK but from a proxy, a login page or a web server's error page: describes them
-- for messages, and says what to check.

local quote = require "alipayhk.base.quote"
local text = require "alipayhk.base.text"

local foreign = {}

-- Bytes of a body that are read, and bytes of its text that a message shows.
local READ_MAX, SHOWN_MAX = 16384, 100

-- ---- describing a body ---------------------------------------------------------------------------

-- Elements whose content a browser does not show.
local UNSEEN = { "script", "style" }
local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'", nbsp = " ", ["#39"] = "'", ["#160"] = " " }

-- The position where the markup ends that begins with the `<` at `at`; nil if it does not end, 0 if it is no markup.
local function end_of_markup(page, lowered, at)
  if page:find("^<!%-%-", at) then return select(2, page:find("-->", at + 4, true)) end
  if not page:find("^<[A-Za-z/!?]", at) then return 0 end
  for _, name in ipairs(UNSEEN) do
    if lowered:find("^<" .. name .. "[^a-z]", at) then
      at = lowered:find("</" .. name, at, true)
      return at and page:find(">", at, true)
    end
  end
  return page:find(">", at, true)
end

-- The text of a page as a browser shows it.
local function without_markup(page)
  local lowered, pieces, at = text.lower(page), {}, 1
  while at do
    local open = page:find("<", at, true)
    pieces[#pieces + 1] = page:sub(at, (open or 0) - 1)
    local last = open and end_of_markup(page, lowered, open)
    pieces[#pieces + 1] = last == 0 and "<" or " "
    at = last and (last == 0 and open or last) + 1
  end
  return (table.concat(pieces):gsub("&(#?[A-Za-z0-9]+);", ENTITIES))
end

local function words_of(said)
  said = said:gsub("[ " .. text.CONTROL .. "]+", " "):gsub("^ ", ""):gsub(" $", "")
  local words = text.shown(said, SHOWN_MAX)
  return #said > SHOWN_MAX and words .. "..." or words
end

-- The kind of a body, and whether it has markup; the latter is nil for a body that is not text.
local function kind_of(body, media)
  local start = text.lower(body:sub(1, 1024)):gsub("^\239\187\191", ""):gsub("^[ \t\r\n]+", "")
  if media:find("html", 1, true) or start:find("^<!doctype html") or start:find("<html", 1, true) then
    return "an HTML page", true
  end
  if start:find("^<") then return "XML", true end
  if start:find("^[{%[]") then return "JSON", false end
  if body:find("[%z\1-\8\14-\26\28-\31]") then return "no text" end
  return "plain text", false
end

-- Describes the body of an answer that is not AlipayHK's: its kind, media type and first words. `personal`: values that
-- no message may contain.
function foreign.describe(raw, personal)
  if raw.body == "" then return "no body" end
  local media = text.lower((raw.headers["content-type"] or ""):match("[^;, \t]+") or "")
  local kind, has_markup = kind_of(raw.body, media)
  if media ~= "" then kind = ("%s (%s)"):format(kind, text.shown(media, 40)) end
  if has_markup == nil then return kind end
  local said = quote.without(raw.body, personal):sub(1, READ_MAX)
  -- Removed a second time: markup within a value may have hidden it from the first.
  local shown = has_markup and quote.without(without_markup(said), personal) or said
  return ('%s: "%s"'):format(kind, words_of(shown))
end

-- ---- what to check -------------------------------------------------------------------------------

local function base_of(config)
  return config.base.origin .. config.base.prefix
end

-- The path of a request, without its query string, for a message.
function foreign.path_of(request)
  return quote.short(request.path:gsub("%?.*$", ""), request.personal)
end

local function wrong_place(config, request)
  return ("is base_url (%s) right? the path tried is %s"):format(base_of(config), foreign.path_of(request))
end

local function redirected(config, _, raw)
  local location = raw.headers["location"] or ""
  local scheme, authority = location:match("^([A-Za-z][A-Za-z0-9+.-]*:)//([^/?#]*)")
  if not scheme then scheme, authority = "", location:match("^//([^/?#]*)") end
  -- Only the scheme and the host: the rest may contain tokens.
  local where = authority and text.shown(scheme .. "//" .. authority:gsub("^.*@", ""), 100) or "another path"
  return ("it redirects to %s, and no redirect is followed; is base_url (%s) right, or is that a login page?"):format(
    location == "" and "nowhere" or where, base_of(config))
end

local SPEAKS_HTTPS = { "plain http request was sent to https port", "http request to an https server",
  "plain http to an ssl-enabled server port" }

local function bad_request(config, _, raw)
  local said = text.lower(raw.body:sub(1, READ_MAX))
  for _, words in ipairs(SPEAKS_HTTPS) do
    if said:find(words, 1, true) then
      return ("the server speaks https at this port: base_url (%s) has to begin with https://"):format(base_of(config))
    end
  end
end

local function not_allowed(config)
  return ("is client_id right for base_url (%s), and may this machine's address call it? a proxy or firewall may have "
    .. "answered"):format(base_of(config))
end

local HINTS = {
  [400] = bad_request,
  [401] = not_allowed,
  [403] = not_allowed,
  [404] = wrong_place,
  [405] = wrong_place,
  [407] = function()
    return "a proxy wants credentials: `proxy` takes them as http://name:password@host:port"
  end,
  [410] = wrong_place,
  [413] = function(_, request)
    return ("the request is too large for the server or a proxy before it: its size is %d bytes"):format(#request.body)
  end,
  [421] = wrong_place,
  [429] = function() return "too many requests: send at a lower rate" end,
}

-- What to check because of an HTTP status; nil if there is nothing, as for a server that failed (5xx).
function foreign.hint(config, request, raw)
  local status = raw.status
  local hint = HINTS[status] or status >= 300 and status < 400 and status ~= 304 and redirected
  return hint and hint(config, request, raw) or nil
end

return foreign
