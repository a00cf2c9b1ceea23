#include "support/test.h"

#include "base/memory.h"
#include "ops/elementwise.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void body(laip_device *d)
{
    static const size_t counts[] = {1, 17, 1023, 70001};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        size_t n = counts[k];
        float *x = laip_test_random(n, 1, 1), *y = laip_test_random(n, 1, 2), start = 3;
        double *want = laip_alloc(n, sizeof *want), squares = (double)start;
        laip_mat mx = laip_test_mat(d, 1, n, x), my = laip_test_mat(d, 1, n, y),
                 sum = laip_test_mat(d, 1, 1, &start);
        laip_mat scratch = laip_mat_create(d, 1, laip_sum_partials(d, n));
        laip_add(d, my, mx);
        laip_scale(d, my, -0.5f);
        for (size_t i = 0; i < n; i++) {
            want[i] = -0.5 * ((double)x[i] + (double)y[i]);
            squares += (double)x[i] * (double)x[i];
        }
        laip_check_mat("add, scale", d, my, want, 1e-6);
        laip_sum_squares(d, sum, true, mx, scratch);
        laip_check_mat("sum of squares, added", d, sum, &squares, 1e-6);
        squares -= (double)start;
        laip_sum_squares(d, sum, false, mx, scratch);
        laip_check_mat("sum of squares", d, sum, &squares, 1e-6);
        laip_clear(d, my);
        memset(want, 0, n * sizeof *want);
        laip_check_mat("clear", d, my, want, 0);
        laip_mem release[] = {mx.mem, my.mem, sum.mem, scratch.mem};
        for (size_t i = 0; i < 4; i++)
            laip_mem_release(release[i]);
        free(x);
        free(y);
        free(want);
    }
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
