-- What every Lua from 5.1 to 5.4 and LuaJIT has, and nothing else.
std = "min"
max_line_length = 120
exclude_files = { "build" }
-- Annotations do not wrap, and their functions do nothing.
files["lua/alipayhk/meta"] = { max_line_length = false, ignore = { "212", "241" } }
files["spec"] = { std = "min+busted" }
files["fuzz"] = { std = "lua54", read_globals = { "mutate" } } -- runs in one Lua, which fuzz/support/lua.c holds
files["gateway"] = { std = "min+ngx_lua" }
files["examples/nginx"] = { std = "min+ngx_lua" }
files["lua/alipayhk/transport/cosocket.lua"] = { std = "min+ngx_lua" }
