#include "support/gradient.h"

#include "base/memory.h"
#include "support/test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void laip_test_shapes(void (*body)(laip_device *))
{
    static const char *const shapes[] = {"cpu16", "cpu8", "cpu4", "gpu"};
    const char *set = getenv("LAIP_SHAPE");
    char only[8] = "";
    if (set)
        snprintf(only, sizeof only, "%s", set);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        laip_device *d;
        laip_error error;
        if (*only && strcmp(only, shapes[i]) != 0)
            continue;
        setenv("LAIP_SHAPE", shapes[i], 1);
        assert_ok(laip_device_open(&d, NULL, 0, &error), error);
        body(d);
        laip_test_finish(d);
        laip_device_close(d);
    }
    if (*only)
        setenv("LAIP_SHAPE", only, 1);
    else
        unsetenv("LAIP_SHAPE");
}

void laip_check_gradient(const char *what, laip_scalar *f, void *context, const float *x, size_t n,
                         const float *gradient, double tolerance)
{
    double *at = laip_test_doubles(x, n), largest = 1e-6;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs((double)gradient[i]));
    size_t step = n > 60 ? n / 60 : 1;
    for (size_t i = 0; i < n; i += step) {
        double old = at[i], h = 1e-5 * fmax(1, fabs(old));
        at[i] = old + h;
        double up = f(at, context);
        at[i] = old - h;
        double down = f(at, context), want = (up - down) / (2 * h);
        at[i] = old;
        if (!(fabs(want - (double)gradient[i]) <= tolerance * largest))
            fail_msg("%s: element %zu of %zu: gradient %.8g, finite difference %.8g (largest %.3g)", what, i,
                     n, (double)gradient[i], want, largest);
    }
    free(at);
}

void laip_check_mat(const char *what, laip_device *d, laip_mat m, const double *want, double tolerance)
{
    float *got = laip_test_read(d, m);
    double distance = laip_test_distance(got, want, m.rows * m.cols);
    free(got);
    if (!(distance <= tolerance))
        fail_msg("%s, %zu x %zu: relative distance %.3g, allowed %.3g", what, m.rows, m.cols, distance,
                 tolerance);
}

double *laip_test_doubles(const float *x, size_t n)
{
    double *y = laip_alloc(n, sizeof *y);
    for (size_t i = 0; i < n; i++)
        y[i] = (double)x[i];
    return y;
}

double laip_test_dot(const double *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * (double)b[i];
    return sum;
}
