/* Weights of a checkpoint into a model, and a checkpoint's notes. */
#include "store/checkpoint_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include <stdlib.h>

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
