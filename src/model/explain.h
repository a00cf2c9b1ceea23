/* Where the words of a phrase look in one image: BidirAtt's attention (README.md, 3), without a loss.
 *
 *   forward a→, backward a← and the weights a of the image's P patches, for phrases in which some tokens are
 * masked: what the cross-attention of the loss's layer gives them, and what the MLM head's logits of the true
 * tokens gain by it.  They are those of a training step without dropout.
 *
 * Every function waits for the device and returns false with its failure. */
#ifndef LAIP_MODEL_EXPLAIN_H
#define LAIP_MODEL_EXPLAIN_H

#include "loss/bidiratt.h"
#include "model/model.h"

typedef struct laip_explainer_sizes {
    size_t phrases, rows, longest; /* at once: phrases, their tokens, tokens of one */
} laip_explainer_sizes;

typedef struct laip_explainer {
    laip_model *model;
    laip_loss_config loss; /* of it, bidiratt_layer and bidiratt_attention count */
    laip_explainer_sizes sizes;
    laip_plan *plan;
    laip_context context;
    laip_vit_pass vit;
    laip_text_pass text;
    laip_cross_pass cross;
    laip_mpm mpm;
    laip_bidiratt bidiratt;
} laip_explainer;

bool laip_explainer_create(laip_explainer *x, laip_model *model, const laip_loss_config *loss,
                           const laip_explainer_sizes *sizes, laip_error *error);
void laip_explainer_free(laip_explainer *x);

/* The image [3, H, W] that the next phrases look at. */
bool laip_explain_image(laip_explainer *x, const float *pixels, laip_error *error);
/* Phrases packed from begin[0] … begin[count], begin[0] = 0: ids with the masked tokens in them; target holds
 * the true token where one is masked, −1 elsewhere; each phrase has at least one.  forward, backward and
 * weight are [count, P]. */
bool laip_explain_phrases(laip_explainer *x, const int32_t *ids, const int32_t *target, const int32_t *begin,
                          size_t count, float *forward, float *backward, float *weight, laip_error *error);

#endif
