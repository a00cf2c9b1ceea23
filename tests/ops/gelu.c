#include "support/test.h"

#include "base/memory.h"
#include "ops/gelu.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>

static double gelu(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2)));
}

static double weighted(const double *x, void *context)
{
    const float *const *c = context;
    size_t n = (size_t)c[1][0];
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += gelu(x[i]) * (double)c[0][i];
    return sum;
}

static void body(laip_device *d)
{
    static const size_t counts[] = {1, 15, 16, 17, 1023, 4099};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        size_t n = counts[k];
        float *x = laip_test_random(n, 2, k), *dy = laip_test_random(n, 1, 9), size = (float)n;
        x[0] = -9; /* far out on the flat side */
        laip_mat mx = laip_test_mat(d, 1, n, x), my = laip_mat_create(d, 1, n),
                 mdy = laip_test_mat(d, 1, n, dy);
        laip_gelu_forward(d, my, mx);
        float *y = laip_test_read(d, my);
        for (size_t i = 0; i < n; i++)
            if (fabs((double)y[i] - gelu((double)x[i])) > 6e-7)
                fail_msg("gelu(%g) is %.9g, expected %.9g", (double)x[i], (double)y[i], gelu((double)x[i]));
        laip_gelu_backward(d, mdy, mdy, mx); /* in place */
        float *dx = laip_test_read(d, mdy);
        const float *context[] = {dy, &size};
        laip_check_gradient("dpre", weighted, context, x, n, dx, 2e-6);
        laip_mem_release(mx.mem);
        laip_mem_release(my.mem);
        laip_mem_release(mdy.mem);
        free(x);
        free(y);
        free(dy);
        free(dx);
    }
    laip_mat none = {0};
    laip_gelu_forward(d, none, none); /* nothing to do */
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
