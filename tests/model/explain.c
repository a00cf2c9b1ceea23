/* The attention of phrases as scoring gives it is that of the golden steps: forward, backward and weights,
 * for all phrases of an image at once and for each alone. */
#include "support/test.h"

#include "base/memory.h"
#include "model/explain.h"
#include "support/device.h"
#include "support/fixture.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 2e-4

typedef struct golden {
    laip_fixture f;
    laip_model model;
    laip_explainer x;
    size_t P;
    float *want[3], *got[3];
} golden;

static const char *const maps[] = {"expect.attention_forward", "expect.attention_backward",
                                   "expect.attention_weight"};

static void load(golden *g)
{
    laip_error e;
    for (size_t i = 0; i < g->f.file.count; i++) {
        const laip_tensor_entry *t = &g->f.file.tensors[i];
        laip_param *q;
        laip_part *part;
        if (strncmp(t->name, "param.", 6) != 0)
            continue;
        assert_true(laip_model_find(&g->model, t->name + 6, &q, &part));
        float *values = laip_alloc(t->count, sizeof *values);
        assert_ok(laip_tensor_floats(t, values, &e), e);
        laip_params_write(&g->model.params, q, part, 0, values);
        free(values);
    }
}

static void open_golden(golden *g, const char *name)
{
    char path[4096];
    laip_error e;
    snprintf(path, sizeof path, "%s/tests/fixtures/%s.safetensors", laip_test_source(), name);
    laip_fixture_open(&g->f, path);
    laip_step_sizes z = laip_fixture_sizes(&g->f);
    laip_explainer_sizes sizes = {(size_t)g->f.batch.phrases,
                                  (size_t)g->f.batch.phrase_begin[g->f.batch.phrases], z.longest_phrase};
    assert_ok(laip_model_create(&g->model, laip_test_device(), &g->f.sizes, false, &e), e);
    load(g);
    assert_ok(laip_explainer_create(&g->x, &g->model, &g->f.loss, &sizes, &e), e);
    g->P = (size_t)laip_patch_count(&g->f.sizes);
    for (int k = 0; k < 3; k++) {
        g->want[k] = laip_fixture_floats(&g->f, maps[k]);
        g->got[k] = laip_alloc(sizes.phrases * g->P, sizeof(float));
    }
}

static void close_golden(golden *g)
{
    for (int k = 0; k < 3; k++)
        free(g->got[k]);
    laip_explainer_free(&g->x);
    laip_model_free(&g->model);
    laip_fixture_close(&g->f);
}

/* Phrases first … last − 1, all of the image that is open. */
static void explain(golden *g, size_t first, size_t last)
{
    const laip_batch *b = &g->f.batch;
    laip_error e;
    int32_t begin[64], at = b->phrase_begin[first];
    for (size_t j = first; j <= last; j++)
        begin[j - first] = b->phrase_begin[j] - at;
    assert_ok(laip_explain_phrases(&g->x, b->phrase_masked + at, b->phrase_target + at, begin, last - first,
                                   g->got[0] + first * g->P, g->got[1] + first * g->P,
                                   g->got[2] + first * g->P, &e),
              e);
}

static void compare(const golden *g, const char *name)
{
    size_t count = (size_t)g->f.batch.phrases * g->P;
    for (int k = 0; k < 3; k++) {
        double difference = 0, size = 0;
        for (size_t i = 0; i < count; i++) {
            double d = (double)g->got[k][i] - g->want[k][i];
            difference += isfinite(d) ? d * d : INFINITY;
            size += (double)g->want[k][i] * g->want[k][i];
        }
        if (!(sqrt(difference) <= LIMIT * sqrt(size)))
            fail_msg("%s: %s is off by %g of %g", name, maps[k], sqrt(difference), sqrt(size));
    }
}

static void golden_steps(void **state)
{
    static const char *const names[] = {"laip_paper", "laip_contrastive_distilled", "laip_mlm_forward",
                                        "laip_backward_last_layer"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int alone = 0; alone < 2; alone++) {
            golden g = {.P = 0};
            laip_error e;
            open_golden(&g, names[i]);
            const laip_batch *b = &g.f.batch;
            size_t pixels = 3 * (size_t)g.f.sizes.image_height * (size_t)g.f.sizes.image_width;
            size_t p = (size_t)b->phrases, last;
            for (size_t first = 0; first < p; first = last) {
                assert_ok(laip_explain_image(&g.x, b->images + (size_t)b->phrase_owner[first] * pixels, &e),
                          e);
                last = first + 1;
                while (!alone && last < p && b->phrase_owner[last] == b->phrase_owner[first])
                    last++;
                explain(&g, first, last);
            }
            compare(&g, names[i]);
            close_golden(&g);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
