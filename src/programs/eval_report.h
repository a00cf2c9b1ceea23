/* What laip-eval prints. */
#ifndef LAIP_PROGRAMS_EVAL_REPORT_H
#define LAIP_PROGRAMS_EVAL_REPORT_H

#include "eval/attention.h"
#include "eval/binding.h"
#include "eval/evaluate.h"

typedef struct laip_eval_results {
    const laip_evaluation *evaluation;
    const laip_dataset *dataset;
    const laip_binding *binding;        /* of drawn families; none elsewhere */
    const laip_attention_share *shares; /* [LAIP_BOUNDS]; NULL: not measured */
    const laip_device *device;
    const char *checkpoint, *split, *label; /* label NULL: none */
    size_t k;                               /* candidates that were re-ranked; 0: by features alone */
    bool fused, chance;
} laip_eval_results;

void laip_eval_report_json(const laip_eval_results *r);
/* The table, metrics inside families where there are any, and `show` captions with what was found for them.
 */
void laip_eval_report(const laip_eval_results *r, long show);

#endif
