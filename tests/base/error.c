/* Errors are one line, with the status that a program ends with. */
#include "support/test.h"

#include <string.h>

/* Always false, one line, the status that the program ends with. */
static void lines(void **state)
{
    (void)state;
    laip_error e;
    assert_false(laip_bad_input(&e, "%s:%d: found %s", "a\nb\r.json", 7, "x"));
    assert_int_equal(e.status, LAIP_BAD_INPUT);
    assert_int_equal(e.status, 2);
    assert_string_equal(e.text, "a b .json:7: found x");
    assert_false(laip_failure(&e, "clFoo: %d", -5));
    assert_int_equal(e.status, LAIP_FAILURE);
    assert_int_equal(e.status, 1);
    assert_string_equal(e.text, "clFoo: -5");
}

static void prefixes(void **state)
{
    (void)state;
    laip_error e;
    laip_bad_input(&e, "the end");
    assert_false(laip_error_prefix(&e, "%s", "middle"));
    assert_false(laip_error_prefix(&e, "%s", "begin\nning"));
    assert_string_equal(e.text, "begin ning: middle: the end");
    assert_int_equal(e.status, LAIP_BAD_INPUT);
}

/* What is too long is cut, inside the room there is. */
static void long_lines(void **state)
{
    (void)state;
    struct {
        laip_error e;
        char guard[16];
    } s;
    char lots[3000];
    memset(s.guard, 'g', sizeof s.guard);
    memset(lots, 'x', sizeof lots - 1);
    lots[sizeof lots - 1] = '\0';
    laip_failure(&s.e, "%s", lots);
    assert_int_equal(strlen(s.e.text), sizeof s.e.text - 1);
    laip_error_prefix(&s.e, "before");
    assert_int_equal(strlen(s.e.text), sizeof s.e.text - 1);
    assert_memory_equal(s.e.text, "before: xxx", 11);
    laip_error_prefix(&s.e, "%s", lots);
    assert_int_equal(strlen(s.e.text), sizeof s.e.text - 1);
    for (size_t i = 0; i < sizeof s.guard; i++)
        assert_int_equal(s.guard[i], 'g');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(prefixes),
                                       cmocka_unit_test(long_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
