#include "support/test.h"

#include "base/memory.h"
#include "cl/shared.h"
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
        float *p = laip_test_random(n, 1, 1), *g = laip_test_random(n, 1, 2), square = 100,
              r[LAIP_REPORT_SIZE] = {0};
        r[LAIP_REPORT_SCALE] = 1;
        double *P = laip_test_doubles(p, n), *m = laip_alloc(n, 8), *v = laip_alloc(n, 8),
               *average = laip_test_doubles(g, n);
        laip_mat mp = laip_test_mat(d, 1, n, p), mg = laip_test_mat(d, 1, n, g),
                 mm = laip_mat_create(d, 1, n);
        laip_mat mv = laip_mat_create(d, 1, n), ms = laip_test_mat(d, 1, LAIP_REPORT_SIZE, r),
                 mq = laip_test_mat(d, 1, 1, &square);
        laip_mat ma = laip_test_mat(d, 1, n, g);
        laip_mat_zero(d, mm);
        laip_mat_zero(d, mv);
        for (int t = 1; t <= 3; t++) {
            /* the norm is 10: half of the gradient, but for the first step */
            laip_step_control c = {
                .clip_norm = t > 1 ? 5 : 0, .beta1 = 0.9f, .beta2 = 0.999f, .step = (uint64_t)t};
            laip_step_control_launch(d, ms, mq, &c);
            laip_adamw_step(d, mp, (laip_mat){0}, mg, mm, mv, ms, &o);
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

/* Corrections of the moments' bias, to the last digits even where they are small; the scale of the loss:
 * halved and the step skipped where the norm is not finite, doubled after enough good steps, within bounds.
 */
static void control(laip_device *d)
{
    static const struct {
        float square, scale, good, clip;
        int scaled;
        float want_scale, want_good, want_skipped, want_clip;
    } cases[] = {{16, 4, 0, 0, 1, 4, 1, 0, 1},       {16, 4, 2, 0, 1, 8, 0, 0, 1},
                 {INFINITY, 4, 2, 0, 1, 2, 0, 1, 1}, {NAN, 2, 2, 0, 1, 2, 0, 1, 1},
                 {16, 16, 2, 0, 1, 16, 0, 0, 1},     {16, 4, 0, 0.5f, 1, 4, 1, 0, 0.5f},
                 {INFINITY, 1, 0, 0, 0, 1, 0, 1, 1}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        float r[LAIP_REPORT_SIZE] = {0}, square = cases[k].square;
        r[LAIP_REPORT_SCALE] = cases[k].scale;
        r[LAIP_REPORT_GOOD_STEPS] = cases[k].good;
        laip_mat report = laip_test_mat(d, 1, LAIP_REPORT_SIZE, r), sum = laip_test_mat(d, 1, 1, &square);
        laip_step_control c = {.clip_norm = cases[k].clip,
                               .beta1 = 0.9f,
                               .beta2 = 0.999f,
                               .step = k + 1,
                               .scaled = cases[k].scaled,
                               .least_scale = 2,
                               .most_scale = 16,
                               .good_steps = 3};
        laip_step_control_launch(d, report, sum, &c);
        float *now = laip_test_read(d, report);
        assert_near(now[LAIP_REPORT_SCALE], cases[k].want_scale, 0);
        assert_near(now[LAIP_REPORT_GOOD_STEPS], cases[k].want_good, 0);
        assert_near(now[LAIP_REPORT_SKIPPED], cases[k].want_skipped, 0);
        assert_near(now[LAIP_REPORT_CLIP], cases[k].want_clip, 1e-6);
        double factor = cases[k].want_skipped > 0 ? 0 : (double)cases[k].want_clip / (double)cases[k].scale;
        assert_near(now[LAIP_REPORT_FACTOR], factor, 1e-6);
        double t = (double)k + 1, inverse = 1 / (1 - pow((double)0.999f, t));
        assert_near(now[LAIP_REPORT_INVERSE2] / inverse, 1, 1e-6);
        free(now);
        laip_mem_release(report.mem);
        laip_mem_release(sum.mem);
    }
}

static void test_control(void **state)
{
    (void)state;
    laip_test_shapes(control);
}

static void test(void **state)
{
    (void)state;
    laip_test_shapes(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test), cmocka_unit_test(test_control)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
