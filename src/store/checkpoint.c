#include "store/checkpoint.h"

#include "base/log.h"
#include "base/memory.h"
#include "store/weights.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const prefixes[] = {"", NULL, "exp_avg.",
                                       "exp_avg_sq."}; /* by `which` of laip_params_read */

typedef bool visit(void *context, laip_param *q, laip_part *part, const char *name, int which,
                   laip_error *error);

/* Every tensor of a checkpoint, in its order: online weights, and with `state` the momentum copies and the
 * moments. */
static bool each_tensor(laip_model *m, bool state, visit *f, void *context, laip_error *error)
{
    const laip_table *tables[] = {&m->table, &m->table_m};
    for (int which = 0; which < 4; which++)
        for (int t = 0; t < 2; t++) {
            if (!prefixes[which] || (!state && (which || t)) || (which && t))
                continue;
            for (size_t i = 0; i < tables[t]->count; i++)
                for (int k = 0; k < tables[t]->params[i]->parts; k++) {
                    laip_part *part = &tables[t]->params[i]->part[k];
                    char name[300];
                    snprintf(name, sizeof name, "%s%s", prefixes[which], part->name);
                    if (!f(context, tables[t]->params[i], part, name, which, error))
                        return false;
                }
        }
    return true;
}

typedef struct saver {
    laip_safetensors_writer w;
    laip_model *model;
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
    (void)name;
    laip_params_read(&s->model->params, q, part, which, values);
    laip_safetensors_write(&s->w, values, count * sizeof *values);
    free(values);
    return laip_device_ok(s->model->device, error);
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
}

static void note_scaling(laip_safetensors_writer *w, const laip_scaling *l)
{
    char text[96];
    snprintf(text, sizeof text, "%.9g %llu %llu", (double)l->scale, (unsigned long long)l->good,
             (unsigned long long)l->skipped);
    laip_safetensors_metadata_add(w, "loss_scale", text);
}

/* A file that has none, or that of a run with floats, keeps the scale that the step begins with. */
static bool read_scaling(const char *path, const char *text, laip_scaling *l, laip_error *error)
{
    unsigned long long good, skipped;
    float scale;
    if (!text)
        return true;
    if (sscanf(text, "%f %llu %llu", &scale, &good, &skipped) != 3 || !(scale >= 1))
        return laip_bad_input(error, "%s: loss_scale is %s, expected a scale of 1 or more and two counts",
                              path, text);
    if (scale > 1 && l->scale > 1)
        l->scale = scale, l->good = good;
    l->skipped = skipped;
    return true;
}

bool laip_checkpoint_save(const char *path, laip_model *model, laip_step *step,
                          const laip_checkpoint_notes *notes, laip_error *error)
{
    saver s = {.model = model};
    note(&s.w, &model->sizes, notes);
    if (step)
        note_scaling(&s.w, &step->scaling);
    each_tensor(model, step != NULL, declare, &s, error);
    if (step)
        declare_queue(&s.w, &step->queue);
    if (!laip_safetensors_begin(&s.w, path, error))
        return false;
    if (!each_tensor(model, step != NULL, write_part, &s, error)) {
        laip_safetensors_cancel(&s.w);
        return false;
    }
    if (step)
        write_queue(&s.w, &step->queue);
    return laip_device_ok(model->device, error) && laip_safetensors_end(&s.w, error);
}

typedef struct loader {
    laip_weights file;
    laip_map index; /* tensor of the file by its own name */
    laip_model *model;
    const char *allowed;
    size_t missing, misshapen, unexpected, loaded, renamed, resized, retyped, initialised;
    char first[300];
} loader;

static bool open_loader(loader *l, const char *path, laip_error *error)
{
    char name[300];
    int32_t other;
    bool good = laip_weights_open(&l->file, path, error);
    for (size_t i = 0; good && i < l->file.count; i++) {
        laip_weights_name(l->file.tensors[i].name, name);
        l->renamed += strcmp(name, l->file.tensors[i].name) != 0;
        if (laip_map_get(&l->index, name, strlen(name), &other))
            good = laip_bad_input(error, "%s: %s and %s are both %s", path, l->file.tensors[other].name,
                                  l->file.tensors[i].name, name);
        laip_map_set(&l->index, name, strlen(name), (int32_t)i);
    }
    return good;
}

static void close_loader(loader *l)
{
    laip_weights_close(&l->file);
    laip_map_free(&l->index);
}

