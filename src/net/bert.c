#include "net/bert.h"

#include "ops/attention.h"
#include "ops/dropout.h"
#include "ops/gather.h"
#include "ops/gelu.h"
#include <stdio.h>

/* The dropouts of a layer, in the order of their sites. */
enum { SITE_SELF, SITE_SELF_OUT, SITE_CROSS, SITE_CROSS_OUT, SITE_OUT };

void laip_bert_embeddings_declare(laip_bert_embeddings *e, laip_table *t, const laip_model_config *m,
                                  const char *prefix)
{
    size_t D = (size_t)m->width;
    char name[160];
    e->word = laip_declare(t, LAIP_INIT_TABLE, 2, (size_t[]){(size_t)m->vocab, D},
                           "%s.embeddings.word_embeddings.weight", prefix);
    e->word->value.store = t->store; /* it is the vocabulary's matrix of products as well */
    e->position = laip_declare(t, LAIP_INIT_POSITIONS, 2, (size_t[]){(size_t)m->positions, D},
                               "%s.embeddings.position_embeddings.weight", prefix);
    e->type = laip_declare(t, LAIP_INIT_TABLE, 2, (size_t[]){2, D},
                           "%s.embeddings.token_type_embeddings.weight", prefix);
    snprintf(name, sizeof name, "%s.embeddings.LayerNorm", prefix);
    e->norm = laip_norm_declare(t, name, D, 1e-12f);
}

/* Of `count` layers, of which the last two are keys and values. */
static laip_linear fused(laip_table *t, const char *prefix, const char *const *names, int count, size_t D)
{
    laip_linear l = {.keys = D, .first_key = (size_t)(count - 2) * D};
    l.weight = laip_declare_fused(t, LAIP_INIT_MATRIX, D, D, prefix, names, count, "weight");
    l.bias = laip_declare_fused(t, LAIP_INIT_ZERO, D, 0, prefix, names, count, "bias");
    return l;
}

void laip_bert_layer_declare(laip_bert_layer *l, laip_table *t, const laip_model_config *m,
                             const char *prefix, int index, bool crosses, bool last)
{
    static const char *const all[] = {"query", "key", "value"};
    size_t D = (size_t)m->width;
    char base[128], name[192], query[224];
    snprintf(base, sizeof base, "%s.encoder.layer.%d", prefix, index);
    *l = (laip_bert_layer){
        .heads = m->heads, .crosses = crosses, .site = 1 + (uint32_t)index * LAIP_BERT_SITES};
    snprintf(name, sizeof name, "%s.attention.self", base);
    if (last) {
        snprintf(query, sizeof query, "%s.query", name);
        l->self_query = laip_linear_declare(t, query, D, D);
        l->self_kv = fused(t, name, all + 1, 2, D);
    } else {
        l->qkv = fused(t, name, all, 3, D);
    }
    snprintf(name, sizeof name, "%s.attention.output.dense", base);
    l->attention_out = laip_linear_declare(t, name, D, D);
    snprintf(name, sizeof name, "%s.attention.output.LayerNorm", base);
    l->attention_norm = laip_norm_declare(t, name, D, 1e-12f);
    if (crosses) {
        snprintf(name, sizeof name, "%s.crossattention.self.query", base);
        l->query = laip_linear_declare(t, name, D, D);
        snprintf(name, sizeof name, "%s.crossattention.self", base);
        l->kv = fused(t, name, all + 1, 2, D);
        snprintf(name, sizeof name, "%s.crossattention.output.dense", base);
        l->cross_out = laip_linear_declare(t, name, D, D);
        snprintf(name, sizeof name, "%s.crossattention.output.LayerNorm", base);
        l->cross_norm = laip_norm_declare(t, name, D, 1e-12f);
    }
    snprintf(name, sizeof name, "%s.intermediate.dense", base);
    l->intermediate = laip_linear_declare(t, name, D * (size_t)m->mlp, D);
    snprintf(name, sizeof name, "%s.output.dense", base);
    l->output = laip_linear_declare(t, name, D, D * (size_t)m->mlp);
    snprintf(name, sizeof name, "%s.output.LayerNorm", base);
    l->output_norm = laip_norm_declare(t, name, D, 1e-12f);
}

