/* Operations on rows and on flat memory for `laip-bench ops`, at the sizes of a step of two images: what they
 * move a second, beside a plain copy of as many bytes. */
#include "bench/bench.h"
#include "cl/shared.h"
#include "ops/adamw.h"
#include "ops/bias.h"
#include "ops/contrast.h"
#include "ops/dropout.h"
#include "ops/gelu.h"
#include "ops/gemm/gemm.h"
#include "ops/layernorm.h"
#include "ops/xent.h"

#include <stdlib.h>

/* Rows of two images, a width, the MLP's width; tokens that a step predicts, and the vocabulary; pairs and
 * keys of the contrast, and the joint space; a flat chunk of weights. */
enum {
    ROWS = 1154,
    WIDTH = 768,
    HIDDEN = 3072,
    PREDICTED = 64,
    VOCABULARY = 30522,
    PAIRS = 13,
    KEYS = 65536,
    EMBED = 256,
    FLAT = 1 << 24
};

typedef struct operands {
    laip_mat x, y, dx, weight, bias, dweight, dbias, stats, scratch; /* [ROWS, WIDTH] and its vectors */
    laip_mat pre, hidden;                                            /* [ROWS, HIDDEN] */
    laip_mat logits, loss, row_weight;
    laip_ints target;
    laip_mat features, keys, dots, temperature, report, row_loss, dtemperature, pair_weight;
    laip_ints person, key_person;
    laip_mat flat[5];
} operands;

static void layernorm(laip_device *d, void *context)
{
    const operands *o = context;
    laip_layernorm_forward(d, o->y, o->stats, o->x, o->weight, o->bias, 1e-6f);
}

static void layernorm_back(laip_device *d, void *context)
{
    const operands *o = context;
    laip_layernorm_backward(d, o->dx, false, o->dweight, o->dbias, o->y, o->x, o->stats, o->weight,
                            o->scratch);
}

static void gelu(laip_device *d, void *context)
{
    const operands *o = context;
    laip_gelu_forward(d, o->hidden, o->pre);
}

static void gelu_back(laip_device *d, void *context)
{
    const operands *o = context;
    laip_gelu_backward(d, o->hidden, o->pre, o->pre);
}

static void bias_back(laip_device *d, void *context)
{
    const operands *o = context;
    laip_bias_gradient(d, o->dbias, o->y, o->scratch);
}

static void xent(laip_device *d, void *context)
{
    const operands *o = context;
    laip_xent(d, o->logits, o->loss, (laip_mat){0}, o->target, o->row_weight, (laip_mat){0});
}

static void contrast(laip_device *d, void *context)
{
    const operands *o = context;
    const laip_contrast c = {
        .row_a = o->person, .key_a = o->key_person, .temperature = o->temperature, .weight = o->pair_weight};
    laip_contrast_rows(d, o->dots, o->row_loss, o->dtemperature, &c);
}

static void scores(laip_device *d, void *context)
{
    const operands *o = context;
    laip_gemm(d, false, true, 1, o->features, o->keys, 0, o->dots, NULL);
    contrast(d, context);
}

static void adamw(laip_device *d, void *context)
{
    const operands *o = context;
    const laip_adamw settings = {1e-5f, 0.9f, 0.999f, 1e-8f, 0.02f};
    laip_adamw_step(d, o->flat[0], (laip_mat){0}, o->flat[1], o->flat[2], o->flat[3], o->report, &settings);
}

static void move(laip_device *d, void *context)
{
    const operands *o = context;
    laip_ema_update(d, o->flat[4], (laip_mat){0}, o->flat[0], (laip_mat){0}, 0.995f);
}

