/* Writing a checkpoint. */
#include "store/checkpoint_internal.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>

typedef struct saver {
    laip_safetensors_writer w;
    laip_model *model;
    const char *path;
    laip_error error; /* the first; with moments that ranks share out all parts are read all the same */
} saver;

static bool declare(void *context, laip_param *q, laip_part *part, const char *name, int which,
                    laip_error *error)
{
    saver *s = context;
    (void)q;
    (void)which;
    (void)error;
    laip_safetensors_declare(&s->w, name, LAIP_F32, part->rank, part->shape);
    return true;
}

static bool write_part(void *context, laip_param *q, laip_part *part, const char *name, int which,
                       laip_error *error)
{
    saver *s = context;
    size_t count = laip_part_count(part);
    float *values = laip_alloc(count, sizeof *values);
    bool good = s->error.status == LAIP_OK, together = s->model->params.together != NULL;
    if (good || (together && which > 1))
        laip_params_read(&s->model->params, q, part, which, values);
    for (size_t i = 0; good && i < count; i++)
        if (!isfinite(values[i]))
            good = laip_failure(&s->error, "%s: is not written: element %zu of %s is not a finite number",
                                s->path, i, name);
    good = good && laip_device_ok(s->model->device, &s->error);
    if (good)
        laip_safetensors_write(&s->w, values, count * sizeof *values);
    free(values);
    *error = s->error;
    return good || together;
}

static bool contribute_part(void *context, laip_param *q, laip_part *part, const char *name, int which,
                            laip_error *error)
{
    laip_model *m = context;
    (void)name;
    (void)error;
    if (which > 1) {
        float *values = laip_alloc(laip_part_count(part), sizeof *values);
        laip_params_read(&m->params, q, part, which, values);
        free(values);
    }
    return true;
}

void laip_checkpoint_contribute(laip_model *model)
{
    laip_error ignored;
    if (model->params.together)
        laip_checkpoint_each(model, true, contribute_part, model, &ignored);
}

static void declare_queue(laip_safetensors_writer *w, const laip_queue *q)
{
    size_t shape[2] = {q->image.cols, q->slots}, one = 1;
    laip_safetensors_declare(w, "image_queue", LAIP_F32, 2, shape);
    laip_safetensors_declare(w, "text_queue", LAIP_F32, 2, shape);
    laip_safetensors_declare(w, "idx_queue", LAIP_I32, 1, &q->slots);
    laip_safetensors_declare(w, "queue_ptr", LAIP_I32, 1, &one);
}

static void write_queue(laip_safetensors_writer *w, laip_queue *q)
{
    size_t count = q->slots * q->image.cols;
    float *values = laip_alloc(count, sizeof *values);
    int32_t pointer = (int32_t)q->pointer;
    laip_queue_read(q, q->image, values);
    laip_safetensors_write(w, values, count * sizeof *values);
    laip_queue_read(q, q->text, values);
    laip_safetensors_write(w, values, count * sizeof *values);
    laip_safetensors_write(w, q->person + q->batch, q->slots * sizeof(int32_t));
    laip_safetensors_write(w, &pointer, sizeof pointer);
    free(values);
}

static void note(laip_safetensors_writer *w, const laip_model_config *m, const laip_checkpoint_notes *n)
{
    char text[64];
    snprintf(text, sizeof text, "%dx%d", m->image_height / m->patch, m->image_width / m->patch);
    laip_safetensors_metadata_add(w, "grid", text); /* of the position table */
    laip_safetensors_metadata_add(w, "format", "pt");
    if (n->config)
        laip_safetensors_metadata_add(w, "config", n->config);
    if (n->vocab)
        laip_safetensors_metadata_add(w, "vocab", n->vocab);
    snprintf(text, sizeof text, "%llu", (unsigned long long)n->step);
    laip_safetensors_metadata_add(w, "step", text);
    snprintf(text, sizeof text, "%d", n->phase);
    laip_safetensors_metadata_add(w, "phase", text);
    snprintf(text, sizeof text, "%.17g", n->best);
    laip_safetensors_metadata_add(w, "best", text);
    if (n->data) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)n->data);
        laip_safetensors_metadata_add(w, "data", text);
    }
}

static void note_scaling(laip_safetensors_writer *w, const laip_scaling *l)
{
    char text[96];
    snprintf(text, sizeof text, "%.9g %llu %llu", (double)l->scale, (unsigned long long)l->good,
             (unsigned long long)l->skipped);
    laip_safetensors_metadata_add(w, "loss_scale", text);
}

bool laip_checkpoint_save(const char *path, laip_model *model, laip_step *step,
                          const laip_checkpoint_notes *notes, laip_error *error)
{
    saver s = {.model = model, .path = path};
    note(&s.w, &model->sizes, notes);
    if (step) {
        laip_scaling scaling = laip_optimiser_scaling(&step->optimiser);
        note_scaling(&s.w, &scaling);
    }
    laip_checkpoint_each(model, step != NULL, declare, &s, error);
    if (step)
        declare_queue(&s.w, &step->queue);
    laip_safetensors_begin(&s.w, path, &s.error);
    laip_checkpoint_each(model, step != NULL, write_part, &s, error);
    bool good = s.error.status == LAIP_OK;
    *error = s.error;
    if (good && step)
        write_queue(&s.w, &step->queue);
    if (good && laip_device_ok(model->device, error))
        return laip_safetensors_end(&s.w, error);
    laip_safetensors_cancel(&s.w);
    return false;
}
