#include "model/score.h"

#include "base/memory.h"
#include "device/profiler.h"
#include <stdlib.h>

static void plan(laip_scorer *s, laip_plan *r)
{
    const laip_model_config *m = &s->model->sizes;
    size_t D = (size_t)m->width, E = (size_t)m->embed;
    laip_vit_plan(&s->model->vit, &s->vit, r, s->sizes.images, LAIP_PASS_STATES);
    laip_text_plan(&s->model->text, &s->text, r, s->sizes.captions, s->sizes.rows, s->sizes.longest,
                   LAIP_PASS_STATES);
    laip_cross_plan(&s->model->cross, &s->cross, r, s->sizes.captions, s->sizes.rows, s->sizes.captions,
                    s->sizes.longest, 1, LAIP_PASS_STATES); /* each layer keeps the image's keys and values */
    laip_projection_plan(&s->image_feature, r, s->sizes.images, D, E);
    laip_projection_plan(&s->text_feature, r, s->sizes.captions, D, E);
    s->logits = laip_plan_mat(r, s->sizes.captions, 2);
}

static void prepare(laip_scorer *s, laip_model *model, const laip_score_sizes *sizes)
{
    *s = (laip_scorer){.model = model, .sizes = *sizes, .context = {.device = model->device}};
    s->plan = laip_plan_create(model->device, "scoring");
    laip_plan_store(s->plan, (laip_store)model->sizes.storage);
    plan(s, s->plan);
}

size_t laip_scorer_bytes(laip_model *model, const laip_score_sizes *sizes)
{
    laip_scorer s;
    prepare(&s, model, sizes);
    size_t bytes = laip_plan_bytes(s.plan);
    laip_scorer_free(&s);
    return bytes;
}

bool laip_scorer_create(laip_scorer *s, laip_model *model, const laip_score_sizes *sizes, laip_error *error)
{
    prepare(s, model, sizes);
    if (!laip_plan_allocate(s->plan, error))
        return false;
    plan(s, s->plan);
    /* the weights do not change while a scorer lives: packed once, at most as large as they are */
    size_t bytes = 0;
    for (size_t i = 0; i < model->params.count; i++)
        bytes += model->params.chunks[i].floats * sizeof(float);
    for (size_t i = 0; i < model->params.count; i++)
        laip_gemm_cache_begin(model->device, model->params.chunks[i].value.mem, bytes);
    return laip_device_ok(model->device, error);
}

void laip_scorer_free(laip_scorer *s)
{
    laip_vit_pass_free(&s->vit);
    laip_text_pass_free(&s->text);
    laip_cross_pass_free(&s->cross);
    laip_plan_free(s->plan);
    if (s->model && s->model->device)
        laip_gemm_cache_end(s->model->device);
    *s = (laip_scorer){0};
}

static void encode(laip_scorer *s, const float *pixels, size_t count)
{
    laip_profiler_part(s->model->device, "image pass");
    laip_mat_write(s->model->device, laip_rows(s->vit.pixels, count), pixels);
    laip_vit_forward(&s->model->vit, &s->vit, &s->context, count);
}

bool laip_score_images(laip_scorer *s, const float *pixels, size_t count, float *features, laip_error *error)
{
    size_t N = (size_t)laip_patch_count(&s->model->sizes) + 1;
    int32_t *cls = laip_alloc(count, sizeof *cls);
    for (size_t i = 0; i < count; i++)
        cls[i] = (int32_t)(i * N);
    encode(s, pixels, count);
    laip_projection_rows(&s->image_feature, s->model->device, cls, count, count * N);
    laip_projection_forward(&s->image_feature, &s->model->vision_proj, &s->context,
                            laip_rows(s->vit.out, count * N));
    laip_mat_read(s->model->device, laip_rows(s->image_feature.f, count), features);
    free(cls);
    return laip_device_ok(s->model->device, error);
}

