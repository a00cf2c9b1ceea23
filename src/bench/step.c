/* laip-bench step: one training step, end to end, with made-up data. */
#include "base/log.h"
#include "bench/workload.h"
#include "dist/exchange.h"
#include "dist/gradients.h"
#include "ops/gemm/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MICRO = 512, PHRASES, PHRASE_TOKENS };

typedef struct bench {
    laip_bench_workload w;
    int phrases, phrase_tokens;
    laip_ranks ranks;
    laip_device *device;
    laip_model model;
    laip_step step;
    laip_arena arena;
    laip_batch *batches; /* this rank's micro-batches: first … last − 1 */
    size_t first, last;
    uint64_t done;
    double exchange, busy; /* seconds of the last step */
} bench;

static error_t parse(int key, char *text, struct argp_state *state)
{
    bench *b = state->input;
    char set[64];
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &b->w;
        b->phrases = 6;
        b->phrase_tokens = 4;
        return 0;
    case MICRO:
        snprintf(set, sizeof set, "batch.micro_batch_size=%d", laip_bench_number(state, "micro", text, 1));
        laip_bench_set(&b->w, laip_arena_strndup(&b->arena, set, strlen(set)));
        return 0;
    case PHRASES:
        b->phrases = laip_bench_number(state, "phrases", text, 0);
        return 0;
    case PHRASE_TOKENS:
        b->phrase_tokens = laip_bench_number(state, "phrase-tokens", text, 2);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static laip_step_sizes sizes_of(const bench *b)
{
    const laip_config *c = &b->w.config;
    size_t n = (size_t)c->batch, phrases = n * (size_t)b->phrases;
    return (laip_step_sizes){.batch = n,
                             .micro_batches = (size_t)c->micro_batches,
                             .caption_rows = n * (size_t)b->w.tokens,
                             .longest_caption = (size_t)b->w.tokens,
                             .phrases = phrases,
                             .phrase_rows = phrases * (size_t)b->phrase_tokens,
                             .longest_phrase = phrases ? (size_t)b->phrase_tokens : 0,
                             .recompute = c->recompute != 0};
}

/* Takes the memory, if there is enough of it, and makes up weights and data. */
static bool prepare(bench *b, laip_error *error)
{
    const laip_config *c = &b->w.config;
    laip_step_sizes z = sizes_of(b);
    const laip_traits *t = laip_device_traits(b->device);
    if (c->micro == LAIP_MICRO_AUTO)
        return laip_bad_input(error, "batch.micro is auto, which depends on the captions of a data set; give "
                                     "the size: --set batch.micro=given --micro N");
    if (!laip_model_declare(&b->model, &c->model, true, error))
        return false;
    size_t weights = laip_model_bytes(&b->model, b->device);
    laip_model_free(&b->model);
    if (weights > t->memory)
        return laip_bad_input(error, "the weights take %zu bytes on the device, %s has %zu", weights, t->name,
                              t->memory);
    if (!laip_model_create(&b->model, b->device, &c->model, true, error))
        return false;
    size_t buffers = laip_step_bytes(&b->model, &b->w.loss, &z);
    if (weights + buffers > t->memory)
        return laip_bad_input(error, "the step takes %zu bytes on the device, %s has %zu", weights + buffers,
                              t->name, t->memory);
    laip_params_initialise(&b->model.params, &b->model.table, (uint64_t)c->seed, c->deviation,
                           c->loss.temperature);
    laip_params_copy_average(&b->model.params);
    laip_params_zero_moments(&b->model.params);
    if (!laip_step_create(&b->step, &b->model, &b->w.loss, &z, (uint64_t)c->seed, error))
        return false;
    laip_ranks_division(&b->ranks, b->ranks.rank, z.micro_batches, &b->first, &b->last);
    b->batches = laip_alloc(b->last - b->first + 1, sizeof *b->batches);
    for (size_t i = b->first; i < b->last; i++)
        b->batches[i - b->first] = laip_bench_batch(&b->arena, &b->w, i, b->phrases, b->phrase_tokens);
    return true;
}

/* The step as training makes it. */
static bool one_step(void *context, laip_error *error)
{
    bench *b = context;
    laip_step *s = &b->step;
    if (b->last - b->first > 1)
        laip_step_keep_packed(s);
    laip_step_begin(s, b->w.loss.momentum);
    for (size_t i = b->first; i < b->last; i++)
        laip_step_momentum(s, &b->batches[i - b->first], i);
    laip_profiler_part(b->device, "exchange");
    double start = laip_seconds();
    laip_exchange_keys(&b->ranks, s);
    b->exchange = laip_seconds() - start;
    laip_gradients *g = laip_gradients_create(&b->ranks, s);
    laip_gradient_times times = {0};
    bool good = true;
    for (size_t i = b->first; good && i < b->last; i++) {
        if (i + 1 == b->last)
            laip_gradients_begin(g);
        good = laip_step_micro(s, &b->batches[i - b->first], i, b->done, error);
    }
    laip_profiler_part(b->device, "exchange");
    good = good && laip_gradients_end(g, &times, error);
    laip_gradients_free(g);
    if (!good)
        return false;
    b->exchange += times.exposed; /* what the backward did not hide */
    b->busy = times.busy;
    return laip_step_end(s, &b->w.config.optimiser, ++b->done, error);
}

static void add_memory(const bench *b, const laip_bench_timing *t, json_t *report)
{
    laip_step_sizes z = sizes_of(b);
    size_t weights = laip_model_bytes(&b->model, b->device);
    size_t buffers = laip_step_bytes((laip_model *)(uintptr_t)&b->model, &b->w.loss, &z);
    laip_bench_add(report, "device: weights, gradients, moments, momentum copies", (double)weights / 0x1p20,
                   "MiB", 0);
    laip_bench_add(report, "device: buffers of a step", (double)buffers / 0x1p20, "MiB", 0);
    laip_bench_add(report, "device: weights kept packed", (double)laip_gemm_cache_bytes(b->device) / 0x1p20,
                   "MiB", 0);
    laip_bench_add(report, "largest resident set", t->resident / 0x1p20, "MiB", 0);
}

static void add_results(bench *b, const laip_bench_timing *t, const laip_bench_limits *limits, json_t *report)
{
    double samples = (double)b->w.config.batch * b->w.config.micro_batches;
    double sums[2] = {t->flops, limits->gflops};
    laip_ranks_sum_doubles(&b->ranks, sums, 2);
    laip_bench_add(report, "multiply-adds, fp32", sums[1], "GFLOP/s", 0);
    laip_bench_add(report, "copy", limits->gbytes, "GB/s", 0);
    laip_bench_add(report, "step", 1e3 * t->median, "ms", 0);
    laip_bench_add(report, "step, fastest", 1e3 * t->least, "ms", 0);
    laip_bench_add(report, "step, slowest", 1e3 * t->most, "ms", 0);
    laip_bench_add(report, "step, profiled", 1e3 * t->wall, "ms", 0);
    laip_bench_add(report, "pairs", samples / t->median, "pairs/s", 0);
    laip_bench_add(report, "operations of a step", 1e-9 * sums[0], "GFLOP", 0);
    laip_bench_add(report, "operations a second", 1e-9 * sums[0] / t->median, "GFLOP/s", sums[1]);
    if (b->ranks.size > 1)
        laip_bench_add(report, "exchange between ranks", 1e3 * b->exchange, "ms", 1e3 * t->wall);
    add_memory(b, t, report);
    laip_bench_breakdown(report, "", t, limits);
}

/* The limits come last: their buffers are no part of what a step takes. */
static bool measure(bench *b, json_t *report, laip_error *error)
{
    laip_bench_limits limits;
    laip_bench_timing t = {0};
    bool good = prepare(b, error) &&
                laip_bench_rounds(b->device, "step", one_step, b, b->w.repeat, &t, error) &&
                laip_bench_limits_measure(b->device, &limits, error);
    if (good)
        add_results(b, &t, &limits, report);
    laip_bench_timing_free(&t);
    return good;
}

static json_t *describe(const bench *b)
{
    json_t *report = laip_bench_report(b->device, "step"), *settings = json_object_get(report, "settings");
    laip_bench_workload_settings(&b->w, report);
    json_object_set_new(settings, "phrases", json_integer(b->phrases));
    json_object_set_new(settings, "phrase_tokens", json_integer(b->phrase_tokens));
    json_object_set_new(settings, "ranks", json_integer(b->ranks.size));
    return report;
}

int laip_bench_step(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"micro", MICRO, "N", 0, "pairs of a micro-batch: as --set batch.micro_batch_size=N", 0},
        {"phrases", PHRASES, "N", 0, "phrases of a caption (default: 6)", 0},
        {"phrase-tokens", PHRASE_TOKENS, "N", 0, "tokens of a phrase (default: 4)", 0},
        {0}};
    static const char documentation[] =
        "Times one training step of CONFIG's model (default: the full-size one, all losses, two pairs) on "
        "made-up pictures and captions: the median of the rounds after a warm-up, and then, in rounds of "
        "their own, where the device's time goes, by part and by kernel.\v"
        "Percentages beside milliseconds are of the profiled step, those beside rates of the device's own "
        "measured peak.  Under mpirun the micro-batches are shared out, and the breakdown is rank 0's.\n\n"
        "Examples:\n\n"
        "  laip-bench step\n"
        "  laip-bench step configs/demo.yaml --micro 16 --json=step.json\n"
        "  mpirun -n 2 laip-bench step configs/demo.yaml\n";
    bench b = {0};
    laip_error error;
    int status = 0;
    laip_bench_workload_parse(argc, argv, options, parse, documentation, &b);
    if (!laip_ranks_begin(&b.ranks, &argc, &argv, &error))
        return laip_bench_fails(argv[0], &error);
    if (!laip_bench_workload_read(&b.w, &error) ||
        !laip_bench_workload_open(&b.w, b.ranks.local_rank, &b.device, &error))
        laip_ranks_abort(&b.ranks, argv[0], &error);
    json_t *report = describe(&b);
    if (!measure(&b, report, &error))
        laip_ranks_abort(&b.ranks, argv[0], &error);
    if (b.ranks.rank)
        json_decref(report);
    else
        status = laip_bench_finish(argv[0], report, &b.w.common);
    laip_step_free(&b.step);
    laip_model_free(&b.model);
    laip_device_close(b.device);
    laip_bench_workload_free(&b.w);
    laip_arena_free(&b.arena);
    free(b.batches);
    laip_ranks_end(&b.ranks);
    return status;
}
