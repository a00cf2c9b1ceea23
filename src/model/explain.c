#include "model/explain.h"

#include "base/memory.h"
#include "device/profiler.h"
#include <stdlib.h>

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void plan_scratch(laip_explainer *x, laip_plan *r)
{
    const laip_model_config *m = &x->model->sizes;
    laip_device *d = x->model->device;
    const laip_explainer_sizes *z = &x->sizes;
    size_t N = (size_t)laip_patch_count(m) + 1, D = (size_t)m->width;
    int head = m->width / m->heads;
    size_t self = laip_attention_scratch(d, m->heads, head, z->rows, z->phrases, z->longest);
    size_t cross = laip_attention_scratch(d, m->heads, head, z->rows, 1, N);
    x->context.reduce = laip_plan_mat(r, 1, laip_reduce_scratch(d, z->rows, D * (size_t)m->mlp));
    x->context.attention = laip_plan_mat(r, 1, most(self, cross));
}

static void plan(laip_explainer *x, laip_plan *r)
{
    const laip_model *m = x->model;
    const laip_explainer_sizes *z = &x->sizes;
    plan_scratch(x, r);
    laip_vit_plan(&m->vit, &x->vit, r, 1, LAIP_PASS_STATES);
    laip_text_plan(&m->text, &x->text, r, z->phrases, z->rows, z->longest, LAIP_PASS_STATES);
    laip_cross_plan(&m->cross, &x->cross, r, z->phrases, z->rows, z->rows, z->longest, 1, LAIP_PASS_BACKWARD);
    laip_mpm_plan(&x->mpm, r, &m->sizes, z->rows);
    laip_bidiratt_plan(&x->bidiratt, r, &m->sizes, &x->loss, z->phrases, z->rows, 1);
}

bool laip_explainer_create(laip_explainer *x, laip_model *model, const laip_loss_config *loss,
                           const laip_explainer_sizes *sizes, laip_error *error)
{
    *x = (laip_explainer){
        .model = model, .loss = *loss, .sizes = *sizes, .context = {.device = model->device}};
    x->plan = laip_plan_create(model->device, "explanations");
    laip_plan_store(x->plan, (laip_store)model->sizes.storage);
    plan(x, x->plan);
    if (!laip_plan_allocate(x->plan, error)) {
        laip_explainer_free(x);
        return false;
    }
    plan(x, x->plan);
    return laip_device_ok(model->device, error);
}

void laip_explainer_free(laip_explainer *x)
{
    laip_vit_pass_free(&x->vit);
    laip_text_pass_free(&x->text);
    laip_cross_pass_free(&x->cross);
    if (x->plan)
        laip_plan_free(x->plan);
    *x = (laip_explainer){0};
}

bool laip_explain_image(laip_explainer *x, const float *pixels, laip_error *error)
{
    laip_device *d = x->model->device;
    laip_profiler_part(d, "image pass");
    laip_mat_write(d, laip_rows(x->vit.pixels, 1), pixels);
    laip_vit_forward(&x->model->vit, &x->vit, &x->context, 1);
    laip_cross_project(&x->model->cross, &x->cross, &x->context, laip_rows(x->vit.out, x->vit.tokens.rows));
    return laip_device_ok(d, error);
}

static void text_pass(laip_explainer *x, const int32_t *ids, const int32_t *begin, size_t count)
{
    laip_sequences *t = &x->text.tokens;
    laip_sequences_clear(t);
    for (size_t j = 0; j < count; j++)
        laip_sequences_add(t, (size_t)(begin[j + 1] - begin[j]), 0, 0);
    laip_sequences_upload(t, x->model->device, 0, 0);
    laip_text_prepare(&x->model->text, &x->text, x->model->device, ids);
    laip_text_forward(&x->model->text, &x->text, &x->context);
}

/* All rows of the phrases are wanted, as any of them may be masked. */
static void cross_pass(laip_explainer *x, const int32_t *begin, size_t count)
{
    const laip_model *m = x->model;
    laip_sequences *t = &x->cross.tokens;
    size_t rows = (size_t)begin[count];
    int32_t *source = laip_alloc(rows, sizeof *source);
    for (size_t i = 0; i < rows; i++)
        source[i] = (int32_t)i;
    laip_sequences_clear(t);
    laip_bert_selection_clear(&x->cross.selection);
    for (size_t j = 0; j < count; j++) {
        size_t length = (size_t)(begin[j + 1] - begin[j]);
        laip_sequences_add(t, length, 0, 0);
        laip_bert_selection_add(&x->cross.selection, begin[j], length, true, 0, 0);
    }
    laip_sequences_upload(t, m->device, 1, (size_t)laip_patch_count(&m->sizes) + 1);
    laip_bert_selection_upload(&x->cross.selection, m->device, t);
    laip_cross_prepare(&x->cross, m->device, source, rows);
    laip_cross_forward(&m->cross, &x->cross, &x->context, laip_rows(x->text.out, rows));
    free(source);
}

/* The MLM head over the masked tokens; returns how many there are. */
static size_t head_pass(laip_explainer *x, const int32_t *target, size_t rows)
{
    int32_t *row = laip_alloc(rows, sizeof *row), *truth = laip_alloc(rows, sizeof *truth);
    float *weight = laip_alloc(rows, sizeof *weight); /* of a loss that is not taken */
    laip_masked m = {.row = row, .target = truth, .weight = weight, .token_rows = rows};
    for (size_t i = 0; i < rows; i++)
        if (target[i] >= 0) {
            row[m.count] = (int32_t)i;
            truth[m.count++] = target[i];
        }
    laip_mpm_prepare(&x->mpm, x->model->device, &m);
    laip_mpm_forward(&x->mpm, &x->model->mlm_head, &x->context, laip_rows(x->cross.out, rows));
    free(row);
    free(truth);
    free(weight);
    return m.count;
}

bool laip_explain_phrases(laip_explainer *x, const int32_t *ids, const int32_t *target, const int32_t *begin,
                          size_t count, float *forward, float *backward, float *weight, laip_error *error)
{
    const laip_model *m = x->model;
    laip_device *d = m->device;
    laip_profiler_part(d, "explanation");
    text_pass(x, ids, begin, count);
    cross_pass(x, begin, count);
    size_t masked = head_pass(x, target, (size_t)begin[count]);
    laip_bidiratt_network n = {.cross = &m->cross, .pass = &x->cross, .mpm = &x->mpm, .head = &m->mlm_head};
    laip_bidiratt_prepare_to_attend(&x->bidiratt, d, &x->loss, &x->cross.tokens, count, masked);
    laip_bidiratt_attend(&x->bidiratt, &n, &x->context);
    laip_mat_read(d, laip_rows(x->bidiratt.fore, count), forward);
    laip_mat_read(d, laip_rows(x->bidiratt.back, count), backward);
    laip_mat_read(d, laip_rows(x->bidiratt.weight, count), weight);
    return laip_device_ok(d, error);
}
