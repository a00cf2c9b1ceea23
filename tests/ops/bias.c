#include "support/test.h"

#include "base/memory.h"
#include "device/internal.h"
#include "ops/bias.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void body(laip_device *d)
{
    static const size_t sizes[][2] = {{1, 1}, {3, 17}, {67, 5}, {530, 257}, {1000, 1}, {33, 300}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t rows = sizes[k][0], cols = sizes[k][1];
        float *dy = laip_test_random(rows * cols, 1, k), *old = laip_test_random(cols, 1, 99);
        double *want = laip_test_doubles(old, cols);
        for (size_t i = 0; i < rows * cols; i++)
            want[i % cols] += (double)dy[i];
        laip_mat db = laip_test_mat(d, 1, cols, old), mdy = laip_test_mat(d, rows, cols, dy);
        laip_mat scratch = laip_mat_create(d, 1, laip_bias_partials(d, rows, cols));
        laip_bias_gradient(d, db, mdy, scratch);
        laip_check_mat("db", d, db, want, 2e-6);
        size_t first = cols / 3, count = (cols - first + 1) / 2;
        laip_bias_gradient_columns(d, db, mdy, first, count, scratch);
        for (size_t i = 0; i < rows * cols; i++)
            if (i % cols >= first && i % cols < first + count)
                want[i % cols] += (double)dy[i];
        laip_check_mat("some columns of db", d, db, want, 2e-6);
        laip_mem_release(db.mem);
        laip_mem_release(mdy.mem);
        laip_mem_release(scratch.mem);
        free(dy);
        free(old);
        free(want);
    }
    laip_bias_gradient(d, (laip_mat){0}, (laip_mat){0}, (laip_mat){0}); /* no rows: nothing to do */
}

/* As this device does it, and in as many bands as a device of many units wants. */
static void both(laip_device *d)
{
    int units = d->traits.units;
    body(d);
    d->traits.units = 132;
    body(d);
    d->traits.units = units;
}

static void test(void **state)
{
    (void)state;
    laip_test_shapes(both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
