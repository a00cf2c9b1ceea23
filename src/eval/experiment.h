/* The runs of an experiment, read from what `laip-eval --json` printed of them, for eval/paired.h.
 *
 * A list names them, a line each: ROW SEED REPETITION FILE [FILE…]; files are found beside the list, several
 * are the galleries of one run.  # begins a comment. */
#ifndef LAIP_EVAL_EXPERIMENT_H
#define LAIP_EVAL_EXPERIMENT_H

#include "base/error.h"
#include "base/memory.h"
#include "eval/paired.h"

enum laip_experiment_metric {
    LAIP_METRIC_FAMILY,      /* the right one of the own drawn family, in the order that was shown */
    LAIP_METRIC_GARMENTS,    /* the right colours of upper and lower garment */
    LAIP_METRIC_HAT_AND_BAG, /* of hat and bag */
    LAIP_METRIC_FEATURES,    /* R@1 by features */
    LAIP_METRIC_MATCHING,    /* by matching */
    LAIP_METRIC_BOTH,        /* by both */
    LAIP_EXPERIMENT_METRICS
};
/* family, garments, hat_and_bag, features, matching, both; NULL at the end. */
extern const char *const laip_experiment_metric_names[];

typedef struct laip_experiment_run {
    char *row;
    int32_t seed, repetition;
    struct laip_experiment_group *groups; /* [count], by unit */
    size_t count, capacity;
} laip_experiment_run;

typedef struct laip_experiment {
    laip_experiment_run *runs; /* in the order of the list */
    size_t count, capacity;
    bool families; /* of drawn families, so that the first three metrics are there */
} laip_experiment;

bool laip_experiment_read(laip_experiment *e, const char *list, laip_error *error);
void laip_experiment_free(laip_experiment *e);

/* Rows by one metric, each in the order of its first line; what is in them lives in the arena. Returns how
 * many. */
size_t laip_experiment_rows(const laip_experiment *e, enum laip_experiment_metric metric, laip_arena *arena,
                            laip_paired_units *units, laip_paired_row **rows);

#endif
