/* The step's memory, its momentum pass and its update; the micro-batch itself is in micro.c. */
#include "model/step.h"

#include "base/memory.h"
#include "device/profiler.h"
#include "ops/gemm/gemm.h"
#include "ops/matrix_unit.h"
#include <stdlib.h>

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Rows and sequences that the text and cross batches can have. */
typedef struct extent {
    size_t text_sequences, text_rows, cross_sequences, cross_rows, selected_rows, longest;
} extent;

static extent extents(const laip_step_sizes *z, const laip_loss_config *loss)
{
    bool mlm = loss->weight[LAIP_LOSS_MLM] > 0;
    size_t captions = z->batch * (mlm ? 2 : 1), rows = z->caption_rows * (mlm ? 2 : 1);
    return (extent){.text_sequences = captions + 2 * z->phrases,
                    .text_rows = rows + 2 * z->phrase_rows,
                    .cross_sequences = 3 * z->batch + z->phrases + (mlm ? z->batch : 0),
                    /* a text may be the negative of every image: so the third term is not caption_rows */
                    .cross_rows = 2 * z->caption_rows + z->batch * z->longest_caption + z->phrase_rows +
                                  (mlm ? z->caption_rows : 0),
                    .selected_rows = 3 * z->batch + z->phrase_rows + (mlm ? z->caption_rows : 0),
                    .longest = most(z->longest_caption, z->longest_phrase)};
}

static void plan_scratch(laip_step *s, laip_plan *r, const extent *x)
{
    const laip_model_config *m = &s->model->sizes;
    laip_device *d = s->model->device;
    size_t N = (size_t)laip_patch_count(m) + 1, B = s->sizes.batch, D = (size_t)m->width;
    size_t rows = most(B * N, most(x->text_rows, x->cross_rows)), hidden = D * (size_t)m->mlp;
    int heads = m->heads, head = m->width / m->heads;
    size_t reduce = most(laip_reduce_scratch(d, rows, hidden), laip_reduce_scratch(d, rows, 3 * D));
    reduce =
        most(reduce, laip_reduce_scratch(d, s->sizes.phrase_rows + s->sizes.caption_rows, (size_t)m->vocab));
    reduce = most(reduce, laip_reduce_scratch(d, most(B, s->sizes.phrases), 1));
    size_t vit = laip_attention_scratch(d, heads, head, B * N, B, N);
    size_t self = laip_attention_scratch(d, heads, head, most(x->text_rows, x->cross_rows),
                                         most(x->text_sequences, x->cross_sequences), x->longest);
    size_t cross = laip_attention_scratch(d, heads, head, x->cross_rows, B, N);
    s->context.reduce = laip_plan_mat(r, 1, reduce);
    s->context.attention = laip_plan_mat(r, 1, most(vit, most(self, cross)));
}

static void plan(laip_step *s, laip_plan *r)
{
    const laip_model_config *m = &s->model->sizes;
    const laip_step_sizes *z = &s->sizes;
    size_t D = (size_t)m->width, E = (size_t)m->embed, global = z->batch * z->micro_batches;
    laip_pass_kind kind = z->recompute ? LAIP_PASS_RECOMPUTE : LAIP_PASS_BACKWARD;
    extent x = extents(z, &s->loss);
    laip_queue_plan(&s->queue, r, global, (size_t)m->queue, E);
    laip_itc_plan(&s->itc, r, z->batch, global + (size_t)m->queue, D, E, s->loss.distill_alpha > 0);
    plan_scratch(s, r, &x);
    size_t mark = laip_plan_mark(r); /* the momentum pass is over when the rest begins */
    laip_vit_plan(&s->model->vit_m, &s->vit_m, r, z->batch, LAIP_PASS_CLS);
    laip_text_plan(&s->model->text_m, &s->text_m, r, z->batch, z->caption_rows, z->longest_caption,
                   LAIP_PASS_CLS);
    laip_plan_reset(r, mark);
    laip_vit_plan(&s->model->vit, &s->vit, r, z->batch, kind);
    laip_text_plan(&s->model->text, &s->text, r, x.text_sequences, x.text_rows, x.longest, kind);
    laip_cross_plan(&s->model->cross, &s->cross, r, x.cross_sequences, x.cross_rows, x.selected_rows,
                    x.longest, z->batch, kind);
    laip_itm_plan(&s->itm, r, z->batch, D);
    laip_mpm_plan(&s->mpm, r, m,
                  z->phrase_rows + (s->loss.weight[LAIP_LOSS_MLM] > 0 ? z->caption_rows : 0) + 1);
    laip_bidiratt_plan(&s->bidiratt, r, m, &s->loss, z->phrases + 1, z->phrase_rows + 1, z->batch);
}

