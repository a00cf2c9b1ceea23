/* The whole state of a run, read back. */
#include "store/checkpoint_internal.h"

#include "base/memory.h"
#include <stdlib.h>

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

bool laip_checkpoint_resume(const char *path, laip_model *model, laip_step *step,
                            laip_checkpoint_notes *notes, laip_error *error)
{
    laip_checkpoint_reader l = {.model = model};
    bool good = laip_checkpoint_open(&l, path, NULL, laip_weights_name, error);
    const char *at = good ? laip_weights_metadata(&l.file, "step") : NULL,
               *phase = good ? laip_weights_metadata(&l.file, "phase") : NULL,
               *best = good ? laip_weights_metadata(&l.file, "best") : NULL;
    good = good && ((at && phase && best) ||
                    laip_bad_input(error, "%s: has no step, phase and best in its metadata", path));
    laip_scaling scaling = laip_optimiser_scaling(&step->optimiser);
    good = good && laip_checkpoint_each(model, true, laip_checkpoint_load_part, &l, error) &&
           laip_checkpoint_strict(&l, path, NULL, error) &&
           laip_checkpoint_read_queue(&l, path, &step->queue, error) &&
           read_scaling(path, laip_weights_metadata(&l.file, "loss_scale"), &scaling, error);
    if (good)
        laip_optimiser_set_scaling(&step->optimiser, scaling);
    good = good && laip_checkpoint_numbers(&l.file, notes, error);
    laip_checkpoint_close(&l);
    return good && laip_device_ok(model->device, error);
}
