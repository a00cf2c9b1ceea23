/* Training: phases one after another, each over the steps of its configuration; evaluation on the validation
 * split; the run folder.
 *
 * A run folder holds config.yaml (resolved), vocab.txt, metrics.jsonl (a line a step and an evaluation;
 * nothing in it depends on time), timing.jsonl (what does), last/ (state.c: from which --resume goes on to
 * the same bits), best.safetensors (the best on the validation split, or the last where there is none), and
 * lock, which the run that is at work there holds. */
#ifndef LAIP_TRAIN_TRAIN_H
#define LAIP_TRAIN_TRAIN_H

#include "config/config.h"
#include "dist/ranks.h"

typedef struct laip_train_options {
    bool resume;         /* go on from a state of the run folder */
    long resume_step;    /* which; -1: the newest */
    bool overwrite;      /* replace the run that the folder holds */
    bool plan;           /* tell what memory the run will take, and stop */
    bool profile;        /* tell the device's time by kernel at the end */
    const char *trace;   /* file for a trace of the first steps (trace.h); NULL: none */
    long skip_bad_steps; /* whose losses or gradients are not finite: so many are passed over */
    bool (*stop)(void);  /* asked before each step: whether to save and end; NULL: never */
    double time_limit;   /* seconds from `begun` (laip_seconds), before which to save and end; 0: none */
    double begun;
    void (*print)(const char *text); /* receives what plan and profile tell */
} laip_train_options;

/* Rank 0 writes the run folder.  A run that ends before its last step, for a signal or the time, has saved
 * its state, and so has one that ends with a picture that cannot be read. */
bool laip_train(laip_config *config, const laip_ranks *ranks, const laip_train_options *options,
                laip_error *error);

#endif