static void plan_looked_at(laip_bert_saved *s, laip_plan *r, size_t rows, size_t image_rows, size_t D,
                           size_t heads)
{
    s->q = laip_plan_activations(r, rows, D);
    s->kv = laip_plan_activations(r, image_rows, 2 * D);
    s->clse = laip_plan_mat(r, rows, heads);
}

laip_bert_saved laip_bert_plan_saved(const laip_model_config *m, laip_plan *r, size_t rows,
                                     size_t selected_rows, size_t image_rows, bool crosses, laip_mat h,
                                     const laip_bert_saved *shared)
{
    size_t D = (size_t)m->width, heads = (size_t)m->heads;
    laip_bert_saved s = {0};
    if (shared) {
        s = *shared;
        s.x = laip_plan_activations(r, rows, D);
        if (crosses)
            plan_looked_at(&s, r, rows, image_rows, D, heads);
        return s;
    }
    s.x = laip_plan_activations(r, rows, D);
    s.qkv = laip_plan_activations(r, rows, 3 * D);
    if (selected_rows) {
        s.self_q = laip_plan_activations(r, selected_rows, 3 * D);
        s.x_selected = laip_plan_activations(r, selected_rows, D);
        rows = selected_rows;
    }
    s.o = laip_plan_activations(r, rows, D);
    s.lse = laip_plan_mat(r, rows, heads);
    s.sum1 = laip_plan_activations(r, rows, D);
    s.stats1 = laip_plan_mat(r, rows, 2);
    s.y1 = laip_plan_activations(r, rows, D);
    s.pre = laip_plan_activations(r, rows, h.cols);
    s.h = h;
    s.sum3 = laip_plan_activations(r, rows, D);
    s.stats3 = laip_plan_mat(r, rows, 2);
    s.y2 = s.y1;
    if (crosses) {
        plan_looked_at(&s, r, rows, image_rows, D, heads);
        s.co = laip_plan_activations(r, rows, D);
        s.sum2 = laip_plan_activations(r, rows, D);
        s.stats2 = laip_plan_mat(r, rows, 2);
        s.y2 = laip_plan_activations(r, rows, D);
    }
    return s;
}

laip_bert_scratch laip_bert_plan_scratch(const laip_model_config *m, laip_plan *r, size_t rows,
                                         size_t image_rows)
{
    size_t D = (size_t)m->width;
    laip_bert_scratch s = {.dh = laip_plan_activations(r, rows, D * (size_t)m->mlp),
                           .dn = laip_plan_activations(r, rows, D),
                           .dqkv = laip_plan_activations(r, rows, 3 * D),
                           .dropped = laip_plan_activations(r, rows, D)};
    if (image_rows)
        s.dkv = laip_plan_activations(r, image_rows, 2 * D);
    return s;
}

/* All of a layer's activations with `rows` rows; keys and values keep those of the images. */
static laip_bert_saved now(const laip_bert_saved *saved, size_t rows, size_t image_rows)
{
    laip_bert_saved s = *saved;
    laip_mat *all[] = {&s.x,    &s.qkv,  &s.o,      &s.lse, &s.sum1, &s.stats1, &s.y1,   &s.q,     &s.co,
                       &s.clse, &s.sum2, &s.stats2, &s.y2,  &s.pre,  &s.h,      &s.sum3, &s.stats3};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]->rows = rows;
    s.kv.rows = image_rows;
    return s;
}

/* The same of a last layer: `rows` of the batch, `selection` of those that go on. */
static laip_bert_saved now_last(const laip_bert_layer *l, const laip_bert_saved *saved, size_t rows,
                                size_t selection, size_t image_rows)
{
    laip_bert_saved s = now(saved, selection, image_rows);
    size_t D = s.x.cols;
    s.x.rows = s.qkv.rows = rows;
    s.self_q.rows = s.x_selected.rows = selection;
    if (l->self_query.weight) { /* laid out for either form */
        s.qkv.cols = 2 * D;
        s.self_q.cols = D;
    }
    return s;
}

/* The stream of one of a layer's dropouts. */
static laip_rng_key stream(const laip_bert_layer *l, int which, const laip_context *c)
{
    return laip_context_stream(c, l->site + (uint32_t)which);
}

static laip_attention self_attention(const laip_bert_layer *l, const laip_sequences *q, size_t count,
                                     size_t D, const laip_context *c)
{
    laip_attention a = laip_sequences_self(q, count, l->heads, (int)D / l->heads, c->dropout);
    a.stream = stream(l, SITE_SELF, c);
    return a;
}

