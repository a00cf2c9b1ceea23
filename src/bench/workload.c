/* The settings of `laip-bench step` and `eval`: a configuration and what is made up beside it. */
#include "bench/workload.h"

#include "base/rng.h"
#include "ops/gemm/gemm.h"
#include "ops/matrix_unit.h"
#include <stdlib.h>
#include <string.h>

enum { PHASE = 256, REPEAT, TOKENS, FULL_VOCABULARY = 30522, FIRST_WORD = 1000, HIDE_EVERY = 7 };

static const struct argp_option options[] = {
    {"set", 's', "KEY=VALUE", 0, "overrides a setting of the configuration; may be given often", 0},
    {"phase", PHASE, "N", 0, "whose losses are computed, from 0 (default: the last)", 0},
    {"repeat", REPEAT, "N", 0, "timed rounds (default: 5)", 0},
    {"tokens", TOKENS, "N", 0, "tokens of a caption (default: 27)", 0},
    {0}};

int laip_bench_number(struct argp_state *state, const char *option, const char *text, int least)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (!*text || *end || n < least || n > 1000000)
        argp_error(state, "--%s %s: expected a whole number of at least %d", option, text, least);
    return (int)n;
}

void laip_bench_set(laip_bench_workload *w, const char *assignment)
{
    void *array = w->sets;
    laip_grow(&array, &w->set_capacity, w->set_count + 1, sizeof *w->sets);
    w->sets = array;
    w->sets[w->set_count++] = assignment;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    laip_bench_workload *w = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->common;
        w->phase = -1;
        w->repeat = 5;
        w->tokens = 27;
        return 0;
    case 's':
        laip_bench_set(w, text);
        return 0;
    case PHASE:
        w->phase = laip_bench_number(state, "phase", text, 0);
        return 0;
    case REPEAT:
        w->repeat = laip_bench_number(state, "repeat", text, 1);
        return 0;
    case TOKENS:
        w->tokens = laip_bench_number(state, "tokens", text, 2);
        return 0;
    case ARGP_KEY_ARG:
        if (w->config_path)
            argp_error(state, "expected one configuration, found %s and %s", w->config_path, text);
        w->config_path = text;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {{&laip_bench_argp, 0, NULL, 0}, {0}};
static const struct argp workload_argp = {.options = options, .parser = parse, .children = children};

void laip_bench_workload_parse(int argc, char **argv, const struct argp_option *own, argp_parser_t parser,
                               const char *documentation, void *input)
{
    const struct argp_child both[] = {{&workload_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = own, .parser = parser, .args_doc = "[CONFIG]", .doc = documentation, .children = both};
    argp_parse(&argp, argc, argv, 0, NULL, input);
}

bool laip_bench_workload_read(laip_bench_workload *w, laip_error *error)
{
    laip_config *c = &w->config;
    laip_config_defaults(c);
    if (!w->config_path)
        c->batch = 2;
    bool good = !w->config_path || laip_config_read(c, w->config_path, error);
    for (size_t i = 0; good && i < w->set_count; i++)
        good = laip_config_set(c, w->sets[i], error);
    if (!good)
        return false;
    if (w->common.device) {
        free(c->device);
        c->device = laip_strdup(w->common.device);
    }
    if (w->phase >= c->phase_count && w->phase >= 0)
        return laip_bad_input(error, "--phase %d: the configuration has %d phases", w->phase, c->phase_count);
    if (!c->model.vocab) /* training learns one, of at most so many tokens */
        c->model.vocab = w->config_path && !*c->vocab ? c->vocab_size : FULL_VOCABULARY;
    int phase = w->phase < 0 ? c->phase_count - 1 : w->phase;
    w->loss = phase < 0 ? c->loss : laip_config_losses(c, &c->phases[phase]);
    if (w->tokens > c->model.positions)
        return laip_bad_input(error, "--tokens %d: the model takes texts of at most %d", w->tokens,
                              c->model.positions);
    return laip_model_config_check(&c->model, error) && laip_loss_config_check(&w->loss, &c->model, error);
}

bool laip_bench_workload_open(const laip_bench_workload *w, int local_rank, laip_device **device,
                              laip_error *error)
{
    const laip_config *c = &w->config;
    if (!laip_gemm_known(c->gemm))
        return laip_bad_input(error, "gemm is %s, expected " LAIP_GEMM_NAMES, c->gemm);
    if (!laip_device_open(device, c->device, local_rank, error))
        return false;
    laip_precision_set(*device, (laip_precision)c->precision);
    if (strcmp(c->gemm, "auto") != 0) /* LAIP_GEMM may have said more */
        laip_gemm_force(*device, c->gemm);
    return laip_device_ok(*device, error);
}

void laip_bench_workload_free(laip_bench_workload *w)
{
    laip_config_free(&w->config);
    free(w->sets);
    w->sets = NULL;
}

void laip_bench_workload_settings(const laip_bench_workload *w, json_t *report)
{
    laip_str yaml = {0};
    laip_config_write(&w->config, &yaml);
    json_t *settings = json_object_get(report, "settings");
    json_object_set_new(settings, "config", json_string(laip_str_text(&yaml)));
    json_object_set_new(settings, "phase", json_integer(w->phase));
    json_object_set_new(settings, "tokens", json_integer(w->tokens));
    json_object_set_new(settings, "repeat", json_integer(w->repeat));
    free(yaml.text);
}

float *laip_bench_pixels(laip_arena *arena, const laip_model_config *m, size_t images, uint64_t seed)
{
    size_t count = images * 3 * (size_t)m->image_height * (size_t)m->image_width;
    float *pixels = laip_arena_alloc(arena, count ? count : 1, sizeof *pixels);
    laip_rng r = laip_rng_stream(seed, 0, 0, LAIP_SITE_SYNTH);
    for (size_t i = 0; i < count; i++)
        pixels[i] = (float)(4 * laip_rng_uniform(&r) - 2);
    return pixels;
}

int32_t *laip_bench_tokens(laip_arena *arena, int vocab, size_t count, size_t length, uint64_t seed,
                           int32_t **begin)
{
    int first = vocab > 2 * FIRST_WORD ? FIRST_WORD : vocab / 2;
    int32_t *ids = laip_arena_alloc(arena, count * length + 1, sizeof *ids);
    *begin = laip_arena_alloc(arena, count + 1, sizeof **begin);
    laip_rng r = laip_rng_stream(seed, 0, 1, LAIP_SITE_SYNTH);
    for (size_t i = 0; i < count * length; i++)
        ids[i] = i % length ? first + (int32_t)laip_rng_below(&r, (uint32_t)(vocab - first)) : 0;
    for (size_t i = 0; i <= count; i++)
        (*begin)[i] = (int32_t)(i * length);
    return ids;
}

/* The masked form of tokens: every `every`-th of a sequence, counted from its end, is masked. */
static void mask(laip_arena *arena, const int32_t *ids, size_t count, size_t length, size_t every,
                 int32_t **masked, int32_t **target)
{
    *masked = laip_arena_alloc(arena, count * length + 1, sizeof **masked);
    *target = laip_arena_alloc(arena, count * length + 1, sizeof **target);
    for (size_t i = 0; i < count * length; i++) {
        size_t to_end = length - 1 - i % length;
        bool is_masked = i % length && to_end % every == 0;
        (*masked)[i] = is_masked ? 1 : ids[i];
        (*target)[i] = is_masked ? ids[i] : -1;
    }
}

laip_batch laip_bench_batch(laip_arena *arena, const laip_bench_workload *w, size_t index, int phrases,
                            int phrase_tokens)
{
    const laip_model_config *m = &w->config.model;
    size_t b = (size_t)w->config.batch, p = b * (size_t)phrases, length = (size_t)w->tokens,
           phrase = (size_t)phrase_tokens;
    laip_batch x = {.size = (int)b,
                    .images = laip_bench_pixels(arena, m, b, index),
                    .sample = laip_arena_alloc(arena, b, sizeof *x.sample),
                    .person = laip_arena_alloc(arena, b, sizeof *x.person),
                    .phrases = (int)p,
                    .phrase_owner = laip_arena_alloc(arena, p + 1, sizeof *x.phrase_owner)};
    for (size_t i = 0; i < b; i++) {
        x.sample[i] = index * b + i;
        x.person[i] = (int32_t)(index * b + i);
    }
    for (size_t j = 0; j < p; j++)
        x.phrase_owner[j] = (int32_t)(j / (size_t)phrases);
    x.caption_ids = laip_bench_tokens(arena, m->vocab, b, length, index, &x.caption_begin);
    x.phrase_ids = laip_bench_tokens(arena, m->vocab, p, phrase, ~(uint64_t)index, &x.phrase_begin);
    mask(arena, x.phrase_ids, p, phrase, phrase, &x.phrase_masked, &x.phrase_target);
    if (w->loss.weight[LAIP_LOSS_MLM] > 0)
        mask(arena, x.caption_ids, b, length, HIDE_EVERY, &x.caption_masked, &x.caption_target);
    return x;
}
