/* What C holds while a thread works on it is a job, a userdata of its own, anchored with its strings in a table of the
 * registry until it is finished. Closing a pool waits for its threads, so a job is never freed under one. */
#include "core_pool.h"

#include <unistd.h>

#include "../pool/pool.h"
#include "anchors.h"
#include "compat.h"
#include "core_key.h"

#define POOL "alipayhk.pool"

typedef struct {
    ahk_pool *pool; /* NULL once closed */
    int anchors;    /* of its jobs */
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
    pool_handle *handle = ahk_new_handle(L, sizeof *handle, POOL);
    handle->anchors = LUA_NOREF;
    handle->anchors = ahk_anchors_new(L);
    const ahk_key *keys[AHK_POOL_KEYS_MAX];
    for (int i = 0; i < count; i++) {
        keys[i] = ahk_core_check_key(L, i + 2);
    }
    ahk_error err = AHK_ERROR_INIT;
    handle->pool = ahk_pool_new((int)threads, keys, (size_t)count, &err);
    return handle->pool != NULL ? 1 : ahk_push_failure(L, err.text);
}

/* The arguments: pool, key, message, [signature,] options, tag. True, or nil and a message. */
static int submit(lua_State *L, ahk_job_kind kind)
{
    const int options = kind == AHK_JOB_SIGN ? 4 : 5;
    (void)check_open(L);
    const lua_Integer key = luaL_checkinteger(L, 2);
    const ahk_slice message = ahk_check_text(L, 3);
    const ahk_slice given = kind == AHK_JOB_VERIFY ? ahk_check_text(L, 4) : (ahk_slice){NULL, 0};
    const ahk_sign_options chosen = ahk_core_check_sign_options(L, options);
    luaL_checkany(L, options + 1);
    lua_settop(L, options + 1);
    ahk_job *job = lua_newuserdata(L, sizeof *job);
    *job = (ahk_job){.kind = kind, .message = message, .given = given, .err = AHK_ERROR_INIT};
    luaL_checkstack(L, 8, "a job");
    ahk_anchor(L, check_open(L)->anchors);
    const pool_handle *handle = check_open(L);
    const ahk_key *chosen_key = key >= 1 ? ahk_pool_key(handle->pool, (size_t)key - 1) : NULL;
    luaL_argcheck(L, chosen_key != NULL, 2, "the pool has no such key");
    job->key = (size_t)key - 1;
    job->options = ahk_core_complete_options(chosen, chosen_key);
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_pool_submit(handle->pool, job, &err)) {
        ahk_anchor_release(L, handle->anchors, job);
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

/* pool:finished(): the tag of a job that is done, and what key:sign or key:verify gives; nothing for none. */
static int pool_finished(lua_State *L)
{
    luaL_checkstack(L, 8, "a job");
    const pool_handle *handle = check_open(L);
    ahk_job *job = ahk_pool_finished(handle->pool);
    if (job == NULL) {
        return 0;
    }
    ahk_anchor_release(L, handle->anchors, job); /* it stays on the stack while it is read */
    const int results = job->kind == AHK_JOB_SIGN
                            ? ahk_core_push_signature(L, job->is_signed, &job->signature, &job->err)
                            : ahk_core_push_verdict(L, job->verdict, &job->err);
    return results + 1;
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
