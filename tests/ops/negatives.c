/* Draws on the device against draws in double precision, of the same random numbers. */
#include "support/test.h"

#include "base/memory.h"
#include "ops/negatives.h"
#include "support/gradient.h"
#include <math.h>
#include <stdlib.h>

enum { SEED = 3, STEP = 5, MOST = 67 };

/* From weights softmax(s / τ) + least over the other persons; near: how close the draw was to a boundary, as
 * a share of all. */
static int draw(const float *s, double temperature, const int32_t *person, int self, int batch, double u,
                double least, double *near)
{
    double most = -INFINITY, sum = 0, total = 0, weight[MOST];
    for (int j = 0; j < batch; j++)
        most = fmax(most, (double)s[j]);
    for (int j = 0; j < batch; j++)
        sum += exp(((double)s[j] - most) / temperature);
    for (int j = 0; j < batch; j++) {
        weight[j] = person[j] == person[self] ? 0 : exp(((double)s[j] - most) / temperature) / sum + least;
        total += weight[j];
    }
    double at = u * total;
    int drawn = -1, last = -1;
    *near = 1;
    for (int j = 0; j < batch; j++) {
        if (weight[j] <= 0)
            continue;
        last = j;
        *near = fmin(*near, fabs(at - weight[j]) / total);
        if (drawn < 0 && at < weight[j])
            drawn = j;
        at -= weight[j];
    }
    return drawn < 0 ? last : drawn;
}

static void check(laip_device *d, int batch, int persons, float temperature, float least)
{
    size_t n = (size_t)batch, differ = 0;
    float *to_text = laip_test_random(n * n, 0.3, 1), *to_image = laip_test_random(n * n, 0.3, 2);
    int32_t *person = laip_alloc(n, sizeof *person), *sample = laip_alloc(2 * n, sizeof *sample),
            *got = laip_alloc(2 * n, sizeof *got);
    for (int i = 0; i < batch; i++) {
        person[i] = i % persons;
        sample[2 * i] = 1000 + i;
        sample[2 * i + 1] = i % 3;
    }
    laip_mat a = laip_test_mat(d, n, n, to_text), b = laip_test_mat(d, n, n, to_image),
             t = laip_test_mat(d, 1, 1, &temperature);
    laip_ints p = laip_test_ints(d, n, person), s = laip_test_ints(d, 2 * n, sample),
              out = laip_ints_create(d, 2 * n);
    laip_negatives_input in = {a, b, t, p, s, laip_rng_fold(SEED, STEP, LAIP_SITE_NEGATIVE), least, n};
    laip_negatives_draw(d, out, &in);
    laip_ints_read(d, out, got);
    for (int i = 0; i < batch; i++) {
        laip_rng r = laip_rng_stream(SEED, STEP, (uint64_t)sample[2 * i + 1] << 32 | (uint32_t)sample[2 * i],
                                     LAIP_SITE_NEGATIVE);
        for (int side = 0; side < 2; side++) {
            double near;
            int want = draw((side ? to_image : to_text) + i * batch, (double)temperature, person, i, batch,
                            laip_rng_uniform(&r), (double)least, &near);
            if (got[side * batch + i] == want)
                continue;
            differ++;
            if (near > 1e-5 || want < 0)
                fail_msg("sample %d, side %d: %d drawn, expected %d (%g from a boundary)", i, side,
                         got[side * batch + i], want, near);
        }
    }
    assert_true(differ <= 1);
    laip_mem release[] = {a.mem, b.mem, t.mem, p.mem, s.mem, out.mem};
    for (size_t i = 0; i < 6; i++)
        laip_mem_release(release[i]);
    void *host[] = {to_text, to_image, person, sample, got};
    for (size_t i = 0; i < 5; i++)
        free(host[i]);
}

static void body(laip_device *d)
{
    check(d, 1, 1, 0.07f, 1e-4f); /* nobody else */
    check(d, 5, 2, 0.07f, 0);
    check(d, 33, 33, 0.5f, 1e-4f);
    check(d, MOST, 60, 0.02f, 1e-4f);
    check(d, 64, 1, 0.07f, 0);
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