/* The entry of a name; data not read.  NULL: none. */
static const laip_tensor_entry *find(const loader *l, const char *name, size_t *at)
{
    int32_t i;
    if (!laip_map_get(&l->index, name, strlen(name), &i))
        return NULL;
    *at = (size_t)i;
    return &l->file.tensors[i];
}

/* Everything that does not fit is told; the first of it goes into the error's line. */
static void misfit(loader *l, size_t *count, const char *format, ...) LAIP_PRINTF(3, 4);
static void misfit(loader *l, size_t *count, const char *format, ...)
{
    char text[300];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (l->missing + l->misshapen + l->unexpected == 0)
        snprintf(l->first, sizeof l->first, "%s", text);
    ++*count;
    laip_note("%s: %s", l->file.path, text);
}

/* A position table of another grid than the model's. */
static bool is_positions(const loader *l, const laip_tensor_entry *t, const laip_part *part, const char *name,
                         size_t *rows, size_t *cols)
{
    return part->rank == 3 && laip_weights_grid(&l->file, name, t, rows, cols) &&
           t->shape[2] == (size_t)l->model->sizes.width;
}

static float *resized(const laip_model_config *m, const float *from, size_t rows, size_t cols)
{
    size_t to_rows = (size_t)(m->image_height / m->patch), to_cols = (size_t)(m->image_width / m->patch);
    float *to = laip_alloc((to_rows * to_cols + 1) * (size_t)m->width, sizeof *to);
    laip_resize_positions(from, rows, cols, to, to_rows, to_cols, (size_t)m->width);
    return to;
}

static bool load_part(void *context, laip_param *q, laip_part *part, const char *name, int which,
                      laip_error *error)
{
    loader *l = context;
    size_t at = 0, rows, cols;
    const laip_tensor_entry *entry = find(l, name, &at);
    laip_tensor_entry t;
    char have[100], want[100];
    if (!entry) {
        if (laip_weights_allowed(l->allowed, name))
            l->initialised++;
        else
            misfit(l, &l->missing, "%s is missing", name);
        return true;
    }
    bool fits = laip_part_fits(part, entry->rank, entry->shape),
         positions = !fits && is_positions(l, entry, part, name, &rows, &cols);
    if (!fits && !positions) {
        laip_shape_text(entry->rank, entry->shape, have, sizeof have);
        laip_shape_text(part->rank, part->shape, want, sizeof want);
        misfit(l, &l->misshapen, "%s is %s, expected %s", name, have, want);
        return true;
    }
    if (!laip_weights_load(&l->file, at, &t, error))
        return false;
    float *values = laip_alloc(t.count, sizeof *values);
    bool good = laip_tensor_floats(&t, values, error);
    if (good && positions) {
        float *other = resized(&l->model->sizes, values, rows, cols);
        free(values);
        values = other;
    }
    if (good)
        laip_params_write(&l->model->params, q, part, which, values);
    free(values);
    l->loaded++;
    l->resized += positions;
    l->retyped += t.type != LAIP_F32;
    return good || laip_error_prefix(error, "%s", l->file.path);
}

static bool strict(loader *l, const char *path, bool state, laip_error *error)
{
    char name[300];
    for (size_t i = 0; i < l->file.count && !state; i++) {
        laip_param *q;
        laip_part *part;
        laip_weights_name(l->file.tensors[i].name, name);
        /* the momentum copies of a model that is not trained are nobody's */
        bool momentum = strstr(name, "_m.") != NULL && !l->model->training;
        if (!laip_model_find(l->model, name, &q, &part) && !momentum && !laip_weights_ignored(name))
            misfit(l, &l->unexpected, "%s is unexpected", name);
    }
    if (l->missing + l->misshapen + l->unexpected)
        return laip_bad_input(
            error, "%s: does not fit the model: %s (%zu missing, %zu of another shape, %zu unexpected)", path,
            l->first, l->missing, l->misshapen, l->unexpected);
    return true;
}

/* Momentum copies are those of the file where it has all of them, else those of the online weights. */
static bool load_momentum(loader *l, laip_error *error)
{
    const laip_table *table = &l->model->table_m;
    size_t at, here = 0, all = 0;
    for (size_t i = 0; i < table->count; i++)
        for (int k = 0; k < table->params[i]->parts; k++, all++)
            here += find(l, table->params[i]->part[k].name, &at) != NULL;
    if (!here || here < all) {
        laip_params_copy_average(&l->model->params);
        if (here)
            laip_note("%s: %zu of %zu momentum copies; all are taken from the online weights", l->file.path,
                      here, all);
        return true;
    }
    for (size_t i = 0; i < table->count; i++)
        for (int k = 0; k < table->params[i]->parts; k++)
            if (!load_part(l, table->params[i], &table->params[i]->part[k], table->params[i]->part[k].name, 0,
                           error))
                return false;
    return true;
}

