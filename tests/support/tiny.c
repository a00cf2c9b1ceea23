#include "support/tiny.h"

#include "base/rng.h"
#include "support/device.h"
#include "support/test.h"
#include <stdlib.h>
#include <string.h>

enum { B = LAIP_TINY_BATCH, TOKENS = 16, PHRASES = 4, PHRASE_TOKENS = 12, FIRST_WORD = 5, HIDDEN = 4 };
static const int32_t caption_begin[B + 1] = {0, 5, 12, TOKENS};
static const int32_t phrase_owner[PHRASES] = {0, 0, 2, 2},
                     phrase_begin[PHRASES + 1] = {0, 3, 5, 9, PHRASE_TOKENS};
static const int32_t person[B] = {4, 9, 11}, text_negative[B] = {1, 2, 0}, image_negative[B] = {2, 0, 1};

laip_model_config laip_tiny_sizes(void)
{
    return (laip_model_config){.image_height = 32,
                               .image_width = 48,
                               .patch = 16,
                               .width = 32,
                               .heads = 2,
                               .mlp = 2,
                               .vit_layers = 2,
                               .text_layers = 1,
                               .cross_layers = 2,
                               .vocab = 41,
                               .positions = 16,
                               .embed = 12,
                               .queue = 7};
}

laip_step_sizes laip_tiny_step_sizes(void)
{
    return (laip_step_sizes){.batch = B,
                             .micro_batches = 1,
                             .caption_rows = TOKENS,
                             .longest_caption = 7,
                             .phrases = PHRASES,
                             .phrase_rows = PHRASE_TOKENS,
                             .longest_phrase = 4};
}

laip_loss_config laip_tiny_losses(void)
{
    laip_loss_config l = laip_loss_config_default();
    l.weight[LAIP_LOSS_MLM] = 0.5f;
    l.bidiratt_layer = 1;
    return l;
}

void laip_tiny_create(laip_model *model, laip_step *step, const laip_model_config *sizes,
                      const laip_loss_config *losses)
{
    laip_error error;
    laip_step_sizes z = laip_tiny_step_sizes();
    assert_ok(laip_model_create(model, laip_test_device(), sizes, true, &error), error);
    laip_params_initialise(&model->params, &model->table, 5, 0, losses->temperature);
    laip_test_fill_head(model, 12);
    laip_params_copy_average(&model->params);
    assert_ok(laip_step_create(step, model, losses, &z, 5, &error), error);
}

static int32_t *ints(laip_arena *arena, const int32_t *values, size_t count)
{
    int32_t *copy = laip_arena_alloc(arena, count, sizeof *copy);
    if (values)
        memcpy(copy, values, count * sizeof *copy);
    return copy;
}

static int32_t word(laip_rng *r, const laip_model_config *sizes)
{
    return FIRST_WORD + (int32_t)laip_rng_below(r, (uint32_t)sizes->vocab - FIRST_WORD);
}

/* The second token of every phrase is masked, and every fourth one of the captions. */
static void mask(laip_batch *x, laip_rng *r, const laip_model_config *sizes)
{
    for (int i = 0; i < TOKENS; i++) {
        x->caption_ids[i] = x->caption_masked[i] = word(r, sizes);
        x->caption_target[i] = i % 4 == 2 ? x->caption_ids[i] : -1;
        if (x->caption_target[i] >= 0)
            x->caption_masked[i] = HIDDEN;
    }
    for (int i = 0; i < PHRASE_TOKENS; i++) {
        x->phrase_ids[i] = x->phrase_masked[i] = word(r, sizes);
        x->phrase_target[i] = -1;
    }
    for (int j = 0; j < PHRASES; j++) {
        int32_t at = phrase_begin[j] + 1;
        x->phrase_target[at] = x->phrase_ids[at];
        x->phrase_masked[at] = HIDDEN;
    }
}

laip_batch laip_tiny_batch(laip_arena *arena, const laip_model_config *sizes, uint64_t seed)
{
    size_t pixels = (size_t)(B * 3 * sizes->image_height * sizes->image_width);
    laip_rng r = laip_rng_stream(seed, 0, 0, LAIP_SITE_TEST), p = laip_rng_stream(seed, 0, 1, LAIP_SITE_TEST);
    laip_batch x = {.size = B,
                    .images = laip_arena_alloc(arena, pixels, sizeof *x.images),
                    .sample = laip_arena_alloc(arena, B, sizeof *x.sample),
                    .person = ints(arena, person, B),
                    .caption_begin = ints(arena, caption_begin, B + 1),
                    .caption_ids = ints(arena, NULL, TOKENS),
                    .caption_masked = ints(arena, NULL, TOKENS),
                    .caption_target = ints(arena, NULL, TOKENS),
                    .phrases = PHRASES,
                    .phrase_owner = ints(arena, phrase_owner, PHRASES),
                    .phrase_begin = ints(arena, phrase_begin, PHRASES + 1),
                    .phrase_ids = ints(arena, NULL, PHRASE_TOKENS),
                    .phrase_masked = ints(arena, NULL, PHRASE_TOKENS),
                    .phrase_target = ints(arena, NULL, PHRASE_TOKENS),
                    .text_negative = text_negative,
                    .image_negative = image_negative};
    for (size_t i = 0; i < pixels; i++)
        x.images[i] = (float)laip_rng_normal(&p);
    for (uint64_t i = 0; i < B; i++)
        x.sample[i] = seed * B + i;
    mask(&x, &r, sizes);
    return x;
}

void laip_test_fill_head(laip_model *model, uint64_t seed)
{
    laip_mat w = model->itm_head.weight->value;
    float *values = laip_test_random(w.rows * w.cols, 0.5f, seed);
    laip_mat_write(model->device, w, values);
    free(values);
}
