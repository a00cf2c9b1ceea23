/* One micro-batch: three passes forward, the losses, and the backward (laip.md, 2 to 4 and 6).
 *
 * Text batch:  [captions] [plain phrases] [masked phrases] [masked captions], as far as the losses want them.
 * Cross batch: [masked phrases] [pairs] [negative image, text] [image, negative text] [masked captions].  The
 * phrases come first, so that the pass that finds a← sees a prefix of every matrix.  Of the pairs only [CLS]
 * leaves the last layer. */
#include "model/step.h"

#include "base/memory.h"
#include "device/profiler.h"
#include "ops/elementwise.h"
#include <stdlib.h>
#include <string.h>

typedef struct work {
    laip_step *s;
    const laip_batch *batch;
    laip_arena arena;
    laip_context c;
    laip_step_key key;
    float share; /* of the micro-batch in the global batch */
    size_t b, N, phrases;
    bool matches, masks, aligns, mlm; /* which parts of the cross batch there are, and BidirAtt */
    /* the text batch: tokens, and the first sequence of each part */
    int32_t *ids;
    size_t plain, masked_phrases, masked_captions;
    /* the cross batch */
    int32_t *source;
    size_t pairs, cross_captions;
    int32_t *text_negative, *image_negative, *text_row, *image_row; /* negatives; the rows of the logits */
    /* the MLM head's rows: those of phrases first */
    int32_t *masked_row, *masked_target;
    float *masked_weight;
    size_t masked, masked_in_phrases;
    int32_t *phrase_of;  /* [masked_in_phrases] */
    float *phrase_share; /* [phrases] */
} work;

/* Names the random streams of a sequence: the sample's number and what it is there. */
enum {
    CODE_CAPTION,
    CODE_MASKED_CAPTION,
    CODE_PAIR,
    CODE_NEGATIVE_IMAGE,
    CODE_NEGATIVE_TEXT,
    CODE_MLM,
    CODE_PHRASE
};
static uint64_t stream(const laip_batch *batch, size_t sample, uint64_t code)
{
    return batch->sample[sample] * 4096 + code;
}

static void *array(work *w, size_t count, size_t size)
{
    return laip_arena_alloc(&w->arena, count ? count : 1, size);
}

static void add_text(work *w, const int32_t *ids, size_t length, uint64_t id)
{
    memcpy(w->ids + w->s->text.tokens.rows, ids, length * sizeof *ids);
    laip_sequences_add(&w->s->text.tokens, length, 0, id);
}

static void add_captions(work *w, const int32_t *ids, uint64_t code)
{
    const int32_t *begin = w->batch->caption_begin;
    for (size_t i = 0; i < w->b; i++)
        add_text(w, ids + begin[i], (size_t)(begin[i + 1] - begin[i]), stream(w->batch, i, code));
}

/* The phrases, or their masked forms; variant tells their streams apart. */
static void add_phrases(work *w, const int32_t *ids, uint64_t variant)
{
    const int32_t *begin = w->batch->phrase_begin, *owner = w->batch->phrase_owner;
    uint64_t number = 0;
    for (size_t j = 0; j < w->phrases; j++) {
        number = j && owner[j] == owner[j - 1] ? number + 1 : 0;
        add_text(w, ids + begin[j], (size_t)(begin[j + 1] - begin[j]),
                 stream(w->batch, (size_t)owner[j], CODE_PHRASE + 3 * number + variant));
    }
}

static void text_pass(work *w)
{
    laip_step *s = w->s;
    laip_sequences *t = &s->text.tokens;
    w->ids = array(w, t->most_rows, sizeof *w->ids);
    laip_sequences_clear(t);
    add_captions(w, w->batch->caption_ids, CODE_CAPTION);
    w->plain = t->count;
    if (w->aligns)
        add_phrases(w, w->batch->phrase_ids, 0);
    w->masked_phrases = t->count;
    if (w->masks)
        add_phrases(w, w->batch->phrase_masked, 1);
    w->masked_captions = t->count;
    if (w->mlm)
        add_captions(w, w->batch->caption_masked, CODE_MASKED_CAPTION);
    laip_sequences_upload(t, w->c.device, 0, 0);
    laip_text_forward(&s->model->text, &s->text, &w->c, w->ids, w->key);
}

