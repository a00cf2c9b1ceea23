#include "store/checkpoint.h"

#include "base/log.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

static const char *const prefixes[] = {"", NULL, "first.", "second."}; /* by `which` of laip_params_read */

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

static void note(laip_safetensors_writer *w, const laip_checkpoint_notes *n)
{
    char text[64];
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

bool laip_checkpoint_save(const char *path, laip_model *model, laip_step *step,
                          const laip_checkpoint_notes *notes, laip_error *error)
{
    saver s = {.model = model};
    note(&s.w, notes);
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
    laip_safetensors file;
    laip_model *model;
    const char *allowed;
    size_t missing, misshapen, loaded;
    char first[300];
} loader;

static bool allowed(const char *prefixes_list, const char *name)
{
    for (const char *p = prefixes_list; p && *p;) {
        size_t n = strcspn(p, ",");
        if (n && strncmp(name, p, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

static bool same_shape(const laip_tensor_entry *t, const laip_part *part)
{
    if (t->count != laip_part_count(part))
        return false;
    if (t->rank != part->rank) /* a scalar may be stored as [1] */
        return t->count == 1;
    for (int i = 0; i < t->rank; i++)
        if (t->shape[i] != part->shape[i])
            return false;
    return true;
}

static void shape_text(int rank, const size_t *shape, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%zu", i ? ", " : "", shape[i]);
    if (used < size)
        snprintf(text + used, size - used, "]");
}

static bool load_part(void *context, laip_param *q, laip_part *part, const char *name, int which,
                      laip_error *error)
{
    loader *l = context;
    const laip_tensor_entry *t = laip_safetensors_find(&l->file, name);
    char have[100], want[100];
    if (!t) {
        if (!allowed(l->allowed, name) && !l->missing++ && !l->misshapen)
            snprintf(l->first, sizeof l->first, "%s is missing", name);
        return true;
    }
    if (!same_shape(t, part)) {
        shape_text(t->rank, t->shape, have, sizeof have);
        shape_text(part->rank, part->shape, want, sizeof want);
        if (!l->misshapen++ && !l->missing)
            snprintf(l->first, sizeof l->first, "%s is %s, expected %s", name, have, want);
        return true;
    }
    float *values = laip_alloc(t->count, sizeof *values);
    bool good = laip_tensor_floats(t, values, error);
    if (good)
        laip_params_write(&l->model->params, q, part, which, values);
    free(values);
    l->loaded++;
    return good || laip_error_prefix(error, "%s", l->file.path);
}

static bool strict(loader *l, const char *path, bool state, laip_error *error)
{
    size_t unexpected = 0;
    for (size_t i = 0; i < l->file.count && !state; i++) {
        const char *name = l->file.tensors[i].name;
        laip_param *q;
        laip_part *part;
        bool known = laip_model_find(l->model, name, &q, &part) || strstr(name, "_queue") ||
                     strcmp(name, "queue_ptr") == 0 || strncmp(name, "first.", 6) == 0 ||
                     strncmp(name, "second.", 7) == 0 || strstr(name, "_m.");
        if (!known && !unexpected++ && !l->missing && !l->misshapen)
            snprintf(l->first, sizeof l->first, "%s is unexpected", name);
    }
    if (l->missing + l->misshapen + unexpected)
        return laip_bad_input(
            error, "%s: does not fit the model: %s (%zu missing, %zu of another shape, %zu unexpected)", path,
            l->first, l->missing, l->misshapen, unexpected);
    return true;
}

bool laip_checkpoint_load(const char *path, laip_model *model, const char *allow_missing, laip_error *error)
{
    loader l = {.model = model, .allowed = allow_missing};
    if (!laip_safetensors_open(&l.file, path, error))
        return false;
    bool good = each_tensor(model, false, load_part, &l, error) && strict(&l, path, false, error);
    laip_safetensors_close(&l.file);
    if (good && model->training)
        laip_params_copy_average(&model->params);
    if (good)
        laip_note("%s: %zu tensors loaded", path, l.loaded);
    return good && laip_device_ok(model->device, error);
}

static bool load_queue(loader *l, const char *path, laip_queue *q, laip_error *error)
{
    const char *const names[] = {"image_queue", "text_queue", "idx_queue", "queue_ptr"};
    const laip_tensor_entry *t[4];
    for (int i = 0; i < 4; i++) {
        size_t want = i < 2 ? q->slots * q->image.cols : i == 2 ? q->slots : 1;
        t[i] = laip_safetensors_find(&l->file, names[i]);
        if (!t[i] || t[i]->count != want)
            return laip_bad_input(error, "%s: %s has %zu elements, expected %zu", path, names[i],
                                  t[i] ? t[i]->count : 0, want);
    }
    float *values = laip_alloc(t[0]->count, sizeof *values);
    int32_t pointer = 0;
    bool good = laip_tensor_floats(t[0], values, error);
    laip_queue_write(q, q->image, values);
    good = good && laip_tensor_floats(t[1], values, error);
    laip_queue_write(q, q->text, values);
    good = good && laip_tensor_ints(t[2], q->person + q->batch, error) &&
           laip_tensor_ints(t[3], &pointer, error);
    free(values);
    if (!good)
        return laip_error_prefix(error, "%s", path);
    if (pointer < 0 || (pointer && (size_t)pointer >= q->slots))
        return laip_bad_input(error, "%s: queue_ptr is %d, expected a slot of %zu", path, (int)pointer,
                              q->slots);
    q->pointer = (size_t)pointer;
    return true;
}

bool laip_checkpoint_resume(const char *path, laip_model *model, laip_step *step,
                            laip_checkpoint_notes *notes, laip_error *error)
{
    loader l = {.model = model};
    if (!laip_safetensors_open(&l.file, path, error))
        return false;
    const char *at = laip_safetensors_metadata(&l.file, "step"),
               *phase = laip_safetensors_metadata(&l.file, "phase");
    const char *best = laip_safetensors_metadata(&l.file, "best");
    bool good = (at && phase && best) ||
                laip_bad_input(error, "%s: has no step, phase and best in its metadata", path);
    good = good && each_tensor(model, true, load_part, &l, error) && strict(&l, path, true, error) &&
           load_queue(&l, path, &step->queue, error);
    if (good) {
        notes->step = strtoull(at, NULL, 10);
        notes->phase = (int)strtol(phase, NULL, 10);
        notes->best = strtod(best, NULL);
    }
    laip_safetensors_close(&l.file);
    return good && laip_device_ok(model->device, error);
}

bool laip_checkpoint_notes_read(const char *path, char **config, char **vocab, uint64_t *step,
                                laip_error *error)
{
    laip_safetensors file;
    if (!laip_safetensors_open(&file, path, error))
        return false;
    const char *c = laip_safetensors_metadata(&file, "config"),
               *v = laip_safetensors_metadata(&file, "vocab");
    const char *s = laip_safetensors_metadata(&file, "step");
    bool good = (c && v) || laip_bad_input(error, "%s: has no config and vocabulary in its metadata", path);
    if (good) {
        *config = laip_strdup(c);
        *vocab = laip_strdup(v);
        *step = s ? strtoull(s, NULL, 10) : 0;
    }
    laip_safetensors_close(&file);
    return good;
}
