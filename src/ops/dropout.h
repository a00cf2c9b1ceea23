/* Dropout: y = residual + mask ∘ x / (1 − p), assigned; without a residual it is its own backward.
 *
 * The mask of element (row, col) of sequence s comes from mask_bits(key, (row − begin[s]) · cols + col) of
 * cl/common.h, key the first two numbers of the sequence's random stream (cl/philox.h): kept where that is at
 * least p · 2³².  So it depends on the sequence's key alone, not on where in the batch the sequence lies. */
#ifndef LAIP_OPS_DROPOUT_H
#define LAIP_OPS_DROPOUT_H

#include "base/rng.h"
#include "device/buffer.h"

typedef struct laip_dropout_mask {
    laip_ints row_sequence; /* [rows]: of S */
    laip_ints begin;        /* [S + 1] */
    laip_ints ids;          /* [2 S]: low and high words of the number of each sequence's stream */
    laip_rng_key stream;    /* of the seed, step and site */
    float p;
} laip_dropout_mask;

/* y may be x or residual; residual.mem NULL: none.  A product can end in the same: ops/gemm/gemm.h. */
void laip_dropout(laip_device *device, laip_mat y, laip_mat x, laip_mat residual,
                  const laip_dropout_mask *mask);
/* The kernels' arguments: a number of 32 bits is kept where it is at least the threshold, and what is kept is
 * scaled. */
uint32_t laip_dropout_threshold(const laip_dropout_mask *mask);
float laip_dropout_scale(const laip_dropout_mask *mask);

#endif
