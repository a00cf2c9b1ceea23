/* Evaluation of a model on a split: features of all pictures and captions, a coarse ranking by cosine, and
 * the k best pictures of each caption ranked anew by the matching logit, the gallery gone through picture by
 * picture. */
#ifndef LAIP_EVAL_EVALUATE_H
#define LAIP_EVAL_EVALUATE_H

#include "data/texts.h"
#include "dist/ranks.h"
#include "eval/metrics.h"
#include "model/model.h"

typedef struct laip_evaluation {
    size_t queries, gallery;
    laip_metrics coarse, fine, chance;
    int32_t *ranking;      /* [queries, gallery], the final one */
    float *score;          /* [queries, gallery], of the picture at that place */
    int32_t *query_person; /* [queries] */
    int32_t *gallery_person;
    double seconds_encode, seconds_match;
    size_t pairs; /* that were matched */
} laip_evaluation;

/* k 0: coarse only.  threads decode pictures (0: one a core).  With several ranks the matching is shared out;
 * all of them get the result. */
bool laip_evaluate(laip_model *model, const laip_dataset *d, const laip_texts *texts, size_t k, int threads,
                   const laip_ranks *ranks, laip_evaluation *result, laip_error *error);
/* Bytes that it takes on the device besides the weights, and on the host. */
size_t laip_evaluation_bytes(laip_model *model, const laip_dataset *d, const laip_texts *texts, size_t *host);
void laip_evaluation_free(laip_evaluation *e);

#endif
