#include "support/test.h"

#include "ops/dropout.h"
#include "support/dropout.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>

enum { ROWS = 23, COLS = 19 };

static void body(laip_device *d)
{
    double want[ROWS * COLS];
    float *x = laip_test_random(ROWS * COLS, 1, 1), *residual = laip_test_random(ROWS * COLS, 1, 2);
    laip_test_mask m = laip_test_mask_create(d, ROWS, COLS, 0.3f);
    int dropped = 0;
    for (int i = 0; i < ROWS * COLS; i++) {
        want[i] = (double)x[i] * m.factor[i];
        dropped += m.factor[i] == 0;
    }
    assert_true(abs(dropped - 131) < 40); /* 0.3 of 437 */
    laip_mat mx = laip_test_mat(d, ROWS, COLS, x), mr = laip_test_mat(d, ROWS, COLS, residual);
    laip_mat y = laip_mat_create(d, ROWS, COLS);
    laip_dropout(d, y, mx, (laip_mat){0}, &m.mask);
    laip_check_mat("dropout", d, y, want, 1e-6);
    for (int i = 0; i < ROWS * COLS; i++)
        want[i] += (double)residual[i];
    laip_dropout(d, mx, mx, mr, &m.mask); /* in place, with a residual */
    laip_check_mat("dropout and residual", d, mx, want, 1e-6);
    laip_mem_release(mx.mem);
    laip_mem_release(mr.mem);
    laip_mem_release(y.mem);
    laip_test_mask_free(&m);
    free(x);
    free(residual);
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
