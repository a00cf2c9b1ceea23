/* How a global batch is divided when its micro-batches are to be as large as fits. */
#include "support/test.h"

#include "train/memory.h"

static void divides(void **state)
{
    (void)state;
    assert_int_equal(laip_memory_divide(52, 18, 1), 13);
    assert_int_equal(laip_memory_divide(52, 52, 1), 52);
    assert_int_equal(laip_memory_divide(52, 100, 1), 52);
    assert_int_equal(laip_memory_divide(52, 51, 1), 26);
    assert_int_equal(laip_memory_divide(52, 12, 1), 4);
    assert_int_equal(laip_memory_divide(53, 52, 1), 1);
}

/* Each rank has a micro-batch at least. */
static void among_ranks(void **state)
{
    (void)state;
    assert_int_equal(laip_memory_divide(64, 64, 2), 32);
    assert_int_equal(laip_memory_divide(64, 64, 3), 16);
    assert_int_equal(laip_memory_divide(64, 64, 64), 1);
    assert_int_equal(laip_memory_divide(64, 64, 65), 0);
    assert_int_equal(laip_memory_divide(64, 0, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(divides), cmocka_unit_test(among_ranks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
