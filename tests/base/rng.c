#include "support/test.h"

#include "base/rng.h"
#include <math.h>
#include <string.h>

/* Streams depend on all four numbers, and on nothing else. */
static void streams(void **state)
{
    (void)state;
    uint32_t first[5];
    laip_rng r[5] = {laip_rng_stream(1, 2, 3, 4), laip_rng_stream(2, 2, 3, 4), laip_rng_stream(1, 3, 3, 4),
                     laip_rng_stream(1, 2, 4, 4), laip_rng_stream(1, 2, 3, 5)};
    for (int i = 0; i < 5; i++)
        first[i] = laip_rng_u32(&r[i]);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++)
            assert_int_not_equal(first[i], first[j]);
    laip_rng again = laip_rng_stream(1, 2, 3, 4);
    assert_int_equal(laip_rng_u32(&again), first[0]);
}

static void moments(void **state)
{
    (void)state;
    laip_rng r = laip_rng_stream(7, 0, 0, LAIP_SITE_TEST);
    double sum = 0, square = 0, uniform = 0;
    int n = 200000, counts[7] = {0};
    for (int i = 0; i < n; i++) {
        double x = laip_rng_normal(&r);
        sum += x;
        square += x * x;
        uniform += laip_rng_uniform(&r);
        counts[laip_rng_below(&r, 7)]++;
    }
    assert_true(fabs(sum / n) < 0.01);
    assert_true(fabs(square / n - 1) < 0.02);
    assert_true(fabs(uniform / n - 0.5) < 0.005);
    for (int i = 0; i < 7; i++)
        assert_true(fabs(counts[i] * 7.0 / n - 1) < 0.03);
}

static void shuffle_is_a_permutation(void **state)
{
    (void)state;
    uint32_t v[100];
    for (uint32_t i = 0; i < 100; i++)
        v[i] = i;
    laip_rng r = laip_rng_stream(1, 1, 1, LAIP_SITE_TEST);
    laip_rng_shuffle(&r, v, 100);
    int moved = 0;
    char seen[100] = {0};
    for (uint32_t i = 0; i < 100; i++) {
        moved += v[i] != i;
        assert_false(seen[v[i]]);
        seen[v[i]] = 1;
    }
    assert_true(moved > 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(streams), cmocka_unit_test(moments),
                                       cmocka_unit_test(shuffle_is_a_permutation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
