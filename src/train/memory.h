/* What a run takes of a device's memory, and the largest micro-batch that fits. */
#ifndef LAIP_TRAIN_MEMORY_H
#define LAIP_TRAIN_MEMORY_H

#include "config/config.h"
#include "data/loader.h"
#include "model/step.h"

typedef struct laip_memory {
    laip_device *device;
    laip_model *model; /* declared */
    const laip_config *config;
    const laip_texts *texts; /* of the training split */
    size_t ranks;            /* each takes micro-batches of its own */
} laip_memory;

/* The most that a micro-batch of `batch` pairs holds in this phase; o: the loader's options, for its
 * phrases. */
laip_step_sizes laip_memory_sizes(const laip_memory *m, const laip_loader_options *o);
/* Bytes of a phase's step buffers. */
size_t laip_memory_step(const laip_memory *m, int phase, const laip_loader_options *o);
/* The most pairs that a micro-batch may have so that weights and buffers of every phase fit; 0: not even one.
 * options[i]: the loader's of phase i, of which the batch is ignored. */
size_t laip_memory_largest(const laip_memory *m, const laip_loader_options *options);
/* The largest divisor of `global` that is at most `largest` and leaves each rank a micro-batch; 0: none. */
size_t laip_memory_divide(size_t global, size_t largest, size_t ranks);
/* Adds a line a part, and the largest micro-batch. */
void laip_memory_describe(const laip_memory *m, const laip_loader_options *options, laip_str *text);
/* A run that cannot fit says so, in bytes, before it starts, and what would help; what the weights take is
 * known before the data. */
bool laip_memory_check_weights(const laip_memory *m, laip_error *error);
bool laip_memory_check(const laip_memory *m, int phase, const laip_loader_options *o, laip_error *error);

#endif
