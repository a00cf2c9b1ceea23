/* The page of an evaluation: metrics, the recall curve, and captions with what was found for them and where
 * their phrases look. */
#ifndef LAIP_REPORT_EVAL_PAGE_H
#define LAIP_REPORT_EVAL_PAGE_H

#include "eval/attention.h"
#include "eval/evaluate.h"

typedef struct laip_eval_page {
    const char *folder; /* index.html is written there; it is made */
    const char *checkpoint, *split;
    const laip_evaluation *evaluation;
    const laip_dataset *dataset;
    laip_attention_reader *attention; /* of the split's phrases; NULL: no maps */
    size_t k;                         /* candidates that were re-ranked; 0: none */
    bool fused;                       /* by both: which of the rankings the pictures are shown in */
    size_t count; /* captions of each kind: answered best, worst, drawn at random from a fixed seed */
} laip_eval_page;

bool laip_eval_page_write(const laip_eval_page *page, laip_error *error);

#endif
