#include "support/test.h"

#include "base/memory.h"
#include "device/internal.h"
#include "ops/layernorm.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct sizes {
    size_t rows, cols;
    const float *dy, *x, *weight, *bias;
} sizes;

static void reference(const double *x, const double *w, const double *b, size_t rows, size_t cols, double *y)
{
    for (size_t r = 0; r < rows; r++) {
        double mean = 0, var = 0;
        for (size_t c = 0; c < cols; c++)
            mean += x[r * cols + c] / (double)cols;
        for (size_t c = 0; c < cols; c++)
            var += (x[r * cols + c] - mean) * (x[r * cols + c] - mean) / (double)cols;
        for (size_t c = 0; c < cols; c++)
            y[r * cols + c] = (x[r * cols + c] - mean) / sqrt(var + 1e-6) * w[c] + b[c];
    }
}

/* ⟨y, dy⟩ as a function of the input, of the weight, of the bias. */
static double of_any(const sizes *s, const double *x, const double *w, const double *b)
{
    size_t n = s->rows * s->cols;
    double *y = laip_alloc(n, sizeof *y);
    reference(x, w, b, s->rows, s->cols, y);
    double sum = laip_test_dot(y, s->dy, n);
    free(y);
    return sum;
}

static double of_x(const double *x, void *context)
{
    const sizes *s = context;
    double *w = laip_test_doubles(s->weight, s->cols), *b = laip_test_doubles(s->bias, s->cols);
    double sum = of_any(s, x, w, b);
    free(w);
    free(b);
    return sum;
}

static double of_weight(const double *w, void *context)
{
    const sizes *s = context;
    double *x = laip_test_doubles(s->x, s->rows * s->cols), *b = laip_test_doubles(s->bias, s->cols);
    double sum = of_any(s, x, w, b);
    free(x);
    free(b);
    return sum;
}

static void one(laip_device *d, size_t rows, size_t cols, bool accumulate, bool in_place)
{
    size_t n = rows * cols;
    float *x = laip_test_random(n, 1, 1), *w = laip_test_random(cols, 1, 2),
          *b = laip_test_random(cols, 1, 3);
    float *dy = laip_test_random(n, 1, 4), *old = laip_test_random(n, 1, 5),
          *seed = laip_test_random(cols, 1, 6);
    laip_mat mx = laip_test_mat(d, rows, cols, x), mw = laip_test_mat(d, 1, cols, w),
             mb = laip_test_mat(d, 1, cols, b);
    laip_mat my = laip_test_mat(d, rows, cols, old), stats = laip_mat_create(d, rows, 2),
             mdy = laip_test_mat(d, rows, cols, dy);
    laip_mat dx = in_place ? mdy : laip_test_mat(d, rows, cols, old), dw = laip_test_mat(d, 1, cols, seed);
    laip_mat db = laip_test_mat(d, 1, cols, seed),
             scratch = laip_mat_create(d, 1, laip_layernorm_partials(d, rows, cols));
    double *X = laip_test_doubles(x, n), *W = laip_test_doubles(w, cols), *B = laip_test_doubles(b, cols);
    double *y = laip_alloc(n, sizeof *y);
    sizes s = {rows, cols, dy, x, w, b};
    laip_layernorm_forward(d, my, stats, mx, mw, mb, 1e-6f);
    reference(X, W, B, rows, cols, y);
    laip_check_mat("layernorm", d, my, y, 2e-6);
    laip_layernorm_backward(d, dx, accumulate, dw, db, mdy, mx, stats, mw, scratch);
    float *gx = laip_test_read(d, dx), *gw = laip_test_read(d, dw), *gb = laip_test_read(d, db);
    for (size_t i = 0; i < n && accumulate; i++)
        gx[i] -= old[i];
    for (size_t c = 0; c < cols; c++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++)
            sum += (double)dy[r * cols + c];
        assert_near((double)gb[c] - (double)seed[c], sum, 1e-4);
        gw[c] -= seed[c];
    }
    if (cols > 1) { /* of one column the output is constant */
        laip_check_gradient("dx", of_x, &s, x, n, gx, 2e-4);
        laip_check_gradient("dweight", of_weight, &s, w, cols, gw, 2e-4);
    }
    laip_mem all[] = {mx.mem, mw.mem, mb.mem,     my.mem, stats.mem, mdy.mem, in_place ? NULL : dx.mem,
                      dw.mem, db.mem, scratch.mem};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        laip_mem_release(all[i]);
    void *host[] = {x, w, b, dy, old, seed, X, W, B, y, gx, gw, gb};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
}

static void body(laip_device *d)
{
    static const size_t sizes_of[][2] = {{1, 1}, {1, 17}, {3, 5}, {67, 65}, {130, 97}, {5, 257}};
    for (size_t i = 0; i < sizeof sizes_of / sizeof *sizes_of; i++)
        for (int mode = 0; mode < 3; mode++)
            one(d, sizes_of[i][0], sizes_of[i][1], mode == 1, mode == 2);
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

static void layernorm(void **state)
{
    (void)state;
    laip_test_shapes(both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(layernorm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
