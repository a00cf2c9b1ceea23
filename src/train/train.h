/* Training: phases one after another, each over the steps of its configuration; evaluation on the validation
 * split; the run folder.
 *
 * A run folder holds config.yaml (resolved), vocab.txt, metrics.jsonl (a line a step and an evaluation;
 * nothing in it depends on time), timing.jsonl (what does), last/state.safetensors (from which --resume goes
 * on to the same bits) with last/products.R (which product served which shapes on rank R), and
 * best.safetensors (the best on the validation split, or the last where there is none). */
#ifndef LAIP_TRAIN_TRAIN_H
#define LAIP_TRAIN_TRAIN_H

#include "config/config.h"
#include "dist/ranks.h"

typedef struct laip_train_options {
    bool resume;  /* go on from the run folder's last state */
    bool plan;    /* print what memory the run will take, and stop */
    bool profile; /* print the device's time by kernel at the end */
} laip_train_options;

/* Rank 0 writes the run folder. */
bool laip_train(laip_config *config, const laip_ranks *ranks, const laip_train_options *options,
                laip_error *error);

#endif
