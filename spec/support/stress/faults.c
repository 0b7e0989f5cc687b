#include "faults.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../csrc/bind/compat.h"

/* What nobody has written yet, or nobody owns any more: no text holds it, UTF-8 neither. */
enum { UNWRITTEN = 0xA5, STACK_BYTES = 64 * 1024 };

/* What stress.call keeps ready for a call. */
enum { STACK_SLOTS = 100, FRAMES = 10 };

typedef enum { IN_LUA, IN_OPENSSL, IN_CURL, IN_SQLITE, IN_C, IN_SYSTEM, WORLDS } world;
static const char *const NAMES[WORLDS] = {"Lua", "OpenSSL", "libcurl", "SQLite", "C", "system"};

/* A call that takes longer hangs. */
enum { SECONDS_MAX = 60 };

/* Of one call. */
typedef struct {
    atomic_bool armed;
    pthread_t thread;  /* that makes the call: what others do, such as libcurl's, does not count... */
    bool every_thread; /* ...unless this is set */
    bool lasting;      /* all that come after it fail too */
    bool collects;     /* Lua collects before it makes an object */
    unsigned worlds;   /* the bits of those that count */
    int variant;       /* how a system call fails, where it may in many ways */
    long at;           /* what fails; 0 for nothing */
    atomic_long count;
    atomic_long counts[WORLDS];
    atomic_int struck; /* the world; WORLDS while nothing has failed */
    const char *call;  /* the system call that was struck */
} fault_plan;
static fault_plan plan = {.struck = WORLDS};

/* Those that Lua made for want of memory, in the call. */
static long collections;

static atomic_long blocks[WORLDS];

static bool is_counted(world w)
{
    return plan.armed && (plan.worlds & (1U << w)) != 0 &&
           (plan.every_thread || pthread_equal(plan.thread, pthread_self()));
}

static bool strikes(world w)
{
    if (!is_counted(w)) {
        return false;
    }
    plan.counts[w]++;
    if (++plan.count == plan.at) {
        plan.struck = (int)w;
        return true;
    }
    return plan.lasting && plan.struck != WORLDS;
}

int faults_of_call(const char *name, const int *codes, int count)
{
    /* What passes by itself is no fault that lasts. */
    if (plan.variant >= count || (plan.lasting && codes[0] == EINTR) || !strikes(IN_SYSTEM)) {
        return 0;
    }
    plan.call = plan.call != NULL ? plan.call : name;
    return codes[plan.variant];
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

/* Lua 5.4 that gets no memory for an object collects all that nothing holds, and asks once more. (For a luaL_Buffer it
 * does not.) */
static bool makes_it_collect(void)
{
    static bool is_asked_again;
    if (!plan.armed || !plan.collects || !pthread_equal(plan.thread, pthread_self())) {
        is_asked_again = false;
        return false;
    }
    is_asked_again = !is_asked_again;
    collections += is_asked_again;
    return is_asked_again;
}

/* Lua 5.4 gives a type for the old size of a new block; a block that shrinks must never fail. */
static void *lua_block(void *user, void *block, size_t old, size_t size)
{
    (void)user;
    if (block != NULL && size > 0 && size <= old) {
        return __real_realloc(block, size);
    }
    const bool is_object = block == NULL && old > 0;
    if (is_object && makes_it_collect()) {
        return NULL;
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

static long long_of(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    const long number = (long)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return number;
}

static bool bool_of(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    const bool set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

static void push_struck(lua_State *L)
{
    const int struck = plan.struck;
    if (struck == WORLDS) {
        lua_pushnil(L);
    } else {
        lua_pushstring(L, struck == IN_SYSTEM ? plan.call : NAMES[struck]);
    }
}

/* call(plan, f, ...) -> what failed: a world, or the name of a system call (nil: nothing), then what pcall(f, ...)
 * gives. `plan`:
 *
 *     at            what fails inside f, the at-th of what counts; 0 or nil: nothing
 *     worlds        the sum of those that count, of stress.worlds
 *     lasting       all after it fails too
 *     variant       system calls fail in the way of this number, from 0; those that do not have as many do not count
 *     every_thread  what other threads do counts as well
 *     collects      Lua 5.4 makes a full collection before each object that it makes */
static int stress_call(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    lua_pushnil(L);
    lua_insert(L, 2);
    luaL_checkstack(L, STACK_SLOTS, "for the call");
    lua_pushcfunction(L, reserve_frames);
    lua_pushinteger(L, FRAMES);
    lua_call(L, 1, 0);
    plan.thread = pthread_self();
    plan.every_thread = bool_of(L, "every_thread");
    plan.lasting = bool_of(L, "lasting");
    plan.collects = bool_of(L, "collects");
    collections = 0;
    plan.worlds = (unsigned)long_of(L, "worlds");
    plan.variant = (int)long_of(L, "variant");
    plan.at = long_of(L, "at");
    plan.call = NULL;
    plan.struck = WORLDS;
    plan.count = 0;
    for (int w = 0; w < WORLDS; w++) {
        plan.counts[w] = 0;
    }
    dirty_stack();
    (void)alarm(SECONDS_MAX);
    plan.armed = true;
    const int status = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 0);
    plan.armed = false;
    (void)alarm(0);
    lua_pushboolean(L, status == 0);
    lua_replace(L, 2);
    push_struck(L);
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

/* counts(): how many could have failed in the last call, by world. */
static int stress_counts(lua_State *L)
{
    long last[WORLDS];
    for (int w = 0; w < WORLDS; w++) {
        last[w] = plan.counts[w];
    }
    push_counts(L, last);
    return 1;
}

static long open_descriptors(void)
{
    long count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory != NULL && readdir(directory) != NULL) {
        count++;
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return count;
}

/* blocks(): how many are in use, by world; the system's are descriptors. */
static int stress_blocks(lua_State *L)
{
    long now[WORLDS];
    for (int w = 0; w < WORLDS; w++) {
        now[w] = w == IN_SYSTEM ? open_descriptors() : blocks[w];
    }
    push_counts(L, now);
    return 1;
}

/* collections(): how many `collects` made in the last call. */
static int stress_collections(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)collections);
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
        {"call", stress_call},     {"counts", stress_counts},           {"blocks", stress_blocks},
        {"queued", stress_queued}, {"collections", stress_collections}, {NULL, NULL},
    };
    lua_newtable(L);
    ahk_set_functions(L, functions);
    lua_createtable(L, 0, WORLDS);
    for (int w = 0; w < WORLDS; w++) {
        lua_pushinteger(L, (lua_Integer)1 << w);
        lua_setfield(L, -2, NAMES[w]);
    }
    lua_setfield(L, -2, "worlds");
    return 1;
}
