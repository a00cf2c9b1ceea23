/* Scoring for evaluation and search (src/model/README.md, 5): features of images and captions, and matching
 * logits of one image with many captions.  An image's keys and values are projected once a cross layer,
 * whatever the number of captions. Every function waits for the device and returns false with its failure. */
#ifndef LAIP_MODEL_SCORE_H
#define LAIP_MODEL_SCORE_H

#include "loss/projection.h"
#include "model/model.h"

typedef struct laip_score_sizes {
    size_t images;                  /* encoded at once */
    size_t captions, rows, longest; /* of one batch of texts: sequences, tokens, tokens of one */
} laip_score_sizes;

typedef struct laip_scorer {
    laip_model *model;
    laip_score_sizes sizes;
    laip_plan *plan;
    laip_context context;
    laip_vit_pass vit;
    laip_text_pass text;
    laip_cross_pass cross;
    laip_projection image_feature, text_feature;
    laip_mat logits;
} laip_scorer;

bool laip_scorer_create(laip_scorer *s, laip_model *model, const laip_score_sizes *sizes, laip_error *error);
size_t laip_scorer_bytes(laip_model *model, const laip_score_sizes *sizes);
void laip_scorer_free(laip_scorer *s);

/* features [count, E] of images [count, 3, H, W]; count ≤ sizes.images. */
bool laip_score_images(laip_scorer *s, const float *pixels, size_t count, float *features, laip_error *error);
/* What the encoder made of some of the images just given, [count, N, D]: for laip_score_set_encoded_image. */
bool laip_score_tokens(laip_scorer *s, size_t first, size_t count, float *tokens, laip_error *error);
/* Captions packed from begin[0] … begin[count]: features [count, E] and, unless NULL, states [rows, D], which
 * laip_score_match wants: as far into the cross encoder as no image has to do with. */
bool laip_score_texts(laip_scorer *s, const int32_t *ids, const int32_t *begin, size_t count, float *features,
                      float *states, laip_error *error);
/* Chooses the image [3, H, W] that the next matches are with. */
bool laip_score_set_image(laip_scorer *s, const float *pixels, laip_error *error);
bool laip_score_set_encoded_image(laip_scorer *s, const float *tokens,
                                  laip_error *error); /* the same, already encoded */
/* logits [count, 2]: of ITM for the chosen image and caption i, whose states lie packed from begin[0]. */
bool laip_score_match(laip_scorer *s, const float *states, const int32_t *begin, size_t count, float *logits,
                      laip_error *error);

#endif
