/* What one micro-batch holds: pictures, captions, phrases, masked words. */
#ifndef LAIP_DATA_ASSEMBLE_H
#define LAIP_DATA_ASSEMBLE_H

#include "data/loader.h"
#include "image/image.h"
#include <pthread.h>
#include <stdatomic.h>

typedef struct laip_assembly {
    const laip_dataset *dataset;
    const laip_texts *texts;
    laip_loader_options options;
    _Atomic(laip_image *) *cache; /* [pictures]: resized or whole, where there was room */
    atomic_uchar *bad;            /* [pictures]: 1 where one could not be read and is passed over */
    atomic_size_t cached;         /* bytes */
    atomic_size_t skipped;        /* bad ones */
    pthread_mutex_t order_lock;
    uint32_t *order; /* of the epoch below */
    uint64_t epoch;
} laip_assembly;

typedef struct laip_assembled {
    laip_batch batch;
    size_t rows, phrases, phrase_rows; /* capacities */
    laip_arena arena;
} laip_assembled;

void laip_assembly_begin(laip_assembly *a, const laip_dataset *d, const laip_texts *t,
                         const laip_loader_options *o);
void laip_assembly_end(laip_assembly *a);
size_t laip_assembly_skipped(const laip_assembly *a);
/* Micro-batch `micro` of step `step`; any thread, any order. */
bool laip_assemble(laip_assembly *a, laip_assembled *out, uint64_t step, size_t micro, laip_error *error);
void laip_assembled_free(laip_assembled *out);

/* The picture as the network takes it, without augmentation: [3, height, width].  For evaluation. */
bool laip_picture_planes(const laip_dataset *d, size_t picture, int height, int width, float *planes,
                         laip_error *error);

#endif
