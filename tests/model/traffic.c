/* A step as training makes it, with drawn negatives and dropout: what goes up and down, and what the host
 * waits for, which is the draw, and the report of the step before; and what the device does while the host
 * waits for the draw. */
#include "support/test.h"

#include "device/profiler.h"
#include "support/device.h"
#include "support/tiny.h"
#include <string.h>

typedef struct trained {
    laip_device *device;
    laip_model model;
    laip_step step;
    laip_arena arena;
} trained;

static laip_loss_config losses(void)
{
    laip_loss_config loss = laip_loss_config_default();
    loss.bidiratt_layer = 1;
    return loss;
}

static void prepare(trained *x)
{
    laip_error error;
    laip_model_config m = laip_tiny_sizes();
    laip_step_sizes z = laip_tiny_step_sizes();
    laip_loss_config loss = losses();
    *x = (trained){.device = laip_test_device()};
    m.dropout = 0.1f;
    laip_test_fix_products(x->device);
    assert_ok(laip_model_create(&x->model, x->device, &m, true, &error), error);
    laip_params_initialise(&x->model.params, &x->model.table, 1, 0, loss.temperature);
    laip_params_copy_average(&x->model.params);
    laip_params_zero_moments(&x->model.params);
    assert_ok(laip_step_create(&x->step, &x->model, &loss, &z, 1, &error), error);
}

static void one_step(trained *x, uint64_t t)
{
    laip_error error;
    laip_optimiser_config o = laip_optimiser_config_default();
    laip_batch batch = laip_tiny_batch(&x->arena, &x->model.sizes, 1);
    batch.text_negative = batch.image_negative = NULL;
    laip_step_begin(&x->step, losses().momentum);
    laip_step_momentum(&x->step, &batch, 0);
    assert_ok(laip_step_micro(&x->step, &batch, 0, t, &error), error);
    assert_ok(laip_step_end(&x->step, &o, t, &error), error);
}

static void end(trained *x)
{
    laip_step_free(&x->step);
    laip_model_free(&x->model);
    laip_arena_free(&x->arena);
}

static void training(void **state)
{
    (void)state;
    enum { STEPS = 3, UPLOADS = 4, DOWNLOADS = 2, WAITS = 2 };
    trained x;
    laip_report report;
    uint64_t launches = 0, bytes = 0;
    prepare(&x);
    for (uint64_t t = 1; t <= STEPS; t++) {
        laip_device_reset_counters(x.device);
        one_step(&x, t);
        assert_int_equal(laip_step_report(&x.step, &report), t > 1);
        laip_counters c = *laip_device_counters(x.device);
        if (t > 1) {
            assert_int_equal(report.step, t - 1);
            assert_int_equal(c.uploads, UPLOADS); /* two of tables, one of the cross batch's, pixels once */
            assert_int_equal(c.downloads, DOWNLOADS);
            assert_int_equal(c.waits, WAITS);
        }
        if (t > 2) {
            assert_in_range(c.launches, launches - 8, launches + 8); /* other negatives, other rows */
            assert_true(c.upload_bytes < bytes + bytes / 2);
        }
        launches = c.launches;
        bytes = c.upload_bytes;
    }
    assert_true(laip_step_report_last(&x.step, &report));
    assert_int_equal(report.step, STEPS);
    end(&x);
}

/* What the device was given between the draw's way to the host and the cross batch, which the host lays out
 * when it has waited for that. */
typedef struct meanwhile {
    bool drawn, laid_out;
    int losses, projections;
} meanwhile;

static void look(void *context, const char *part, const char *kernel, double from, double to)
{
    meanwhile *m = context;
    (void)from;
    (void)to;
    if (strcmp(kernel, "download") == 0 && strcmp(part, "losses") == 0)
        m->drawn = true;
    else if (strcmp(kernel, "upload") == 0 && m->drawn)
        m->laid_out = true;
    if (m->drawn && !m->laid_out) {
        m->losses += strcmp(part, "losses") == 0;
        m->projections += strcmp(part, "cross pass") == 0;
    }
}

static void what_waiting_costs(void **state)
{
    (void)state;
    trained x;
    laip_error error;
    const laip_profiler_line *lines;
    size_t count;
    meanwhile m = {0};
    prepare(&x);
    one_step(&x, 1);
    assert_ok(laip_profiler_start(x.device, true, &error), error);
    assert_ok(laip_profiler_trace(x.device, look, &m, &error), error);
    one_step(&x, 2);
    assert_ok(laip_profiler_read(x.device, &lines, &count, &error), error);
    assert_ok(laip_profiler_trace(x.device, NULL, NULL, &error), error);
    assert_ok(laip_profiler_start(x.device, false, &error), error);
    assert_true(m.drawn && m.laid_out);
    assert_true(m.losses > 10); /* ITC, forward and backward */
    assert_true(m.projections >= x.model.sizes.cross_layers);
    end(&x);
}

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(training), cmocka_unit_test(what_waiting_costs)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
