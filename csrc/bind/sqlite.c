/* alipayhk.sqlite: a database, for the outbox; no module for users. It blocks: not for nginx handlers.
 *
 * Lua may run a finalizer wherever it allocates, and that may close this very database. So a database or statement is
 * asked for when it is needed and not a moment earlier, and what comes out of a statement lies in a userdata that
 * nobody else can reach before Lua's values are made of it. */
#include <lua.h>

#include "../store/database.h"
#include "../store/statement.h"
#include "compat.h"

#define DATABASE "alipayhk.sqlite"
#define STATEMENT "alipayhk.sqlite.statement"
#define ROWS "alipayhk.sqlite.rows"

/* What a database holds outside of Lua (descriptors, a cache of pages), in the collector's measure: see
 * TRANSPORT_WEIGHT in curl.c. */
enum { DATABASE_WEIGHT = 256 * 1024, LOCK_MS = 5000 };

AHK_EXPORT int luaopen_alipayhk_sqlite(lua_State *L);

typedef struct {
    ahk_database *database; /* NULL once closed */
} database_handle;

typedef struct {
    ahk_statement *statement; /* NULL once closed */
} statement_handle;

static int push_fault(lua_State *L, const ahk_store_fault *fault)
{
    (void)ahk_push_failure(L, fault->message.text);
    lua_pushstring(L, fault->code);
    return 3;
}

