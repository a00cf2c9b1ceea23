/* The settings of the network, its losses and its optimiser: what a fixture's metadata and a run's config
 * hold. Symbols are those of the paper; a field's comment gives its meaning, unit and range. */
#ifndef LAIP_NET_CONFIG_H
#define LAIP_NET_CONFIG_H

#include "base/error.h"
#include "cl/shared.h" /* enum laip_bidiratt_attention */
#include <stddef.h>

/* What a pass of an encoder is for, which decides what of it is kept. */
typedef enum laip_pass_kind {
    LAIP_PASS_STATES,   /* forward, for all rows of the output; layers share their activations */
    LAIP_PASS_CLS,      /* forward, for the [CLS] rows alone */
    LAIP_PASS_BACKWARD, /* a backward follows: every layer keeps its activations */
    LAIP_PASS_RECOMPUTE /* a backward follows: every layer keeps its input, and makes the rest again */
} laip_pass_kind;

static inline bool laip_pass_goes_back(laip_pass_kind kind)
{
    return kind == LAIP_PASS_BACKWARD || kind == LAIP_PASS_RECOMPUTE;
}

typedef struct laip_model_config {
    int image_height, image_width; /* pixels; multiples of patch */
    int patch;                     /* side of a square patch, pixels */
    int width;                     /* D, of every token; a multiple of heads */
    int heads;                     /* h; the head size d = width / heads */
    int mlp;                       /* the MLP's hidden width is mlp × width */
    int vit_layers, text_layers, cross_layers;
    int vocab;     /* V, tokens */
    int positions; /* longest text, in tokens */
    int embed;     /* E, of the joint space */
    int queue;     /* Q, past pairs kept as keys; 0: the batch's own only */
    float dropout; /* on BERT's hidden states and attention probabilities, in training; [0, 1) */
    int storage;   /* laip_store, of weights and activations on the device; no part of the model */
    /* In training the optimiser's moments may be shared out: shard of shard_ranks equal parts is kept here (0
     * and 1: all); nor is this a part of the model. */
    int shard_ranks, shard;
    int decay_all; /* weight decay on class token, image positions and temperature too; neither is this */
} laip_model_config;

enum laip_bidiratt_loss { LAIP_BIDIRATT_COSINE, LAIP_BIDIRATT_CONTRASTIVE };
enum laip_phrase_positives { LAIP_POSITIVES_PERSON, LAIP_POSITIVES_PHRASE, LAIP_POSITIVES_ALONE };
enum laip_phrase_reduction { LAIP_PHRASES_SUM, LAIP_PHRASES_MEAN };

/* The terms of the objective, in the order in which they are told: ROW(identifier, name, weight where nothing
 * is said, meaning).  Settings, metrics, reports and the step itself are made from this list. */
#define LAIP_LOSS_TABLE(ROW)                                                                                 \
    ROW(ITC, "itc", 1, "weight of the contrastive loss")                                                     \
    ROW(ITM, "itm", 1, "of matching")                                                                        \
    ROW(TRIPLET, "triplet", 1, "of the fusion triplet")                                                      \
    ROW(BIDIRATT, "bidiratt", 1, "of bidirectional attention alignment")                                     \
    ROW(MPM, "mpm", 1, "of masked phrase modelling")                                                         \
    ROW(MLM, "mlm", 0, "of masked language modelling")
#define LAIP_LOSS_IDENTIFIER(identifier, name, initial, meaning) LAIP_LOSS_##identifier,
enum laip_loss { LAIP_LOSS_TABLE(LAIP_LOSS_IDENTIFIER) LAIP_LOSSES };
extern const char *const laip_loss_names[]; /* NULL at the end */

/* What the temperature is kept within, at the start and after each update. */
#define LAIP_TEMPERATURE_LEAST 0.001
#define LAIP_TEMPERATURE_MOST 0.5

typedef struct laip_loss_config {
    float temperature;         /* τ at the start, LAIP_TEMPERATURE_LEAST to LAIP_TEMPERATURE_MOST */
    float distill_alpha;       /* α; share of the momentum model's soft targets, [0, 1] */
    float weight[LAIP_LOSSES]; /* 0 leaves a term out */
    float triplet_margin;      /* m */
    float momentum;            /* μ */
    int bidiratt_layer;        /* l, 1-based, of the cross layers */
    int bidiratt_attention;    /* enum laip_bidiratt_attention */
    int bidiratt_loss;         /* enum laip_bidiratt_loss */
    int phrase_positives;      /* enum laip_phrase_positives, of the contrastive form */
    int bidiratt_detach;       /* the forward attention is a constant for the gradient, as the backward is */
    int bidiratt_frozen;       /* the temperature and both projections get no gradient from BidirAtt */
    int phrase_reduction;      /* enum laip_phrase_reduction */
    float negative_floor;      /* added to each probability with which a hard negative is drawn */
    int plain_negatives;       /* hard negatives are drawn without it */
    int momentum_dropout;      /* the momentum text encoder drops as the online one does */
} laip_loss_config;

typedef struct laip_optimiser_config {
    float lr, beta1, beta2, eps, weight_decay; /* AdamW; lr of this step */
    float clip_norm;                           /* the gradient's norm is cut to this; 0: never */
    float temperature_lr;                      /* of the temperature, in multiples of lr; 0: it is frozen */
} laip_optimiser_config;

/* Names of the enums' values, in their order, NULL at the end: for configs and fixtures. */
extern const char *const laip_storage_names[];            /* float, half, bfloat16 */
extern const char *const laip_bidiratt_attention_names[]; /* both, forward, backward */
extern const char *const laip_bidiratt_loss_names[];      /* cosine, contrastive */
extern const char *const laip_phrase_positives_names[];   /* person, phrase, alone */
extern const char *const laip_phrase_reduction_names[];   /* sum, mean */

/* The settings of the paper's experiments: ViT-B/16 at 384 × 384, BERT 6 + 6. */
laip_model_config laip_model_config_default(void);
laip_loss_config laip_loss_config_default(void);
laip_optimiser_config laip_optimiser_config_default(void);

/* Refuses impossible sizes, naming the setting, what it is and what it may be. */
bool laip_model_config_check(const laip_model_config *model, laip_error *error);
bool laip_loss_config_check(const laip_loss_config *loss, const laip_model_config *model, laip_error *error);

int laip_patch_count(const laip_model_config *model); /* P */

#endif