static laip_attention cross_attention(const laip_bert_layer *l, const laip_sequences *q, size_t count,
                                      size_t D, const laip_context *c)
{
    laip_attention a = laip_sequences_cross(q, count, l->heads, (int)D / l->heads, c->dropout);
    a.stream = stream(l, SITE_CROSS, c);
    return a;
}

/* out = norm(sum), sum = dropout(dense(x)) + residual: the end of each of a layer's three parts. */
typedef struct closing {
    const laip_linear *dense;
    const laip_norm *norm;
    int site;
    laip_mat x, residual, sum, stats, out;
} closing;

static void close_part(const laip_bert_layer *l, const closing *p, laip_sequences *q, const laip_context *c)
{
    laip_dropout_mask mask = laip_sequences_mask(q, stream(l, p->site, c), c->dropout);
    laip_linear_dropout(c, p->dense, p->sum, p->x, &mask, p->residual);
    laip_norm_forward(c, p->norm, p->out, p->stats, p->sum);
}

static void close_self(const laip_bert_layer *l, const laip_bert_saved *s, laip_mat x, laip_sequences *q,
                       const laip_context *c)
{
    close_part(
        l,
        &(closing){&l->attention_out, &l->attention_norm, SITE_SELF_OUT, s->o, x, s->sum1, s->stats1, s->y1},
        q, c);
}

/* From s->y1 to the layer's output, in the rows of q. */
static void cross_attention_ffn_forward(const laip_bert_layer *l, const laip_bert_saved *s, laip_sequences *q,
                                        laip_mat y, const laip_context *c)
{
    size_t D = y.cols;
    if (l->crosses) {
        laip_linear_forward(c, &l->query, s->q, s->y1, (laip_mat){0});
        laip_attention a = cross_attention(l, q, q->count, D, c);
        laip_attention_forward(c->device, &a, s->co, s->clse, (laip_heads){s->q, 0}, (laip_heads){s->kv, 0},
                               (laip_heads){s->kv, D});
        close_part(l,
                   &(closing){&l->cross_out, &l->cross_norm, SITE_CROSS_OUT, s->co, s->y1, s->sum2, s->stats2,
                              s->y2},
                   q, c);
    }
    laip_linear_gelu(c, &l->intermediate, s->h, s->pre, s->y2);
    close_part(l, &(closing){&l->output, &l->output_norm, SITE_OUT, s->h, s->y2, s->sum3, s->stats3, y}, q,
               c);
}

void laip_bert_self_forward(const laip_bert_layer *l, const laip_bert_saved *saved, laip_sequences *q,
                            const laip_context *c)
{
    size_t D = saved->x.cols;
    laip_bert_saved s = now(saved, q->rows, q->blocks * q->block_rows);
    laip_linear_forward(c, &l->qkv, s.qkv, s.x, (laip_mat){0});
    laip_attention a = self_attention(l, q, q->count, D, c);
    laip_attention_forward(c->device, &a, s.o, s.lse, (laip_heads){s.qkv, 0}, (laip_heads){s.qkv, D},
                           (laip_heads){s.qkv, 2 * D});
    close_self(l, &s, s.x, q, c);
}

void laip_bert_cross_attention_ffn_forward(const laip_bert_layer *l, const laip_bert_saved *saved,
                                           laip_sequences *q, laip_mat y, const laip_context *c)
{
    laip_bert_saved s = now(saved, q->rows, q->blocks * q->block_rows);
    cross_attention_ffn_forward(l, &s, q, y, c);
}

void laip_bert_layer_forward(const laip_bert_layer *l, const laip_bert_saved *s, laip_sequences *q,
                             laip_mat y, const laip_context *c)
{
    laip_bert_self_forward(l, s, q, c);
    laip_bert_cross_attention_ffn_forward(l, s, q, y, c);
}

