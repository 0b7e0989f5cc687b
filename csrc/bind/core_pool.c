/* What C holds while a thread works on it is a job, a userdata of its own, anchored with its strings in a table of the
 * registry until it is finished. Closing a pool waits for its threads, so a job is never freed under one. */
#include "core_pool.h"

#include <unistd.h>

#include "../pool/pool.h"
#include "compat.h"
#include "core_key.h"

#define POOL "alipayhk.pool"

typedef struct {
    ahk_pool *pool; /* NULL once closed */
    int anchors;    /* in the registry */
    size_t key_count;
    ahk_sign_options defaults[AHK_POOL_KEYS_MAX];
} pool_handle;

static int pool_close(lua_State *L)
{
    pool_handle *handle = luaL_checkudata(L, 1, POOL);
    ahk_pool *pool = handle->pool;
    handle->pool = NULL;
    ahk_pool_free(pool);
    luaL_unref(L, LUA_REGISTRYINDEX, handle->anchors);
    handle->anchors = LUA_NOREF;
    return 0;
}

static int pool_tostring(lua_State *L)
{
    const pool_handle *handle = luaL_checkudata(L, 1, POOL);
    lua_pushstring(L, handle->pool != NULL ? POOL " (open)" : POOL " (closed)");
    return 1;
}

static pool_handle *check_open(lua_State *L)
{
    pool_handle *handle = luaL_checkudata(L, 1, POOL);
    luaL_argcheck(L, handle->pool != NULL, 1, "the pool is closed");
    return handle;
}

/* pool(threads, key, ...): makes one; nil and a message where that cannot be. The keys are copied. */
static int core_pool(lua_State *L)
{
    const lua_Integer threads = luaL_checkinteger(L, 1);
    const int count = lua_gettop(L) - 1;
    luaL_argcheck(L, threads >= 1 && threads <= AHK_POOL_THREADS_MAX, 1, "1 to 64 threads");
    luaL_argcheck(L, count >= 1 && count <= AHK_POOL_KEYS_MAX, 2, "1 to 16 keys");
    pool_handle *handle = lua_newuserdata(L, sizeof *handle);
    *handle = (pool_handle){.anchors = LUA_NOREF, .key_count = (size_t)count};
    luaL_getmetatable(L, POOL);
    lua_setmetatable(L, -2);
    lua_newtable(L);
    handle->anchors = luaL_ref(L, LUA_REGISTRYINDEX);
    const ahk_key *keys[AHK_POOL_KEYS_MAX];
    for (int i = 0; i < count; i++) {
        keys[i] = ahk_core_check_key(L, i + 2);
        handle->defaults[i] = ahk_sign_defaults(keys[i]);
    }
    ahk_error err = AHK_ERROR_INIT;
    handle->pool = ahk_pool_new((int)threads, keys, (size_t)count, &err);
    return handle->pool != NULL ? 1 : ahk_push_failure(L, err.text);
}

/* anchors[job] = { job, message, signature, tag }. */
static void anchor(lua_State *L, const pool_handle *handle, ahk_job *job, int job_index, int tag)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, handle->anchors);
    lua_pushlightuserdata(L, job);
    lua_createtable(L, 4, 0);
    lua_pushvalue(L, job_index);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, 3);
    lua_rawseti(L, -2, 2);
    lua_pushvalue(L, 4);
    lua_rawseti(L, -2, 3);
    lua_pushvalue(L, tag);
    lua_rawseti(L, -2, 4);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static void forget(lua_State *L, const pool_handle *handle, ahk_job *job)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, handle->anchors);
    lua_pushlightuserdata(L, job);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* The arguments: pool, key, message, [signature,] options, tag. True, or nil and a message. */
static int submit(lua_State *L, ahk_job_kind kind)
{
    const int options = kind == AHK_JOB_SIGN ? 4 : 5;
    (void)check_open(L);
    const lua_Integer key = luaL_checkinteger(L, 2);
    const ahk_slice message = ahk_check_text(L, 3);
    const ahk_slice given = kind == AHK_JOB_VERIFY ? ahk_check_text(L, 4) : (ahk_slice){NULL, 0};
    ahk_sign_options chosen = ahk_core_check_sign_options(L, options);
    luaL_checkany(L, options + 1);
    lua_settop(L, options + 1);
    ahk_job *job = lua_newuserdata(L, sizeof *job);
    *job = (ahk_job){.kind = kind, .message = message, .given = given, .err = AHK_ERROR_INIT};
    luaL_checkstack(L, 8, "a job");
    anchor(L, check_open(L), job, options + 2, options + 1);
    const pool_handle *handle = check_open(L);
    luaL_argcheck(L, key >= 1 && (size_t)key <= handle->key_count, 2, "the pool has no such key");
    job->key = (size_t)key - 1;
    if (chosen.digest == AHK_DIGESTS) {
        chosen.digest = handle->defaults[job->key].digest;
    }
    job->options = chosen;
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_pool_submit(handle->pool, job, &err)) {
        forget(L, handle, job);
        return ahk_push_failure(L, err.text);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* pool:sign(key, message, opts, tag): what comes of it `finished` says. */
static int pool_sign(lua_State *L)
{
    return submit(L, AHK_JOB_SIGN);
}

/* pool:verify(key, message, signature, opts, tag). */
static int pool_verify(lua_State *L)
{
    return submit(L, AHK_JOB_VERIFY);
}

static int push_result(lua_State *L, const ahk_job *job)
{
    if (job->kind == AHK_JOB_SIGN ? !job->is_signed : job->verdict == AHK_NOT_VERIFIED) {
        return ahk_push_failure(L, job->err.text);
    }
    if (job->kind == AHK_JOB_SIGN) {
        lua_pushlstring(L, (const char *)job->signature.bytes, job->signature.length);
    } else {
        lua_pushboolean(L, job->verdict == AHK_VALID);
    }
    return 1;
}

/* pool:finished(): the tag of a job that is done, and what key:sign or key:verify gives; nothing for none. */
static int pool_finished(lua_State *L)
{
    luaL_checkstack(L, 8, "a job");
    const pool_handle *handle = check_open(L);
    ahk_job *job = ahk_pool_finished(handle->pool);
    if (job == NULL) {
        return 0;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, handle->anchors);
    lua_pushlightuserdata(L, job);
    lua_rawget(L, -2);
    lua_rawgeti(L, -1, 1); /* the job stays on the stack while it is read */
    lua_rawgeti(L, -2, 4);
    lua_pushlightuserdata(L, job);
    lua_pushnil(L);
    lua_rawset(L, -6);
    return push_result(L, job) + 1;
}

/* pool:fd(): becomes readable when a job is done. */
static int pool_fd(lua_State *L)
{
    lua_pushinteger(L, ahk_pool_fd(check_open(L)->pool));
    return 1;
}

/* processors(): how many there are to run threads on. */
static int core_processors(lua_State *L)
{
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    lua_pushinteger(L, count < 1 ? 1 : count > AHK_POOL_THREADS_MAX ? AHK_POOL_THREADS_MAX : count);
    return 1;
}

void ahk_core_pool_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"sign", pool_sign}, {"verify", pool_verify},       {"finished", pool_finished},
        {"fd", pool_fd},     {"__tostring", pool_tostring}, {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"pool", core_pool},
        {"processors", core_processors},
        {NULL, NULL},
    };
    ahk_new_metatable(L, POOL, methods, pool_close);
    ahk_set_functions(L, functions);
}
