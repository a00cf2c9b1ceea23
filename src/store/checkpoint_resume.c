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

static bool load_queue(laip_checkpoint_reader *l, const char *path, laip_queue *q, laip_error *error)
{
    const char *const names[] = {"image_queue", "text_queue", "idx_queue", "queue_ptr"};
    size_t slots = q->slots, at[4] = {0};
    for (int i = 0; i < 4; i++) {
        size_t want = i < 2 ? slots * q->image.cols : i == 2 ? slots : 1;
        const laip_tensor_entry *t = laip_checkpoint_find(l, names[i], &at[i]);
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
    laip_checkpoint_reader l = {.model = model};
    bool good = laip_checkpoint_open(&l, path, error);
    const char *at = good ? laip_weights_metadata(&l.file, "step") : NULL,
               *phase = good ? laip_weights_metadata(&l.file, "phase") : NULL,
               *best = good ? laip_weights_metadata(&l.file, "best") : NULL;
    good = good && ((at && phase && best) ||
                    laip_bad_input(error, "%s: has no step, phase and best in its metadata", path));
    good = good && laip_checkpoint_each(model, true, laip_checkpoint_load_part, &l, error) &&
           laip_checkpoint_strict(&l, path, true, error) && load_queue(&l, path, &step->queue, error) &&
           read_scaling(path, laip_weights_metadata(&l.file, "loss_scale"), &step->scaling, error);
    if (good) {
        notes->step = strtoull(at, NULL, 10);
        notes->phase = (int)strtol(phase, NULL, 10);
        notes->best = strtod(best, NULL);
    }
    laip_checkpoint_close(&l);
    return good && laip_device_ok(model->device, error);
}
