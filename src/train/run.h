/* A training run under way: what the files of train/ share of it. */
#ifndef LAIP_TRAIN_RUN_H
#define LAIP_TRAIN_RUN_H

#include "config/corpus.h"
#include "data/loader.h"
#include "dist/gradients.h"
#include "dist/shard.h"
#include "eval/evaluate.h"
#include "model/step.h"
#include "report/tensorboard.h"
#include "train/logs.h"
#include "train/memory.h"
#include "train/trace.h"
#include "train/train.h"

/* The last step that was begun and not told yet: the device may still be at it. */
typedef struct laip_run_told {
    uint64_t number; /* of the run, from 1; 0: none */
    const laip_phase *phase;
    float lr;
} laip_run_told;

enum { LAIP_PACES = 64 };

typedef struct laip_run {
    laip_config *config;
    const laip_ranks *ranks; /* own_ranks: those that were given, with their shares */
    laip_ranks own_ranks;
    double *share;           /* [ranks] micro-batches of each, where they are not equal */
    double *speed;           /* [ranks] micro-batches a second, as last measured; 0: not known */
    bool shares_follow;      /* the speeds */
    double pace[LAIP_PACES]; /* seconds a micro-batch, of the last steps on this rank */
    size_t paces;
    const laip_train_options *options;
    laip_device *device;
    laip_corpus corpus;
    laip_split train, val;
    laip_model model;
    laip_step step;
    laip_trace *trace;          /* of the first steps; NULL: none */
    laip_gradients *gradients;  /* their sums over the ranks */
    laip_shard *shard;          /* where they share out the optimiser's moments */
    laip_log metrics, timing;   /* of rank 0 */
    laip_str yaml;              /* the resolved configuration */
    laip_tensorboard events;    /* where the config wants them */
    laip_str samples;           /* of the last validation, for the page of the run */
    uint64_t data;              /* checksum of what the annotations hold */
    int lock;                   /* of the run folder, held by rank 0; -1: none */
    uint64_t total_steps, done; /* of all phases */
    uint64_t saved;             /* `done` of last/state.safetensors; UINT64_MAX: there is none */
    int saved_phase;
    bool saved_is_newest; /* it is last/state.safetensors, and not one before it */
    double best;
    double started, images; /* for samples a second */
    double slowest, saving; /* seconds, of a step and of writing the state */
    long bad_steps;
    size_t skipped; /* damaged pictures, of this phase */
    laip_run_told told;
} laip_run;

char *laip_run_path(const laip_run *r, const char *name); /* in the run folder; freed by the caller */

/* setup.c: data, device, sizes. */
laip_loader_options laip_run_loader_options(const laip_run *r, const laip_phase *p);
uint64_t laip_run_phase_steps(const laip_run *r, const laip_phase *p);
laip_memory laip_run_memory(laip_run *r);
bool laip_run_open_device(laip_run *r, laip_error *error);
bool laip_run_open_data(laip_run *r, laip_error *error);
bool laip_run_divide_batch(laip_run *r, laip_error *error);
bool laip_run_check_memory(laip_run *r, laip_error *error); /* of all phases */
bool laip_run_open_step(laip_run *r, int phase, laip_error *error);
void laip_run_introduce(laip_run *r); /* which rank has which device */

/* shares.c: which rank takes how much; after the model is there. */
bool laip_run_settle_shares(laip_run *r, int phase, laip_error *error);
/* This rank's own micro-batches of a step have kept its device busy for so long. */
void laip_run_pace(laip_run *r, double seconds, size_t own);
/* Before a state is saved: whether from the next step on the shares are others. */
bool laip_run_follow_speed(laip_run *r, bool *changed, laip_error *error);

/* agree.c: whether all ranks were given the same. */
bool laip_run_same_config(laip_run *r, laip_error *error);
bool laip_run_same_data(laip_run *r, laip_error *error);
/* good of all ranks; where it is another's failure alone, error says so (laip_ranks_elsewhere). */
bool laip_run_all(const laip_run *r, bool good, laip_error *error);

/* folder.c: the run folder. */
bool laip_run_open_folder(laip_run *r, laip_error *error);
void laip_run_tidy(const laip_run *r); /* at the end: what ranks of a killed job may still have written */
bool laip_run_describe(laip_run *r, laip_error *error); /* writes config.yaml and vocab.txt */

/* state.c: what is saved of a run, and read back. */
bool laip_run_save(laip_run *r, int phase, uint64_t phase_step, laip_error *error);
/* Before the model is made: whether there is a state that this configuration may go on from (*path; NULL:
 * there is none, and the run begins), and where it is.  batch.micro = auto takes the state's division. */
bool laip_run_find_state(laip_run *r, char **path, int *phase, uint64_t *from, laip_error *error);
bool laip_run_read_state(laip_run *r, const char *path, laip_error *error);

/* step.c: one step of all micro-batches. */
enum { LAIP_STEP_FAILED = 1, LAIP_STEP_STOP = 2, LAIP_STEP_TIME = 4 };
typedef struct laip_run_step {
    laip_loader *loader;
    size_t own, first; /* micro-batches of this rank */
    const laip_batch **batches;
    uint64_t key, t; /* names the step's random numbers; the optimiser's step, from 1 */
    float mu, lr;
    double waited; /* seconds, for data */
    laip_gradient_times exchange;
} laip_run_step;
/* Fetches this rank's micro-batches; returns what all ranks say of going on: bits of the above.  error is of
 * this rank. */
unsigned laip_run_begin_step(laip_run *r, laip_run_step *s, laip_error *error);
/* Waits for nothing but what the ranks exchange. */
bool laip_run_one_step(laip_run *r, laip_run_step *s, laip_error *error);

/* tell.c: lines of metrics.jsonl and timing.jsonl, progress, and steps whose numbers are not finite. */
bool laip_run_log_time(laip_run *r, double seconds, const laip_run_step *s, laip_error *error);
/* Tells what came of the step in r->told, if its report is there, or with `wait` in any case.  Whether the
 * run may go on: a step whose losses or gradient are not finite is a failure, unless --skip-bad-steps has
 * some left. */
bool laip_run_tell(laip_run *r, bool wait, laip_error *error);
void laip_add_number(laip_str *line, const char *key, double value); /* ,"key":value; null if not finite */

/* Evaluates on the validation split, tells it, and keeps the model if it is the best so far (validate.c). */
bool laip_validate(laip_run *r, const laip_phase *p, laip_error *error);

/* Opens TensorBoard's events where the config wants them; once the logs are open. */
bool laip_run_report_begin(laip_run *r, laip_error *error);
/* The run's page, report/index.html, as the logs are now (report.c); rank 0 writes it. */
bool laip_run_report(laip_run *r, const laip_phase *p, bool running, laip_error *error);
/* Keeps some captions with what was found for them, for the page. */
void laip_run_keep_samples(laip_run *r, const laip_evaluation *e);

#endif
