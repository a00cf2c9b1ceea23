/* Checkpoints of a tiny model, made, trained and spoiled in a folder of the test's own. */
#ifndef LAIP_TESTS_SUPPORT_RUNS_H
#define LAIP_TESTS_SUPPORT_RUNS_H

#include "store/checkpoint.h"

int laip_test_runs_begin(void **state); /* cmocka's, of a group: makes the folder, fixes the products */
int laip_test_runs_end(void **state);
char *laip_test_inside(const char *name); /* a path in the folder; free() releases it */

/* A model with values of its own and, for training, a step. */
typedef struct laip_test_run {
    laip_model model;
    laip_step step;
    laip_arena arena;
} laip_test_run;

laip_model_config laip_test_run_sizes(void);
void laip_test_run_open_model(laip_test_run *r, const laip_model_config *m, bool training, uint64_t seed);
void laip_test_run_open(laip_test_run *r, uint64_t seed); /* with a step */
void laip_test_run_close(laip_test_run *r);
/* Steps first … last − 1, each of its own batch; negatives are drawn. */
void laip_test_run_train(laip_test_run *r, uint64_t first, uint64_t last);
/* Writes a checkpoint, with the state of training or without; its path. */
char *laip_test_run_save(laip_test_run *r, const char *name, bool state);

/* What is done to a checkpoint to spoil it. */
typedef struct laip_test_change {
    const char *leave_out;      /* a tensor */
    const char *turn, *flatten; /* a matrix with its sides exchanged; a tensor as one row of all elements */
    const char *as_ints, *as_floats; /* of type I32, F32, with the same bytes */
    const char *ones;                /* with every bit set */
    const char *add;                 /* a tensor of one element */
    const char *cut;                 /* a tensor of one element less */
    const char *leave_out_notes;     /* "yes": the metadata */
} laip_test_change;
char *laip_test_changed(const char *path, const char *name, laip_test_change c); /* the spoiled copy's path */

/* The error is one line of bad input that begins with the file's name and holds `says`. */
void laip_test_check_refusal(const laip_error *error, const char *path, const char *says);
/* Loading is refused so; path is released. */
void laip_test_refused(laip_test_run *r, char *path, const char *allow_missing, const char *says);

#endif