bool laip_checkpoint_load(const char *path, laip_model *model, const char *allow_missing, laip_error *error)
{
    loader l = {.model = model, .allowed = allow_missing};
    bool good = open_loader(&l, path, error) && each_tensor(model, false, load_part, &l, error) &&
                (!model->training || load_momentum(&l, error)) && strict(&l, path, false, error);
    if (good)
        laip_note("%s: %zu tensors loaded (%zu renamed, %zu of other types, %zu positions resized), %zu left "
                  "as initialised",
                  path, l.loaded, l.renamed, l.retyped, l.resized, l.initialised);
    close_loader(&l);
    return good && laip_device_ok(model->device, error);
}

static bool load_queue(loader *l, const char *path, laip_queue *q, laip_error *error)
{
    const char *const names[] = {"image_queue", "text_queue", "idx_queue", "queue_ptr"};
    size_t slots = q->slots, at[4] = {0};
    for (int i = 0; i < 4; i++) {
        size_t want = i < 2 ? slots * q->image.cols : i == 2 ? slots : 1;
        const laip_tensor_entry *t = find(l, names[i], &at[i]);
        if (!t || t->count != want)
            return laip_bad_input(error, "%s: %s has %zu elements, expected %zu", path, names[i],
                                  t ? t->count : 0, want);
    }
    float *values = laip_alloc(slots * q->image.cols, sizeof *values);
    int32_t pointer = 0;
    bool good = true;
    for (int i = 0; good && i < 4; i++) {
        laip_tensor_entry t;
        good = laip_weights_load(&l->file, at[i], &t, error) &&
               (i < 2 ? laip_tensor_floats(&t, values, error)
                      : laip_tensor_ints(&t, i == 2 ? q->person + q->batch : &pointer, error));
        if (good && i < 2)
            laip_queue_write(q, i ? q->text : q->image, values);
    }
    free(values);
    if (!good)
        return laip_error_prefix(error, "%s", path);
    if (pointer < 0 || (pointer && (size_t)pointer >= slots))
        return laip_bad_input(error, "%s: queue_ptr is %d, expected a slot of %zu", path, (int)pointer,
                              slots);
    q->pointer = (size_t)pointer;
    return true;
}

bool laip_checkpoint_resume(const char *path, laip_model *model, laip_step *step,
                            laip_checkpoint_notes *notes, laip_error *error)
{
    loader l = {.model = model};
    bool good = open_loader(&l, path, error);
    const char *at = good ? laip_weights_metadata(&l.file, "step") : NULL,
               *phase = good ? laip_weights_metadata(&l.file, "phase") : NULL,
               *best = good ? laip_weights_metadata(&l.file, "best") : NULL;
    good = good && ((at && phase && best) ||
                    laip_bad_input(error, "%s: has no step, phase and best in its metadata", path));
    good = good && each_tensor(model, true, load_part, &l, error) && strict(&l, path, true, error) &&
           load_queue(&l, path, &step->queue, error) &&
           read_scaling(path, laip_weights_metadata(&l.file, "loss_scale"), &step->scaling, error);
    if (good) {
        notes->step = strtoull(at, NULL, 10);
        notes->phase = (int)strtol(phase, NULL, 10);
        notes->best = strtod(best, NULL);
    }
    close_loader(&l);
    return good && laip_device_ok(model->device, error);
}

bool laip_checkpoint_notes_read(const char *path, char **config, char **vocab, uint64_t *step,
                                laip_error *error)
{
    laip_weights file;
    if (!laip_weights_open(&file, path, error))
        return false;
    const char *c = laip_weights_metadata(&file, "config"), *v = laip_weights_metadata(&file, "vocab");
    const char *s = laip_weights_metadata(&file, "step");
    bool good = (c && v) || laip_bad_input(error,
                                           "%s: has no config and vocabulary in its metadata; --config and "
                                           "--vocab give them",
                                           path);
    if (good) {
        *config = laip_strdup(c);
        *vocab = laip_strdup(v);
        *step = s ? strtoull(s, NULL, 10) : 0;
    }
    laip_weights_close(&file);
    return good;
}