bool laip_score_tokens(laip_scorer *s, size_t first, size_t count, float *tokens, laip_error *error)
{
    size_t each = ((size_t)laip_patch_count(&s->model->sizes) + 1) * s->vit.out.cols;
    laip_mat_read_at(s->model->device, s->vit.out, first * each, count * each, tokens);
    return laip_device_ok(s->model->device, error);
}

static void sequences(laip_sequences *t, const int32_t *begin, size_t count)
{
    laip_sequences_clear(t);
    for (size_t i = 0; i < count; i++)
        laip_sequences_add(t, (size_t)(begin[i + 1] - begin[i]), 0, 0);
}

bool laip_score_texts(laip_scorer *s, const int32_t *ids, const int32_t *begin, size_t count, float *features,
                      float *states, laip_error *error)
{
    laip_device *d = s->model->device;
    laip_sequences *t = &s->text.tokens;
    laip_profiler_part(d, "text pass");
    sequences(t, begin, count);
    laip_sequences_upload(t, d, 0, 0);
    laip_text_prepare(&s->model->text, &s->text, d, ids + begin[0]);
    laip_text_forward(&s->model->text, &s->text, &s->context);
    laip_projection_rows(&s->text_feature, d, t->begin, count, t->rows);
    laip_projection_forward(&s->text_feature, &s->model->text_proj, &s->context,
                            laip_rows(s->text.out, t->rows));
    laip_mat_read(d, laip_rows(s->text_feature.f, count), features);
    if (states) {
        laip_mat x = laip_rows(s->text.out, t->rows);
        sequences(&s->cross.tokens, begin, count);
        laip_sequences_upload(&s->cross.tokens, d, 0, 0);
        laip_cross_precompute_text(&s->model->cross, &s->cross, &s->context, x);
        laip_mat_read(d, x, states);
    }
    return laip_device_ok(d, error);
}

static bool project(laip_scorer *s, laip_error *error)
{
    const laip_model *m = s->model;
    size_t N = (size_t)laip_patch_count(&m->sizes) + 1;
    laip_profiler_part(m->device, "keys and values");
    laip_cross_project(&m->cross, &s->cross, &s->context, laip_rows(s->vit.out, N));
    return laip_device_ok(m->device, error);
}

bool laip_score_set_image(laip_scorer *s, const float *pixels, laip_error *error)
{
    encode(s, pixels, 1);
    return project(s, error);
}

bool laip_score_set_encoded_image(laip_scorer *s, const float *tokens, laip_error *error)
{
    size_t N = (size_t)laip_patch_count(&s->model->sizes) + 1;
    laip_mat_write(s->model->device, laip_rows(s->vit.out, N), tokens);
    return project(s, error);
}

bool laip_score_match(laip_scorer *s, const float *states, const int32_t *begin, size_t count, float *logits,
                      laip_error *error)
{
    const laip_model *m = s->model;
    laip_device *d = m->device;
    laip_sequences *t = &s->cross.tokens;
    laip_bert_selection *selection = &s->cross.selection;
    laip_profiler_part(d, "cross pass");
    sequences(t, begin, count);
    laip_sequences_upload(t, d, 1, (size_t)laip_patch_count(&m->sizes) + 1);
    laip_bert_selection_clear(selection);
    for (size_t i = 0; i < count; i++)
        laip_bert_selection_add(selection, t->begin[i], 1, false, 0, 0);
    laip_bert_selection_upload(selection, d, t);
    laip_mat_write(d, laip_cross_begin(&m->cross, &s->cross),
                   states + (size_t)begin[0] * (size_t)m->sizes.width);
    laip_cross_match(&m->cross, &s->cross, &s->context);
    laip_linear_forward(&s->context, &m->itm_head, laip_rows(s->logits, count),
                        laip_rows(s->cross.out, count), (laip_mat){0});
    laip_mat_read(d, laip_rows(s->logits, count), logits);
    return laip_device_ok(d, error);
}
