/* The learning rate over a phase, and the momentum over a run. */
#include "support/test.h"

#include "train/schedule.h"
#include <math.h>

static void warm_up(void **state)
{
    (void)state;
    laip_phase p = {.warmup = 4, .lr = 1e-3f, .min_lr = 1e-5f};
    for (uint64_t s = 0; s < 4; s++) /* in equal steps from above 0 to lr, which the step after has */
        assert_near(laip_schedule(&p, s, 100) * 1e3, (double)(s + 1) / 5, 1e-6);
    assert_true(laip_schedule(&p, 4, 100) == p.lr);
    p.warmup = 0;
    assert_true(laip_schedule(&p, 0, 100) == p.lr);
}

/* Half a cosine: lr at its beginning, the mean of both in the middle, min_lr at its end, always downwards,
 * and symmetric about the middle. */
static void cosine(void **state)
{
    (void)state;
    laip_phase p = {.warmup = 10, .lr = 2e-4f, .min_lr = 1e-6f};
    const uint64_t steps = 210;
    double mean = ((double)p.lr + (double)p.min_lr) / 2, top = p.lr, low = p.min_lr;
    assert_near(laip_schedule(&p, 110, steps) / mean, 1, 1e-6);
    assert_near(laip_schedule(&p, steps, steps) / low, 1, 1e-5);
    assert_true(laip_schedule(&p, steps - 1, steps) > p.min_lr);
    for (uint64_t i = 1; i < 200; i++) {
        float before = laip_schedule(&p, 9 + i, steps), now = laip_schedule(&p, 10 + i, steps),
              mirror = laip_schedule(&p, 210 - i, steps);
        assert_true(now < before);
        assert_near(((double)now + (double)mirror) / 2 / mean, 1, 1e-6);
        assert_near(now / (low + (top - low) * pow(cos(acos(-1) * (double)i / 400), 2)), 1, 1e-5);
    }
}

static void short_phases(void **state)
{
    (void)state;
    laip_phase p = {.warmup = 10, .lr = 1e-3f, .min_lr = 1e-5f};
    for (uint64_t s = 0; s < 3; s++) /* of three steps all are warm-up */
        assert_near(laip_schedule(&p, s, 3) * 1e3, (double)(s + 1) / 4, 1e-6);
    p.warmup = 0;
    assert_true(laip_schedule(&p, 0, 1) == p.lr);
    assert_true(isfinite(laip_schedule(&p, 0, 0)));
    p.min_lr = p.lr;
    for (uint64_t s = 0; s < 10; s++)
        assert_true(laip_schedule(&p, s, 10) == p.lr);
}

static void momentum(void **state)
{
    (void)state;
    laip_config c = {.loss = {.momentum = 0.995f}, .momentum_start = 0.9f, .momentum_steps = 0};
    assert_true(laip_momentum_of(&c, 0) == 0.995f);
    c.momentum_steps = 100;
    assert_true(laip_momentum_of(&c, 0) == 0.9f);
    assert_near(laip_momentum_of(&c, 50), 0.9475, 1e-6);
    for (uint64_t s = 1; s < 100; s++)
        assert_true(laip_momentum_of(&c, s) > laip_momentum_of(&c, s - 1));
    assert_true(laip_momentum_of(&c, 99) < 0.995f);
    assert_true(laip_momentum_of(&c, 100) == 0.995f);
    assert_true(laip_momentum_of(&c, (uint64_t)1 << 40) == 0.995f);
}

/* Each phase has its own rates and weights; what is no weight is the same in all. */
static void phases(void **state)
{
    (void)state;
    laip_config c;
    laip_error error;
    laip_config_defaults(&c);
    assert_ok(
        laip_config_parse(&c, "a.yaml",
                          "loss: {temperature: 0.05, momentum: 0.99}\n"
                          "phases:\n"
                          "  - {name: one, steps: 10, warmup: 2, lr: 1e-3, min_lr: 1e-4, itc: 1, itm: 0,"
                          " triplet: 0, bidiratt: 0, mpm: 0.5, mlm: 0}\n"
                          "  - {name: two, steps: 20, warmup: 0, lr: 1e-5, min_lr: 1e-6, itc: 0.25, itm: 1,"
                          " triplet: 2, bidiratt: 3, mpm: 4, mlm: 5}\n",
                          &error),
        error);
    assert_int_equal(c.phase_count, 2);
    laip_loss_config one = laip_config_losses(&c, &c.phases[0]), two = laip_config_losses(&c, &c.phases[1]);
    const float want[2][6] = {{1, 0, 0, 0, 0.5f, 0}, {0.25f, 1, 2, 3, 4, 5}};
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 6; k++)
            assert_true((i ? two : one).weight[k] == want[i][k]);
    assert_true(one.temperature == 0.05f && two.temperature == 0.05f);
    assert_true(one.momentum == 0.99f && two.momentum == 0.99f);
    assert_true(laip_schedule(&c.phases[0], 2, 10) == 1e-3f);
    assert_true(laip_schedule(&c.phases[1], 0, 20) == 1e-5f);
    laip_config_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(warm_up), cmocka_unit_test(cosine),
                                       cmocka_unit_test(short_phases), cmocka_unit_test(momentum),
                                       cmocka_unit_test(phases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
