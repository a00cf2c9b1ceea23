/* An evaluation under way: what evaluate.c, encode.c, retrieve.c and match.c share of it. */
#ifndef LAIP_EVAL_INTERNAL_H
#define LAIP_EVAL_INTERNAL_H

#include "eval/evaluate.h"
#include "model/score.h"

/* Pictures and captions that are encoded at once.  Ranks divide whole batches, so that a batch holds the same
 * whatever their number, and gives the same bits. */
enum { LAIP_EVAL_IMAGES = 16, LAIP_EVAL_CAPTIONS = 256 };

typedef struct laip_eval_run {
    laip_model *model;
    const laip_dataset *d;
    const laip_texts *t;
    laip_scorer scorer;
    laip_evaluation *out;
    laip_reranking how;
    size_t k, E, D, pixels, token_floats;
    int threads;
    const laip_ranks *ranks;
    float *image_features, *text_features; /* [gallery, E], [queries, E]: of all, once exchanged */
    float *planes;                         /* [LAIP_EVAL_IMAGES, 3, H, W] */
    size_t first, last;                    /* this rank's pictures */
    float *tokens;                         /* [kept, N, D]: encoded pictures first … first + kept − 1 */
    size_t kept;
    size_t *begin; /* [queries + 1]: captions' tokens, packed */
    float *states; /* of all captions, made with their features, where they are one block; else NULL */
    size_t query, query_end;                    /* this rank's captions */
    int32_t *candidates;                        /* [queries, k]: the first by retrieval */
    float *cosine;                              /* [queries, k], of this rank's captions */
    size_t *far_begin, far_count, far_capacity; /* [own + 1] places in far */
    int32_t *far;                               /* places, from k on, of pictures of the person */
    float *logits;                              /* [queries, k, 2]: of matching, in the order of retrieval */
    laip_hits *hits[3];                         /* [queries] by retrieval, rerank, fused */
} laip_eval_run;

/* Rank k's share of `count` things in batches of `each`. */
void laip_eval_division(const laip_ranks *ranks, int rank, size_t count, size_t each, size_t *first,
                        size_t *last);
/* places [ranks + 1]: the shares of all ranks, one after another. */
size_t *laip_eval_places(const laip_ranks *ranks, size_t count, size_t each);
/* Captions whose states are kept at once: whole batches, within 512 MB. */
size_t laip_eval_block(const laip_texts *t, size_t width);
bool laip_eval_agree(const laip_eval_run *e, bool good, laip_error *error);

/* encode.c */
bool laip_eval_decode(laip_eval_run *e, size_t first, size_t count, laip_error *error); /* into planes */
bool laip_eval_encode(laip_eval_run *e, laip_error *error); /* features of everything */
/* States of the captions first … last − 1, by all ranks, from states[0] on. */
bool laip_eval_states(laip_eval_run *e, size_t first, size_t last, float *states, laip_error *error);

/* retrieve.c: candidates, cosine, far, and by retrieval hits and the result's ranking, of this rank's
 * captions. */
bool laip_eval_retrieve(laip_eval_run *e, laip_error *error);
/* Pictures from best to worst by their scores, equal ones by their numbers. */
void laip_eval_sort(int32_t *pictures, float *scores, size_t count);

/* tail.c: best first; equal scores in the order that PyTorch's unstable sort leaves of them. */
typedef struct laip_eval_scored {
    float score;
    int32_t picture;
} laip_eval_scored;
void laip_eval_sort_as_torch(laip_eval_scored *all, size_t count);

/* match.c: logits of all candidates. */
bool laip_eval_match(laip_eval_run *e, laip_error *error);

#endif
