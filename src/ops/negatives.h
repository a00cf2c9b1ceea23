/* Hard negatives for matching (src/model/README.md, 2.2), drawn on the device.
 *
 * text_negative[i], for image i, is j with probability in proportion to
 *   softmax(image_to_text[i, :] / τ)_j + least,  0 for samples of the same person;
 * image_negative[i], for text i, likewise from text_to_image[i, :].  −1 where there is no other person.  The
 * uniform numbers are those of laip_rng_stream(seed, step, sample[i], LAIP_SITE_NEGATIVE), text first; sums
 * are of floats, so that a draw may differ from one in double precision where it falls on a boundary. */
#ifndef LAIP_OPS_NEGATIVES_H
#define LAIP_OPS_NEGATIVES_H

#include "base/rng.h"
#include "device/buffer.h"

typedef struct laip_negatives_input {
    laip_mat image_to_text, text_to_image; /* [B, B]: cosines, undivided by τ */
    laip_mat temperature;                  /* [1, 1], τ */
    laip_ints person, sample;              /* [B], [2 B]: low and high words of each sample's number */
    laip_rng_key stream;
    float least; /* added to every probability */
    size_t batch;
} laip_negatives_input;
/* negative [2 B]: text negatives, then image negatives; assigned. */
void laip_negatives_draw(laip_device *device, laip_ints negative, const laip_negatives_input *in);

#endif
