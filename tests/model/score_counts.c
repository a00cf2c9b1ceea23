/* What scoring asks of the device, counted: an image's keys and values are projected once however many
 * captions it meets, captions enter the cross encoder as far as no image has to do with only once, and of the
 * last cross layer only [CLS] is computed.  A guard that does not depend on time. */
#include "support/test.h"

#include "device/profiler.h"
#include "model/score.h"
#include "ops/gemm/gemm.h"
#include "support/device.h"
#include "support/tiny.h"
#include <string.h>

enum { MOST = 5, LENGTH = 6, CROSS_LAYERS = 3 };

typedef struct scored {
    laip_device *device;
    laip_model model;
    laip_scorer scorer;
    laip_arena arena;
    float *pixels, *features, *states, *logits;
    int32_t *ids, *begin;
} scored;

static void open_scorer(scored *s)
{
    laip_error error;
    laip_model_config m = laip_tiny_sizes();
    laip_score_sizes z = {.images = 2, .captions = MOST, .rows = MOST * LENGTH, .longest = LENGTH};
    m.cross_layers = CROSS_LAYERS;
    size_t pixels = 2 * 3 * (size_t)m.image_height * (size_t)m.image_width, D = (size_t)m.width;
    *s = (scored){.device = laip_test_device()};
    laip_gemm_force(s->device, "clblast");
    assert_ok(laip_model_create(&s->model, s->device, &m, false, &error), error);
    laip_params_initialise(&s->model.params, &s->model.table, 1, 0, 0.07f);
    assert_ok(laip_scorer_create(&s->scorer, &s->model, &z, &error), error);
    s->pixels = laip_arena_alloc(&s->arena, pixels, sizeof(float));
    s->features = laip_arena_alloc(&s->arena, MOST * (size_t)m.embed, sizeof(float));
    s->states = laip_arena_alloc(&s->arena, MOST * LENGTH * D, sizeof(float));
    s->logits = laip_arena_alloc(&s->arena, 2 * MOST, sizeof(float));
    s->ids = laip_arena_alloc(&s->arena, MOST * LENGTH, sizeof *s->ids);
    s->begin = laip_arena_alloc(&s->arena, MOST + 1, sizeof *s->begin);
    for (int i = 0; i < MOST * LENGTH; i++)
        s->ids[i] = i;
    for (int i = 0; i <= MOST; i++)
        s->begin[i] = i * LENGTH;
}

static void close_scorer(scored *s)
{
    laip_scorer_free(&s->scorer);
    laip_model_free(&s->model);
    laip_gemm_force(s->device, "auto");
    laip_arena_free(&s->arena);
}

static void start(const scored *s)
{
    laip_error error;
    assert_ok(laip_profiler_start(s->device, false, &error), error);
}

static laip_profiler_line sum(const scored *s, const char *part, const char *kernel)
{
    const laip_profiler_line *lines;
    size_t count;
    laip_error error;
    assert_ok(laip_profiler_read(s->device, &lines, &count, &error), error);
    return laip_profiler_sum(lines, count, part, kernel);
}

static double product(double m, double n, double k)
{
    return 2 * m * n * k;
}

/* Of `count` captions with an image: what is left of the first layer, whole layers between, [CLS] of the
 * last. */
static double match_operations(const laip_model_config *m, double count)
{
    double D = m->width, H = D * m->mlp, N = laip_patch_count(m) + 1, rows = count * LENGTH, all = 0;
    for (int i = 0; i < CROSS_LAYERS; i++) {
        bool first = i == 0, last = i + 1 == CROSS_LAYERS;
        double queries = last ? count : rows;
        if (!first) {
            all += last ? product(queries, D, D) + product(rows, 2 * D, D) : product(rows, 3 * D, D);
            all += 4 * queries * LENGTH * D + product(queries, D, D); /* self-attention and its end */
        }
        all += product(queries, D, D) + 4 * queries * N * D + product(queries, D, D);
        all += product(queries, H, D) + product(queries, D, H);
    }
    return all + product(count, 2, D);
}

static void matches(void **state)
{
    (void)state;
    scored s;
    laip_error error;
    uint64_t launches[2];
    open_scorer(&s);
    const laip_model_config *m = &s.model.sizes;
    double D = m->width, N = laip_patch_count(m) + 1;
    assert_ok(laip_score_texts(&s.scorer, s.ids, s.begin, MOST, s.features, s.states, &error), error);
    start(&s);
    assert_ok(laip_score_set_image(&s.scorer, s.pixels, &error), error);
    assert_int_equal(sum(&s, "keys and values", "clblast").count, CROSS_LAYERS);
    assert_true(sum(&s, "keys and values", NULL).flops == CROSS_LAYERS * product(N, 2 * D, D));
    assert_int_equal(sum(&s, "cross pass", NULL).count, 0);
    for (int i = 0; i < 2; i++) { /* the same launches for two captions and for five */
        size_t count = i ? MOST : 2;
        start(&s);
        assert_ok(laip_score_match(&s.scorer, s.states, s.begin, count, s.logits, &error), error);
        laip_profiler_line all = sum(&s, NULL, NULL);
        assert_true(all.flops == match_operations(m, (double)count));
        assert_int_equal(sum(&s, "cross pass", NULL).count, all.count);
        assert_int_equal(sum(&s, NULL, "download").count, 1); /* the logits: the one wait */
        launches[i] = all.count;
    }
    assert_int_equal(launches[0], launches[1]);
    close_scorer(&s);
}

/* Texts for their features alone do not enter the cross encoder; with states, as far as its first layer's
 * self-attention. */
static void texts(void **state)
{
    (void)state;
    scored s;
    laip_error error;
    open_scorer(&s);
    double D = s.model.sizes.width, H = D * s.model.sizes.mlp, E = s.model.sizes.embed;
    double rows = MOST * LENGTH;
    double self = product(rows, 3 * D, D) + 4 * rows * LENGTH * D + product(rows, D, D);
    double layer = self + product(rows, H, D) + product(rows, D, H);
    double features = s.model.sizes.text_layers * layer + product(MOST, E, D);
    for (int states = 0; states < 2; states++) {
        start(&s);
        assert_ok(
            laip_score_texts(&s.scorer, s.ids, s.begin, MOST, s.features, states ? s.states : NULL, &error),
            error);
        assert_true(sum(&s, NULL, NULL).flops == features + states * self);
    }
    close_scorer(&s);
}

static int drop(void **state)
{
    (void)state;
    laip_test_device_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches), cmocka_unit_test(texts)};
    return cmocka_run_group_tests(tests, NULL, drop);
}
