/* A training run under way: what the files of train/ share of it. */
#ifndef LAIP_TRAIN_RUN_H
#define LAIP_TRAIN_RUN_H

#include "config/corpus.h"
#include "dist/ranks.h"
#include "eval/evaluate.h"
#include "model/step.h"

#include <stdio.h>

typedef struct laip_run {
    laip_config *config;
    const laip_ranks *ranks;
    laip_device *device;
    laip_corpus corpus;
    laip_split train, val;
    laip_model model;
    laip_step step;
    FILE *metrics, *timing;
    laip_str yaml;
    laip_str samples;           /* of the last validation, for the run's page */
    uint64_t total_steps, done; /* of all phases */
    double best;
    double started, images; /* for samples a second */
} laip_run;

char *laip_run_path(const laip_run *r, const char *name); /* in the run folder; freed by the caller */

/* Evaluates on the validation split, tells it, and keeps the model if it is the best so far (validate.c). */
bool laip_validate(laip_run *r, const laip_phase *p, laip_error *error);

/* The run's page, report/index.html, as the logs are now (report.c); rank 0 writes it. */
bool laip_run_report(laip_run *r, const laip_phase *p, bool running, laip_error *error);
/* Keeps some captions with what was found for them, for the page. */
void laip_run_keep_samples(laip_run *r, const laip_evaluation *e);

#endif