void laip_bert_last_forward(const laip_bert_layer *l, const laip_bert_saved *saved, const laip_sequences *q,
                            laip_bert_selection *selection, laip_mat y, const laip_context *c)
{
    laip_sequences *t = &selection->tokens;
    laip_bert_saved s = now_last(l, saved, q->rows, t->rows, t->blocks * t->block_rows);
    size_t D = s.x.cols;
    laip_gather_rows(c->device, s.x_selected, s.x, selection->d_source);
    if (l->self_query.weight) {
        laip_linear_forward(c, &l->self_query, s.self_q, s.x_selected, (laip_mat){0});
        laip_linear_forward(c, &l->self_kv, s.qkv, s.x, (laip_mat){0});
    } else {
        laip_linear_forward(c, &l->qkv, s.qkv, s.x, (laip_mat){0});
        laip_gather_rows(c->device, s.self_q, s.qkv, selection->d_source);
    }
    laip_attention a = laip_sequences_onto(t, q, t->count, l->heads, (int)D / l->heads, c->dropout);
    a.stream = stream(l, SITE_SELF, c);
    laip_attention_forward(c->device, &a, s.o, s.lse, (laip_heads){s.self_q, 0},
                           (laip_heads){s.qkv, s.qkv.cols - 2 * D}, (laip_heads){s.qkv, s.qkv.cols - D});
    close_self(l, &s, s.x_selected, t, c);
    cross_attention_ffn_forward(l, &s, t, y, c);
}

/* A backward's views at the sizes of its batch: q are the sequences whose rows leave the layer, its first
 * p->count take part. */
typedef struct views {
    laip_sequences *q;
    laip_bert_saved s;
    laip_mat g, dn;           /* gradients of the output and of what lies below a product, [rows, D] */
    laip_attention attention; /* the cross-attention, and its gradients but for that of its output */
    laip_attention_gradients cross;
} views;

static views views_of(const laip_bert_backward *p)
{
    const laip_bert_layer *l = p->layer;
    bool last = p->selection != NULL;
    views v = {.q = last ? &p->selection->tokens : p->tokens, .g = p->g};
    size_t D = p->saved->x.cols, rows = (size_t)v.q->begin[p->count],
           image_rows = v.q->blocks * v.q->block_rows;
    v.s = last ? now_last(l, p->saved, (size_t)p->tokens->begin[p->count], rows, image_rows)
               : now(p->saved, rows, image_rows);
    v.g.rows = rows;
    v.dn = laip_rows(p->scratch->dn, rows);
    if (l->crosses) {
        laip_mat dq = laip_rows(p->scratch->dqkv, rows), dkv = laip_rows(p->scratch->dkv, image_rows);
        dq.cols = D; /* the fused scratch serves as a plain matrix here */
        if (!p->dimage.mem)
            dkv.mem = NULL;
        v.cross = (laip_attention_gradients){.dq = {dq, 0},
                                             .dk = {dkv, 0},
                                             .dv = {dkv, D},
                                             .q = {v.s.q, 0},
                                             .k = {v.s.kv, 0},
                                             .v = {v.s.kv, D},
                                             .o = v.s.co,
                                             .lse = v.s.clse,
                                             .scratch = p->c->attention};
        v.attention = cross_attention(l, v.q, p->count, D, p->c);
    }
    return v;
}

/* The gradient before the dropout that close_part applied: g itself, or its masked copy in scratch. */
static laip_mat undrop(const laip_bert_backward *p, const views *v, int site)
{
    if (p->c->dropout <= 0)
        return v->g;
    laip_mat dropped = laip_rows(p->scratch->dropped, v->g.rows);
    laip_dropout_mask mask = laip_sequences_mask(v->q, stream(p->layer, site, p->c), p->c->dropout);
    laip_dropout(p->c->device, dropped, v->g, (laip_mat){0}, &mask);
    return dropped;
}

/* From the layer's output past the MLP: g becomes the gradient of s->y2. */
static void mlp_backward(const laip_bert_backward *p, const views *v)
{
    const laip_bert_layer *l = p->layer;
    const laip_context *c = p->c;
    laip_mat dh = laip_rows(p->scratch->dh, v->g.rows);
    laip_norm_backward(c, &l->output_norm, v->g, false, v->g, v->s.sum3, v->s.stats3);
    if (!c->frozen) /* for the weights' gradient alone */
        laip_gelu_forward(c->device, v->s.h, v->s.pre);
    laip_linear_backward_gelu(c, &l->output, dh, v->s.pre, undrop(p, v, SITE_OUT), v->s.h);
    laip_linear_backward(c, &l->intermediate, v->g, true, dh, v->s.y2);
}

