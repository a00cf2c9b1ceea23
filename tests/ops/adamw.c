#include "support/test.h"

#include "base/memory.h"
#include "ops/adamw.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void body(laip_device *d)
{
    static const size_t counts[] = {1, 17, 4099};
    laip_adamw o = {.lr = 0.01f, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .weight_decay = 0.05f};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        size_t n = counts[k];
        float *p = laip_test_random(n, 1, 1), *g = laip_test_random(n, 1, 2), square = 100, scale = 0;
        double *P = laip_test_doubles(p, n), *m = laip_alloc(n, 8), *v = laip_alloc(n, 8),
               *average = laip_test_doubles(g, n);
        laip_mat mp = laip_test_mat(d, 1, n, p), mg = laip_test_mat(d, 1, n, g),
                 mm = laip_mat_create(d, 1, n);
        laip_mat mv = laip_mat_create(d, 1, n), ms = laip_test_mat(d, 1, 1, &scale),
                 mq = laip_test_mat(d, 1, 1, &square);
        laip_mat ma = laip_test_mat(d, 1, n, g);
        laip_mat_zero(d, mm);
        laip_mat_zero(d, mv);
        laip_clip_scale(d, ms, mq, 5, 1); /* the norm is 10: half of the gradient */
        for (int t = 1; t <= 3; t++) {
            o.correction1 = (float)(1 - pow(0.9, t));
            o.correction2 = (float)(1 - pow(0.999, t));
            laip_adamw_step(d, mp, (laip_mat){0}, mg, mm, mv, t > 1 ? ms : (laip_mat){0}, &o);
            for (size_t i = 0; i < n; i++) {
                double G = (double)g[i] * (t > 1 ? 0.5 : 1);
                m[i] = 0.9 * m[i] + 0.1 * G;
                v[i] = 0.999 * v[i] + 0.001 * G * G;
                P[i] -= 0.01 * 0.05 * P[i];
                P[i] -= 0.01 * m[i] / (1 - pow(0.9, t)) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-8);
            }
        }
        laip_check_mat("p", d, mp, P, 2e-6);
        laip_check_mat("m", d, mm, m, 2e-6);
        laip_check_mat("v", d, mv, v, 2e-5);
        laip_ema_update(d, ma, (laip_mat){0}, mp, (laip_mat){0}, 0.9f);
        for (size_t i = 0; i < n; i++)
            average[i] = 0.9 * average[i] + 0.1 * P[i];
        laip_check_mat("average", d, ma, average, 2e-6);
        laip_clamp(d, ma, -0.25f, 0.5f);
        for (size_t i = 0; i < n; i++)
            average[i] = fmin(fmax(average[i], -0.25), 0.5);
        laip_check_mat("clamped", d, ma, average, 2e-6);
        laip_mem release[] = {mp.mem, mg.mem, mm.mem, mv.mem, ms.mem, mq.mem, ma.mem};
        for (size_t i = 0; i < 7; i++)
            laip_mem_release(release[i]);
        void *host[] = {p, g, P, m, v, average};
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
