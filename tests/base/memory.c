/* Host memory: cleared, grown, in arenas, and refused when sizes overflow. */
#include "support/test.h"

#include "base/memory.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void cleared(void **state)
{
    (void)state;
    for (size_t n = 0; n < 5000; n = 3 * n + 1) {
        char *p = laip_alloc(n, 1);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 1, n);
        free(p);
    }
    char *copy = laip_strndup("abc", 2), *whole = laip_strdup("abc");
    assert_string_equal(copy, "ab");
    assert_string_equal(whole, "abc");
    free(copy);
    free(whole);
}

/* An array that is grown by one at a time keeps what it held, and is moved seldom. */
static void growing(void **state)
{
    (void)state;
    int *values = NULL, moves = 0;
    size_t capacity = 0;
    for (size_t n = 0; n < 10000; n++) {
        void *array = values;
        size_t before = capacity;
        laip_grow(&array, &capacity, n + 1, sizeof *values);
        values = array;
        assert_true(capacity >= n + 1);
        moves += capacity != before;
        values[n] = (int)n;
    }
    for (size_t n = 0; n < 10000; n++)
        assert_int_equal(values[n], n);
    assert_true(moves < 30);
    void *array = values;
    laip_grow(&array, &capacity, 100000, sizeof *values);
    assert_int_equal(capacity, 100000);
    free(array);
}

/* Pieces of an arena are cleared, aligned and apart, small ones and those larger than a block. */
static void arena(void **state)
{
    (void)state;
    enum { PIECES = 3000 };
    laip_arena a = {0};
    unsigned char *piece[PIECES];
    size_t size[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        size[i] = i % 500 == 7 ? 70000 : i * 37 % 301;
        piece[i] = laip_arena_alloc(&a, size[i], 1);
        assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(piece[i][k], 0);
        memset(piece[i], (int)(i % 255) + 1, size[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t k = 0; k < size[i]; k++)
            if (piece[i][k] != i % 255 + 1)
                fail_msg("byte %zu of piece %zu was written by another", k, i);
    char *text = laip_arena_strndup(&a, "abcdef", 3);
    assert_string_equal(text, "abc");
    laip_arena_free(&a);
    assert_null(a.blocks);
    laip_arena_free(&a);
}

static void *want(int which)
{
    static laip_arena a;
    size_t huge = SIZE_MAX / 2;
    return which == 0   ? laip_alloc(huge, 4)
           : which == 1 ? laip_realloc(NULL, huge, 4)
                        : laip_arena_alloc(&a, huge, 4);
}

static void say(size_t count, size_t size)
{
    char line[100];
    int n = snprintf(line, sizeof line, "%zu x %zu\n", count, size);
    _exit(n == write(STDERR_FILENO, line, (size_t)n) ? 1 : 2);
}

/* Sizes whose product overflows: the program's handler is called with them; without one the process aborts.
 */
static void overflow(void **state)
{
    (void)state;
    for (int which = 0; which < 6; which++) {
        int ends[2], status;
        char line[200] = "";
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            dup2(ends[1], STDERR_FILENO);
            laip_on_out_of_memory(which < 3 ? say : NULL);
            _exit(want(which % 3) ? 77 : 78);
        }
        close(ends[1]);
        ssize_t length = 0, n;
        while ((n = read(ends[0], line + length, sizeof line - 1 - (size_t)length)) > 0)
            length += n;
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (which >= 3) {
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
            continue;
        }
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
        assert_non_null(strstr(line, " x "));
        assert_ptr_equal(strchr(line, '\n'), line + length - 1);
    }
}

static void resident(void **state)
{
    enum { MANY = 64 << 20 };
    (void)state;
    size_t before = laip_resident_bytes();
    char *some = laip_alloc(MANY, 1);
    memset(some, 1, MANY);
    size_t with = laip_resident_bytes();
    assert_true(some[MANY - 1] == 1);
    free(some);
    assert_true(before > 0 && with > before + MANY / 2 && with < before + 2 * MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cleared), cmocka_unit_test(growing),
                                       cmocka_unit_test(arena), cmocka_unit_test(overflow),
                                       cmocka_unit_test(resident)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
