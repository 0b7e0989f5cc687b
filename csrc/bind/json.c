/* JSON around lua-cjson: what a text is before it is decoded, what its values are afterwards, and the way back; and
 * calls in the C locale. What is read here are arguments on the stack and userdata pushed before. */
#include "json.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "../base/c_locale.h"
#include "../json/finish.h"
#include "../json/number.h"
#include "../json/scan.h"
#include "compat.h"
#include "core_key.h"

#if LUA_VERSION_NUM >= 503
enum { HAS_INTEGERS = true };
#else
enum { HAS_INTEGERS = false };
#endif

/* json_scan(text, [unique]): checks a text of JSON, and makes one for lua-cjson of it (see csrc/json/scan.h). `unique`:
 * a member of the outermost object that may come once, and each key in it. The text to decode, whether json_settle has
 * to see what comes out, whether it is an object, and whether something in it was what JSON may not have; or nil and a
 * message. */
static int core_json_scan(lua_State *L)
{
    const ahk_slice text = ahk_check_text(L, 1);
    const ahk_json_options options = {
        .unique = luaL_optstring(L, 2, NULL),
        .has_integers = HAS_INTEGERS,
    };
    ahk_json_report report;
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_json_scan(text, &options, NULL, &report, &err)) {
        return ahk_push_failure(L, err.text);
    }
    if (report.is_changed) {
        char *out = lua_newuserdata(L, report.length + 1);
        if (!ahk_json_scan(text, &options, out, &report, &err)) {
            return ahk_push_failure(L, err.text);
        }
        lua_pushlstring(L, out, report.length);
    } else {
        lua_pushvalue(L, 1);
    }
    lua_pushboolean(L, report.is_marked || (HAS_INTEGERS && report.has_integer));
    lua_pushboolean(L, report.is_object);
    lua_pushboolean(L, report.is_mended);
    return 4;
}

/* ---- after decoding --------------------------------------------------------------------------------- */

static void push_integer_of(lua_State *L, const char *digits)
{
#if LUA_VERSION_NUM >= 503
    (void)lua_stringtonumber(L, digits);
#else
    lua_pushstring(L, digits);
#endif
}

static void push_float_of(lua_State *L, const char *text)
{
    double number = 0;
    if (!ahk_json_number_read(text, &number)) {
        (void)ahk_raise_no_memory(L);
    }
    if (isinf(number)) {
        lua_pushstring(L, text); /* as with digits that no number holds */
    } else {
        lua_pushnumber(L, number);
    }
}

/* Puts in place of the marked string on top what it stands for. */
static void settle_marked(lua_State *L, const char *text, size_t length)
{
    const char *rest = text + AHK_JSON_MARK_LENGTH + 1;
    switch (text[AHK_JSON_MARK_LENGTH]) {
    case AHK_JSON_INTEGER:
        push_integer_of(L, rest);
        break;
    case AHK_JSON_FLOAT:
        push_float_of(L, rest);
        break;
    case AHK_JSON_DIGITS:
        lua_pushlstring(L, rest, length - AHK_JSON_MARK_LENGTH - 1);
        break;
    default: /* the mark once more: a string that begins with it */
        lua_pushlstring(L, text + AHK_JSON_MARK_LENGTH, length - AHK_JSON_MARK_LENGTH);
    }
    lua_replace(L, -2);
}

static bool settle_string(lua_State *L)
{
    size_t length = 0;
    const char *text = lua_tolstring(L, -1, &length);
    if (length <= AHK_JSON_MARK_LENGTH || memcmp(text, AHK_JSON_MARK, AHK_JSON_MARK_LENGTH) != 0) {
        return false;
    }
    settle_marked(L, text, length);
    return true;
}

/* lua-cjson gives every number as a double; those that were none are marked. */
static bool settle_number(lua_State *L)
{
#if LUA_VERSION_NUM >= 503
    if (!lua_isinteger(L, -1)) {
        const lua_Integer integer = (lua_Integer)lua_tonumber(L, -1);
        lua_pop(L, 1);
        lua_pushinteger(L, integer);
        return true;
    }
#else
    (void)L;
#endif
    return false;
}

static bool settle_value(lua_State *L);

static void settle_table(lua_State *L)
{
    luaL_checkstack(L, 4, "nested JSON");
    const int table = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        if (settle_value(L)) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, table);
        } else {
            lua_pop(L, 1);
        }
    }
}

/* The value on top; true where another one has taken its place. As deep as what the scan let pass. */
static bool settle_value(lua_State *L)
{
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        return settle_string(L);
    case LUA_TNUMBER:
        return settle_number(L);
    case LUA_TTABLE:
        settle_table(L);
        return false;
    default:
        return false;
    }
}

/* json_settle(value): gives the numbers and strings of a text that json_scan made their values; a table is changed in
 * place. */
static int core_json_settle(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    (void)settle_value(L);
    return 1;
}

/* ---- before and after encoding ---------------------------------------------------------------------- */

/* json_number(n): a number, neither NaN nor infinite, as JSON writes it: a whole number in its digits, another by the
 * shortest text that reads as the same number. */
static int core_json_number(lua_State *L)
{
    char text[AHK_JSON_NUMBER_SIZE];
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, 1)) {
        lua_pushvalue(L, 1);
        (void)lua_tostring(L, -1);
        return 1;
    }
#endif
    if (!ahk_json_number_write(luaL_checknumber(L, 1), text)) {
        return luaL_error(L, "this number has no form in JSON");
    }
    lua_pushstring(L, text);
    return 1;
}

/* json_finish(text): replaces the marked strings in an encoded text by what they stand for (see csrc/json/finish.h). */
static int core_json_finish(lua_State *L)
{
    const ahk_slice text = ahk_check_slice(L, 1);
    char *out = lua_newuserdata(L, text.length + 1);
    lua_pushlstring(L, out, ahk_json_finish(text, out));
    return 1;
}

/* ---- the locale ------------------------------------------------------------------------------------- */

/* decimal_point(): that of the locale in force. */
static int core_decimal_point(lua_State *L)
{
    lua_pushstring(L, ahk_decimal_point());
    return 1;
}

/* in_c_locale(f, ...): calls a function, which must not yield, in the C locale, in this thread alone; its first result.
 */
static int core_in_c_locale(lua_State *L)
{
    locale_t before;
    luaL_checkany(L, 1);
    if (!ahk_c_locale_enter(&before)) {
        return ahk_raise_no_memory(L);
    }
    const int status = lua_pcall(L, lua_gettop(L) - 1, 1, 0);
    ahk_c_locale_leave(before);
    return status == 0 ? 1 : lua_error(L);
}

void ahk_core_json_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"json_scan", core_json_scan},
        {"json_settle", core_json_settle},
        {"json_number", core_json_number},
        {"json_finish", core_json_finish},
        {"decimal_point", core_decimal_point},
        {"in_c_locale", core_in_c_locale},
        {NULL, NULL},
    };
    static char empty_array; /* its address is the value */
    ahk_set_functions(L, functions);
    lua_pushlightuserdata(L, &empty_array);
    lua_setfield(L, -2, "empty_array");
}
