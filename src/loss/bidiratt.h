/* clang-format off */
/* BidirAtt, bidirectional attention alignment of phrases and image regions (src/model/README.md, 3.2).
 *
 *   a→_i = mean_h A^h[0, i]       at one cross-attention layer; row 0 the masked phrase's [CLS], i the patches
 *   y    = Σ over masked tokens of the MLM logit of the true token
 *   a←_i = mean_h ∂y/∂A^h[0, i] = mean_h ⟨∂y/∂O^h[0], V^h_i⟩,  O = A V      (a constant for the gradient)
 *   a_i  = a→_i · max(a←_i, 0), divided by its sum
 *   w    = Σ_i a_i · image_i
 *   s    = cos(vision_proj(w), text_proj(text(phrase)[0])),  the phrase unmasked
 *   L    = 1 − s, or the contrastive cross-entropy of s/τ over the phrases of the micro-batch
 *
 * The steps below are called in order; the network's backward runs between them. */
/* clang-format on */
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
    const laip_loss_config *loss_config;
    size_t masked, images; /* tokens masked in phrases: the first ones of the MLM head's rows; images */
    laip_projection region, phrase; /* vision_proj of the region, text_proj of the plain phrase's [CLS] */
    laip_mat fore, back, weight, total, dfore; /* [p, P], and [p, 2] */
    laip_mat truth;              /* [masked phrases' rows, D]: the gradient of y on its way down */
    laip_mat dcontext;           /* [p, D]: ∂y/∂O of the [CLS] rows */
    laip_ints owner, first, cls; /* [p], [B + 1], [p] */
    laip_mat scores;             /* [p · h, P + 1]: of a→'s gradient */
    laip_mat similarity;         /* [p, 1] */
    laip_ints row_weight;        /* [p] floats */
    laip_mat dots[2], loss[2], dtemperature; /* of the contrastive form: [p, p], [p, 1] */
    laip_ints person, group;                 /* [p] */
} laip_bidiratt;

/* The phrases of a micro-batch.  The masked ones are the first p sequences of the cross batch. */
typedef struct laip_bidiratt_phrases {
    size_t phrases, images;
    const int32_t *owner;     /* [p], not decreasing */
    const int32_t *plain_cls; /* [p]: rows of the text batch that hold the plain phrases' [CLS] */
    const int32_t *person;    /* [p]: the owners' persons */
    const int32_t *group;     /* [p]: equal for equal phrases */
    const float *row_weight;  /* [p]: each phrase's share in the objective */
    size_t masked;            /* tokens masked in them */
    size_t text_rows;         /* of the text batch */
    const laip_sequences *cross;
} laip_bidiratt_phrases;

/* The parts of the network that the loss goes through, and the states and gradients that it reads and adds
 * to: image [B·N, D], text [rows, D].  laip_bidiratt_attend needs the first four. */
typedef struct laip_bidiratt_network {
    const laip_cross_encoder *cross;
    laip_cross_pass *pass;
    laip_mpm *mpm;
    const laip_mlm_head *head;
    const laip_linear *vision_proj, *text_proj;
    laip_mat image, dimage, text, dtext, temperature, dtemperature;
} laip_bidiratt_network;

void laip_bidiratt_plan(laip_bidiratt *l, laip_plan *plan, const laip_model_config *m,
                        const laip_loss_config *loss, size_t phrases, size_t phrase_rows, size_t images);

void laip_bidiratt_prepare(laip_bidiratt *l, laip_device *device, const laip_loss_config *loss,
                           const laip_bidiratt_phrases *phrases);
/* Attention both ways and the weights of patches alone, for those who only look: fore, back and weight of the
 * first p sequences of the cross batch, which have `masked` masked tokens in all.  The cross encoder's and
 * the MLM head's forward are done before the second. */
void laip_bidiratt_prepare_to_attend(laip_bidiratt *l, laip_device *device, const laip_loss_config *loss,
                                     const laip_sequences *cross, size_t phrases, size_t masked);
void laip_bidiratt_attend(laip_bidiratt *l, const laip_bidiratt_network *n, const laip_context *c);
/* Attention both ways, weights, regions, similarities, and the gradients of the loss: into the projections,
 * dimage, dtext (the plain phrases' rows) and dfore.  The cross encoder's and the MLM head's forward are
 * done. */
void laip_bidiratt_forward_backward(laip_bidiratt *l, const laip_bidiratt_network *n, const laip_context *c);
/* Adds the gradient of a→ to those of the queries and keys of the layer that the loss looks at. */
void laip_bidiratt_add_forward_attention(laip_bidiratt *l, laip_cross_gradients scores);

#endif
