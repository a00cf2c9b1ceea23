#include "support/test.h"

#include "base/memory.h"
#include "ops/xent.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>

typedef struct problem {
    size_t rows, cols;
    const int32_t *target;
    const float *weight;
    double *loss;
} problem;

static double objective(const double *z, void *context)
{
    const problem *p = context;
    double sum = 0;
    for (size_t r = 0; r < p->rows; r++) {
        const double *s = z + r * p->cols;
        double most = -INFINITY, total = 0;
        for (size_t c = 0; c < p->cols; c++)
            most = fmax(most, s[c]);
        for (size_t c = 0; c < p->cols; c++)
            total += exp(s[c] - most);
        double loss = most + log(total) - s[p->target[r]];
        if (p->loss)
            p->loss[r] = loss;
        sum += (double)p->weight[r] * loss;
    }
    return sum;
}

static void one(laip_device *d, size_t rows, size_t cols)
{
    float *z = laip_test_random(rows * cols, 3, 1), *w = laip_test_random(rows, 1, 2);
    int32_t *target = laip_alloc(rows, sizeof *target);
    for (size_t r = 0; r < rows; r++)
        target[r] = (int32_t)(r % 2 ? cols - 1 - r % cols : r % cols); /* the tail's last column among them */
    problem p = {rows, cols, target, w, laip_alloc(rows, sizeof(double))};
    laip_mat mz = laip_test_mat(d, rows, cols, z), mw = laip_test_mat(d, rows, 1, w),
             loss = laip_mat_create(d, rows, 1);
    laip_mat truth = laip_mat_create(d, rows, 1);
    laip_ints mt = laip_test_ints(d, rows, target);
    double *Z = laip_test_doubles(z, rows * cols);
    laip_xent(d, mz, loss, truth, mt, mw, (laip_mat){0});
    objective(Z, &p);
    laip_check_mat("loss", d, loss, p.loss, 3e-6);
    float *own = laip_test_read(d, truth), *dz = laip_test_read(d, mz);
    for (size_t r = 0; r < rows; r++)
        assert_true(own[r] == z[r * cols + (size_t)target[r]]);
    laip_check_gradient("dlogits", objective, &p, z, rows * cols, dz, 2e-5);
    laip_mem release[] = {mz.mem, mw.mem, loss.mem, truth.mem, mt.mem};
    for (size_t i = 0; i < 5; i++)
        laip_mem_release(release[i]);
    free(p.loss);
    free(z);
    free(w);
    free(target);
    free(Z);
    free(own);
    free(dz);
}

static void body(laip_device *d)
{
    static const size_t sizes[][2] = {{1, 1}, {3, 7}, {2, 16}, {67, 65}, {5, 257}, {3, 1031}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        one(d, sizes[i][0], sizes[i][1]);
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
