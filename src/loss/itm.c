#include "loss/itm.h"

#include "base/memory.h"
#include "base/rng.h"
#include "ops/gather.h"
#include "ops/matching.h"
#include "ops/negatives.h"
#include <stdlib.h>

void laip_itm_plan(laip_itm *l, laip_plan *r, size_t batch, size_t width)
{
    *l = (laip_itm){.index = laip_plan_ints(r, 3 * batch),
                    .image_negative = laip_plan_ints(r, batch),
                    .text_negative = laip_plan_ints(r, batch),
                    .back = laip_scatter_plan(r, 3 * batch),
                    .x = laip_plan_activations(r, 3 * batch, width),
                    .logits = laip_plan_mat(r, 3 * batch, 2),
                    .dlogits = laip_plan_mat(r, 3 * batch, 2),
                    .dx = laip_plan_activations(r, 3 * batch, width),
                    .entropy = laip_plan_mat(r, batch, 1),
                    .triplet = laip_plan_mat(r, batch, 1),
                    .person = laip_plan_ints(r, batch),
                    .sample = laip_plan_ints(r, 2 * batch),
                    /* no table: the device writes it */
                    .negative = {.mem = laip_plan_mat(r, 1, 2 * batch).mem, .count = 2 * batch}};
}

void laip_itm_prepare_draw(laip_itm *l, laip_device *d, const int32_t *person, const uint64_t *sample,
                           size_t batch)
{
    int32_t *words = laip_alloc(2 * batch, sizeof *words);
    for (size_t i = 0; i < batch; i++) {
        words[2 * i] = (int32_t)(uint32_t)sample[i];
        words[2 * i + 1] = (int32_t)(uint32_t)(sample[i] >> 32);
    }
    l->person.count = batch;
    l->sample.count = l->negative.count = 2 * batch;
    laip_ints_write(d, l->person, person);
    laip_ints_write(d, l->sample, words);
    free(words);
}

void laip_itm_draw(laip_itm *l, const laip_context *c, laip_mat image_to_text, laip_mat text_to_image,
                   laip_mat temperature, float floor)
{
    laip_negatives_draw(
        c->device, l->negative,
        &(laip_negatives_input){.image_to_text = image_to_text,
                                .text_to_image = text_to_image,
                                .temperature = temperature,
                                .person = l->person,
                                .sample = l->sample,
                                .stream = laip_rng_fold(c->key.seed, c->key.step, LAIP_SITE_NEGATIVE),
                                .least = floor,
                                .batch = l->person.count});
}

void laip_itm_prepare(laip_itm *l, laip_device *d, const laip_itm_rows *r)
{
    l->index.count = r->count;
    l->image_negative.count = l->text_negative.count = r->batch;
    laip_ints_write(d, l->index, r->rows);
    laip_ints_write(d, l->image_negative, r->image_negative);
    laip_ints_write(d, l->text_negative, r->text_negative);
    laip_scatter_upload(&l->back, d, r->rows, r->count, r->token_rows);
}

void laip_itm_forward_backward(laip_itm *l, const laip_linear *head, const laip_context *c, laip_mat tokens,
                               laip_mat dtokens, laip_itm_weights w)
{
    laip_device *d = c->device;
    size_t count = l->index.count, batch = l->image_negative.count;
    laip_mat x = laip_rows(l->x, count), logits = laip_rows(l->logits, count),
             dlogits = laip_rows(l->dlogits, count);
    laip_mat dx = laip_rows(l->dx, count);
    laip_gather_rows(d, x, tokens, l->index);
    laip_linear_forward(c, head, logits, x, (laip_mat){0});
    laip_matching(d, dlogits, laip_rows(l->entropy, batch), laip_rows(l->triplet, batch),
                  &(laip_matching_input){.logits = logits,
                                         .image_negative = l->image_negative,
                                         .text_negative = l->text_negative,
                                         .pairs = batch,
                                         .margin = w.margin,
                                         .itm_weight = w.itm_scale / (float)count,
                                         .triplet_weight = w.triplet_scale / (float)batch,
                                         .report = c->report});
    laip_linear_backward(c, head, dx, false, dlogits, x);
    laip_scatter_rows(d, dtokens, dx, l->back.target, l->back.begin, l->back.source, l->back.targets);
}
