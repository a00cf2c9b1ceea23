/* Micro-batches by speed: speeds are given here, none is measured. */
#include "support/test.h"

#include "base/rng.h"
#include "dist/shares.h"
#include <stdlib.h>

enum { MOST = 5 };

static double sum(const double *share, size_t ranks)
{
    double all = 0;
    for (size_t k = 0; k < ranks; k++)
        all += share[k];
    return all;
}

static void given_speeds(void **state)
{
    (void)state;
    static const struct {
        double speed[MOST];
        size_t ranks, count;
        double expected[MOST];
    } cases[] = {
        {{1, 1}, 2, 4, {2, 2}},
        {{2, 1}, 2, 3, {2, 1}},
        {{1, 2}, 2, 6, {2, 4}},
        {{1, 3}, 2, 8, {2, 6}},
        {{4, 1, 4}, 3, 9, {4, 1, 4}},
        {{1, 0.5}, 2, 4, {3, 1}},
        {{10, 1}, 2, 4, {4, 0}},
        {{1, 1, 1}, 3, 2, {1, 1, 0}},
        {{0, 2}, 2, 3, {0, 3}},
        {{1, 1, 1, 1}, 4, 10, {3, 3, 2, 2}},
        {{3}, 1, 7, {7}},
        {{1e-9, 1e9}, 2, 5, {0, 5}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double share[MOST];
        laip_shares_divide(cases[i].speed, cases[i].ranks, cases[i].count, share);
        for (size_t k = 0; k < cases[i].ranks; k++)
            if (share[k] != cases[i].expected[k])
                fail_msg("case %zu: rank %zu has %.0f, expected %.0f", i, k, share[k], cases[i].expected[k]);
    }
}

/* The best of all divisions of `left` among the ranks from k on. */
static double best_of_all(const double *speed, size_t ranks, size_t k, size_t left, double *share)
{
    if (k + 1 == ranks) {
        share[k] = (double)left;
        return laip_shares_seconds(speed, ranks, share);
    }
    double best = 1e300;
    for (size_t own = 0; own <= left; own++) {
        share[k] = (double)own;
        double seconds = best_of_all(speed, ranks, k + 1, left - own, share);
        best = seconds < best ? seconds : best;
    }
    return best;
}

/* Drawn speeds: nobody does better, and who is slower never has more. */
static void drawn_speeds(void **state)
{
    (void)state;
    laip_rng r = laip_rng_stream(7, 0, 0, LAIP_SITE_TEST);
    for (int i = 0; i < 300; i++) {
        size_t ranks = 1 + (size_t)i % 4, count = 1 + (size_t)i % 11;
        double speed[MOST], share[MOST], other[MOST];
        for (size_t k = 0; k < ranks; k++)
            speed[k] = 0.05 + laip_rng_uniform(&r);
        laip_shares_divide(speed, ranks, count, share);
        assert_true(sum(share, ranks) == (double)count);
        double best = best_of_all(speed, ranks, 0, count, other);
        assert_true(laip_shares_seconds(speed, ranks, share) <= best * (1 + 1e-12));
        for (size_t k = 0; k < ranks; k++)
            for (size_t j = 0; j < ranks; j++)
                assert_true(speed[k] >= speed[j] || share[k] <= share[j]);
    }
}

/* A run's shares move when it pays, and only then. */
static void follow(void **state)
{
    (void)state;
    double share[3] = {2, 2, 0};
    assert_false(laip_shares_follow((double[]){1, 1.05}, 2, share)); /* the same in other words */
    assert_true(share[0] == 2 && share[1] == 2);
    assert_true(laip_shares_follow((double[]){1, 3}, 2, share));
    assert_true(share[0] == 1 && share[1] == 3);
    assert_false(laip_shares_follow((double[]){1, 3}, 2, share));
    assert_true(laip_shares_follow((double[]){1, 0.9}, 2, share)); /* it is slow no longer */
    assert_true(share[0] == 2 && share[1] == 2);
    /* of an idle rank nothing is known; the others share out among themselves */
    assert_true(laip_shares_follow((double[]){1, 4, 0}, 3, share));
    assert_true(share[0] == 1 && share[1] == 3 && share[2] == 0);
    assert_false(laip_shares_follow((double[]){0, 0, 0}, 3, share));
    assert_true(laip_shares_follow((double[]){1, 1, 1}, 3, share)); /* it is known now */
    assert_true(share[0] == 2 && share[1] == 1 && share[2] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(given_speeds), cmocka_unit_test(drawn_speeds),
                                       cmocka_unit_test(follow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
