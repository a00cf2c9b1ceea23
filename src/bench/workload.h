/* What `laip-bench step` and `eval` share: the model of a configuration, made-up pictures and captions, the
 * timing of whole rounds of work, and where their time goes. */
#ifndef LAIP_BENCH_WORKLOAD_H
#define LAIP_BENCH_WORKLOAD_H

#include "base/memory.h"
#include "bench/bench.h"
#include "config/config.h"
#include "data/batch.h"
#include "device/profiler.h"

typedef struct laip_bench_workload {
    laip_bench_options common;
    const char *config_path;
    const char **sets;
    size_t set_count, set_capacity;
    int phase;          /* -1: the last */
    int repeat, tokens; /* timed rounds; tokens of a caption, [CLS] among them */
    laip_config config;
    laip_loss_config loss;
} laip_bench_workload;

/* Parses `[CONFIG]`, the options of every workload and a subcommand's own, whose parser hands the workload in
 * input on to child 0. */
void laip_bench_workload_parse(int argc, char **argv, const struct argp_option *options, argp_parser_t parse,
                               const char *documentation, void *input);
/* A whole number of at least `least`, or an error of argp. */
int laip_bench_number(struct argp_state *state, const char *option, const char *text, int least);
void laip_bench_set(laip_bench_workload *w, const char *assignment); /* as --set does; it is kept */
/* Reads the configuration: without one it is the full-size model with all losses, two pairs a micro-batch. */
bool laip_bench_workload_read(laip_bench_workload *w, laip_error *error);
/* Opens the device that it names, and forces the product that it names. */
bool laip_bench_workload_open(const laip_bench_workload *w, int local_rank, laip_device **device,
                              laip_error *error);
void laip_bench_workload_free(laip_bench_workload *w);
/* Adds the resolved configuration and the caption's tokens to the report's settings. */
void laip_bench_workload_settings(const laip_bench_workload *w, json_t *report);

float *laip_bench_pixels(laip_arena *arena, const laip_model_config *m, size_t images, uint64_t seed);
/* `count` sequences of `length` tokens that begin alike, as with [CLS]; begin [count + 1]. */
int32_t *laip_bench_tokens(laip_arena *arena, int vocab, size_t count, size_t length, uint64_t seed,
                           int32_t **begin);
/* Micro-batch `index`: distinct persons; each caption owns `phrases` phrases of phrase_tokens tokens, the
 * last of which is masked in their masked form; every seventh token of a caption is masked in its own. */
laip_batch laip_bench_batch(laip_arena *arena, const laip_bench_workload *w, size_t index, int phrases,
                            int phrase_tokens);

/* A round of work that can be repeated. */
typedef bool (*laip_bench_round)(void *context, laip_error *error);
typedef struct laip_bench_timing {
    double median, least, most; /* seconds */
    double flops;               /* of a round */
    double wall;                /* of a round while profiling */
    double resident;            /* bytes: the process's largest resident set so far */
    laip_profiler_line *lines;  /* of all profiled rounds */
    size_t count;
    laip_arena names; /* theirs */
} laip_bench_timing;
/* Warms up with two rounds, times `repeat` of them, each waited for, and profiles two more.
 * laip_bench_timing_free releases what it holds, whether it succeeded or not. */
bool laip_bench_rounds(laip_device *device, const char *what, laip_bench_round round, void *context,
                       int repeat, laip_bench_timing *timing, laip_error *error);
void laip_bench_timing_free(laip_bench_timing *timing);
/* Adds to the report milliseconds a profiled round by part (the host's is when the device had nothing to do)
 * and by kernel, with launches and rates, names beginning with `prefix`. */
void laip_bench_breakdown(json_t *report, const char *prefix, const laip_bench_timing *timing,
                          const laip_bench_limits *limits);

#endif