static void image_pass(work *w)
{
    laip_step *s = w->s;
    laip_mat_write(w->c.device, laip_rows(s->vit.pixels, w->b), w->batch->images);
    laip_sequences_clear(&s->vit.tokens);
    laip_vit_forward(&s->model->vit, &s->vit, &w->c, w->b);
}

static void global_features(work *w)
{
    laip_step *s = w->s;
    int32_t *cls = array(w, w->b, sizeof *cls);
    for (size_t i = 0; i < w->b; i++)
        cls[i] = (int32_t)(i * w->N);
    laip_projection_forward(&s->itc.image, &s->model->vision_proj, &w->c, s->vit.out, w->b * w->N, cls, w->b);
    laip_projection_forward(&s->itc.text, &s->model->text_proj, &w->c, s->text.out, s->text.tokens.rows,
                            s->text.tokens.begin, w->b);
}

static laip_keys keys_of(laip_step *s)
{
    return (laip_keys){.image = s->queue.image,
                       .text = s->queue.text,
                       .person = s->queue.person,
                       .count = s->queue.batch + s->queue.slots,
                       .temperature = s->model->temperature->value,
                       .dtemperature = s->model->temperature->gradient};
}

static void negatives(work *w, size_t index)
{
    laip_step *s = w->s;
    w->text_negative = array(w, w->b, sizeof(int32_t));
    w->image_negative = array(w, w->b, sizeof(int32_t));
    if (w->batch->text_negative) {
        memcpy(w->text_negative, w->batch->text_negative, w->b * sizeof(int32_t));
        memcpy(w->image_negative, w->batch->image_negative, w->b * sizeof(int32_t));
        return;
    }
    float *to_text = array(w, w->b * w->b, sizeof *to_text),
          *to_image = array(w, w->b * w->b, sizeof *to_image);
    float temperature = 1;
    laip_keys keys = keys_of(s);
    laip_itc_similarities(&s->itc, &w->c, &keys, w->b, index * w->b, to_text, to_image);
    laip_mat_read(w->c.device, s->model->temperature->value, &temperature);
    laip_itm_draw(to_text, to_image, temperature, w->batch->person, w->batch->sample, w->b, w->key.seed,
                  w->key.step, w->text_negative, w->image_negative);
}

/* Adds to the cross batch the text sequence `text`, reading image `image`, of whose output all rows are
 * wanted or only that of [CLS]; returns its index there. */
static size_t add_pair(work *w, size_t text, size_t image, bool all, uint64_t id)
{
    const laip_sequences *t = &w->s->text.tokens;
    laip_sequences *x = &w->s->cross.tokens;
    for (int32_t r = t->begin[text]; r < t->begin[text + 1]; r++)
        w->source[x->rows + (size_t)(r - t->begin[text])] = r;
    size_t length = (size_t)(t->begin[text + 1] - t->begin[text]);
    laip_bert_selection_add(&w->s->cross.selection, (int32_t)x->rows, length, all, (int32_t)image, id);
    return laip_sequences_add(x, length, (int32_t)image, id);
}

static void add_matches(work *w)
{
    const laip_batch *batch = w->batch;
    w->text_row = array(w, w->b, sizeof(int32_t));
    w->image_row = array(w, w->b, sizeof(int32_t));
    size_t first = w->s->cross.tokens.count;
    for (size_t i = 0; i < w->b; i++)
        add_pair(w, i, i, false, stream(batch, i, CODE_PAIR));
    for (size_t i = 0; i < w->b; i++) {
        w->image_row[i] = -1;
        if (w->image_negative[i] >= 0)
            w->image_row[i] = (int32_t)(add_pair(w, i, (size_t)w->image_negative[i], false,
                                                 stream(batch, i, CODE_NEGATIVE_IMAGE)) -
                                        first);
    }
    for (size_t i = 0; i < w->b; i++) {
        w->text_row[i] = -1;
        if (w->text_negative[i] >= 0)
            w->text_row[i] = (int32_t)(add_pair(w, (size_t)w->text_negative[i], i, false,
                                                stream(batch, i, CODE_NEGATIVE_TEXT)) -
                                       first);
    }
    w->s->match_rows = w->s->cross.tokens.count - first;
    for (size_t i = 0; i < w->s->match_rows; i++)
        w->s->match_row[i] = w->s->cross.selection.tokens.begin[first + i];
}

