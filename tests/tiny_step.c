/* tiny_step [--half]: one training step of the tiny network with all losses and dropout, for what watches the
 * device while it runs (tools/races).  That its numbers are right is shown elsewhere; here they are to be
 * finite. */
#include "support/test.h"

#include "ops/gemm/gemm.h"
#include "support/device.h"
#include "support/tiny.h"
#include <math.h>
#include <string.h>

static laip_model_config sizes;

static void step(void **state)
{
    (void)state;
    laip_device *d = laip_test_device();
    laip_model model;
    laip_step s;
    laip_error error;
    laip_arena arena = {0};
    laip_loss_config l = laip_tiny_losses();
    laip_report v;
    laip_optimiser_config o = laip_optimiser_config_default();
    laip_batch batch = laip_tiny_batch(&arena, &sizes, 3);
    laip_test_fix_products(d);
    laip_tiny_create(&model, &s, &sizes, &l);
    laip_params_zero_moments(&model.params);
    laip_step_begin(&s, 0.9f);
    laip_step_momentum(&s, &batch, 0);
    assert_ok(laip_step_micro(&s, &batch, 0, 0, &error), error);
    assert_ok(laip_step_end(&s, &o, 1, &error), error);
    assert_true(laip_step_report_last(&s, &v));
    double total = laip_step_losses_of(&s, &v).total;
    assert_true(isfinite(total) && total > 0 &&
                !v.bad); /* skipped it may be: so the scale of halves is found */
    laip_step_free(&s);
    laip_model_free(&model);
    laip_arena_free(&arena);
    laip_test_device_close();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(step)};
    sizes = laip_tiny_sizes();
    sizes.vit_layers = sizes.text_layers = sizes.cross_layers = 1; /* a simulator takes its time */
    sizes.dropout = 0.2f;
    sizes.storage = argc > 1 && strcmp(argv[1], "--half") == 0 ? LAIP_STORE_HALF : LAIP_STORE_FLOAT;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
