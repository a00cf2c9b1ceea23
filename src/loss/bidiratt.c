#include "loss/bidiratt.h"

#include "base/memory.h"
#include "ops/bias.h"
#include "ops/contrast.h"
#include "ops/cosine.h"
#include "ops/gather.h"
#include "ops/matrix_unit.h"
#include "ops/probe.h"
#include "ops/region.h"
#include <stdlib.h>

void laip_bidiratt_plan(laip_bidiratt *l, laip_plan *r, const laip_model_config *m,
                        const laip_loss_config *loss, size_t phrases, size_t phrase_rows, size_t images)
{
    size_t P = (size_t)laip_patch_count(m), D = (size_t)m->width, E = (size_t)m->embed;
    *l = (laip_bidiratt){0};
    laip_projection_plan(&l->region, r, phrases, D, E);
    laip_projection_plan(&l->phrase, r, phrases, D, E);
    laip_mat *maps[] = {&l->fore, &l->back, &l->weight, &l->dfore};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        *maps[i] = laip_plan_mat(r, phrases, P);
    l->total = laip_plan_mat(r, phrases, 2);
    l->truth = laip_plan_activations(r, phrase_rows, D);
    l->dcontext = laip_plan_activations(r, phrases, D);
    l->owner = laip_plan_ints(r, phrases);
    l->first = laip_plan_ints(r, images + 1);
    l->scores = laip_plan_mat(r, phrases * (size_t)m->heads, P + 1);
    l->cls = laip_plan_ints(r, phrases);
    l->similarity = laip_plan_mat(r, phrases, 1);
    l->row_weight = laip_plan_ints(r, phrases);
    if (loss->bidiratt_loss == LAIP_BIDIRATT_CONTRASTIVE) {
        for (int i = 0; i < 2; i++) {
            l->dots[i] = laip_plan_mat(r, phrases, phrases);
            l->loss[i] = laip_plan_mat(r, phrases, 1);
        }
        l->dtemperature = laip_plan_mat(r, phrases, 1);
        l->person = laip_plan_ints(r, phrases);
        l->group = laip_plan_ints(r, phrases);
    }
}

static void write_ints(laip_device *d, laip_ints *to, const int32_t *values, size_t count)
{
    to->count = count;
    laip_ints_write(d, *to, values);
}

void laip_bidiratt_prepare_to_attend(laip_bidiratt *l, laip_device *d, const laip_loss_config *loss,
                                     const laip_sequences *cross, size_t phrases, size_t masked)
{
    l->loss_config = loss;
    l->phrases = phrases;
    l->masked = masked;
    write_ints(d, &l->cls, cross->begin, phrases); /* row 0 of each masked phrase */
}

void laip_bidiratt_prepare(laip_bidiratt *l, laip_device *d, const laip_loss_config *loss,
                           const laip_bidiratt_phrases *in)
{
    /* the cosine loss falls as the similarity rises; the contrastive one halves two directions */
    float factor = loss->bidiratt_loss == LAIP_BIDIRATT_COSINE ? -1.0f : 0.5f;
    size_t p = in->phrases;
    float *weight = laip_alloc(p, sizeof *weight);
    int32_t *first = laip_alloc(in->images + 1, sizeof *first);
    laip_bidiratt_prepare_to_attend(l, d, loss, in->cross, p, in->masked);
    l->images = in->images;
    for (size_t j = 0; j < p; j++) {
        first[in->owner[j] + 1]++;
        weight[j] = factor * in->row_weight[j];
    }
    for (size_t t = 0; t < in->images; t++)
        first[t + 1] += first[t];
    write_ints(d, &l->owner, in->owner, p);
    write_ints(d, &l->first, first, in->images + 1);
    l->row_weight.count = p;
    laip_floats_write(d, l->row_weight, weight);
    laip_projection_rows(&l->phrase, d, in->plain_cls, p, in->text_rows);
    if (loss->bidiratt_loss == LAIP_BIDIRATT_CONTRASTIVE) {
        write_ints(d, &l->person, in->person, p);
        write_ints(d, &l->group, in->group, p);
    }
    free(weight);
    free(first);
}

/* Where in the cross encoder the loss looks: one layer's cross-attention. */
static laip_bidiratt_view look(laip_cross_pass *pass, int layer, const laip_context *c)
{
    laip_bert_saved *s = &pass->saved[layer - 1];
    /* the phrases come first and whole in both */
    laip_sequences *t = s->x_selected.mem ? &pass->selection.tokens : &pass->tokens;
    size_t D = s->q.cols, heads = s->clse.cols;
    laip_mat kv = laip_rows(s->kv, t->blocks * t->block_rows);
    return (laip_bidiratt_view){.device = c->device,
                                .attention =
                                    laip_sequences_cross(t, t->count, (int)heads, (int)(D / heads), 0),
                                .q = {laip_rows(s->q, t->rows), 0},
                                .k = {kv, 0},
                                .v = {kv, D},
                                .lse = laip_rows(s->clse, t->rows)};
}

