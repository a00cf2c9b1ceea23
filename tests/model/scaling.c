/* The scale of the loss with halves: halved where a gradient is not finite, whose step changes nothing;
 * doubled after enough good ones; of floats it stays 1. */
#include "support/test.h"

#include "support/device.h"
#include "support/tiny.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    laip_model model;
    laip_step step;
    laip_part *part;
    laip_param *param;
    float *before, *now;
    size_t count;
} fixture;

static void open_fixture(fixture *f, int storage)
{
    laip_error error;
    laip_model_config m = laip_tiny_sizes();
    laip_step_sizes z = laip_tiny_step_sizes();
    laip_loss_config loss = laip_loss_config_default();
    laip_device *d = laip_test_device();
    m.storage = storage;
    loss.bidiratt_layer = 1;
    *f = (fixture){.before = NULL};
    assert_ok(laip_model_create(&f->model, d, &m, true, &error), error);
    laip_params_initialise(&f->model.params, &f->model.table, 1, 0, loss.temperature);
    laip_params_copy_average(&f->model.params);
    laip_params_zero_moments(&f->model.params);
    laip_params_zero_gradients(&f->model.params);
    assert_ok(laip_step_create(&f->step, &f->model, &loss, &z, 1, &error), error);
    assert_true(laip_model_find(&f->model, "text_proj.weight", &f->param, &f->part));
    f->count = laip_part_count(f->part);
    f->before = laip_alloc(f->count, sizeof *f->before);
    f->now = laip_alloc(f->count, sizeof *f->now);
}

static void close_fixture(fixture *f)
{
    laip_step_free(&f->step);
    laip_model_free(&f->model);
    free(f->before);
    free(f->now);
    laip_test_device_close();
}

static laip_scaling scaling(fixture *f)
{
    return laip_optimiser_scaling(&f->step.optimiser);
}

/* A step with gradients of `value` times the scale; true where it changed the weights. */
static bool step(fixture *f, float value, uint64_t t)
{
    laip_error error;
    laip_optimiser_config o = laip_optimiser_config_default();
    laip_params_read(&f->model.params, f->param, f->part, 0, f->before);
    for (size_t i = 0; i < f->count; i++)
        f->now[i] = i ? 0 : value * scaling(f).scale;
    laip_params_write(&f->model.params, f->param, f->part, 1, f->now);
    assert_ok(laip_step_end(&f->step, &o, t, &error), error);
    laip_params_read(&f->model.params, f->param, f->part, 0, f->now);
    return memcmp(f->before, f->now, f->count * sizeof *f->now) != 0;
}

static void of_halves(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, LAIP_STORE_HALF);
    float scale = scaling(&f).scale;
    assert_true(scale > 1);
    assert_true(step(&f, 1e-4f, 1));
    float moved = f.now[0] - f.before[0];
    assert_false(step(&f, INFINITY, 2));
    assert_false(step(&f, NAN, 3));
    assert_true(scaling(&f).scale == scale / 4);
    assert_int_equal(scaling(&f).skipped, 2);
    assert_int_equal(scaling(&f).good, 0);
    /* with a constant gradient AdamW's second step is as long as its first: those left out do not count */
    assert_true(step(&f, 1e-4f, 4));
    assert_true(fabsf(f.now[0] - f.before[0] - moved) < 1e-2f * fabsf(moved));
    laip_optimiser_set_scaling(&f.step.optimiser, (laip_scaling){scaling(&f).scale, LAIP_SCALE_STEPS - 1, 2});
    assert_true(step(&f, 1e-4f, 5));
    assert_true(scaling(&f).scale == scale / 2);
    assert_int_equal(scaling(&f).good, 0);
    for (int i = 0; i < 40; i++)
        assert_false(step(&f, NAN, 6));
    assert_true(scaling(&f).scale >= 2); /* or it would no longer be watched */
    close_fixture(&f);
}

static void of_floats(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f, LAIP_STORE_FLOAT);
    for (uint64_t t = 1; t <= 3; t++)
        assert_true(step(&f, 1e-4f, t));
    assert_true(scaling(&f).scale == 1);
    assert_int_equal(scaling(&f).skipped, 0);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_halves), cmocka_unit_test(of_floats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
