#include "faults.h"

#include <curl/curl.h>
#include <lauxlib.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../csrc/bind/compat.h"

/* What nobody has written yet, or nobody owns any more: no text holds it, UTF-8 neither. */
enum { UNWRITTEN = 0xA5, STACK_BYTES = 64 * 1024 };

/* What stress.call keeps ready for a call. */
enum { STACK_SLOTS = 100, FRAMES = 10 };

typedef enum { IN_LUA, IN_OPENSSL, IN_CURL, IN_SQLITE, IN_C, WORLDS } world;
static const char *const NAMES[WORLDS] = {"Lua", "OpenSSL", "libcurl", "SQLite", "C"};

/* Of one call, and of the thread that makes it: libcurl may have others. */
typedef struct {
    bool armed;
    bool lasting; /* all that come after it fail too */
    world spared; /* its allocations do not count; WORLDS for none */
    long at;      /* the allocation that fails; 0 for none */
    long count;
    long counts[WORLDS];
    world struck; /* WORLDS while none has failed */
} fault_plan;
static _Thread_local fault_plan plan = {.struck = WORLDS};

static atomic_long blocks[WORLDS];

static bool strikes(world w)
{
    if (!plan.armed || w == plan.spared) {
        return false;
    }
    plan.count++;
    plan.counts[w]++;
    if (plan.count == plan.at) {
        plan.struck = w;
        return true;
    }
    return plan.lasting && plan.struck != WORLDS;
}

/* ---- malloc and its kin, for each world ---------------------------------------------------------- */

/* The product's objects and this one are linked with --wrap. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
char *__wrap_strdup(const char *text);

static void *counted(world w, void *block)
{
    if (block != NULL) {
        blocks[w]++;
    }
    return block;
}

static void *take(world w, size_t size)
{
    void *block = strikes(w) ? NULL : counted(w, __real_malloc(size));
    if (block != NULL) {
        memset(block, UNWRITTEN, size);
    }
    return block;
}

static void *take_zeroed(world w, size_t count, size_t size)
{
    return strikes(w) ? NULL : counted(w, __real_calloc(count, size));
}

static void give_back(world w, void *block)
{
    if (block != NULL) {
        blocks[w]--;
        memset(block, UNWRITTEN, malloc_usable_size(block));
    }
    __real_free(block);
}

static void *resize(world w, void *block, size_t size)
{
    if (block == NULL) {
        return take(w, size);
    }
    if (size == 0) {
        give_back(w, block);
        return NULL;
    }
    return strikes(w) ? NULL : __real_realloc(block, size);
}

static char *copy_text(world w, const char *text)
{
    return strikes(w) ? NULL : counted(w, __real_strdup(text));
}

void *__wrap_malloc(size_t size)
{
    return take(IN_C, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return take_zeroed(IN_C, count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return resize(IN_C, block, size);
}

void __wrap_free(void *block)
{
    give_back(IN_C, block);
}

char *__wrap_strdup(const char *text)
{
    return copy_text(IN_C, text);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return take(IN_OPENSSL, size);
}

static void *openssl_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return resize(IN_OPENSSL, block, size);
}

static void openssl_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    give_back(IN_OPENSSL, block);
}

static void *curl_malloc(size_t size)
{
    return take(IN_CURL, size);
}

static void *curl_calloc(size_t count, size_t size)
{
    return take_zeroed(IN_CURL, count, size);
}

static void *curl_realloc(void *block, size_t size)
{
    return resize(IN_CURL, block, size);
}

static void curl_free_block(void *block)
{
    give_back(IN_CURL, block);
}

static char *curl_copy_text(const char *text)
{
    return copy_text(IN_CURL, text);
}

static void *sqlite_malloc(int size)
{
    return take(IN_SQLITE, (size_t)size);
}

static void *sqlite_realloc(void *block, int size)
{
    return resize(IN_SQLITE, block, (size_t)size);
}

static void sqlite_free(void *block)
{
    give_back(IN_SQLITE, block);
}

static int sqlite_size(void *block)
{
    return block != NULL ? (int)malloc_usable_size(block) : 0;
}

static int sqlite_round(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_begin(void *user)
{
    (void)user;
    return SQLITE_OK;
}

static void sqlite_end(void *user)
{
    (void)user;
}

static const sqlite3_mem_methods SQLITE_METHODS = {
    sqlite_malloc, sqlite_free, sqlite_realloc, sqlite_size, sqlite_round, sqlite_begin, sqlite_end, NULL,
};

bool faults_install(void)
{
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &SQLITE_METHODS) == SQLITE_OK &&
           CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1 &&
           curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_free_block, curl_realloc, curl_copy_text,
                                curl_calloc) == CURLE_OK;
}

/* ---- Lua's allocator ------------------------------------------------------------------------------ */

