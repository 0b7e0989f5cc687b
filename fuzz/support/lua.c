/* The targets in Lua: an interpreter that holds the product's objects. Called as NAME it runs fuzz/targets/NAME.lua,
 * which returns `{ run = function(input), mutate = function(input, max_length, seed) }`, the second if it likes. What
 * `run` throws is a crash for libFuzzer. The lines of lua/ that run count as coverage. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <string.h>

#include "fuzz.h"

int luaopen_alipayhk_core(lua_State *L);
int luaopen_alipayhk_curl(lua_State *L);
int luaopen_alipayhk_keytool(lua_State *L);
int luaopen_alipayhk_redis(lua_State *L);
int luaopen_alipayhk_sqlite(lua_State *L);
int luaopen_wire(lua_State *L);

int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

enum { COUNTERS = 1 << 15, FUNCTION_RUN = 1, FUNCTION_MUTATE = 2 };

/* libFuzzer finds them by their section, and takes each for one that the compiler made. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static lua_State *state;

/* ---- coverage --------------------------------------------------------------------------------------- */

/* This runs at each line of Lua, and is nothing that is looked for. */
#define NOT_INSTRUMENTED __attribute__((no_sanitize("address", "undefined", "coverage")))

NOT_INSTRUMENTED static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261U;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 16777619U;
    }
    return hash;
}

/* A number for each file of the product, the same in every process; 0 for other code. */
NOT_INSTRUMENTED static uint32_t number_of(const char *source)
{
    enum { FILES = 512 };
    static struct {
        const char *source; /* Lua keeps one copy of it as long as its functions live: here for good */
        uint32_t number;
    } known[FILES];
    const size_t at = (uintptr_t)source / 16 % FILES;
    if (known[at].source != source) {
        known[at].source = source;
        known[at].number = strncmp(source, "@lua/", 5) == 0 ? hash_of(source) | 1U : 0;
    }
    return known[at].number;
}

/* From which line to which. */
NOT_INSTRUMENTED static void on_line(lua_State *L, lua_Debug *where)
{
    static uint32_t previous;
    const uint32_t file = lua_getinfo(L, "S", where) != 0 ? number_of(where->source) : 0;
    if (file != 0) {
        const uint32_t here = (file ^ (uint32_t)where->currentline) * 2654435761U;
        counters[((here ^ previous) >> 8) % COUNTERS]++;
        previous = here >> 1;
    }
}

/* ---- the state -------------------------------------------------------------------------------------- */

/* mutate(input, max_length): libFuzzer's own mutation. */
static int mutate(lua_State *L)
{
    size_t size = 0;
    const char *input = luaL_checklstring(L, 1, &size);
    const lua_Integer max = luaL_checkinteger(L, 2);
    luaL_argcheck(L, max > 0 && (size_t)max >= size, 2, "as long as the input, at least");
    uint8_t *room = lua_newuserdatauv(L, (size_t)max, 0);
    memcpy(room, input, size);
    lua_pushlstring(L, (const char *)room, LLVMFuzzerMutate(room, size, (size_t)max));
    return 1;
}

static void preload(lua_State *L)
{
    static const luaL_Reg modules[] = {
        {"alipayhk.core", luaopen_alipayhk_core},
        {"alipayhk.curl", luaopen_alipayhk_curl},
        {"alipayhk.keytool", luaopen_alipayhk_keytool},
        {"alipayhk.redis", luaopen_alipayhk_redis},
        {"alipayhk.sqlite", luaopen_alipayhk_sqlite},
        {"wire", luaopen_wire},
        {NULL, NULL},
    };
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    luaL_setfuncs(L, modules, 0);
    lua_pop(L, 1);
    lua_register(L, "mutate", mutate);
}

static void set_path(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_pushliteral(L, "lua/?.lua;lua/?/init.lua;./?.lua;");
    lua_getfield(L, -2, "path");
    lua_concat(L, 2);
    lua_setfield(L, -2, "path");
    lua_pop(L, 1);
}

static int report(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

_Noreturn static void fail(lua_State *L)
{
    (void)fprintf(stderr, "fault: %s\n", lua_tostring(L, -1));
    abort();
}

/* Everything of the state's is given back, and then LeakSanitizer looks. */
static void close_state(void)
{
    lua_close(state);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Leaves on the stack: 1 `run`, 2 `mutate`. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    state = luaL_newstate();
    FUZZ_REQUIRE(state != NULL && atexit(close_state) == 0);
    luaL_openlibs(state);
    preload(state);
    set_path(state);
    lua_pushcfunction(state, report);
    lua_pushfstring(state, "fuzz/targets/%s.lua", name_of((*argv)[0]));
    if (luaL_loadfile(state, lua_tostring(state, -1)) != LUA_OK || lua_pcall(state, 0, 1, 1) != LUA_OK) {
        (void)fprintf(stderr, "%s\n", lua_tostring(state, -1));
        exit(1);
    }
    lua_getfield(state, -1, "run");
    lua_getfield(state, -2, "mutate");
    lua_replace(state, FUNCTION_MUTATE);
    lua_replace(state, FUNCTION_RUN);
    lua_settop(state, FUNCTION_MUTATE);
    lua_sethook(state, on_line, LUA_MASKLINE, 0);
    return 0;
}

/* ---- an input --------------------------------------------------------------------------------------- */

/* Calls one of the functions above with what was pushed; its result is on top. */
static void call(lua_State *L, int arguments, int results)
{
    const int handler = lua_gettop(L) - arguments - 1;
    lua_pushcfunction(L, report);
    lua_insert(L, handler + 1);
    if (lua_pcall(L, arguments, results, handler + 1) != LUA_OK) {
        fail(L);
    }
    lua_remove(L, handler + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lua_pushvalue(state, FUNCTION_RUN);
    lua_pushlstring(state, (const char *)data, size);
    call(state, 1, 0);
    lua_settop(state, FUNCTION_MUTATE);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    if (lua_isnil(state, FUNCTION_MUTATE)) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    size_t length = 0;
    lua_pushvalue(state, FUNCTION_MUTATE);
    lua_pushlstring(state, (const char *)data, size);
    lua_pushinteger(state, (lua_Integer)max_size);
    lua_pushinteger(state, seed);
    call(state, 3, 1);
    const char *mutated = luaL_checklstring(state, -1, &length);
    length = length < max_size ? length : max_size;
    memcpy(data, mutated, length);
    lua_settop(state, FUNCTION_MUTATE);
    return length;
}
