/* The order of an epoch's (picture, caption) pairs. */
#ifndef LAIP_DATA_ORDER_H
#define LAIP_DATA_ORDER_H

#include "data/texts.h"

/* order [captions] is assigned: a shuffle that follows from (seed, epoch) alone.
 *
 * group > 1: micro-batches of `batch` pairs whose captions are alike, so that the negatives of matching,
 * which come from the micro-batch, are hard ones.  Of every `group` pairs of the shuffle a chain is made,
 * each pair followed by the one left of another person whose caption shares most tokens with it (cosine of
 * inverse document frequencies); the chains are cut into micro-batches, and these shuffled. */
void laip_order_make(uint32_t *order, const laip_dataset *d, const laip_texts *t, uint64_t seed,
                     uint64_t epoch, size_t batch, size_t group);

#endif
