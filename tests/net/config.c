/* Sizes and weights that are impossible are refused by name; those of the paper are possible. */
#include "support/test.h"

#include "net/config.h"
#include <math.h>
#include <string.h>

static void defaults(void **state)
{
    (void)state;
    laip_error error;
    laip_model_config m = laip_model_config_default();
    laip_loss_config l = laip_loss_config_default();
    laip_optimiser_config o = laip_optimiser_config_default();
    assert_ok(laip_model_config_check(&m, &error), error);
    assert_ok(laip_loss_config_check(&l, &m, &error), error);
    assert_int_equal(laip_patch_count(&m), 24 * 24);
    assert_true(o.beta1 == 0.9f && o.beta2 == 0.999f && o.eps == 1e-8f && o.weight_decay == 0.02f);
    assert_true(l.momentum == 0.995f);
    m.image_height = 128; /* a picture need not be square */
    m.image_width = 64;
    assert_ok(laip_model_config_check(&m, &error), error);
    assert_int_equal(laip_patch_count(&m), 8 * 4);
}

typedef void change(laip_model_config *m);
#define CHANGE(name, field, to)                                                                              \
    static void name(laip_model_config *m)                                                                   \
    {                                                                                                        \
        m->field = to;                                                                                       \
    }
CHANGE(no_patch, patch, 0)
CHANGE(odd_height, image_height, 250)
CHANGE(odd_width, image_width, 8)
CHANGE(no_height, image_height, -16)
CHANGE(odd_heads, heads, 7)
CHANGE(few_heads, heads, 2)
CHANGE(no_heads, heads, 0)
CHANGE(no_layers, vit_layers, 0)
CHANGE(no_cross, cross_layers, 0)
CHANGE(few_words, vocab, 4)
CHANGE(short_texts, positions, 1)
CHANGE(no_space, embed, 0)
CHANGE(no_queue, queue, -1)
CHANGE(all_dropped, dropout, 1)
CHANGE(not_dropped, dropout, NAN)

static void models(void **state)
{
    (void)state;
    const struct {
        change *change;
        const char *says;
    } cases[] = {{no_patch, "patch"},           {odd_height, "model.image is 250 x 384"},
                 {odd_width, "384 x 8"},        {no_height, "image_height"},
                 {odd_heads, "model.width"},    {few_heads, "model.width / model.heads is 384"},
                 {no_heads, "heads"},           {no_layers, "vit_layers"},
                 {no_cross, "cross_layers"},    {few_words, "vocab"},
                 {short_texts, "positions"},    {no_space, "embed"},
                 {no_queue, "queue"},           {all_dropped, "model.dropout is 1"},
                 {not_dropped, "model.dropout"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        laip_error error = {0};
        laip_model_config m = laip_model_config_default();
        cases[i].change(&m);
        assert_false(laip_model_config_check(&m, &error));
        assert_int_equal(error.status, LAIP_BAD_INPUT);
        if (!strstr(error.text, cases[i].says))
            fail_msg("'%s' does not say '%s'", error.text, cases[i].says);
    }
}

static void losses(void **state)
{
    (void)state;
    laip_model_config m = laip_model_config_default();
    laip_loss_config good = laip_loss_config_default();
    const struct {
        size_t field;
        float values[3];
        const char *says;
    } cases[] = {{offsetof(laip_loss_config, weight[LAIP_LOSS_ITC]), {-1, NAN, -0.001f}, "loss itc"},
                 {offsetof(laip_loss_config, weight[LAIP_LOSS_MLM]), {-1, NAN, -0.001f}, "loss mlm"},
                 {offsetof(laip_loss_config, distill_alpha), {-0.1f, 1.1f, NAN}, "distill_alpha"},
                 {offsetof(laip_loss_config, momentum), {-0.1f, 1.1f, NAN}, "momentum"},
                 {offsetof(laip_loss_config, temperature), {0, 0.6f, NAN}, "temperature"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int k = 0; k < 3; k++) {
            laip_error error = {0};
            laip_loss_config l = good;
            memcpy((char *)&l + cases[i].field, &cases[i].values[k], sizeof(float));
            assert_false(laip_loss_config_check(&l, &m, &error));
            assert_int_equal(error.status, LAIP_BAD_INPUT);
            assert_non_null(strstr(error.text, cases[i].says));
        }
    for (int layer = 0; layer <= m.cross_layers + 1; layer++) {
        laip_error error = {0};
        laip_loss_config l = good;
        l.bidiratt_layer = layer;
        assert_int_equal(laip_loss_config_check(&l, &m, &error), layer >= 1 && layer <= m.cross_layers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(defaults), cmocka_unit_test(models),
                                       cmocka_unit_test(losses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
