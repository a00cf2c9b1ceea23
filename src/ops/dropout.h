/* Dropout: y = residual + mask ∘ x / (1 − p), assigned; without a residual it is its own backward.
 *
 * The mask of element (row, col) of sequence s comes from mask_bits(key, (row − begin[s]) · cols + col) of
 * cl/common.h, key the first two numbers of the sequence's random stream (cl/philox.h): kept where that is at
 * least p · 2³².  So it depends on the sequence's key alone, not on where in the batch the sequence lies. */
#ifndef LAIP_OPS_DROPOUT_H
#define LAIP_OPS_DROPOUT_H

#include "base/rng.h"
#include "device/buffer.h"

/* y may be x or residual; residual.mem NULL: none.  row_sequence [rows], begin [S + 1], ids [2 S]: low and
 * high words of the number of each sequence's stream. */
void laip_dropout(laip_device *device, laip_mat y, laip_mat x, laip_mat residual, laip_ints row_sequence,
                  laip_ints begin, laip_ints ids, laip_rng_key stream, float p);

#endif
