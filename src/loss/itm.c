#include "loss/itm.h"

#include "base/memory.h"
#include "base/rng.h"
#include "ops/gather.h"
#include "ops/matching.h"
#include <math.h>
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
                    .triplet = laip_plan_mat(r, batch, 1)};
}

/* One index from weights softmax(s / τ) + least over the other persons, or -1. */
static int32_t draw(const float *s, float temperature, double least, const int32_t *person, size_t self,
                    size_t batch, laip_rng *rng, double *weight)
{
    double most = -INFINITY, sum = 0, total = 0;
    for (size_t j = 0; j < batch; j++)
        most = fmax(most, s[j]);
    for (size_t j = 0; j < batch; j++)
        sum += exp((s[j] - most) / temperature);
    for (size_t j = 0; j < batch; j++) {
        weight[j] = person[j] == person[self] ? 0 : exp((s[j] - most) / temperature) / sum + least;
        total += weight[j];
    }
    double at = laip_rng_uniform(rng) * total;
    int32_t last = -1;
    for (size_t j = 0; j < batch; j++) {
        if (weight[j] <= 0)
            continue;
        last = (int32_t)j;
        if (at < weight[j])
            return last;
        at -= weight[j];
    }
    return last; /* rounding went past the end, or there is none */
}

void laip_itm_draw(const laip_itm_candidates *x, int32_t *text_negative, int32_t *image_negative)
{
    double *weight = laip_alloc(x->batch, sizeof *weight), least = x->plain ? 0 : 1e-4;
    for (size_t i = 0; i < x->batch; i++) {
        laip_rng rng = laip_rng_stream(x->seed, x->step, x->sample[i], LAIP_SITE_NEGATIVE);
        text_negative[i] = draw(x->image_to_text + i * x->batch, x->temperature, least, x->person, i,
                                x->batch, &rng, weight);
        image_negative[i] = draw(x->text_to_image + i * x->batch, x->temperature, least, x->person, i,
                                 x->batch, &rng, weight);
    }
    free(weight);
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
    laip_matching(d, dlogits, laip_rows(l->entropy, batch), laip_rows(l->triplet, batch), logits,
                  l->image_negative, l->text_negative, batch, w.margin, w.itm_scale / (float)count,
                  w.triplet_scale / (float)batch, c->report);
    laip_linear_backward(c, head, dx, false, dlogits, x);
    laip_scatter_rows(d, dtokens, dx, l->back.target, l->back.begin, l->back.source, l->back.targets);
}
