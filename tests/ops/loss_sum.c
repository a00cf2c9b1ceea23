#include "support/test.h"

#include "cl/shared.h"
#include "ops/loss_sum.h"
#include "support/gradient.h"
#include <stdlib.h>

static void body(laip_device *d)
{
    static const size_t counts[][2] = {{0, 1}, {3, 64}, {7, 333}, {2, 0}}; /* first, count */
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        size_t first = counts[k][0], count = counts[k][1], n = first + count + 5;
        float *x = laip_test_random(n, 1, 1), *w = laip_test_random(n, 1, 2);
        float *r = laip_test_random(LAIP_REPORT_SIZE, 1, 3);
        double *want = laip_test_doubles(r, LAIP_REPORT_SIZE);
        laip_mat mx = laip_test_mat(d, n, 1, x), mw = laip_test_mat(d, n, 1, w),
                 mr = laip_test_mat(d, 1, LAIP_REPORT_SIZE, r);
        laip_loss_sum plain = {2, mx, {0}, first, count, 0.5f, 0},
                      weighted = {3, mx, mw, first, count, -2, 7};
        laip_loss_sum_add(d, mr, &plain);
        laip_loss_sum_add(d, mr, &weighted);
        want[3] += 7;
        for (size_t i = first; i < first + count; i++) {
            want[2] += 0.5 * (double)x[i];
            want[3] -= 2 * (double)w[i] * (double)x[i];
        }
        laip_check_mat("report", d, mr, want, 2e-5);
        laip_mem_release(mx.mem);
        laip_mem_release(mw.mem);
        laip_mem_release(mr.mem);
        free(x);
        free(w);
        free(r);
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