static void cross_pass(work *w)
{
    laip_step *s = w->s;
    laip_sequences *x = &s->cross.tokens;
    w->source = array(w, x->most_rows, sizeof *w->source);
    laip_sequences_clear(x);
    laip_bert_selection_clear(&s->cross.selection);
    uint64_t number = 0;
    for (size_t j = 0; w->masks && j < w->phrases; j++) {
        const int32_t *owner = w->batch->phrase_owner;
        number = j && owner[j] == owner[j - 1] ? number + 1 : 0;
        add_pair(w, w->masked_phrases + j, (size_t)owner[j], true,
                 stream(w->batch, (size_t)owner[j], CODE_PHRASE + 3 * number + 2));
    }
    w->pairs = x->count;
    if (w->matches)
        add_matches(w);
    w->cross_captions = x->count;
    for (size_t i = 0; w->mlm && i < w->b; i++)
        add_pair(w, w->masked_captions + i, i, true, stream(w->batch, i, CODE_MLM));
    if (!x->count)
        return;
    laip_sequences_upload(x, w->c.device, w->b, w->N);
    laip_bert_selection_upload(&s->cross.selection, w->c.device, x);
    laip_cross_forward(&s->model->cross, &s->cross, &w->c, s->text.out, w->source, s->text.tokens.rows,
                       s->vit.out, w->key);
    laip_clear(w->c.device, laip_rows(s->cross.g, s->cross.selection.tokens.rows));
}

/* Lists the masked tokens of one part of the cross batch: those of `count` sequences from `first`, whose
 * targets are packed as the sequences are. */
static size_t list_masked(work *w, size_t first, size_t count, const int32_t *target, const int32_t *begin)
{
    size_t found = 0;
    for (size_t j = 0; j < count; j++)
        for (int32_t k = begin[j]; k < begin[j + 1]; k++)
            if (target[k] >= 0) {
                if (first == 0 && w->masks)
                    w->phrase_of[w->masked] = (int32_t)j;
                w->masked_row[w->masked] = w->s->cross.selection.tokens.begin[first + j] + k - begin[j];
                w->masked_target[w->masked++] = target[k];
                found++;
            }
    return found;
}

/* Each phrase's share in the objective, (1/B) for all or divided by the phrases of its caption; and each
 * masked token's weight from it. */
static void weigh(work *w)
{
    const laip_loss_config *loss = &w->s->loss;
    int32_t *of_owner = array(w, w->b, sizeof *of_owner), *tokens = array(w, w->phrases, sizeof *tokens);
    w->phrase_share = array(w, w->phrases, sizeof *w->phrase_share);
    for (size_t j = 0; j < w->phrases; j++)
        of_owner[w->batch->phrase_owner[j]]++;
    for (size_t j = 0; j < w->phrases; j++)
        w->phrase_share[j] =
            1 / (float)w->b /
            (loss->phrase_reduction == LAIP_PHRASES_MEAN ? (float)of_owner[w->batch->phrase_owner[j]] : 1);
    for (size_t i = 0; i < w->masked_in_phrases; i++)
        tokens[w->phrase_of[i]]++;
    for (size_t i = 0; i < w->masked; i++)
        w->masked_weight[i] =
            i < w->masked_in_phrases
                ? loss->weight[LAIP_LOSS_MPM] * w->share * w->phrase_share[w->phrase_of[i]] /
                      (float)tokens[w->phrase_of[i]]
                : loss->weight[LAIP_LOSS_MLM] * w->share / (float)(w->masked - w->masked_in_phrases);
}

