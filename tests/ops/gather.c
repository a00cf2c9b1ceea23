#include "support/test.h"

#include "base/memory.h"
#include "ops/gather.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void one(laip_device *d, size_t cols)
{
    enum { X = 9, N = 6, U = 3 };
    static const int32_t index[N] = {8, 0, -1, 3, 3, 5}, target[U] = {4, 0, 7}, begin[U + 1] = {0, 3, 3, 5};
    static const int32_t source[5] = {8, 1, 1, 0, 2};
    float *x = laip_test_random(X * cols, 1, 1), *old = laip_test_random(X * cols, 1, 2);
    double *want = laip_alloc(N * cols, sizeof *want), *sums = laip_test_doubles(old, X * cols);
    for (size_t i = 0; i < N * cols; i++)
        want[i] = index[i / cols] < 0 ? 0 : (double)x[(size_t)index[i / cols] * cols + i % cols];
    for (int u = 0; u < U; u++)
        for (int k = begin[u]; k < begin[u + 1]; k++)
            for (size_t c = 0; c < cols; c++)
                sums[(size_t)target[u] * cols + c] += (double)x[(size_t)source[k] * cols + c];
    laip_mat mx = laip_test_mat(d, X, cols, x), y = laip_mat_create(d, N, cols),
             z = laip_test_mat(d, X, cols, old);
    laip_ints mi = laip_test_ints(d, N, index), mt = laip_test_ints(d, U, target),
              mb = laip_test_ints(d, U + 1, begin);
    laip_ints ms = laip_test_ints(d, 5, source);
    laip_gather_rows(d, y, mx, mi);
    laip_check_mat("gathered", d, y, want, 0);
    laip_scatter_rows(d, z, mx, mt, mb, ms, U);
    laip_check_mat("scattered", d, z, sums, 1e-6);
    laip_mem release[] = {mx.mem, y.mem, z.mem, mi.mem, mt.mem, mb.mem, ms.mem};
    for (size_t i = 0; i < 7; i++)
        laip_mem_release(release[i]);
    free(x);
    free(old);
    free(want);
    free(sums);
}

static void body(laip_device *d)
{
    one(d, 1);
    one(d, 16);
    one(d, 67);
    one(d, 257);
    laip_scatter_rows(d, (laip_mat){0}, (laip_mat){0}, (laip_ints){0}, (laip_ints){0}, (laip_ints){0}, 0);
}

static void test(void **state)
{
    (void)state;
    laip_test_shapes(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
