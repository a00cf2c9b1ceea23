/* Micro-batches prepared ahead of the device by threads.
 *
 * What a micro-batch holds is a function of (seed, step, its index) alone: the order of an epoch's pairs, the
 * augmentation, the masked words all come from counters.  A training sample is a (picture, caption) pair; an
 * epoch is all pairs in an order of its own, cut into global batches, the last incomplete one left out. */
#ifndef LAIP_DATA_LOADER_H
#define LAIP_DATA_LOADER_H

#include "data/batch.h"
#include "data/texts.h"
#include "image/augment.h"

typedef struct laip_loader_options {
    int height, width;             /* of the network's images */
    int batch, micro_batches;      /* b, and M of a step */
    size_t first_micro, own_micro; /* which of a step's micro-batches are wanted here */
    uint64_t seed;
    size_t group; /* of how many pairs the alike ones share micro-batches: data/order.h; 0: none */
    laip_augment augment;
    int phrases_per_caption; /* 0: all */
    bool phrases, mlm;       /* whether they are wanted */
    int32_t mask;            /* the token [MASK] */
    int vocab;
    bool skip_bad; /* a damaged picture: take the next pair's instead of stopping */
    int threads;
    size_t cache_bytes; /* for resized pictures, or for whole ones when random parts of them are taken */
} laip_loader_options;

typedef struct laip_loader laip_loader;

/* The dataset and texts must outlive the loader.  Fewer pairs than one global batch is bad input. */
laip_loader *laip_loader_create(const laip_dataset *d, const laip_texts *t, const laip_loader_options *o,
                                uint64_t first_step, laip_error *error);
void laip_loader_free(laip_loader *l);
size_t laip_loader_steps_per_epoch(const laip_dataset *d, const laip_loader_options *o);
/* The next own micro-batch, in order; it stays until own_micro others were taken, so that a step may hold all
 * of its own. */
bool laip_loader_next(laip_loader *l, const laip_batch **batch, laip_error *error);
size_t laip_loader_skipped(const laip_loader *l); /* damaged pictures so far */

/* The most that a micro-batch can hold, whatever the order. */
typedef struct laip_loader_sizes {
    size_t caption_rows, longest_caption, phrases, phrase_rows, longest_phrase;
} laip_loader_sizes;
laip_loader_sizes laip_loader_most(const laip_texts *t, const laip_loader_options *o);

#endif
