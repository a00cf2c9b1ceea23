/* What the settings of BidirAtt leave alone: with the others' weights 0, the gradients of what is frozen or
 * detached are exactly 0, and all others are not. */
#include "support/test.h"

#include "base/memory.h"
#include "support/device.h"
#include "support/tiny.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The largest gradients of a step with BidirAtt alone: of the temperature, both projections, and the queries
 * of the cross-attention that it looks at, which nothing but the forward attention reaches in the last but
 * one layer of two. */
typedef struct gradients {
    double temperature, image, text, queries, image_encoder;
} gradients;

static double largest(laip_model *m, const char *name)
{
    double most = -1;
    for (size_t i = 0; i < m->table.count; i++) {
        laip_param *p = m->table.params[i];
        if (!p->gradient.mem || !strstr(p->part[0].name, name))
            continue;
        float *g = laip_test_read(m->device, p->gradient);
        for (size_t k = 0; k < p->value.rows * p->value.cols; k++)
            most = fmax(most, fabs((double)g[k]));
        free(g);
    }
    assert_true(most >= 0);
    return most;
}

static gradients measure(const laip_loss_config *settings)
{
    laip_device *d = laip_test_device();
    laip_model model;
    laip_step step;
    laip_error error;
    laip_losses v;
    laip_arena arena = {0};
    laip_model_config m = laip_tiny_sizes();
    laip_loss_config l = *settings;
    laip_batch batch = laip_tiny_batch(&arena, &m, 3);
    laip_step_sizes z = laip_tiny_step_sizes();
    for (int i = 0; i < LAIP_LOSSES; i++)
        l.weight[i] = i == LAIP_LOSS_BIDIRATT;
    l.bidiratt_layer = 1;
    l.bidiratt_loss = LAIP_BIDIRATT_CONTRASTIVE;
    l.bidiratt_attention = LAIP_ATTENTION_FORWARD;
    l.temperature = 0.2f;
    laip_test_fix_products(d);
    assert_ok(laip_model_create(&model, d, &m, true, &error), error);
    laip_params_initialise(&model.params, &model.table, 5, 0, l.temperature);
    laip_test_fill_head(&model, 12);
    laip_params_copy_average(&model.params);
    assert_ok(laip_step_create(&step, &model, &l, &z, 5, &error), error);
    laip_step_begin(&step, 1);
    laip_step_momentum(&step, &batch, 0);
    assert_ok(laip_step_micro(&step, &batch, 0, 5, &error), error);
    assert_ok(laip_step_losses(&step, &v, &error), error);
    assert_true(v.value[LAIP_LOSS_BIDIRATT] > 0);
    laip_params_zero_unwritten_gradients(&model.params);
    gradients g = {largest(&model, "temp"), largest(&model, "vision_proj.weight"),
                   largest(&model, "text_proj.weight"), largest(&model, "crossattention.self.query.weight"),
                   largest(&model, "patch_embed")};
    laip_step_free(&step);
    laip_model_free(&model);
    laip_arena_free(&arena);
    return g;
}

static void all_at_first(void **state)
{
    (void)state;
    laip_loss_config l = laip_loss_config_default();
    gradients g = measure(&l);
    assert_true(g.temperature > 0 && g.image > 0 && g.text > 0 && g.queries > 0 && g.image_encoder > 0);
}

static void frozen(void **state)
{
    (void)state;
    laip_loss_config l = laip_loss_config_default();
    l.bidiratt_frozen = 1;
    gradients g = measure(&l);
    assert_true(g.temperature == 0 && g.image == 0 && g.text == 0);
    assert_true(g.queries > 0 && g.image_encoder > 0);
}

static void detached(void **state)
{
    (void)state;
    laip_loss_config l = laip_loss_config_default();
    l.bidiratt_detach = 1;
    gradients g = measure(&l);
    assert_true(g.queries == 0);
    assert_true(g.temperature > 0 && g.image > 0 && g.text > 0 && g.image_encoder > 0);
}

/* Three ways to choose positives are three losses. */
static void positives(void **state)
{
    (void)state;
    double temperature[3];
    for (int i = 0; i < 3; i++) {
        laip_loss_config l = laip_loss_config_default();
        l.phrase_positives = i;
        temperature[i] = measure(&l).temperature;
        for (int k = 0; k < i; k++)
            assert_true(fabs(temperature[i] - temperature[k]) > 1e-4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_at_first), cmocka_unit_test(frozen),
                                       cmocka_unit_test(detached), cmocka_unit_test(positives)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    laip_test_device_close();
    return failed;
}
