/* One micro-batch: three passes forward, the losses, and the backward (src/model/README.md, 2 to 4 and 6).
 * What the batches hold is in layout.c. */
#include "model/step.h"

#include "base/memory.h"
#include "device/profiler.h"
#include "model/layout.h"
#include "ops/elementwise.h"
#include "ops/loss_sum.h"
#include <stdlib.h>
#include <string.h>

/* What every part of it reads, and none writes. */
typedef struct micro {
    laip_step *s;
    const laip_batch *batch;
    laip_arena *arena;
    laip_context c;
    laip_parts parts;
    float share;        /* of the micro-batch in the global batch, times the loss's scale */
    size_t b, N, first; /* pairs, tokens of an image, and the first of its own keys */
} micro;

static void *array(const micro *m, size_t count, size_t size)
{
    return laip_arena_alloc(m->arena, count ? count : 1, size);
}

static float weight_of(const micro *m, enum laip_loss loss)
{
    return m->s->loss.weight[loss] * m->share;
}

static laip_keys keys_of(const laip_step *s)
{
    return (laip_keys){.image = s->queue.image,
                       .text = s->queue.text,
                       .person = s->queue.person,
                       .count = s->queue.batch + s->queue.slots,
                       .temperature = s->model->temperature->value,
                       .dtemperature = s->model->temperature->gradient};
}

/* Negatives are drawn, and not given with the batch. */
static bool draws(const micro *m)
{
    return m->parts.matches && !m->batch->text_negative;
}

/* The text batch, and the tables that follow from the batch alone: they go up together. */
static laip_text_layout prepare(const micro *m)
{
    laip_step *s = m->s;
    laip_device *d = m->c.device;
    laip_sequences *t = &s->text.tokens;
    laip_keys keys = keys_of(s);
    int32_t *cls = array(m, m->b, sizeof *cls);
    laip_text_layout text = laip_lay_out_text(m->arena, m->batch, m->parts, t);
    laip_sequences_upload(t, d, 0, 0);
    laip_text_prepare(&s->model->text, &s->text, d, text.ids);
    for (size_t i = 0; i < m->b; i++)
        cls[i] = (int32_t)(i * m->N);
    laip_projection_rows(&s->itc.image, d, cls, m->b, m->b * m->N);
    laip_projection_rows(&s->itc.text, d, t->begin, m->b, t->rows);
    if (draws(m))
        laip_itm_prepare_draw(&s->itm, d, m->batch->person, m->batch->sample, m->b);
    if (s->loss.weight[LAIP_LOSS_ITC] > 0)
        laip_itc_prepare(&s->itc, d, &keys,
                         &(laip_itc_rows){m->batch->person, m->b, m->first, weight_of(m, LAIP_LOSS_ITC)});
    return text;
}

/* Both encoders, and the features of whole images and captions. */
static void encode(const micro *m)
{
    laip_step *s = m->s;
    laip_device *d = m->c.device;
    laip_profiler_part(d, "image pass");
    s->vit.pixels.mem = laip_step_feed(s, m->batch->images, m->b);
    laip_vit_forward(&s->model->vit, &s->vit, &m->c, m->b);
    laip_profiler_part(d, "text pass");
    laip_text_forward(&s->model->text, &s->text, &m->c);
    laip_profiler_part(d, "losses");
    laip_projection_forward(&s->itc.image, &s->model->vision_proj, &m->c, laip_rows(s->vit.out, m->b * m->N));
    laip_projection_forward(&s->itc.text, &s->model->text_proj, &m->c,
                            laip_rows(s->text.out, s->text.tokens.rows));
}

/* Draws negatives by the features' similarities and sends them to the host, which is not waited for. */
static void draw_negatives(const micro *m)
{
    laip_step *s = m->s;
    laip_keys keys = keys_of(s);
    laip_itc_similarities(&s->itc, &m->c, &keys, m->b, m->first);
    laip_itm_draw(&s->itm, &m->c, s->itc.similarity[0], s->itc.similarity[1], keys.temperature,
                  s->loss.plain_negatives ? 0 : s->loss.negative_floor);
    laip_download_begin(s->drawn, s->itm.negative.mem, 0);
}

/* The negatives that were drawn or given.  How long a drawn text is decides how many rows the cross batch
 * has, which the host must know to lay it out and to launch its products.  So it waits, but only after it has
 * given the device what no negative has to do with: the contrastive loss, and the images' keys and values of
 * all cross layers: a sixtieth of a full-size step, ten times what the host needs (src/model/README.md, 6,
 * where the other way is, which pads). */
