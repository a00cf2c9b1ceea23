#include "support/test.h"

#include "base/memory.h"
#include "net/config.h"
#include "ops/region.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>

enum { IMAGES = 3, PHRASES = 4, P = 19, D = 21 };
static const int32_t owner[PHRASES] = {0, 0, 2, 2}, first[IMAGES + 1] = {0, 2, 2, 4};

typedef struct problem {
    const float *fore, *back, *image, *dregion;
    int attention;
    double *region, *weight;
} problem;

/* ⟨region, dregion⟩ for attention and images given in double. */
static double run(const problem *p, const double *fore, const double *image)
{
    double sum = 0;
    for (int j = 0; j < PHRASES; j++) {
        double raw[P], total = 0, plain = 0;
        for (int i = 0; i < P; i++) {
            double f = fore[j * P + i], b = fmax((double)p->back[j * P + i], 0);
            raw[i] = p->attention == LAIP_ATTENTION_FORWARD    ? f
                     : p->attention == LAIP_ATTENTION_BACKWARD ? b
                                                               : f * b;
            total += raw[i];
            plain += f;
        }
        for (int i = 0; i < P; i++)
            raw[i] = total > 0 ? raw[i] / total : fore[j * P + i] / plain;
        for (int c = 0; c < D; c++) {
            double w = 0;
            for (int i = 0; i < P; i++)
                w += raw[i] * image[(owner[j] * (P + 1) + 1 + i) * D + c];
            if (p->region)
                p->region[j * D + c] = w;
            sum += w * (double)p->dregion[j * D + c];
        }
        for (int i = 0; i < P && p->weight; i++)
            p->weight[j * P + i] = raw[i];
    }
    return sum;
}

static double of_fore(const double *fore, void *context)
{
    const problem *p = context;
    double *image = laip_test_doubles(p->image, IMAGES * (P + 1) * D), sum = run(p, fore, image);
    free(image);
    return sum;
}

static double of_image(const double *image, void *context)
{
    const problem *p = context;
    double *fore = laip_test_doubles(p->fore, PHRASES * P), sum = run(p, fore, image);
    free(fore);
    return sum;
}

static void one(laip_device *d, int attention)
{
    size_t n = IMAGES * (P + 1) * D;
    float *fore = laip_test_random(PHRASES * P, 1, 1), *back = laip_test_random(PHRASES * P, 1, 2);
    float *image = laip_test_random(n, 1, 3), *dregion = laip_test_random(PHRASES * D, 1, 4),
          *old = laip_test_random(n, 1, 5);
    for (int i = 0; i < PHRASES * P; i++) {
        fore[i] = fabsf(fore[i]) + 0.01f;
        if (i / P == 1)
            back[i] = -1; /* the second phrase falls back on the forward attention */
    }
    problem p = {
        fore, back, image, dregion, attention, laip_alloc(PHRASES * D, 8), laip_alloc(PHRASES * P, 8)};
    laip_mat mf = laip_test_mat(d, PHRASES, P, fore), mb = laip_test_mat(d, PHRASES, P, back);
    laip_mat mi = laip_test_mat(d, IMAGES * (P + 1), D, image), mdr = laip_test_mat(d, PHRASES, D, dregion);
    laip_mat w = laip_mat_create(d, PHRASES, P), total = laip_mat_create(d, PHRASES, 2),
             r = laip_mat_create(d, PHRASES, D);
    laip_mat df = laip_mat_create(d, PHRASES, P), di = laip_test_mat(d, IMAGES * (P + 1), D, old);
    laip_ints mo = laip_test_ints(d, PHRASES, owner), m1 = laip_test_ints(d, IMAGES + 1, first);
    laip_region_weights(d, w, total, mf, mb, attention);
    laip_region_pool(d, r, w, mi, mo);
    double *F = laip_test_doubles(fore, PHRASES * P), *I = laip_test_doubles(image, n);
    run(&p, F, I);
    laip_check_mat("weight", d, w, p.weight, 1e-6);
    laip_check_mat("region", d, r, p.region, 2e-6);
    free(p.region);
    free(p.weight);
    p.region = p.weight = NULL;
    laip_region_backward(d, df, di, mdr,
                         &(laip_region){.weight = w,
                                        .total = total,
                                        .back = mb,
                                        .image = mi,
                                        .owner = mo,
                                        .first = m1,
                                        .images = IMAGES,
                                        .attention = attention});
    float *gf = laip_test_read(d, df), *gi = laip_test_read(d, di);
    for (size_t i = 0; i < n; i++)
        gi[i] -= old[i];
    laip_check_gradient("dfore", of_fore, &p, fore, PHRASES * P, gf, 1e-4);
    laip_check_gradient("dimage", of_image, &p, image, n, gi, 1e-4);
    laip_mem release[] = {mf.mem, mb.mem, mi.mem, mdr.mem, w.mem, total.mem,
                          r.mem,  df.mem, di.mem, mo.mem,  m1.mem};
    for (size_t i = 0; i < sizeof release / sizeof *release; i++)
        laip_mem_release(release[i]);
    void *host[] = {fore, back, image, dregion, old, F, I, gf, gi};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
}

static void body(laip_device *d)
{
    one(d, LAIP_ATTENTION_BOTH);
    one(d, LAIP_ATTENTION_FORWARD);
    one(d, LAIP_ATTENTION_BACKWARD);
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
