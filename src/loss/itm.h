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

/* What hard negatives are drawn from. */
typedef struct laip_itm_candidates {
    const float *image_to_text, *text_to_image; /* [batch, batch]: cosines, undivided by the temperature */
    float temperature;
    const int32_t *person;  /* [batch] */
    const uint64_t *sample; /* [batch]: names each sample's random stream */
    size_t batch;
    uint64_t seed, step;
    bool plain; /* without the 1e-4 */
} laip_itm_candidates;
/* Draws the hard negatives of a micro-batch: text_negative[i] for image i from column probabilities
 * softmax(image_to_text[i, :] / τ) + 1e-4, image_negative[i] for text i likewise, zero for the same person;
 * −1 where there is none. */
void laip_itm_draw(const laip_itm_candidates *from, int32_t *text_negative, int32_t *image_negative);

/* Which rows are matched. */
typedef struct laip_itm_rows {
    const int32_t *rows; /* [count]: the row of the tokens that holds the [CLS] of matching row r */
    size_t count, batch; /* matching rows 0 … batch − 1 are the pairs */
    const int32_t *image_negative, *text_negative; /* [batch]: matching rows of pair i's negatives, or −1 */
    size_t token_rows;
} laip_itm_rows;
void laip_itm_prepare(laip_itm *l, laip_device *device, const laip_itm_rows *rows);
/* Of the rows that were prepared; dtokens accumulates the gradient of itm_scale · L_itm + triplet_scale ·
 * L_tri. */
typedef struct laip_itm_weights {
    float margin, itm_scale, triplet_scale;
} laip_itm_weights;
void laip_itm_forward_backward(laip_itm *l, const laip_linear *head, const laip_context *c, laip_mat tokens,
                               laip_mat dtokens, laip_itm_weights weights);

#endif
