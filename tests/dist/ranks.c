/* What ranks do together: sums, sharing, and the division of work. */
#include "support/ranks.h"

#include "base/memory.h"
#include "base/rng.h"
#include <stdlib.h>
#include <string.h>

static int rank(void)
{
    return laip_test_ranks.rank;
}

static size_t size(void)
{
    return (size_t)laip_test_ranks.size;
}

static void places(void **state)
{
    (void)state;
    const char *given = getenv("OMPI_COMM_WORLD_SIZE");
    assert_int_equal(size(), given ? atoi(given) : 1);
    assert_in_range(rank(), 0, size() - 1);
    assert_int_equal(laip_test_ranks.local_rank, rank()); /* one node */
    double here[8] = {0};
    here[rank()] = 1;
    laip_ranks_sum_doubles(&laip_test_ranks, here, 8);
    for (size_t k = 0; k < 8; k++)
        assert_true(here[k] == (k < size()));
}

/* Every part of the work is one rank's, in order, and no rank has more than one part more than another. */
static void division(void **state)
{
    (void)state;
    for (int ranks = 1; ranks < 10; ranks++)
        for (size_t count = 0; count < 60; count++) {
            laip_ranks r = {.size = ranks};
            size_t next = 0;
            for (int k = 0; k < ranks; k++) {
                size_t first, last;
                laip_ranks_division(&r, k, count, &first, &last);
                assert_int_equal(first, next);
                assert_in_range(last - first, count / (size_t)ranks,
                                (count + (size_t)ranks - 1) / (size_t)ranks);
                next = last;
            }
            assert_int_equal(next, count);
        }
}

/* value i of rank k */
static float drawn(int k, size_t i)
{
    laip_rng r = laip_rng_stream(3, (uint64_t)k, i, LAIP_SITE_TEST);
    return (float)laip_rng_normal(&r);
}

/* Fails unless all ranks hold the same bits. */
static void same_everywhere(const float *values, size_t count)
{
    float *all = laip_alloc(size() * count, sizeof *all);
    size_t *first = laip_alloc(size() + 1, sizeof *first);
    for (size_t k = 0; k <= size(); k++)
        first[k] = k * count;
    memcpy(all + first[rank()], values, count * sizeof *values);
    laip_ranks_allgatherv(&laip_test_ranks, all, first);
    for (size_t k = 0; k < size(); k++)
        assert_memory_equal(all + first[k], values, count * sizeof *values);
    free(all);
    free(first);
}

static void sums(void **state)
{
    (void)state;
    const size_t counts[] = {0, 1, 2, 7, 1000, 40000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        size_t n = counts[c];
        float *values = laip_alloc(n, sizeof *values), *again = laip_alloc(n, sizeof *again);
        for (size_t i = 0; i < n; i++)
            values[i] = again[i] = drawn(rank(), i);
        laip_ranks_sum(&laip_test_ranks, values, n);
        for (size_t i = 0; i < n; i++) {
            double want = 0;
            for (size_t k = 0; k < size(); k++)
                want += (double)drawn((int)k, i);
            assert_near(values[i], want, 1e-6 * (double)size());
        }
        same_everywhere(values, n);
        laip_ranks_sum(&laip_test_ranks, again, n); /* the order is the same each time */
        assert_memory_equal(values, again, n * sizeof *values);
        free(values);
        free(again);
    }
}

/* More than goes in one segment: no element is left out or taken twice. */
static void long_sums(void **state)
{
    (void)state;
    const size_t n = ((size_t)4 << 20) * 2 + 3;
    float *values = laip_alloc(n, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)(i % 1000) + (float)rank();
    laip_ranks_sum(&laip_test_ranks, values, n);
    for (size_t i = 0; i < n; i++)
        if (values[i] != (float)(i % 1000 * size() + size() * (size() - 1) / 2))
            fail_msg("element %zu of %zu is %g", i, n, (double)values[i]);
    free(values);
}

/* Uneven shares, and ranks that have nothing. */
static void shared(void **state)
{
    (void)state;
    const size_t shares[][3] = {{2, 5, 1}, {0, 4, 3}, {6, 0, 0}, {0, 0, 0}};
    for (size_t s = 0; s < 4; s++) {
        size_t first[4] = {0};
        float values[8];
        int32_t ints[8];
        for (size_t k = 0; k < size(); k++)
            first[k + 1] = first[k] + shares[s][k];
        for (size_t i = 0; i < 8; i++) {
            bool own = i >= first[rank()] && i < first[rank() + 1];
            values[i] = own ? (float)i + 0.5f : -1;
            ints[i] = own ? (int32_t)i - 3 : 99;
        }
        laip_ranks_allgatherv(&laip_test_ranks, values, first);
        laip_ranks_allgatherv_ints(&laip_test_ranks, ints, first);
        for (size_t i = 0; i < 8; i++) {
            bool filled = i < first[size()];
            assert_true(values[i] == (filled ? (float)i + 0.5f : -1));
            assert_int_equal(ints[i], filled ? (int32_t)i - 3 : 99);
        }
    }
}

static void doubles(void **state)
{
    (void)state;
    double values[7], n = (double)size();
    for (int i = 0; i < 7; i++)
        values[i] = 1e-9 * rank() + i; /* what a float would lose */
    laip_ranks_sum_doubles(&laip_test_ranks, values, 7);
    for (int i = 0; i < 7; i++)
        assert_near(values[i], 1e-9 * n * (n - 1) / 2 + n * i, 1e-14);
}

static void least(void **state)
{
    (void)state;
    size_t last = size() - 1;
    assert_int_equal(laip_ranks_min(&laip_test_ranks, 10 + (size_t)rank()), 10);
    assert_int_equal(laip_ranks_min(&laip_test_ranks, 10 - (size_t)rank()), 10 - last);
    assert_true(laip_ranks_min(&laip_test_ranks, SIZE_MAX - (size_t)rank()) == SIZE_MAX - last);
    laip_ranks_barrier(&laip_test_ranks);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places), cmocka_unit_test(division),
                                       cmocka_unit_test(sums),   cmocka_unit_test(long_sums),
                                       cmocka_unit_test(shared), cmocka_unit_test(doubles),
                                       cmocka_unit_test(least)};
    return laip_test_run_ranks(argc, argv, tests, sizeof tests / sizeof *tests);
}
