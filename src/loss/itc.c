#include "loss/itc.h"

#include "base/memory.h"
#include "ops/bias.h"
#include "ops/contrast.h"
#include "ops/matrix_unit.h"
#include <stdlib.h>

void laip_itc_plan(laip_itc *l, laip_plan *r, size_t batch, size_t keys, size_t width, size_t embed,
                   bool distilled)
{
    *l = (laip_itc){0};
    laip_projection_plan(&l->image, r, batch, width, embed);
    laip_projection_plan(&l->text, r, batch, width, embed);
    laip_projection_plan(&l->image_m, r, batch, width, embed);
    laip_projection_plan(&l->text_m, r, batch, width, embed);
    l->dots = laip_plan_mat(r, batch, keys);
    if (distilled)
        l->momentum_dots = laip_plan_mat(r, batch, keys);
    l->loss[0] = laip_plan_mat(r, batch, 1);
    l->loss[1] = laip_plan_mat(r, batch, 1);
    l->dtemperature = laip_plan_mat(r, batch, 1);
    l->weight = laip_plan_ints(r, batch);
    l->person = laip_plan_ints(r, batch);
    l->key_person = laip_plan_ints(r, keys);
    l->own = laip_plan_mat(r, batch, embed);
    l->similarity[0] = laip_plan_mat(r, batch, batch);
    l->similarity[1] = laip_plan_mat(r, batch, batch);
}

/* The momentum features of the micro-batch, rows first … of the keys, in l->own. */
static laip_mat own_keys(laip_itc *l, laip_device *d, laip_mat keys, size_t batch, size_t first)
{
    size_t row = keys.cols * sizeof(float);
    laip_mem_copy(d, l->own.mem, 0, keys.mem, first * row, batch * row);
    return laip_rows(l->own, batch);
}

void laip_itc_similarities(laip_itc *l, const laip_context *c, const laip_keys *keys, size_t batch,
                           size_t first)
{
    const laip_mat sides[2][2] = {{l->image.f, keys->text}, {l->text.f, keys->image}};
    laip_precision before = laip_precision_set(c->device, LAIP_PRECISION_FP32);
    for (int i = 0; i < 2; i++) {
        l->similarity[i].rows = l->similarity[i].cols = batch;
        laip_gemm(c->device, false, true, 1, laip_rows(sides[i][0], batch),
                  own_keys(l, c->device, sides[i][1], batch, first), 0, l->similarity[i], NULL);
    }
    laip_precision_set(c->device, before);
}

/* One direction: features against the other side's keys; own is the momentum features' side. */
typedef struct side {
    const laip_projection *features;
    laip_mat own, other, loss;
} side;

static void direction(laip_itc *l, const laip_context *c, const laip_keys *keys, const side *x, float alpha)
{
    size_t batch = l->batch;
    laip_mat dots = laip_rows(l->dots, batch), momentum = laip_rows(l->momentum_dots, batch);
    laip_mat all = laip_rows(x->other, keys->count), loss = x->loss;
    const laip_projection *p = x->features;
    dots.cols = momentum.cols = keys->count;
    laip_gemm(c->device, false, true, 1, laip_rows(p->f, batch), all, 0, dots, NULL);
    if (alpha > 0)
        laip_gemm(c->device, false, true, 1, own_keys(l, c->device, x->own, batch, l->first), all, 0,
                  momentum, NULL);
    laip_contrast contrast = {.momentum_dots = momentum,
                              .row_a = l->person,
                              .key_a = l->key_person,
                              .temperature = keys->temperature,
                              .weight = laip_column(l->weight, batch),
                              .alpha = alpha,
                              .report = c->report};
    laip_contrast_rows(c->device, dots, laip_rows(loss, batch), laip_rows(l->dtemperature, batch), &contrast);
    laip_bias_gradient(c->device, keys->dtemperature, laip_rows(l->dtemperature, batch), c->reduce);
    laip_gemm(c->device, false, false, 1, dots, all, 0, laip_rows(p->df, batch), NULL);
}

void laip_itc_prepare(laip_itc *l, laip_device *d, const laip_keys *keys, const laip_itc_rows *r)
{
    float *weight = laip_alloc(r->batch, sizeof *weight);
    for (size_t i = 0; i < r->batch; i++)
        weight[i] = 0.5f * r->weight / (float)r->batch;
    l->weight.count = r->batch;
    laip_floats_write(d, l->weight, weight);
    free(weight);
    l->batch = r->batch;
    l->first = r->first;
    l->person.count = r->batch;
    l->key_person.count = keys->count;
    laip_ints_write(d, l->person, r->person);
    laip_ints_write(d, l->key_person, keys->person);
}

void laip_itc_forward_backward(laip_itc *l, const laip_context *c, const laip_keys *keys, float alpha)
{
    const side sides[2] = {{&l->image, keys->image, keys->text, l->loss[0]},
                           {&l->text, keys->text, keys->image, l->loss[1]}};
    laip_precision before = laip_precision_set(c->device, LAIP_PRECISION_FP32);
    direction(l, c, keys, &sides[0], alpha);
    direction(l, c, keys, &sides[1], alpha);
    laip_precision_set(c->device, before);
}
