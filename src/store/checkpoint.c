/* Weights of a checkpoint into a model, and a checkpoint's notes. */
#include "store/checkpoint_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Momentum copies are those of the file where it has all of them, else those of the online weights. */
static bool load_momentum(laip_checkpoint_reader *l, laip_error *error)
{
    const laip_table *table = &l->model->table_m;
    size_t at, here = 0, all = 0;
    for (size_t i = 0; i < table->count; i++)
        for (int k = 0; k < table->params[i]->parts; k++, all++)
            here += laip_checkpoint_find(l, table->params[i]->part[k].name, &at) != NULL;
    if (!here || here < all) {
        laip_params_copy_average(&l->model->params);
        if (here)
            laip_note("%s: %zu of %zu momentum copies; all are taken from the online weights", l->file.path,
                      here, all);
        return true;
    }
    for (size_t i = 0; i < table->count; i++)
        for (int k = 0; k < table->params[i]->parts; k++)
            if (!laip_checkpoint_load_part(l, table->params[i], &table->params[i]->part[k],
                                           table->params[i]->part[k].name, 0, error))
                return false;
    return true;
}

bool laip_checkpoint_load(const char *path, const char *key, laip_model *model, const char *allow_missing,
                          laip_error *error)
{
    laip_checkpoint_reader l = {.model = model, .allowed = allow_missing};
    bool good = laip_checkpoint_open(&l, path, key, laip_weights_name, error) &&
                laip_checkpoint_each(model, false, laip_checkpoint_load_part, &l, error) &&
                (!model->training || load_momentum(&l, error)) &&
                laip_checkpoint_strict(&l, path, laip_weights_name, error);
    if (good)
        laip_note("%s: %zu tensors loaded (%zu renamed, %zu of other types, %zu positions resized), %zu left "
                  "as initialised",
                  path, l.loaded, l.renamed, l.retyped, l.resized, l.initialised);
    laip_checkpoint_close(&l);
    return good && laip_device_ok(model->device, error);
}

/* A whole number or, with decimals, any; 0 where the file has none of this key. */
static bool number(const laip_weights *file, const char *key, bool decimals, double *value, uint64_t *whole,
                   laip_error *error)
{
    const char *text = laip_weights_metadata(file, key);
    char *end = NULL;
    *value = 0;
    *whole = 0;
    if (!text)
        return true;
    errno = 0;
    if (decimals)
        *value = strtod(text, &end);
    else
        *whole = strtoull(text, &end, 10);
    bool good = *text && !*end && !errno && isfinite(*value) &&
                (decimals || strspn(text, "0123456789") == strlen(text));
    return good || laip_bad_input(error, "%s: metadata %s is \"%.40s\", expected a %snumber", file->path, key,
                                  text, decimals ? "" : "whole ");
}

bool laip_checkpoint_numbers(const laip_weights *file, laip_checkpoint_notes *n, laip_error *error)
{
    double ignored;
    uint64_t phase, none;
    if (!number(file, "step", false, &ignored, &n->step, error) ||
        !number(file, "phase", false, &ignored, &phase, error) ||
        !number(file, "data", false, &ignored, &n->data, error) ||
        !number(file, "best", true, &n->best, &none, error))
        return false;
    n->phase = (int)phase;
    return phase <= 1000 || laip_bad_input(error, "%s: metadata phase is %llu, expected at most 1000",
                                           file->path, (unsigned long long)phase);
}

bool laip_checkpoint_notes_read(const char *path, char **config, char **vocab, laip_checkpoint_notes *notes,
                                laip_error *error)
{
    laip_weights file;
    if (!laip_weights_open(&file, path, error))
        return false;
    const char *c = laip_weights_metadata(&file, "config"), *v = laip_weights_metadata(&file, "vocab");
    bool good = (c && v) || laip_bad_input(error,
                                           "%s: has no config and vocabulary in its metadata; --config and "
                                           "--vocab give them",
                                           path);
    good = good && laip_checkpoint_numbers(&file, notes, error);
    if (good) {
        *config = laip_strdup(c);
        *vocab = laip_strdup(v);
    }
    laip_weights_close(&file);
    return good;
}