static void prepare(laip_step *s, laip_model *model, const laip_loss_config *loss,
                    const laip_step_sizes *sizes)
{
    *s = (laip_step){.model = model, .loss = *loss, .sizes = *sizes};
    s->context.device = model->device;
    s->plan = laip_plan_create(model->device, "step");
    laip_plan_store(s->plan, (laip_store)model->sizes.storage);
    plan(s, s->plan);
}

static size_t pixel_bytes(const laip_step *s)
{
    return s->sizes.batch * s->vit.pixels.cols * sizeof(float);
}

laip_mem laip_step_feed(laip_step *s, const float *images, size_t count)
{
    if (s->fed != images) { /* a step of one micro-batch sends them once, for both passes */
        s->fed_mem = laip_feed_write(s->pixels, images, count * s->vit.pixels.cols * sizeof(float));
        s->fed = images;
    }
    return s->fed_mem;
}

size_t laip_step_bytes(laip_model *model, const laip_loss_config *loss, const laip_step_sizes *sizes)
{
    laip_step s;
    prepare(&s, model, loss, sizes);
    size_t bytes = laip_plan_bytes(s.plan);
    if (bytes != LAIP_TOO_LARGE)
        bytes += 2 * pixel_bytes(&s);
    laip_step_free(&s);
    return bytes;
}

bool laip_step_create(laip_step *s, laip_model *model, const laip_loss_config *loss,
                      const laip_step_sizes *sizes, uint64_t seed, laip_error *error)
{
    prepare(s, model, loss, sizes);
    s->seed = seed;
    if (!laip_plan_allocate(s->plan, error))
        return false;
    plan(s, s->plan);
    laip_queue_initialise(&s->queue, model->device, seed);
    /* whatever is a half may be too small for one */
    bool scaled =
        model->sizes.storage == LAIP_STORE_HALF || laip_precision_of(model->device) == LAIP_PRECISION_FP16;
    if (!laip_optimiser_create(&s->optimiser, &model->params, scaled, error))
        return false;
    s->context.report = s->optimiser.report;
    s->pixels = laip_feed_create(model->device, pixel_bytes(s));
    s->drawn = laip_download_create(model->device, 2 * sizes->batch * sizeof(int32_t));
    return laip_device_finish(model->device, error);
}

void laip_step_free(laip_step *s)
{
    if (s->keeps_packed)
        laip_gemm_cache_end(s->model->device);
    laip_optimiser_free(&s->optimiser);
    laip_download_free(s->drawn);
    laip_feed_free(s->pixels);
    laip_queue_free(&s->queue);
    laip_vit_pass_free(&s->vit);
    laip_vit_pass_free(&s->vit_m);
    laip_text_pass_free(&s->text);
    laip_text_pass_free(&s->text_m);
    laip_cross_pass_free(&s->cross);
    laip_plan_free(s->plan);
    *s = (laip_step){0};
}

void laip_step_keep_packed(laip_step *s)
{
    const laip_params *p = &s->model->params;
    laip_device *d = s->model->device;
    size_t have = laip_device_traits(d)->memory;
    size_t taken = laip_model_bytes(s->model, d) + laip_plan_bytes(s->plan);
    size_t limit = have > taken ? (have - taken) / 2 : 0;
    s->keeps_packed = true;
    for (size_t i = 0; i < p->count; i++) {
        laip_gemm_cache_begin(d, p->chunks[i].value.mem, limit);
        if (p->chunks[i].average.mem)
            laip_gemm_cache_begin(d, p->chunks[i].average.mem, limit);
    }
}

