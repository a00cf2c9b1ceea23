/* laip-bench eval: encoding pictures and captions, and re-ranking, with made-up data. */
#include "bench/workload.h"
#include "model/score.h"
#include "ops/gemm/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 512, CAPTIONS, SHARED };

typedef struct bench {
    laip_bench_workload w;
    int images, captions, shared; /* encoded at once; captions that one picture is matched with */
    laip_device *device;
    laip_model model;
    laip_scorer scorer;
    laip_arena arena;
    size_t buffers;                                      /* bytes */
    float *pixels, *features, *states, *logits, *tokens; /* tokens: of one picture, encoded */
    int32_t *ids, *begin;
} bench;

static error_t parse(int key, char *text, struct argp_state *state)
{
    bench *b = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &b->w;
        b->images = 16;
        b->captions = 256;
        b->shared = 32;
        return 0;
    case IMAGES:
        b->images = laip_bench_number(state, "images", text, 1);
        return 0;
    case CAPTIONS:
        b->captions = laip_bench_number(state, "captions", text, 1);
        return 0;
    case SHARED:
        b->shared = laip_bench_number(state, "captions-per-image", text, 1);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static bool images(void *context, laip_error *error)
{
    bench *b = context;
    return laip_score_images(&b->scorer, b->pixels, (size_t)b->images, b->features, error);
}

static bool captions(void *context, laip_error *error)
{
    bench *b = context;
    return laip_score_texts(&b->scorer, b->ids, b->begin, (size_t)b->captions, b->features, b->states, error);
}

static bool match(void *context, laip_error *error)
{
    bench *b = context;
    return laip_score_match(&b->scorer, b->states, b->begin, (size_t)b->shared, b->logits, error);
}

static bool rerank(void *context, laip_error *error)
{
    bench *b = context;
    return laip_score_set_image(&b->scorer, b->pixels, error) && match(b, error);
}

/* As evaluation does it: the pictures are encoded before, for their features. */
static bool rerank_encoded(void *context, laip_error *error)
{
    bench *b = context;
    return laip_score_set_encoded_image(&b->scorer, b->tokens, error) && match(b, error);
}

static laip_score_sizes sizes_of(const bench *b)
{
    size_t texts = (size_t)(b->captions > b->shared ? b->captions : b->shared);
    return (laip_score_sizes){.images = (size_t)b->images,
                              .captions = texts,
                              .rows = texts * (size_t)b->w.tokens,
                              .longest = (size_t)b->w.tokens};
}

static bool prepare(bench *b, laip_error *error)
{
    const laip_config *c = &b->w.config;
    laip_score_sizes z = sizes_of(b);
    const laip_traits *t = laip_device_traits(b->device);
    if (!laip_model_create(&b->model, b->device, &c->model, false, error))
        return false;
    b->buffers = laip_scorer_bytes(&b->model, &z);
    size_t bytes = laip_model_bytes(&b->model, b->device) + b->buffers;
    if (bytes > t->memory)
        return laip_bad_input(error,
                              "scoring takes %zu bytes on the device, %s has %zu; fewer --images or "
                              "--captions take less",
                              bytes, t->name, t->memory);
    laip_params_initialise(&b->model.params, &b->model.table, (uint64_t)c->seed, c->deviation,
                           c->loss.temperature);
    if (!laip_scorer_create(&b->scorer, &b->model, &z, error))
        return false;
    size_t most = z.captions > z.images ? z.captions : z.images;
    b->pixels = laip_bench_pixels(&b->arena, &c->model, z.images, 1);
    b->ids = laip_bench_tokens(&b->arena, c->model.vocab, z.captions, z.longest, 1, &b->begin);
    b->features = laip_arena_alloc(&b->arena, most * (size_t)c->model.embed, sizeof(float));
    b->states = laip_arena_alloc(&b->arena, z.rows * (size_t)c->model.width, sizeof(float));
    b->logits = laip_arena_alloc(&b->arena, 2 * z.captions, sizeof(float));
    b->tokens = laip_arena_alloc(
        &b->arena, ((size_t)laip_patch_count(&c->model) + 1) * (size_t)c->model.width, sizeof(float));
    return laip_score_texts(&b->scorer, b->ids, b->begin, z.captions, b->features, b->states, error) &&
           laip_score_set_image(&b->scorer, b->pixels, error) &&
           laip_score_tokens(&b->scorer, 0, 1, b->tokens, error);
}

typedef struct part {
    const char *name, *unit, *prefix; /* prefix of the breakdown's names; NULL: none is printed */
    laip_bench_round round;
    int count; /* of units a round */
} part;

static void add_part(const part *p, const laip_bench_timing *t, const laip_bench_limits *limits,
                     json_t *report)
{
    char name[128];
    laip_bench_add(report, p->name, p->count / t->median, p->unit, 0);
    snprintf(name, sizeof name, "%s: operations a second", p->name);
    laip_bench_add(report, name, 1e-9 * t->flops / t->median, "GFLOP/s", limits->gflops);
    if (p->prefix)
        laip_bench_breakdown(report, p->prefix, t, limits);
}

/* The limits come last: their buffers are no part of what an evaluation takes. */
static bool measure(bench *b, json_t *report, laip_error *error)
{
    const part parts[] = {
        {"images encoded", "images/s", "images: ", images, b->images},
        {"captions encoded", "captions/s", "captions: ", captions, b->captions},
        {"pairs re-ranked", "pairs/s", "re-ranking: ", rerank, b->shared},
        {"pairs re-ranked, the picture encoded before", "pairs/s", NULL, rerank_encoded, b->shared},
        {"pairs re-ranked, the picture's keys and values at hand", "pairs/s", NULL, match, b->shared}};
    enum { PARTS = sizeof parts / sizeof *parts };
    laip_bench_limits limits;
    laip_bench_timing t[PARTS] = {0};
    bool good = prepare(b, error);
    for (int i = 0; good && i < PARTS; i++)
        good = laip_bench_rounds(b->device, parts[i].name, parts[i].round, b, b->w.repeat, &t[i], error);
    good = good && laip_bench_limits_measure(b->device, &limits, error);
    if (good) {
        const struct {
            const char *name;
            double bytes;
        } memory[] = {{"device: weights", (double)laip_model_bytes(&b->model, b->device)},
                      {"device: buffers", (double)b->buffers},
                      {"device: weights kept packed", (double)laip_gemm_cache_bytes(b->device)},
                      {"largest resident set", t[PARTS - 1].resident}};
        laip_bench_add(report, "multiply-adds, fp32", limits.gflops, "GFLOP/s", 0);
        laip_bench_add(report, "copy", limits.gbytes, "GB/s", 0);
        for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
            laip_bench_add(report, memory[i].name, memory[i].bytes / 0x1p20, "MiB", 0);
        for (int i = 0; i < PARTS; i++)
            add_part(&parts[i], &t[i], &limits, report);
    }
    for (int i = 0; i < PARTS; i++)
        laip_bench_timing_free(&t[i]);
    return good;
}

int laip_bench_eval(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"images", IMAGES, "N", 0, "pictures encoded at once (default: 16)", 0},
        {"captions", CAPTIONS, "N", 0, "captions encoded at once (default: 256)", 0},
        {"captions-per-image", SHARED, "N", 0, "captions that a picture is matched with (default: 32)", 0},
        {0}};
    static const char documentation[] =
        "Times what evaluation consists of, with CONFIG's model (default: the full-size one) on made-up "
        "pictures and captions: pictures and captions encoded, and pairs re-ranked, where each picture is "
        "matched with many captions, encoded anew or before; and where the device's time goes.\v"
        "Examples:\n\n"
        "  laip-bench eval\n"
        "  laip-bench eval configs/demo.yaml --captions-per-image 128 --json=eval.json\n";
    bench b = {0};
    laip_error error;
    laip_bench_workload_parse(argc, argv, options, parse, documentation, &b);
    int status;
    json_t *report = NULL;
    bool good =
        laip_bench_workload_read(&b.w, &error) && laip_bench_workload_open(&b.w, 0, &b.device, &error);
    if (good) {
        report = laip_bench_report(b.device, "eval");
        laip_bench_workload_settings(&b.w, report);
        json_t *settings = json_object_get(report, "settings");
        json_object_set_new(settings, "images", json_integer(b.images));
        json_object_set_new(settings, "captions", json_integer(b.captions));
        json_object_set_new(settings, "captions_per_image", json_integer(b.shared));
        good = measure(&b, report, &error);
    }
    if (good)
        status = laip_bench_finish(argv[0], report, &b.w.common);
    else {
        json_decref(report);
        status = laip_bench_fails(argv[0], &error);
    }
    if (b.scorer.model)
        laip_scorer_free(&b.scorer);
    laip_model_free(&b.model);
    laip_device_close(b.device);
    laip_bench_workload_free(&b.w);
    laip_arena_free(&b.arena);
    return status;
}
