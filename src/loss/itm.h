/* ITM, matching with hard negatives, and the fusion triplet (laip.md, 2), on the [CLS] rows of the cross
 * encoder. */
#ifndef LAIP_LOSS_ITM_H
#define LAIP_LOSS_ITM_H

#include "net/linear.h"
#include "net/text_encoder.h"

typedef struct laip_itm {
    laip_ints index, image_negative, text_negative; /* rows of the cross batch; rows of the logits, or -1 */
    laip_scatter back;
    laip_mat x, logits, dlogits, dx; /* [3b, D], [3b, 2], [3b, 2], [3b, D] */
    laip_mat entropy, triplet;       /* [b, 1] */
} laip_itm;

void laip_itm_plan(laip_itm *l, laip_plan *plan, size_t batch, size_t width);

/* Draws the hard negatives of a micro-batch: text_negative[i] for image i from column probabilities
 * softmax(similarity[i, :] / τ) + 1e-4, image_negative[i] for text i likewise, zero for the same person; -1
 * where there is none.  sample names each sample's random stream. */
void laip_itm_draw(const float *image_to_text, const float *text_to_image, float temperature,
                   const int32_t *person, const uint64_t *sample, size_t batch, uint64_t seed, uint64_t step,
                   int32_t *text_negative, int32_t *image_negative);

/* rows[r]: the row of tokens (a matrix of token_rows rows) that holds the [CLS] of matching row r of `count`;
 * rows 0 … batch-1 are the pairs; image_negative[i], text_negative[i] name the rows of pair i's negatives, or
 * are -1. dtokens accumulates the gradient of itm_scale · L_itm + triplet_scale · L_tri. */
void laip_itm_forward_backward(laip_itm *l, const laip_linear *head, const laip_context *c, laip_mat tokens,
                               size_t token_rows, laip_mat dtokens, const int32_t *rows, size_t count,
                               size_t batch, const int32_t *image_negative, const int32_t *text_negative,
                               float margin, float itm_scale, float triplet_scale);
/* L_itm and L_tri; waits for the device. */
void laip_itm_values(laip_itm *l, laip_device *device, size_t count, size_t batch, double *itm,
                     double *triplet);

#endif