static laip_negatives negatives(const micro *m)
{
    const laip_batch *x = m->batch;
    if (!draws(m))
        return (laip_negatives){x->text_negative, x->image_negative};
    const int32_t *drawn = laip_download_wait(m->s->drawn);
    int32_t *both = array(m, 2 * m->b, sizeof *both);
    for (size_t i = 0; i < 2 * m->b; i++)
        both[i] = drawn ? drawn[i] : -1; /* after a failure nothing is launched */
    return (laip_negatives){both, both + m->b};
}

static laip_cross_layout lay_out_cross(const micro *m, const laip_text_layout *text)
{
    laip_step *s = m->s;
    laip_device *d = m->c.device;
    laip_cross_pass *x = &s->cross;
    laip_negatives n = m->parts.matches ? negatives(m) : (laip_negatives){NULL, NULL};
    laip_cross_layout cross = laip_lay_out_cross(m->arena, m->batch, m->parts, text, &s->text.tokens, n, x);
    if (!x->tokens.count)
        return cross;
    laip_sequences_upload(&x->tokens, d, m->b, m->N);
    laip_bert_selection_upload(&x->selection, d, &x->tokens);
    laip_cross_prepare(x, d, cross.source, s->text.tokens.rows);
    return cross;
}

static void cross_pass(const micro *m)
{
    laip_step *s = m->s;
    laip_cross_pass *x = &s->cross;
    if (!x->tokens.count)
        return;
    laip_profiler_part(m->c.device, "cross pass");
    laip_cross_forward(&s->model->cross, x, &m->c, laip_rows(s->text.out, s->text.tokens.rows));
    laip_clear(m->c.device, laip_rows(x->g, x->selection.tokens.rows));
}

/* Equal numbers for equal phrases. */
static int32_t *phrase_groups(const micro *m)
{
    const laip_batch *x = m->batch;
    int32_t *group = array(m, (size_t)x->phrases, sizeof *group);
    for (size_t j = 0; j < (size_t)x->phrases; j++) {
        size_t length = (size_t)(x->phrase_begin[j + 1] - x->phrase_begin[j]);
        group[j] = (int32_t)j;
        for (size_t k = 0; k < j; k++)
            if ((size_t)(x->phrase_begin[k + 1] - x->phrase_begin[k]) == length &&
                memcmp(x->phrase_ids + x->phrase_begin[k], x->phrase_ids + x->phrase_begin[j],
                       length * sizeof(int32_t)) == 0) {
                group[j] = group[k];
                break;
            }
    }
    return group;
}

static void prepare_bidiratt(const micro *m, const laip_text_layout *text, const float *phrase_share,
                             size_t masked)
{
    laip_step *s = m->s;
    const laip_batch *x = m->batch;
    size_t p = (size_t)x->phrases;
    int32_t *cls = array(m, p, sizeof *cls), *person = array(m, p, sizeof *person);
    float *row_weight = array(m, p, sizeof *row_weight);
    for (size_t j = 0; j < p; j++) {
        cls[j] = s->text.tokens.begin[text->plain + j];
        person[j] = x->person[x->phrase_owner[j]];
        row_weight[j] = weight_of(m, LAIP_LOSS_BIDIRATT) * phrase_share[j];
    }
    laip_bidiratt_prepare(&s->bidiratt, m->c.device, &s->loss,
                          &(laip_bidiratt_phrases){.phrases = p,
                                                   .images = m->b,
                                                   .owner = x->phrase_owner,
                                                   .plain_cls = cls,
                                                   .person = person,
                                                   .group = phrase_groups(m),
                                                   .row_weight = row_weight,
                                                   .masked = masked,
                                                   .text_rows = s->text.tokens.rows,
                                                   .cross = &s->cross.tokens});
}

/* The tables of the losses on the cross encoder's output; returns the masked tokens. */
static laip_masked prepare_cross_losses(const micro *m, const laip_text_layout *text,
                                        const laip_cross_layout *cross, const float *phrase_share)
{
    laip_step *s = m->s;
    laip_device *d = m->c.device;
    const laip_sequences *out = &s->cross.selection.tokens;
    laip_masked masked = laip_masked_none(m->arena, out);
    if (m->parts.masks)
        laip_masked_add_phrases(&masked, m->arena, out, 0, m->batch, phrase_share,
                                weight_of(m, LAIP_LOSS_MPM));
    if (m->parts.mlm)
        laip_masked_add_captions(&masked, out, cross->captions, m->batch, weight_of(m, LAIP_LOSS_MLM));
    if (m->parts.matches)
        laip_itm_prepare(&s->itm, d,
                         &(laip_itm_rows){.rows = cross->match_row,
                                          .count = cross->matches,
                                          .batch = m->b,
                                          .image_negative = cross->image_match,
                                          .text_negative = cross->text_match,
                                          .token_rows = out->rows});
    if (masked.count)
        laip_mpm_prepare(&s->mpm, d, &masked);
    if (m->parts.aligns)
        prepare_bidiratt(m, text, phrase_share, masked.in_phrases);
    return masked;
}

