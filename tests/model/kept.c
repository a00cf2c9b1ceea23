/* Weights that stay packed within a step of several micro-batches: the same bits as packed at every product,
 * step after step, and beside a scorer that comes and goes. */
#include "support/test.h"

#include "device/profiler.h"
#include "model/score.h"
#include "ops/gemm/gemm.h"
#include "support/device.h"
#include "support/tiny.h"
#include <stdlib.h>
#include <string.h>

enum { MICRO_BATCHES = 2, STEPS = 3 };

typedef struct trained {
    size_t kept, count;
    uint64_t packings; /* of B, in the last step */
    float *weights, *moved, *features;
} trained;

static uint64_t packings(laip_device *d)
{
    const laip_profiler_line *lines;
    size_t count;
    laip_error error;
    assert_ok(laip_profiler_read(d, &lines, &count, &error), error);
    return laip_profiler_sum(lines, count, NULL, "gemm_pack_b").count +
           laip_profiler_sum(lines, count, NULL, "gemm_pack_b_transposed").count;
}

/* As training does between steps: on the model that is trained. */
static void score(laip_model *m, const laip_batch *batch, float *features)
{
    laip_scorer s;
    laip_error error;
    laip_score_sizes z = {.images = LAIP_TINY_BATCH, .captions = 1, .rows = 8, .longest = 8};
    assert_ok(laip_scorer_create(&s, m, &z, &error), error);
    assert_ok(laip_score_images(&s, batch->images, LAIP_TINY_BATCH, features, &error), error);
    laip_scorer_free(&s);
}

static trained train(bool keep)
{
    laip_error error;
    laip_arena arena = {0};
    laip_model model;
    laip_step step;
    laip_model_config m = laip_tiny_sizes();
    laip_step_sizes z = laip_tiny_step_sizes();
    laip_loss_config loss = laip_loss_config_default();
    laip_optimiser_config o = laip_optimiser_config_default();
    laip_device *d = laip_test_device();
    loss.bidiratt_layer = 1;
    o.lr = 1e-3f;
    z.micro_batches = MICRO_BATCHES;
    laip_gemm_force(d, "packed-16-12x32");
    assert_ok(laip_model_create(&model, d, &m, true, &error), error);
    laip_params_initialise(&model.params, &model.table, 1, 0, loss.temperature);
    laip_params_copy_average(&model.params);
    laip_params_zero_moments(&model.params);
    assert_ok(laip_step_create(&step, &model, &loss, &z, 1, &error), error);
    trained t = {.features = laip_alloc(LAIP_TINY_BATCH * (size_t)m.embed, sizeof(float))};
    for (uint64_t n = 1; n <= STEPS; n++) {
        laip_batch batches[MICRO_BATCHES];
        assert_ok(laip_profiler_start(d, false, &error), error);
        if (keep)
            laip_step_keep_packed(&step);
        laip_step_begin(&step, 0.5f);
        for (size_t i = 0; i < MICRO_BATCHES; i++) {
            batches[i] = laip_tiny_batch(&arena, &m, 10 * n + i);
            laip_step_momentum(&step, &batches[i], i);
        }
        for (size_t i = 0; i < MICRO_BATCHES; i++)
            assert_ok(laip_step_micro(&step, &batches[i], i, n, &error), error);
        assert_ok(laip_step_end(&step, &o, n, &error), error);
        t.packings = packings(d);
        t.kept = laip_gemm_cache_bytes(d);
        score(&model, &batches[0], t.features);
    }
    laip_chunk *c = &model.params.chunks[0];
    t.count = c->floats;
    t.weights = laip_test_read(d, c->value);
    t.moved = laip_test_read(d, c->average);
    laip_step_free(&step);
    laip_model_free(&model);
    laip_arena_free(&arena);
    return t;
}

static void same_bits(void **state)
{
    (void)state;
    if (laip_device_traits(laip_test_device())->lanes > 1)
        skip(); /* it has no packed product */
    trained all[] = {train(false), train(true)};
    assert_int_equal(all[0].kept, 0);
    assert_true(all[1].kept > 0);
    assert_true(all[1].packings < all[0].packings);
    assert_memory_equal(all[0].weights, all[1].weights, all[0].count * sizeof(float));
    assert_memory_equal(all[0].moved, all[1].moved, all[0].count * sizeof(float));
    assert_memory_equal(all[0].features, all[1].features,
                        LAIP_TINY_BATCH * (size_t)laip_tiny_sizes().embed * sizeof(float));
    for (int i = 0; i < 2; i++) {
        free(all[i].weights);
        free(all[i].moved);
        free(all[i].features);
    }
    laip_test_device_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