static void masked_tokens(work *w)
{
    size_t room = w->s->cross.selection.tokens.rows;
    w->masked_row = array(w, room, sizeof(int32_t));
    w->masked_target = array(w, room, sizeof(int32_t));
    w->masked_weight = array(w, room, sizeof(float));
    w->phrase_of = array(w, room, sizeof(int32_t));
    if (w->masks)
        w->masked_in_phrases = list_masked(w, 0, w->phrases, w->batch->phrase_target, w->batch->phrase_begin);
    if (w->mlm)
        list_masked(w, w->cross_captions, w->b, w->batch->caption_target, w->batch->caption_begin);
    w->s->masked_in_phrases = w->masked_in_phrases;
    weigh(w);
}

/* Equal numbers for equal phrases. */
static int32_t *phrase_groups(work *w)
{
    const laip_batch *x = w->batch;
    int32_t *group = array(w, w->phrases, sizeof *group);
    for (size_t j = 0; j < w->phrases; j++) {
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

static void align_phrases(work *w, laip_mat image, laip_mat dimage)
{
    laip_step *s = w->s;
    laip_model *m = s->model;
    int32_t *cls = array(w, w->phrases, sizeof *cls), *person = array(w, w->phrases, sizeof *person);
    float *row_weight = array(w, w->phrases, sizeof *row_weight);
    for (size_t j = 0; j < w->phrases; j++) {
        cls[j] = s->text.tokens.begin[w->plain + j];
        person[j] = w->batch->person[w->batch->phrase_owner[j]];
        row_weight[j] = s->loss.weight[LAIP_LOSS_BIDIRATT] * w->share * w->phrase_share[j];
    }
    laip_bidiratt_input in = {.phrases = w->phrases,
                              .images = w->b,
                              .owner = w->batch->phrase_owner,
                              .plain_cls = cls,
                              .person = person,
                              .group = phrase_groups(w),
                              .row_weight = row_weight,
                              .masked = w->masked_in_phrases};
    size_t rows = s->text.tokens.rows;
    laip_bidiratt_forward_backward(&s->bidiratt, &in, &s->loss, &w->c, &m->cross, &s->cross, &s->mpm,
                                   &m->mlm_head, &m->vision_proj, &m->text_proj, image, dimage,
                                   laip_rows(s->text.out, rows), laip_rows(s->text.g, rows),
                                   m->temperature->value, m->temperature->gradient, w->key);
}

static void losses_and_backward(work *w, size_t index)
{
    laip_step *s = w->s;
    laip_model *m = s->model;
    const laip_loss_config *loss = &s->loss;
    size_t text_rows = s->text.tokens.rows, image_rows = w->b * w->N;
    laip_mat image = laip_rows(s->vit.out, image_rows), dimage = laip_rows(s->vit.dx, image_rows);
    laip_mat dtext = laip_rows(s->text.g, text_rows);
    laip_clear(w->c.device, dimage);
    laip_clear(w->c.device, dtext);
    if (loss->weight[LAIP_LOSS_ITC] > 0) {
        laip_keys keys = keys_of(s);
        laip_itc_forward_backward(&s->itc, &w->c, &keys, w->batch->person, w->b, index * w->b,
                                  loss->distill_alpha, loss->weight[LAIP_LOSS_ITC] * w->share);
        laip_projection_backward(&s->itc.image, &m->vision_proj, &w->c, w->b, dimage);
        laip_projection_backward(&s->itc.text, &m->text_proj, &w->c, w->b, dtext);
    }
    if (s->cross.tokens.count) {
        size_t rows = s->cross.selection.tokens.rows;
        laip_mat out = laip_rows(s->cross.out, rows), g = laip_rows(s->cross.g, rows);
        if (w->matches)
            laip_itm_forward_backward(&s->itm, &m->itm_head, &w->c, out, rows, g, s->match_row, s->match_rows,
                                      w->b, w->image_row, w->text_row, loss->triplet_margin,
                                      loss->weight[LAIP_LOSS_ITM] * w->share,
                                      loss->weight[LAIP_LOSS_TRIPLET] * w->share);
        if (w->masked)
            laip_mpm_forward(&s->mpm, &m->mlm_head, &w->c, out, rows, w->masked_row, w->masked_target,
                             w->masked);
        if (w->aligns)
            align_phrases(w, image, dimage);
        if (w->masked && (loss->weight[LAIP_LOSS_MPM] > 0 || w->mlm))
            laip_mpm_loss(&s->mpm, &m->mlm_head, &w->c, g, w->masked_weight);
        laip_cross_hook hook = laip_bidiratt_hook(&s->bidiratt);
        laip_profiler_part(w->c.device, "cross backward");
        laip_cross_backward(&m->cross, &s->cross, &w->c, image, dimage, dtext, loss->bidiratt_layer - 1,
                            w->aligns ? &hook : NULL, w->key);
    }
    laip_profiler_part(w->c.device, "text backward");
    laip_text_backward(&m->text, &s->text, &w->c, w->key);
    laip_profiler_part(w->c.device, "image backward");
    laip_vit_backward(&m->vit, &s->vit, &w->c);
}

static void values(work *w, laip_losses *v)
{
    laip_step *s = w->s;
    const laip_loss_config *loss = &s->loss;
    *v = (laip_losses){0};
    if (loss->weight[LAIP_LOSS_ITC] > 0)
        v->value[LAIP_LOSS_ITC] = laip_itc_value(&s->itc, w->c.device, w->b);
    if (w->matches)
        laip_itm_values(&s->itm, w->c.device, s->match_rows, w->b, &v->value[LAIP_LOSS_ITM],
                        &v->value[LAIP_LOSS_TRIPLET]);
    if (w->aligns) {
        float *each = array(w, w->phrases, sizeof *each);
        laip_bidiratt_values(&s->bidiratt, w->c.device, loss, each);
        for (size_t j = 0; j < w->phrases; j++)
            v->value[LAIP_LOSS_BIDIRATT] += (double)each[j] * w->phrase_share[j];
    }
    if (w->masked && (loss->weight[LAIP_LOSS_MPM] > 0 || w->mlm)) {
        float *each = array(w, w->masked, sizeof *each);
        laip_mpm_values(&s->mpm, w->c.device, each);
        for (size_t i = 0; i < w->masked; i++) {
            float weight =
                i < w->masked_in_phrases ? loss->weight[LAIP_LOSS_MPM] : loss->weight[LAIP_LOSS_MLM];
            *(i < w->masked_in_phrases ? &v->value[LAIP_LOSS_MPM] : &v->value[LAIP_LOSS_MLM]) +=
                weight > 0 ? (double)each[i] * w->masked_weight[i] / (weight * w->share) : 0;
        }
    }
    for (int i = 0; i < LAIP_LOSSES; i++)
        v->total += loss->weight[i] * v->value[i];
}

bool laip_step_micro(laip_step *s, const laip_batch *batch, size_t index, uint64_t step, laip_losses *losses,
                     laip_error *error)
{
    const laip_loss_config *loss = &s->loss;
    work w = {.s = s,
              .batch = batch,
              .c = s->context,
              .key = {s->seed, step},
              .share = s->scaling.scale / (float)s->sizes.micro_batches,
              .b = (size_t)batch->size,
              .N = (size_t)laip_patch_count(&s->model->sizes) + 1,
              .phrases = (size_t)batch->phrases};
    w.c.dropout = s->model->sizes.dropout;
    w.matches = loss->weight[LAIP_LOSS_ITM] > 0 || loss->weight[LAIP_LOSS_TRIPLET] > 0;
    w.aligns = w.phrases && loss->weight[LAIP_LOSS_BIDIRATT] > 0;
    w.masks = w.phrases && (w.aligns || loss->weight[LAIP_LOSS_MPM] > 0);
    w.mlm = loss->weight[LAIP_LOSS_MLM] > 0;
    laip_profiler_part(w.c.device, "image pass");
    image_pass(&w);
    laip_profiler_part(w.c.device, "text pass");
    text_pass(&w);
    laip_profiler_part(w.c.device, "losses");
    global_features(&w);
    if (w.matches)
        negatives(&w, index);
    laip_profiler_part(w.c.device, "cross pass");
    cross_pass(&w);
    laip_profiler_part(w.c.device, "losses");
    masked_tokens(&w);
    losses_and_backward(&w, index);
    laip_profiler_part(w.c.device, "losses");
    values(&w, losses);
    laip_arena_free(&w.arena);
    return laip_device_ok(s->model->device, error);
}