/* States that the losses read, and the gradients that they add to. */
typedef struct states {
    laip_mat image, dimage, text, dtext, cross, dcross;
} states;

static void itc(const micro *m, const states *x)
{
    laip_step *s = m->s;
    laip_keys keys = keys_of(s);
    laip_itc_forward_backward(&s->itc, &m->c, &keys, s->loss.distill_alpha);
    laip_projection_backward(&s->itc.image, &s->model->vision_proj, &m->c, m->b, x->dimage);
    laip_projection_backward(&s->itc.text, &s->model->text_proj, &m->c, m->b, x->dtext);
}

static void matching(const micro *m, const states *x)
{
    laip_itm_weights w = {m->s->loss.triplet_margin, weight_of(m, LAIP_LOSS_ITM),
                          weight_of(m, LAIP_LOSS_TRIPLET)};
    laip_itm_forward_backward(&m->s->itm, &m->s->model->itm_head, &m->c, x->cross, x->dcross, w);
}

static void bidiratt(const micro *m, const states *x)
{
    laip_step *s = m->s;
    laip_model *model = s->model;
    laip_bidiratt_forward_backward(&s->bidiratt,
                                   &(laip_bidiratt_network){.cross = &model->cross,
                                                            .pass = &s->cross,
                                                            .mpm = &s->mpm,
                                                            .head = &model->mlm_head,
                                                            .vision_proj = &model->vision_proj,
                                                            .text_proj = &model->text_proj,
                                                            .image = x->image,
                                                            .dimage = x->dimage,
                                                            .text = x->text,
                                                            .dtext = x->dtext,
                                                            .temperature = model->temperature->value,
                                                            .dtemperature = model->temperature->gradient},
                                   &m->c);
}

/* The losses on the cross encoder's output, and its backward. */
static void cross_losses_and_backward(const micro *m, const states *x, const laip_masked *masked)
{
    laip_step *s = m->s;
    laip_model *model = s->model;
    if (m->parts.matches)
        matching(m, x);
    if (masked->count)
        laip_mpm_forward(&s->mpm, &model->mlm_head, &m->c, x->cross);
    if (m->parts.aligns)
        bidiratt(m, x);
    if (s->predicts)
        laip_mpm_loss(&s->mpm, &model->mlm_head, &m->c, x->dcross);
    laip_profiler_part(m->c.device, "cross backward");
    laip_cross_gradients scores = laip_cross_backward_to_scores(&model->cross, &s->cross, &m->c, x->image,
                                                                x->dimage, s->loss.bidiratt_layer - 1);
    if (m->parts.aligns)
        laip_bidiratt_add_forward_attention(&s->bidiratt, scores);
    laip_cross_backward_from_scores(&model->cross, &s->cross, &m->c, x->image, x->dimage, x->dtext);
}

static states states_of(const micro *m)
{
    const laip_step *s = m->s;
    size_t text_rows = s->text.tokens.rows, image_rows = m->b * m->N;
    return (states){.image = laip_rows(s->vit.out, image_rows),
                    .dimage = laip_rows(s->vit.dx, image_rows),
                    .text = laip_rows(s->text.out, text_rows),
                    .dtext = laip_rows(s->text.g, text_rows)};
}

/* The losses on the encoders' output, and the images' side of the cross encoder, which no negative has to do
 * with. */
static void global_losses(const micro *m)
{
    states x = states_of(m);
    laip_clear(m->c.device, x.dimage);
    laip_clear(m->c.device, x.dtext);
    if (m->s->loss.weight[LAIP_LOSS_ITC] > 0)
        itc(m, &x);
    laip_profiler_part(m->c.device, "cross pass");
    if (m->parts.matches || m->parts.masks || m->parts.mlm)
        laip_cross_project(&m->s->model->cross, &m->s->cross, &m->c, x.image);
    laip_device_flush(m->c.device);
}

static void losses_and_backward(const micro *m, const laip_masked *masked)
{
    laip_step *s = m->s;
    states x = states_of(m);
    x.cross = laip_rows(s->cross.out, s->cross.selection.tokens.rows);
    x.dcross = laip_rows(s->cross.g, s->cross.selection.tokens.rows);
    laip_profiler_part(m->c.device, "losses");
    if (s->cross.tokens.count)
        cross_losses_and_backward(m, &x, masked);
    laip_gradients_complete(&m->c, LAIP_GRADIENTS_CROSS, 0);
    laip_profiler_part(m->c.device, "text backward");
    laip_text_backward(&s->model->text, &s->text, &m->c);
    laip_profiler_part(m->c.device, "image backward");
    laip_vit_backward(&s->model->vit, &s->vit, &m->c);
}

