-- The buffer with a cap (csrc/base/buffer.h), by itself.

local shell = require "spec.support.shell"

-- Appends a byte at a time up to the cap, and one more; prints how often the buffer was moved.
local PROGRAM = [[
#include <stdio.h>
#include <stdlib.h>

static int moved;
static void *counted(void *block, size_t size)
{
    moved++;
    return realloc(block, size);
}
#define realloc counted
#include "csrc/base/buffer.c"

int main(void)
{
    enum { MAX = 1000003 };
    ahk_buffer buffer = {0};
    ahk_buffer_reset(&buffer, MAX);
    for (int i = 0; i < MAX; i++) {
        if (!ahk_buffer_append(&buffer, i % 2 == 0 ? "a" : "b", 1)) {
            return 1;
        }
    }
    printf("%s %s ", buffer.data[MAX - 1] == 'a' ? "whole" : "wrong", buffer.capacity <= MAX ? "capped" : "too large");
    printf("%s %d\n", ahk_buffer_append(&buffer, "c", 1) || !buffer.overflowed ? "over" : "refused", moved);
    ahk_buffer_free(&buffer);
    return 0;
}
]]

it("a buffer that small pieces fill moves some times, not once for each", function()
  local directory = shell.directory()
  shell.write(directory .. "/buffer.c", PROGRAM)
  shell.must(("${CC:-cc} -std=c11 -O1 -I. -o %s/buffer %s/buffer.c"):format(directory, directory))
  local said = shell.must(directory .. "/buffer")
  local moved = said:match("^whole capped refused (%d+)\n$")
  assert.is_string(moved, said)
  assert.is_true(tonumber(moved) <= 10, moved)
end)