/* Lua 5.4 gives a type for the old size of a new block; a block that shrinks must never fail. */
static void *lua_block(void *user, void *block, size_t old, size_t size)
{
    (void)user;
    if (block != NULL && size > 0 && size <= old) {
        return __real_realloc(block, size);
    }
    return size > 0 || block != NULL ? resize(IN_LUA, block, size) : NULL;
}

/* A LuaJIT whose pointers have 32 bits brings its own memory: that one is asked. */
static lua_Alloc inner;
static void *inner_user;

static void *lua_block_of_inner(void *user, void *block, size_t old, size_t size)
{
    (void)user;
    const bool grows = size > 0 && (block == NULL || size > old);
    return grows && strikes(IN_LUA) ? NULL : inner(inner_user, block, old, size);
}

lua_State *faults_new_state(void)
{
    lua_State *L = lua_newstate(lua_block, NULL);
    if (L == NULL) {
        L = luaL_newstate();
        inner = lua_getallocf(L, &inner_user);
        lua_setallocf(L, lua_block_of_inner, NULL);
    }
    return L;
}

/* ---- the module ----------------------------------------------------------------------------------- */

/* What the call after this one leaves unset can be told then. */
static void __attribute__((noinline)) dirty_stack(void)
{
    volatile unsigned char room[STACK_BYTES];
    for (size_t i = 0; i < sizeof room; i++) {
        room[i] = UNWRITTEN;
    }
}

/* Lua allocates for frames when it has none to spare: here, and not in the call after this one, where it would be
 * another call's first allocation each time. */
static int reserve_frames(lua_State *L)
{
    const lua_Integer levels = lua_tointeger(L, 1);
    if (levels > 0) {
        lua_pushcfunction(L, reserve_frames);
        lua_pushinteger(L, levels - 1);
        lua_call(L, 1, 0);
    }
    return 0;
}

static world world_of(const char *name)
{
    int w = 0;
    while (w < WORLDS && (name == NULL || strcmp(NAMES[w], name) != 0)) {
        w++;
    }
    return (world)w;
}

/* call(at, lasting, spared, f, ...) -> which world failed (nil: none), then what pcall(f, ...) gives.
 * The at-th allocation inside f fails; with `lasting` all after it too; those of the world `spared` (or nil) never.
 * at = 0: none fails. */
static int stress_call(lua_State *L)
{
    const long at = (long)luaL_checkinteger(L, 1);
    const bool lasting = lua_toboolean(L, 2);
    const world spared = world_of(luaL_optstring(L, 3, NULL));
    luaL_checkany(L, 4);
    lua_remove(L, 3);
    luaL_checkstack(L, STACK_SLOTS, "for the call");
    lua_pushcfunction(L, reserve_frames);
    lua_pushinteger(L, FRAMES);
    lua_call(L, 1, 0);
    dirty_stack();
    plan = (fault_plan){.armed = true, .lasting = lasting, .spared = spared, .at = at, .struck = WORLDS};
    const int status = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 0);
    plan.armed = false;
    lua_pushboolean(L, status == 0);
    lua_replace(L, 2);
    if (plan.struck != WORLDS) {
        lua_pushstring(L, NAMES[plan.struck]);
    } else {
        lua_pushnil(L);
    }
    lua_replace(L, 1);
    return lua_gettop(L);
}

static void push_counts(lua_State *L, const long counts[WORLDS])
{
    lua_createtable(L, 0, WORLDS);
    for (int w = 0; w < WORLDS; w++) {
        lua_pushinteger(L, (lua_Integer)counts[w]);
        lua_setfield(L, -2, NAMES[w]);
    }
}

/* counts(): how many allocations the last call asked for, by world. */
static int stress_counts(lua_State *L)
{
    const fault_plan last = plan;
    push_counts(L, last.counts);
    return 1;
}

/* blocks(): how many are in use, by world. */
static int stress_blocks(lua_State *L)
{
    long now[WORLDS];
    for (int w = 0; w < WORLDS; w++) {
        now[w] = blocks[w];
    }
    push_counts(L, now);
    return 1;
}

/* queued(): the oldest error in OpenSSL's queue, which is emptied; nil if there is none. */
static int stress_queued(lua_State *L)
{
    const unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    ERR_clear_error();
    if (code == 0) {
        lua_pushnil(L);
    } else {
        lua_pushstring(L, reason != NULL ? reason : "an error without a name");
    }
    return 1;
}

int luaopen_stress(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"call", stress_call}, {"counts", stress_counts}, {"blocks", stress_blocks}, {"queued", stress_queued},
        {NULL, NULL},
    };
    lua_newtable(L);
    ahk_set_functions(L, functions);
    return 1;
}