void laip_step_begin(laip_step *s, float momentum)
{
    laip_profiler_part(s->model->device, "optimiser");
    laip_optimiser_ema_update(&s->optimiser, momentum);
    laip_optimiser_begin(&s->optimiser);
    s->fed = NULL;
    laip_params_zero_gradients(&s->model->params);
}

/* The momentum encoder's masks are others than the online one's. */
#define MOMENTUM_MASKS 0x6d6f6d656e74756dULL

static void into_keys(laip_step *s, laip_mat keys, laip_mat f, size_t index)
{
    size_t row = keys.cols * sizeof(float), b = s->sizes.batch;
    laip_mem_copy(s->model->device, keys.mem, index * b * row, f.mem, 0, b * row);
}

void laip_step_momentum(laip_step *s, const laip_batch *batch, size_t index)
{
    laip_model *m = s->model;
    size_t b = (size_t)batch->size;
    laip_context c = s->context; /* without dropout, unless asked for: these features are targets */
    int32_t *cls = laip_alloc(b, sizeof *cls);
    laip_profiler_part(m->device, "momentum pass");
    laip_sequences *t = &s->text_m.tokens;
    laip_sequences_clear(t);
    for (size_t i = 0; i < b; i++) {
        cls[i] = (int32_t)i; /* both encoders give [CLS] alone */
        laip_sequences_add(t, (size_t)(batch->caption_begin[i + 1] - batch->caption_begin[i]), 0,
                           batch->sample[i]);
    }
    laip_sequences_upload(t, m->device, 0, 0);
    if (s->loss.momentum_dropout) {
        c.dropout = m->sizes.dropout;
        c.key = (laip_step_key){s->seed ^ MOMENTUM_MASKS, s->momentum_key};
    }
    laip_text_prepare(&m->text_m, &s->text_m, m->device, batch->caption_ids);
    laip_projection_rows(&s->itc.image_m, m->device, cls, b, b);
    laip_projection_rows(&s->itc.text_m, m->device, cls, b, b);

    s->vit_m.pixels.mem = laip_step_feed(s, batch->images_m ? batch->images_m : batch->images, b);
    laip_vit_forward(&m->vit_m, &s->vit_m, &c, b);
    laip_projection_forward(&s->itc.image_m, &m->vision_proj_m, &c, laip_rows(s->vit_m.out, b));
    laip_text_forward(&m->text_m, &s->text_m, &c);
    laip_projection_forward(&s->itc.text_m, &m->text_proj_m, &c, laip_rows(s->text_m.out, b));
    into_keys(s, s->queue.image, s->itc.image_m.f, index);
    into_keys(s, s->queue.text, s->itc.text_m.f, index);
    for (size_t i = 0; i < b; i++)
        s->queue.person[index * b + i] = batch->person[i];
    free(cls);
}

bool laip_step_end(laip_step *s, const laip_optimiser_config *o, uint64_t t, laip_error *error)
{
    laip_profiler_part(s->model->device, "optimiser");
    laip_optimiser_step(&s->optimiser, o, t, s->model->temperature->value);
    laip_gemm_cache_clear(s->model->device);
    laip_queue_push(&s->queue);
    return laip_device_ok(s->model->device, error);
}

bool laip_step_report(laip_step *s, laip_report *r)
{
    return laip_optimiser_report(&s->optimiser, r);
}

bool laip_step_report_last(laip_step *s, laip_report *r)
{
    return laip_optimiser_report_last(&s->optimiser, r);
}

laip_losses laip_step_losses_of(const laip_step *s, const laip_report *r)
{
    laip_losses v = {.total = 0};
    for (int i = 0; i < LAIP_LOSSES; i++) {
        v.value[i] = r->value[i];
        v.total += s->loss.weight[i] * v.value[i];
    }
    return v;
}

bool laip_step_losses(laip_step *s, laip_losses *losses, laip_error *error)
{
    float x[LAIP_REPORT_SIZE] = {0};
    laip_report r = {.step = 0};
    laip_mat_read(s->model->device, s->optimiser.report, x);
    for (int i = 0; i < LAIP_LOSSES; i++)
        r.value[i] = x[LAIP_REPORT_LOSSES + i];
    *losses = laip_step_losses_of(s, &r);
    return laip_device_ok(s->model->device, error);
}
