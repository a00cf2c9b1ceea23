/* clang-format off */
/* ITM and the fusion triplet from the logits of pairs and their negatives (src/model/README.md, 2.2 and 2.3).
 *
 * logits [rows, 2]: row i < pairs is pair i; image_negative[i] and text_negative[i] are the rows of its two
 * negatives, or −1 where there is none.  With s = softmax(logits)[1]:
 *
 *   entropy_i = CE(pair, 1) + CE(image negative, 0) + CE(text negative, 0)
 *   triplet_i = [m − s_i + s(image negative)]₊ + [m − s_i + s(text negative)]₊
 *   dlogits   = d(Σ_i itm_weight · entropy_i + triplet_weight · triplet_i)/dlogits
 *
 * All three outputs are assigned.  report (mem NULL: none) holds the loss's scale, which multiplies both weights:
 * cl/shared.h. */
/* clang-format on */
#ifndef LAIP_OPS_MATCHING_H
#define LAIP_OPS_MATCHING_H

#include "device/buffer.h"

typedef struct laip_matching_input {
    laip_mat logits;                         /* [rows, 2] */
    laip_ints image_negative, text_negative; /* [pairs] */
    size_t pairs;
    float margin, itm_weight, triplet_weight;
    laip_mat report;
} laip_matching_input;
/* dlogits [rows, 2], entropy and triplet [pairs, 1] */
void laip_matching(laip_device *device, laip_mat dlogits, laip_mat entropy, laip_mat triplet,
                   const laip_matching_input *in);

#endif
