/* Queues of past pairs: of a run that goes on, and of a checkpoint that a run begins from. */
#include "store/checkpoint_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

enum { IMAGE, TEXT, IDS, POINTER, PARTS };
static const char *const names[PARTS] = {"image_queue", "text_queue", "idx_queue", "queue_ptr"};

/* A part's elements: sides lie as [E, Q] in files, ids and the place of the next pair are whole numbers. */
static bool read_part(laip_checkpoint_reader *l, laip_queue *q, int part, size_t at, float *values,
                      int32_t *pointer, laip_error *error)
{
    laip_tensor_entry t;
    if (!laip_weights_load(&l->file, at, &t, error))
        return false;
    if (part >= IDS)
        return laip_tensor_ints(&t, part == IDS ? q->person + q->batch : pointer, error);
    if (!laip_tensor_floats(&t, values, error))
        return false;
    laip_queue_write(q, part == TEXT ? q->text : q->image, values);
    return true;
}

/* The parts that at names (SIZE_MAX: none). */
static bool read_parts(laip_checkpoint_reader *l, const char *path, laip_queue *q, const size_t *at,
                       laip_error *error)
{
    float *values = laip_alloc(q->slots * q->image.cols, sizeof *values);
    int32_t pointer = 0;
    bool good = true;
    for (int i = 0; good && i < PARTS; i++)
        good = at[i] == SIZE_MAX || read_part(l, q, i, at[i], values, &pointer, error);
    free(values);
    if (!good)
        return laip_error_prefix(error, "%s", path);
    if (pointer < 0 || (pointer && (size_t)pointer >= q->slots))
        return laip_bad_input(error, "%s: queue_ptr is %d, expected a slot of %zu", path, (int)pointer,
                              q->slots);
    q->pointer = (size_t)pointer;
    return true;
}

static size_t size_of(const laip_queue *q, int part)
{
    return part < IDS ? q->slots * q->image.cols : part == IDS ? q->slots : 1;
}

bool laip_checkpoint_read_queue(laip_checkpoint_reader *l, const char *path, laip_queue *q, laip_error *error)
{
    size_t at[PARTS];
    for (int i = 0; i < PARTS; i++) {
        const laip_tensor_entry *t = laip_checkpoint_find(l, names[i], &at[i]);
        if (!t || t->count != size_of(q, i))
            return laip_bad_input(error, "%s: %s has %zu elements, expected %zu", path, names[i],
                                  t ? t->count : 0, size_of(q, i));
    }
    return read_parts(l, path, q, at, error);
}

/* Whether both sides are there as [E, Q]; ids and pointer may be missing, and are then SIZE_MAX. */
static bool fits(const laip_checkpoint_reader *l, const laip_queue *q, size_t *at, bool *any)
{
    bool good = true;
    for (int i = 0; i < PARTS; i++) {
        const laip_tensor_entry *t = laip_checkpoint_find(l, names[i], &at[i]);
        bool right =
            t && (i >= IDS ? t->count == size_of(q, i)
                           : t->rank == 2 && t->shape[0] == q->image.cols && t->shape[1] == q->slots);
        if (!t)
            at[i] = SIZE_MAX;
        *any |= t && i < IDS;
        good &= right || (!t && i >= IDS);
    }
    return good;
}

bool laip_checkpoint_load_queue(const char *path, const char *key, laip_queue *q, laip_error *error)
{
    laip_checkpoint_reader l = {.model = NULL};
    size_t at[PARTS];
    bool any = false, good = laip_weights_open_key(&l.file, path, key, error);
    for (size_t i = 0; good && i < l.file.count; i++)
        laip_map_set(&l.index, l.file.tensors[i].name, strlen(l.file.tensors[i].name), (int32_t)i);
    if (good && q->slots && fits(&l, q, at, &any)) {
        good = read_parts(&l, path, q, at, error);
        if (good)
            laip_note("%s: its queues of %zu pairs are taken%s", path, q->slots,
                      at[IDS] == SIZE_MAX ? ", which are of no known persons" : "");
    } else if (good && any)
        laip_note("%s: its queues are of another size than %zu pairs of %zu numbers, and begin anew", path,
                  q->slots, q->image.cols);
    laip_checkpoint_close(&l);
    return good;
}
