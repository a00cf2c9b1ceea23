/* ITM, matching with hard negatives, and the fusion triplet (src/model/README.md, 2.2 and 2.3), on the [CLS]
 * rows of the cross encoder. */
#ifndef LAIP_LOSS_ITM_H
#define LAIP_LOSS_ITM_H

#include "net/linear.h"
#include "net/text_encoder.h"

typedef struct laip_itm {
    laip_ints index, image_negative, text_negative; /* rows of the cross batch; rows of the logits, or -1 */
    laip_scatter back;
    laip_mat x, logits, dlogits, dx; /* [3b, D], [3b, 2], [3b, 2], [3b, D] */
    laip_mat entropy, triplet;       /* [b, 1] */
    laip_ints person, sample;        /* [b], [2 b]: of the draw */
    laip_ints negative;              /* [2 b]: what was drawn */
} laip_itm;

void laip_itm_plan(laip_itm *l, laip_plan *plan, size_t batch, size_t width);

/* Who may be a negative of whom, and the random streams: persons and samples [batch], host. */
void laip_itm_prepare_draw(laip_itm *l, laip_device *device, const int32_t *person, const uint64_t *sample,
                           size_t batch);
/* Draws the hard negatives (src/model/README.md, 2.2) into l->negative, [2 · batch]: those of images, then
 * those of texts.  Similarities are those of laip_itc_similarities; floor is added to every probability. */
void laip_itm_draw(laip_itm *l, const laip_context *c, laip_mat image_to_text, laip_mat text_to_image,
                   laip_mat temperature, float floor);

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