static int push_done(lua_State *L, bool done, const ahk_store_fault *fault)
{
    if (!done) {
        return push_fault(L, fault);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* ---- values ------------------------------------------------------------------------------------- */

static ahk_value number_value(lua_State *L, int index)
{
    int64_t integer = 0;
    if (ahk_test_integer(L, index, &integer)) {
        return (ahk_value){.type = AHK_INTEGER, .as.integer = integer};
    }
    const double number = lua_tonumber(L, index);
    luaL_argcheck(L, !isnan(number), index, "not a number (NaN), which a database does not hold");
    return (ahk_value){.type = AHK_REAL, .as.real = number};
}

static ahk_value check_value(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return (ahk_value){.type = AHK_NULL};
    case LUA_TBOOLEAN:
        return (ahk_value){.type = AHK_INTEGER, .as.integer = lua_toboolean(L, index)};
    case LUA_TNUMBER:
        return number_value(L, index);
    default: {
        luaL_argcheck(L, lua_type(L, index) == LUA_TSTRING, index, "nil, a boolean, a number or a string is expected");
        const ahk_slice text = ahk_check_slice(L, index);
        luaL_argcheck(L, text.length <= AHK_VALUE_MAX, index, "longer than 64 MiB");
        return (ahk_value){.type = AHK_TEXT, .as.text = text};
    }
    }
}

static void push_value(lua_State *L, const ahk_value *value)
{
    switch (value->type) {
    case AHK_INTEGER:
        ahk_push_integer(L, value->as.integer, AHK_EXACT_MAX);
        break;
    case AHK_REAL:
        lua_pushnumber(L, value->as.real);
        break;
    case AHK_TEXT:
        ahk_push_slice(L, value->as.text);
        break;
    default:
        lua_pushnil(L);
    }
}

/* ---- rows --------------------------------------------------------------------------------------- */

static int rows_free(lua_State *L)
{
    ahk_rows_free(luaL_checkudata(L, 1, ROWS));
    return 0;
}

/* Pushes the columns' names; they stay below what is pushed next. */
static size_t push_names(lua_State *L, const ahk_rows *rows)
{
    size_t at = 0;
    luaL_checkstack(L, (int)rows->columns + 8, "the columns of a row");
    for (size_t i = 0; i < rows->columns; i++) {
        const ahk_value name = ahk_rows_next(rows, &at);
        push_value(L, &name);
    }
    return at;
}

/* Pushes a row: a table by the names that begin at that index. */
static void push_row(lua_State *L, const ahk_rows *rows, int names, size_t *at)
{
    lua_createtable(L, 0, (int)rows->columns);
    for (size_t i = 0; i < rows->columns; i++) {
        const ahk_value value = ahk_rows_next(rows, at);
        lua_pushvalue(L, names + (int)i);
        push_value(L, &value);
        lua_rawset(L, -3);
    }
}

/* Pushes the first row, or false for none. */
static void push_first(lua_State *L, const ahk_rows *rows)
{
    const int names = lua_gettop(L) + 1;
    if (rows->count == 0) {
        lua_pushboolean(L, 0);
        return;
    }
    size_t at = push_names(L, rows);
    push_row(L, rows, names, &at);
}

static void push_all(lua_State *L, const ahk_rows *rows)
{
    const int names = lua_gettop(L) + 1;
    size_t at = push_names(L, rows);
    lua_createtable(L, (int)rows->count, 0);
    for (size_t i = 0; i < rows->count; i++) {
        push_row(L, rows, names, &at);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* ---- statements --------------------------------------------------------------------------------- */

static int statement_close(lua_State *L)
{
    statement_handle *handle = luaL_checkudata(L, 1, STATEMENT);
    ahk_statement *statement = handle->statement;
    handle->statement = NULL;
    ahk_statement_free(statement);
    return 0;
}

static bool is_statement_open(const statement_handle *handle)
{
    return handle->statement != NULL && ahk_statement_is_open(handle->statement);
}

static int statement_tostring(lua_State *L)
{
    const statement_handle *handle = luaL_checkudata(L, 1, STATEMENT);
    lua_pushstring(L, is_statement_open(handle) ? STATEMENT " (open)" : STATEMENT " (closed)");
    return 1;
}

static ahk_statement *check_statement(lua_State *L)
{
    const statement_handle *handle = luaL_checkudata(L, 1, STATEMENT);
    luaL_argcheck(L, handle->statement != NULL, 1, "the statement is closed");
    luaL_argcheck(L, is_statement_open(handle), 1, "the database is closed");
    return handle->statement;
}

static void check_count(lua_State *L, const ahk_statement *statement, int given)
{
    const int expected = (int)ahk_statement_parameters(statement);
    if (given != expected) {
        luaL_error(L, "%d parameters expected, %d given", expected, given);
    }
}

/* Runs it with the first `given` values behind it on the stack. Pushes nothing. */
static bool run(lua_State *L, int given, ahk_wanted wanted, ahk_rows *rows, ahk_store_fault *fault)
{
    ahk_value values[AHK_PARAMETERS_MAX];
    check_count(L, check_statement(L), given);
    for (int i = 0; i < given; i++) {
        values[i] = check_value(L, i + 2);
    }
    return ahk_statement_run(check_statement(L), values, wanted, rows, fault);
}

/* statement:run(...): changes and last rowid. */
static int statement_run(lua_State *L)
{
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    if (!run(L, lua_gettop(L) - 1, AHK_NO_ROWS, NULL, &fault)) {
        return push_fault(L, &fault);
    }
    const ahk_statement *statement = check_statement(L);
    const int64_t changes = ahk_statement_changes(statement);
    const int64_t rowid = ahk_statement_last_rowid(statement);
    ahk_push_integer(L, changes, AHK_EXACT_MAX);
    ahk_push_integer(L, rowid, AHK_EXACT_MAX);
    return 2;
}

static int give_rows(lua_State *L, ahk_wanted wanted, void (*push)(lua_State *L, const ahk_rows *rows))
{
    const int given = lua_gettop(L) - 1;
    luaL_checkstack(L, 8, "rows");
    (void)check_statement(L);
    ahk_rows *rows = ahk_new_handle(L, sizeof *rows, ROWS);
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    if (!run(L, given, wanted, rows, &fault)) {
        return push_fault(L, &fault);
    }
    push(L, rows);
    ahk_rows_free(rows);
    return 1;
}

/* statement:first(...): the first row, by column name and without what is NULL; false for none. */
static int statement_first(lua_State *L)
{
    return give_rows(L, AHK_FIRST_ROW, push_first);
}

/* statement:all(...): a list of rows. */
static int statement_all(lua_State *L)
{
    return give_rows(L, AHK_ALL_ROWS, push_all);
}

/* ---- databases ---------------------------------------------------------------------------------- */

static int database_close(lua_State *L)
{
    database_handle *handle = luaL_checkudata(L, 1, DATABASE);
    ahk_database *database = handle->database;
    handle->database = NULL;
    ahk_database_close(database);
    return 0;
}

static int database_tostring(lua_State *L)
{
    const database_handle *handle = luaL_checkudata(L, 1, DATABASE);
    lua_pushstring(L, handle->database != NULL ? DATABASE " (open)" : DATABASE " (closed)");
    return 1;
}

static ahk_database *check_database(lua_State *L)
{
    const database_handle *handle = luaL_checkudata(L, 1, DATABASE);
    luaL_argcheck(L, handle->database != NULL, 1, "the database is closed");
    return handle->database;
}

/* A number among the options; one that is out of the question where it is none. */
static double number_option(lua_State *L, const char *name, double otherwise)
{
    ahk_get_field(L, 2, name);
    const double given = lua_isnil(L, -1) ? otherwise : lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    lua_pop(L, 1);
    return given;
}

static ahk_database_options check_options(lua_State *L)
{
    if (lua_isnoneornil(L, 2)) {
        return (ahk_database_options){.lock_ms = LOCK_MS};
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    const double lock_ms = number_option(L, "lock_ms", LOCK_MS);
    luaL_argcheck(L, lock_ms >= 0 && lock_ms <= AHK_LOCK_MS_MAX, 2, "lock_ms: 0 to 600000 are expected");
    const double application_id = number_option(L, "application_id", 0);
    luaL_argcheck(L, application_id >= 0 && application_id <= INT32_MAX, 2,
                  "application_id: 0 to 2^31 - 1 is expected");
    return (ahk_database_options){.lock_ms = (int)lock_ms, .application_id = (int)application_id};
}

/* open(path, [{ lock_ms, application_id }]): opens a database, which is made where there is none. */
static int sqlite_open(lua_State *L)
{
    const ahk_slice path = ahk_check_slice(L, 1);
    luaL_argcheck(L, !ahk_slice_has(path, '\0'), 1, "a path holds no NUL byte");
    const ahk_database_options options = check_options(L);
    ahk_weigh(L, DATABASE_WEIGHT);
    database_handle *handle = ahk_new_handle(L, sizeof *handle, DATABASE);
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    handle->database = ahk_database_open((const char *)path.data, options, &fault);
    return handle->database != NULL ? 1 : push_fault(L, &fault);
}

/* db:execute(sql): one or several statements. */
static int database_execute(lua_State *L)
{
    const ahk_slice sql = ahk_check_slice(L, 2);
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    const bool done = ahk_database_execute(check_database(L), sql, &fault);
    return push_done(L, done, &fault);
}

/* The value on top keeps the one at `index` alive. In 5.1 and 5.2 only a table can be kept so. */
static void keep_alive(lua_State *L, int index)
{
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, 1);
#if LUA_VERSION_NUM < 502
    (void)lua_setfenv(L, -2);
#else
    lua_setuservalue(L, -2);
#endif
}

/* db:prepare(sql): a statement, which keeps the database from being collected. */
static int database_prepare(lua_State *L)
{
    const ahk_slice sql = ahk_check_slice(L, 2);
    (void)check_database(L);
    lua_settop(L, 2);
    statement_handle *handle = ahk_new_handle(L, sizeof *handle, STATEMENT);
    keep_alive(L, 1);
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    handle->statement = ahk_statement_new(check_database(L), sql, &fault);
    return handle->statement != NULL ? 1 : push_fault(L, &fault);
}

/* db:lock(): takes the writers' lock. */
static int database_lock(lua_State *L)
{
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    const bool done = ahk_database_lock(check_database(L), &fault);
    return push_done(L, done, &fault);
}

/* db:unlock(). */
static int database_unlock(lua_State *L)
{
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    const bool done = ahk_database_unlock(check_database(L), &fault);
    return push_done(L, done, &fault);
}

/* db:claim_delivery(): whether this handle is the one that delivers. */
static int database_claim(lua_State *L)
{
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    const ahk_claim claim = ahk_database_claim(check_database(L), &fault);
    if (claim == AHK_CLAIM_FAILED) {
        return push_fault(L, &fault);
    }
    lua_pushboolean(L, claim == AHK_CLAIMED);
    return 1;
}

/* db:release_delivery(). */
static int database_release(lua_State *L)
{
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    const bool done = ahk_database_release(check_database(L), &fault);
    return push_done(L, done, &fault);
}

/* db:ballast(bytes): sees to a file of that size beside the database. */
static int database_ballast(lua_State *L)
{
    const double bytes = luaL_checknumber(L, 2);
    luaL_argcheck(L, bytes >= 1 && bytes <= (double)AHK_BALLAST_MAX, 2, "1 byte to 1 GiB");
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    const bool done = ahk_database_ballast(check_database(L), (int64_t)bytes, &fault);
    return push_done(L, done, &fault);
}

/* db:drop_ballast(): whether there was any. */
static int database_drop_ballast(lua_State *L)
{
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    bool freed = false;
    if (!ahk_database_drop_ballast(check_database(L), &freed, &fault)) {
        return push_fault(L, &fault);
    }
    lua_pushboolean(L, freed);
    return 1;
}

/* db:check(): reads all of it. */
static int database_check(lua_State *L)
{
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    const bool done = ahk_database_check(check_database(L), &fault);
    return push_done(L, done, &fault);
}

/* db:is_replaced(): whether another file is where it was. */
static int database_is_replaced(lua_State *L)
{
    lua_pushboolean(L, ahk_database_is_replaced(check_database(L)));
    return 1;
}

/* db:is_checked(): whether that was done here already. */
static int database_is_checked(lua_State *L)
{
    lua_pushboolean(L, ahk_database_is_checked(check_database(L)));
    return 1;
}

int luaopen_alipayhk_sqlite(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"execute", database_execute},
        {"prepare", database_prepare},
        {"lock", database_lock},
        {"unlock", database_unlock},
        {"claim_delivery", database_claim},
        {"release_delivery", database_release},
        {"ballast", database_ballast},
        {"drop_ballast", database_drop_ballast},
        {"check", database_check},
        {"is_checked", database_is_checked},
        {"is_replaced", database_is_replaced},
        {"__tostring", database_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg statement_methods[] = {
        {"run", statement_run}, {"first", statement_first}, {"all", statement_all}, {"__tostring", statement_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"open", sqlite_open}, {NULL, NULL}};
    static const luaL_Reg no_methods[] = {{NULL, NULL}};
    ahk_store_fault fault = AHK_STORE_FAULT_INIT;
    if (!ahk_database_is_supported(&fault)) {
        return luaL_error(L, "alipayhk.sqlite: %s", fault.message.text);
    }
    ahk_new_metatable(L, ROWS, no_methods, rows_free);
    ahk_new_metatable(L, STATEMENT, statement_methods, statement_close);
    ahk_new_metatable(L, DATABASE, methods, database_close);
    lua_newtable(L);
    ahk_set_functions(L, functions);
    return 1;
}
