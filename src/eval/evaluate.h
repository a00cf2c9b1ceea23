/* Evaluation of a model on a split: features of all pictures and captions, retrieval by cosine, and
 * the k best pictures of each caption ranked anew, the gallery gone through picture by picture.
 *
 * They are ranked by itm logit 1, as the paper does, and by the fused score w (logit 1 − logit 0) + s/τ.
 * Matching is trained on negatives drawn in proportion to exp(s/τ), so its log-odds estimate log p(pair) /
 * (p(image) p(text) exp(s/τ)): what the pair tells beyond its features.  Adding s/τ gives back what the draw
 * took away; w is 1 for log-odds that can be believed, less for those of a model that is too sure of itself.
 */
#ifndef LAIP_EVAL_EVALUATE_H
#define LAIP_EVAL_EVALUATE_H

#include "data/texts.h"
#include "dist/ranks.h"
#include "eval/metrics.h"
#include "model/model.h"

typedef struct laip_evaluation {
    size_t queries, gallery;
    laip_metrics retrieval, rerank, fused, chance; /* rerank: by logit 1 */
    size_t depth;          /* places of the ranking that are kept: all, unless that is more than 128 MB */
    int32_t *ranking;      /* [queries, depth], the final one */
    float *score;          /* [queries, depth], of the picture at that place */
    int32_t *query_person; /* [queries] */
    int32_t *gallery_person;
    laip_hits *hits[3]; /* [queries] each: by features, by matching and by both */
    double seconds_encode, seconds_match;
    size_t pairs; /* that were matched */
    /* where they are kept: */
    size_t embed, k;
    float *image_features, *text_features; /* [gallery, embed], [queries, embed] */
    int32_t *candidates;                   /* [queries, k]: the best by retrieval */
    float *logits;                         /* [queries, k, 2]: of matching */
} laip_evaluation;

typedef struct laip_reranking {
    size_t k;           /* candidates; 0: retrieval only */
    bool fused;         /* which of the two the final ranking is */
    float weight;       /* w of the fused score */
    bool keeps;         /* features, candidates and logits stay in the result */
    bool plain_tail;    /* pictures beyond the k best follow as RaSa's evaluation leaves them, all with the
                    score −100; else in the order of retrieval */
    size_t image_cache; /* bytes of the host's memory, all ranks together, for encoded pictures: one that
                    finds no room  is encoded again to be matched */
} laip_reranking;

size_t laip_evaluation_image_cache(void); /* a quarter of the machine's memory */

/* threads decode pictures (0: one a core).  Several ranks share out pictures and captions; all of them get
 * the result, to the bits that one rank on such a device would have.  A score that is not finite is a
 * failure. */
bool laip_evaluate(laip_model *model, const laip_dataset *d, const laip_texts *texts, laip_reranking how,
                   int threads, const laip_ranks *ranks, laip_evaluation *result, laip_error *error);
/* Bytes that it takes on the device besides the weights, and on the host. */
size_t laip_evaluation_bytes(laip_model *model, const laip_dataset *d, const laip_texts *texts,
                             laip_reranking how, size_t *host);
void laip_evaluation_free(laip_evaluation *e);

#endif
