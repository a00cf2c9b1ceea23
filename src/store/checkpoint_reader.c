/* The tensors of a file, found by name and checked against the model. */
#include "store/checkpoint_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const prefixes[] = {"", NULL, "exp_avg.",
                                       "exp_avg_sq."}; /* by `which` of laip_params_read */

bool laip_checkpoint_each(laip_model *m, bool state, laip_checkpoint_visit *visit, void *context,
                          laip_error *error)
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
                    if (!visit(context, tables[t]->params[i], part, name, which, error))
                        return false;
                }
        }
    return true;
}

bool laip_checkpoint_open(laip_checkpoint_reader *l, const char *path, const char *key,
                          laip_checkpoint_namer *namer, laip_error *error)
{
    char name[300];
    int32_t other;
    bool good = laip_weights_open_key(&l->file, path, key, error);
    if (good)
        laip_weights_tell(&l->file);
    for (size_t i = 0; good && i < l->file.count; i++) {
        namer(l->file.tensors[i].name, name);
        l->renamed += strcmp(name, l->file.tensors[i].name) != 0;
        if (laip_map_get(&l->index, name, strlen(name), &other))
            good = laip_bad_input(error, "%s: %s and %s are both %s", path, l->file.tensors[other].name,
                                  l->file.tensors[i].name, name);
        laip_map_set(&l->index, name, strlen(name), (int32_t)i);
    }
    return good;
}

void laip_checkpoint_close(laip_checkpoint_reader *l)
{
    laip_weights_close(&l->file);
    laip_map_free(&l->index);
}

const laip_tensor_entry *laip_checkpoint_find(const laip_checkpoint_reader *l, const char *name, size_t *at)
{
    int32_t i;
    if (!laip_map_get(&l->index, name, strlen(name), &i))
        return NULL;
    *at = (size_t)i;
    return &l->file.tensors[i];
}

/* Everything that does not fit is told; the first of it goes into the error's line. */
static void misfit(laip_checkpoint_reader *l, size_t *count, const char *format, ...) LAIP_PRINTF(3, 4);
static void misfit(laip_checkpoint_reader *l, size_t *count, const char *format, ...)
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

/* What the names of missing tensors have in common is what to say in init.allow_missing. */
static void miss(laip_checkpoint_reader *l, const char *name)
{
    size_t n = 0;
    if (!l->missing)
        snprintf(l->common, sizeof l->common, "%s", name);
    while (l->common[n] && l->common[n] == name[n])
        n++;
    l->common[n] = 0;
    misfit(l, &l->missing, "%s is missing", name);
}

/* Evaluation never predicts masked words. */
static bool is_needless(const laip_checkpoint_reader *l, const char *name)
{
    return !l->model->training && strncmp(name, "text_encoder.cls.", 17) == 0;
}

static void clear_part(laip_checkpoint_reader *l, laip_param *q, laip_part *part)
{
    float *zeros = laip_alloc(laip_part_count(part), sizeof *zeros);
    laip_params_write(&l->model->params, q, part, 0, zeros);
    free(zeros);
}

/* A position table of another grid than the model's. */
static bool is_positions(const laip_checkpoint_reader *l, const laip_tensor_entry *t, const laip_part *part,
                         const char *name, size_t *rows, size_t *cols)
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

bool laip_checkpoint_load_part(void *context, laip_param *q, laip_part *part, const char *name, int which,
                               laip_error *error)
{
    laip_checkpoint_reader *l = context;
    size_t at = 0, rows, cols;
    const laip_tensor_entry *entry = laip_checkpoint_find(l, name, &at);
    laip_tensor_entry t;
    char have[100], want[100];
    if (!entry) {
        if (is_needless(l, name))
            clear_part(l, q, part);
        else if (laip_weights_allowed(l->allowed, name))
            l->initialised++;
        else
            miss(l, name);
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
    for (size_t i = 0; good && i < t.count; i++)
        if (!isfinite(values[i]))
            good = laip_bad_input(error, "%s: element %zu is not a finite number", name, i);
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

/* What a person could do about it, where it is only that something is missing. */
static void hint(const laip_checkpoint_reader *l, char text[400])
{
    text[0] = 0;
    if (!l->model->training || l->misshapen + l->unexpected)
        return;
    if (l->common[0])
        snprintf(text, 400, "; init.allow_missing=%s lets them begin with initial values", l->common);
    else
        snprintf(text, 400, "; init.allow_missing names prefixes of what may begin with initial values");
}

bool laip_checkpoint_strict(laip_checkpoint_reader *l, const char *path, laip_checkpoint_namer *namer,
                            laip_error *error)
{
    char name[300], help[400];
    for (size_t i = 0; i < l->file.count && namer; i++) {
        laip_param *q;
        laip_part *part;
        namer(l->file.tensors[i].name, name);
        /* the momentum copies of a model that is not trained are nobody's */
        bool momentum = strstr(name, "_m.") != NULL && !l->model->training;
        if (!laip_model_find(l->model, name, &q, &part) && !momentum && !laip_weights_ignored(name))
            misfit(l, &l->unexpected, "%s is unexpected", name);
    }
    hint(l, help);
    if (l->missing + l->misshapen + l->unexpected)
        return laip_bad_input(
            error, "%s: does not fit the model: %s (%zu missing, %zu of another shape, %zu unexpected)%s",
            path, l->first, l->missing, l->misshapen, l->unexpected, help);
    return true;
}
