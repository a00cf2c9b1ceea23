#include "support/test.h"

#include "base/memory.h"
#include "ops/matching.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>

enum { PAIRS = 5, ROWS = 12 };
static const int32_t image_negative[PAIRS] = {5, 6, -1, 7, 8}, text_negative[PAIRS] = {9, -1, -1, 10, 11};
static const double margin = 0.6, itm = 0.3, tri = 0.7;

static double entropy(const double *z, int r, int target)
{
    double most = fmax(z[2 * r], z[2 * r + 1]);
    return most + log(exp(z[2 * r] - most) + exp(z[2 * r + 1] - most)) - z[2 * r + target];
}

static double match(const double *z, int r)
{
    return 1 / (1 + exp(z[2 * r] - z[2 * r + 1]));
}

static double pair(const double *z, int i, double *e, double *t)
{
    const int32_t rows[2] = {image_negative[i], text_negative[i]};
    *e = entropy(z, i, 1);
    *t = 0;
    for (int k = 0; k < 2; k++)
        if (rows[k] >= 0) {
            *e += entropy(z, rows[k], 0);
            *t += fmax(0, margin - match(z, i) + match(z, rows[k]));
        }
    return itm * *e + tri * *t;
}

static double objective(const double *z, void *context)
{
    double sum = 0, e, t;
    (void)context;
    for (int i = 0; i < PAIRS; i++)
        sum += pair(z, i, &e, &t);
    return sum;
}

static void body(laip_device *d)
{
    float *z = laip_test_random(2 * ROWS, 1.5, 4);
    double *Z = laip_test_doubles(z, 2 * ROWS), e[PAIRS], t[PAIRS];
    laip_mat logits = laip_test_mat(d, ROWS, 2, z), dlogits = laip_test_mat(d, ROWS, 2, z);
    laip_mat me = laip_mat_create(d, PAIRS, 1), mt = laip_mat_create(d, PAIRS, 1);
    laip_ints ni = laip_test_ints(d, PAIRS, image_negative), nt = laip_test_ints(d, PAIRS, text_negative);
    laip_matching(d, dlogits, me, mt,
                  &(laip_matching_input){.logits = logits,
                                         .image_negative = ni,
                                         .text_negative = nt,
                                         .pairs = PAIRS,
                                         .margin = (float)margin,
                                         .itm_weight = (float)itm,
                                         .triplet_weight = (float)tri});
    for (int i = 0; i < PAIRS; i++)
        pair(Z, i, &e[i], &t[i]);
    laip_check_mat("entropy", d, me, e, 1e-6);
    laip_check_mat("triplet", d, mt, t, 1e-6);
    float *dz = laip_test_read(d, dlogits);
    laip_check_gradient("dlogits", objective, NULL, z, 2 * ROWS, dz, 1e-5);
    laip_mem release[] = {logits.mem, dlogits.mem, me.mem, mt.mem, ni.mem, nt.mem};
    for (size_t i = 0; i < 6; i++)
        laip_mem_release(release[i]);
    free(z);
    free(Z);
    free(dz);
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
