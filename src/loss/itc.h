/* clang-format off */
/* ITC, the contrastive loss of whole images and captions against the momentum features of the global batch and the
 * queue (src/model/README.md, 2.1):
 *
 *   L = ½ Σ over both directions of mean_b −Σ_j target_j · log softmax(f · keys / τ)_j */
/* clang-format on */
#ifndef LAIP_LOSS_ITC_H
#define LAIP_LOSS_ITC_H

#include "loss/projection.h"

typedef struct laip_itc {
    laip_projection image, text;     /* features of the micro-batch */
    laip_projection image_m, text_m; /* the momentum encoders', made in the momentum pass */
    laip_mat dots, momentum_dots;    /* [b, keys], of one direction at a time */
    laip_mat loss[2], dtemperature;  /* [b, 1] */
    laip_ints weight;                /* [b] floats */
    laip_ints person, key_person;    /* [b], [keys] */
    size_t batch, first;             /* of the micro-batch now: see laip_itc_rows */
    laip_mat own, similarity[2]; /* [b, E]; [b, b]: f · the micro-batch's own keys, image → text and back */
} laip_itc;

typedef struct laip_keys {
    laip_mat image, text;  /* [global batch + Q, E]: momentum features, those of the batch first */
    const int32_t *person; /* [keys], host */
    size_t count;          /* of keys */
    laip_mat temperature, dtemperature; /* [1, 1] */
} laip_keys;

void laip_itc_plan(laip_itc *l, laip_plan *plan, size_t batch, size_t keys, size_t width, size_t embed,
                   bool distilled);
/* The micro-batch: its size, its persons [batch] (host), and which of the keys are its own, rows first …
 * first
 * + batch − 1.  weight is the loss's times the micro-batch's share of the global batch. */
typedef struct laip_itc_rows {
    const int32_t *person;
    size_t batch, first;
    float weight;
} laip_itc_rows;
void laip_itc_prepare(laip_itc *l, laip_device *device, const laip_keys *keys, const laip_itc_rows *rows);
/* similarity[0] and [1] = f · own keys, undivided by τ: what the hard negatives are drawn by.  The
 * micro-batch's own keys are rows first … first + batch − 1. */
void laip_itc_similarities(laip_itc *l, const laip_context *c, const laip_keys *keys, size_t batch,
                           size_t first);
/* Losses and gradients of the prepared rows: image.df and text.df are assigned.  alpha: the share of soft
 * targets. */
void laip_itc_forward_backward(laip_itc *l, const laip_context *c, const laip_keys *keys, float alpha);

#endif