/* a←: the gradient of y from the MLM head down to the context of the cross-attention, activations only. */
static void backward_attention(laip_bidiratt *l, const laip_bidiratt_network *n, const laip_context *c)
{
    laip_mat truth = laip_rows(l->truth, (size_t)n->pass->selection.tokens.begin[l->phrases]);
    laip_mat g = laip_rows(l->dcontext, l->phrases);
    laip_mat_zero(c->device, truth);
    laip_mpm_truth_gradient(n->mpm, n->head, c, truth, l->masked);
    laip_mat dcontext = laip_cross_backward_to_context(n->cross, n->pass, c, truth, l->phrases,
                                                       l->loss_config->bidiratt_layer - 1);
    laip_gather_rows(c->device, g, dcontext, l->cls);
    laip_probe_backward_attention(c->device, &l->view.attention, l->phrases, laip_rows(l->back, l->phrases),
                                  g, l->view.v);
}

void laip_bidiratt_attend(laip_bidiratt *l, const laip_bidiratt_network *n, const laip_context *c)
{
    size_t p = l->phrases;
    laip_mat fore = laip_rows(l->fore, p);
    l->view = look(n->pass, l->loss_config->bidiratt_layer, c);
    laip_probe_forward(c->device, &l->view.attention, p, fore, l->view.q, l->view.k, l->view.lse);
    backward_attention(l, n, c);
    laip_region_weights(c->device, laip_rows(l->weight, p), laip_rows(l->total, p), fore,
                        laip_rows(l->back, p), l->loss_config->bidiratt_attention);
}

static void contrastive(laip_bidiratt *l, const laip_context *c, laip_mat temperature, laip_mat dtemperature)
{
    size_t p = l->phrases;
    laip_device *d = c->device;
    laip_mat f[2] = {laip_rows(l->region.f, p), laip_rows(l->phrase.f, p)};
    laip_mat df[2] = {laip_rows(l->region.df, p), laip_rows(l->phrase.df, p)};
    laip_mat dt = laip_rows(l->dtemperature, p), dots[2];
    laip_contrast contrast = {.row_a = l->person,
                              .row_b = l->group,
                              .key_a = l->person,
                              .key_b = l->group,
                              .temperature = temperature,
                              .weight = laip_column(l->row_weight, p),
                              .exclusive = l->loss_config->phrase_positives == LAIP_POSITIVES_PHRASE,
                              .report = c->report};
    laip_precision before = laip_precision_set(d, LAIP_PRECISION_FP32);
    if (l->loss_config->phrase_positives == LAIP_POSITIVES_ALONE) {
        contrast.row_a = contrast.key_a = l->group;
        contrast.row_b = contrast.key_b = (laip_ints){0};
    }
    for (int i = 0; i < 2; i++) {
        dots[i] = laip_rows(l->dots[i], p);
        dots[i].cols = p;
        laip_gemm(d, false, true, 1, f[i], f[1 - i], 0, dots[i], NULL);
        laip_contrast_rows(d, dots[i], laip_rows(l->loss[i], p), dt, &contrast);
        if (!c->frozen)
            laip_bias_gradient(d, dtemperature, dt, c->reduce);
    }
    for (int i = 0; i < 2; i++) { /* side i is the rows of its own dots and the keys of the other's */
        laip_gemm(d, false, false, 1, dots[i], f[1 - i], 0, df[i], NULL);
        laip_gemm(d, true, false, 1, dots[1 - i], f[1 - i], 1, df[i], NULL);
    }
    laip_precision_set(d, before);
}

void laip_bidiratt_forward_backward(laip_bidiratt *l, const laip_bidiratt_network *n, const laip_context *c)
{
    const laip_loss_config *loss = l->loss_config;
    size_t p = l->phrases;
    laip_device *d = c->device;
    laip_mat weight = laip_rows(l->weight, p), none = {0};
    laip_context own = *c; /* of temperature and projections */
    own.frozen = c->frozen || loss->bidiratt_frozen;
    laip_bidiratt_attend(l, n, c);
    laip_region_pool(d, laip_rows(l->region.x, p), weight, n->image, l->owner);
    laip_projection_forward_rows(&l->region, n->vision_proj, c, p);
    laip_projection_forward(&l->phrase, n->text_proj, c, n->text);
    laip_cosine(d, laip_rows(l->similarity, p), laip_rows(l->region.df, p), laip_rows(l->phrase.df, p),
                laip_rows(l->region.f, p), laip_rows(l->phrase.f, p), laip_column(l->row_weight, p),
                c->report);
    if (loss->bidiratt_loss == LAIP_BIDIRATT_CONTRASTIVE)
        contrastive(l, &own, n->temperature, n->dtemperature);

    laip_projection_backward(&l->phrase, n->text_proj, &own, p, n->dtext);
    laip_projection_backward(&l->region, n->vision_proj, &own, p, none);
    laip_region_backward(d, laip_rows(l->dfore, p), n->dimage, laip_rows(l->region.dx, p),
                         &(laip_region){.weight = weight,
                                        .total = laip_rows(l->total, p),
                                        .back = laip_rows(l->back, p),
                                        .image = n->image,
                                        .owner = l->owner,
                                        .first = l->first,
                                        .images = l->images,
                                        .attention = loss->bidiratt_attention});
}

void laip_bidiratt_add_forward_attention(laip_bidiratt *l, laip_cross_gradients scores)
{
    const laip_bidiratt_view *at = &l->view;
    if (l->loss_config->bidiratt_detach)
        return;
    laip_probe_gradient(at->device, &at->attention, l->phrases, laip_rows(l->dfore, l->phrases), scores.dq,
                        scores.dk, at->q, at->k, at->lse, l->scores);
}