laip_mat laip_bert_backward_to_context(const laip_bert_backward *p)
{
    views v = views_of(p);
    mlp_backward(p, &v);
    laip_norm_backward(p->c, &p->layer->cross_norm, v.g, false, v.g, v.s.sum2, v.s.stats2);
    laip_linear_backward(p->c, &p->layer->cross_out, v.dn, false, undrop(p, &v, SITE_CROSS_OUT), v.s.co);
    return v.dn;
}

laip_cross_gradients laip_bert_backward_to_scores(const laip_bert_backward *p)
{
    laip_mat dcontext = laip_bert_backward_to_context(p);
    views v = views_of(p);
    v.cross.dout = dcontext;
    laip_attention_backward(p->c->device, &v.attention, &v.cross);
    return (laip_cross_gradients){v.cross.dq, v.cross.dk};
}

/* From the gradient of s->y1 in g to that of the input. */
static void self_backward(const laip_bert_backward *p, const views *v)
{
    const laip_bert_layer *l = p->layer;
    const laip_context *c = p->c;
    const laip_bert_saved *s = &v->s;
    size_t D = s->x.cols;
    laip_norm_backward(c, &l->attention_norm, v->g, false, v->g, s->sum1, s->stats1);
    laip_linear_backward(c, &l->attention_out, v->dn, false, undrop(p, v, SITE_SELF_OUT), s->o);
    if (!p->selection) {
        laip_mat dqkv = laip_rows(p->scratch->dqkv, v->g.rows);
        laip_attention a = self_attention(l, v->q, p->count, D, c);
        laip_attention_backward(c->device, &a,
                                &(laip_attention_gradients){.dq = {dqkv, 0},
                                                            .dk = {dqkv, D},
                                                            .dv = {dqkv, 2 * D},
                                                            .dout = v->dn,
                                                            .q = {s->qkv, 0},
                                                            .k = {s->qkv, D},
                                                            .v = {s->qkv, 2 * D},
                                                            .o = s->o,
                                                            .lse = s->lse,
                                                            .scratch = c->attention});
        laip_linear_backward(c, &l->qkv, v->g, true, dqkv, s->x);
        return;
    }
    const laip_scatter *back = &p->selection->back;
    laip_mat gx = laip_rows(p->gx, s->x.rows), dkv = laip_rows(p->scratch->dqkv, s->x.rows);
    laip_mat dq = laip_rows(p->scratch->dropped, v->g.rows); /* free again: dn is what came of it */
    dkv.cols = 2 * D;
    laip_attention a =
        laip_sequences_onto(v->q, p->tokens, p->count, l->heads, (int)D / l->heads, c->dropout);
    a.stream = stream(l, SITE_SELF, c);
    laip_attention_backward(c->device, &a,
                            &(laip_attention_gradients){.dq = {dq, 0},
                                                        .dk = {dkv, 0},
                                                        .dv = {dkv, D},
                                                        .dout = v->dn,
                                                        .q = {s->self_q, 0},
                                                        .k = {s->qkv, 0},
                                                        .v = {s->qkv, D},
                                                        .o = s->o,
                                                        .lse = s->lse,
                                                        .scratch = c->attention});
    laip_linear_backward(c, &l->self_query, v->g, true, dq, s->x_selected);
    laip_linear_backward(c, &l->self_kv, gx, false, dkv, s->x);
    /* the selected rows of the first sequences are the first targets */
    laip_scatter_rows(c->device, gx, v->g, back->target, back->begin, back->source, v->g.rows);
}

void laip_bert_backward_from_scores(const laip_bert_backward *p)
{
    views v = views_of(p);
    laip_linear_backward(p->c, &p->layer->query, v.g, true, v.cross.dq.m, v.s.y1);
    if (p->dimage.mem)
        laip_linear_backward(p->c, &p->layer->kv, laip_rows(p->dimage, v.s.kv.rows), true, v.cross.dk.m,
                             laip_rows(p->image, v.s.kv.rows));
    self_backward(p, &v);
}

void laip_bert_layer_backward(const laip_bert_backward *p)
{
    if (p->layer->crosses) {
        laip_bert_backward_to_scores(p);
        laip_bert_backward_from_scores(p);
        return;
    }
    views v = views_of(p);
    mlp_backward(p, &v);
    self_backward(p, &v);
}