static void lay_out(operands *o, laip_device *d, laip_plan *r)
{
    size_t partials = laip_layernorm_partials(d, ROWS, WIDTH), bias = laip_bias_partials(d, ROWS, WIDTH);
    laip_mat *const plain[] = {&o->x, &o->y, &o->dx}, *const wide[] = {&o->pre, &o->hidden};
    laip_mat *const vectors[] = {&o->weight, &o->bias, &o->dweight, &o->dbias};
    for (int i = 0; i < 3; i++)
        *plain[i] = laip_plan_mat(r, ROWS, WIDTH);
    for (int i = 0; i < 2; i++)
        *wide[i] = laip_plan_mat(r, ROWS, HIDDEN);
    for (int i = 0; i < 4; i++)
        *vectors[i] = laip_plan_mat(r, 1, WIDTH);
    o->stats = laip_plan_mat(r, ROWS, 2);
    o->scratch = laip_plan_mat(r, 1, partials > bias ? partials : bias);
    o->logits = laip_plan_mat(r, PREDICTED, VOCABULARY);
    o->loss = laip_plan_mat(r, PREDICTED, 1);
    o->row_weight = laip_plan_mat(r, PREDICTED, 1);
    o->target = laip_plan_ints(r, PREDICTED);
    o->features = laip_plan_mat(r, PAIRS, EMBED);
    o->keys = laip_plan_mat(r, KEYS, EMBED);
    o->dots = laip_plan_mat(r, PAIRS, KEYS);
    o->temperature = laip_plan_mat(r, 1, 1);
    o->report = laip_plan_mat(r, 1, LAIP_REPORT_SIZE);
    laip_mat *const columns[] = {&o->row_loss, &o->dtemperature, &o->pair_weight};
    for (int i = 0; i < 3; i++)
        *columns[i] = laip_plan_mat(r, PAIRS, 1);
    o->person = laip_plan_ints(r, PAIRS);
    o->key_person = laip_plan_ints(r, KEYS);
    for (int i = 0; i < 5; i++)
        o->flat[i] = laip_plan_mat(r, 1, FLAT);
}

static void fill(laip_device *d, const operands *o)
{
    const laip_mat random[] = {o->x,          o->y,        o->weight, o->bias,    o->pre,     o->logits,
                               o->row_weight, o->features, o->keys,   o->flat[0], o->flat[1], o->pair_weight};
    const float temperature = 0.07f;
    for (size_t i = 0; i < sizeof random / sizeof *random; i++)
        laip_bench_fill(d, random[i]);
    float report[LAIP_REPORT_SIZE] = {0};
    report[LAIP_REPORT_FACTOR] = 1;
    report[LAIP_REPORT_INVERSE1] = 10;
    report[LAIP_REPORT_INVERSE2] = 1000;
    laip_mat_write(d, o->report, report);
    laip_mat_write(d, o->temperature, &temperature); /* the rest is zero: moments, targets, persons */
}

bool laip_bench_rows(const laip_bench_run *run, laip_error *error)
{
    static const struct {
        const char *name;
        void (*work)(laip_device *, void *);
    } ops[] = {{"layernorm, 1154 x 768: forward", layernorm},
               {"layernorm, 1154 x 768: backward", layernorm_back},
               {"gelu, 1154 x 3072: forward", gelu},
               {"gelu, 1154 x 3072: backward", gelu_back},
               {"bias, 1154 x 768: gradient", bias_back},
               {"softmax cross-entropy with gradient, 64 x 30522", xent},
               {"contrast with gradient, 13 pairs on 65536 keys", contrast},
               {"contrast and its scores, 13 pairs on 65536 keys", scores},
               {"adamw, 16777216 weights", adamw},
               {"momentum move, 16777216 weights", move}};
    laip_device *d = run->device;
    operands o;
    laip_plan *r = laip_plan_create(d, "operands");
    lay_out(&o, d, r);
    bool good = laip_plan_allocate(r, error);
    if (good) {
        lay_out(&o, d, r);
        fill(d, &o);
    }
    for (size_t i = 0; good && i < sizeof ops / sizeof *ops; i++)
        good = laip_bench_op(run, ops[i].name, ops[i].work, &o, error);
    laip_plan_free(r);
    return good;
}
