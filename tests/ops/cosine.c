#include "support/test.h"

#include "base/memory.h"
#include "ops/cosine.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void body(laip_device *d)
{
    static const size_t sizes[][2] = {{1, 1}, {5, 17}, {67, 65}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t rows = sizes[k][0], cols = sizes[k][1], n = rows * cols;
        float *x = laip_test_random(n, 1, 1), *y = laip_test_random(n, 1, 2),
              *w = laip_test_random(rows, 1, 3);
        double *s = laip_alloc(rows, 8), *gx = laip_alloc(n, 8), *gy = laip_alloc(n, 8);
        for (size_t i = 0; i < n; i++) {
            s[i / cols] += (double)x[i] * (double)y[i];
            gx[i] = (double)w[i / cols] * (double)y[i];
            gy[i] = (double)w[i / cols] * (double)x[i];
        }
        laip_mat mx = laip_test_mat(d, rows, cols, x), my = laip_test_mat(d, rows, cols, y),
                 mw = laip_test_mat(d, rows, 1, w);
        laip_mat ms = laip_mat_create(d, rows, 1), dx = laip_mat_create(d, rows, cols),
                 dy = laip_mat_create(d, rows, cols);
        laip_cosine(d, ms, dx, dy, mx, my, mw, (laip_mat){0});
        laip_check_mat("similarity", d, ms, s, 2e-6);
        laip_check_mat("dx", d, dx, gx, 1e-6);
        laip_check_mat("dy", d, dy, gy, 1e-6);
        laip_mem release[] = {mx.mem, my.mem, mw.mem, ms.mem, dx.mem, dy.mem};
        for (size_t i = 0; i < 6; i++)
            laip_mem_release(release[i]);
        void *host[] = {x, y, w, s, gx, gy};
        for (size_t i = 0; i < 6; i++)
            free(host[i]);
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
