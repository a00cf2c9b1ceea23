/* What the settings under compat: change of training: which parameters decay, the momentum text encoder's
 * dropout, how negatives are drawn. */
#include "support/test.h"

#include "base/memory.h"
#include "model/step.h"
#include "ops/negatives.h"
#include "support/device.h"
#include "support/tiny.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void decay(void **state)
{
    (void)state;
    const char *const names[] = {"visual_encoder.cls_token",
                                 "visual_encoder.pos_embed",
                                 "temp",
                                 "visual_encoder.patch_embed.proj.weight",
                                 "itm_head.bias",
                                 "visual_encoder.norm.weight",
                                 "text_encoder.bert.embeddings.word_embeddings.weight"};
    const bool ours[] = {false, false, false, true, false, false, true},
               theirs[] = {true, true, true, true, false, false, true};
    for (int all = 0; all < 2; all++) {
        laip_model m;
        laip_error error;
        laip_model_config c = laip_tiny_sizes();
        c.decay_all = all;
        assert_ok(laip_model_declare(&m, &c, false, &error), error);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            laip_param *p;
            laip_part *part;
            assert_true(laip_model_find(&m, names[i], &p, &part));
            if (p->decay != (all ? theirs : ours)[i])
                fail_msg("%s, compat.decay %d", names[i], all);
        }
        laip_model_free(&m);
    }
}

/* The momentum features of texts with a key of the masks, and of pictures. */
static void features(bool drops, uint64_t key, float *text, float *image)
{
    laip_error error;
    laip_model model;
    laip_step s;
    laip_arena arena = {0};
    laip_device *d = laip_test_device();
    laip_model_config c = laip_tiny_sizes();
    laip_loss_config l = laip_loss_config_default();
    laip_step_sizes z = laip_tiny_step_sizes();
    laip_batch batch = laip_tiny_batch(&arena, &c, 3);
    c.dropout = 0.3f;
    l.bidiratt_layer = 1;
    l.momentum_dropout = drops;
    laip_test_fix_products(d);
    assert_ok(laip_model_create(&model, d, &c, true, &error), error);
    laip_params_initialise(&model.params, &model.table, 5, 0, l.temperature);
    laip_params_copy_average(&model.params);
    assert_ok(laip_step_create(&s, &model, &l, &z, 5, &error), error);
    laip_step_begin(&s, 0.9f);
    s.momentum_key = key;
    laip_step_momentum(&s, &batch, 0);
    laip_mat_read(d, laip_rows(s.itc.text_m.f, 3), text);
    laip_mat_read(d, laip_rows(s.itc.image_m.f, 3), image);
    assert_ok(laip_device_ok(d, &error), error);
    laip_step_free(&s);
    laip_model_free(&model);
    laip_arena_free(&arena);
}

static void momentum_dropout(void **state)
{
    (void)state;
    enum { N = 3 * 12 };
    float plain[N], again[N], one[N], same[N], other[N], image[N], pictures[N];
    features(false, 1, plain, image);
    features(false, 2, again, pictures);
    features(true, 1, one, pictures);
    features(true, 1, same, pictures);
    features(true, 2, other, pictures);
    assert_memory_equal(plain, again, sizeof plain);
    assert_memory_equal(one, same, sizeof one);
    assert_memory_equal(image, pictures, sizeof image);
    assert_int_not_equal(memcmp(plain, one, sizeof plain), 0);
    assert_int_not_equal(memcmp(one, other, sizeof one), 0);
}

/* Strangers, one of them with a similarity at which softmax leaves 1e-9: with the floor it is drawn now and
 * then. */
static void negatives(void **state)
{
    (void)state;
    enum { B = 100, STEPS = 800 };
    laip_device *d = laip_test_device();
    float *s = laip_alloc(B * B, sizeof *s), temperature = 0.07f;
    int32_t person[B], sample[2 * B] = {0}, drawn[2 * B];
    size_t rare[2] = {0};
    for (int i = 0; i < B * B; i++)
        s[i] = i % B == B - 1 ? -0.5f : 0.9f;
    for (int i = 0; i < B; i++)
        person[i] = sample[2 * i] = i;
    laip_mat similarity = laip_test_mat(d, B, B, s), t = laip_test_mat(d, 1, 1, &temperature);
    laip_ints p = laip_test_ints(d, B, person), id = laip_test_ints(d, 2 * B, sample),
              out = laip_ints_create(d, 2 * B);
    for (int plain = 0; plain < 2; plain++)
        for (uint64_t step = 0; step < STEPS; step++) {
            laip_rng_key stream = laip_rng_fold(1, step, LAIP_SITE_NEGATIVE);
            laip_negatives_input x = {similarity, similarity, t, p, id, stream, plain ? 0 : 1e-4f, B};
            laip_negatives_draw(d, out, &x);
            laip_ints_read(d, out, drawn);
            for (int i = 0; i < B - 1; i++) {
                assert_true(drawn[i] >= 0 && drawn[i] < B && drawn[i] != i);
                rare[plain] += drawn[i] == B - 1;
            }
        }
    assert_in_range(rare[0], 2, 30); /* 1e-4 each: eight in the mean */
    assert_int_equal(rare[1], 0);
    laip_mem release[] = {similarity.mem, t.mem, p.mem, id.mem, out.mem};
    for (size_t i = 0; i < 5; i++)
        laip_mem_release(release[i]);
    free(s);
}

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(decay), cmocka_unit_test(momentum_dropout),
                                       cmocka_unit_test(negatives)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
