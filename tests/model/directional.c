/* The whole model's gradient: along directions in the space of its parameters, the change of the loss is what
 * the gradient says.  a← is a constant for the gradient, so BidirAtt weighs patches by the forward attention
 * here. */
#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "support/device.h"
#include "support/tiny.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double loss_of(laip_step *s, const laip_batch *batch)
{
    laip_error error;
    laip_losses v;
    laip_step_begin(s, 1); /* the momentum copies stay */
    assert_ok(laip_step_micro(s, batch, 0, 5, &error), error);
    assert_ok(laip_step_losses(s, &v, &error), error);
    return v.total;
}

/* Moves one chunk of the parameters to at + epsilon · direction. */
static void move(laip_step *s, size_t chunk, const float *at, const float *direction, float epsilon)
{
    laip_chunk *c = &s->model->params.chunks[chunk];
    float *x = laip_alloc(c->floats, sizeof *x);
    for (size_t i = 0; i < c->floats; i++)
        x[i] = at[i] + epsilon * direction[i];
    laip_mat_write(s->model->device, c->value, x);
    free(x);
}

static void check_chunk(laip_step *s, const laip_batch *batch, size_t chunk, int draw)
{
    laip_chunk *c = &s->model->params.chunks[chunk];
    float *at = laip_alloc(c->floats, sizeof *at), *g = laip_alloc(c->floats, sizeof *g);
    laip_rng r = laip_rng_stream(11, chunk, (uint64_t)draw, LAIP_SITE_TEST);
    double square = 0;
    loss_of(s, batch);
    laip_mat_read(s->model->device, c->value, at);
    laip_mat_read(s->model->device, c->gradient, g);
    for (size_t i = 0; i < c->floats;
         i++) { /* the gradient in a random half of the places: steep, and not special */
        if (!c->scalar && laip_rng_below(&r, 2))
            g[i] = 0;
        square += (double)g[i] * (double)g[i];
    }
    double length = sqrt(square);
    for (size_t i = 0; i < c->floats; i++)
        g[i] = (float)((double)g[i] / length);
    float epsilon = 4e-3f;
    move(s, chunk, at, g, epsilon);
    double up = loss_of(s, batch);
    move(s, chunk, at, g, -epsilon);
    double down = loss_of(s, batch), slope = (up - down) / (2 * (double)epsilon);
    move(s, chunk, at, g, 0);
    assert_true(length > 1e-3);
    if (fabs(slope - length) > 0.01 * length)
        fail_msg("chunk %zu, draw %d: the loss rises by %.6g, the gradient says %.6g", chunk, draw, slope,
                 length);
    free(at);
    free(g);
}

/* Of all biases of attention, those of keys alone, to which no score's softmax answers, have no gradient. */
static void check_key_biases(laip_step *s, const laip_batch *batch)
{
    const laip_table *t = &s->model->table;
    size_t keys = 0;
    loss_of(s, batch);
    for (size_t i = 0; i < t->count; i++) {
        const laip_param *p = t->params[i];
        const char *name = p->part[0].name;
        bool vit = strstr(name, "qkv.bias"), fused = p->parts > 1 && strstr(name, "bias");
        size_t parts = vit ? 3 : (size_t)p->parts, width = laip_mat_bytes(p->value) / sizeof(float) / parts;
        if (!p->gradient.mem || !(vit || fused))
            continue;
        float *g = laip_test_read(s->model->device, p->gradient);
        for (size_t k = 0; k < parts; k++) {
            float most = 0;
            for (size_t c = 0; c < width; c++)
                most = fmaxf(most, fabsf(g[k * width + c]));
            if ((most > 0) == (k + 2 == parts))
                fail_msg("%s, part %zu of %zu: the largest gradient is %g", name, k, parts, (double)most);
        }
        keys++;
        free(g);
    }
    assert_true(keys > 2);
}

/* The matching head begins at zero, where nothing would reach the network below it. */
static void check(float dropout, int bidiratt_loss, float alpha)
{
    laip_device *d = laip_test_device();
    laip_model model;
    laip_step step;
    laip_arena arena = {0};
    laip_model_config m = laip_tiny_sizes();
    laip_loss_config l = laip_tiny_losses();
    laip_batch batch = laip_tiny_batch(&arena, &m, 3);
    m.dropout = dropout;
    l.bidiratt_attention = LAIP_ATTENTION_FORWARD;
    l.bidiratt_loss = bidiratt_loss;
    l.distill_alpha = alpha;
    l.temperature = 0.2f;
    laip_test_fix_products(d);
    laip_tiny_create(&model, &step, &m, &l);
    laip_step_begin(&step, 1);
    laip_step_momentum(&step, &batch, 0);
    check_key_biases(&step, &batch);
    for (size_t chunk = 0; chunk < model.params.count; chunk++)
        for (int draw = 0; draw < 2; draw++)
            check_chunk(&step, &batch, chunk, draw);
    laip_step_free(&step);
    laip_model_free(&model);
    laip_arena_free(&arena);
}

static void plain(void **state)
{
    (void)state;
    check(0, LAIP_BIDIRATT_COSINE, 0);
}

static void dropped(void **state)
{
    (void)state;
    check(0.2f, LAIP_BIDIRATT_CONTRASTIVE, 0);
}

/* All gradients of a deeper model, one after the other; freed by the caller. */
static float *gradients(bool recompute, size_t *count, size_t *bytes)
{
    laip_device *d = laip_test_device();
    laip_model model;
    laip_step step;
    laip_error error;
    laip_arena arena = {0};
    laip_model_config m = laip_tiny_sizes();
    laip_loss_config l = laip_loss_config_default();
    laip_batch batch = laip_tiny_batch(&arena, &m, 3);
    laip_step_sizes z = laip_tiny_step_sizes();
    z.recompute = recompute;
    m.vit_layers = m.cross_layers = 4;
    m.text_layers = 3;
    m.dropout = 0.2f;
    l.weight[LAIP_LOSS_MLM] = 0.5f;
    l.bidiratt_layer = 2;
    laip_test_fix_products(d);
    assert_ok(laip_model_create(&model, d, &m, true, &error), error);
    laip_params_initialise(&model.params, &model.table, 5, 0, l.temperature);
    laip_test_fill_head(&model, 12);
    laip_params_copy_average(&model.params);
    *bytes = laip_step_bytes(&model, &l, &z);
    assert_ok(laip_step_create(&step, &model, &l, &z, 5, &error), error);
    laip_step_begin(&step, 1);
    laip_step_momentum(&step, &batch, 0);
    loss_of(&step, &batch);
    *count = 0;
    for (size_t i = 0; i < model.params.count; i++)
        *count += model.params.chunks[i].floats;
    float *all = laip_alloc(*count, sizeof *all), *at = all;
    for (size_t i = 0; i < model.params.count; at += model.params.chunks[i++].floats)
        laip_mat_read(d, model.params.chunks[i].gradient, at);
    laip_step_free(&step);
    laip_model_free(&model);
    laip_arena_free(&arena);
    return all;
}

/* Activations made again are the same to the bit, dropout included, and take less memory. */
static void recomputed(void **state)
{
    (void)state;
    size_t count, bytes, less;
    float *kept = gradients(false, &count, &bytes), *again = gradients(true, &count, &less);
    assert_memory_equal(kept, again, count * sizeof *kept);
    assert_true(less < bytes * 9 / 10);
    free(kept);
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(dropped),
                                       cmocka_unit_test(recomputed)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    laip_test_device_close();
    return failed;
}
