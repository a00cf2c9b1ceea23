/* A step as training makes it, with drawn negatives and dropout: what goes up and down, and what the host
 * waits for, which is the draw, and the report of the step before. */
#include "support/test.h"

#include "device/device.h"
#include "support/device.h"
#include "support/tiny.h"

static void training(void **state)
{
    (void)state;
    enum { STEPS = 3, UPLOADS = 4, DOWNLOADS = 2, WAITS = 2 };
    laip_error error;
    laip_device *d = laip_test_device();
    laip_model model;
    laip_step step;
    laip_arena arena = {0};
    laip_report report;
    laip_model_config m = laip_tiny_sizes();
    laip_step_sizes z = laip_tiny_step_sizes();
    laip_loss_config loss = laip_loss_config_default();
    laip_optimiser_config o = laip_optimiser_config_default();
    uint64_t launches = 0, bytes = 0;
    loss.bidiratt_layer = 1;
    m.dropout = 0.1f;
    laip_test_fix_products(d);
    assert_ok(laip_model_create(&model, d, &m, true, &error), error);
    laip_params_initialise(&model.params, &model.table, 1, 0, loss.temperature);
    laip_params_copy_average(&model.params);
    laip_params_zero_moments(&model.params);
    assert_ok(laip_step_create(&step, &model, &loss, &z, 1, &error), error);
    for (uint64_t t = 1; t <= STEPS; t++) {
        laip_batch batch = laip_tiny_batch(&arena, &m, 1);
        batch.text_negative = batch.image_negative = NULL;
        laip_device_reset_counters(d);
        laip_step_begin(&step, loss.momentum);
        laip_step_momentum(&step, &batch, 0);
        assert_ok(laip_step_micro(&step, &batch, 0, t, &error), error);
        assert_ok(laip_step_end(&step, &o, t, &error), error);
        assert_int_equal(laip_step_report(&step, &report), t > 1);
        laip_counters c = *laip_device_counters(d);
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
    assert_true(laip_step_report_last(&step, &report));
    assert_int_equal(report.step, STEPS);
    laip_step_free(&step);
    laip_model_free(&model);
    laip_arena_free(&arena);
}

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(training)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