static void tell(const micro *m, enum laip_loss loss, laip_mat x, laip_mat weight, size_t first, size_t count,
                 float factor, float offset)
{
    laip_loss_sum sum = {loss, x, weight, first, count, factor, offset};
    laip_loss_sum_add(m->c.device, m->c.report, &sum);
}

/* BidirAtt's rows have weights that hold the loss's own, and of the cosine form a minus: 1 − s. */
static void tell_bidiratt(const micro *m, const float *phrase_share)
{
    const laip_bidiratt *l = &m->s->bidiratt;
    float factor = 1 / m->s->loss.weight[LAIP_LOSS_BIDIRATT], offset = 0;
    if (m->s->loss.bidiratt_loss == LAIP_BIDIRATT_CONTRASTIVE) {
        for (int i = 0; i < 2; i++)
            tell(m, LAIP_LOSS_BIDIRATT, l->loss[i], laip_column(l->row_weight, l->phrases), 0, l->phrases,
                 factor, 0);
        return;
    }
    for (size_t j = 0; j < l->phrases; j++)
        offset += phrase_share[j] * m->share;
    tell(m, LAIP_LOSS_BIDIRATT, l->similarity, laip_column(l->row_weight, l->phrases), 0, l->phrases, factor,
         offset);
}

/* Adds the losses to the step's report, each micro-batch by its share. */
static void values(const micro *m, const laip_masked *masked, const float *phrase_share)
{
    laip_step *s = m->s;
    const float *weight = s->loss.weight;
    laip_mat none = {0};
    size_t in_phrases = masked->in_phrases, rest = masked->count - in_phrases;
    laip_profiler_part(m->c.device, "losses");
    for (int i = 0; i < 2 && weight[LAIP_LOSS_ITC] > 0; i++)
        tell(m, LAIP_LOSS_ITC, s->itc.loss[i], none, 0, m->b, m->share / (2 * (float)m->b), 0);
    if (m->parts.matches) {
        tell(m, LAIP_LOSS_ITM, s->itm.entropy, none, 0, m->b, m->share / (float)s->itm.index.count, 0);
        tell(m, LAIP_LOSS_TRIPLET, s->itm.triplet, none, 0, m->b, m->share / (float)m->b, 0);
    }
    if (m->parts.aligns)
        tell_bidiratt(m, phrase_share);
    if (in_phrases && weight[LAIP_LOSS_MPM] > 0)
        tell(m, LAIP_LOSS_MPM, s->mpm.loss, laip_column(s->mpm.weight, masked->count), 0, in_phrases,
             1 / weight[LAIP_LOSS_MPM], 0);
    if (rest && weight[LAIP_LOSS_MLM] > 0)
        tell(m, LAIP_LOSS_MLM, s->mpm.loss, laip_column(s->mpm.weight, masked->count), in_phrases, rest,
             1 / weight[LAIP_LOSS_MLM], 0);
}

bool laip_step_micro(laip_step *s, const laip_batch *batch, size_t index, uint64_t step, laip_error *error)
{
    laip_arena arena = {0};
    micro m = {.s = s,
               .batch = batch,
               .arena = &arena,
               .c = s->context,
               .parts = laip_parts_of(&s->loss, batch),
               .share = 1 / (float)s->sizes.micro_batches,
               .b = (size_t)batch->size,
               .N = (size_t)laip_patch_count(&s->model->sizes) + 1};
    m.first = index * m.b;
    m.c.dropout = s->model->sizes.dropout;
    m.c.key = (laip_step_key){s->seed, step};
    laip_text_layout text = prepare(&m);
    encode(&m);
    if (draws(&m))
        draw_negatives(&m);
    global_losses(&m);
    laip_cross_layout cross = lay_out_cross(&m, &text);
    float *phrase_share = laip_phrase_shares(&arena, batch, s->loss.phrase_reduction);
    laip_masked masked = prepare_cross_losses(&m, &text, &cross, phrase_share);
    s->predicts = masked.count && (s->loss.weight[LAIP_LOSS_MPM] > 0 || m.parts.mlm);
    s->match_rows = cross.matches;
    s->masked_in_phrases = masked.in_phrases;
    cross_pass(&m);
    losses_and_backward(&m, &masked);
    values(&m, &masked, phrase_share);
    laip_arena_free(&arena);
    return laip_device_ok(s->model->device, error);
}
