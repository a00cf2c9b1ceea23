/* Every piece of shared work is done once, whatever the number of threads. */
#include "support/test.h"

#include "base/memory.h"
#include "base/parallel.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct visits {
    atomic_int *times;
    size_t count;
    atomic_size_t outside;
} visits;

static void visit(void *context, size_t i)
{
    visits *v = context;
    if (i < v->count)
        atomic_fetch_add(&v->times[i], 1);
    else
        atomic_fetch_add(&v->outside, 1);
}

static void each_once(void **state)
{
    (void)state;
    const size_t counts[] = {0, 1, 2, 3, 7, 1000, 20011};
    const int threads[] = {0, 1, 2, 3, 8, 40};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            visits v = {.times = laip_alloc(counts[c], sizeof *v.times), .count = counts[c]};
            laip_parallel_for(counts[c], threads[t], visit, &v);
            assert_int_equal(v.outside, 0);
            for (size_t i = 0; i < counts[c]; i++)
                if (v.times[i] != 1)
                    fail_msg("%zu of %zu on %d threads: %d times", i, counts[c], threads[t], v.times[i]);
            free(v.times);
        }
}

typedef struct meeting {
    pthread_barrier_t barrier;
} meeting;

static void meet(void *context, size_t i)
{
    meeting *m = context;
    (void)i;
    pthread_barrier_wait(&m->barrier);
}

/* As many run at once as there are threads: each waits here for the others. */
static void at_once(void **state)
{
    (void)state;
    meeting m;
    assert_int_equal(pthread_barrier_init(&m.barrier, NULL, 4), 0);
    alarm(60); /* ends the test where they wait in vain */
    laip_parallel_for(12, 4, meet, &m);
    alarm(0);
    pthread_barrier_destroy(&m.barrier);
}

static void inner(void *context, size_t i)
{
    visits *v = context;
    size_t begin = i * 100;
    for (size_t k = 0; k < 100; k++)
        visit(v, begin + k);
}

static void outer(void *context, size_t i)
{
    visits *v = context;
    visits part = {.times = v->times + i * 1000, .count = 1000};
    laip_parallel_for(10, 3, inner, &part);
    atomic_fetch_add(&v->outside, part.outside);
}

/* A body may share out work of its own. */
static void nested(void **state)
{
    (void)state;
    visits v = {.times = laip_alloc(5000, sizeof *v.times), .count = 5000};
    laip_parallel_for(5, 3, outer, &v);
    assert_int_equal(v.outside, 0);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(v.times[i], 1);
    free(v.times);
}

static void cores(void **state)
{
    (void)state;
    assert_in_range(laip_core_count(), 1, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_once), cmocka_unit_test(at_once),
                                       cmocka_unit_test(nested), cmocka_unit_test(cores)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
