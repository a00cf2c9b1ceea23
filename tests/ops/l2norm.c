#include "support/test.h"

#include "base/memory.h"
#include "ops/l2norm.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct problem {
    size_t rows, cols;
    const float *dy;
    double *y;
} problem;

static double objective(const double *x, void *context)
{
    const problem *p = context;
    double sum = 0;
    for (size_t r = 0; r < p->rows; r++) {
        double square = 0;
        for (size_t c = 0; c < p->cols; c++)
            square += x[r * p->cols + c] * x[r * p->cols + c];
        for (size_t c = 0; c < p->cols; c++) {
            double y = x[r * p->cols + c] / sqrt(square);
            if (p->y)
                p->y[r * p->cols + c] = y;
            sum += y * (double)p->dy[r * p->cols + c];
        }
    }
    return sum;
}

static void body(laip_device *d)
{
    static const size_t sizes[][2] = {{1, 2}, {5, 17}, {67, 64}, {3, 257}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t rows = sizes[k][0], cols = sizes[k][1], n = rows * cols;
        float *x = laip_test_random(n, 1, 1), *dy = laip_test_random(n, 1, 2);
        problem p = {rows, cols, dy, laip_alloc(n, sizeof(double))};
        double *X = laip_test_doubles(x, n);
        laip_mat mx = laip_test_mat(d, rows, cols, x), y = laip_mat_create(d, rows, cols),
                 norm = laip_mat_create(d, rows, 1);
        laip_mat g = laip_test_mat(d, rows, cols, dy);
        laip_l2norm_forward(d, y, norm, mx);
        objective(X, &p);
        laip_check_mat("y", d, y, p.y, 1e-6);
        free(p.y);
        p.y = NULL;
        laip_l2norm_backward(d, g, g, y, norm); /* in place */
        float *dx = laip_test_read(d, g);
        laip_check_gradient("dx", objective, &p, x, n, dx, 1e-4);
        laip_mem release[] = {mx.mem, y.mem, norm.mem, g.mem};
        for (size_t i = 0; i < 4; i++)
            laip_mem_release(release[i]);
        free(x);
        free(dy);
        free(X);
        free(dx);
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
