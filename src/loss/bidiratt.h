/* BidirAtt, bidirectional attention alignment of phrases and image regions (laip.md, 3).
 *
 *   a→_i = mean_h A^h[0, i] at one cross-attention layer, row 0 the masked phrase's [CLS], i the image's
 * patches y    = Σ over masked tokens of the MLM logit of the true token a←_i = mean_h ∂y/∂A^h[0, i] = mean_h
 * ⟨∂y/∂O^h[0], V^h_i⟩,  O = A V       (a constant for the gradient) a_i  = a→_i · max(a←_i, 0), divided by
 * its sum w    = Σ_i a_i · image_i;   s = cos(vision_proj(w), text_proj(text(phrase)[0])), the phrase
 * unmasked L    = 1 − s, or the contrastive cross-entropy of s/τ over the phrases of the micro-batch
 *
 * The steps below are called in order; the network's backward runs between them. */
#ifndef LAIP_LOSS_BIDIRATT_H
#define LAIP_LOSS_BIDIRATT_H

#include "loss/mpm.h"
#include "loss/projection.h"
#include "net/cross_encoder.h"

/* The cross-attention that the loss looks at. */
typedef struct laip_bidiratt_view {
    laip_device *device;
    laip_attention attention;
    laip_heads q, k, v;
    laip_mat lse;
} laip_bidiratt_view;

typedef struct laip_bidiratt {
    size_t phrases; /* p, now */
    laip_bidiratt_view view;
    laip_projection region, phrase; /* vision_proj of the region, text_proj of the plain phrase's [CLS] */
    laip_mat fore, back, weight, total, dfore; /* [p, P], and [p, 2] */
    laip_mat truth;                  /* [masked phrases' rows, D]: the gradient of y on its way down */
    laip_mat dcontext;               /* [p, D]: ∂y/∂O of the [CLS] rows */
    laip_ints owner, first, cls;     /* [p], [B + 1], [p] */
    laip_mat scores;                 /* [p · h, P + 1]: of a→'s gradient */
    laip_mat similarity, row_weight; /* [p, 1] */
    laip_mat dots[2], loss[2], dtemperature; /* of the contrastive form: [p, p], [p, 1] */
    laip_ints person, group;                 /* [p] */
} laip_bidiratt;

/* The masked phrases are the first p sequences of the cross batch. */
typedef struct laip_bidiratt_input {
    size_t phrases, images;
    const int32_t *owner;     /* [p], not decreasing */
    const int32_t *plain_cls; /* [p]: rows of the text batch that hold the plain phrases' [CLS] */
    const int32_t *person;    /* [p]: the owners' persons */
    const int32_t *group;     /* [p]: equal for equal phrases */
    const float *row_weight;  /* [p]: each phrase's share in the objective */
    size_t masked;            /* tokens masked in phrases: the first ones of the MLM head's rows */
} laip_bidiratt_input;

void laip_bidiratt_plan(laip_bidiratt *l, laip_plan *plan, const laip_model_config *m,
                        const laip_loss_config *loss, size_t phrases, size_t phrase_rows, size_t images);

/* Attention both ways, weights, regions, similarities, and the gradients of the loss: into the projections,
 * dimage, dtext (the plain phrases' rows) and dfore.  The cross encoder's and the MLM head's forward are
 * done. */
void laip_bidiratt_forward_backward(laip_bidiratt *l, const laip_bidiratt_input *in,
                                    const laip_loss_config *loss, const laip_context *c,
                                    const laip_cross_encoder *cross, laip_cross_pass *pass, laip_mpm *mpm,
                                    const laip_mlm_head *head, const laip_linear *vision_proj,
                                    const laip_linear *text_proj, laip_mat image, laip_mat dimage,
                                    laip_mat text, laip_mat dtext, laip_mat temperature,
                                    laip_mat dtemperature, laip_step_key key);
/* The hook that adds the gradient of a→ to the backward of that layer's cross-attention. */
laip_cross_hook laip_bidiratt_hook(laip_bidiratt *l);
/* Each phrase's loss, [p]; waits for the device. */
void laip_bidiratt_values(laip_bidiratt *l, laip_device *device, const laip_loss_config *loss, float *values);

#endif
