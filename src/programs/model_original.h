/* Weights as the code of ALBEF and RaSa loads them. */
#ifndef LAIP_PROGRAMS_MODEL_ORIGINAL_H
#define LAIP_PROGRAMS_MODEL_ORIGINAL_H

#include "store/tensor.h"

/* Where its tensors come from: count of them, by their names here; read gives the elements of one, which the
 * caller frees. */
typedef struct laip_original_source {
    size_t count;
    const laip_tensor_entry *tensors; /* data unused */
    bool (*read)(void *context, size_t tensor, void **data, laip_error *error);
    void *context;
    bool shorter; /* names without ".bert", as retrieval models have them */
} laip_original_source;

/* Writes a .pth with {"model": …}: the tensors, momentum copies of all that theirs has (the online values
 * where the source has none), the tied decoder, position_ids, and queues in their types.  A run's moments are
 * left out. */
bool laip_original_write(const char *path, const laip_original_source *source, size_t *written,
                         laip_error *error);

#endif
