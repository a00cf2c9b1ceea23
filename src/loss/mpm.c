#include "loss/mpm.h"

#include "ops/bias.h"
#include "ops/gather.h"
#include "ops/gelu.h"
#include "ops/xent.h"
#include <stdio.h>

void laip_mlm_head_declare(laip_mlm_head *h, laip_table *t, const laip_model_config *m, const char *prefix,
                           laip_param *word)
{
    char name[160];
    size_t D = (size_t)m->width;
    snprintf(name, sizeof name, "%s.transform.dense", prefix);
    h->dense = laip_linear_declare(t, name, D, D);
    snprintf(name, sizeof name, "%s.transform.LayerNorm", prefix);
    h->norm = laip_norm_declare(t, name, D, 1e-12f);
    h->bias = laip_declare(t, LAIP_INIT_ZERO, 1, (size_t[]){(size_t)m->vocab}, "%s.bias", prefix);
    h->word = word;
}

void laip_mpm_plan(laip_mpm *l, laip_plan *r, const laip_model_config *m, size_t most)
{
    size_t D = (size_t)m->width;
    *l = (laip_mpm){.index = laip_plan_ints(r, most),
                    .target = laip_plan_ints(r, most),
                    .back = laip_scatter_plan(r, most),
                    .x = laip_plan_activations(r, most, D),
                    .pre = laip_plan_activations(r, most, D),
                    .h = laip_plan_activations(r, most, D),
                    .stats = laip_plan_mat(r, most, 2),
                    .t = laip_plan_activations(r, most, D),
                    .logits = laip_plan_mat(r, most, (size_t)m->vocab),
                    .loss = laip_plan_mat(r, most, 1),
                    .weight = laip_plan_ints(r, most),
                    .dt = laip_plan_activations(r, most, D)};
}

void laip_mpm_prepare(laip_mpm *l, laip_device *d, const laip_masked *m)
{
    l->count = l->index.count = l->target.count = l->weight.count = m->count;
    laip_ints_write(d, l->index, m->row);
    laip_ints_write(d, l->target, m->target);
    laip_floats_write(d, l->weight, m->weight);
    laip_scatter_upload(&l->back, d, m->row, m->count, m->token_rows);
}

void laip_mpm_forward(laip_mpm *l, const laip_mlm_head *h, const laip_context *c, laip_mat tokens)
{
    size_t count = l->count;
    laip_gather_rows(c->device, laip_rows(l->x, count), tokens, l->index);
    laip_linear_gelu(c, &h->dense, laip_rows(l->h, count), laip_rows(l->pre, count), laip_rows(l->x, count));
    laip_norm_forward(c, &h->norm, laip_rows(l->t, count), laip_rows(l->stats, count),
                      laip_rows(l->h, count));
}

/* From dt, the gradient of the head's hidden states, down into the tokens. */
static void backward(laip_mpm *l, const laip_mlm_head *h, const laip_context *c, laip_mat dtokens,
                     size_t count, size_t targets)
{
    laip_mat dt = laip_rows(l->dt, count), dx = laip_rows(l->t, count); /* t has done its work by now */
    laip_norm_backward(c, &h->norm, dt, false, dt, laip_rows(l->h, count), laip_rows(l->stats, count));
    laip_gelu_backward(c->device, dt, dt, laip_rows(l->pre, count));
    laip_linear_backward(c, &h->dense, dx, false, dt, laip_rows(l->x, count));
    laip_scatter_rows(c->device, dtokens, dx, l->back.target, l->back.begin, l->back.source, targets);
}

void laip_mpm_truth_gradient(laip_mpm *l, const laip_mlm_head *h, const laip_context *c, laip_mat dtokens,
                             size_t count)
{
    laip_context activations = *c;
    activations.frozen = true;
    laip_ints target = l->target;
    target.count = count;
    laip_gather_rows(c->device, laip_rows(l->dt, count), h->word->value, target);
    /* masked rows are distinct and in increasing order, so the first `count` tokens are the first `count`
     * targets */
    backward(l, h, &activations, dtokens, count, count);
    laip_norm_forward(c, &h->norm, laip_rows(l->t, count), laip_rows(l->stats, count),
                      laip_rows(l->h, count));
}

void laip_mpm_loss(laip_mpm *l, const laip_mlm_head *h, const laip_context *c, laip_mat dtokens)
{
    size_t n = l->count;
    laip_mat logits = laip_rows(l->logits, n), t = laip_rows(l->t, n);
    laip_epilogue bias = {.bias = h->bias->value};
    laip_gemm(c->device, false, true, 1, t, h->word->value, 0, logits, &bias);
    laip_xent(c->device, logits, laip_rows(l->loss, n), (laip_mat){0}, l->target, laip_column(l->weight, n),
              c->report);
    laip_gemm(c->device, true, false, 1, logits, t, 1, h->word->gradient, NULL);
    laip_bias_gradient(c->device, h->bias->gradient, logits, c->reduce);
    laip_gemm(c->device, false, false, 1, logits, h->word->value, 0, laip_rows(l->dt, n), NULL);
    backward(l, h, c, dtokens, n, l->back.targets);
}
