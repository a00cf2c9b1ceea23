#include "support/test.h"

#include "base/memory.h"
#include "ops/contrast.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>

typedef struct problem {
    size_t rows, keys;
    const float *momentum, *weight;
    const int32_t *row_a, *row_b, *key_a, *key_b;
    double alpha, temperature;
    double *loss;
    const double *dots; /* when the temperature is what varies */
    bool exclusive;
} problem;

/* Of key j for row r: 1 a positive, 0 a negative, −1 no key at all. */
static int kind(const problem *p, size_t r, size_t j)
{
    bool a = p->row_a[r] == p->key_a[j], b = p->row_b && p->row_b[r] == p->key_b[j];
    return p->exclusive ? (b ? 1 : a ? -1 : 0) : a || b;
}

static double softmax_at(const problem *p, size_t r, const double *s, double scale, size_t j)
{
    double most = -INFINITY, total = 0;
    for (size_t i = 0; i < p->keys; i++)
        most = kind(p, r, i) < 0 ? most : fmax(most, s[i] * scale);
    for (size_t i = 0; i < p->keys; i++)
        total += kind(p, r, i) < 0 ? 0 : exp(s[i] * scale - most);
    return exp(s[j] * scale - most) / total;
}

static double row_loss(const problem *p, const double *dots, size_t r, double target_temperature,
                       double temperature)
{
    double positives = 0, loss = 0;
    double *m = laip_test_doubles(p->momentum + r * p->keys, p->keys);
    for (size_t j = 0; j < p->keys; j++)
        positives += kind(p, r, j) > 0;
    for (size_t j = 0; j < p->keys; j++) {
        double target = kind(p, r, j) > 0 ? (1 - p->alpha) / positives : 0;
        if (p->alpha > 0)
            target += p->alpha * softmax_at(p, r, m, 1 / target_temperature, j);
        if (target > 0)
            loss -= target * log(softmax_at(p, r, dots + r * p->keys, 1 / temperature, j));
    }
    free(m);
    return loss;
}

static double of_dots(const double *dots, void *context)
{
    const problem *p = context;
    double sum = 0;
    for (size_t r = 0; r < p->rows; r++) {
        double loss = row_loss(p, dots, r, p->temperature, p->temperature);
        if (p->loss)
            p->loss[r] = loss;
        sum += (double)p->weight[r] * loss;
    }
    return sum;
}

static double of_temperature(const double *t, void *context)
{
    const problem *p = context;
    double sum = 0;
    for (size_t r = 0; r < p->rows; r++)
        sum +=
            (double)p->weight[r] * row_loss(p, p->dots, r, p->temperature, t[0]); /* targets are constants */
    return sum;
}

static void one(laip_device *d, size_t rows, size_t keys, bool two, bool exclusive, float alpha)
{
    float *dots = laip_test_random(rows * keys, 0.4, 1), *momentum = laip_test_random(rows * keys, 0.4, 2);
    float *weight = laip_test_random(rows, 1, 3), temperature = 0.3f;
    int32_t *ints = laip_alloc(2 * (rows + keys), sizeof *ints);
    int32_t *ra = ints, *rb = ints + rows, *ka = rb + rows, *kb = ka + keys;
    for (size_t i = 0; i < rows; i++)
        ra[i] = (int32_t)(i % 5), rb[i] = (int32_t)(i % 3);
    for (size_t j = 0; j < keys; j++)
        ka[j] = (int32_t)(j % 7), kb[j] = (int32_t)(j % 11);
    problem p = {rows,
                 keys,
                 momentum,
                 weight,
                 ra,
                 two ? rb : NULL,
                 ka,
                 kb,
                 (double)alpha,
                 0.3f,
                 laip_alloc(rows, 8),
                 NULL,
                 exclusive};
    laip_mat md = laip_test_mat(d, rows, keys, dots), loss = laip_mat_create(d, rows, 1),
             dt = laip_mat_create(d, rows, 1);
    laip_contrast c = {.momentum_dots = laip_test_mat(d, rows, keys, momentum),
                       .row_a = laip_test_ints(d, rows, ra),
                       .key_a = laip_test_ints(d, keys, ka),
                       .temperature = laip_test_mat(d, 1, 1, &temperature),
                       .weight = laip_test_mat(d, rows, 1, weight),
                       .alpha = alpha,
                       .exclusive = exclusive};
    if (two) {
        c.row_b = laip_test_ints(d, rows, rb);
        c.key_b = laip_test_ints(d, keys, kb);
    }
    double *D = laip_test_doubles(dots, rows * keys);
    laip_contrast_rows(d, md, loss, dt, &c);
    of_dots(D, &p);
    laip_check_mat("loss", d, loss, p.loss, 3e-6);
    float *gd = laip_test_read(d, md), *gt = laip_test_read(d, dt), sum = 0;
    laip_check_gradient("ddots", of_dots, &p, dots, rows * keys, gd, 3e-5);
    for (size_t r = 0; r < rows; r++)
        sum += gt[r];
    p.dots = D;
    laip_check_gradient("dtemperature", of_temperature, &p, &temperature, 1, &sum, 2e-4);
    laip_mem release[] = {md.mem,      loss.mem,          dt.mem,       c.momentum_dots.mem, c.row_a.mem,
                          c.key_a.mem, c.temperature.mem, c.weight.mem, c.row_b.mem,         c.key_b.mem};
    for (size_t i = 0; i < sizeof release / sizeof *release; i++)
        laip_mem_release(release[i]);
    void *host[] = {dots, momentum, weight, ints, p.loss, D, gd, gt};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
}

/* A lone key, its own positive, at the sharpest temperatures there are: exactly nothing to learn. */
static void lone_key(laip_device *d)
{
    for (float temperature = 0.001f; temperature < 0.6f; temperature *= 3) {
        float dot = 0.7153846f, weight = 3;
        int32_t same = 5;
        laip_mat dots = laip_test_mat(d, 1, 1, &dot), loss = laip_mat_create(d, 1, 1),
                 dt = laip_mat_create(d, 1, 1);
        laip_contrast c = {.row_a = laip_test_ints(d, 1, &same),
                           .key_a = laip_test_ints(d, 1, &same),
                           .temperature = laip_test_mat(d, 1, 1, &temperature),
                           .weight = laip_test_mat(d, 1, 1, &weight)};
        laip_contrast_rows(d, dots, loss, dt, &c);
        laip_mat zero[] = {dots, loss, dt};
        for (size_t i = 0; i < sizeof zero / sizeof *zero; i++) {
            float *value = laip_test_read(d, zero[i]);
            assert_float_equal(*value, 0, 0);
            free(value);
            laip_mem_release(zero[i].mem);
        }
        laip_mem release[] = {c.row_a.mem, c.key_a.mem, c.temperature.mem, c.weight.mem};
        for (size_t i = 0; i < sizeof release / sizeof *release; i++)
            laip_mem_release(release[i]);
    }
}

static void body(laip_device *d)
{
    lone_key(d);
    one(d, 1, 8, false, false, 0);
    one(d, 5, 37, false, false, 0);
    one(d, 5, 37, true, false, 0);
    one(d, 3, 130, false, false, 0.4f);
    one(d, 7, 65, true, false, 1);
    one(d, 5, 37, true, true, 0);
    one(d, 33, 131, true, true, 0);
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
